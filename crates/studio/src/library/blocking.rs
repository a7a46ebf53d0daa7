//! Work that is bound by the processor, off the threads that wait for others.

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

use crate::error::{StudioError, StudioResult};

/// What works on pictures: more of them at a time would only hold more memory. One for the process, because it has one
/// memory and one set of cores.
static PICTURES: LazyLock<Hands> = LazyLock::new(|| Hands::new("picture", yield_to_others));

/// The same for questions to the models and to the index. Apart from the pictures, so that a query never waits for one.
static QUESTIONS: LazyLock<Hands> = LazyLock::new(|| Hands::new("question", || {}));

/// Threads of their own, as many as there are cores. Each thread keeps some of the memory that it has worked in: spread
/// over the many threads that wait for files and databases, that would be hundreds of megabytes.
struct Hands(Option<ThreadPool>);

impl Hands {
    fn new(name: &'static str, begin: fn()) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(move |number| format!("{name}-{number}"));
        let pool = pool.start_handler(move |_| begin());
        // Whoever waits for work that panicked is told so; the thread goes on.
        Self(pool.panic_handler(|_| {}).build().ok())
    }

    /// Runs work in its turn, unless nobody waits for it any more by then.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> StudioResult<T> {
        elsewhere(work, |work| match &self.0 {
            Some(pool) => pool.spawn_fifo(work),
            None => drop(tokio::task::spawn_blocking(work)),
        })
        .await
    }
}

/// How much the threads that call this let others go first: an image takes a fraction of a second of a core, and whoever
/// searches meanwhile would wait for it. Where nobody else wants the core it is as quick as ever.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lets others go first, from now on and on this thread.
pub(crate) fn yield_to_others() {
    // Elsewhere than on Linux it would be the whole process. One that may not is as quick as the others.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICENESS);
}

/// Work of any kind. Threads and tasks are handed no other: what they do with it would be compiled for each kind apart.
type AnyWork = Box<dyn FnOnce() + Send>;

/// Has work done, and waits for what comes of it. It is left where nobody waits for it any more once its turn comes.
async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    hand_over: impl FnOnce(AnyWork),
) -> StudioResult<T> {
    let (sender, receiver) = oneshot::channel();
    hand_over(Box::new(move || {
        if !sender.is_closed() {
            let _ = sender.send(work());
        }
    }));
    receiver.await.map_err(|_| StudioError::Thread("it stopped unexpectedly".to_owned()))
}

/// Runs work that waits for the disk or the network on a thread where it does no harm.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> StudioResult<T> {
    elsewhere(work, |work| drop(tokio::task::spawn_blocking(work))).await
}

/// Runs work that holds whole pictures, in its turn.
pub(crate) async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> StudioResult<T> {
    PICTURES.run(work).await
}

/// Runs what somebody waits for, in its turn: an answer of a local model, or of the index.
pub(crate) async fn asked<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> StudioResult<T> {
    QUESTIONS.run(work).await
}

/// The same where the embedder may be one of a provider, which is told by the number of inputs that it wants together: its
/// callers wait for the network, and hold up no core.
pub(crate) async fn asked_of<T: Send + 'static>(
    batch: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> StudioResult<T> {
    if batch == 1 { asked(work).await } else { blocking(work).await }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_panics_is_an_error_and_what_comes_after_it_runs() {
        let broken: StudioResult<()> = in_turn(|| panic!("on purpose")).await;
        assert_eq!(broken.map_err(|error| error.code()), Err("thread-ended"));
        assert_eq!(in_turn(|| 7).await.ok(), Some(7));
    }
}
