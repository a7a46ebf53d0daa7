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
    /// Moves images with all that belongs to them into the trash. Nothing is moved if one of them does not exist.
    ///
    /// # Errors
    /// [`StudioError::NoSuchImage`](crate::StudioError::NoSuchImage), and what the store reports.
    pub async fn remove(&self, ids: &[String]) -> StudioResult<u64> {
        self.must_exist(ids).await?;
        let mut removed = 0;
        for ids in ids.chunks(AT_ONCE) {
            let gone = try_join_all(ids.iter().map(|id| self.store.remove_image(id))).await?;
            removed += gone.into_iter().map(u64::from).sum::<u64>();
        }
        Ok(removed)
    }

    /// Deletes the files of images that are gone for good. It waits until nobody imports, and imports wait for it: an import of the
    /// same bytes would write files that are deleted a moment later.
    pub(crate) async fn delete_garbage(&self) -> StudioResult<()> {
        // Nobody is kept waiting for nothing.
        while !self.store.garbage(1).await?.is_empty() {
            let _alone = self.store.own_objects().await?;
            let hashes = self.store.garbage(GROUP).await?;
            let keys = hashes.iter().flat_map(|hash| ObjectKey::all_of(hash)).collect();
            self.objects.remove(keys).await?;
            self.store.garbage_deleted(&hashes).await?;
        }
        Ok(())
    }
}
