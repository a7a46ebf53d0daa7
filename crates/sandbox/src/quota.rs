//! A provider's limits, counted as a provider does: by arrival, in a log of the time just past.
//!
//! Time is passed in, and no wire format is known here. A refused call leaves no trace in any count.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use crate::config::{Pacing, Quota, QuotaMetric, QuotaWindow};

/// One instant by both clocks: sliding windows go by the one, days by the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// The monotonic clock, for lengths of time.
    pub(crate) instant: Instant,
    /// The wall clock, for the calendar.
    pub(crate) wall: Timestamp,
}

/// The amounts that one call takes from the quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuotaCost {
    /// The tokens of its input.
    pub(crate) input_tokens: u64,
    /// The images that it asks for.
    pub(crate) images: u64,
}

impl QuotaCost {
    fn of(self, metric: QuotaMetric) -> u64 {
        match metric {
            QuotaMetric::Requests => 1,
            QuotaMetric::InputTokens => self.input_tokens,
            QuotaMetric::Images => self.images,
        }
    }
}

/// The reason why a call was not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QuotaRefusal {
    /// Every quota that it would have passed, at least one.
    pub(crate) violated: Vec<Quota>,
    /// The time until the last of them will let it in, as far as it can be foreseen.
    pub(crate) retry_after: Duration,
    /// The level of every quota.
    pub(crate) levels: Vec<Level>,
}

/// The level of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) quota: Quota,
    /// The amount that is left.
    pub(crate) remaining: u64,
    /// The time until all of it is left again, if nothing more is taken.
    pub(crate) resets_in: Duration,
}

/// A day's limit comes with a short delay on the real wire too, so that clients have to read which
/// limit it was.
const DAY_RETRY: Duration = Duration::from_secs(60);

/// Nobody can foresee when a call in flight ends.
const IN_FLIGHT_RETRY: Duration = Duration::from_secs(1);

/// The counts of one pool: what one key has spent on one model.
#[derive(Debug)]
pub(crate) struct QuotaPool {
    gauges: Vec<Gauge>,
}

#[derive(Debug)]
struct Gauge {
    quota: Quota,
    count: Count,
}

#[derive(Debug)]
enum Count {
    /// Every arrival in the window, with what it took.
    Log { metric: QuotaMetric, amount: u64, window: Duration, arrivals: VecDeque<(Instant, u64)>, used: u64 },
    /// Requests at a distance from each other.
    Even { distance: Duration, next: Option<Instant> },
    /// The amount that was taken today, and the end of today.
    Day { metric: QuotaMetric, amount: u64, used: u64, ends: Timestamp },
    /// Calls that have not been answered.
    InFlight { amount: u64, used: u64 },
}

impl QuotaPool {
    /// A pool of which nothing has been spent.
    pub(crate) fn new(quotas: &[Quota], pacing: Pacing) -> Self {
        let gauges = quotas.iter().map(|&quota| Gauge { quota, count: Count::new(quota, pacing) });
        Self { gauges: gauges.collect() }
    }

    /// Takes `cost` from every quota, or from none, and returns their levels. All are checked before any is taken
    /// from, so that a call that one of them refuses costs nothing in the others.
    ///
    /// A call that was let in has to be given back with [`QuotaPool::finish`] once it is over.
    pub(crate) fn admit(&mut self, now: Moment, zone: &TimeZone, cost: QuotaCost) -> Result<Vec<Level>, QuotaRefusal> {
        let mut violated = Vec::new();
        let mut retry_after = Duration::ZERO;
        for gauge in &mut self.gauges {
            gauge.count.forget(now, zone);
            if let Err(wait) = gauge.count.check(now, cost) {
                violated.push(gauge.quota);
                retry_after = retry_after.max(wait);
            }
        }
        if !violated.is_empty() {
            return Err(QuotaRefusal { violated, retry_after, levels: self.levels(now) });
        }
        for gauge in &mut self.gauges {
            gauge.count.take(now.instant, cost);
        }
        Ok(self.levels(now))
    }

    fn levels(&self, now: Moment) -> Vec<Level> {
        let level = |gauge: &Gauge| {
            let (remaining, resets_in) = gauge.count.level(now);
            Level { quota: gauge.quota, remaining, resets_in }
        };
        self.gauges.iter().map(level).collect()
    }

    /// One call that was let in is over.
    pub(crate) fn finish(&mut self) {
        for gauge in &mut self.gauges {
            if let Count::InFlight { used, .. } = &mut gauge.count {
                *used = used.saturating_sub(1);
            }
        }
    }
}

impl Count {
    fn new(quota: Quota, pacing: Pacing) -> Self {
        match quota {
            Quota::InFlight { amount } => Self::InFlight { amount, used: 0 },
            Quota::Windowed { metric, amount, window: QuotaWindow::Day } => {
                Self::Day { metric, amount, used: 0, ends: Timestamp::MIN }
            }
            Quota::Windowed { metric: QuotaMetric::Requests, amount, window: QuotaWindow::Sliding(window) }
                if pacing == Pacing::Even =>
            {
                let nanos = window.as_nanos() / u128::from(amount.max(1));
                let distance = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
                Self::Even { distance, next: None }
            }
            Quota::Windowed { metric, amount, window: QuotaWindow::Sliding(window) } => {
                Self::Log { metric, amount, window, arrivals: VecDeque::new(), used: 0 }
            }
        }
    }

    /// Drops what no longer counts.
    fn forget(&mut self, now: Moment, zone: &TimeZone) {
        match self {
            Self::Log { window, arrivals, used, .. } => {
                while let Some(&(at, took)) = arrivals.front()
                    && at + *window <= now.instant
                {
                    arrivals.pop_front();
                    *used -= took;
                }
            }
            Self::Day { used, ends, .. } if now.wall >= *ends => {
                *used = 0;
                *ends = day_after(now.wall, zone);
            }
            _ => {}
        }
    }

    /// Checks that there is room for `cost`. The error is the time until there is.
    fn check(&self, now: Moment, cost: QuotaCost) -> Result<(), Duration> {
        match self {
            Self::Log { metric, amount, window, arrivals, used } => {
                let wanted = cost.of(*metric);
                let mut left = *used;
                if left.saturating_add(wanted) <= *amount || wanted == 0 {
                    return Ok(());
                }
                for &(at, took) in arrivals {
                    left -= took;
                    if left.saturating_add(wanted) <= *amount {
                        return Err((at + *window).saturating_duration_since(now.instant));
                    }
                }
                // It is larger than the whole limit: no wait will help, and the wire can't say so.
                Err(*window)
            }
            Self::Even { next, .. } => match next {
                Some(next) if *next > now.instant => Err(next.duration_since(now.instant)),
                _ => Ok(()),
            },
            Self::Day { metric, amount, used, ends } => {
                let wanted = cost.of(*metric);
                if wanted == 0 || used.saturating_add(wanted) <= *amount {
                    return Ok(());
                }
                let left = Duration::try_from(ends.duration_since(now.wall)).unwrap_or(DAY_RETRY);
                Err(left.min(DAY_RETRY))
            }
            Self::InFlight { amount, used } if used >= amount => Err(IN_FLIGHT_RETRY),
            Self::InFlight { .. } => Ok(()),
        }
    }

    /// The amount that is left, and the time until all of it is.
    fn level(&self, now: Moment) -> (u64, Duration) {
        match self {
            Self::Log { amount, window, arrivals, used, .. } => {
                let ages_out = |&(at, _): &(Instant, u64)| (at + *window).saturating_duration_since(now.instant);
                (amount.saturating_sub(*used), arrivals.back().map_or(Duration::ZERO, ages_out))
            }
            Self::Even { next, .. } => {
                let wait = next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now.instant));
                (u64::from(wait.is_zero()), wait)
            }
            Self::Day { amount, used, ends, .. } => {
                (amount.saturating_sub(*used), Duration::try_from(ends.duration_since(now.wall)).unwrap_or_default())
            }
            Self::InFlight { amount, used } => (amount.saturating_sub(*used), Duration::ZERO),
        }
    }

    fn take(&mut self, now: Instant, cost: QuotaCost) {
        match self {
            Self::Log { metric, arrivals, used, .. } => {
                let took = cost.of(*metric);
                if took > 0 {
                    arrivals.push_back((now, took));
                    *used += took;
                }
            }
            Self::Even { distance, next } => *next = Some(now + *distance),
            Self::Day { metric, used, .. } => *used += cost.of(*metric),
            Self::InFlight { used, .. } => *used += 1,
        }
    }
}

/// The next midnight in `zone`. At the end of time, never.
fn day_after(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let tomorrow = now.to_zoned(zone.clone()).tomorrow().and_then(|day| day.start_of_day());
    tomorrow.map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    struct TimedPool {
        pool: QuotaPool,
        start: Instant,
        wall: Timestamp,
        zone: TimeZone,
    }

    impl TimedPool {
        fn new(quotas: &[&str], pacing: Pacing) -> Self {
            let quotas: Vec<Quota> = quotas.iter().map(|text| text.parse().unwrap()).collect();
            Self {
                pool: QuotaPool::new(&quotas, pacing),
                start: Instant::now(),
                wall: "2026-11-12T10:00:00-08:00".parse().unwrap(),
                zone: TimeZone::get("America/Los_Angeles").unwrap(),
            }
        }

        /// A call `millis` after the start, of so many tokens: when to come back, in milliseconds.
        fn call(&mut self, millis: u64, input_tokens: u64) -> Result<(), u128> {
            let after = Duration::from_millis(millis);
            let now = Moment { instant: self.start + after, wall: self.wall + after };
            let cost = QuotaCost { input_tokens, images: 0 };
            self.pool.admit(now, &self.zone, cost).map(drop).map_err(|refusal| refusal.retry_after.as_millis())
        }
    }

    #[test]
    fn a_burst_is_let_in_up_to_the_limit_and_again_when_the_oldest_has_aged_out() {
        let mut timed = TimedPool::new(&["requests=3/60s"], Pacing::Burst);
        assert_eq!(timed.call(0, 1), Ok(()));
        assert_eq!(timed.call(10_000, 1), Ok(()));
        assert_eq!(timed.call(20_000, 1), Ok(()));
        assert_eq!(timed.call(21_400, 1), Err(38_600));
        assert_eq!(timed.call(59_999, 1), Err(1));
        assert_eq!(timed.call(60_000, 1), Ok(()));
        assert_eq!(timed.call(60_000, 1), Err(10_000));
    }

    #[test]
    fn a_refused_call_does_not_count() {
        let mut timed = TimedPool::new(&["requests=1/60s"], Pacing::Burst);
        assert_eq!(timed.call(0, 1), Ok(()));
        for second in 1..60 {
            assert!(timed.call(second * 1000, 1).is_err());
        }
        assert_eq!(timed.call(60_000, 1), Ok(()));
    }

    #[test]
    fn no_window_at_any_place_holds_more_than_the_limit() {
        let mut timed = TimedPool::new(&["requests=5/1s"], Pacing::Burst);
        let mut admitted = Vec::new();
        let mut at = 0;
        for n in 0_u64..2000 {
            at += n * 7919 % 137;
            if timed.call(at, 1).is_ok() {
                admitted.push(at);
            }
        }
        assert!(admitted.len() > 100);
        assert!(admitted.windows(6).all(|six| six[5] - six[0] >= 1000));
    }

    #[test]
    fn tokens_wait_until_enough_of_them_have_aged_out() {
        let mut timed = TimedPool::new(&["input_tokens=100/60s"], Pacing::Burst);
        assert_eq!(timed.call(0, 40), Ok(()));
        assert_eq!(timed.call(1_000, 40), Ok(()));
        assert_eq!(timed.call(2_000, 20), Ok(()));
        assert_eq!(timed.call(3_000, 30), Err(57_000));
        assert_eq!(timed.call(3_000, 50), Err(58_000));
        assert_eq!(timed.call(60_000, 40), Ok(()));
    }

    #[test]
    fn a_call_larger_than_the_whole_limit_is_never_let_in() {
        let mut timed = TimedPool::new(&["input_tokens=100/60s"], Pacing::Burst);
        assert_eq!(timed.call(0, 101), Err(60_000));
        assert_eq!(timed.call(600_000, 101), Err(60_000));
        assert_eq!(timed.call(600_000, 100), Ok(()));
    }

    #[test]
    fn even_pacing_lets_nobody_burst() {
        let mut timed = TimedPool::new(&["requests=15/60s"], Pacing::Even);
        assert_eq!(timed.call(0, 1), Ok(()));
        assert_eq!(timed.call(0, 1), Err(4_000));
        assert_eq!(timed.call(3_999, 1), Err(1));
        assert_eq!(timed.call(4_500, 1), Ok(()));
        assert_eq!(timed.call(8_000, 1), Err(500));
    }

    #[test]
    fn a_day_ends_at_midnight_in_california_and_says_to_come_back_soon_all_the_same() {
        let mut timed = TimedPool::new(&["requests=2/day"], Pacing::Burst);
        assert_eq!(timed.call(0, 1), Ok(()));
        assert_eq!(timed.call(1_000, 1), Ok(()));
        assert_eq!(timed.call(2_000, 1), Err(60_000));
        let midnight = 14 * 3_600_000;
        assert_eq!(timed.call(midnight - 1_500, 1), Err(1_500));
        assert_eq!(timed.call(midnight, 1), Ok(()));
    }

    #[test]
    fn the_day_on_which_the_clocks_go_back_has_25_hours() {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        let start: Timestamp = "2026-11-01T00:00:00-07:00".parse().unwrap();
        assert_eq!(day_after(start, &zone).duration_since(start).as_hours(), 25);
    }

    #[test]
    fn calls_in_flight_are_counted_until_they_are_over() {
        let mut timed = TimedPool::new(&["in_flight=2"], Pacing::Burst);
        assert_eq!(timed.call(0, 1), Ok(()));
        assert_eq!(timed.call(0, 1), Ok(()));
        assert_eq!(timed.call(0, 1), Err(1_000));
        timed.pool.finish();
        assert_eq!(timed.call(0, 1), Ok(()));
    }

    #[test]
    fn a_call_that_passes_one_quota_takes_nothing_from_the_others() {
        let mut timed = TimedPool::new(&["requests=2/60s", "input_tokens=100/30s"], Pacing::Burst);
        assert_eq!(timed.call(0, 90), Ok(()));
        assert_eq!(timed.call(0, 90), Err(30_000));
        assert_eq!(timed.call(0, 10), Ok(()));
        let now = Moment { instant: timed.start, wall: timed.wall };
        let cost = QuotaCost { input_tokens: 1, images: 0 };
        let refusal = timed.pool.admit(now, &timed.zone, cost).unwrap_err();
        assert_eq!(refusal.violated.len(), 2);
        assert_eq!(refusal.retry_after, Duration::from_secs(60));
    }
    #[test]
    fn where_a_quota_stands_is_known_after_every_call() {
        let mut timed = TimedPool::new(&["requests=3/60s", "input_tokens=100/30s", "requests=5/day"], Pacing::Burst);
        let mut call = |millis| {
            let after = Duration::from_millis(millis);
            let now = Moment { instant: timed.start + after, wall: timed.wall + after };
            let cost = QuotaCost { input_tokens: 40, images: 0 };
            let levels = timed.pool.admit(now, &timed.zone, cost).unwrap_or_else(|refusal| refusal.levels);
            levels.iter().map(|level| (level.remaining, level.resets_in.as_secs())).collect::<Vec<_>>()
        };
        assert_eq!(call(0), [(2, 60), (60, 30), (4, 14 * 3600)]);
        assert_eq!(call(10_000), [(1, 60), (20, 30), (3, 14 * 3600 - 10)]);
        assert_eq!(call(20_000), [(1, 50), (20, 20), (3, 14 * 3600 - 20)], "a refused call takes nothing");
    }
}
