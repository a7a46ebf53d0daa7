//! What a run knows of one pool.

use std::sync::Arc;
use std::time::Duration;

use crate::job::{EngineError, Pool};
use crate::journal::{Amounts, EntryId, Journal, JournalResult, Lesson, PoolId, ScopeId};
use crate::latency::{Latency, SharedLatency};
use crate::limit::{Limit, LimitKind, Window};
use crate::limiter::{Limiter, WaitCause};
use crate::model::Fault;
use crate::queue::Wanted;
use crate::retry::Health;
use crate::task::Task;
use crate::time::Timestamp;
use crate::usage::{Demand, Usage};

/// At the least a reservation may be used this long after it was made; more where commits are slow.
const SHORTEST_SLACK: Duration = Duration::from_millis(250);
/// The longest day, and an hour to spare.
const LONGEST_DAY: Duration = Duration::from_secs(26 * 3600);
/// What lies further back than a window and this counts no more; limits that are yet to be learnt have
/// windows of minutes.
const TO_SPARE: Duration = Duration::from_secs(300);
/// A learnt limit is tried a quarter higher after so long without a refusal.
const TRY_MORE_AFTER: Duration = Duration::from_secs(24 * 3600);

pub(super) struct PoolState {
    pub(super) pool: Pool,
    pub(super) limiter: Limiter,
    /// What it shares with other pools, by its place in the run.
    pub(super) account: Option<usize>,
    pub(super) health: Health,
    pub(super) latency: SharedLatency,
    pub(super) closed: Option<Fault>,
    /// The last of the ledger's entries that is known here.
    pub(super) seen: EntryId,
    /// Until when it stands in line for its limits.
    pub(super) in_line: Option<Timestamp>,
    /// Until when it lets another run go first.
    pub(super) yields: Option<Timestamp>,
    /// How long after its reservation a call may leave.
    pub(super) slack: Duration,
    /// Calls taken by it.
    pub(super) served: u64,
    tokens: TokenEstimate,
    parked: Option<(Timestamp, WaitCause)>,
}

/// Limits that several pools share.
pub(super) struct AccountState {
    pub(super) scope: ScopeId,
    /// The last of the ledger's entries that was known when the run began.
    seen: EntryId,
    pub(super) limiter: Limiter,
}

impl AccountState {
    /// The place of the pool's account among `accounts`, with what the ledger says of it; none if the pool
    /// shares no limits.
    pub(super) async fn place(
        pool: &Pool,
        accounts: &mut Vec<Self>,
        journal: &dyn Journal,
        now: Timestamp,
    ) -> Result<Option<usize>, EngineError> {
        let Some(account) = pool.account.as_ref().filter(|account| !account.limits.is_empty()) else {
            return Ok(None);
        };
        if let Some(place) = accounts.iter().position(|known| known.scope == account.scope) {
            return Ok(Some(place));
        }
        let mut limiter = Limiter::shared(&account.limits, pool.day_zone.clone(), pool.connect, now);
        let entries = journal.ledger(&account.scope, now.before(reach(&account.limits))).await?;
        limiter.restore(&entries, now);
        let seen = entries.iter().map(|entry| entry.id).max().unwrap_or_default();
        accounts.push(Self { scope: Arc::clone(&account.scope), seen, limiter });
        Ok(Some(accounts.len() - 1))
    }
}

impl PoolState {
    /// Takes over what the ledger says of the pool, and what was learnt of it.
    pub(super) async fn open(
        pool: Pool,
        account: Option<(usize, &AccountState)>,
        task: &dyn Task,
        journal: &dyn Journal,
        now: Timestamp,
    ) -> Result<Self, EngineError> {
        let counts_money = |limit: &Limit| limit.kind == LimitKind::Usd;
        let mut shared = pool.account.iter().flat_map(|account| &account.limits);
        if pool.price.is_none() && (pool.limits.iter().any(counts_money) || shared.any(counts_money)) {
            return Err(EngineError::PriceUnknown(Arc::clone(&pool.id)));
        }
        let mut limits = pool.limits.clone();
        for lesson in journal.lessons(&pool.id).await? {
            take_lesson(&mut limits, raised(lesson, now).limit);
        }
        let mut limiter = Limiter::new(&limits, pool.day_zone.clone(), pool.connect, now);
        let entries = journal.ledger(&pool.id, now.before(reach(&limits))).await?;
        limiter.restore(entries.iter().filter(|entry| entry.pool == pool.id), now);
        Ok(Self {
            limiter,
            account: account.map(|(place, _)| place),
            in_line: None,
            yields: None,
            health: Health::default(),
            latency: SharedLatency::new(Latency::new(task.output_tokens_per_item())),
            closed: None,
            // Where limits are shared, entries of the account's other pools count as well.
            seen: account.map_or_else(
                || entries.iter().map(|entry| entry.id).max().unwrap_or_default(),
                |(_, account)| account.seen,
            ),
            slack: SHORTEST_SLACK,
            served: 0,
            tokens: TokenEstimate::default(),
            parked: None,
            pool,
        })
    }

    /// Where it stands in line: those with a weight before those without, then by calls for each unit of it.
    fn turn(&self) -> (bool, f64) {
        (self.pool.weight == 0, self.served as f64 / f64::from(self.pool.weight.max(1)))
    }

    /// Which of two pools goes first.
    pub(super) fn before(&self, other: &Self) -> std::cmp::Ordering {
        let ((last, served), (other_last, other_served)) = (self.turn(), other.turn());
        last.cmp(&other_last).then(served.total_cmp(&other_served))
    }

    /// Whether it may answer items that want this model.
    pub(super) fn serves(&self, model: &Wanted) -> bool {
        model.as_ref().is_none_or(|model| *model == self.pool.serves)
    }

    pub(super) const fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// The pools whose use its admission depends on; none where no limit is known.
    pub(super) fn scope(&self) -> Option<ScopeId> {
        match (&self.pool.account, self.account) {
            (Some(account), Some(_)) => Some(Arc::clone(&account.scope)),
            _ => self.limiter.is_limited().then(|| Arc::clone(&self.pool.id)),
        }
    }

    /// When the last of `count` calls of `amounts` each could leave. `None`: never.
    pub(super) fn nth_at(
        &self,
        accounts: &[AccountState],
        count: u64,
        amounts: &Amounts,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let own = self.limiter.nth_at(count, amounts, now)?;
        match self.account.and_then(|account| accounts.get(account)) {
            Some(account) => Some(own.max(account.limiter.nth_at(count, amounts, now)?)),
            None => Some(own),
        }
    }

    /// What a call with this demand takes from the limits.
    pub(super) fn amounts(&self, demand: &Demand) -> Amounts {
        Amounts {
            requests: 1,
            input_tokens: self.tokens(demand.input_tokens),
            images: demand.images,
            usd: self.pool.price.map(|price| price.worst_case(demand)).unwrap_or_default(),
        }
    }

    /// The tokens to reserve. What fits by the rule of thumb is never made too large by what was learnt.
    fn tokens(&self, estimate: u64) -> u64 {
        let most = self.limiter.most(LimitKind::InputTokens).filter(|most| estimate <= *most);
        self.tokens.expect(estimate).min(most.unwrap_or(u64::MAX))
    }

    /// Learns how the provider counts tokens.
    pub(super) fn learn_tokens(&mut self, demand: &Demand, usage: &Usage) {
        if let Some(reported) = usage.input_tokens.filter(|_| demand.input_tokens > 0) {
            self.tokens.observe(reported as f64 / demand.input_tokens as f64);
        }
    }

    /// From admission to departure takes so long: reservations must hold at least until then.
    pub(super) fn learn_slack(&mut self, took: Duration) {
        self.slack = (self.slack.mul_f64(0.95)).max(took * 4).max(SHORTEST_SLACK);
    }

    /// A day's limit is used up until `until`; `None`: no longer.
    pub(super) fn park(&mut self, parked: Option<(Timestamp, WaitCause)>) {
        self.parked = parked;
    }

    /// Until when a day's limit is used up, if it is.
    pub(super) fn parked_until(&self) -> Option<(Timestamp, WaitCause)> {
        self.parked.clone().filter(|_| self.is_open())
    }
}

/// What counts is the smaller of configured and learnt.
pub(super) fn take_lesson(limits: &mut Vec<Limit>, learnt: Limit) {
    match limits.iter_mut().find(|limit| limit.scope() == learnt.scope()) {
        Some(limit) => limit.amount = limit.amount.min(learnt.amount),
        None => limits.push(learnt),
    }
}

/// Keeps that lessons were raised: whoever begins a run tries them out.
pub(super) async fn keep_raised(pool: &PoolId, journal: &dyn Journal, now: Timestamp) -> JournalResult<()> {
    for lesson in journal.lessons(pool).await? {
        let lesson = raised(lesson, now);
        if lesson.at == now {
            journal.learn(pool, lesson).await?;
        }
    }
    Ok(())
}

/// A lesson that is a day old, raised to see whether more is allowed by now; a younger one as it is.
fn raised(lesson: Lesson, now: Timestamp) -> Lesson {
    if now.since(lesson.at) < TRY_MORE_AFTER {
        return lesson;
    }
    let amount = lesson.limit.amount.saturating_add((lesson.limit.amount / 4).max(1));
    Lesson { limit: Limit { amount, ..lesson.limit }, at: now }
}

/// How far back the ledger matters.
pub(super) fn reach(limits: &[Limit]) -> Duration {
    let windows = limits.iter().map(|limit| match limit.window {
        Window::Sliding(window) => window,
        Window::Day => LONGEST_DAY,
        Window::Now => Duration::ZERO,
    });
    windows.max().unwrap_or_default() + TO_SPARE
}

/// What a provider counts as tokens, relative to the rule of thumb: mean and spread of what it reported.
#[derive(Debug, Default)]
struct TokenEstimate {
    seen: u32,
    mean: f64,
    spread: f64,
}

impl TokenEstimate {
    fn observe(&mut self, ratio: f64) {
        self.seen = (self.seen + 1).min(50);
        let weight = 1.0 / f64::from(self.seen);
        let off = ratio - self.mean;
        self.mean += off * weight;
        if self.seen > 1 {
            self.spread += (off.abs() - self.spread) * weight;
        }
    }

    /// High enough for nearly every call: one that takes more than it reserved overruns the limit.
    fn expect(&self, estimate: u64) -> u64 {
        if self.seen == 0 {
            return estimate;
        }
        (estimate as f64 * (self.mean + 3.0 * self.spread).clamp(0.1, 10.0)).ceil() as u64
    }
}

impl std::fmt::Debug for PoolState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolState").field("id", &Arc::clone(&self.pool.id)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_estimate_follows_what_the_provider_reports() {
        let mut tokens = TokenEstimate::default();
        assert_eq!(tokens.expect(100), 100);
        for _ in 0..100 {
            tokens.observe(1.5);
        }
        assert_eq!(tokens.expect(100), 150);
    }
}
