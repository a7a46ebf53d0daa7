//! Users: added, changed, listed.

use atelier_engine::Usd;
use atelier_store::{AuditEntry, Identity, NewUser, Role, StoreError, User, UserChange};

use super::passwords::Passwords;
use super::secrets::{Secret, random_id};
use super::sessions::Origin;
use crate::app::App;
use crate::error::{AppError, AppResult, excerpt};
use crate::views::{AuditListView, AuditView, UserView};

/// No name is longer, in characters.
const LONGEST_NAME: usize = 64;

/// Somebody to be added.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// What they type to sign in.
    pub name: String,
    /// What others see; the name if nothing is said.
    pub shown: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Their password, if they sign in by one.
    pub password: Option<Secret>,
    /// Who they are to a provider of OpenID Connect.
    pub identity: Option<Identity>,
}

/// What changes about somebody; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct PersonChange {
    /// What others see.
    pub shown: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
    /// Their password.
    pub password: Option<Secret>,
    /// The most that their work may cost in a day; `Some(None)` lifts it.
    pub day_budget: Option<Option<Usd>>,
    /// Whether they may not come in.
    pub disabled: Option<bool>,
}

impl App {
    /// All users, by name.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn users(&self) -> AppResult<Vec<UserView>> {
        Ok(self.store()?.users().await?.iter().map(UserView::from).collect())
    }

    /// Somebody, by id or by name.
    ///
    /// # Errors
    /// `no-such-user`; what the store reports.
    pub async fn user(&self, id_or_name: &str) -> AppResult<User> {
        let store = self.store()?;
        let found = match store.user(id_or_name).await? {
            Some(user) => Some(user),
            None => store.user_named(&id_or_name.to_lowercase()).await?,
        };
        Ok(found.ok_or_else(|| StoreError::NoSuchUser { user: excerpt(id_or_name, LONGEST_NAME) })?)
    }

    /// Adds somebody.
    ///
    /// # Errors
    /// `name-invalid`, `user-exists`, what is wrong with the password; what the store reports.
    pub async fn add_user(&self, person: &NewPerson, origin: &Origin) -> AppResult<UserView> {
        let new = self.new_user(person).await?;
        self.store()?.add_user(&new, &self.audited("user-added", &new.name, origin)).await?;
        Ok(UserView::from(&self.user(&new.id).await?))
    }

    /// Changes something about somebody. Whoever may do less, or has another password, is signed out.
    ///
    /// # Errors
    /// `no-such-user`, `last-admin`, what is wrong with the password; what the store reports.
    pub async fn change_user(&self, id: &str, change: &PersonChange, origin: &Origin) -> AppResult<UserView> {
        let password = match &change.password {
            Some(password) => Some(Passwords::here().hash(password).await?),
            None => None,
        };
        let action = match change {
            PersonChange { disabled: Some(true), .. } => "user-disabled",
            PersonChange { password: Some(_), .. } => "password-set",
            _ => "user-changed",
        };
        let shown = change.shown.as_deref().map(check_shown).transpose()?;
        let (role, day_budget, disabled) = (change.role, change.day_budget, change.disabled);
        let change = UserChange { shown, role, password, day_budget, disabled };
        self.store()?.change_user(id, &change, &self.audited(action, id, origin)).await?;
        Ok(UserView::from(&self.user(id).await?))
    }

    /// A page of the audit log, the latest first.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn audit(&self, before: Option<u64>, limit: usize) -> AppResult<AuditListView> {
        let rows = self.store()?.audit(before, limit).await?;
        let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.number);
        Ok(AuditListView { entries: rows.into_iter().map(AuditView::from).collect(), next })
    }

    pub(super) async fn new_user(&self, person: &NewPerson) -> AppResult<NewUser> {
        let name = check_name(&person.name)?;
        let password = match &person.password {
            Some(password) => Some(Passwords::here().hash(password).await?),
            None => None,
        };
        let shown = check_shown(person.shown.as_deref().unwrap_or(&person.name))?;
        let identity = person.identity.clone();
        Ok(NewUser { id: random_id("u-")?, name, shown, role: person.role, password, identity })
    }

    /// What is noted of something that this application's user did.
    pub(crate) fn audited(&self, action: &'static str, subject: &str, origin: &Origin) -> AuditEntry {
        AuditEntry {
            at: self.clock().now(),
            user: self.owner().to_owned(),
            action,
            subject: subject.to_owned(),
            address: origin.address.clone(),
        }
    }
}

/// A name as it is kept: an address, or letters, digits and what joins them.
fn check_name(name: &str) -> AppResult<String> {
    let name = name.trim().to_lowercase();
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+');
    if !name.is_empty() && name.chars().count() <= LONGEST_NAME && name.chars().all(fine) {
        return Ok(name);
    }
    let message = format!("'{}' can't be a name to sign in with", excerpt(&name, LONGEST_NAME));
    Err(AppError::new(code!("name-invalid"), message)
        .hint("use an address, or letters, digits, '.', '-', '_', at most 64 characters"))
}

/// What others see: anything in one line.
fn check_shown(shown: &str) -> AppResult<String> {
    let shown = shown.trim();
    if !shown.is_empty() && shown.chars().count() <= LONGEST_NAME && !shown.chars().any(char::is_control) {
        return Ok(shown.to_owned());
    }
    let message = format!("'{}' can't be shown as a name", excerpt(shown, LONGEST_NAME));
    Err(AppError::new(code!("name-invalid"), message).hint("use one line of at most 64 characters"))
}
