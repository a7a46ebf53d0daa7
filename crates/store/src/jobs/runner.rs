//! Jobs that are part of a larger work, and whose answers it waits for: made, run and read back in one go.

use std::sync::Arc;

use atelier_engine::{Clock, Engine, EngineError, Job, JobId, Options, Pool, RunEnd, Stop, Task, Verdict};

use super::records::{JobState, NewJob};
use crate::error::{StoreError, StoreResult};
use crate::hold::Hold;
use crate::store::Store;

/// Runs jobs to their end and brings their answers.
#[derive(Clone)]
pub struct JobRunner {
    /// Where the jobs and their outcomes are kept.
    pub store: Store,
    /// What runs them.
    pub engine: Engine,
    /// The clock that the engine reads.
    pub clock: Clock,
    /// Who answers.
    pub pools: Vec<Pool>,
    /// How they are run.
    pub options: Options,
    /// What stops them.
    pub stop: Stop,
}

impl std::fmt::Debug for JobRunner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobRunner").field("options", &self.options).finish_non_exhaustive()
    }
}

/// What came of a job.
#[derive(Clone, Debug)]
pub struct Answers {
    /// How each item ended, in the order of the items; nothing for those that have no outcome yet.
    pub verdicts: Vec<Option<Verdict>>,
    /// How the run ended.
    pub end: Result<RunEnd, EngineError>,
}

impl Answers {
    /// What an item was answered with, in the order of the items.
    pub fn results(&self) -> impl Iterator<Item = Option<&str>> {
        self.verdicts.iter().map(|verdict| match verdict {
            Some(Verdict::Done { result }) => Some(&**result),
            _ => None,
        })
    }

    /// The first reason why an item was not answered although the job is done.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.verdicts.iter().find_map(|verdict| match verdict {
            Some(Verdict::Blocked { reason }) => Some(reason.as_str()),
            Some(Verdict::Failed { message, .. }) => Some(message.as_str()),
            _ => None,
        })
    }

    /// Why the run ended before the job was done: a stable name, and the reason in words.
    #[must_use]
    pub fn stopped(&self) -> Option<(&'static str, String)> {
        match &self.end {
            Ok(RunEnd::Done) => None,
            Ok(RunEnd::Parked { until, .. }) => {
                Some(("parked", format!("the model's limit for the day is used up until {until}")))
            }
            Ok(RunEnd::OverBudget) => Some(("over-budget", "the maximum cost is reached".to_owned())),
            Ok(RunEnd::Interrupted) => Some(("interrupted", "it was interrupted".to_owned())),
            Ok(RunEnd::Closed(fault)) => Some((fault.kind.code(), fault.message.clone())),
            Err(error) => Some((error.code(), error.to_string())),
        }
    }
}

/// A job that was run, held until it is said how it stands.
#[derive(Debug)]
pub struct Ran<'a> {
    /// What came of it.
    pub answers: Answers,
    job: JobId,
    runner: &'a JobRunner,
    _hold: Hold,
}

impl Ran<'_> {
    /// Says in the store where the job stands now.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn ended(self) -> StoreResult<Answers> {
        let JobRunner { store, clock, .. } = self.runner;
        match &self.answers.end {
            Ok(end) => store.run_ended(&self.job, end, clock.now()).await?,
            Err(error) => {
                let note = Some(error.to_string());
                store.set_job_state(&self.job, JobState::Stopped, note, None, clock.now()).await?;
            }
        }
        Ok(self.answers)
    }
}

impl JobRunner {
    /// Runs a job. One of the same id that was cut off goes on: what was answered then is not paid for again, and
    /// what failed is tried again. So an id that is made of what is asked makes the work resumable.
    ///
    /// # Errors
    /// [`StoreError::Held`](crate::StoreError) if another process is at it; what the store reports.
    pub async fn run(&self, job: NewJob, task: Arc<dyn Task>) -> StoreResult<Answers> {
        self.answers(job, task).await?.ended().await
    }

    /// The same, but that the job is not said to have ended until [`Ran::ended`]: a process that dies before leaves
    /// it open, and another finds it among the [`unfinished`](Store::unfinished_jobs).
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn answers(&self, job: NewJob, task: Arc<dyn Task>) -> StoreResult<Ran<'_>> {
        let (id, items) = (Arc::clone(&job.id), job.items.len());
        let hold = self.store.hold(&id)?;
        let open = match self.store.create_job(job).await {
            Ok(()) => items as u64,
            Err(StoreError::JobExists { .. }) => {
                self.store.reopen(&id, &["failed"], self.clock.now()).await?;
                self.store.job(&id).await?.map_or(0, |job| job.counts.pending)
            }
            Err(error) => return Err(error),
        };
        let end = if open == 0 {
            Ok(RunEnd::Done)
        } else {
            let (pools, options) = (self.pools.clone(), self.options.clone());
            let job = Job { id: Arc::clone(&id), task, pools, items: open, options };
            self.engine.run(job, self.stop.clone(), |_| {}).await.map(|report| report.end)
        };
        let answers = Answers { verdicts: self.verdicts(&id, items).await?, end };
        Ok(Ran { answers, job: id, runner: self, _hold: hold })
    }

    async fn verdicts(&self, id: &str, items: usize) -> StoreResult<Vec<Option<Verdict>>> {
        let mut verdicts = vec![None; items];
        for outcome in self.store.all_outcomes(id).await? {
            if let Some(place) = usize::try_from(outcome.seq).ok().and_then(|seq| verdicts.get_mut(seq)) {
                *place = Some(outcome.verdict);
            }
        }
        Ok(verdicts)
    }
}
