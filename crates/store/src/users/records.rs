//! What the store says of people.

use std::time::Duration;

use atelier_engine::{Timestamp, Usd};

use crate::database::{Columns, Row};
use crate::error::{StoreError, StoreResult};

macro_rules! named {
    ($(#[$about:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$of])* $variant),+ }

        impl $name {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in the database and in lists.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The one of this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }

            pub(super) fn read(columns: &mut Columns) -> StoreResult<Self> {
                let name = columns.shared()?;
                Self::from_name(&name).ok_or_else(|| StoreError::Unexpected {
                    detail: format!("'{name}' is no {}", stringify!($name)),
                })
            }
        }
    };
}

named! {
    /// What somebody may do. The later may do less.
    Role {
        /// Everything, people and provider accounts included; others' pictures excepted.
        Admin = "admin",
        /// Make, import, draft and decide.
        Member = "member",
        /// Look.
        Viewer = "viewer",
    }
}

named! {
    /// What proves who somebody is, request by request.
    CredentialKind {
        /// A browser's, in a cookie.
        Session = "session",
        /// A program's.
        Token = "token",
    }
}

named! {
    /// What a link that works once is for.
    LinkKind {
        /// The first administrator gives themselves a name and a password.
        First = "first",
        /// Somebody who was invited does.
        Invite = "invite",
        /// A password is set anew.
        Reset = "reset",
    }
}

/// Somebody who may use the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id: the owner of what they make.
    pub id: String,
    /// What they type to sign in, in small letters.
    pub name: String,
    /// What others see.
    pub shown: String,
    /// What they may do.
    pub role: Role,
    /// The argon2id hash of their password, in the PHC form, if they have one.
    pub password: Option<String>,
    /// The most that their work may cost in a day.
    pub day_budget: Option<Usd>,
    /// Since when they may not come in.
    pub disabled_at: Option<Timestamp>,
    /// Since when they are known.
    pub created_at: Timestamp,
    /// Whether a provider of OpenID Connect vouches for them.
    pub has_identity: bool,
}

impl User {
    /// Whether there is a way for them to sign in.
    #[must_use]
    pub const fn can_sign_in(&self) -> bool {
        self.disabled_at.is_none() && (self.password.is_some() || self.has_identity)
    }
}

/// Somebody to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// Their id.
    pub id: String,
    /// What they type to sign in, in small letters.
    pub name: String,
    /// What others see.
    pub shown: String,
    /// What they may do.
    pub role: Role,
    /// The hash of their password.
    pub password: Option<String>,
    /// Who they are elsewhere.
    pub identity: Option<Identity>,
}

/// Who somebody is to a provider of OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// The subject: what the provider calls them, for ever.
    pub subject: String,
    /// An address, to be shown.
    pub email: Option<String>,
}

/// What changes about somebody; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// What others see.
    pub shown: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
    /// The hash of their password.
    pub password: Option<String>,
    /// The most that their work may cost in a day; `Some(None)` lifts it.
    pub day_budget: Option<Option<Usd>>,
    /// Whether they may not come in.
    pub disabled: Option<bool>,
}

/// A session or a token, without what opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// By which it is listed and revoked.
    pub id: String,
    /// What it is.
    pub kind: CredentialKind,
    /// Whose it is.
    pub user: String,
    /// What it is for, or which browser's it is.
    pub name: String,
    /// What it may be used for, by name.
    pub scopes: Vec<String>,
    /// Since when there is one.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// After how long without use it ends.
    pub idle: Option<Duration>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// A session or a token to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCredential {
    /// The credential.
    pub credential: Credential,
    /// The hash of what opens it.
    pub secret: String,
}

/// A link that works once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it is for.
    pub kind: LinkKind,
    /// What whoever follows it will be; fixed when it was made.
    pub role: Role,
    /// Whose password is set anew.
    pub user: Option<String>,
    /// Who made it.
    pub made_by: String,
    /// Since when there is one.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A sign-in that is under way at a provider of OpenID Connect.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingSignIn {
    /// The hash of what the browser keeps that began it.
    pub binding: String,
    /// The provider, as the configuration calls it.
    pub provider: String,
    /// What the provider's answer has to name.
    pub nonce: String,
    /// What proves that whoever brings the code has asked for it (RFC 7636).
    pub verifier: String,
    /// Where the browser goes then.
    pub return_to: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Something to be noted in the audit log, in the transaction that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who did it: a user's id.
    pub user: String,
    /// What: `user-added`, `signed-in`.
    pub action: &'static str,
    /// To whom or what.
    pub subject: String,
    /// From which address.
    pub address: Option<String>,
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its number; later ones have larger ones.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub user: String,
    /// What.
    pub action: String,
    /// To whom or what.
    pub subject: String,
    /// From which address.
    pub address: Option<String>,
}

pub(super) const USER: &str = "u.id, u.name, u.shown, u.role, u.password, u.day_budget, u.disabled_at, u.created_at, \
     EXISTS (SELECT 1 FROM identities i WHERE i.user_id = u.id)";

pub(super) fn user(columns: &mut Columns) -> StoreResult<User> {
    Ok(User {
        id: columns.text()?,
        name: columns.text()?,
        shown: columns.text()?,
        role: Role::read(columns)?,
        password: columns.optional_text()?,
        day_budget: columns.optional_integer()?.map(Usd::from_nanos),
        disabled_at: columns.optional_moment()?,
        created_at: columns.moment()?,
        has_identity: columns.flag()?,
    })
}

pub(super) const CREDENTIAL: &str =
    "c.id, c.kind, c.user_id, c.name, c.scopes, c.created_at, c.last_seen_at, c.idle, c.expires_at";

pub(super) fn credential(columns: &mut Columns) -> StoreResult<Credential> {
    Ok(Credential {
        id: columns.text()?,
        kind: CredentialKind::read(columns)?,
        user: columns.text()?,
        name: columns.text()?,
        scopes: columns.text()?.split_whitespace().map(str::to_owned).collect(),
        created_at: columns.moment()?,
        last_seen_at: columns.moment()?,
        idle: columns.optional_integer()?.map(|micros| Duration::from_micros(micros.unsigned_abs())),
        expires_at: columns.optional_moment()?,
    })
}

pub(super) fn link(row: Row) -> StoreResult<Link> {
    let mut columns = row.columns();
    Ok(Link {
        kind: LinkKind::read(&mut columns)?,
        role: Role::read(&mut columns)?,
        user: columns.optional_text()?,
        made_by: columns.text()?,
        created_at: columns.moment()?,
        expires_at: columns.moment()?,
    })
}

pub(super) fn audit_record(row: Row) -> StoreResult<AuditRecord> {
    let mut columns = row.columns();
    Ok(AuditRecord {
        number: columns.count()?,
        at: columns.moment()?,
        user: columns.text()?,
        action: columns.text()?,
        subject: columns.text()?,
        address: columns.optional_text()?,
    })
}
