//! Signing in, and who asks: sessions and tokens.

use std::time::Duration;

use atelier_store::{Credential, CredentialKind, NewCredential, User};

use super::passwords::Passwords;
use super::scopes::{Scope, scopes_of};
use super::secrets::{Secret, random_id};
use crate::app::App;
use crate::error::{AppError, AppResult};
use crate::views::CredentialView;

/// A session that nobody uses ends after so long.
const IDLE: Duration = Duration::from_secs(7 * 24 * 3600);
/// However much it is used, it ends after so long.
const AT_MOST: Duration = Duration::from_secs(30 * 24 * 3600);
/// No token's name is longer, in characters.
const LONGEST_NAME: usize = 80;
/// So many characters of a browser's name are kept.
const BROWSER: usize = 200;
/// By what a token is known where it should not be: in a log, a repository.
const TOKEN_PREFIX: &str = "atelier_";

/// From where something was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The address, as far as it is known.
    pub address: Option<String>,
    /// The browser, as it calls itself.
    pub browser: Option<String>,
}

/// Who asks, and what for they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The user.
    pub user: User,
    /// By what they proved it.
    pub credential: Credential,
    /// What they may do with it: the least of its scopes and their role's.
    pub scopes: Vec<Scope>,
}

impl Principal {
    /// Whether this is allowed.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether a person asks, and not a program in their name.
    #[must_use]
    pub const fn is_person(&self) -> bool {
        matches!(self.credential.kind, CredentialKind::Session)
    }
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// What it may be used for; no more than its user's role allows.
    pub scopes: Vec<Scope>,
    /// After how long it ends, if it does.
    pub lasts: Option<Duration>,
}

/// A token, in the one moment in which it is shown.
#[derive(Clone, Debug)]
pub struct MadeToken {
    /// The token.
    pub secret: Secret,
    /// What is kept of it.
    pub token: CredentialView,
}

impl App {
    /// Signs somebody in by name and password: what their browser keeps from now on. `earlier` is the session that it had.
    ///
    /// # Errors
    /// `sign-in-failed`, whether the name, the password or the person is the reason; what the store reports.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &Secret,
        earlier: Option<&Secret>,
        origin: &Origin,
    ) -> AppResult<(Secret, Principal)> {
        let store = self.store()?;
        let found = store.user_named(&name.trim().to_lowercase()).await?;
        let hash = found.as_ref().and_then(|user| user.password.clone());
        let right = Passwords::here().is(password, hash).await?;
        match found.filter(|user| right && user.disabled_at.is_none()) {
            Some(user) => self.begin_session(user, earlier, "signed-in", origin).await,
            None => {
                let subject: String = name.chars().take(LONGEST_NAME).collect();
                store.note(&self.audited("sign-in-failed", &subject, origin)).await?;
                Err(AppError::new(code!("sign-in-failed"), "the name or the password is not right")
                    .hint("an administrator can send a link for another password"))
            }
        }
    }

    /// An error if this is not somebody's password.
    ///
    /// # Errors
    /// `sign-in-failed`.
    pub async fn check_password(&self, user: &User, password: &Secret) -> AppResult<()> {
        if Passwords::here().is(password, user.password.clone()).await? {
            return Ok(());
        }
        Err(AppError::new(code!("sign-in-failed"), "the password until now is not right"))
    }

    /// A session for somebody who has proved who they are.
    ///
    /// # Errors
    /// `no-such-user` if they may not come in; what the store reports.
    pub async fn begin_session(
        &self,
        user: User,
        earlier: Option<&Secret>,
        how: &'static str,
        origin: &Origin,
    ) -> AppResult<(Secret, Principal)> {
        let (secret, now) = (Secret::random("")?, self.clock().now());
        let credential = Credential {
            id: random_id("s-")?,
            kind: CredentialKind::Session,
            user: user.id.clone(),
            name: origin.browser.as_deref().unwrap_or("a browser").chars().take(BROWSER).collect(),
            scopes: Scope::ALL.iter().map(|scope| scope.name().to_owned()).collect(),
            created_at: now,
            last_seen_at: now,
            idle: Some(IDLE),
            expires_at: Some(now.after(AT_MOST)),
        };
        let new = NewCredential { credential: credential.clone(), secret: secret.hash() };
        let earlier = earlier.map(Secret::hash);
        let audit = self.owned_by(&user.id).audited(how, &user.name, origin);
        self.store()?.add_credential(&new, earlier.as_deref(), &audit).await?;
        Ok((secret, principal(credential, user)))
    }

    /// Who asks by this secret; nobody if it opens nothing at this moment.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn principal(&self, secret: &Secret) -> AppResult<Option<Principal>> {
        let found = self.store()?.credential(&secret.hash(), self.clock().now()).await?;
        Ok(found.map(|(credential, user)| principal(credential, user)))
    }

    /// Makes a token for somebody.
    ///
    /// # Errors
    /// `name-invalid`; `scope-invalid` if their role does not allow a scope, or there is none; what the store reports.
    pub async fn make_token(&self, user: &User, new: &NewToken, origin: &Origin) -> AppResult<MadeToken> {
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(AppError::new(code!("name-invalid"), "a token's name is one line of 1 to 80 characters"));
        }
        let allowed = scopes_of(user.role);
        if let Some(scope) = new.scopes.iter().find(|scope| !allowed.contains(scope)) {
            let message = format!("a {} can't have the scope '{}'", user.role.name(), scope.name());
            return Err(AppError::new(code!("scope-invalid"), message));
        }
        if new.scopes.is_empty() {
            return Err(AppError::new(code!("scope-invalid"), "a token without scopes opens nothing")
                .hint("give read, write or spend"));
        }
        let (secret, now) = (Secret::random(TOKEN_PREFIX)?, self.clock().now());
        let mut scopes = new.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        let credential = Credential {
            id: random_id("t-")?,
            kind: CredentialKind::Token,
            user: user.id.clone(),
            name: name.to_owned(),
            scopes: scopes.iter().map(|scope| scope.name().to_owned()).collect(),
            created_at: now,
            last_seen_at: now,
            idle: None,
            expires_at: new.lasts.map(|lasts| now.after(lasts)),
        };
        let new = NewCredential { credential: credential.clone(), secret: secret.hash() };
        self.store()?.add_credential(&new, None, &self.audited("token-made", name, origin)).await?;
        Ok(MadeToken { secret, token: CredentialView::from(&credential) })
    }

    /// Somebody's sessions and tokens, the latest first.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn credentials_of(&self, user: &str) -> AppResult<Vec<CredentialView>> {
        let found = self.store()?.credentials_of(user, self.clock().now()).await?;
        Ok(found.iter().map(CredentialView::from).collect())
    }

    /// Revokes a session or a token of somebody: it opens nothing from now on.
    ///
    /// # Errors
    /// `no-such-credential` if it is not theirs; what the store reports.
    pub async fn revoke(&self, user: &str, id: &str, origin: &Origin) -> AppResult<()> {
        Ok(self.store()?.revoke_credential(user, id, &self.audited("revoked", id, origin)).await?)
    }
}

fn principal(credential: Credential, user: User) -> Principal {
    let allowed = scopes_of(user.role).iter().copied();
    let scopes = allowed.filter(|scope| credential.scopes.iter().any(|name| name == scope.name())).collect();
    Principal { user, credential, scopes }
}
