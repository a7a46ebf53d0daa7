//! The run loop: from a job's items to their outcomes.
//!
//! One task owns all state and decides; calls and commits run beside it and come back as steps. The
//! life of a call: [`dispatch`] composes it, has it admitted and takes its quota; its reservation is
//! written; it leaves; [`ended`] judges what came back; its settlement and its outcomes are written;
//! its outcomes are reported.

mod call;
mod dispatch;
mod ended;
mod forecast;
mod planning;
mod pool;
mod quota;
mod reserve;
mod settling;

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::job::{EngineError, Event, Job, Progress, Report, RunEnd, Stop};
use crate::journal::{Journal, JournalError, Runner, Settlement};
use crate::limiter::WaitCause;
use crate::model::Request;
use crate::queue::Queue;
use crate::retry::RetryBudget;
use crate::task::{Item, Outcome, Verdict};
use crate::time::{Clock, Timestamp};
use crate::usage::{Demand, Usd};
use call::{Call, Exchange, Reserving};
pub use forecast::Forecast;
use pool::{AccountState, PoolState};
pub use quota::LimitUse;

/// Items that wait in memory: enough to fill every call, few enough for any job's size.
const HELD: usize = 4096;
/// Progress is reported at most this often.
const REPORT_EVERY: Duration = Duration::from_millis(100);
/// Steps handled before anything new is dispatched.
const STEPS_AT_ONCE: usize = 256;
/// Runs jobs against a journal.
#[derive(Clone)]
pub struct Engine {
    journal: Arc<dyn Journal>,
    clock: Clock,
}

impl Engine {
    /// An engine that remembers in `journal` and reads `clock`.
    pub fn new(journal: Arc<dyn Journal>, clock: Clock) -> Self {
        Self { journal, clock }
    }

    /// Runs a job until every item has an outcome, or until it is stopped, parked or over its budget.
    /// Items without outcome stay in the journal: running the job again goes on where this run ended.
    ///
    /// # Errors
    /// [`EngineError`] if the job can't begin, or if the journal can't be read or written.
    pub async fn run(
        &self,
        job: Job,
        stop: Stop,
        on_event: impl FnMut(Event<'_>) + Send,
    ) -> Result<Report, EngineError> {
        for pool in &job.pools {
            // What can't be written down is tried out all the same.
            if let Err(error) = pool::keep_raised(&pool.id, &*self.journal, self.clock.now()).await {
                tracing::warn!(code = error.code, "a learnt limit could not be raised: {error}");
            }
        }
        let (pools, accounts) = self.open(&job).await?;
        Run::new(self, job, pools, accounts, on_event).drive(stop).await
    }

    async fn open(&self, job: &Job) -> Result<(Vec<PoolState>, Vec<AccountState>), EngineError> {
        if job.pools.is_empty() {
            return Err(EngineError::NoPool);
        }
        let (mut pools, mut accounts) = (Vec::with_capacity(job.pools.len()), Vec::new());
        for pool in &job.pools {
            if job.options.max_cost.is_some() && pool.price.is_none() {
                return Err(EngineError::PriceUnknown(Arc::clone(&pool.id)));
            }
            let (journal, now) = (&*self.journal, self.clock.now());
            let account = AccountState::place(pool, &mut accounts, journal, now).await?;
            let account = account.and_then(|place| Some((place, accounts.get(place)?)));
            pools.push(PoolState::open(pool.clone(), account, &*job.task, journal, now).await?);
        }
        Ok((pools, accounts))
    }
}

/// What comes back from the side.
enum Step {
    Loaded(Result<Vec<Item>, JournalError>),
    Reserved(Reserving),
    Exchanged(Box<Exchange>),
    Learnt(Result<(), JournalError>),
    Settled { settlements: Vec<Settlement>, tries: u32, result: Result<(), JournalError> },
    Queued(Result<(), JournalError>),
}

/// Where items come from: the journal, page by page.
#[derive(Default)]
struct Source {
    after: Option<u64>,
    loaded: u64,
    loading: bool,
    exhausted: bool,
}

/// What requests of one item and of so many take, and when that was looked at.
#[derive(Clone, Copy)]
struct Sample {
    one: Demand,
    many: Demand,
    items: usize,
    at: Timestamp,
}

struct Run<F> {
    job: Job,
    journal: Arc<dyn Journal>,
    clock: Clock,
    pools: Vec<PoolState>,
    accounts: Vec<AccountState>,
    /// This run, as others see it.
    runner: Runner,
    queue: Queue,
    source: Source,
    steps: JoinSet<Step>,
    retries: RetryBudget,
    rng: fastrand::Rng,
    /// The most items that a call was seen to carry without being cut.
    pack_ceiling: usize,
    /// Full calls of late that were not cut.
    uncut: u32,
    /// Calls whose quota is taken and that have not ended.
    open_calls: u64,
    /// Those of them that have left.
    in_flight: u64,
    /// Those of them that are reserved and wait for others to end.
    ready: VecDeque<(Call, Request)>,
    spent: Usd,
    reserved: Usd,
    progress: Progress,
    reported: Option<Timestamp>,
    wait: Option<(Option<Timestamp>, WaitCause)>,
    end: Option<RunEnd>,
    /// What the journal could not do, for good: the run ends once what is under way has ended.
    trouble: Option<JournalError>,
    /// How calls ended, to be written together once the last such write is done.
    settlements: Vec<Settlement>,
    /// Whether settlements are being written.
    settling: bool,
    /// Writes of settlements that are being tried again. Nothing is sent meanwhile.
    stalled: u32,
    /// What requests of one item and of several take, for planning.
    sample: Option<Sample>,
    on_event: F,
}

impl<F: FnMut(Event<'_>) + Send> Run<F> {
    fn new(engine: &Engine, job: Job, pools: Vec<PoolState>, accounts: Vec<AccountState>, on_event: F) -> Self {
        let now = engine.clock.now();
        let random = RandomState::new().build_hasher().finish();
        let id = format!("{:x}-{random:016x}", std::process::id()).into();
        Self {
            journal: Arc::clone(&engine.journal),
            clock: engine.clock,
            pools,
            accounts,
            runner: Runner { id, urgency: job.options.urgency },
            queue: Queue::default(),
            source: Source::default(),
            steps: JoinSet::new(),
            retries: RetryBudget::new(now),
            rng: fastrand::Rng::with_seed(job.options.seed),
            pack_ceiling: usize::MAX,
            uncut: 0,
            open_calls: 0,
            in_flight: 0,
            ready: VecDeque::new(),
            spent: job.options.spent,
            reserved: Usd::ZERO,
            progress: Progress { items: job.items, ..Progress::default() },
            reported: None,
            wait: None,
            end: None,
            trouble: None,
            settlements: Vec::new(),
            settling: false,
            stalled: 0,
            sample: None,
            on_event,
            job,
        }
    }

    async fn drive(mut self, mut stop: Stop) -> Result<Report, EngineError> {
        loop {
            if stop.is_requested() && self.end.is_none() {
                self.end = Some(RunEnd::Interrupted);
            }
            self.load();
            self.flush();
            self.send_ready();
            self.dispatch();
            self.flush();
            self.report_progress(false);
            if self.steps.is_empty() && self.is_over() {
                break;
            }
            let wake = self.wake_at().map(|at| self.clock.instant(at));
            tokio::select! {
                biased;
                Some(step) = self.steps.join_next() => {
                    self.on_step(step);
                    for _ in 0..STEPS_AT_ONCE {
                        let Some(step) = self.steps.try_join_next() else { break };
                        self.on_step(step);
                    }
                }
                () = stop.requested(), if self.end.is_none() => {}
                () = sleep_until(wake) => {}
            }
        }
        if self.pools.iter().any(|pool| pool.in_line.is_some())
            && let Err(error) = self.journal.leave_queue(&self.runner).await
        {
            // The place is lost by itself, a little later.
            tracing::debug!(code = error.code, "a place in line could not be given up: {error}");
        }
        self.report_progress(true);
        match self.trouble {
            Some(error) => Err(error.into()),
            None => Ok(Report { end: self.end.unwrap_or(RunEnd::Done), progress: self.progress }),
        }
    }

    /// Whether nothing will happen any more once the last step has come back.
    fn is_over(&mut self) -> bool {
        if self.end.is_some() || self.trouble.is_some() {
            return true;
        }
        if self.queue.len() == 0 && self.source.exhausted {
            return true;
        }
        if let Some(fault) = self.closed() {
            self.end = Some(RunEnd::Closed(fault));
            return true;
        }
        if !self.job.options.wait
            && let Some((until, cause)) = self.parked()
            && until > self.clock.now()
        {
            self.end = Some(RunEnd::Parked { until, cause });
            return true;
        }
        false
    }

    /// The pools that may answer something that waits; all of them while everything is in the journal still.
    fn wanted_pools(&self) -> Vec<&PoolState> {
        let models = self.queue.models();
        let wanted = |pool: &&PoolState| models.is_empty() || models.iter().any(|model| pool.serves(model));
        self.pools.iter().filter(wanted).collect()
    }

    /// Until when all pools wait that could answer something: a day's limit is used up.
    fn parked(&self) -> Option<(Timestamp, WaitCause)> {
        let pools = self.wanted_pools();
        let parked = pools.iter().filter_map(|pool| pool.parked_until());
        let first = parked.min_by_key(|(until, _)| *until)?;
        let goes_on = pools.iter().any(|pool| pool.is_open() && pool.parked_until().is_none());
        (!goes_on).then_some(first)
    }

    /// The fault that closed the first of the pools that could answer something, if all of them are closed.
    fn closed(&self) -> Option<crate::model::Fault> {
        let mut faults = self.wanted_pools().into_iter().map(|pool| pool.closed.clone());
        let first = faults.next()??;
        faults.all(|fault| fault.is_some()).then_some(first)
    }

    /// Fetches more items when few are left in memory.
    fn load(&mut self) {
        if self.source.loading || self.source.exhausted || self.end.is_some() || self.trouble.is_some() {
            return;
        }
        let (delayed, ready) = (self.queue.delayed(), self.queue.len() - self.queue.delayed());
        if ready > HELD / 2 || delayed > HELD * 2 {
            return;
        }
        self.source.loading = true;
        let (journal, job, after) = (Arc::clone(&self.journal), Arc::clone(&self.job.id), self.source.after);
        self.steps.spawn(async move { Step::Loaded(journal.pending(&job, after, HELD).await) });
    }

    fn on_step(&mut self, step: Result<Step, tokio::task::JoinError>) {
        match step {
            Ok(Step::Loaded(Ok(items))) => {
                self.source.loading = false;
                self.source.exhausted = items.len() < HELD;
                self.source.loaded += items.len() as u64;
                self.source.after = items.last().map(|item| item.seq).or(self.source.after);
                for item in items {
                    self.enqueue(item);
                }
            }
            Ok(Step::Loaded(Err(error))) => {
                self.source.loading = false;
                self.trouble = Some(error);
            }
            Ok(Step::Learnt(Err(error))) => {
                tracing::warn!(code = error.code, "a learnt limit could not be kept: {error}");
            }
            Ok(Step::Queued(Err(error))) => {
                tracing::warn!(code = error.code, "a place in line could not be kept: {error}");
            }
            Ok(Step::Learnt(Ok(())) | Step::Queued(Ok(()))) => {}
            Ok(Step::Reserved(reserving)) => self.on_reserved(reserving),
            Ok(Step::Exchanged(exchange)) => self.on_exchanged(*exchange),
            Ok(Step::Settled { settlements, tries, result }) => self.on_settled(settlements, tries, result),
            // A task that panics in `parse` is a programming error: hiding it would lose a paid answer.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {}
        }
    }

    /// Puts an item where it waits for a pool of its model; one that no pool serves has failed.
    fn enqueue(&mut self, item: Item) {
        let model = self.job.task.model(&item);
        if self.pools.iter().any(|pool| pool.serves(&model)) {
            return self.queue.push(item, model);
        }
        let message = format!("the job has no pool that serves {}", model.unwrap_or_default());
        let verdict = Verdict::Failed { kind: "no-pool".to_owned(), message };
        let outcomes = vec![(Outcome { seq: item.seq, verdict }, 0)];
        let settlement = Settlement { outcomes, ..self.bare_settlement(self.clock.now()) };
        self.settle(settlement);
    }

    /// When to look again, should nothing come back before.
    fn wake_at(&self) -> Option<Timestamp> {
        if self.end.is_some() || self.trouble.is_some() || self.stalled > 0 {
            return None;
        }
        let now = self.clock.now();
        let due = self.queue.next_due().map(|due| due.max(self.retries.next_at(now).unwrap_or(now)));
        let admitted = self.wait.as_ref().and_then(|(until, _)| *until);
        [due, admitted].into_iter().flatten().min().map(|at| at.after(Duration::from_micros(1)))
    }

    fn report_progress(&mut self, last: bool) {
        let now = self.clock.now();
        if !last && self.reported.is_some_and(|reported| now.since(reported) < REPORT_EVERY) {
            return;
        }
        self.reported = Some(now);
        self.progress.in_flight = self.in_flight;
        self.progress.waiting = self.wait.as_ref().map(|(until, cause)| (cause.clone(), *until));
        self.progress.time_left = if last { None } else { self.time_left(now) };
        (self.on_event)(Event::Progress(&self.progress));
    }
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
