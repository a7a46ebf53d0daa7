//! What is known of one pool, by all runs of this process.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::job::{EngineError, Pool};
use crate::journal::{EntryId, Habits, Journal, PoolId};
use crate::latency::{Latency, Line, SharedLatency};
use crate::limit::{Limit, LimitKind, Window};
use crate::limiter::Limiter;
use crate::retry::Health;
use crate::time::Timestamp;
use crate::usage::{Demand, Usage};

/// At the least a reservation may be used this long after it was made; more where commits are slow.
const SHORTEST_SLACK: Duration = Duration::from_millis(250);
/// What calls of late are counted over, to tell how the pool is shared.
const LATELY: f64 = 30.0;
/// That bursts are not taken holds for so long: then it is found out again.
const EVEN_HOLDS: Duration = Duration::from_secs(24 * 3600);
/// How much an older answer's length still weighs when a new one comes.
const DECAY: f64 = 0.95;

#[derive(Debug)]
pub(crate) struct PoolStanding {
    pub(crate) id: PoolId,
    configured: Vec<Limit>,
    /// The limits as they were when they were last read: configured and learnt.
    known: Vec<Limit>,
    pub(crate) limiter: Limiter,
    pub(crate) health: Health,
    pub(crate) latency: SharedLatency,
    /// How long after its reservation a call may leave.
    pub(crate) slack: Duration,
    /// Calls of late, by anyone.
    pub(crate) share: Lately,
    /// The last of the ledger's entries that was read.
    pub(super) read_up_to: EntryId,
    tokens: TokenEstimate,
    /// How long the answers of each task are.
    answers: HashMap<&'static str, AnswerLength>,
    kept: Habits,
}

impl PoolStanding {
    /// Takes over what the ledger says of the pool, up to an entry where later ones are yet to be told of, and what was
    /// learnt of it.
    pub(super) async fn open(
        pool: &Pool,
        limits: &[Limit],
        up_to: Option<EntryId>,
        journal: &dyn Journal,
        now: Timestamp,
    ) -> Result<Self, EngineError> {
        let kept = if pool.ephemeral { None } else { journal.habits(&pool.id).await? }.unwrap_or_default();
        let mut limiter = Limiter::new(limits, pool.day_zone.clone(), pool.connect, kept.burst, now);
        if let Some(apart) = kept.apart_us.filter(|_| now.since(kept.apart_at) < EVEN_HOLDS) {
            limiter.pace(Duration::from_micros(apart), now);
        }
        let entries = journal.ledger(&pool.id, now.before(super::reach(limits))).await?;
        let own = entries.iter().filter(|entry| entry.pool == pool.id);
        limiter.restore(own.filter(|entry| up_to.is_none_or(|up_to| entry.id <= up_to)), now);
        let latency = kept.latency.as_ref().map(Latency::from_habit).unwrap_or_default();
        Ok(Self {
            id: pool.id.clone(),
            configured: pool.limits.clone(),
            known: windows(limits),
            limiter,
            health: Health::default(),
            latency: SharedLatency::new(latency),
            slack: SHORTEST_SLACK,
            share: Lately::default(),
            read_up_to: entries.iter().map(|entry| entry.id).max().unwrap_or_default(),
            tokens: TokenEstimate::default(),
            answers: HashMap::new(),
            kept,
        })
    }

    /// Whether it is the pool with these configured limits, and `limits` is what is known by now. What others have learnt
    /// of the same limits since is taken over.
    pub(super) fn has(&self, configured: &[Limit], limits: &[Limit]) -> bool {
        let scopes = |limits: &[Limit]| {
            let mut scopes: Vec<String> =
                limits.iter().map(|limit| Limit { amount: 1, ..*limit }.to_string()).collect();
            scopes.sort();
            scopes
        };
        let limits = windows(limits);
        self.configured == configured
            && (limits == self.known || scopes(&limits) == scopes(&windows(&self.limiter.limits())))
    }

    /// Takes over what others have learnt of its limits since.
    pub(super) fn update(&mut self, limits: &[Limit]) {
        let limits = windows(limits);
        if limits != self.known {
            limits.iter().for_each(|limit| self.limiter.set(*limit));
            self.known = limits;
        }
    }

    /// The tokens to reserve. What fits by the rule of thumb is never made too large by what was learnt.
    pub(crate) fn input_tokens(&self, estimate: u64) -> u64 {
        let most = self.limiter.most(LimitKind::InputTokens).filter(|most| estimate <= *most);
        self.tokens.expect(estimate).min(most.unwrap_or(u64::MAX))
    }

    /// The tokens that the provider is likely to count for a prompt.
    pub(crate) fn likely_input_tokens(&self, estimate: u64) -> u64 {
        self.tokens.likely(estimate)
    }

    /// An answer to a call with so many items of a task came after so long.
    pub(crate) fn learn(&mut self, task: &'static str, items: usize, demand: &Demand, usage: &Usage, took: Duration) {
        if let Some(reported) = usage.input_tokens.filter(|_| demand.input_tokens > 0) {
            self.tokens.observe(reported as f64 / demand.input_tokens as f64);
        }
        if let Some(tokens) = usage.output_tokens {
            self.answers.entry(task).or_default().observe(tokens, items);
        }
        let tokens =
            usage.output_tokens.map_or_else(|| self.answer_length(task, 0) * items as f64, |tokens| tokens as f64);
        self.latency.lock().observe(tokens, took);
    }

    /// How many tokens of an answer an item of the task takes; `estimate` where nothing is known.
    pub(crate) fn answer_length(&self, task: &'static str, estimate: u64) -> f64 {
        let seen = self.answers.get(task).map(|answers| answers.mean);
        seen.or_else(|| self.kept.tokens_per_item.get(task).copied()).unwrap_or(estimate as f64)
    }

    /// The most tokens that an item of the task was seen to take, and how many answers that rests on.
    pub(crate) fn longest_answer(&self, task: &'static str) -> (u64, u64) {
        self.answers.get(task).map_or((0, 0), |answers| (answers.longest, answers.seen))
    }

    /// What a call takes in seconds by itself, and for each item of the task.
    pub(crate) fn expected(&self, task: &'static str, estimate: u64) -> (f64, f64) {
        let Line { base, per_token } = self.latency.lock().line();
        (base, per_token * self.answer_length(task, estimate))
    }

    /// From admission to departure takes so long: reservations must hold at least until then.
    pub(crate) fn learn_slack(&mut self, took: Duration) {
        self.slack = (self.slack.mul_f64(0.95)).max(took * 4).max(SHORTEST_SLACK);
    }

    /// What is to be kept of it; `None` if nothing new was found out.
    pub(crate) fn habits(&mut self, now: Timestamp) -> Option<Habits> {
        let (burst, apart) = self.limiter.manner();
        let mut tokens_per_item = self.kept.tokens_per_item.clone();
        tokens_per_item.extend(self.answers.iter().map(|(task, answers)| ((*task).to_owned(), answers.mean)));
        let apart_us = apart.and_then(|apart| u64::try_from(apart.as_micros()).ok());
        let habits = Habits {
            latency: self.latency.lock().habit(),
            burst,
            apart_us,
            apart_at: if apart_us == self.kept.apart_us { self.kept.apart_at } else { now },
            tokens_per_item,
            at: self.kept.at,
        };
        if habits == self.kept {
            return None;
        }
        self.kept = Habits { at: now, ..habits };
        Some(self.kept.clone())
    }
}

/// The limits that are counted over time, in an order of their own.
fn windows(limits: &[Limit]) -> Vec<Limit> {
    let by_name: BTreeMap<String, Limit> =
        limits.iter().filter(|limit| limit.window != Window::Now).map(|limit| (limit.to_string(), *limit)).collect();
    by_name.into_values().collect()
}

/// Something that no other has by chance.
pub(crate) fn random_id() -> String {
    format!("{:x}-{:016x}", std::process::id(), RandomState::new().build_hasher().finish())
}

/// How many there were of late: what is older counts ever less.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lately {
    /// What lies so many seconds back counts for a third.
    over: f64,
    count: f64,
    at: Timestamp,
}

/// Calls, to tell how a pool is shared.
impl Default for Lately {
    fn default() -> Self {
        Self::over(LATELY)
    }
}

impl Lately {
    /// Counts over about so many seconds.
    pub(crate) fn over(seconds: f64) -> Self {
        Self { over: seconds, count: 0.0, at: Timestamp::default() }
    }

    pub(crate) fn add(&mut self, more: f64, now: Timestamp) {
        self.count = self.count(now) + more;
        self.at = now;
    }

    pub(crate) fn count(&self, now: Timestamp) -> f64 {
        self.count * (-now.since(self.at).as_secs_f64() / self.over).exp()
    }
}

/// How long answers are, an item.
#[derive(Clone, Copy, Debug, Default)]
struct AnswerLength {
    weight: f64,
    mean: f64,
    longest: u64,
    seen: u64,
}

impl AnswerLength {
    fn observe(&mut self, tokens: u64, items: usize) {
        let items = items.max(1);
        self.weight = self.weight * DECAY + items as f64;
        self.mean += (tokens as f64 / items as f64 - self.mean) * items as f64 / self.weight;
        self.longest = self.longest.max(tokens.div_ceil(items as u64));
        self.seen += 1;
    }
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

    fn likely(&self, estimate: u64) -> u64 {
        if self.seen == 0 { estimate } else { (estimate as f64 * self.mean).round() as u64 }
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
        assert_eq!((tokens.expect(100), tokens.likely(100)), (150, 150));
    }

    #[test]
    fn what_is_long_past_counts_for_nothing_in_how_a_pool_is_shared() {
        let start = Timestamp::from_micros(0);
        let mut calls = Lately::default();
        calls.add(100.0, start);
        assert!((calls.count(start.after(Duration::from_secs(30))) - 36.8).abs() < 0.1);
        assert!(calls.count(start.after(Duration::from_secs(600))) < 0.001);
    }
}
