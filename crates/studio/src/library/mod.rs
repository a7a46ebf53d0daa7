//! The library of images.
//!
//! - [`decode`] reads a file of any format into a picture, and refuses what would do harm.
//! - [`mod@derive`] works out thumbnails, main colours and a perceptual hash.
//! - [`import`] takes folders and files in, and continues where it was stopped.
//! - [`Library`] lists, changes, exports and removes images. Every change is in the store's log of changes, which an
//!   index reads.

mod blocking;
pub mod decode;
pub mod derive;
mod duplicates;
mod edit;
mod embed;
mod embedders;
pub(crate) mod export;
mod handle;
pub mod import;
pub mod metadata;
mod near;
mod remove;
mod sidecar;
mod words;

pub(crate) use blocking::{asked, asked_of, blocking, in_turn};
pub use edit::ImageEdit;
use embed::look_vectors;
pub(crate) use embed::picture_of;
pub use embed::{EmbedProgress, Embedded, EmbeddingRight, Missing, MissingVectors};
pub use embedders::Embedders;
pub use export::{ExportReport, ExportSelection, ExportTarget};
pub use handle::Library;
pub use near::MAX_DISTANCE;
pub use sidecar::{BadDescription, Description};
pub use words::{text_hash, words};
