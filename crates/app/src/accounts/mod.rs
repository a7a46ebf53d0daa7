//! People and how they come in: names and passwords, sessions, tokens, links that work once, and what was done about them.
//!
//! Nothing that opens a door is kept: passwords are hashed by argon2id, and of everything else, which is 256 random bits,
//! the hash is kept. What somebody may do follows from their [`Role`] and, where a program asks in their name, from the
//! [`Scope`]s of its token; nothing but a person's session makes or widens either.

mod foreign;
mod links;
mod passwords;
mod people;
mod scopes;
mod secrets;
mod sessions;

pub use atelier_store::{Identity, LinkKind, Role};
pub use foreign::{BegunSignIn, ForeignPerson};
pub use links::{LinkAbout, MadeLink};
pub use people::{NewPerson, PersonChange};
pub use scopes::{Scope, role, scopes_of};
pub use secrets::Secret;
pub(crate) use secrets::random_id;
pub use sessions::{MadeToken, NewToken, Origin, Principal};
