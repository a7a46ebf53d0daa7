//! Running a job, for the first time or again: the same either way.

use std::sync::Arc;

use atelier_engine::{Clock, Engine, Event, Job, JobId, Options, Pool, Report, Stop};
use atelier_store::{JobRecord, Store, StoreError};

use super::harvest::{Harvested, harvest};
use super::submit::task_for;
use crate::error::RepliesError;

/// How a job is run this time.
pub struct Run {
    /// Who answers.
    pub pools: Vec<Pool>,
    /// The most calls at once, the budget, and so on. What the job has cost before is filled in.
    pub options: Options,
    /// What stops it.
    pub stop: Stop,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    /// How this run ended and what it used.
    pub report: Report,
    /// What the job has brought so far, earlier runs included.
    pub harvested: Harvested,
    /// The job as it stands now.
    pub job: JobRecord,
}

/// Runs a job until it is done, or stopped, parked or over its budget; saves the drafts that it brought, and
/// says in the store where it stands. The job is held meanwhile, so that nobody else runs it.
///
/// # Errors
/// The store's `Held` if someone is running it already, and `NoSuchJob`; [`RepliesError::JobSettings`];
/// what the engine and the store report. What was answered until then is in the store all the same, and
/// the next run saves it.
pub async fn run(
    store: &Store,
    clock: Clock,
    job: &JobId,
    run: Run,
    on_event: impl FnMut(Event<'_>) + Send,
) -> Result<Ran, RepliesError> {
    let lease = store.lease(job).await?;
    let record = stored(store, job).await?;
    let engine = Engine::new(store.journal(), clock);
    let options = Options { spent: record.totals.likely_cost(), lease: Some(lease.epoch()), ..run.options };
    let work = Job {
        id: Arc::clone(job),
        task: Arc::new(task_for(&record)?),
        pools: run.pools,
        items: record.counts.pending,
        options,
    };
    let report = engine.run(work, run.stop, on_event).await?;
    // Before the state: a job that is over claims no posts any more, so their answers must be there.
    let harvested = harvest(store, job, clock.now()).await?;
    store.run_ended(job, &report.end, clock.now()).await?;
    lease.release().await?;
    Ok(Ran { report, harvested, job: stored(store, job).await? })
}

async fn stored(store: &Store, job: &JobId) -> Result<JobRecord, RepliesError> {
    Ok(store.job(job).await?.ok_or_else(|| StoreError::NoSuchJob { job: job.to_string() })?)
}
