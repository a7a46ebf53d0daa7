//! How a provider takes bursts: carefully found out, then kept to.

use std::time::Duration;

use crate::time::Timestamp;

/// Calls in the first group.
const FIRST_GROUP: u32 = 4;
/// Time between groups, within these bounds: about what a refusal takes to come back.
const GROUP_EVERY: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(100));
/// A group of this size that was answered without refusal has proven the pool.
const PROVEN_GROUP: u32 = 4096;
/// Where no limit is known, so many calls leave while the news of a refusal could be on its way: those are refused as
/// well. It is one for each so many that were answered, and never fewer than the least.
const EXPOSED_LEAST: u64 = 8;
const EXPOSED_ONE_IN: u64 = 32;
/// What such news takes: as long as the quickest answer, within these bounds.
const NEWS: (Duration, Duration) = (Duration::from_micros(250), Duration::from_millis(100));
/// Spaced calls that could not leave when they might have are made up for, up to so much time of theirs.
const MADE_UP: Duration = Duration::from_millis(4);

/// How calls may follow each other, limits aside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Manner {
    /// The limits are known, and not yet whether bursts are taken: groups that grow while nothing is refused.
    Opening { group: u32, credit: u32, next_group: Timestamp, every: Duration },
    /// No limit on calls is known: they are spaced, the closer the more were answered.
    Searching { next: Timestamp, news: Duration, answered: u64 },
    /// Bursts are taken.
    Burst,
    /// Calls are spaced evenly.
    Even { interval: Duration, least: Duration, next: Timestamp },
}

impl Manner {
    /// Limits are known: a burst of `proven` calls was taken before. Opening a connection took `connect`.
    pub(crate) fn opening(proven: u32, connect: Duration, now: Timestamp) -> Self {
        let every = (connect * 2).clamp(GROUP_EVERY.0, GROUP_EVERY.1);
        let group = proven.max(FIRST_GROUP);
        Self::Opening { group, credit: group, next_group: now, every }
    }

    /// No limit on calls is known.
    pub(crate) const fn searching(now: Timestamp) -> Self {
        Self::Searching { next: now, news: NEWS.1, answered: 0 }
    }

    /// The earliest moment for one more call.
    pub(crate) fn free_at(&self, now: Timestamp) -> Timestamp {
        match *self {
            Self::Opening { credit: 0, next_group, .. } => next_group.max(now),
            Self::Opening { .. } | Self::Burst => now,
            Self::Even { next, .. } | Self::Searching { next, .. } => next.max(now),
        }
    }

    /// About when the last of `count` more calls may leave, if none is refused.
    pub(crate) fn nth_at(&self, count: u64, now: Timestamp) -> Timestamp {
        let more = u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX);
        match *self {
            Self::Burst => now,
            Self::Even { interval, next, .. } => next.max(now).after(interval.saturating_mul(more)),
            Self::Searching { next, .. } => next.max(now).after(self.spacing().saturating_mul(more)),
            Self::Opening { group, credit, next_group, every } => {
                let (mut left, mut size, mut at) = (count.saturating_sub(u64::from(credit)), u64::from(group), now);
                // The group that is leaving begins now at the latest.
                let mut next = if next_group > now { next_group } else { now.after(every) };
                while left > 0 {
                    at = next;
                    size *= 2;
                    left = left.saturating_sub(size);
                    next = next.after(every);
                }
                at
            }
        }
    }

    /// One more call leaves. Only to be called when [`Self::free_at`] is not after `now`.
    pub(crate) fn take(&mut self, now: Timestamp) {
        let spacing = self.spacing();
        match self {
            Self::Opening { group, credit, next_group, every } => {
                if *credit == 0 {
                    // Nobody has refused the last group while such news could have come.
                    *group = group.saturating_mul(2);
                    *credit = *group;
                }
                if *next_group <= now {
                    *next_group = now.after(*every);
                }
                *credit -= 1;
            }
            Self::Burst => {}
            Self::Searching { next, .. } => *next = (*next).max(now.before(MADE_UP)).after(spacing),
            Self::Even { interval, next, .. } => *next = now.after(*interval),
        }
    }

    /// A call that was taken leaves now: what held it up must not bring it closer to the next one.
    pub(crate) fn left(&mut self, now: Timestamp) {
        if let Self::Even { interval, next, .. } = self {
            *next = (*next).max(now.after(*interval));
        }
    }

    /// A call that was taken does not leave: the group is not used up by it.
    pub(crate) const fn give_back(&mut self) {
        if let Self::Opening { credit, .. } = self {
            *credit += 1;
        }
    }

    /// Opening a connection took so long.
    pub(crate) fn connected(&mut self, connect: Duration) {
        if let Self::Opening { every, .. } = self {
            *every = (*every).max(connect * 2).clamp(GROUP_EVERY.0, GROUP_EVERY.1);
        }
    }

    /// A call was answered without refusal; `quickest` is about the quickest answer so far.
    pub(crate) fn answered(&mut self, quickest: Option<Duration>) {
        match self {
            // What a refusal has widened narrows again, slowly.
            Self::Even { interval, least, .. } => *interval = interval.mul_f64(0.99).max(*least),
            Self::Opening { group, credit, .. } => {
                if *credit == 0 {
                    *group = group.saturating_mul(2);
                    *credit = *group;
                }
                if *group >= PROVEN_GROUP {
                    *self = Self::Burst;
                }
            }
            Self::Searching { news, answered, .. } => {
                *answered += 1;
                *news = quickest.unwrap_or(NEWS.1).clamp(NEWS.0, NEWS.1);
                if *answered >= u64::from(PROVEN_GROUP) {
                    *self = Self::Burst;
                }
            }
            Self::Burst => {}
        }
    }

    /// How far apart calls are kept at the least, where bursts are not taken.
    pub(crate) const fn is_even(&self) -> Option<Duration> {
        if let Self::Even { least, .. } = self { Some(*least) } else { None }
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
        if matches!(self, Self::Opening { .. } | Self::Searching { .. }) {
            *self = Self::Burst;
        }
    }

    /// Between two calls of a pool whose limit is not known.
    fn spacing(&self) -> Duration {
        let Self::Searching { news, answered, .. } = self else { return Duration::ZERO };
        let exposed = (answered / EXPOSED_ONE_IN).max(EXPOSED_LEAST);
        *news / u32::try_from(exposed).unwrap_or(u32::MAX)
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
    fn a_pool_of_known_limits_opens_with_four_calls_and_twice_as_many_while_no_refusal_comes_back() {
        let mut manner = Manner::opening(0, Duration::from_millis(10), ms(0));
        assert_eq!(manner.nth_at(29, ms(0)), ms(75));
        assert_eq!(admitted(&mut manner, ms(0)), 4);
        assert_eq!(admitted(&mut manner, ms(24)), 0);
        assert_eq!(admitted(&mut manner, ms(25)), 8);
        assert_eq!(admitted(&mut manner, ms(50)), 16);
        assert_eq!(manner.nth_at(1, ms(50)), ms(75));
    }

    #[test]
    fn the_group_doubles_once_one_is_answered_without_refusal() {
        let mut manner = Manner::opening(0, Duration::ZERO, ms(0));
        admitted(&mut manner, ms(0));
        manner.answered(None);
        manner.answered(None);
        assert_eq!(admitted(&mut manner, ms(1)), 8);
        manner.answered(None);
        assert_eq!(admitted(&mut manner, ms(2)), 16);
    }

    #[test]
    fn what_was_taken_in_one_burst_before_is_taken_again() {
        assert_eq!(admitted(&mut Manner::opening(60, Duration::ZERO, ms(0)), ms(0)), 60);
    }

    #[test]
    fn without_a_known_limit_few_calls_leave_before_a_refusal_could_be_heard_of() {
        let mut manner = Manner::searching(ms(0));
        let sent: u32 = (0..1_000).map(|at| admitted(&mut manner, ms(at))).sum();
        assert_eq!(sent, 80, "eight in a tenth of a second");
        for _ in 0..640 {
            manner.answered(Some(Duration::from_millis(200)));
        }
        let sent: u32 = (1_000..2_000).map(|at| admitted(&mut manner, ms(at))).sum();
        assert!((195..=205).contains(&sent), "{sent}: one in thirty-two of those answered");
    }

    #[test]
    fn a_server_that_answers_at_once_is_asked_as_quickly_from_the_start() {
        let mut manner = Manner::searching(ms(0));
        admitted(&mut manner, ms(0));
        manner.answered(Some(Duration::from_micros(500)));
        // Its next call may still have to wait for the spacing of before.
        let sent: u32 = (20..40).map(|at| admitted(&mut manner, ms(at))).sum();
        assert!(sent >= 300, "{sent} in twenty milliseconds");
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
