//! The threads that a model runs on.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rten::ThreadPool;

use crate::EmbedError;

/// Threads for a model, each working on one item at a time. However many callers there are, no more than
/// these are busy, and the number of them touches no result: an item runs on one thread from end to end.
pub(crate) struct Workers {
    threads: Box<[Arc<ThreadPool>]>,
    next: AtomicUsize,
}

impl Workers {
    pub(crate) fn new(threads: NonZeroUsize) -> Self {
        let threads = (0..threads.get()).map(|_| Arc::new(ThreadPool::with_num_threads(1))).collect();
        Self { threads, next: AtomicUsize::new(0) }
    }

    /// Applies `work` to each item; results are in the order of the items. The first items are begun first.
    pub(crate) fn map<T: Send, R: Send>(
        &self,
        items: Vec<T>,
        work: impl Fn(T, &Arc<ThreadPool>) -> Result<R, EmbedError> + Sync,
    ) -> Result<Vec<R>, EmbedError> {
        let workers = self.threads.len().min(items.len());
        let first = self.turn();
        let queue = Mutex::new(items.into_iter().enumerate());
        let run = |worker: usize| -> Result<Vec<(usize, R)>, EmbedError> {
            let thread = &self.threads[(first + worker) % self.threads.len()];
            let mut done = Vec::new();
            while let Some((place, item)) = next(&queue) {
                done.push((place, work(item, thread)?));
            }
            Ok(done)
        };
        let mut done = if workers < 2 {
            run(0)?
        } else {
            let run = &run;
            let parts = thread::scope(|scope| {
                let handles: Vec<_> = (0..workers).map(|worker| scope.spawn(move || run(worker))).collect();
                // All are joined before any error is looked at: one left behind would carry its panic out.
                handles.into_iter().map(join).collect::<Vec<_>>()
            });
            let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
            parts.into_iter().flatten().collect()
        };
        done.sort_unstable_by_key(|(place, _)| *place);
        Ok(done.into_iter().map(|(_, result)| result).collect())
    }

    /// The thread whose turn it is, so that callers at the same time do not queue for one.
    fn turn(&self) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed) % self.threads.len()
    }
}

/// Takes the next item off the queue; the lock is held no longer than that.
fn next<T>(queue: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).next()
}

/// A worker's result. A worker that panicked is an error of the model's, not the end of the program.
fn join<T>(handle: thread::ScopedJoinHandle<'_, Result<T, EmbedError>>) -> Result<T, EmbedError> {
    handle.join().unwrap_or_else(|_| Err(EmbedError::Inference("it stopped unexpectedly".to_owned())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn workers(threads: usize) -> Workers {
        Workers::new(NonZeroUsize::new(threads).unwrap())
    }

    #[test]
    fn threads_take_turns() {
        let workers = workers(3);
        assert_eq!([(); 4].map(|()| workers.turn()), [0, 1, 2, 0]);
    }

    #[test]
    fn results_come_in_the_order_of_the_items_however_many_threads_there_are() {
        for threads in [1, 2, 5] {
            let squares = workers(threads).map((0..40_u64).collect(), |n, _| Ok(n * n)).unwrap();
            assert!(squares.into_iter().eq((0..40).map(|n| n * n)), "{threads}");
        }
        assert!(workers(2).map(Vec::<u8>::new(), |n, _| Ok(n)).unwrap().is_empty());
    }

    #[test]
    fn an_error_or_a_panic_of_one_worker_is_the_error_of_the_call() {
        let workers = workers(2);
        let refused = workers.map(vec![1, 2, 3], |n, _| if n == 2 { Err(EmbedError::EmptyVector) } else { Ok(n) });
        assert_eq!(refused.unwrap_err().code(), "vector-empty");
        let panicked = workers.map(vec![1, 2, 3], |n, _| if n == 2 { panic!("on purpose") } else { Ok(n) });
        assert_eq!(panicked.unwrap_err().code(), "inference-failed");
    }
}
