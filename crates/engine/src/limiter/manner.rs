//! How a provider takes bursts: carefully found out, then kept to.

use std::time::Duration;

use crate::time::Timestamp;

/// Calls in the first group.
const FIRST_GROUP: u32 = 4;
/// Time between groups.
const GROUP_EVERY: Duration = Duration::from_millis(100);
/// A group of this size that was answered without refusal has proven the pool.
const PROVEN_GROUP: u32 = 4096;

/// How calls may follow each other, limits aside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Manner {
    /// Not yet known: groups that grow while nothing is refused.
    Opening { group: u32, credit: u32, next_group: Timestamp },
    /// Bursts are taken.
    Burst,
    /// Calls are spaced evenly.
    Even { interval: Duration, least: Duration, next: Timestamp },
}

impl Manner {
    pub(crate) const fn opening(now: Timestamp) -> Self {
        Self::Opening { group: FIRST_GROUP, credit: FIRST_GROUP, next_group: now }
    }

    /// The earliest moment for one more call.
    pub(crate) fn free_at(&self, now: Timestamp) -> Timestamp {
        match *self {
            Self::Opening { credit: 0, next_group, .. } => next_group.max(now),
            Self::Opening { .. } | Self::Burst => now,
            Self::Even { next, .. } => next.max(now),
        }
    }

    /// One more call leaves. Only to be called when [`Self::free_at`] is not after `now`.
    pub(crate) fn take(&mut self, now: Timestamp) {
        match self {
            Self::Opening { group, credit, next_group } => {
                if *next_group <= now {
                    // The group whose time has come; what the last one left over is not saved up.
                    *credit = *group;
                    *next_group = now.after(GROUP_EVERY);
                }
                *credit = credit.saturating_sub(1);
            }
            Self::Burst => {}
            Self::Even { interval, next, .. } => *next = now.after(*interval),
        }
    }

    /// A call that was taken leaves now: what held it up must not bring it closer to the next one.
    pub(crate) fn left(&mut self, now: Timestamp) {
        if let Self::Even { interval, next, .. } = self {
            *next = (*next).max(now.after(*interval));
        }
    }

    /// A call was answered without refusal.
    pub(crate) fn answered(&mut self) {
        if let Self::Even { interval, least, .. } = self {
            // What a refusal has widened narrows again, slowly.
            *interval = interval.mul_f64(0.99).max(*least);
        }
        if let Self::Opening { group, credit, .. } = self
            && *credit == 0
        {
            *group *= 2;
            *credit = *group;
            if *group >= PROVEN_GROUP {
                *self = Self::Burst;
            }
        }
    }

    /// Calls left in the present group, for planning; `None` if there is no such bound.
    pub(crate) const fn is_even(&self) -> Option<Duration> {
        if let Self::Even { interval, .. } = self { Some(*interval) } else { None }
    }

    /// From now on, calls are at least `interval` apart; a second refusal widens it by a tenth.
    pub(crate) fn pace(&mut self, interval: Duration, now: Timestamp) {
        let least = interval;
        let interval = match *self {
            Self::Even { interval: old, .. } => old.max(interval).mul_f64(1.1),
            _ => interval,
        };
        *self = Self::Even { interval, least, next: now.after(interval) };
    }

    /// A refusal ended the opening: what was found is the limit.
    pub(crate) fn close_opening(&mut self) {
        if matches!(self, Self::Opening { .. }) {
            *self = Self::Burst;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: i64) -> Timestamp {
        Timestamp::from_micros(ms * 1000)
    }

    fn admitted(manner: &mut Manner, now: Timestamp) -> u32 {
        let mut count = 0;
        while manner.free_at(now) <= now && count < 10_000 {
            manner.take(now);
            count += 1;
        }
        count
    }

    #[test]
    fn a_pool_opens_with_four_calls_and_four_more_every_tenth_of_a_second() {
        let mut manner = Manner::opening(ms(0));
        assert_eq!(admitted(&mut manner, ms(0)), 4);
        assert_eq!(admitted(&mut manner, ms(99)), 0);
        assert_eq!(admitted(&mut manner, ms(100)), 4);
        assert_eq!(admitted(&mut manner, ms(200)), 4);
    }

    #[test]
    fn the_group_doubles_once_one_is_answered_without_refusal() {
        let mut manner = Manner::opening(ms(0));
        admitted(&mut manner, ms(0));
        manner.answered();
        manner.answered();
        assert_eq!(admitted(&mut manner, ms(1)), 8);
        manner.answered();
        assert_eq!(admitted(&mut manner, ms(2)), 16);
    }

    #[test]
    fn even_pacing_keeps_its_distance() {
        let mut manner = Manner::Burst;
        manner.pace(Duration::from_secs(4), ms(0));
        assert_eq!(admitted(&mut manner, ms(3_999)), 0);
        assert_eq!(admitted(&mut manner, ms(4_000)), 1);
        assert_eq!(manner.free_at(ms(4_000)), ms(8_000));
    }
}
