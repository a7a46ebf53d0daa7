//! The items that the stages of an import hand on to each other.

use atelier_store::Likeness;
use tokio::sync::OwnedSemaphorePermit;

use super::passed_over::Passed;
use super::work::Worked;
use crate::library::sidecar::{BadDescription, Description};

/// An item under way, numbered in the order of the files. Its permit is its share of the window, given back when it is
/// dropped.
pub(super) struct Numbered<T> {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) item: T,
    pub(super) permit: OwnedSemaphorePermit,
}

/// An item that arrives at the last stage.
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
    PassedOver(Passed),
}
