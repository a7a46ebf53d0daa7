//! The library itself: a store, the objects beside it, and what is read from both.

use std::fmt;
use std::sync::Arc;

use atelier_store::{Cursor, Image, ImageFilter, Store};
use bytes::Bytes;

use crate::error::{StudioError, StudioResult};
use atelier_store::objects::{Folder, ObjectKey, Objects, ThumbnailSize};

/// The library of images. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Library {
    pub(super) store: Store,
    pub(super) objects: Arc<dyn Objects>,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Library {
    /// Opens the library of a store, with its objects in the folder `objects` beside the database.
    ///
    /// # Errors
    /// The store's `object-unusable` if the folder can't be made.
    pub fn open(store: Store) -> StudioResult<Self> {
        let folder = Folder::open(&store.dir().join("objects"))?;
        Ok(Self::on(store, Arc::new(folder)))
    }

    /// Makes the library of a store whose objects are elsewhere.
    pub fn on(store: Store, objects: Arc<dyn Objects>) -> Self {
        Self { store, objects }
    }

    /// The store of everything about images except their files.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The files of images.
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
