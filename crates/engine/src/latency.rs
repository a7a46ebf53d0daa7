//! How long calls take, learnt from those that were answered: for planning and for deadlines.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How much an older observation still weighs when a new one comes.
const DECAY: f64 = 0.98;
/// Until this many answers were seen, no call is cut.
const ENOUGH: u32 = 50;
/// What a call may take before anything is known.
const FIRST_DEADLINE: Duration = Duration::from_secs(300);
/// No text call is cut before this: providers have slow moments.
pub(crate) const SHORTEST_DEADLINE: Duration = Duration::from_secs(5);
/// No call for a picture is cut before this: it is paid for, and lost if we leave.
const SHORTEST_IMAGE_DEADLINE: Duration = Duration::from_secs(600);
/// A call is given so many times what the slowest of late took, measured against what was expected of it.
const TAIL: f64 = 4.0;
/// A first guess at what a token of an answer takes.
const SECONDS_PER_TOKEN: f64 = 0.008;
/// A first guess at what a call takes beside that.
const SECONDS_PER_CALL: f64 = 1.0;

/// With every answer, the quickest one is thought to be this much slower, until another is as quick.
const QUICKEST_GROWS: f64 = 1.001;
/// Calls a second, beyond which a quick server's answers wait for this machine and not for the server.
const WORTHWHILE_RATE: f64 = 10_000.0;
/// So many calls in flight always are.
const WORTHWHILE_LEAST: u64 = 128;

/// Seconds; see [`Latency::is_quick`].
const QUICK: f64 = 0.02;

/// A [`Latency`] that calls on their way can look at.
#[derive(Clone, Debug)]
pub(crate) struct SharedLatency(Arc<Mutex<Latency>>);

impl SharedLatency {
    pub(crate) fn new(latency: Latency) -> Self {
        Self(Arc::new(Mutex::new(latency)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Latency> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Latency as a straight line over the items in a call, by least squares that forget slowly.
#[derive(Clone, Debug)]
pub(crate) struct Latency {
    weight: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    seen: u32,
    prior: (f64, f64),
    /// The largest of late of observed to expected.
    worst: f64,
    /// About the quickest answer of late, in seconds.
    quickest: Option<f64>,
}

impl Latency {
    /// `tokens` is about what one item takes of the answer.
    pub(crate) fn new(tokens: u64) -> Self {
        let prior = (SECONDS_PER_CALL, tokens as f64 * SECONDS_PER_TOKEN);
        Self { weight: 0.0, x: 0.0, y: 0.0, xx: 0.0, xy: 0.0, seen: 0, prior, worst: 1.0, quickest: None }
    }

    /// A call with so many items was answered after so long.
    pub(crate) fn observe(&mut self, items: usize, took: Duration) {
        let (x, y) = (items as f64, took.as_secs_f64());
        self.worst = (self.worst * 0.995).max(y / self.expect(items).as_secs_f64().max(1e-6)).max(1.0);
        self.quickest = Some(self.quickest.map_or(y, |quickest| y.min(quickest * QUICKEST_GROWS)));
        self.weight = self.weight * DECAY + 1.0;
        self.x = self.x * DECAY + x;
        self.y = self.y * DECAY + y;
        self.xx = self.xx * DECAY + x * x;
        self.xy = self.xy * DECAY + x * y;
        self.seen = self.seen.saturating_add(1);
        if self.seen == ENOUGH {
            // What was "worst" against the first guesses says nothing.
            self.worst = 1.0;
        }
    }

    /// How long a call with so many items is expected to take.
    pub(crate) fn expect(&self, items: usize) -> Duration {
        let (base, slope) = self.line();
        Duration::from_secs_f64((base + slope * items as f64).clamp(0.0, 86_400.0))
    }

    /// How many calls in flight are worth having: more than make [`WORTHWHILE_RATE`] only wait for each other.
    pub(crate) fn worthwhile(&self) -> u64 {
        self.quickest.map_or(u64::MAX, |quickest| (quickest * WORTHWHILE_RATE) as u64).max(WORTHWHILE_LEAST)
    }

    /// Whether answers come as quickly as a commit.
    pub(crate) fn is_quick(&self) -> bool {
        self.quickest.is_some_and(|quickest| quickest < QUICK)
    }

    /// After how long a call with so many items is given up; it was given up
    /// `timeouts` times before.
    pub(crate) fn deadline(&self, items: usize, images: bool, timeouts: u32) -> Duration {
        let shortest = if images { SHORTEST_IMAGE_DEADLINE } else { SHORTEST_DEADLINE };
        // A call that was cut gets twice the time: it may have been slow and not lost.
        let patience = 2_u32.saturating_pow(timeouts.min(6));
        if self.seen < ENOUGH {
            return FIRST_DEADLINE.max(shortest).saturating_mul(patience);
        }
        let learnt = self.expect(items).mul_f64(TAIL * self.worst).clamp(shortest, FIRST_DEADLINE.max(shortest));
        learnt.saturating_mul(patience)
    }

    fn line(&self) -> (f64, f64) {
        if self.weight == 0.0 {
            return self.prior;
        }
        let (mean_x, mean_y) = (self.x / self.weight, self.y / self.weight);
        let variance = self.xx / self.weight - mean_x * mean_x;
        if variance < 1e-3 {
            // All calls carried as many items: keep the guessed proportion of base to slope.
            let expected = self.prior.0 + self.prior.1 * mean_x;
            let scale = mean_y / expected.max(1e-9);
            return (self.prior.0 * scale, self.prior.1 * scale);
        }
        let slope = ((self.xy / self.weight - mean_x * mean_y) / variance).clamp(0.0, mean_y / mean_x.max(1.0));
        (mean_y - slope * mean_x, slope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found_from_what_was_seen() {
        let mut latency = Latency::new(100);
        for items in [1, 2, 4, 8, 3, 5] {
            latency.observe(items, Duration::from_millis(500 + 250 * items as u64));
        }
        let expected = latency.expect(6).as_secs_f64();
        assert!((expected - 2.0).abs() < 0.01, "{expected}");
    }

    #[test]
    fn nothing_is_cut_before_enough_was_seen_and_no_picture_before_ten_minutes() {
        let mut latency = Latency::new(100);
        assert_eq!(latency.deadline(1, false, 0), FIRST_DEADLINE);
        for _ in 0..50 {
            latency.observe(1, Duration::from_millis(500));
        }
        assert_eq!(latency.deadline(1, false, 0), SHORTEST_DEADLINE);
        assert_eq!(latency.deadline(1, true, 0), SHORTEST_IMAGE_DEADLINE);
        assert_eq!(latency.deadline(1, false, 1), SHORTEST_DEADLINE * 2);
    }

    #[test]
    fn a_slow_answer_makes_for_patience() {
        let mut latency = Latency::new(100);
        for _ in 0..60 {
            latency.observe(1, Duration::from_secs(2));
        }
        latency.observe(1, Duration::from_secs(12));
        assert!(latency.deadline(1, false, 0) > Duration::from_secs(40));
        assert!(latency.deadline(1, false, 3) > FIRST_DEADLINE, "a model that is slow in earnest is waited for");
    }
}
