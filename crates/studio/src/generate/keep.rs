//! Pictures are kept before anything is said of them: the journal names a file that is there.

use std::sync::Arc;
use std::time::Duration;

use atelier_engine::{Content, Fault, FaultKind, JobId, Model, Reply, Request};
use atelier_store::objects::ObjectKey;
use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::task::answer_name;
use crate::error::StudioResult;
use crate::library::Library;

/// How often a picture that was paid for is tried to be written where the disk does not take it, and how far apart.
const TRIES: u32 = 15;
const PAUSE: Duration = Duration::from_secs(1);

/// A model whose pictures are written to the object store, and synced, before its answer is given on.
pub(super) struct Keeping {
    pub(super) model: Arc<dyn Model>,
    pub(super) library: Library,
    pub(super) job: JobId,
}

impl Model for Keeping {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Reply, Fault>> {
        Box::pin(async move {
            let reply = self.model.call(request).await?;
            if let Content::Image(image) = &reply.content {
                let usage = Some(reply.usage);
                // One that can't be read was paid for like any other, and is kept as it is.
                self.keep(&answer_name(&self.job, &image.bytes), &image.bytes)
                    .await
                    .map_err(|fault| Fault { usage, ..fault })?;
            }
            Ok(reply)
        })
    }
}

impl Keeping {
    async fn keep(&self, name: &str, bytes: &Bytes) -> Result<(), Fault> {
        let mut tries = 0;
        loop {
            let Some(key) = ObjectKey::answer(name) else {
                return Err(Fault::new(FaultKind::Unreadable, "the picture has no hash"));
            };
            tries += 1;
            match self.put(key, bytes.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) if tries < TRIES => {
                    tracing::warn!(code = error.code(), "a picture that was made can't be kept yet: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    return Err(Fault::new(FaultKind::Unreadable, format!("the picture can't be kept: {error}")));
                }
            }
        }
    }

    /// While it is written nobody deletes objects: whoever does also clears away what is half written.
    async fn put(&self, key: ObjectKey, bytes: Bytes) -> StudioResult<()> {
        let _guard = self.library.store().share_objects().await?;
        Ok(self.library.objects().put(vec![(key, bytes)]).await?)
    }
}
