//! Retries: how long to pause, how many at once, and what to do when a provider fails as a whole.

use std::time::Duration;

use crate::time::Timestamp;

/// The first pause is anywhere up to this; it doubles with each attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// No pause is longer, unless the provider asks for it.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Retries earned by each call: they stay a quarter of the traffic.
const EARNED_PER_CALL: f64 = 0.25;
/// Retries that are free at the start, and the most that can be saved up.
const SAVED_AT_START: f64 = 10.0;
const SAVED_AT_MOST: f64 = 100.0;
/// When the budget is spent, a retry comes free this often: it delays items, it never fails one.
const ONE_FREE_EVERY: Duration = Duration::from_secs(2);
/// Faults in a row, with no answer between them, that make an outage.
const OUTAGE_AFTER: u32 = 8;
/// The first probe of a pool that fails as a whole comes after this; the pause doubles to the longest.
const FIRST_PROBE: Duration = Duration::from_secs(1);

/// The pause before attempt `attempts + 1`: anywhere between zero and a bound that doubles ("full
/// jitter"), or what the provider asked for if that is longer. `draw` is uniform in 0..1.
pub(crate) fn pause(attempts: u32, asked: Option<Duration>, draw: f64) -> Duration {
    let bound = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1))).min(LONGEST_PAUSE);
    bound.mul_f64(draw).max(asked.unwrap_or_default())
}

/// How many retries may be made.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    saved: f64,
    last_free: Timestamp,
}

impl RetryBudget {
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self { saved: SAVED_AT_START, last_free: now }
    }

    /// A first attempt was made.
    pub(crate) fn earn(&mut self) {
        self.saved = (self.saved + EARNED_PER_CALL).min(SAVED_AT_MOST);
    }

    /// A retry was answered: it was no load on a provider that fails.
    pub(crate) fn refund(&mut self) {
        self.saved = (self.saved + 1.0).min(SAVED_AT_MOST);
    }

    /// How many retries may be made now.
    pub(crate) fn available(&self, now: Timestamp) -> usize {
        let free = now.since(self.last_free).as_secs_f64() / ONE_FREE_EVERY.as_secs_f64();
        (self.saved + free).min(SAVED_AT_MOST) as usize
    }

    /// `count` retries are made.
    pub(crate) fn spend(&mut self, count: usize, now: Timestamp) {
        let free = (now.since(self.last_free).as_secs_f64() / ONE_FREE_EVERY.as_secs_f64()).floor();
        self.last_free = self.last_free.after(ONE_FREE_EVERY.mul_f64(free));
        self.saved = (self.saved + free - count as f64).min(SAVED_AT_MOST);
    }

    /// When the next retry may be made, if none may now.
    pub(crate) fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        let missing = 1.0 - self.saved;
        (self.available(now) == 0).then(|| self.last_free.after(ONE_FREE_EVERY.mul_f64(missing.max(0.0))))
    }
}

/// Whether a pool answers at all.
#[derive(Debug, Default)]
pub(crate) struct Health {
    in_a_row: u32,
    probes: u32,
    next_probe: Option<Timestamp>,
}

impl Health {
    /// The pool answered.
    pub(crate) fn good(&mut self) {
        *self = Self::default();
    }

    /// The pool failed in a way that speaks of the whole of it.
    pub(crate) fn bad(&mut self, now: Timestamp) {
        self.in_a_row += 1;
        let probing = self.next_probe.is_some();
        if self.in_a_row == OUTAGE_AFTER || (probing && self.next_probe.is_some_and(|at| at <= now)) {
            self.next_probe = Some(now.after(self.probe_pause()));
        }
    }

    /// Whether it fails as a whole: its faults then say nothing about the items.
    pub(crate) const fn is_out(&self) -> bool {
        self.next_probe.is_some()
    }

    /// When the next probe is due, if the pool is out.
    pub(crate) const fn next_probe(&self) -> Option<Timestamp> {
        self.next_probe
    }

    /// A probe leaves: the next one has to wait.
    pub(crate) fn probe(&mut self, now: Timestamp) {
        if self.next_probe.is_some() {
            self.probes = (self.probes + 1).min(10);
            self.next_probe = Some(now.after(self.probe_pause()));
        }
    }

    fn probe_pause(&self) -> Duration {
        FIRST_PROBE.saturating_mul(2_u32.saturating_pow(self.probes)).min(LONGEST_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn start() -> Timestamp {
        Timestamp::from_micros(0)
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_honour_what_was_asked() {
        assert_eq!(pause(1, None, 1.0), FIRST_PAUSE);
        assert_eq!(pause(3, None, 1.0), FIRST_PAUSE * 4);
        assert_eq!(pause(60, None, 1.0), LONGEST_PAUSE);
        assert_eq!(pause(3, None, 0.0), Duration::ZERO);
        assert_eq!(pause(1, Some(SECOND * 7), 0.5), SECOND * 7);
    }

    #[test]
    fn retries_are_a_quarter_of_the_traffic_and_never_end_for_good() {
        let mut budget = RetryBudget::new(start());
        budget.spend(10, start());
        assert_eq!(budget.available(start()), 0);
        for _ in 0..8 {
            budget.earn();
        }
        assert_eq!(budget.available(start()), 2);
        budget.spend(2, start());
        let next = budget.next_at(start()).unwrap();
        assert_eq!(budget.available(next), 1);
    }

    #[test]
    fn a_pool_that_fails_as_a_whole_is_probed_ever_more_rarely_until_it_answers() {
        let mut health = Health::default();
        for _ in 0..7 {
            health.bad(start());
        }
        assert!(!health.is_out());
        health.bad(start());
        assert_eq!(health.next_probe(), Some(start().after(SECOND)));
        health.probe(start().after(SECOND));
        assert_eq!(health.next_probe(), Some(start().after(SECOND * 3)));
        health.good();
        assert!(!health.is_out());
    }
}
