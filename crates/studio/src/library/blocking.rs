//! Work that is bound by the processor, off the threads that wait for others.

use crate::error::{StudioError, StudioResult};

/// Runs work that is bound by the processor on a thread where it does no harm.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> StudioResult<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StudioError::Thread(error.to_string()))
}
