//! The removal of images.

use futures_util::future::try_join_all;

use super::handle::Library;
use crate::error::StudioResult;
use atelier_store::objects::ObjectKey;

/// Images that are removed at the same time, so that they share commits.
const AT_ONCE: usize = 64;

/// Images whose files are deleted under one lock: between two groups, an import may begin.
const GROUP: usize = 200;

impl Library {
    /// Removes images with all that belongs to them, their files too. Nothing is removed if one of them does
    /// not exist.
    ///
    /// # Errors
    /// [`StudioError::NoSuchImage`](crate::StudioError::NoSuchImage), and what the store or the objects report. If the
    /// files can't be deleted now, they are when the next image is removed.
    pub async fn remove(&self, ids: &[String]) -> StudioResult<u64> {
        self.must_exist(ids).await?;
        let mut removed = 0;
        for ids in ids.chunks(AT_ONCE) {
            let gone = try_join_all(ids.iter().map(|id| self.store.remove_image(id))).await?;
            removed += gone.into_iter().map(u64::from).sum::<u64>();
        }
        self.delete_garbage().await?;
        Ok(removed)
    }

    /// Deletes the files of removed images. It waits until nobody imports, and imports wait for it: an import of the
    /// same bytes would write files that are deleted a moment later.
    pub(super) async fn delete_garbage(&self) -> StudioResult<()> {
        loop {
            let _alone = self.store.own_objects().await?;
            let hashes = self.store.garbage(GROUP).await?;
            if hashes.is_empty() {
                return Ok(());
            }
            let keys = hashes.iter().flat_map(|hash| ObjectKey::all_of(hash)).collect();
            self.objects.remove(keys).await?;
            self.store.garbage_deleted(&hashes).await?;
        }
    }
}
