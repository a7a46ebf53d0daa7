//! Money: what calls may cost at most, and what they are taken to have cost where nobody says.

use std::time::Duration;

use super::Run;
use super::call::Call;
use crate::job::RunEnd;
use crate::journal::{Amounts, EntryId, Settlement};
use crate::limiter::WaitCause;
use crate::model::Request;
use crate::purse::Purse;
use crate::queue::Queued;
use crate::time::Timestamp;
use crate::usage::{Demand, Usage, Usd};

/// So many answers tell how long those of a task are.
const ENOUGH_ANSWERS: u64 = 8;
/// A cap for the sake of the budget leaves room for so many times the longest answer seen.
const ROOM: u64 = 8;
/// No such cap is smaller, unless the budget is nearly used up.
const LEAST_CAP: u64 = 1_024;
/// Before the length of answers is known, one call may use so large a part of what is left.
const FIRST_PART: i64 = 4;
/// The budget should let so many calls be in flight, unless fewer items are left.
const AT_ONCE: u64 = 32;
/// A purse of which other runs have reserved the rest is looked into again after this.
const PURSE_AGAIN: Duration = Duration::from_secs(5);
/// An answer that was cut at such a cap is asked for with so many times it.
const AGAIN: u64 = 4;

/// An answer that was lost before any came: what it is booked at is a guess, until others show what they cost.
pub(super) struct GuessedCost {
    pool: usize,
    entry: Option<EntryId>,
    demand: Demand,
    items: usize,
    left: Timestamp,
    booked: Usd,
}

impl Run<'_> {
    /// The cap on an answer that lets the budget be spent, for a request that sets none; `None` if the model's own is no
    /// obstacle.
    ///
    /// The worst case of a request without a cap is as long as the model can answer, for most models a hundred times
    /// what it does answer: a budget that is enough for every item would admit none of them. So the worst case is made
    /// smaller, as far as answers leave room for it, and an answer that is cut all the same is asked for again with more.
    pub(super) fn budget_cap(&self, pool: usize, request: &Request, asked: &Demand, items: &[Queued]) -> Option<u64> {
        let (max, price) = (self.most_cost(pool)?, self.pools[pool].pool.price?);
        if !matches!(request, Request::Text(_)) || asked.output_cap.is_some() || price.output == Usd::ZERO {
            return None;
        }
        let prompt = price.worst_case(&Demand { output_cap: Some(0), ..*asked });
        let tokens = |money: Usd| {
            let (money, million) = (i128::from(money.as_nanos()), i128::from(price.output.as_nanos()));
            u64::try_from(money * 1_000_000 / million).unwrap_or(0)
        };
        let left = max - self.spent;
        let affordable = tokens(left - self.reserved - prompt);
        let task = self.job.task.name();
        let (longest, seen) = self.pools[pool].standing(|pool| pool.longest_answer(task));
        let usual = if seen == 0 { self.job.task.output_tokens_per_item() } else { longest } * items.len() as u64;
        let wanted = if seen < ENOUGH_ANSWERS {
            tokens(Usd::from_nanos(left.as_nanos() / FIRST_PART) - prompt).max((usual * ROOM).max(LEAST_CAP))
        } else {
            let at_once = self.job.options.concurrency.unwrap_or(AT_ONCE).min(self.queue.len() as u64 + 1).max(1);
            let share = tokens(Usd::from_nanos(left.as_nanos() / at_once.cast_signed()) - prompt);
            share.max((usual * ROOM).max(LEAST_CAP))
        };
        let floor = items.iter().map(|queued| queued.cap).max().unwrap_or(0);
        let mut cap = wanted.max(floor).max(1);
        if self.open_calls == 0 && affordable < cap && affordable >= floor.max(usual).max(1) {
            // Nothing comes back that could be waited for: the rest of the budget is enough for what is usual.
            cap = affordable;
        }
        (cap < price.output_cap).then_some(cap)
    }

    /// The cap with which items are to be asked for again whose answer was cut at one that the budget has set; `None` if
    /// the answer is to be taken as it is.
    pub(super) fn larger_cap(&self, call: &Call) -> Option<u64> {
        let (cap, price) = (call.cap?, self.pools[call.pool].pool.price?);
        let larger = cap.saturating_mul(AGAIN).min(price.output_cap);
        let left = self.most_cost(call.pool)? - self.spent - self.reserved;
        let affordable = price.worst_case(&Demand { output_cap: Some(larger), ..call.demand }) <= left;
        affordable.then_some(larger)
    }

    /// What the calls of a pool take from beside the job's own budget; a sandbox takes nothing.
    pub(super) fn purse(&self, pool: usize) -> Option<&Purse> {
        self.job.options.purse.as_deref().filter(|_| !self.pools[pool].pool.ephemeral)
    }

    /// Reserves what a call may cost in its owner's purse; if that is more than there is in it, how the run ends.
    pub(super) fn purse_is_empty(&self, pool: usize, worst: Usd, now: Timestamp) -> Option<RunEnd> {
        let purse = self.purse(pool)?;
        (!purse.reserve(worst, now))
            .then(|| RunEnd::Parked { until: purse.opens_at(now, PURSE_AGAIN), cause: WaitCause::Purse })
    }

    /// The most that the job may cost from what it has cost on: by its own budget, and by its owner's purse.
    fn most_cost(&self, pool: usize) -> Option<Usd> {
        let now = self.clock.now();
        let purse = self.purse(pool).map(|purse| purse.left(now) + self.spent + self.reserved);
        match (self.job.options.max_cost, purse) {
            (Some(own), Some(purse)) => Some(own.min(purse)),
            (own, purse) => own.or(purse),
        }
    }

    /// What a call used whose answer says so in part or not at all: the rest is what such calls use.
    pub(super) fn likely_usage(&self, pool: usize, demand: &Demand, items: usize, said: &Usage) -> Usage {
        let prompt = || self.pools[pool].standing(|pool| pool.likely_input_tokens(demand.input_tokens));
        let answer = || {
            let tokens = (self.answer_length(pool) * items as f64).round() as u64;
            tokens.min(demand.output_cap.unwrap_or(u64::MAX))
        };
        Usage {
            input_tokens: Some(said.input_tokens.unwrap_or_else(prompt)),
            output_tokens: Some(said.output_tokens.unwrap_or_else(answer)),
            images: Some(said.images.unwrap_or(demand.images)),
            ..*said
        }
    }

    /// Remembers what a lost answer was booked at, where no answer has shown yet what such cost.
    pub(super) fn note_guess(&mut self, call: &Call, booked: Usd) {
        if self.answers_seen(call.pool) < ENOUGH_ANSWERS {
            let (demand, items, left) = (call.demand, call.items.len(), call.left);
            self.guesses.push(GuessedCost { pool: call.pool, entry: call.entry, demand, items, left, booked });
        }
    }

    /// Corrects what lost answers were booked at, once others have shown what they cost; at the end whatever is known.
    pub(super) fn correct_guesses(&mut self, last: bool) {
        let enough = if last { 1 } else { ENOUGH_ANSWERS };
        for guess in std::mem::take(&mut self.guesses) {
            let Some(price) = self.pools[guess.pool].pool.price else { continue };
            if self.answers_seen(guess.pool) < enough {
                self.guesses.push(guess);
                continue;
            }
            let cost = price.of(&self.likely_usage(guess.pool, &guess.demand, guess.items, &Usage::default()));
            let less = cost - guess.booked;
            self.progress.cost += less;
            self.spent += less;
            if let Some(purse) = self.purse(guess.pool) {
                purse.spend(less, self.clock.now());
            }
            let correction = Settlement {
                entry: guess.entry,
                counted: Amounts { usd: less, ..Amounts::default() },
                left: guess.left,
                cost: less,
                estimated: true,
                ..self.bare_settlement(self.clock.now())
            };
            self.settle(correction);
        }
        if last {
            self.guesses.clear();
        }
    }

    fn answers_seen(&self, pool: usize) -> u64 {
        let task = self.job.task.name();
        self.pools[pool].standing(|pool| pool.longest_answer(task).1)
    }

    /// How many tokens an item's answer has, as far as answers have shown it.
    pub(super) fn answer_length(&self, pool: usize) -> f64 {
        let (task, estimate) = (self.job.task.name(), self.job.task.output_tokens_per_item());
        self.pools[pool].standing(|pool| pool.answer_length(task, estimate))
    }
}
