//! People: who they are, what opens the door to them, and what was done about that.

mod audit;
mod credentials;
mod limits;
mod links;
mod people;
mod provider_keys;
mod records;
mod sign_ins;

pub use limits::LimitsSet;
pub use provider_keys::SealedKey;
pub use records::{
    AuditEntry, AuditRecord, Credential, CredentialKind, Identity, Link, LinkKind, NewCredential, NewUser,
    PendingSignIn, Role, User, UserChange,
};
