//! The options of an import.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::error::StudioResult;
use crate::library::edit::ImageEdit;
use crate::library::near::MAX_DISTANCE;

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
    pub(super) fn check(&self) -> StudioResult<()> {
        self.as_edit().check()
    }

    /// What an image that was known before is given.
    pub(super) fn as_edit(&self) -> ImageEdit {
        ImageEdit { add_tags: self.tags.clone(), add_collections: self.collections.clone(), ..ImageEdit::default() }
    }
}
