//! The run loop: from a job's items to their outcomes.
//!
//! One task owns all state and decides; calls and commits run beside it and come back as steps. The
//! life of a call: [`dispatch`] composes it, has it admitted and takes its quota; its reservation is
//! written; it leaves; [`ended`] judges what came back; its settlement and its outcomes are written;
//! its outcomes are reported.

mod budget;
mod call;
mod dispatch;
mod ended;
mod engine;
mod forecast;
mod giving_up;
mod pace;
mod planning;
mod pool;
mod quota;
mod reserve;
mod settling;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::job::{EngineError, Event, Job, Progress, Report, RunEnd, Stop};
use crate::journal::{Journal, JournalError, Runner, Settlement};
use crate::limiter::WaitCause;
use crate::model::Request;
use crate::pools::random_id;
use crate::queue::Queue;
use crate::retry::RetryBudget;
use crate::task::{Item, Outcome, Verdict};
use crate::time::{Clock, Timestamp};
use crate::usage::{Demand, Usd};
use budget::GuessedCost;
use call::{Call, Exchange, Reserving};
pub use engine::Engine;
pub use forecast::Forecast;
use pace::Pace;
use pool::PoolState;
pub use quota::LimitUse;

/// Items that wait in memory: enough to fill every call, few enough for any job's size.
const HELD: usize = 4096;
/// Progress is reported at most this often.
const REPORT_EVERY: Duration = Duration::from_millis(100);
/// While nothing happens, it is reported so often.
const REPORT_WHILE_WAITING: Duration = Duration::from_secs(1);
/// Steps handled before anything new is dispatched.
const STEPS_AT_ONCE: usize = 256;
/// What comes back from the side.
enum Step {
    Loaded(Result<Vec<Item>, JournalError>),
    Reserved(Reserving),
    Exchanged(Box<Exchange>),
    Learnt(Result<(), JournalError>),
    Settled { settlements: Vec<Settlement>, tries: u32, result: Result<(), JournalError> },
    Kept(Result<(), JournalError>),
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

/// A run. What it reports goes to a function that is not a parameter of its type: it would be compiled anew for each.
struct Run<'a> {
    job: Job,
    journal: Arc<dyn Journal>,
    clock: Clock,
    pools: Vec<PoolState>,
    /// Somebody who shares a pool has made room in it.
    woken: Arc<Notify>,
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
    /// Lost answers whose cost was guessed.
    guesses: Vec<GuessedCost>,
    progress: Progress,
    reported: Option<Timestamp>,
    wait: Option<(Option<Timestamp>, WaitCause)>,
    /// Items answered of late.
    pace: Pace,
    /// When limits last held it up.
    limited_at: Option<Timestamp>,
    /// When it began.
    began: Timestamp,
    /// Of the calls sent, the one that should be answered last: when that was thought to be, when it left, its pool, and
    /// the tokens that its answer should have.
    last_expected: (Timestamp, Timestamp, usize, f64),
    /// When it was last looked at how long nothing was answered; none if all that was sent was.
    silent_since: Option<Timestamp>,
    /// How long nothing was answered, while something could have been.
    silent_for: Duration,
    /// When what was found out of the pools was last kept.
    habits_kept: Timestamp,
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
    on_event: &'a mut (dyn FnMut(Event<'_>) + Send),
}

impl<'a> Run<'a> {
    fn new(
        engine: &Engine,
        clock: Clock,
        job: Job,
        mut pools: Vec<PoolState>,
        on_event: &'a mut (dyn FnMut(Event<'_>) + Send),
    ) -> Self {
        let now = clock.now();
        let runner = Runner { id: random_id().into(), urgency: job.options.urgency, lease: job.options.lease };
        let woken = Arc::new(Notify::new());
        pools.iter_mut().for_each(|pool| pool.enter(&runner, &woken));
        Self {
            journal: Arc::clone(&engine.journal),
            clock,
            pools,
            woken,
            runner,
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
            guesses: Vec::new(),
            progress: Progress { items: job.items, ..Progress::default() },
            reported: None,
            wait: None,
            pace: Pace::new(),
            limited_at: None,
            began: now,
            last_expected: (now, now, 0, 0.0),
            silent_since: None,
            silent_for: Duration::ZERO,
            habits_kept: now,
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
            self.give_up_on_silence();
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
                () = self.woken.notified() => {}
                () = sleep_until(wake) => {}
            }
        }
        if self.pools.iter().any(|pool| pool.in_line.is_some())
            && let Err(error) = self.journal.leave_queue(&self.runner).await
        {
            // The place is lost by itself, a little later.
            tracing::debug!(code = error.code, "a place in line could not be given up: {error}");
        }
        self.correct_guesses(true);
        self.flush();
        self.keep_habits(true);
        while let Some(step) = self.steps.join_next().await {
            self.on_step(step);
        }
        self.report_progress(true);
        if matches!(self.end, Some(RunEnd::GaveUp(_))) && self.queue.len() == 0 && self.source.exhausted {
            // What failed was the last.
            self.end = None;
        }
        match self.trouble.take() {
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
            Ok(Step::Kept(Err(error))) => {
                tracing::warn!(code = error.code, "what a pool is like could not be kept: {error}");
            }
            Ok(Step::Learnt(Ok(())) | Step::Queued(Ok(())) | Step::Kept(Ok(()))) => {}
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
        self.fail_fast(&verdict);
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
        // Whoever watches sees the time go by.
        let report = self.reported.map(|reported| reported.after(REPORT_WHILE_WAITING));
        [due, admitted, report].into_iter().flatten().min().map(|at| at.after(Duration::from_micros(1)))
    }

    fn report_progress(&mut self, last: bool) {
        let now = self.clock.now();
        if !last && self.reported.is_some_and(|reported| now.since(reported) < REPORT_EVERY) {
            return;
        }
        self.keep_habits(false);
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
