//! The index of a library: opened, owned or read beside its owner, and kept up with the log of changes.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use atelier_search::{CutOffs, Index, IndexSettings, SearchError};
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::documents;
use super::settings::settings;
use crate::error::{StudioError, StudioResult};
use crate::library::{Embedders, Library, blocking};

/// Changes that are read from the log together.
const PAGE: usize = 500;
/// Changes that are applied before a commit: their vectors wait in memory.
const COMMIT: usize = 5_000;
/// Changes from which on files of the index are merged once they are applied.
const MERGE_FROM: u64 = 2_000;
/// While another process owns the index, how long to wait for it to apply what has changed, and how often to
/// look.
const PATIENCE: Duration = Duration::from_millis(1500);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The search over a library. It opens the index when it is first needed.
pub struct ImageSearch {
    library: Library,
    embedders: Embedders,
    root: PathBuf,
    settings: IndexSettings,
    index: Mutex<Option<OpenIndex>>,
}

/// The index as this process has opened it.
#[derive(Clone)]
pub(super) struct OpenIndex {
    pub(super) index: Arc<Index>,
    owned: bool,
}

impl fmt::Debug for ImageSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageSearch").field("root", &self.root).finish_non_exhaustive()
    }
}

/// The state of the index against the library.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexStatus {
    /// Changes of the library that were applied now.
    pub applied: u64,
    /// Changes that another process, which owns the index, has not applied yet.
    pub behind: u64,
    /// Images in the index.
    pub images: u64,
    /// True if the index had to be built again from the beginning.
    pub rebuilt: bool,
}

impl ImageSearch {
    /// Makes a search over this library, with its index in the folder `search` beside the database. Nothing is opened
    /// yet.
    #[must_use]
    pub fn new(library: Library, embedders: Embedders) -> Self {
        let root = library.store().dir().join("search");
        let settings = settings(&embedders);
        Self { library, embedders, root, settings, index: Mutex::new(None) }
    }

    /// Shows everything that a stage ranks, without cut-offs: for measuring how well it ranks.
    #[must_use]
    pub fn without_cut_offs(mut self) -> Self {
        self.settings.cut_offs = CutOffs::none();
        self
    }

    /// The library that is searched.
    #[must_use]
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The embedders of queries.
    #[must_use]
    pub fn embedders(&self) -> &Embedders {
        &self.embedders
    }

    /// Applies the changes of the library since; `observer` is called with the number that is applied. Where another
    /// process owns the index, that one applies them, and this waits for it a little while.
    ///
    /// # Errors
    /// [`StudioError::Search`] and what the store reports.
    pub async fn catch_up(&self, mut observer: impl FnMut(u64) + Send) -> StudioResult<IndexStatus> {
        self.caught_up(&mut observer).await
    }

    /// One future for all observers, made here: each crate that waits for an `async fn` compiles it once more.
    fn caught_up<'a>(&'a self, observer: &'a mut (dyn FnMut(u64) + Send)) -> BoxFuture<'a, StudioResult<IndexStatus>> {
        Box::pin(async move {
            let opened = self.open().await?;
            if opened.owned {
                self.apply(&opened.index, observer).await
            } else {
                self.wait_for_owner(&opened.index).await
            }
        })
    }

    /// Gives the index up, so that another process may own it.
    pub async fn close(&self) {
        *self.index.lock().await = None;
    }

    /// Opens the index: as its owner if there is no other, and else to read what the owner commits.
    pub(super) async fn open(&self) -> StudioResult<OpenIndex> {
        let mut slot = self.index.lock().await;
        if let Some(opened) = slot.as_ref().filter(|opened| opened.owned) {
            return Ok(opened.clone());
        }
        let until = tokio::time::Instant::now() + PATIENCE;
        let opened = loop {
            let (root, settings) = (self.root.clone(), self.settings.clone());
            match blocking(move || Index::open(root, settings)).await? {
                Ok(index) => break OpenIndex { index: Arc::new(index), owned: true },
                Err(SearchError::Owned { .. }) => {
                    if let Some(opened) = slot.as_ref() {
                        break opened.clone();
                    }
                    let (root, settings) = (self.root.clone(), self.settings.clone());
                    match blocking(move || Index::open_read_only(root, settings)).await? {
                        Ok(index) => break OpenIndex { index: Arc::new(index), owned: false },
                        // The owner has not committed yet.
                        Err(SearchError::NotThere { .. }) if tokio::time::Instant::now() < until => {
                            tokio::time::sleep(LOOK_AGAIN).await;
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        };
        *slot = Some(opened.clone());
        Ok(opened)
    }

    async fn apply(&self, index: &Arc<Index>, observer: &mut (dyn FnMut(u64) + Send)) -> StudioResult<IndexStatus> {
        let mut status = IndexStatus { rebuilt: index.rebuilt().is_some(), ..IndexStatus::default() };
        // Whatever was applied and not committed by someone who was cancelled is committed with the next.
        let (mut up_to, mut waiting) = (index.applied(), 0);
        loop {
            let changes = self.library.store().library_changes(up_to, PAGE).await?;
            let count = changes.len();
            if let Some(last) = changes.last() {
                up_to = last.seq;
                let changes = documents::changes(&self.library, &self.settings, changes).await?;
                let index = Arc::clone(index);
                blocking(move || index.apply(&changes, up_to)).await??;
                waiting += count;
                status.applied += count as u64;
            }
            if waiting > 0 && (waiting >= COMMIT || count < PAGE) {
                let committing = Arc::clone(index);
                blocking(move || committing.commit()).await??;
                waiting = 0;
                observer(status.applied);
            }
            if count < PAGE {
                break;
            }
        }
        if status.applied >= MERGE_FROM {
            let index = Arc::clone(index);
            blocking(move || index.maintain()).await??;
        }
        status.images = index.images() as u64;
        Ok(status)
    }

    async fn wait_for_owner(&self, index: &Arc<Index>) -> StudioResult<IndexStatus> {
        let last = self.library.store().last_library_change().await?;
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let reading = Arc::clone(index);
            blocking(move || reading.refresh()).await??;
            let behind = last.saturating_sub(index.applied());
            if behind == 0 || tokio::time::Instant::now() >= until {
                return Ok(IndexStatus { behind, images: index.images() as u64, ..IndexStatus::default() });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

impl From<SearchError> for StudioError {
    fn from(error: SearchError) -> Self {
        Self::Search(error)
    }
}
