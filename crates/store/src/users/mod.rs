//! People: who they are, what opens the door to them, and what was done about that.

mod audit;
mod credentials;
mod links;
mod people;
mod records;
mod sign_ins;

pub use records::{
    AuditEntry, AuditRecord, Credential, CredentialKind, Identity, Link, LinkKind, NewCredential, NewUser,
    PendingSignIn, Role, User, UserChange,
};
