//! What is handed on between the stages of an import.

use atelier_store::Likeness;
use tokio::sync::OwnedSemaphorePermit;

use super::work::Worked;
use crate::library::sidecar::{BadDescription, Description};

/// A file under way, numbered in the order of the files.
pub(super) struct Numbered<T> {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) item: T,
    pub(super) permit: OwnedSemaphorePermit,
}

/// What comes to the end of the line.
pub(super) enum Arrived {
    Worked(Worked),
    /// The file was imported before, as this image; with what is said of it now.
    Known {
        image: String,
        likeness: Likeness,
        description: Option<Description>,
    },
    Bad(BadDescription),
    Missing(u64, Vec<String>),
}
