//! How long calls take, learnt from those that were answered: for planning and for deadlines.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

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
/// The guess at what a token of an answer takes. Providers take 0.5 to 15 ms; the guess is at their lower end because
/// the two mistakes do not cost the same. Too low, and calls carry more than is best: over 600 providers drawn from that
/// range and 0.2 to 4 s a call, the worst run took 1.6 times the best. Too high, and items are left for the next window
/// that this one had room for: with 3 ms the worst took 3.6 times, with 8 ms 8 times.
const SECONDS_PER_TOKEN: f64 = 0.001_2;
/// The guess at what a call takes beside that.
const SECONDS_PER_CALL: f64 = 1.0;
/// What is kept of a pool weighs as much as so many answers: a provider that has changed is found out soon.
const KEPT_WEIGHT: f64 = 12.0;

/// With every answer, the quickest one is thought to be this much slower, until another is as quick.
const QUICKEST_GROWS: f64 = 1.001;
/// Calls a second, beyond which a quick server's answers wait for this machine and not for the server.
const WORTHWHILE_RATE: f64 = 10_000.0;
/// So many calls in flight always are.
const WORTHWHILE_LEAST: u64 = 128;

/// Seconds; see [`Latency::is_quick`].
const QUICK: f64 = 0.02;

/// A [`Latency`] that calls on their way can look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedLatency(Arc<Mutex<Latency>>);

impl SharedLatency {
    pub(crate) fn new(latency: Latency) -> Self {
        Self(Arc::new(Mutex::new(latency)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Latency> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was learnt of a pool's latency, as it is kept: the weighted means of tokens (x) and seconds (y).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencyHabit {
    /// Answers that it rests on.
    pub answers: f64,
    /// The mean of the answers' tokens.
    pub tokens: f64,
    /// The mean of their seconds.
    pub seconds: f64,
    /// The mean of tokens squared.
    pub tokens_squared: f64,
    /// The mean of tokens times seconds.
    pub tokens_seconds: f64,
    /// The mean of seconds squared.
    pub seconds_squared: f64,
}

/// Latency as a straight line over the tokens of an answer, by least squares that forget slowly.
#[derive(Clone, Debug)]
pub(crate) struct Latency {
    weight: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
    seen: u32,
    /// The largest of late of observed to expected.
    worst: f64,
    /// About the quickest answer of late, in seconds.
    quickest: Option<f64>,
}

impl Default for Latency {
    fn default() -> Self {
        let zero = 0.0;
        Self { weight: zero, x: zero, y: zero, xx: zero, xy: zero, yy: zero, seen: 0, worst: 1.0, quickest: None }
    }
}

/// What a call takes in seconds: so much by itself, and so much for each token of its answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) base: f64,
    pub(crate) per_token: f64,
}

impl Line {
    /// How long an answer of so many tokens is expected to take.
    pub(crate) fn at(&self, tokens: f64) -> Duration {
        Duration::from_secs_f64((self.base + self.per_token * tokens).clamp(0.0, 86_400.0))
    }
}

impl Latency {
    /// Goes on from what was kept.
    pub(crate) fn from_habit(kept: &LatencyHabit) -> Self {
        let weight = kept.answers.clamp(0.0, KEPT_WEIGHT);
        Self {
            weight,
            x: kept.tokens * weight,
            y: kept.seconds * weight,
            xx: kept.tokens_squared * weight,
            xy: kept.tokens_seconds * weight,
            yy: kept.seconds_squared * weight,
            ..Self::default()
        }
    }

    /// What is to be kept; `None` while nothing is known.
    pub(crate) fn habit(&self) -> Option<LatencyHabit> {
        let mean = |sum: f64| sum / self.weight;
        (self.weight > 0.0).then(|| LatencyHabit {
            answers: self.weight,
            tokens: mean(self.x),
            seconds: mean(self.y),
            tokens_squared: mean(self.xx),
            tokens_seconds: mean(self.xy),
            seconds_squared: mean(self.yy),
        })
    }

    /// An answer of so many tokens came after so long.
    pub(crate) fn observe(&mut self, tokens: f64, took: Duration) {
        let (x, y) = (tokens, took.as_secs_f64());
        self.worst = (self.worst * 0.995).max(y / self.line().at(x).as_secs_f64().max(1e-6)).max(1.0);
        self.quickest = Some(self.quickest.map_or(y, |quickest| y.min(quickest * QUICKEST_GROWS)));
        self.weight = self.weight * DECAY + 1.0;
        self.x = self.x * DECAY + x;
        self.y = self.y * DECAY + y;
        self.xx = self.xx * DECAY + x * x;
        self.xy = self.xy * DECAY + x * y;
        self.yy = self.yy * DECAY + y * y;
        self.seen = self.seen.saturating_add(1);
        if self.seen == ENOUGH {
            // What was "worst" against the first guesses says nothing.
            self.worst = 1.0;
        }
    }

    /// Whether anything is known, by this process or one before.
    pub(crate) fn is_known(&self) -> bool {
        self.weight > 0.0
    }

    /// About the quickest answer of late: a refusal takes no longer.
    pub(crate) fn quickest(&self) -> Option<Duration> {
        self.quickest.map(Duration::from_secs_f64)
    }

    /// How many calls in flight are worth having: more than make [`WORTHWHILE_RATE`] only wait for each other.
    pub(crate) fn worthwhile(&self) -> u64 {
        self.quickest.map_or(u64::MAX, |quickest| (quickest * WORTHWHILE_RATE) as u64).max(WORTHWHILE_LEAST)
    }

    /// Whether answers come as quickly as a commit.
    pub(crate) fn is_quick(&self) -> bool {
        self.quickest.is_some_and(|quickest| quickest < QUICK)
    }

    /// After how long a call is given up whose answer is expected to have so many tokens; it was given up `timeouts`
    /// times before.
    pub(crate) fn deadline(&self, tokens: f64, images: bool, timeouts: u32) -> Duration {
        let shortest = if images { SHORTEST_IMAGE_DEADLINE } else { SHORTEST_DEADLINE };
        // A call that was cut gets twice the time: it may have been slow and not lost.
        let patience = 2_u32.saturating_pow(timeouts.min(6));
        if self.seen < ENOUGH {
            return FIRST_DEADLINE.max(shortest).saturating_mul(patience);
        }
        let expected = self.line().at(tokens);
        let learnt = expected.mul_f64(TAIL * self.worst).clamp(shortest, FIRST_DEADLINE.max(shortest));
        learnt.saturating_mul(patience)
    }

    /// The line through what was seen. Where answers were all about as long, they say little of what a token takes: the
    /// slope is then weighed against the guessed proportion of the two, each by how sure it is.
    pub(crate) fn line(&self) -> Line {
        if self.weight == 0.0 {
            return Line { base: SECONDS_PER_CALL, per_token: SECONDS_PER_TOKEN };
        }
        let (mean_x, mean_y) = (self.x / self.weight, self.y / self.weight);
        let scale = mean_y / (SECONDS_PER_CALL + SECONDS_PER_TOKEN * mean_x);
        let guessed = SECONDS_PER_TOKEN * scale;
        let variance = (self.xx / self.weight - mean_x * mean_x).max(0.0);
        let mut slope = guessed;
        if variance > 1e-6 * mean_x * mean_x && self.weight > 1.5 {
            let seen = (self.xy / self.weight - mean_x * mean_y) / variance;
            let scatter = (self.yy / self.weight - mean_y * mean_y - seen * seen * variance).max(0.0);
            // Half a per cent of the mean is what timers and machines add to any answer.
            let scatter = scatter + (0.005 * mean_y).powi(2);
            let (error, doubt) = (scatter / (self.weight * variance), guessed * guessed);
            slope = (seen * doubt + guessed * error) / (doubt + error).max(f64::MIN_POSITIVE);
        }
        let slope = slope.clamp(0.0, mean_y / mean_x.max(1.0));
        Line { base: (mean_y - slope * mean_x).max(0.0), per_token: slope }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(latency: &mut Latency, tokens: &[u64]) {
        for tokens in tokens {
            latency.observe(*tokens as f64, Duration::from_millis(500 + 2 * tokens));
        }
    }

    fn close(found: Line, base: f64, per_token: f64) -> bool {
        (found.base - base).abs() < 0.1 * base && (found.per_token - per_token).abs() < 0.1 * per_token
    }

    #[test]
    fn what_a_call_and_a_token_take_is_found_from_answers_of_different_lengths() {
        let mut latency = Latency::default();
        answers(&mut latency, &[160, 320, 640, 150, 480]);
        assert!(close(latency.line(), 0.5, 0.002), "{:?}", latency.line());
    }

    #[test]
    fn answers_of_one_length_keep_the_guessed_proportion_and_the_right_sum() {
        let mut latency = Latency::default();
        answers(&mut latency, &[1_000, 1_000, 1_000]);
        let line = latency.line();
        assert!((line.at(1_000.0).as_secs_f64() - 2.5).abs() < 0.01);
        let proportion = line.per_token / line.base;
        assert!((proportion - SECONDS_PER_TOKEN / SECONDS_PER_CALL).abs() < 1e-6, "{line:?}");
    }

    #[test]
    fn what_is_kept_is_known_to_the_next_process_and_gives_way_to_what_it_sees() {
        let mut latency = Latency::default();
        answers(&mut latency, &[160, 320, 640, 150, 480]);
        let mut next = Latency::from_habit(&latency.habit().unwrap());
        assert!(close(next.line(), 0.5, 0.002), "{:?}", next.line());
        for tokens in [100_u32, 200, 300, 400].repeat(80) {
            next.observe(f64::from(tokens), Duration::from_millis(u64::from(100 + 10 * tokens)));
        }
        assert!(close(next.line(), 0.1, 0.01), "{:?}", next.line());
    }

    #[test]
    fn nothing_is_cut_before_enough_was_seen_and_no_picture_before_ten_minutes() {
        let mut latency = Latency::default();
        assert_eq!(latency.deadline(200.0, false, 0), FIRST_DEADLINE);
        for _ in 0..50 {
            latency.observe(200.0, Duration::from_millis(500));
        }
        assert_eq!(latency.deadline(200.0, false, 0), SHORTEST_DEADLINE);
        assert_eq!(latency.deadline(200.0, true, 0), SHORTEST_IMAGE_DEADLINE);
        assert_eq!(latency.deadline(200.0, false, 1), SHORTEST_DEADLINE * 2);
    }

    #[test]
    fn a_slow_answer_makes_for_patience() {
        let mut latency = Latency::default();
        for _ in 0..60 {
            latency.observe(200.0, Duration::from_secs(2));
        }
        latency.observe(200.0, Duration::from_secs(12));
        assert!(latency.deadline(200.0, false, 0) > Duration::from_secs(40));
        assert!(latency.deadline(200.0, false, 3) > FIRST_DEADLINE, "a model that is slow in earnest is waited for");
    }
}
