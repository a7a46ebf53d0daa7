//! People for whom a provider of OpenID Connect vouches.
//!
//! Somebody is known by issuer and subject, and by nothing else: an address or a name changes hands, and an account here is
//! never joined to one there because both are called alike. Who may come in that is not known yet is said by the
//! configuration; what counts is an address that the provider says it has verified.

use std::time::Duration;

use atelier_store::{Identity, PendingSignIn, Role};

use super::people::NewPerson;
use super::secrets::Secret;
use super::sessions::{Origin, Principal};
use crate::app::App;
use crate::config::ForeignSignIn;
use crate::error::{AppError, AppResult};

/// Whoever goes to a provider comes back within this.
const UNDER_WAY: Duration = Duration::from_secs(600);

/// What a provider says of somebody.
#[derive(Clone, Debug)]
pub struct ForeignPerson {
    /// Who they are there.
    pub identity: Identity,
    /// Whether the provider has verified the address.
    pub email_verified: bool,
    /// What they are called.
    pub name: Option<String>,
}

/// What a browser needs to go to a provider.
#[derive(Clone, Debug)]
pub struct BegunSignIn {
    /// What the provider brings back.
    pub state: Secret,
    /// What the browser keeps.
    pub binding: Secret,
}

impl App {
    /// Begins a sign-in at a provider.
    ///
    /// # Errors
    /// `sign-in-failed` while nobody here has a password: the first administrator is named by a link; what the store
    /// reports.
    pub async fn begin_foreign_sign_in(&self) -> AppResult<BegunSignIn> {
        if !self.store()?.anybody_can_sign_in().await? {
            return Err(AppError::new(code!("sign-in-failed"), "there is no administrator here yet")
                .hint("follow the link that the server printed when it started"));
        }
        Ok(BegunSignIn { state: Secret::random("")?, binding: Secret::random("")? })
    }

    /// Keeps what has to be known when it comes back: the provider's answer has to name the nonce, and the verifier proves
    /// that whoever brings the code has asked for it.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn keep_foreign_sign_in(
        &self,
        begun: &BegunSignIn,
        provider: &str,
        nonce: &str,
        verifier: &str,
        return_to: &str,
    ) -> AppResult<()> {
        let pending = PendingSignIn {
            binding: begun.binding.hash(),
            provider: provider.to_owned(),
            nonce: nonce.to_owned(),
            verifier: verifier.to_owned(),
            return_to: local_path(return_to).to_owned(),
            expires_at: self.clock().now().after(UNDER_WAY),
        };
        Ok(self.store()?.keep_sign_in(&begun.state.hash(), &pending).await?)
    }

    /// The sign-in that comes back with this state, once, to the browser that began it.
    ///
    /// # Errors
    /// `sign-in-failed`; what the store reports.
    pub async fn take_foreign_sign_in(
        &self,
        provider: &str,
        state: &Secret,
        binding: Option<&Secret>,
    ) -> AppResult<PendingSignIn> {
        let taken = self.store()?.take_sign_in(&state.hash(), self.clock().now()).await?;
        let bound = |pending: &PendingSignIn| binding.is_some_and(|binding| binding.hash() == pending.binding);
        taken.filter(|pending| bound(pending) && pending.provider == provider).ok_or_else(|| {
            AppError::new(code!("sign-in-failed"), "this sign-in was not begun here, or took too long")
                .hint("begin again")
        })
    }

    /// Signs somebody in for whom a provider vouches. Who is not known yet is added, if the configuration lets them in.
    ///
    /// # Errors
    /// `not-allowed` if it does not, or they may not come in any more; what the store reports.
    pub async fn sign_in_foreign(
        &self,
        person: &ForeignPerson,
        settings: &ForeignSignIn,
        earlier: Option<&Secret>,
        origin: &Origin,
    ) -> AppResult<(Secret, Principal)> {
        let store = self.store()?;
        let Identity { issuer, subject, .. } = &person.identity;
        let user = match store.user_of_identity(issuer, subject).await? {
            Some(user) => user,
            None => {
                if !may_join(person, settings) {
                    let who = person.identity.email.as_deref().unwrap_or(subject);
                    store.note(&self.audited("sign-in-refused", who, origin)).await?;
                    return Err(AppError::new(
                        code!("not-allowed"),
                        "you are not on the list of those who may come in",
                    )
                    .hint("ask an administrator"));
                }
                self.add_foreign(person, settings, origin).await?
            }
        };
        if user.disabled_at.is_some() {
            return Err(
                AppError::new(code!("not-allowed"), "you may not come in any more").hint("ask an administrator")
            );
        }
        self.begin_session(user, earlier, "signed-in", origin).await
    }

    async fn add_foreign(
        &self,
        person: &ForeignPerson,
        settings: &ForeignSignIn,
        origin: &Origin,
    ) -> AppResult<atelier_store::User> {
        let role = if settings.role.as_deref() == Some("viewer") { Role::Viewer } else { Role::Member };
        let address = person.identity.email.clone().filter(|_| person.email_verified);
        let shown = person.name.clone().or_else(|| address.clone());
        // A name that somebody has here is theirs: whoever comes gets one that nobody has.
        let unique = Secret::random("")?.reveal().get(..8).unwrap_or_default().to_owned();
        let names = [address, Some(format!("guest-{unique}"))];
        let mut last = None;
        for name in names.into_iter().flatten() {
            let shown = shown.clone().map(|shown| shown.chars().take(64).collect());
            let identity = Some(person.identity.clone());
            let new = NewPerson { name, shown, role, password: None, identity };
            match self.add_user(&new, origin).await {
                Ok(_) => break,
                Err(error) if error.code() == "user-exists" || error.code() == "name-invalid" => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        let Identity { issuer, subject, .. } = &person.identity;
        let added = self.store()?.user_of_identity(issuer, subject).await?;
        added.ok_or_else(|| last.unwrap_or_else(|| AppError::new(code!("sign-in-failed"), "nobody could be added")))
    }
}

/// Whether the configuration lets in somebody who is not known yet.
fn may_join(person: &ForeignPerson, settings: &ForeignSignIn) -> bool {
    if settings.allow_all {
        return true;
    }
    let verified = person.identity.email.as_deref().filter(|_| person.email_verified);
    let Some(address) = verified.map(str::to_lowercase) else { return false };
    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
    let listed = |list: &[String], value: &str| list.iter().any(|one| one.to_lowercase() == value);
    listed(&settings.allow_addresses, &address) || domain.is_some_and(|domain| listed(&settings.allow_domains, domain))
}

/// A path of this server, whatever was asked for: nobody is sent elsewhere by a link that looks like ours.
fn local_path(path: &str) -> &str {
    let fine = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.chars().any(|c| c.is_control() || c.is_whitespace());
    if fine { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_signs_in_stays_on_this_server() {
        for (asked, goes) in [
            ("/?in=made", "/?in=made"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/a\nb", "/"),
            ("", "/"),
        ] {
            assert_eq!(local_path(asked), goes, "{asked}");
        }
    }

    #[test]
    fn only_a_verified_address_is_on_the_list() {
        let settings = ForeignSignIn {
            allow_addresses: vec!["Ana@example.org".into()],
            allow_domains: vec!["studio.example".into()],
            ..ForeignSignIn::default()
        };
        let person = |email: Option<&str>, email_verified| ForeignPerson {
            identity: Identity { issuer: "i".into(), subject: "s".into(), email: email.map(str::to_owned) },
            email_verified,
            name: None,
        };
        for (email, verified, may) in [
            (Some("ana@example.org"), true, true),
            (Some("ana@example.org"), false, false),
            (Some("eve@example.org"), true, false),
            (Some("max@Studio.example"), true, true),
            (Some("max@studio.example.evil"), true, false),
            (Some("studio.example"), true, false),
            (None, true, false),
        ] {
            assert_eq!(may_join(&person(email, verified), &settings), may, "{email:?} {verified}");
        }
    }
}
