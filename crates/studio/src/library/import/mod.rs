//! Import: folders and files into the library.
//!
//! One thread walks, as many as there are processors read and look, and one task decides and writes, in the
//! order of the files: so an import of the same files gives the same library, however fast each of them was.
//! What is under way at the same time is bounded, in files and in bytes. An image is told of once its files
//! and its row are durable. Whatever stops an import, to run it again is to go on with it: files that have not
//! changed since are known by their path, size and time, and others by their content.

mod commit;
mod pipeline;
mod report;
mod walk;
mod work;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use atelier_engine::{Clock, Stop};
use tokio::sync::Mutex;

use self::commit::Hashes;
pub use self::report::{FileOutcome, ImportEvent, ImportProgress, ImportReport, LISTED, Near, Refusal, Refused, Same};
pub use self::walk::Source;
use super::decode::{Limits, Reader};
use super::{Embedders, ImageEdit, Library, MAX_DISTANCE};
use crate::error::StudioResult;

/// How an import goes about it.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Collections to put all images into, those that were known before too.
    pub collections: Vec<String>,
    /// Tags to give all images, those that were known before too.
    pub tags: Vec<String>,
    /// Who brings them.
    pub uploader: Option<String>,
    /// A file of descriptions, `images.json` or CSV; its file names start from the folder that is imported.
    /// Files of that kind that are called `images.json` or `images.csv` are found by themselves.
    pub metadata: Option<PathBuf>,
    /// Whether images that are known take over what is said of them now.
    pub update: bool,
    /// Whether near duplicates are stored, too.
    pub keep_near: bool,
    /// In how many of 64 bits the perceptual hashes of near duplicates may differ, at most [`MAX_DISTANCE`].
    pub near_distance: u32,
    /// How many threads read and look.
    pub threads: NonZeroUsize,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            collections: Vec::new(),
            tags: Vec::new(),
            uploader: None,
            metadata: None,
            update: false,
            keep_near: false,
            near_distance: MAX_DISTANCE,
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        }
    }
}

impl ImportOptions {
    /// That the names of collections and tags can be kept.
    fn check(&self) -> StudioResult<()> {
        self.as_edit().check()
    }

    /// What an image that was known before is given.
    fn as_edit(&self) -> ImageEdit {
        ImageEdit { add_tags: self.tags.clone(), add_collections: self.collections.clone(), ..ImageEdit::default() }
    }
}

/// Takes images in. Make one and keep it: it holds the perceptual hashes of the library once it was used.
#[derive(Debug)]
pub struct Importer {
    library: Library,
    embedders: Embedders,
    reader: Reader,
    clock: Clock,
    hashes: Mutex<Option<Hashes>>,
}

impl Importer {
    /// An importer into this library. Embedders that want many images at a time are left to
    /// [`Library::embedding`].
    #[must_use]
    pub fn new(library: Library, embedders: Embedders, limits: Limits, clock: Clock) -> Self {
        let embedders = embedders.at_once();
        Self { library, embedders, reader: Reader::new(limits), clock, hashes: Mutex::new(None) }
    }

    /// Imports files. What becomes of each is told to `observer`, in the order of the files, from the task that
    /// calls this. After `stop`, no file is begun; those that were are finished and kept.
    ///
    /// What is wrong with a file is told and counted, and ends nothing.
    ///
    /// # Errors
    /// A source or a sidecar that was asked for and can't be read, a name that can't be kept, and what the
    /// store or the objects report. What was told of before is kept.
    pub async fn import(
        &self,
        sources: Vec<Source>,
        options: ImportOptions,
        stop: Stop,
        observer: impl FnMut(ImportEvent<'_>) + Send,
    ) -> StudioResult<ImportReport> {
        options.check()?;
        pipeline::run(self, sources, options, stop, observer).await
    }
}
