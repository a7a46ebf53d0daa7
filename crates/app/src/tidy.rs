//! What is forgotten once nobody can need it.

use std::time::Duration;

use atelier_store::objects::ObjectKey;

use crate::app::App;
use crate::error::AppResult;
use crate::files::tidy_outgoing;

impl App {
    /// Forgets sessions, tokens and links that have ended, requests and uploads that are older than this, what lay in the
    /// trash for its time, and providers' keys that were written for another address.
    ///
    /// # Errors
    /// What the store and the objects report.
    pub async fn tidy(&self, requests: Duration, uploads: Duration) -> AppResult<()> {
        let (store, now) = (self.store()?, self.clock().now());
        store.forget_ended(now, now.before(requests)).await?;
        let gone = store.forget_uploads(now.before(uploads)).await?;
        if !gone.is_empty() {
            let _alone = store.own_objects().await?;
            let keys = gone.iter().filter_map(|hash| ObjectKey::upload(hash)).collect();
            self.library()?.objects().remove(keys).await?;
        }
        tidy_outgoing(self.data_dir(), uploads);
        self.empty_old_trash().await?;
        self.forget_moved_keys().await?;
        Ok(())
    }
}
