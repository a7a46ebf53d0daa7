//! What every import into a library shares.

use atelier_engine::Clock;
use tokio::sync::Mutex;

use super::commit::Hashes;
use crate::library::decode::{DecodeLimits, PictureReader};
use crate::library::embedders::Embedders;
use crate::library::handle::Library;

/// Takes images in. Make one and keep it: it holds the perceptual hashes of the library once it was used.
#[derive(Debug)]
pub struct Importer {
    pub(super) library: Library,
    pub(super) embedders: Embedders,
    pub(super) reader: PictureReader,
    pub(super) clock: Clock,
    pub(super) hashes: Mutex<Option<Hashes>>,
}

impl Importer {
    /// An importer into this library. Embedders that want many images at a time are left to
    /// [`Library::embedding`].
    #[must_use]
    pub fn new(library: Library, embedders: Embedders, limits: DecodeLimits, clock: Clock) -> Self {
        let embedders = embedders.at_once();
        Self { library, embedders, reader: PictureReader::new(limits), clock, hashes: Mutex::new(None) }
    }
}
