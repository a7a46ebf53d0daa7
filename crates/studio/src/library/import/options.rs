//! Options: collections and tags to give, and the treatment of known images and near duplicates.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::error::StudioResult;
use crate::library::edit::ImageEdit;
use crate::library::near::MAX_DISTANCE;

/// The options of an import.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Collections for all images, including those that were known before.
    pub collections: Vec<String>,
    /// Tags for all images, including those that were known before.
    pub tags: Vec<String>,
    /// The name to record as the uploader of new images.
    pub uploader: Option<String>,
    /// A file of descriptions, in JSON or CSV, whose file names start from the folder that is imported. Files that are
    /// called `images.json` or `images.csv` are found without it.
    pub metadata: Option<PathBuf>,
    /// True if images that are known take over the descriptions of this import.
    pub update: bool,
    /// True if of near duplicates only the largest is stored; what was in the library before stays in any case.
    pub skip_near: bool,
    /// In how many of 64 bits the perceptual hashes of near duplicates may differ, at most [`MAX_DISTANCE`].
    pub near_distance: u32,
    /// The number of threads that read and decode.
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
            skip_near: false,
            near_distance: MAX_DISTANCE,
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        }
    }
}

impl ImportOptions {
    /// Refuses names of collections and tags that can't be kept.
    pub(super) fn check(&self) -> StudioResult<()> {
        self.as_edit().check()
    }

    /// The change to an image that was known before.
    pub(super) fn as_edit(&self) -> ImageEdit {
        ImageEdit { add_tags: self.tags.clone(), add_collections: self.collections.clone(), ..ImageEdit::default() }
    }
}
