//! The third of the three traits: what is remembered, come what may.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::limit::{Limit, LimitKind};
use crate::task::{Item, Outcome};
use crate::time::Timestamp;
use crate::usage::{Usage, Usd};

/// Names a job.
pub type JobId = Arc<str>;
/// Names a pool: `provider/account/model`.
pub type PoolId = Arc<str>;

/// Durable reservations, outcomes and usage.
///
/// Whatever a method reports as done survives the process and a power cut. Callers may have many calls
/// under way at once; an implementation gathers them into one commit.
pub trait Journal: Send + Sync {
    /// The job's items that have no outcome yet, in order, those with `seq > after` only, at most
    /// `limit` of them. Fewer than `limit` means that there are no more.
    fn pending(&self, job: &JobId, after: Option<u64>, limit: usize) -> BoxFuture<'_, JournalResult<Vec<Item>>>;

    /// Writes reservations, all or none. Refused as [`Reserved::Behind`] when another process has
    /// reserved from one of their pools after the entry numbered `seen`: admission must then be decided
    /// again with those entries known. This is what makes one quota of many processes' shares.
    fn reserve(&self, reservations: Vec<Reservation>, seen: EntryId) -> BoxFuture<'_, JournalResult<Reserved>>;

    /// Writes how a reserved call ended together with the outcomes it brought, all or none. The first
    /// outcome of an item stands; a second one is dropped.
    fn settle(&self, settlement: Settlement) -> BoxFuture<'_, JournalResult<()>>;

    /// What has been reserved from a pool, by any process, at or after `since`, oldest first.
    fn ledger(&self, pool: &PoolId, since: Timestamp) -> BoxFuture<'_, JournalResult<Vec<LedgerEntry>>>;

    /// The limits that refusals have taught about a pool.
    fn lessons(&self, pool: &PoolId) -> BoxFuture<'_, JournalResult<Vec<Lesson>>>;

    /// Keeps what was learnt about a pool, in place of what was known of a limit of that scope.
    fn learn(&self, pool: &PoolId, lesson: Lesson) -> BoxFuture<'_, JournalResult<()>>;
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

/// Quota taken for a call before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// For which job.
    pub job: JobId,
    /// From which pool.
    pub pool: PoolId,
    /// Whose items the call carries: what it costs is theirs.
    pub lane: Arc<str>,
    /// The items that the call carries: if it is never settled, they may have been paid for.
    pub items: Vec<u64>,
    /// The most it can use.
    pub amounts: Amounts,
    /// When it was made.
    pub at: Timestamp,
    /// The latest moment at which its call may leave. Until it is settled its use counts from then.
    pub leave_by: Timestamp,
}

/// The answer to [`Journal::reserve`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// Durable. One id for each reservation, in their order.
    Granted(Vec<EntryId>),
    /// Nothing was written: these entries of other processes came first.
    Behind(Vec<LedgerEntry>),
}

/// How a reserved call ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// For which job.
    pub job: JobId,
    /// Which reservation; none if the outcomes came without a call: an item that can't be composed.
    pub entry: Option<EntryId>,
    /// What counts against the limits from now on: nothing at all if the call never left or was turned
    /// away, what was reported if it was answered, what was reserved if nobody knows.
    pub counted: Amounts,
    /// When the call left, as far as limits are concerned.
    pub left: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// The code of the fault that ended it, if one did.
    pub fault: Option<&'static str>,
    /// What the provider reported.
    pub usage: Usage,
    /// What it cost.
    pub cost: Usd,
    /// Whether the cost is estimated, the provider having reported too little.
    pub estimated: bool,
    /// The outcomes it brought, each with the attempts that its item took.
    pub outcomes: Vec<(Outcome, u32)>,
}

/// One line of a pool's ledger, as admission sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its number.
    pub id: EntryId,
    /// From when it counts.
    pub left: Timestamp,
    /// What it counts for.
    pub amounts: Amounts,
    /// Whether its call has ended.
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
