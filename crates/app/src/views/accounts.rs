//! People and what opens the door to them.

use atelier_store::{AuditRecord, Credential, User};
use serde::Serialize;
use utoipa::ToSchema;

/// Somebody who may use the server.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserView {
    /// Their id: the owner of what they make.
    pub id: String,
    /// What they type to sign in.
    pub name: String,
    /// What others see.
    pub shown: String,
    /// `admin`, `member` or `viewer`.
    pub role: &'static str,
    /// Whether there is a way for them to sign in.
    pub can_sign_in: bool,
    /// The most that their work may cost in a day, if that is set.
    pub day_budget_usd: Option<f64>,
    /// Since when they may not come in.
    pub disabled_at: Option<String>,
    /// Since when they are known.
    pub created_at: String,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            name: user.name.clone(),
            shown: user.shown.clone(),
            role: user.role.name(),
            can_sign_in: user.can_sign_in(),
            day_budget_usd: user.day_budget.map(atelier_engine::Usd::as_dollars),
            disabled_at: user.disabled_at.map(|at| at.to_string()),
            created_at: user.created_at.to_string(),
        }
    }
}

/// A session or a token, without what opens it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CredentialView {
    /// By which it is revoked.
    pub id: String,
    /// `session` or `token`.
    pub kind: &'static str,
    /// What it is for, or which browser's it is.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// Since when there is one.
    pub created_at: String,
    /// When it was last used, to the minute.
    pub last_seen_at: String,
    /// When it ends, if it does.
    pub expires_at: Option<String>,
}

impl From<&Credential> for CredentialView {
    fn from(credential: &Credential) -> Self {
        Self {
            id: credential.id.clone(),
            kind: credential.kind.name(),
            name: credential.name.clone(),
            scopes: credential.scopes.clone(),
            created_at: credential.created_at.to_string(),
            last_seen_at: credential.last_seen_at.to_string(),
            expires_at: credential.expires_at.map(|at| at.to_string()),
        }
    }
}

/// A page of the audit log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditListView {
    /// The latest first.
    pub entries: Vec<AuditView>,
    /// Before which number the next page begins.
    pub next: Option<u64>,
}

/// A line of the audit log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditView {
    /// Its number.
    pub number: u64,
    /// When.
    pub at: String,
    /// Who did it: a user's id.
    pub user: String,
    /// What: `signed-in`, `user-added`.
    pub action: String,
    /// To whom or what.
    pub subject: String,
    /// From which address.
    pub address: Option<String>,
}

impl From<AuditRecord> for AuditView {
    fn from(row: AuditRecord) -> Self {
        let AuditRecord { number, at, user, action, subject, address } = row;
        Self { number, at: at.to_string(), user, action, subject, address }
    }
}
