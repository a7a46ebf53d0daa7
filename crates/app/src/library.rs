//! The library, as one is asked for it: imported, listed, given the vectors that it lacks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use atelier_embed::{EmbedError, NoAnswer};
use atelier_engine::{Stop, StopHandle};
use atelier_store::{Cursor, Holder, Image, ImageFilter, StoreError};
use atelier_studio::StudioError;
use atelier_studio::library::decode::{DecodeLimits, PictureReader};
use atelier_studio::library::import::{FileOutcome, ImportEvent, ImportOptions, ImportReport, ImportSource, Importer};
use atelier_studio::library::{EmbedProgress, Embedded, Embedders, EmbeddingRight, ImageEdit, Library, Missing};
use atelier_studio::search::ImageSearch;
use bytes::Bytes;

use crate::app::App;
use crate::embedders::{self, threads};
use crate::error::{AppError, AppResult, class_of, excerpt};
use crate::views::{DuplicateView, DuplicatesView, ImageListView, ImageView, NamedCountView};

/// How often what was imported is made known to the search.
const INDEX_EVERY: Duration = Duration::from_millis(500);
/// How often it is looked whether another process that makes vectors is done.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Names that are fetched together.
const PAGE: usize = 500;

/// What an import did.
#[derive(Clone, Debug)]
pub struct LibraryImport {
    /// The import itself.
    pub report: ImportReport,
    /// Vectors that were made afterwards: of words that were edited, of images that came in without an embedder.
    pub embedded: Embedded,
    /// Why the search does not know of the images yet, if it doesn't. The library has them; the index is a cache.
    pub not_indexed: Option<AppError>,
}

/// What became of a file that was imported by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedImage {
    /// `imported`, `known`, or `near` if it is in now and is like another.
    pub outcome: &'static str,
    /// The image.
    pub image: String,
    /// The image that it is like.
    pub like: Option<String>,
}

/// Which vectors are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbedScope {
    /// All that are missing. If somebody is making vectors already, that is waited for.
    All,
    /// Those that nobody has tried to make, and only if nobody is at it.
    Untried,
}

/// What happens while vectors are made.
#[derive(Clone, Debug)]
pub enum EmbedEvent {
    /// Somebody makes vectors already. That is waited for, or left to them.
    Busy(Option<Holder>),
    /// The work is ours, and begins.
    Began,
    /// So far it is.
    Progress(EmbedProgress),
}

/// Vectors that were made, and forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LibraryEmbedded {
    /// What was made.
    pub made: Embedded,
    /// Vectors of other embedders that were forgotten.
    pub pruned: u64,
}

/// A file that a user names, of a size that a picture may have.
///
/// # Errors
/// `source-unreadable`.
pub fn picture_file(path: &Path) -> AppResult<Bytes> {
    let unreadable = |reason: String| {
        let shown = excerpt(&path.display().to_string(), 100);
        AppError::new(code!("source-unreadable"), format!("{shown} can't be read: {reason}"))
            .hint("check that the path is right and that your user may read it")
    };
    let size = path.metadata().map_err(|error| unreadable(error.to_string()))?.len();
    if size > DecodeLimits::default().max_bytes {
        return Err(unreadable(format!("it has {size} bytes")));
    }
    Ok(std::fs::read(path).map_err(|error| unreadable(error.to_string()))?.into())
}

impl App {
    /// Imports folders and files; what comes in is found while the import goes on.
    ///
    /// # Errors
    /// What the configuration, the import and the store report. What was imported before is kept, and found.
    pub async fn import_images(
        &self,
        sources: Vec<ImportSource>,
        options: ImportOptions,
        stop: &Stop,
        on_import: impl FnMut(ImportEvent<'_>) + Send,
        on_embed: impl FnMut(EmbedEvent) + Send,
    ) -> AppResult<LibraryImport> {
        let library = self.library()?;
        let embedders = embedders::of_images(self, stop).await?;
        let importer = Importer::new(library.clone(), embedders.clone(), DecodeLimits::default(), self.clock());
        let follower = Follower::start(self.image_search().await?);
        let report = match importer.import(sources, options, stop.clone(), on_import).await {
            Ok(report) => report,
            Err(error) => {
                // The import's error is the one to tell of.
                let _ = follower.finish().await;
                return Err(error.into());
            }
        };
        let made = self.make_vectors(&library, &embedders, EmbedScope::Untried, stop, on_embed).await?;
        let embedded = made.unwrap_or_default();
        Ok(LibraryImport { report, embedded, not_indexed: follower.finish().await.err() })
    }

    /// Imports one file that somebody sent.
    ///
    /// # Errors
    /// Why it can't be imported, by the codes of pictures; what the import and the store report.
    pub async fn import_one(
        &self,
        file: ImportSource,
        options: ImportOptions,
        stop: &Stop,
    ) -> AppResult<ImportedImage> {
        let mut came = None;
        let imported = self.import_images(
            vec![file],
            options,
            stop,
            |event| {
                if let ImportEvent::File { outcome, .. } = event {
                    came = Some(outcome.clone());
                }
            },
            |_| {},
        );
        imported.await?;
        let image = |outcome, image, like| Ok(ImportedImage { outcome, image, like });
        match came {
            Some(FileOutcome::Imported { image: id }) => image("imported", id, None),
            Some(FileOutcome::Known { image: id } | FileOutcome::Duplicate { of: id }) => image("known", id, None),
            Some(FileOutcome::Near { of, kept: Some(kept), .. }) => image("near", kept, Some(of)),
            Some(FileOutcome::Near { of, kept: None, .. }) => image("known", of, None),
            Some(FileOutcome::Refused(refusal)) => {
                // A code that is not in the table would say nothing of what to do.
                let code = if class_of(refusal.code).is_some() { refusal.code } else { code!("picture-invalid") };
                Err(AppError::new(code, refusal.reason))
            }
            Some(FileOutcome::Ignored) => {
                Err(AppError::new(code!("picture-unknown"), "this is no picture that can be read"))
            }
            None => Err(AppError::new(code!("interrupted"), "the import was stopped before the file's turn")),
        }
    }

    /// Moves images into the trash; how many. Nothing is moved if one of them does not exist.
    ///
    /// # Errors
    /// `no-such-image`; what the store and the search report.
    pub async fn remove_images(&self, ids: &[String]) -> AppResult<u64> {
        let removed = self.library()?.remove(ids).await?;
        self.index_changes().await?;
        self.empty_old_trash().await?;
        Ok(removed)
    }

    /// The groups of images that show nearly the same.
    ///
    /// # Errors
    /// What the store and the objects report.
    pub async fn duplicates(&self) -> AppResult<DuplicatesView> {
        let groups = self.library()?.duplicates().await?;
        let view = |group: Vec<Image>| group.into_iter().map(DuplicateView::from).collect();
        Ok(DuplicatesView { groups: groups.into_iter().map(view).collect() })
    }

    /// Moves all but the largest image of the groups that these are in into the trash; which went.
    ///
    /// # Errors
    /// `no-duplicates` for an image that is in no group; what the store and the search report.
    pub async fn keep_largest(&self, ids: &[String]) -> AppResult<Vec<String>> {
        let library = self.library()?;
        let gone = library.keep_largest(ids, self.clock().now()).await?;
        self.index_changes().await?;
        Ok(gone)
    }

    /// Notes that all images of the groups that these are in are wanted; how many.
    ///
    /// # Errors
    /// `no-duplicates` for an image that is in no group; what the store reports.
    pub async fn keep_both(&self, ids: &[String]) -> AppResult<u64> {
        Ok(self.library()?.keep_both(ids).await?)
    }

    /// Makes vectors that images lack; `None` if somebody else makes them, or it was stopped before it began. With
    /// `prune`, the vectors of other embedders are forgotten once all are made.
    ///
    /// # Errors
    /// What the configuration, the embedders and the store report; what was made is kept.
    pub async fn embed_library(
        &self,
        scope: EmbedScope,
        prune: bool,
        stop: &Stop,
        on_event: impl FnMut(EmbedEvent) + Send,
    ) -> AppResult<Option<LibraryEmbedded>> {
        let library = self.library()?;
        let embedders = embedders::of_images(self, stop).await?;
        let Some(made) = self.make_vectors(&library, &embedders, scope, stop, on_event).await? else { return Ok(None) };
        let pruned =
            if prune && !made.stopped { library.embedding(embedders.clone()).await?.prune().await? } else { 0 };
        self.image_search().await?.catch_up(|_| {}).await?;
        Ok(Some(LibraryEmbedded { made, pruned }))
    }

    async fn make_vectors(
        &self,
        library: &Library,
        embedders: &Embedders,
        scope: EmbedScope,
        stop: &Stop,
        mut on_event: impl FnMut(EmbedEvent) + Send,
    ) -> AppResult<Option<Embedded>> {
        let mut told = false;
        let embedding = loop {
            let by = match take(library, embedders).await? {
                Ok(embedding) => break embedding,
                Err(by) => by,
            };
            if !std::mem::replace(&mut told, true) {
                on_event(EmbedEvent::Busy(by));
            }
            if scope == EmbedScope::Untried || stop.is_requested() {
                return Ok(None);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        };
        on_event(EmbedEvent::Began);
        let which = if scope == EmbedScope::Untried { Missing::New } else { Missing::All };
        let reader = PictureReader::new(DecodeLimits::default());
        let progress = |progress| on_event(EmbedEvent::Progress(progress));
        match embedding.run(which, &reader, threads(), stop, progress).await {
            Err(StudioError::Embed(EmbedError::Remote { cause: NoAnswer::Interrupted, .. })) if stop.is_requested() => {
                Ok(Some(Embedded { stopped: true, ..Embedded::default() }))
            }
            made => Ok(Some(made?)),
        }
    }

    /// A page of the library, the newest first.
    ///
    /// # Errors
    /// `no-such-collection`; what the store reports.
    pub async fn images(&self, filter: &ImageFilter, after: Option<&Cursor>, limit: usize) -> AppResult<ImageListView> {
        self.check_collections(&filter.collections).await?;
        let library = self.library()?;
        let page = library.list(filter, after, limit).await?;
        let next = page.last().filter(|_| page.len() == limit).map(|image| image.cursor().to_string());
        let total = library.store().image_count(filter).await?;
        Ok(ImageListView { total, images: page.iter().map(ImageView::from).collect(), next })
    }

    /// An image of the library.
    ///
    /// # Errors
    /// `no-such-image`; what the store reports.
    pub async fn image(&self, id: &str) -> AppResult<ImageView> {
        Ok(ImageView::from(&self.library()?.show(id).await?))
    }

    /// Changes what is said of images; of how many. Nothing changes if one of them does not exist.
    ///
    /// # Errors
    /// `no-such-image`; what is wrong with the change; what the store reports.
    pub async fn edit_images(&self, ids: &[String], edit: &ImageEdit) -> AppResult<u64> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let text = embedders::of_words(self).await?;
        let changed = self.library()?.edit_all(&ids, edit, text.as_ref(), self.clock().now()).await?;
        if self.shared().search.get().is_some() {
            self.index_changes().await?;
        }
        Ok(changed.len() as u64)
    }

    /// All collections, by name.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn collections(&self) -> AppResult<Vec<NamedCountView>> {
        let library = &self.library()?;
        all(|after| async move {
            let page = library.collections(after.as_deref(), PAGE).await?;
            Ok(page.into_iter().map(|one| NamedCountView { name: one.name, images: one.images }).collect())
        })
        .await
    }

    /// All tags, by name.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn tags(&self) -> AppResult<Vec<NamedCountView>> {
        let library = &self.library()?;
        all(|after| async move {
            let page = library.tags(after.as_deref(), PAGE).await?;
            Ok(page.into_iter().map(|one| NamedCountView { name: one.tag, images: one.images }).collect())
        })
        .await
    }

    /// An error if one of these collections does not exist.
    ///
    /// # Errors
    /// `no-such-collection`; what the store reports.
    pub async fn check_collections(&self, names: &[String]) -> AppResult<()> {
        if names.is_empty() {
            return Ok(());
        }
        let known = self.collections().await?;
        match names.iter().find(|name| !known.iter().any(|one| one.name == **name)) {
            Some(name) => Err(StudioError::NoSuchCollection(name.clone()).into()),
            None => Ok(()),
        }
    }
}

/// The right to make vectors, or who has it.
async fn take(library: &Library, embedders: &Embedders) -> AppResult<Result<EmbeddingRight, Option<Holder>>> {
    match library.embedding(embedders.clone()).await {
        Ok(embedding) => Ok(Ok(embedding)),
        Err(StudioError::Store(StoreError::Leased { by, .. })) => Ok(Err(by)),
        Err(error) => Err(error.into()),
    }
}

/// All pages of names, each of which begins after the last name of the one before.
async fn all<F>(page: impl Fn(Option<String>) -> F) -> AppResult<Vec<NamedCountView>>
where
    F: Future<Output = AppResult<Vec<NamedCountView>>>,
{
    let mut all: Vec<NamedCountView> = Vec::new();
    loop {
        let next = page(all.last().map(|one| one.name.clone())).await?;
        let last = next.len() < PAGE;
        all.extend(next);
        if last {
            return Ok(all);
        }
    }
}

/// Makes known to the search what is imported, while it is.
struct Follower {
    over: StopHandle,
    task: tokio::task::JoinHandle<Arc<ImageSearch>>,
}

impl Follower {
    fn start(search: Arc<ImageSearch>) -> Self {
        let (over, ending) = StopHandle::new();
        let task = tokio::spawn(async move {
            while tokio::time::timeout(INDEX_EVERY, ending.clone().wait()).await.is_err() {
                if let Err(error) = search.catch_up(|_| {}).await {
                    tracing::debug!(code = error.code(), "the index did not follow the import: {error}");
                }
            }
            search
        });
        Self { over, task }
    }

    /// Applies what is left.
    async fn finish(self) -> AppResult<()> {
        self.over.stop();
        let search = self.task.await.map_err(|error| AppError::new(code!("thread-ended"), error.to_string()))?;
        search.catch_up(|_| {}).await?;
        Ok(())
    }
}
