//! What a run is given, what it reports while it runs, and what it reports at its end.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::journal::{Epoch, JobId, JournalError, PoolId, ScopeId, Urgency};
use crate::limit::Limit;
use crate::limiter::WaitCause;
use crate::model::{Fault, FaultKind, Model};
use crate::purse::Purse;
use crate::task::{Outcome, Task};
use crate::time::Timestamp;
use crate::usage::{Price, Usd};

/// What limits apply to: a model at an endpoint, by one account.
#[derive(Clone)]
pub struct Pool {
    /// Names it, in the ledger too.
    pub id: PoolId,
    /// The model that it serves, as jobs name it: it answers items that want this one, or any.
    pub serves: Arc<str>,
    /// Who answers.
    pub model: Arc<dyn Model>,
    /// The limits that are known.
    pub limits: Vec<Limit>,
    /// What it costs, if that is known.
    pub price: Option<Price>,
    /// Where its days begin.
    pub day_zone: TimeZone,
    /// How long opening a connection took: calls take about half as long to arrive.
    pub connect: Duration,
    /// Its share of the calls, relative to the other pools that admit one at the same moment. With 0 it
    /// only steps in when no other pool admits a call.
    pub weight: u32,
    /// Whether its limits end with this process: what it teaches is then not kept.
    pub ephemeral: bool,
    /// The limits that it shares with other models of its account, if there are any.
    pub account: Option<AccountLimits>,
}

/// Limits that span all models of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLimits {
    /// What the ids of the account's pools begin with: `provider/account/`.
    pub scope: ScopeId,
    /// The limits.
    pub limits: Vec<Limit>,
}

/// Items to be answered.
#[derive(Clone)]
pub struct Job {
    /// Names it; its items are in the journal under this name.
    pub id: JobId,
    /// How its items are asked, and what counts as an answer.
    pub task: Arc<dyn Task>,
    /// Who may answer; of those that admit a call, the one goes first that is furthest behind its weight.
    pub pools: Vec<Pool>,
    /// How many of its items have no outcome yet.
    pub items: u64,
    /// How it is run.
    pub options: Options,
}

/// How a job is run. The default is what most jobs want.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many items a call carries.
    pub packing: Packing,
    /// The most calls in flight at once. Unset, it follows from the limits and the latency.
    pub concurrency: Option<u64>,
    /// The most that the job may cost; calls are admitted only while their worst case fits.
    pub max_cost: Option<Usd>,
    /// What the job has cost before this run.
    pub spent: Usd,
    /// What it may take from, beside its own budget: what its owner's work may cost in a day.
    pub purse: Option<Arc<Purse>>,
    /// Whether to wait until a day's limit resets, instead of parking the job.
    pub wait: bool,
    /// How often an item is tried before it has failed. Refusals by limits and outages do not count.
    pub attempts: u32,
    /// Seeds what is random: the pauses before retries.
    pub seed: u64,
    /// Whether someone waits for it: then it goes ahead of runs that nobody waits for.
    pub urgency: Urgency,
    /// After how long without one answer, while calls fail, the run is given up; never if unset.
    pub give_up_after: Option<Duration>,
    /// Whether the run is given up at the first item that fails, and as soon as a provider fails as a whole.
    pub fail_fast: bool,
    /// The lease under which the job is worked on, where others could: once it is lost, nothing more is reserved.
    pub lease: Option<Epoch>,
}

/// So long without one answer is no passing trouble any more.
const GIVE_UP_AFTER: Duration = Duration::from_secs(600);

impl Default for Options {
    fn default() -> Self {
        Self {
            packing: Packing::Auto,
            concurrency: None,
            max_cost: None,
            spent: Usd::ZERO,
            purse: None,
            wait: false,
            attempts: 6,
            seed: 0,
            urgency: Urgency::Batch,
            give_up_after: Some(GIVE_UP_AFTER),
            fail_fast: false,
            lease: None,
        }
    }
}

/// How many items a call carries, within what the task allows. Written `auto`, `off` or a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Packing {
    /// As many as finish the job soonest.
    #[default]
    Auto,
    /// Always one.
    Off,
    /// So many, as long as there are so many.
    Fixed(usize),
}

impl FromStr for Packing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            _ => match text.parse() {
                Ok(items) if items > 0 => Ok(Self::Fixed(items)),
                _ => Err("write a number from 1 on, auto or off".to_owned()),
            },
        }
    }
}

/// What happens while a job runs.
#[derive(Debug)]
pub enum Event<'a> {
    /// An item has ended, and that is durable.
    Outcome {
        /// How it ended.
        outcome: &'a Outcome,
        /// Attempts that it took.
        attempts: u32,
    },
    /// A call was refused by a limit.
    Limited {
        /// Which pool.
        pool: &'a PoolId,
        /// What the provider said.
        fault: &'a Fault,
        /// The limit that was learnt from it, if any was.
        learnt: Option<Limit>,
        /// When calls go on.
        until: Timestamp,
    },
    /// A call went wrong; its items are tried again or have failed.
    Faulted {
        /// Which pool.
        pool: &'a PoolId,
        /// What went wrong.
        fault: &'a Fault,
        /// How many items the call carried.
        items: usize,
    },
    /// A packed call is asked again in two halves.
    Split {
        /// Why.
        kind: FaultKind,
        /// How many items it carried.
        items: usize,
    },
    /// The journal can't be written; what was answered is kept and tried again.
    JournalTrouble(&'a JournalError),
    /// Where the run stands. Comes after changes, at most ten times a second, and at the end.
    Progress(&'a Progress),
}

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Items that had no outcome when the run began.
    pub items: u64,
    /// Items answered.
    pub done: u64,
    /// Items that the provider refused.
    pub blocked: u64,
    /// Items that failed.
    pub failed: u64,
    /// Calls sent.
    pub calls: u64,
    /// Calls that a limit refused.
    pub rate_limited: u64,
    /// Calls that went wrong otherwise.
    pub faults: u64,
    /// Calls that are in flight.
    pub in_flight: u64,
    /// Tokens of prompts, as reported.
    pub input_tokens: u64,
    /// Tokens of answers, as reported.
    pub output_tokens: u64,
    /// What this run cost.
    pub cost: Usd,
    /// Whether some of the cost is estimated.
    pub estimated: bool,
    /// Why nothing is sent at the moment, and until when, if that is known.
    pub waiting: Option<(WaitCause, Option<Timestamp>)>,
    /// About how long the rest takes; `None` where that would be a guess.
    pub time_left: Option<Duration>,
    /// What went wrong last, if nothing was answered since.
    pub last_fault: Option<Fault>,
}

impl Progress {
    /// Items that have an outcome.
    pub const fn ended(&self) -> u64 {
        self.done + self.blocked + self.failed
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEnd {
    /// Every item has an outcome.
    Done,
    /// A day's limit is used up.
    Parked {
        /// When it resets.
        until: Timestamp,
        /// Which limit, if the provider said.
        cause: WaitCause,
    },
    /// The next call could pass `max_cost`.
    OverBudget,
    /// It was asked to stop.
    Interrupted,
    /// No pool can serve it until someone acts.
    Closed(Fault),
    /// It was given up: nothing was answered for too long, or it was to end at the first failure.
    GaveUp(Fault),
    /// Somebody else works on the job by now.
    LeaseLost,
}

/// What a run comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How it ended.
    pub end: RunEnd,
    /// Where it stood then.
    pub progress: Progress,
}

/// Why a run could not begin or go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The journal could not be read or written.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// A budget was set, but what the model costs is not known.
    #[error("the job has a maximum cost, but the price of {0} is not known")]
    PriceUnknown(Arc<str>),
    /// There is nobody to ask.
    #[error("the job has no pool to send its calls to")]
    NoPool,
}

crate::error_codes! {
    EngineError {
        Self::PriceUnknown(_) => "price-unknown", "add the model to your price table, or set no maximum cost";
        Self::NoPool => "no-pool", "name a model";
    }
    else {
        Self::Journal(error) => error;
    }
}

/// Asks a run to stop.
#[derive(Debug)]
pub struct StopHandle(watch::Sender<bool>);

/// A run's side of a [`StopHandle`].
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl StopHandle {
    /// A handle and what it stops.
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    /// Nothing more is sent; what is in flight is finished and saved.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Never stops.
    pub fn never() -> Self {
        StopHandle::new().1
    }

    /// Whether a stop was asked for.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until a stop is asked for; for ever if nobody can ask any more.
    pub async fn wait(mut self) {
        self.requested().await;
    }

    pub(crate) async fn requested(&mut self) {
        if self.0.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
