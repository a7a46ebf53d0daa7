//! Where runs begin.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::Run;
use super::pool::PoolState;
use crate::job::{EngineError, Event, Job, Report, Stop};
use crate::journal::Journal;
use crate::pools::{Pools, keep_raised};
use crate::time::{Clock, Timestamp};

/// The engine's clock is set by the journal's where they are further apart than a look at it can tell.
const APART: Duration = Duration::from_millis(20);

/// Runs jobs against a journal. Clones share what they know of pools: a process has one engine for its store.
#[derive(Clone)]
pub struct Engine {
    pub(super) journal: Arc<dyn Journal>,
    /// The clock as it was given, and as it was last set by the journal's.
    pub(super) clock: Clock,
    aligned: Arc<Mutex<Clock>>,
    pools: Arc<Pools>,
}

impl Engine {
    /// An engine that remembers in `journal` and reads `clock`.
    pub fn new(journal: Arc<dyn Journal>, clock: Clock) -> Self {
        Self { journal, clock, aligned: Arc::new(Mutex::new(clock)), pools: Arc::default() }
    }

    /// Runs a job until every item has an outcome, or until it is stopped, parked, given up or over its budget.
    /// Items without outcome stay in the journal: running the job again goes on where this run ended.
    ///
    /// # Errors
    /// [`EngineError`] if the job can't begin, or if the journal can't be read or written.
    pub async fn run(
        &self,
        job: Job,
        stop: Stop,
        mut on_event: impl FnMut(Event<'_>) + Send,
    ) -> Result<Report, EngineError> {
        self.run_reporting(job, stop, &mut on_event).await
    }

    /// A future that is made here: each crate that waits for an `async fn` compiles it once more, with all that it waits
    /// for itself.
    fn run_reporting<'a>(
        &'a self,
        job: Job,
        stop: Stop,
        on_event: &'a mut (dyn FnMut(Event<'_>) + Send),
    ) -> BoxFuture<'a, Result<Report, EngineError>> {
        Box::pin(self.drive(job, stop, on_event))
    }

    async fn drive(
        &self,
        job: Job,
        stop: Stop,
        on_event: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<Report, EngineError> {
        let clock = self.time().await?;
        for pool in &job.pools {
            // What can't be written down is tried out all the same.
            if let Err(error) = keep_raised(&pool.id, &*self.journal, clock.now()).await {
                tracing::warn!(code = error.code, "a learnt limit could not be raised: {error}");
            }
        }
        let pools = self.open(&job, clock.now()).await?;
        Run::new(self, clock, job, pools, on_event).drive(stop).await
    }

    /// A clock that reads the journal's time: what processes write for each other is stamped with that.
    pub(super) async fn time(&self) -> Result<Clock, EngineError> {
        let asked = self.clock.now();
        let told = self.journal.time().await?;
        let mut aligned = self.aligned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = told {
            let middle = asked.after(self.clock.now().since(asked) / 2);
            let expected = aligned.now().before(self.clock.now().since(middle));
            let unsure = APART + self.clock.now().since(asked) / 2;
            if expected.since(told).max(told.since(expected)) > unsure {
                *aligned = Clock::starting_at(told.after(self.clock.now().since(middle)));
            }
        }
        Ok(*aligned)
    }

    pub(super) async fn open(&self, job: &Job, now: Timestamp) -> Result<Vec<PoolState>, EngineError> {
        if job.pools.is_empty() {
            return Err(EngineError::NoPool);
        }
        if let Some(pool) = job.pools.iter().find(|pool| job.options.max_cost.is_some() && pool.price.is_none()) {
            return Err(EngineError::PriceUnknown(Arc::clone(&pool.serves)));
        }
        let joined = self.pools.join(&job.pools, &*self.journal, now).await?;
        Ok(job.pools.iter().cloned().zip(joined).map(|(pool, place)| PoolState::new(pool, place)).collect())
    }
}
