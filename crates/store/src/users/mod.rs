//! People: who they are, what opens the door to them, and what was done about that.

mod audit;
mod credentials;
mod links;
mod people;
mod records;

pub use records::{
    AuditEntry, AuditRecord, Credential, CredentialKind, Identity, Link, LinkKind, NewCredential, NewUser, Role, User,
    UserChange,
};
