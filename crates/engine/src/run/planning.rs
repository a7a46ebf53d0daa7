//! How many items a call should carry, and how long what is left takes.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Run, Sample};
use crate::job::{Event, Packing};
use crate::plan::Outlook;
use crate::queue::Wanted;
use crate::task::Item;
use crate::time::Timestamp;
use crate::usage::Demand;

/// Packs of one and of so many items show how requests grow.
const SAMPLE: usize = 8;
/// What that has shown is good for so long.
const SAMPLE_HOLDS: Duration = Duration::from_secs(5);

impl<F: FnMut(Event<'_>) + Send> Run<F> {
    pub(super) fn pack_size(&mut self, pool: usize, now: Timestamp) -> usize {
        let limit = self.job.task.pack_limit().min(self.pack_ceiling).max(1);
        match self.job.options.packing {
            Packing::Off => 1,
            Packing::Fixed(size) => size.clamp(1, limit),
            Packing::Auto if limit == 1 => 1,
            Packing::Auto => self.with_outlook(pool, limit, now, |outlook| outlook.best().map_or(1, |plan| plan.pack)),
        }
    }

    /// About how long what is left takes: of the models that are waited for, the slowest, by the first open pool of
    /// each.
    pub(super) fn time_left(&mut self, now: Timestamp) -> Option<Duration> {
        let mut longest = None;
        for model in self.models_left() {
            let pool = self.pools.iter().position(|pool| pool.is_open() && pool.serves(&model))?;
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
        let state = &self.pools[pool];
        let mut lanes = self.queue.lane_lengths(|model| state.serves(model));
        lanes.push(usize::try_from(self.not_loaded()).unwrap_or(usize::MAX));
        let nth_at = |calls: u64, pack: usize| {
            let demand = grow(&one, &many, sampled, pack);
            state.nth_at(&self.accounts, calls, &state.amounts(&demand), now)
        };
        look(&Outlook {
            lanes: &lanes,
            pack_limit,
            concurrency: [self.job.options.concurrency, state.limiter.in_flight_cap()].into_iter().flatten().min(),
            now,
            nth_at: &nth_at,
            latency: &|items| state.latency.lock().expect(items),
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
