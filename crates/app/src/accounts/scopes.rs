//! What somebody may do.

use atelier_store::Role;
use serde::{Deserialize, Serialize};

use crate::error::{AppError, AppResult, excerpt};

/// What a credential may be used for. What it is really good for is the least of this and of its user's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// To look at what its user sees.
    Read,
    /// To change what costs nothing: captions, likes, decisions about drafts, uploads.
    Write,
    /// To have models asked.
    Spend,
    /// To manage people, provider accounts and limits.
    Admin,
}

impl Scope {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Spend, Self::Admin];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Spend => "spend",
            Self::Admin => "admin",
        }
    }

    /// The scope of this name.
    ///
    /// # Errors
    /// `scope-invalid`, with those there are.
    pub fn from_name(name: &str) -> AppResult<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name).ok_or_else(|| {
            AppError::new(code!("scope-invalid"), format!("'{}' is not a scope", excerpt(name, 40)))
                .hint("write one of read, write, spend, admin")
        })
    }
}

/// What a role allows.
#[must_use]
pub const fn scopes_of(role: Role) -> &'static [Scope] {
    match role {
        Role::Admin => &[Scope::Read, Scope::Write, Scope::Spend, Scope::Admin],
        Role::Member => &[Scope::Read, Scope::Write, Scope::Spend],
        Role::Viewer => &[Scope::Read],
    }
}

/// The role of this name.
///
/// # Errors
/// `role-invalid`, with those there are.
pub fn role(name: &str) -> AppResult<Role> {
    Role::from_name(name).ok_or_else(|| {
        AppError::new(code!("role-invalid"), format!("'{}' is not a role", excerpt(name, 40)))
            .hint("write admin, member or viewer")
    })
}
