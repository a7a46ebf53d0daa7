//! What every import into a library shares.

use atelier_engine::Clock;
use tokio::sync::Mutex;

use super::commit::Hashes;
use crate::library::decode::{Limits, Reader};
use crate::library::embedders::Embedders;
use crate::library::handle::Library;

/// Takes images in. Make one and keep it: it holds the perceptual hashes of the library once it was used.
#[derive(Debug)]
pub struct Importer {
    pub(super) library: Library,
    pub(super) embedders: Embedders,
    pub(super) reader: Reader,
    pub(super) clock: Clock,
    pub(super) hashes: Mutex<Option<Hashes>>,
}

impl Importer {
    /// An importer into this library. Embedders that want many images at a time are left to
    /// [`Library::embedding`].
    #[must_use]
    pub fn new(library: Library, embedders: Embedders, limits: Limits, clock: Clock) -> Self {
        let embedders = embedders.at_once();
        Self { library, embedders, reader: Reader::new(limits), clock, hashes: Mutex::new(None) }
    }
}
