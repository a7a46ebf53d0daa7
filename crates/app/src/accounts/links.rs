//! Links that work once: for the first administrator, for people who are invited, for a forgotten password.

use std::time::Duration;

use atelier_store::{LOCAL_OWNER, Link, LinkKind, Role, StoreError, User};

use super::people::NewPerson;
use super::secrets::Secret;
use super::sessions::{Origin, Principal};
use crate::app::App;
use crate::error::{AppError, AppResult};

/// How long a link for the first administrator, or for another password, works.
const SHORT: Duration = Duration::from_secs(24 * 3600);
/// How long an invitation works.
const INVITED: Duration = Duration::from_secs(7 * 24 * 3600);

/// A link, in the one moment in which it is shown. The face knows the address that it is reached under.
#[derive(Clone, Debug)]
pub struct MadeLink {
    /// What follows the address.
    pub secret: Secret,
    /// When it ends, in RFC 3339.
    pub expires_at: String,
}

/// What a link is for, to whoever has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkAbout {
    /// What it is for.
    pub kind: LinkKind,
    /// What they will be.
    pub role: Role,
}

impl App {
    /// A link by which the first administrator gives themselves a name and a password; `None` once somebody can sign in.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn first_link(&self) -> AppResult<Option<MadeLink>> {
        if self.store()?.anybody_can_sign_in().await? {
            return Ok(None);
        }
        self.make_link(LinkKind::First, Role::Admin, None, SHORT, None).await.map(Some)
    }

    /// A link by which somebody joins in this role.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn invite(&self, role: Role, origin: &Origin) -> AppResult<MadeLink> {
        self.make_link(LinkKind::Invite, role, None, INVITED, Some(("invited", role.name(), origin))).await
    }

    /// A link by which somebody sets another password.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn reset_link(&self, user: &User, origin: &Origin) -> AppResult<MadeLink> {
        let audited = Some(("password-link", user.name.as_str(), origin));
        self.make_link(LinkKind::Reset, user.role, Some(user.id.clone()), SHORT, audited).await
    }

    async fn make_link(
        &self,
        kind: LinkKind,
        role: Role,
        user: Option<String>,
        lasts: Duration,
        audited: Option<(&'static str, &str, &Origin)>,
    ) -> AppResult<MadeLink> {
        let (secret, now) = (Secret::random("")?, self.clock().now());
        let expires_at = now.after(lasts);
        let link = Link { kind, role, user, made_by: self.owner().to_owned(), created_at: now, expires_at };
        let audit = audited.map(|(action, subject, origin)| self.audited(action, subject, origin));
        self.store()?.add_link(&secret.hash(), &link, audit.as_ref()).await?;
        Ok(MadeLink { secret, expires_at: expires_at.to_string() })
    }

    /// What a link is for.
    ///
    /// # Errors
    /// `link-used` if it does not work any more; what the store reports.
    pub async fn link(&self, secret: &Secret) -> AppResult<LinkAbout> {
        let link = self.found_link(secret).await?;
        Ok(LinkAbout { kind: link.kind, role: link.role })
    }

    async fn found_link(&self, secret: &Secret) -> AppResult<Link> {
        let found = self.store()?.link(&secret.hash(), self.clock().now()).await?;
        Ok(found.ok_or(StoreError::LinkUsed)?)
    }

    /// Follows a link: whoever has it gives themselves a name and a password, or another password, and is signed in. The
    /// role is the link's, whatever is asked for.
    ///
    /// # Errors
    /// `link-used`, `user-exists`, what is wrong with the name or the password; what the store reports.
    pub async fn follow_link(
        &self,
        secret: &Secret,
        name: Option<&str>,
        shown: Option<String>,
        password: &Secret,
        origin: &Origin,
    ) -> AppResult<(Secret, Principal)> {
        let link = self.found_link(secret).await?;
        let store = self.store()?;
        let whose = match (&link.kind, &link.user) {
            (LinkKind::Reset, Some(user)) => self.user(user).await?.name,
            _ => name.map(str::to_owned).ok_or_else(|| {
                AppError::new(code!("name-invalid"), "a name is wanted to sign in with").hint("give one")
            })?,
        };
        let person =
            NewPerson { name: whose, shown, role: link.role, password: Some(password.clone()), identity: None };
        let new = self.new_user(&person).await?;
        let id = match (&link.kind, &link.user) {
            (LinkKind::Reset, Some(user)) => user.clone(),
            (LinkKind::First, _) => LOCAL_OWNER.to_owned(),
            _ => new.id.clone(),
        };
        let audit = self.owned_by(&id).audited("link-followed", link.kind.name(), origin);
        store.use_link(&secret.hash(), &link, &new, &audit).await?;
        let user = self.user(&id).await?;
        self.begin_session(user, None, "signed-in", origin).await
    }
}
