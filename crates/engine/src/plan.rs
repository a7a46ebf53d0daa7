//! How many items to put into a call so that all of them are answered soonest.
//!
//! Calls leave when the limits let them, each later than the one before, and a call takes the longer the more it
//! carries. So the calls that leave first can carry most: the plan is the earliest moment by which the calls that can
//! have left and been answered carry all items, and the next call carries what it can answer by then. That moment is
//! found anew for each call, from the items that are left and from what is known by then.

use std::time::Duration;

use crate::time::Timestamp;

/// Calls whose departures are looked at one by one; of more, so many groups are.
const DEPARTURES: u64 = 96;
/// The moment is found to a part in 2^40 of the longest time.
const HALVINGS: u32 = 40;
/// No item takes less: where only calls take time, the fewest that the limits make necessary are the best.
const LEAST_PER_ITEM: f64 = 1e-6;

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
    /// What a call takes by itself, and for each of its items, in seconds.
    pub(crate) latency: (f64, f64),
}

/// A plan: so many calls, the next with so many items, the last answered after so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) pack: usize,
    pub(crate) calls: u64,
    pub(crate) takes: Duration,
}

/// Calls that leave together, so many seconds from now.
struct Departures {
    after: f64,
    calls: u64,
}

impl Outlook<'_> {
    /// The plan that finishes soonest. `None` if not even single items can ever be sent.
    pub(crate) fn best(&self) -> Option<Plan> {
        let even = self.best_of_equal_calls()?;
        let items: usize = self.lanes.iter().sum();
        let one_lane = self.lanes.iter().filter(|items| **items > 0).count() == 1;
        if !one_lane || self.pack_limit < 2 {
            return Some(even);
        }
        let at_once = |plan: &Plan| self.concurrency.is_none_or(|most| plan.calls <= most);
        let graded = self.graded(items, &even).filter(|graded| graded.takes <= even.takes && at_once(graded));
        Some(graded.unwrap_or(even))
    }

    /// What comes of calls that carry as many items each; `None` if calls of that size can never be sent.
    pub(crate) fn with(&self, pack: usize) -> Option<Plan> {
        let calls: u64 = self.lanes.iter().map(|items| items.div_ceil(pack) as u64).sum();
        let latency = self.takes(pack);
        let admitted = (self.nth_at)(calls, pack)?.since(self.now);
        let waves = self.concurrency.map_or(1, |at_once| calls.div_ceil(at_once.max(1)).max(1));
        let busy = latency.saturating_mul(u32::try_from(waves).unwrap_or(u32::MAX));
        Some(Plan { pack, calls, takes: busy.max(admitted.saturating_add(latency)) })
    }

    /// The size of equal calls that finishes soonest; of equals the smallest, whose answers come sooner and whose
    /// faults cost less.
    fn best_of_equal_calls(&self) -> Option<Plan> {
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

    /// Calls of which each carries what it can answer by the moment at which all are answered: few more than equal calls
    /// would be, of about the same size.
    fn graded(&self, items: usize, even: &Plan) -> Option<Plan> {
        let most = even.calls.saturating_mul(2).max(DEPARTURES).min(items as u64);
        let departures = self.departures(most, even.pack)?;
        let (base, per_item) = (self.latency.0, self.latency.1.max(LEAST_PER_ITEM));
        let carried = |until: f64, left: f64| {
            let fits = (until - left - base) / per_item + 1e-9;
            if fits < 1.0 { 0 } else { (fits as usize).min(self.pack_limit) }
        };
        let all = |until: f64| {
            departures
                .iter()
                .map(|group| carried(until, group.after).saturating_mul(group.calls as usize))
                .sum::<usize>()
        };
        let first = departures.first()?.after;
        let mut late = departures.last()?.after + base + per_item * self.pack_limit.min(items) as f64;
        let mut early = first + base;
        if all(late) < items {
            return None;
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(early, late);
            if all(middle) >= items { late = middle } else { early = middle }
        }
        let pack = carried(late, first).clamp(1, items);
        let calls = departures.iter().filter(|group| carried(late, group.after) > 0).map(|group| group.calls).sum();
        Some(Plan { pack, calls, takes: Duration::from_secs_f64(late.clamp(0.0, 1e9)) })
    }

    /// When so many calls can leave. Limits on tokens are looked at with calls of `about` so many items.
    fn departures(&self, most: u64, about: usize) -> Option<Vec<Departures>> {
        let groups = most.clamp(1, DEPARTURES);
        let mut sent = 0;
        let mut departures = Vec::with_capacity(groups as usize);
        for group in 1..=groups {
            let count = most * group / groups;
            if count > sent {
                let after = (self.nth_at)(count, about)?.since(self.now).as_secs_f64();
                departures.push(Departures { after, calls: count - sent });
                sent = count;
            }
        }
        Some(departures)
    }

    fn takes(&self, items: usize) -> Duration {
        Duration::from_secs_f64((self.latency.0 + self.latency.1 * items as f64).clamp(0.0, 86_400.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn start() -> Timestamp {
        Timestamp::from_micros(0)
    }

    /// So many calls a window, each taking so long by itself and for an item.
    fn plan(items: usize, pack_limit: usize, (calls, window): (u64, u32), latency: (f64, f64)) -> Plan {
        let nth_at = |count: u64, _: usize| Some(start().after(SECOND * window * ((count - 1) / calls) as u32));
        let outlook =
            Outlook { lanes: &[items], pack_limit, concurrency: None, now: start(), nth_at: &nth_at, latency };
        outlook.best().unwrap()
    }

    #[test]
    fn a_hundred_items_at_fifteen_calls_a_minute_are_packed_by_seven() {
        let plan = plan(100, 50, (15, 60), (1.0, 1.4));
        assert_eq!((plan.pack, plan.calls), (7, 15));
    }

    #[test]
    fn what_fits_the_limit_one_by_one_is_not_packed() {
        assert_eq!(plan(15, 50, (15, 60), (1.0, 1.4)).pack, 1);
    }

    #[test]
    fn the_tasks_own_bound_is_kept_to() {
        assert_eq!(plan(100, 3, (15, 60), (1.0, 1.4)).pack, 3);
    }

    #[test]
    fn calls_that_leave_a_window_earlier_carry_what_they_can_answer_meanwhile() {
        // Equal calls: 1 + 60 s in one window, 10 + 1 + 30 s in two, 20 + 1 + 20 s in three. But those of the first
        // window can carry ten items more than those of the second: 30, 20 and 10.
        let plan = plan(300, 100, (5, 10), (1.0, 1.0));
        assert_eq!((plan.pack, plan.calls), (30, 15));
        assert!((plan.takes.as_secs_f64() - 31.0).abs() < 1e-3, "{plan:?}");
    }

    #[test]
    fn few_calls_at_once_are_filled_before_they_are_queued() {
        let nth_at = |_: u64, _: usize| Some(start());
        let outlook = Outlook {
            lanes: &[40],
            pack_limit: 50,
            concurrency: Some(4),
            now: start(),
            nth_at: &nth_at,
            latency: (1.0, 0.01),
        };
        assert_eq!(outlook.best().unwrap().pack, 10);
    }
}
