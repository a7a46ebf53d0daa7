//! How many items to put into a call so that all of them are answered soonest.

use std::time::Duration;

use crate::time::Timestamp;

/// What a plan is made from.
pub(crate) struct Outlook<'a> {
    /// Items left in each lane; a call never mixes lanes.
    pub(crate) lanes: &'a [usize],
    /// The most items that a call may carry.
    pub(crate) pack_limit: usize,
    /// The most calls in flight at once.
    pub(crate) concurrency: Option<u64>,
    /// Now.
    pub(crate) now: Timestamp,
    /// When the last of so many calls with so many items each may leave; `None`: never.
    pub(crate) nth_at: &'a dyn Fn(u64, usize) -> Option<Timestamp>,
    /// How long a call with so many items takes.
    pub(crate) latency: &'a dyn Fn(usize) -> Duration,
}

/// A plan: so many calls, the largest with so many items, the last answered after so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) pack: usize,
    pub(crate) calls: u64,
    pub(crate) takes: Duration,
}

impl Outlook<'_> {
    /// The pack size that finishes soonest; of equals the smallest, whose answers come sooner and
    /// whose faults cost less. `None` if not even single items can ever be sent.
    pub(crate) fn best(&self) -> Option<Plan> {
        let longest = self.lanes.iter().copied().max().unwrap_or(0).max(1);
        let mut best: Option<Plan> = None;
        for pack in 1..=self.pack_limit.clamp(1, longest) {
            let Some(plan) = self.with(pack) else { break };
            if best.is_none_or(|best| plan.takes < best.takes) {
                best = Some(plan);
            }
        }
        best
    }

    /// What comes of a given pack size; `None` if calls of that size can never be sent.
    pub(crate) fn with(&self, pack: usize) -> Option<Plan> {
        let calls: u64 = self.lanes.iter().map(|items| items.div_ceil(pack) as u64).sum();
        let latency = (self.latency)(pack);
        let admitted = (self.nth_at)(calls, pack)?.since(self.now);
        let waves = self.concurrency.map_or(1, |at_once| calls.div_ceil(at_once.max(1)).max(1));
        let busy = latency.saturating_mul(u32::try_from(waves).unwrap_or(u32::MAX));
        Some(Plan { pack, calls, takes: busy.max(admitted.saturating_add(latency)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        Timestamp::from_micros(0)
    }

    /// 15 calls a minute, each 1 s and 1.4 s an item.
    fn plan(items: usize, pack_limit: usize) -> Plan {
        let nth_at = |calls: u64, _: usize| Some(start().after(Duration::from_secs((calls - 1) / 15 * 60)));
        let latency = |items: usize| Duration::from_millis(1_000 + 1_400 * items as u64);
        let outlook = Outlook {
            lanes: &[items],
            pack_limit,
            concurrency: None,
            now: start(),
            nth_at: &nth_at,
            latency: &latency,
        };
        outlook.best().unwrap()
    }

    #[test]
    fn a_hundred_items_at_fifteen_calls_a_minute_are_packed_by_seven() {
        assert_eq!(plan(100, 50).pack, 7);
        assert_eq!(plan(100, 50).calls, 15);
    }

    #[test]
    fn what_fits_the_limit_one_by_one_is_not_packed() {
        assert_eq!(plan(15, 50).pack, 1);
    }

    #[test]
    fn the_tasks_own_bound_is_kept_to() {
        assert_eq!(plan(100, 3).pack, 3);
    }

    #[test]
    fn few_calls_at_once_are_filled_before_they_are_queued() {
        let nth_at = |_: u64, _: usize| Some(start());
        let latency = |items: usize| Duration::from_millis(1_000 + 10 * items as u64);
        let outlook = Outlook {
            lanes: &[40],
            pack_limit: 50,
            concurrency: Some(4),
            now: start(),
            nth_at: &nth_at,
            latency: &latency,
        };
        assert_eq!(outlook.best().unwrap().pack, 10);
    }
}
