//! Users: added, changed, found.

use atelier_engine::Timestamp;

use super::records::{AuditEntry, Identity, NewUser, Role, USER, User, UserChange, user};
use crate::database::{Row, Statement};
use crate::error::{StoreError, StoreResult};
use crate::journal::rows;
use crate::store::{LOCAL_OWNER, Store};

/// The scope in which it is decided who may come in.
pub(super) const USERS: &str = "users";

impl Store {
    /// The user of this id, if there is one.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn user(&self, id: &str) -> StoreResult<Option<User>> {
        self.user_where("u.id = $1", id).await
    }

    /// The user of this name, if there is one.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn user_named(&self, name: &str) -> StoreResult<Option<User>> {
        self.user_where("u.name = $1", name).await
    }

    async fn user_where(&self, condition: &str, value: &str) -> StoreResult<Option<User>> {
        let query = Statement::new(format!("SELECT {USER} FROM users u WHERE {condition}")).bind(value);
        Ok(rows(self.query(query).await?, one)?.pop())
    }

    /// The user whom a provider of OpenID Connect knows by this subject.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn user_of_identity(&self, issuer: &str, subject: &str) -> StoreResult<Option<User>> {
        let query = Statement::new(format!(
            "SELECT {USER} FROM users u JOIN identities x ON x.user_id = u.id WHERE x.issuer = $1 AND x.subject = $2"
        ))
        .bind(issuer)
        .bind(subject);
        Ok(rows(self.query(query).await?, one)?.pop())
    }

    /// All users, by name. A server has hundreds, not millions.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn users(&self) -> StoreResult<Vec<User>> {
        rows(self.query(Statement::new(format!("SELECT {USER} FROM users u ORDER BY u.name"))).await?, one)
    }

    /// Whether somebody can sign in: until then, whoever sits at this machine is its administrator.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn anybody_can_sign_in(&self) -> StoreResult<bool> {
        Ok(!self.query(anybody()).await?.is_empty())
    }

    /// Adds somebody.
    ///
    /// # Errors
    /// [`StoreError::UserExists`] if the name or the identity is somebody's; what the database reports.
    pub async fn add_user(&self, new: &NewUser, audit: &AuditEntry) -> StoreResult<()> {
        let mut batch = insert(new, audit.at);
        batch.push(audit.statement());
        self.apply_in(USERS, batch, |_, _| exists(&new.name)).await.map(|_| ())
    }

    /// Changes something about somebody. Whoever may not come in any more, or may do less, or has another password, is
    /// signed out everywhere; the last administrator stays one.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], [`StoreError::LastAdmin`]; what the database reports.
    pub async fn change_user(&self, id: &str, change: &UserChange, audit: &AuditEntry) -> StoreResult<()> {
        let mut batch = vec![Statement::new("SELECT 1 FROM users WHERE id = $1").bind(id).must_hit()];
        let set = |column: &str| Statement::new(format!("UPDATE users SET {column} = $2 WHERE id = $1")).bind(id);
        if let Some(shown) = &change.shown {
            batch.push(set("shown").bind(shown.as_str()));
        }
        if let Some(role) = change.role {
            batch.push(set("role").bind(role.name()));
        }
        if let Some(password) = &change.password {
            batch.push(set("password").bind(password.as_str()));
        }
        if let Some(budget) = change.day_budget {
            batch.push(set("day_budget").bind(budget));
        }
        if let Some(disabled) = change.disabled {
            batch.push(set("disabled_at").bind(disabled.then_some(audit.at)));
        }
        let less = change.disabled == Some(true) || change.role.is_some() || change.password.is_some();
        if less {
            batch.push(Statement::new("DELETE FROM credentials WHERE user_id = $1 AND kind = 'session'").bind(id));
        }
        if change.disabled == Some(true) {
            batch.push(Statement::new("DELETE FROM credentials WHERE user_id = $1").bind(id));
        }
        batch.push(audit.statement());
        let last = batch.len();
        if change.disabled == Some(true) || change.role.is_some_and(|role| role != Role::Admin) {
            batch.push(Statement::new("SELECT 1 FROM users WHERE role = 'admin' AND disabled_at IS NULL").must_hit());
        }
        let refused = |statement, _| {
            if statement == last { StoreError::LastAdmin } else { StoreError::NoSuchUser { user: id.into() } }
        };
        self.apply_in(USERS, batch, refused).await.map(|_| ())
    }

    /// Gives somebody another identity beside what they have.
    ///
    /// # Errors
    /// [`StoreError::UserExists`] if it is somebody's; what the database reports.
    pub async fn add_identity(&self, user: &str, identity: &Identity, audit: &AuditEntry) -> StoreResult<()> {
        let batch = vec![insert_identity(user, identity, audit.at), audit.statement()];
        self.apply_in(USERS, batch, |_, _| exists(user)).await.map(|_| ())
    }
}

/// Rows if somebody can sign in.
pub(super) fn anybody() -> Statement {
    Statement::new(
        "SELECT 1 FROM users u WHERE u.disabled_at IS NULL \
         AND (u.password IS NOT NULL OR EXISTS (SELECT 1 FROM identities i WHERE i.user_id = u.id)) LIMIT 1",
    )
}

pub(super) fn insert(new: &NewUser, now: Timestamp) -> Vec<Statement> {
    let user = Statement::new(
        "INSERT INTO users (id, name, shown, role, password, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT DO NOTHING",
    )
    .bind(new.id.as_str())
    .bind(new.name.as_str())
    .bind(new.shown.as_str())
    .bind(new.role.name())
    .bind(new.password.as_deref())
    .bind(now)
    .must_hit();
    let identity = new.identity.iter().map(|identity| insert_identity(&new.id, identity, now));
    std::iter::once(user).chain(identity).collect()
}

/// Gives the machine's own user a name and a password, if nobody can sign in yet.
pub(super) fn make_first(new: &NewUser) -> Vec<Statement> {
    vec![
        anybody().must_miss(),
        Statement::new("SELECT 1 FROM users WHERE name = $1 AND id <> $2")
            .bind(new.name.as_str())
            .bind(LOCAL_OWNER)
            .must_miss(),
        Statement::new("UPDATE users SET name = $1, shown = $2, password = $3 WHERE id = $4")
            .bind(new.name.as_str())
            .bind(new.shown.as_str())
            .bind(new.password.as_deref())
            .bind(LOCAL_OWNER)
            .must_hit(),
    ]
}

fn insert_identity(user: &str, identity: &Identity, now: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO identities (issuer, subject, user_id, email, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT DO NOTHING",
    )
    .bind(identity.issuer.as_str())
    .bind(identity.subject.as_str())
    .bind(user)
    .bind(identity.email.as_deref())
    .bind(now)
    .must_hit()
}

pub(super) fn exists(name: &str) -> StoreError {
    StoreError::UserExists { name: name.into() }
}

fn one(row: Row) -> StoreResult<User> {
    user(&mut row.columns())
}
