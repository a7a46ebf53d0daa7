//! Work that is bound by the processor, off the threads that wait for others.

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use tokio::sync::Semaphore;

use crate::error::{StudioError, StudioResult};

/// As many as there are cores: more would only hold more pictures in memory. One limit for the process, because it has
/// one memory and one set of cores.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Semaphore::new(cores)
});

/// Runs work that is bound by the processor on a thread where it does no harm.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> StudioResult<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StudioError::Thread(error.to_string()))
}

/// The same for work that holds whole pictures, which waits for its turn.
pub(crate) async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> StudioResult<T> {
    let _turn = TURNS.acquire().await.map_err(|error| StudioError::Thread(error.to_string()))?;
    blocking(work).await
}
