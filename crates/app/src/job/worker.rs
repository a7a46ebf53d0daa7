//! The one worker: it works on any job of any kind.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atelier_engine::{
    Engine, EngineError, Epoch, Event, Job, JobId, Options, Outcome, Report, RunEnd, Stop, StopHandle,
};
use atelier_store::{JobRecord, JobState, OutcomeRecord, Store};
use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use super::kind::{Applied, AtHand, JobKind, Purpose};
use super::settings::{models_of, run_of, with_run};
use crate::app::App;
use crate::error::{AppError, AppResult};
use crate::kinds;
use crate::pools::Pools;
use crate::run::RunChange;

/// Outcomes are gathered for so long before they are applied: one commit, and one look at the store, for many.
const GATHER: Duration = Duration::from_millis(20);
/// Outcomes whose content waits to be applied. Of those beyond, it is read from the store again: a job of a million
/// items holds a window of them.
const AT_HAND: usize = 4096;
/// Outcomes are caught up with in pages of this size.
const PAGE: usize = 500;

/// What happens while a job is worked on.
#[derive(Debug)]
pub enum WorkEvent<'a> {
    /// The job is ours, and is about to be worked on.
    Began {
        /// The job.
        job: &'a JobRecord,
        /// Items whose calls were in flight when somebody before was cut off: they may be paid for twice.
        twice: &'a [String],
    },
    /// What the engine reports.
    Engine(&'a Event<'a>),
    /// What came of an outcome.
    Applied(&'a Applied),
}

/// A job after somebody worked on it.
#[derive(Clone, Debug)]
pub struct Worked {
    /// The job as it stands.
    pub job: JobRecord,
    /// How this run of it ended.
    pub end: RunEnd,
}

impl Worked {
    /// The fault that ended the run, if one did: no pool could be asked any more.
    #[must_use]
    pub fn fault(&self) -> Option<AppError> {
        if self.end == RunEnd::LeaseLost {
            let message = format!("job {} was taken over by another process", self.job.id);
            let hint = "let that one finish: what was answered here is kept";
            return Some(AppError::new(code!("lease-lost"), message).hint(hint).of_job(&self.job.id));
        }
        let (RunEnd::Closed(fault) | RunEnd::GaveUp(fault)) = &self.end else { return None };
        Some(AppError::new(fault.kind.code(), fault.message.clone()).hint(fault.kind.hint()).of_job(&self.job.id))
    }
}

/// Whoever watches, from wherever something happens.
type Watch<'a> = dyn Fn(WorkEvent<'_>) + Sync + 'a;

/// Outcomes that are durable, on their way from the engine to the kind: their places and, of most, their records.
#[derive(Default)]
struct Arrivals {
    outcomes: Mutex<Vec<(u64, Option<OutcomeRecord>)>>,
    more: Notify,
}

impl Arrivals {
    fn add(&self, outcome: &Outcome, attempts: u32, at_hand: AtHand) {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let record = if outcomes.len() < AT_HAND { at_hand(outcome, attempts) } else { None };
        outcomes.push((outcome.seq, record));
        drop(outcomes);
        self.more.notify_one();
    }

    /// Those that have arrived, with their records.
    async fn take(&self, store: &Store, job: &str) -> AppResult<Vec<OutcomeRecord>> {
        let arrived = std::mem::take(&mut *self.outcomes.lock().unwrap_or_else(PoisonError::into_inner));
        let (mut records, mut seqs) = (Vec::with_capacity(arrived.len()), Vec::new());
        for (seq, record) in arrived {
            match record {
                Some(record) => records.push(record),
                None => seqs.push(seq),
            }
        }
        if !seqs.is_empty() {
            records.extend(store.outcomes_at(job, &seqs).await?);
        }
        Ok(records)
    }
}

impl App {
    /// Works on a job until it is done, parked, stopped or over its budget: takes its lease, applies what was answered
    /// and not applied yet, opens its pools, runs the engine, applies outcomes as they arrive, and says where it stands.
    ///
    /// `change` is what is said anew of how it is run; it is kept with the job.
    ///
    /// # Errors
    /// `job-held` if somebody works on it, `job-cancelled` if it was given up; what the kind, the pools, the engine and
    /// the store report. What was answered is durable all the same, and is applied by whoever works on it next.
    pub fn work<'a>(
        &'a self,
        job: &'a JobId,
        change: &'a RunChange,
        stop: Stop,
        watch: &'a mut (dyn FnMut(WorkEvent<'_>) + Send),
    ) -> BoxFuture<'a, AppResult<Worked>> {
        Box::pin(self.work_on(job, change, stop, watch))
    }

    async fn work_on(
        &self,
        job: &JobId,
        change: &RunChange,
        stop: Stop,
        watch: &mut (dyn FnMut(WorkEvent<'_>) + Send),
    ) -> AppResult<Worked> {
        let watch = Mutex::new(watch);
        let watch = |event: WorkEvent<'_>| (watch.lock().unwrap_or_else(PoisonError::into_inner))(event);
        let store = self.store()?;
        let lease = store.lease(job).await?;
        let record = self.amended(job, change).await?;
        if record.state == JobState::Cancelled {
            return Err(AppError::new(code!("job-cancelled"), format!("job {job} was given up"))
                .hint("submit a new one: what was answered is kept, and not asked for again"));
        }
        let twice = if record.counts.pending > 0 { self.possibly_twice(job).await? } else { Vec::new() };
        watch(WorkEvent::Began { job: &record, twice: &twice });
        let running = Running { app: self, store: &store, job, lease: lease.epoch(), watch: &watch };
        let (end, ended) = Box::pin(running.to_its_end(&record, stop)).await.map_err(|error| error.of_job(job))?;
        store.run_ended(job, &end, self.clock().now()).await?;
        lease.release().await?;
        // It is known how the run ended, whatever became of what follows from that.
        ended.map_err(|error| error.of_job(job))?;
        Ok(Worked { job: self.job(job).await?, end })
    }

    /// The job, with what is said anew of how it is run kept with it. Its lease is held.
    pub(crate) async fn amended(&self, job: &str, change: &RunChange) -> AppResult<JobRecord> {
        let record = self.job(job).await?;
        let run = run_of(&record)?;
        let amended = run.clone().amended(change);
        if amended == run {
            return Ok(record);
        }
        // What can't be kept to is said before it is kept with the job.
        for model in models_of(&record)? {
            let run = amended.by(&model);
            Pools::open(self, &run).await?.check_budget(&run)?;
        }
        let settings = with_run(&record, amended)?;
        self.store()?.set_job_settings(&record.id, &settings).await?;
        Ok(JobRecord { settings, ..record })
    }

    /// The items whose calls were reserved and never settled, each once.
    pub(crate) async fn possibly_twice(&self, job: &str) -> AppResult<Vec<String>> {
        let unsettled = self.store()?.unsettled(job).await?;
        let mut keys: Vec<String> = unsettled.into_iter().flat_map(|call| call.item_keys).collect();
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    /// Applies what a job was answered and what was not applied yet, without working on it; how many of its items are done.
    /// Its lease is held.
    pub(crate) async fn apply_outcomes(&self, job: &JobId) -> AppResult<u64> {
        let (store, record) = (self.store()?, self.job(job).await?);
        let mut kind = kinds::open(self, &record, Purpose::Close).await?;
        catch_up(&store, job, &mut *kind, &|_| {}).await?;
        kind.end().await?;
        Ok(record.counts.done)
    }
}

/// Applies all outcomes that are durable. Most were applied before: that changes nothing.
async fn catch_up(store: &Store, job: &str, kind: &mut dyn JobKind, watch: &Watch<'_>) -> AppResult<()> {
    let mut after = None;
    loop {
        let page = store.outcomes(job, after, PAGE).await?;
        let applied = if page.is_empty() { Vec::new() } else { kind.apply(&page).await? };
        applied.iter().for_each(|applied| watch(WorkEvent::Applied(applied)));
        after = page.last().map(|outcome| outcome.seq);
        if page.len() < PAGE {
            return kind.caught_up().await;
        }
    }
}

/// A job while the engine runs it.
struct Running<'a> {
    app: &'a App,
    store: &'a Store,
    job: &'a JobId,
    lease: Epoch,
    watch: &'a Watch<'a>,
}

impl Running<'_> {
    /// Opens the kind, applies what is durable, and has the rest answered: how that ended, and how what the kind does
    /// at the end of a run did.
    async fn to_its_end(&self, record: &JobRecord, stop: Stop) -> AppResult<(RunEnd, AppResult<()>)> {
        let mut kind = kinds::open(self.app, record, Purpose::Work).await?;
        catch_up(self.store, self.job, &mut *kind, self.watch).await?;
        // Opening may have stored items that whoever submitted the job did not live to store.
        let record = self.app.job(self.job).await?;
        let end = if record.counts.pending == 0 { RunEnd::Done } else { self.run(&mut *kind, &record, stop).await? };
        Ok((end, kind.end().await))
    }

    /// Runs the engine, and applies outcomes beside it. If one can't be applied nothing more is sent; what is in flight
    /// is finished and durable, and can be applied another time.
    async fn run(&self, kind: &mut dyn JobKind, record: &JobRecord, stop: Stop) -> AppResult<RunEnd> {
        let (pools, job) = self.engine_job(kind, record).await?;
        self.store.work_began(self.job, self.app.clock().now()).await?;
        let (arrivals, at_hand) = (Arrivals::default(), kind.at_hand());
        let (handle, stopped) = StopHandle::new();
        let handle = Arc::new(handle);
        let passing_on = tokio::spawn({
            let handle = Arc::clone(&handle);
            async move {
                stop.wait().await;
                handle.stop();
            }
        });
        let engine = self.engine()?;
        let running = engine.run(job, stopped, |event| {
            if let Event::Outcome { outcome, attempts } = &event {
                arrivals.add(outcome, *attempts, at_hand);
            }
            (self.watch)(WorkEvent::Engine(&event));
        });
        let (ran, applied) = self.apply_beside(running, kind, &arrivals, &handle).await;
        passing_on.abort();
        drop(pools);
        match (ran, applied) {
            (Ok(report), Ok(())) => Ok(report.end),
            (Ok(_), Err(error)) => Err(self.stopped_by(error).await),
            (Err(error), _) => Err(self.stopped_by(error.into()).await),
        }
    }

    fn engine(&self) -> AppResult<Engine> {
        self.app.engine()
    }

    /// The job as the engine takes it, and what keeps its pools alive. Pools of one model are opened once, however many
    /// sides are made by it.
    async fn engine_job(&self, kind: &dyn JobKind, record: &JobRecord) -> AppResult<(Vec<Arc<Pools>>, Job)> {
        let (run, clock) = (kind.run(), self.app.clock());
        let mut models = kind.models();
        models.sort();
        models.dedup();
        let (mut kept, mut pools) = (Vec::with_capacity(models.len()), Vec::new());
        for model in models {
            let opened = Pools::open(self.app, &run.by(&model)).await?;
            pools.extend(opened.warm().await.into_iter().map(|pool| kind.before(pool)));
            kept.push(opened);
        }
        let purse = self.app.purse(&record.owner).await?;
        if let Some(pool) = pools.iter().find(|pool| pool.price.is_none() && !pool.ephemeral)
            && purse.is_some()
        {
            return Err(EngineError::PriceUnknown(Arc::clone(&pool.serves)).into());
        }
        let totals = &record.totals;
        let seed = clock.now().as_micros().unsigned_abs();
        let job = Job {
            id: Arc::clone(self.job),
            task: kind.task(),
            pools,
            items: record.counts.pending,
            options: Options { lease: Some(self.lease), purse, ..run.options(seed, totals.likely_cost()) },
        };
        Ok((kept, job))
    }

    /// Runs the engine to its end while outcomes are applied. Neither waits for the other: applying never runs ahead of
    /// the journal, and never holds calls up.
    async fn apply_beside(
        &self,
        running: impl Future<Output = Result<Report, EngineError>>,
        kind: &mut dyn JobKind,
        arrivals: &Arrivals,
        handle: &StopHandle,
    ) -> (Result<Report, EngineError>, AppResult<()>) {
        tokio::pin!(running);
        let mut applied = Ok(());
        let ran = loop {
            tokio::select! {
                ran = &mut running => break ran,
                () = arrivals.more.notified(), if applied.is_ok() => {}
            }
            tokio::select! {
                ran = &mut running => break ran,
                () = tokio::time::sleep(GATHER) => {}
            }
            let applying = self.apply(kind, arrivals);
            tokio::pin!(applying);
            tokio::select! {
                ran = &mut running => {
                    applied = applying.await;
                    break ran;
                }
                result = &mut applying => applied = result,
            }
            if applied.is_err() {
                handle.stop();
            }
        };
        if applied.is_ok() {
            applied = self.apply(kind, arrivals).await;
        }
        (ran, applied)
    }

    async fn apply(&self, kind: &mut dyn JobKind, arrivals: &Arrivals) -> AppResult<()> {
        let arrived = arrivals.take(self.store, self.job).await?;
        if arrived.is_empty() {
            return Ok(());
        }
        for applied in kind.apply(&arrived).await? {
            (self.watch)(WorkEvent::Applied(&applied));
        }
        Ok(())
    }

    /// Says in the store what stopped the job, as far as the store can be written.
    async fn stopped_by(&self, error: AppError) -> AppError {
        let (note, now) = (Some(error.message().to_owned()), self.app.clock().now());
        if let Err(trouble) = self.store.set_job_state(self.job, JobState::Stopped, note, None, now).await {
            tracing::warn!(code = trouble.code(), "a job's end could not be noted: {trouble}");
        }
        error
    }
}
