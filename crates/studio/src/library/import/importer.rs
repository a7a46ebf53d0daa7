//! The importer of a library, shared by all of its imports.

use atelier_engine::Clock;
use tokio::sync::Mutex;

use super::commit::Hashes;
use crate::library::decode::{DecodeLimits, PictureReader};
use crate::library::embedders::Embedders;
use crate::library::handle::Library;

/// Imports images into a library. Make one and keep it: from its first import on it holds the perceptual hashes of the
/// library.
#[derive(Debug)]
pub struct Importer {
    pub(super) library: Library,
    pub(super) embedders: Embedders,
    pub(super) reader: PictureReader,
    pub(super) clock: Clock,
    pub(super) hashes: Mutex<Option<Hashes>>,
}

impl Importer {
    /// Makes an importer into this library. Embedders that want many images at a time are left to
    /// [`Library::embedding`].
    #[must_use]
    pub fn new(library: Library, embedders: Embedders, limits: DecodeLimits, clock: Clock) -> Self {
        let embedders = embedders.at_once();
        Self { library, embedders, reader: PictureReader::new(limits), clock, hashes: Mutex::new(None) }
    }
}
