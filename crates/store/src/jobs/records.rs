//! What the store says of jobs.

use std::sync::Arc;

use atelier_engine::{EntryId, JobId, RunEnd, Timestamp, Usd, Verdict, WaitCause};

use crate::cursor::Cursor;
use crate::error::{StoreError, StoreResult};

/// A job's id: what it is, when it was made to the second, and four random characters.
#[must_use]
pub fn job_id(what: &str, now: Timestamp) -> JobId {
    let when = now.to_jiff().strftime("%Y%m%d-%H%M%S").to_string();
    let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(4).collect();
    Arc::from(format!("{what}-{when}-{}", random.to_lowercase()))
}

/// A job to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Its id, which nothing else has.
    pub id: JobId,
    /// What it makes, such as `replies`.
    pub kind: String,
    /// A snapshot of all that decides how it runs: it resumes with this.
    pub settings: serde_json::Value,
    /// Its first items; [`Store::add_items`](crate::Store::add_items) brings more.
    pub items: Vec<NewItem>,
    /// The posts that it answers; none for other kinds of job.
    pub claims: Vec<PostClaim>,
    /// When it was submitted.
    pub created_at: Timestamp,
}

/// An item to be added to a job. Its place in the job is the order in which it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewItem {
    /// What a person knows it by: the id of a post, a line of a file. With claims, the post's id.
    pub key: String,
    /// Whose share of the quota it takes. With claims, the project's name.
    pub lane: Arc<str>,
    /// What the task needs to know of it, as JSON.
    pub payload: Arc<str>,
}

/// A post that a job answers: until the job is over, no other job does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostClaim {
    /// The project.
    pub project: String,
    /// The post's id.
    pub post: String,
    /// Whether it is wanted though it was answered before.
    pub again: bool,
}

/// Where a job stands. Whether it is running is not stored: [`Store::is_leased`](crate::Store::is_leased) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    /// There is work left.
    Open,
    /// It waits for a limit to reset.
    Parked,
    /// It was stopped: by a person, at its budget, or by a fault that a person must mend.
    Stopped,
    /// It was given up. Over.
    Cancelled,
    /// Every item has an outcome. Over.
    Done,
}

impl JobState {
    /// Its name in the database and in lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Parked => "parked",
            Self::Stopped => "stopped",
            Self::Cancelled => "cancelled",
            Self::Done => "done",
        }
    }

    /// Where a job stands after a run that ended so, why, and when it can go on.
    pub(crate) fn after(end: &RunEnd) -> (Self, Option<String>, Option<Timestamp>) {
        match end {
            RunEnd::Done => (Self::Done, None, None),
            RunEnd::Parked { until, cause: WaitCause::Limit(limit) } => {
                (Self::Parked, Some(format!("waiting for {limit}")), Some(*until))
            }
            RunEnd::Parked { until, cause: WaitCause::Purse } => {
                (Self::Parked, Some("what its owner may spend in a day is used up or reserved".into()), Some(*until))
            }
            RunEnd::Parked { until, .. } => {
                (Self::Parked, Some("the provider's limit for the day is used up".into()), Some(*until))
            }
            RunEnd::OverBudget => (Self::Stopped, Some("the next call could pass the maximum cost".into()), None),
            RunEnd::Interrupted => (Self::Open, Some("interrupted".into()), None),
            RunEnd::Closed(fault) | RunEnd::GaveUp(fault) => (Self::Stopped, Some(fault.message.clone()), None),
            // Whoever has it by now says where it stands.
            RunEnd::LeaseLost => (Self::Open, None, None),
        }
    }

    pub(crate) fn from_name(name: &str) -> StoreResult<Self> {
        [Self::Open, Self::Parked, Self::Stopped, Self::Cancelled, Self::Done]
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or_else(|| StoreError::Unexpected { detail: format!("'{name}' is not a state of a job") })
    }

    /// Whether nothing will be done for it any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Cancelled | Self::Done)
    }
}

/// A job as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRecord {
    /// Its id.
    pub id: JobId,
    /// What it makes.
    pub kind: String,
    /// Who submitted it.
    pub owner: String,
    /// Where it stands.
    pub state: JobState,
    /// What is to become of it, if a server works on it.
    pub wanted: Option<Wanted>,
    /// Why it stands there, in plain words.
    pub note: Option<String>,
    /// When it can go on, if it is parked.
    pub resume_at: Option<Timestamp>,
    /// What it was submitted with.
    pub settings: serde_json::Value,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
    /// Its items by outcome.
    pub counts: JobCounts,
    /// What it used.
    pub totals: JobTotals,
}

impl JobTotals {
    /// What it has cost, as far as anyone can tell: a call whose process died before its answer was kept may have cost
    /// something, and is taken to have cost what the others did. Where no other call has ended, it is the worst case.
    pub fn likely_cost(&self) -> Usd {
        let ended = self.calls.saturating_sub(self.rate_limited);
        let mean = self.cost.as_nanos().checked_div(i64::try_from(ended).unwrap_or(i64::MAX));
        let unsettled = match mean.filter(|mean| *mean > 0) {
            Some(mean) => Usd::from_nanos(mean.saturating_mul(i64::try_from(self.unsettled_calls).unwrap_or(i64::MAX))),
            None => self.unsettled,
        };
        self.cost + unsettled.min(self.unsettled)
    }

    /// What the calls cost; `None` if that is not known of all of them.
    pub fn known_cost(&self) -> Option<Usd> {
        (self.unpriced == 0).then_some(self.cost)
    }
}

impl JobRecord {
    /// Its place in the list of jobs.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.created_at.as_micros(), &self.id)
    }
}

/// What is to become of a job that servers work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// It is to be worked on, whenever it can be.
    Run,
    /// Nothing more of it is to be asked for until somebody says so.
    Pause,
    /// It is to be given up.
    Cancel,
}

impl Wanted {
    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Pause => "pause",
            Self::Cancel => "cancel",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Run, Self::Pause, Self::Cancel].into_iter().find(|wanted| wanted.name() == name)
    }
}

/// A job for servers to do something about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedJob {
    /// Its id.
    pub id: JobId,
    /// Who submitted it.
    pub owner: String,
    /// What is to become of it.
    pub wanted: Wanted,
}

/// A job's items by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// All of them.
    pub items: u64,
    /// Answered.
    pub done: u64,
    /// Refused by the provider.
    pub blocked: u64,
    /// Failed.
    pub failed: u64,
    /// Without an outcome yet.
    pub pending: u64,
}

/// What a job's calls used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobTotals {
    /// Calls that were sent and have ended, in whatever way.
    pub calls: u64,
    /// Those that hit a limit.
    pub rate_limited: u64,
    /// Those that ended in another fault.
    pub faults: u64,
    /// Tokens of prompts, as reported.
    pub input_tokens: u64,
    /// Tokens of answers, as reported.
    pub output_tokens: u64,
    /// What they cost.
    pub cost: Usd,
    /// Whether some of that is an estimate, the provider having reported too little.
    pub estimated: bool,
    /// Calls that are not in the cost although they may have cost something: their model has no price.
    pub unpriced: u64,
    /// What calls were reserved for at most that were never settled: they may have been paid for as well.
    pub unsettled: Usd,
    /// How many calls that is.
    pub unsettled_calls: u64,
}

/// A page of the list of jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobPage {
    /// After which place; from the newest on if absent.
    pub after: Option<Cursor>,
    /// How many at most.
    pub limit: usize,
}

/// How an item ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeRecord {
    /// Its place in the job, which is also the cursor of the list of outcomes.
    pub seq: u64,
    /// What a person knows it by.
    pub key: String,
    /// Whose share of the quota it took.
    pub lane: Arc<str>,
    /// How it ended.
    pub verdict: Verdict,
    /// How many attempts it took.
    pub attempts: u32,
}

/// A call that was reserved and never settled: it may have been paid for and lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsettledCall {
    /// Its reservation.
    pub entry: EntryId,
    /// The latest moment at which it may have left.
    pub left: Timestamp,
    /// The keys of the items that it carried.
    pub item_keys: Vec<String>,
}
