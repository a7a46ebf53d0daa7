//! The library of images: how they come in, what is kept of them, how they change and leave.
//!
//! - [`decode`] reads a file of any format into a picture, and refuses what would do harm.
//! - [`mod@derive`] works out what is kept beside it: thumbnails, colours, a perceptual hash.
//! - [`import`] takes folders and files in, resumably.
//! - [`Library`] lists, changes, exports and removes images. Those who index images read the store's log of
//!   changes, in which every one of these leaves its mark.

pub mod decode;
pub mod derive;
mod edit;
mod embed;
pub(crate) mod export;
pub mod import;
pub mod metadata;
mod near;
mod remote;
mod remove;
mod sidecar;
mod words;

use std::fmt;
use std::sync::Arc;

use atelier_embed::{LookEmbedder, TextEmbedder};
use atelier_store::{Cursor, Image, ImageFilter, Store};
use bytes::Bytes;

use crate::error::{StudioError, StudioResult};
use crate::objects::{Folder, ObjectKey, Objects, ThumbnailSize};
pub use edit::ImageEdit;
use embed::look_vectors;
pub(crate) use embed::picture_of;
pub use embed::{EmbedProgress, Embedded, Embedding, Lacking, Missing};
pub use export::{ExportReport, ExportSelection, ExportTarget};
pub use near::MAX_DISTANCE;
pub use remote::RemoteEmbedder;
pub use sidecar::{BadDescription, Description};
pub use words::{text_hash, words};

/// The library of images. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Library {
    store: Store,
    objects: Arc<dyn Objects>,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").field("store", &self.store).finish_non_exhaustive()
    }
}

/// What turns images into vectors. What is not given is made later: see [`Library::embedding`].
#[derive(Clone, Default)]
pub struct Embedders {
    /// For the words of images.
    pub text: Option<Arc<dyn TextEmbedder>>,
    /// For their look. Give it as many threads as there are processors.
    pub look: Option<Arc<dyn LookEmbedder>>,
}

impl Embedders {
    /// Those that embed an image as it comes in; the others want many at a time.
    pub(crate) fn at_once(self) -> Self {
        Self {
            text: self.text.filter(|embedder| embedder.batch() == 1),
            look: self.look.filter(|embedder| embedder.batch() == 1),
        }
    }
}

impl fmt::Debug for Embedders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedders")
            .field("text", &self.text.as_ref().map(|embedder| embedder.id()))
            .field("look", &self.look.as_ref().map(|embedder| embedder.id()))
            .finish()
    }
}

impl Library {
    /// The library of this store, its objects in the folder `objects` beside the database.
    ///
    /// # Errors
    /// [`StudioError::Object`] if the folder can't be made.
    pub fn open(store: Store) -> StudioResult<Self> {
        let folder = Folder::open(&store.dir().join("objects"))?;
        Ok(Self::on(store, Arc::new(folder)))
    }

    /// The library of this store, with its objects elsewhere.
    pub fn on(store: Store, objects: Arc<dyn Objects>) -> Self {
        Self { store, objects }
    }

    /// Where what is known of images is kept.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where their files are kept.
    #[must_use]
    pub fn objects(&self) -> &Arc<dyn Objects> {
        &self.objects
    }

    /// A page of the images that pass the filter, the newest first. The next page starts after the
    /// [`cursor`](Image::cursor) of the last.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn list(&self, filter: &ImageFilter, after: Option<&Cursor>, limit: usize) -> StudioResult<Vec<Image>> {
        Ok(self.store.images(filter, after, limit).await?)
    }

    /// The image of this id.
    ///
    /// # Errors
    /// [`StudioError::NoSuchImage`], and what the store reports.
    pub async fn show(&self, id: &str) -> StudioResult<Image> {
        self.store.image(id).await?.ok_or_else(|| StudioError::NoSuchImage(id.to_owned()))
    }

    /// The file of an image, as it came in.
    ///
    /// # Errors
    /// [`StudioError::NoSuchImage`] if the file is gone; what the objects report.
    pub async fn original(&self, image: &Image) -> StudioResult<Bytes> {
        self.object(image, ObjectKey::original(&image.hash)).await
    }

    /// A thumbnail of an image, in WebP.
    ///
    /// # Errors
    /// [`StudioError::NoSuchImage`] if the file is gone; what the objects report.
    pub async fn thumbnail(&self, image: &Image, size: ThumbnailSize) -> StudioResult<Bytes> {
        self.object(image, ObjectKey::thumbnail(&image.hash, size)).await
    }

    async fn object(&self, image: &Image, key: Option<ObjectKey>) -> StudioResult<Bytes> {
        let content = match &key {
            Some(key) => self.objects.get(key).await?,
            None => None,
        };
        content.ok_or_else(|| StudioError::NoSuchImage(image.id.clone()))
    }
}

/// Runs work that is bound by the processor on a thread where it does no harm.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> StudioResult<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StudioError::Thread(error.to_string()))
}
