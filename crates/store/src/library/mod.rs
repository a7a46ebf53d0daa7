//! The image library: images with their tags, collections and vectors, and the log of their changes.

mod apart;
mod changes;
mod collections;
mod guard;
mod read;
mod records;
mod sources;
mod vectors;
mod write;

pub(crate) use changes::log_put;
pub use changes::{ChangeKind, LibraryChange};
pub(crate) use collections::log_members;
pub use collections::{Collection, TagCount};
pub use guard::ObjectsGuard;
pub use records::{Added, Image, ImageFilter, ImageShape, NewImage, NewVector, ScoreKind, VectorSpace};
pub use sources::{ImageSource, Likeness};
pub use vectors::Unembedded;
