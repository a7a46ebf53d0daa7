//! The trash: listed, emptied, restored from.

use atelier_store::{Cursor, TRASH_KEEPS};

use crate::app::App;
use crate::error::AppResult;
use crate::views::{TrashListView, TrashedView};

impl App {
    /// A page of what is in the trash, the latest first. What was kept for as long as anything is goes first.
    ///
    /// # Errors
    /// What the store and the objects report.
    pub async fn trash(&self, after: Option<&Cursor>, limit: usize) -> AppResult<TrashListView> {
        self.empty_old_trash().await?;
        let entries = self.store()?.trash(after, limit).await?;
        let next = entries.last().filter(|_| entries.len() == limit).map(|entry| entry.cursor().to_string());
        Ok(TrashListView { trash: entries.into_iter().map(TrashedView::from).collect(), next })
    }

    /// Puts back what was deleted. Images are found again at once.
    ///
    /// # Errors
    /// `not-in-trash`, `not-restorable`; what the store and the search report.
    pub async fn restore(&self, ids: &[String]) -> AppResult<Vec<TrashedView>> {
        let (mut restored, mut failed) = (Vec::with_capacity(ids.len()), None);
        for id in ids {
            match self.store()?.restore(id).await {
                Ok(entry) => restored.push(TrashedView::from(entry)),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        if restored.iter().any(|one| matches!(one.kind, "image" | "collection")) {
            self.index_changes().await?;
        }
        failed.map_or(Ok(restored), |error| Err(error.into()))
    }

    /// Forgets everything in the trash for good, files too; how many deletions.
    ///
    /// # Errors
    /// What the store and the objects report.
    pub async fn empty_trash(&self) -> AppResult<u64> {
        Ok(self.studio()?.empty_trash(None).await?)
    }

    /// Forgets what was kept for as long as anything is.
    ///
    /// # Errors
    /// What the store and the objects report.
    pub async fn empty_old_trash(&self) -> AppResult<u64> {
        let before = self.clock().now().before(TRASH_KEEPS);
        Ok(self.studio()?.empty_trash(Some(before)).await?)
    }
}
