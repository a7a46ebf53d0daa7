//! How many items a call should carry, and how long what is left takes.

use std::collections::BTreeSet;
use std::time::Duration;

use super::pool::PoolState;
use super::{Run, Sample};
use crate::job::Packing;
use crate::limit::Window;
use crate::limiter::WaitCause;
use crate::plan::Outlook;
use crate::queue::Wanted;
use crate::task::Item;
use crate::time::Timestamp;
use crate::usage::Demand;

/// Packs of one and of so many items show how requests grow.
const SAMPLE: usize = 8;
/// What that has shown is good for so long.
const SAMPLE_HOLDS: Duration = Duration::from_secs(5);
/// A run that limits held up so short a time ago is held up by them again.
const LIMITED_FOR: Duration = Duration::from_secs(90);
/// A limit that nobody has told of shows within this, if there is one.
const MAY_SHOW: Duration = Duration::from_secs(60);

impl Run<'_> {
    pub(super) fn pack_size(&mut self, pool: usize, now: Timestamp) -> usize {
        let limit = self.job.task.pack_limit().min(self.pack_ceiling).max(1);
        match self.job.options.packing {
            Packing::Off => 1,
            Packing::Fixed(size) => size.clamp(1, limit),
            Packing::Auto if limit == 1 => 1,
            Packing::Auto => self.with_outlook(pool, limit, now, |outlook| outlook.best().map_or(1, |plan| plan.pack)),
        }
    }

    /// About how long what is left takes; `None` where that would be a guess: nothing is known of the latency, a limit
    /// may be about to show, or the provider fails.
    pub(super) fn time_left(&mut self, now: Timestamp) -> Option<Duration> {
        if matches!(self.wait, Some((_, WaitCause::Outage | WaitCause::Backoff | WaitCause::Budget))) {
            return None;
        }
        let in_flight = if self.open_calls == 0 { Some(Duration::ZERO) } else { self.answered_in(now) };
        let waiting = self.queue.len() as u64 + self.not_loaded();
        if waiting == 0 {
            return in_flight;
        }
        let waiting = waiting.min(self.affordable_items().unwrap_or(u64::MAX));
        // What others still want of the limits, nobody knows.
        if self.pools.iter().any(|pool| pool.is_open() && pool.is_shared(now)) {
            return None;
        }
        let by_limits = self.time_by_limits(now)?;
        let limits = |cause: &WaitCause| match cause {
            WaitCause::Limit(limit) => limit.window != Window::Now,
            cause => matches!(cause, WaitCause::Told | WaitCause::Turn),
        };
        if self.wait.as_ref().is_some_and(|(_, cause)| limits(cause)) {
            self.limited_at = Some(now);
        }
        // Between two full windows nothing waits; and what limits hold up has no pace.
        if self.limited_at.is_some_and(|at| now.since(at) < LIMITED_FOR) {
            return Some(by_limits.max(in_flight.unwrap_or_default()));
        }
        let items = waiting + self.in_flight;
        let by_pace = self.pace.takes(items, now);
        let one_wave = waiting <= self.most_in_flight().saturating_sub(self.open_calls);
        match by_pace {
            Some(takes) if self.limits_may_show(now) => (takes < MAY_SHOW).then_some(takes),
            Some(takes) => Some(takes.max(by_limits)),
            None if one_wave => Some(by_limits.max(in_flight?)),
            None => None,
        }
    }

    /// Whether a limit that nobody has told of may be about to show: those of a minute do within one.
    fn limits_may_show(&self, now: Timestamp) -> bool {
        let searching =
            |pool: &PoolState| pool.is_open() && !pool.pool.ephemeral && pool.standing(|it| it.limiter.is_searching());
        now.since(self.began) < MAY_SHOW && self.pools.iter().any(searching)
    }

    /// When the last of the calls in flight should be answered; `None` if nothing is known, or it is late.
    fn answered_in(&self, now: Timestamp) -> Option<Duration> {
        let known = self.pools.iter().all(|pool| pool.latency.lock().is_known());
        // By what is known now, which may be more than when it left.
        let (_, left, pool, tokens) = self.last_expected;
        let end = left.after(self.pools[pool].latency.lock().line().at(tokens));
        (known && end > now).then(|| end.since(now))
    }

    /// How many more items the budget is enough for, if they cost what those before did.
    fn affordable_items(&self) -> Option<u64> {
        let left = self.job.options.max_cost? - self.spent - self.reserved;
        let answered = self.progress.ended();
        let each = self.progress.cost.as_nanos().checked_div(i64::try_from(answered).ok()?)?;
        u64::try_from(left.as_nanos().max(0).checked_div(each)?).ok()
    }

    /// How long the limits make it take: of the models that are waited for, the slowest, by the first open pool of each.
    fn time_by_limits(&mut self, now: Timestamp) -> Option<Duration> {
        let mut longest = None;
        for model in self.models_left() {
            let pool = self.pools.iter().position(|pool| pool.is_open() && pool.serves(&model))?;
            if !self.pools[pool].latency.lock().is_known() {
                return None;
            }
            longest = longest.max(Some(self.time_left_on(pool, now)?));
        }
        longest
    }

    /// The models that what is left wants; any, if all that is left is still in the journal.
    fn models_left(&self) -> BTreeSet<Wanted> {
        let models = self.queue.models();
        if models.is_empty() { BTreeSet::from([None]) } else { models }
    }

    fn time_left_on(&mut self, pool: usize, now: Timestamp) -> Option<Duration> {
        let limit = self.job.task.pack_limit().min(self.pack_ceiling).max(1);
        let fixed = match self.job.options.packing {
            Packing::Off => Some(1),
            Packing::Fixed(size) => Some(size.clamp(1, limit)),
            Packing::Auto => None,
        };
        self.with_outlook(pool, limit, now, |outlook| match fixed {
            Some(size) => outlook.with(size).map(|plan| plan.takes),
            None => outlook.best().map(|plan| plan.takes),
        })
    }

    fn with_outlook<R>(
        &mut self,
        pool: usize,
        pack_limit: usize,
        now: Timestamp,
        look: impl FnOnce(&Outlook<'_>) -> R,
    ) -> R {
        let Sample { one, many, items: sampled, .. } = self.sample(pool, now);
        let (task, estimate) = (self.job.task.name(), self.job.task.output_tokens_per_item());
        let state = &self.pools[pool];
        let mut lanes = self.queue.lane_lengths(|model| state.serves(model));
        lanes.push(usize::try_from(self.not_loaded()).unwrap_or(usize::MAX));
        let nth_at = |calls: u64, pack: usize| {
            let demand = grow(&one, &many, sampled, pack);
            state.nth_at(calls, &state.amounts(&demand), now)
        };
        let (in_flight_cap, latency) =
            state.standing(|pool| (pool.limiter.in_flight_cap(), pool.expected(task, estimate)));
        look(&Outlook {
            lanes: &lanes,
            pack_limit,
            concurrency: [self.job.options.concurrency, in_flight_cap].into_iter().flatten().min(),
            now,
            nth_at: &nth_at,
            latency,
        })
    }

    /// Items that the journal still holds.
    fn not_loaded(&self) -> u64 {
        if self.source.exhausted { 0 } else { self.job.items.saturating_sub(self.source.loaded) }
    }

    /// What a call with one item takes, and one with several: requests grow in a straight line.
    fn sample(&mut self, pool: usize, now: Timestamp) -> Sample {
        if let Some(sample) = self.sample.filter(|sample| now.since(sample.at) < SAMPLE_HOLDS) {
            return sample;
        }
        let state = &self.pools[pool];
        let items = self.queue.peek(SAMPLE.min(self.job.task.pack_limit()), |model| state.serves(model));
        let demand = |items: &[Item]| {
            if items.is_empty() {
                return Demand::default();
            }
            self.job.task.compose(items).map(|request| request.demand()).unwrap_or_default()
        };
        let one = demand(&items[..items.len().min(1)]);
        let sample = Sample { one, many: demand(&items), items: items.len(), at: now };
        if sample.items > 0 {
            self.sample = Some(sample);
        }
        sample
    }
}

/// The demand of `pack` items, from that of one and that of `sampled`.
pub(super) fn grow(one: &Demand, many: &Demand, sampled: usize, pack: usize) -> Demand {
    let line = |one: u64, many: u64| {
        if sampled < 2 {
            return one;
        }
        let each = many.saturating_sub(one) / (sampled as u64 - 1);
        one + each * (pack as u64 - 1)
    };
    Demand {
        input_tokens: line(one.input_tokens, many.input_tokens),
        input_bytes: line(one.input_bytes, many.input_bytes),
        output_cap: one.output_cap.zip(many.output_cap).map(|(one, many)| line(one, many)),
        images: line(one.images, many.images),
    }
}
