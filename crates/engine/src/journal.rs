//! The third of the three traits: what is remembered, come what may.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::latency::LatencyHabit;
use crate::limit::{Limit, LimitKind};
use crate::task::{Item, Outcome};
use crate::time::Timestamp;
use crate::usage::{Usage, Usd};

/// Names a job.
pub type JobId = Arc<str>;
/// Names a pool: `provider/account/model`.
pub type PoolId = Arc<str>;
/// Names all pools whose ids begin like this: one by its whole id, or those of an account, `provider/account/`.
/// Entries of pools whose names merely begin alike do no harm: who reads them looks at their pools.
pub type ScopeId = Arc<str>;

/// So many calls one run may be served more than another before that goes first: with less, runs would take
/// turns call by call, and the limit would lie idle while they do.
pub const TURN: i64 = 8;

/// One run of one job, as others that share the journal see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner {
    /// Tells it from all others, those of other processes included.
    pub id: Arc<str>,
    /// Whether someone waits for it.
    pub urgency: Urgency,
    /// The lease under which it works on its job; none where nobody else can.
    pub lease: Option<Epoch>,
}

/// Numbers those who work on a job, one after the other: each has a larger one than all before.
pub type Epoch = i64;

/// How much of a scope's ledger is known to whoever reserves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whose entries are all known, whatever their numbers: the runs that share what they know of a pool reserve as one.
    pub reader: Arc<str>,
    /// Of the others' entries those up to this one.
    pub seen: EntryId,
}

/// Who goes first where not all can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Someone waits for the answer.
    Interactive,
    /// Nobody does.
    #[default]
    Batch,
}

/// Durable reservations, outcomes and usage.
///
/// Whatever a method reports as done survives the process and a power cut. Callers may have many calls
/// under way at once; an implementation gathers them into one commit. Writes happen in the order in which
/// their futures are first polled, so that nothing overtakes what was asked for before.
///
/// Many processes may share one journal. What keeps their quota one is that [`reserve`](Self::reserve) decides about a
/// scope for one caller at a time, and numbers its entries in the order in which they become durable. Times between
/// processes are the journal's own ([`time`](Self::time)): their clocks need not agree.
pub trait Journal: Send + Sync {
    /// The job's items that have no outcome yet, in order, those with `seq > after` only, at most
    /// `limit` of them. Fewer than `limit` means that there are no more.
    fn pending(&self, job: &JobId, after: Option<u64>, limit: usize) -> BoxFuture<'_, JournalResult<Vec<Item>>>;

    /// What time it is here; `None` if there is no other clock than the caller's. It never goes back.
    fn time(&self) -> BoxFuture<'_, JournalResult<Option<Timestamp>>>;

    /// Writes reservations, all or none. They are refused as [`Reserved::Behind`] when somebody else has reserved in one
    /// of their scopes what is not `known`: admission must then be decided again with those entries. This is what makes
    /// one quota of many runs' shares. They are refused as [`Reserved::NotYet`] while another run that waits for one of
    /// their pools goes first, and as [`Reserved::Lost`] once somebody else has taken the job's lease.
    fn reserve(
        &self,
        by: &Runner,
        reservations: Vec<Reservation>,
        known: Known,
    ) -> BoxFuture<'_, JournalResult<Reserved>>;

    /// Puts a run into a pool's queue of waiting runs, or keeps it there, from `now` to `until`: it has to wait for a
    /// limit. Interactive runs go before the others, and among equals the one that was served less, by more than a
    /// [`TURN`], since they have waited together; a newcomer goes before those that were served since they came. A run
    /// that does not wait is behind all of them. A place that is not renewed is lost.
    fn join_queue(
        &self,
        by: &Runner,
        pool: &PoolId,
        now: Timestamp,
        until: Timestamp,
    ) -> BoxFuture<'_, JournalResult<()>>;

    /// Takes a run out of every queue.
    fn leave_queue(&self, by: &Runner) -> BoxFuture<'_, JournalResult<()>>;

    /// Writes how reserved calls ended together with the outcomes they brought, all or none. The first
    /// outcome of an item stands; a second one is dropped. A settlement that was written before, by its
    /// [`id`](Settlement::id), changes nothing: whoever can't tell whether a write came through asks for it again. A
    /// lost lease is no obstacle: what was paid for is kept.
    fn settle<'a>(&'a self, settlements: &'a [Settlement]) -> BoxFuture<'a, JournalResult<()>>;

    /// What has been reserved in a scope, by any run, at or after `since`, oldest first.
    fn ledger(&self, scope: &ScopeId, since: Timestamp) -> BoxFuture<'_, JournalResult<Vec<LedgerEntry>>>;

    /// The number of the ledger's last entry, whatever its scope.
    fn last_entry(&self) -> BoxFuture<'_, JournalResult<EntryId>>;

    /// The limits that refusals have taught about a pool.
    fn lessons(&self, pool: &PoolId) -> BoxFuture<'_, JournalResult<Vec<Lesson>>>;

    /// Keeps what was learnt about a pool, in place of what was known of a limit of that scope.
    fn learn(&self, pool: &PoolId, lesson: Lesson) -> BoxFuture<'_, JournalResult<()>>;

    /// What a pool is like, as far as that was found out.
    fn habits(&self, pool: &PoolId) -> BoxFuture<'_, JournalResult<Option<Habits>>>;

    /// Keeps what a pool is like, in place of what was known.
    fn keep_habits(&self, pool: &PoolId, habits: Habits) -> BoxFuture<'_, JournalResult<()>>;
}

/// What a pool is like, limits aside. It outlives the process, so that the next run's first plan need not be a guess.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Habits {
    /// How long calls take.
    pub latency: Option<LatencyHabit>,
    /// The most calls that were taken in one burst.
    pub burst: u32,
    /// How far apart calls must be, in microseconds, where bursts are not taken.
    pub apart_us: Option<u64>,
    /// When that was found out.
    pub apart_at: Timestamp,
    /// Tokens of the answer that an item takes, by the name of the task.
    pub tokens_per_item: BTreeMap<String, f64>,
    /// When this was found out.
    pub at: Timestamp,
}

/// What journals return.
pub type JournalResult<T> = Result<T, JournalError>;

/// Numbers the ledger's entries, in the order in which they became durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub i64);

/// Amounts by what limits count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Calls.
    pub requests: u64,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Images.
    pub images: u64,
    /// Money.
    pub usd: Usd,
}

impl std::ops::AddAssign for Amounts {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.input_tokens += other.input_tokens;
        self.images += other.images;
        self.usd += other.usd;
    }
}

impl Amounts {
    /// The amount that a limit of this kind counts.
    pub fn of(&self, kind: LimitKind) -> u64 {
        match kind {
            LimitKind::Requests | LimitKind::InFlight => self.requests,
            LimitKind::InputTokens => self.input_tokens,
            LimitKind::Images => self.images,
            LimitKind::Usd => u64::try_from(self.usd.as_nanos()).unwrap_or(0),
        }
    }
}

/// Quota taken for a call before it is sent; for a block of calls that are sent together, where limits are
/// so high that telling them apart would say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// For which job.
    pub job: JobId,
    /// From which pool.
    pub pool: PoolId,
    /// The pools whose use matters to its admission; none if there is no limit to share.
    pub scope: Option<ScopeId>,
    /// Whose items the calls carry: what they cost is theirs.
    pub lane: Arc<str>,
    /// How many calls it is for.
    pub calls: u64,
    /// The items that the calls carry: if they are never settled, they may have been paid for.
    pub items: Vec<u64>,
    /// The most that the calls can use.
    pub amounts: Amounts,
    /// When it was made.
    pub at: Timestamp,
    /// The latest moment at which its calls may leave. Until they are settled their use counts from then.
    pub leave_by: Timestamp,
}

/// The answer to [`Journal::reserve`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// Durable. One id for each reservation, in their order.
    Granted(Vec<EntryId>),
    /// Nothing was written: these entries of other runs came first.
    Behind(Vec<LedgerEntry>),
    /// Nothing was written: another run that waits in line goes first.
    NotYet,
    /// Nothing was written: somebody else works on the job by now.
    Lost,
}

/// Calls that have ended, by how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// All of them.
    pub calls: u64,
    /// Those that had been sent.
    pub sent: u64,
    /// Those that a limit refused.
    pub limited: u64,
    /// Those that another fault ended.
    pub faulted: u64,
    /// Those that may have cost something, nobody knows how much: their model has no price. Unknown is not zero.
    pub unpriced: u64,
}

/// How a reserved call ended, or several of one reservation.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// For which job.
    pub job: JobId,
    /// Which reservation; none if the outcomes came without a call: an item that can't be composed.
    pub entry: Option<EntryId>,
    /// Tells it from the other settlements of the reservation.
    pub id: i64,
    /// The calls that ended.
    pub ended: Ended,
    /// What they had reserved.
    pub reserved: Amounts,
    /// What counts against the limits from now on: nothing at all if the call never left or was turned
    /// away, what was reported if it was answered, what was reserved if nobody knows.
    pub counted: Amounts,
    /// When the (last) call left, as far as limits are concerned.
    pub left: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// What the provider reported.
    pub usage: Usage,
    /// What it cost.
    pub cost: Usd,
    /// Whether the cost is estimated, the provider having reported too little.
    pub estimated: bool,
    /// The outcomes it brought, each with the attempts that its item took.
    pub outcomes: Vec<(Outcome, u32)>,
}

impl Settlement {
    /// Takes in another settlement of the same reservation.
    pub(crate) fn merge(&mut self, other: Self) {
        self.ended.calls += other.ended.calls;
        self.ended.sent += other.ended.sent;
        self.ended.limited += other.ended.limited;
        self.ended.faulted += other.ended.faulted;
        self.ended.unpriced += other.ended.unpriced;
        self.reserved += other.reserved;
        self.counted += other.counted;
        self.left = self.left.max(other.left);
        self.at = self.at.max(other.at);
        self.usage += other.usage;
        self.cost += other.cost;
        self.estimated |= other.estimated;
        self.outcomes.extend(other.outcomes);
    }
}

/// One line of the ledger, as admission sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its number.
    pub id: EntryId,
    /// From which pool.
    pub pool: PoolId,
    /// From when it counts.
    pub left: Timestamp,
    /// What it counts for.
    pub amounts: Amounts,
    /// Whether its calls have ended.
    pub settled: bool,
}

/// A limit that a provider's refusals have taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// The limit.
    pub limit: Limit,
    /// When it was learnt, or last raised to see whether more is allowed by now.
    pub at: Timestamp,
}

/// Why a journal could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JournalError {
    /// A stable name.
    pub code: &'static str,
    /// In plain words.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl JournalError {
    /// A stable name.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        self.hint
    }
}
