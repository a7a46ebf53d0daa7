//! What waits to be sent: in lanes that share fairly, with what must be sent together kept together.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;

use crate::task::Item;
use crate::time::Timestamp;

/// An item on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queued {
    pub(crate) item: Item,
    /// The model that has to answer it; any of the job's if none.
    pub(crate) model: Wanted,
    /// Attempts that it has used up.
    pub(crate) attempts: u32,
    /// Faults of the provider as a whole that it met; they use up no attempts.
    pub(crate) outages: u32,
    /// How many of them ended without an answer in time.
    pub(crate) timeouts: u32,
    /// The fault that ended the last of them.
    pub(crate) last: &'static str,
    /// The least cap on its answer, since one for the sake of the budget was too small.
    pub(crate) cap: u64,
}

/// The model that an item wants, as its job names it: only pools that serve it may answer.
pub(crate) type Wanted = Option<Arc<str>>;

#[derive(Debug, Default)]
struct Lane {
    /// Packs that must not grow: halves of one that was refused or could not be read.
    fixed: VecDeque<Vec<Queued>>,
    fresh: VecDeque<Queued>,
    /// Items sent so far, less those that came back.
    served: u64,
}

impl Lane {
    fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.fresh.is_empty()
    }
}

/// Items that wait for their next attempt.
#[derive(Debug, PartialEq, Eq)]
struct Delayed {
    until: Reverse<Timestamp>,
    order: Reverse<u64>,
    items: Vec<Queued>,
    fixed: bool,
    behind: bool,
}

impl Ord for Delayed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.until, self.order).cmp(&(other.until, other.order))
    }
}

impl PartialOrd for Delayed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The queue of a job.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// By whose items they are and by which model they want: a call carries neither two owners' items nor two
    /// models'.
    lanes: BTreeMap<(Arc<str>, Wanted), Lane>,
    delayed: BinaryHeap<Delayed>,
    pushed: u64,
    waiting: usize,
    delayed_items: usize,
}

/// A pack taken from the queue, with what is needed to put it back as it was.
#[derive(Debug)]
pub(crate) struct Pack {
    pub(crate) items: Vec<Queued>,
    fixed: bool,
}

impl Queue {
    /// Adds an item behind the others of its lane.
    pub(crate) fn push(&mut self, item: Item, model: Wanted) {
        self.push_queued(Queued { item, model, attempts: 0, outages: 0, timeouts: 0, last: "", cap: 0 });
    }

    fn push_queued(&mut self, queued: Queued) {
        self.waiting += 1;
        self.lane_of(&queued).fresh.push_back(queued);
    }

    /// The lane that an item waits in. One that was away has no claim on the past.
    fn lane_of(&mut self, queued: &Queued) -> &mut Lane {
        let least = self.lanes.values().map(|lane| lane.served).min().unwrap_or(0);
        let fresh = || Lane { served: least, ..Lane::default() };
        self.lanes.entry(queued.lane()).or_insert_with(fresh)
    }

    /// Items that wait, those that wait for a retry included.
    pub(crate) const fn len(&self) -> usize {
        self.waiting
    }

    /// Whether anything could be sent now.
    pub(crate) fn has_ready(&self) -> bool {
        self.lanes.values().any(|lane| !lane.is_empty())
    }

    /// How many items wait in each lane whose model `served` lets through.
    pub(crate) fn lane_lengths(&self, served: impl Fn(&Wanted) -> bool) -> Vec<usize> {
        let lanes = self.lanes.iter().filter(|((_, model), _)| served(model));
        let lengths = lanes.map(|(_, lane)| lane.fresh.len() + lane.fixed.iter().map(Vec::len).sum::<usize>());
        lengths.filter(|items| *items > 0).collect()
    }

    /// The first `limit` items of the longest lane whose model `served` lets through.
    pub(crate) fn peek(&self, limit: usize, served: impl Fn(&Wanted) -> bool) -> Vec<Item> {
        let lanes = self.lanes.iter().filter(|((_, model), _)| served(model));
        let longest = lanes.map(|(_, lane)| lane).max_by_key(|lane| lane.fresh.len());
        longest.into_iter().flat_map(|lane| &lane.fresh).take(limit).map(|queued| queued.item.clone()).collect()
    }

    /// The models that items wait for, those that wait for a retry included.
    pub(crate) fn models(&self) -> BTreeSet<Wanted> {
        let delayed = self.delayed.iter().flat_map(|delayed| &delayed.items).map(|queued| queued.model.clone());
        let ready = self.lanes.iter().filter(|(_, lane)| !lane.is_empty()).map(|((_, model), _)| model.clone());
        ready.chain(delayed).collect()
    }

    /// The model of the lane that is to be served next, of those whose model `served` lets through.
    pub(crate) fn next_model(&self, served: impl Fn(&Wanted) -> bool) -> Option<Wanted> {
        let ready = self.lanes.iter().filter(|((_, model), lane)| !lane.is_empty() && served(model));
        ready.min_by_key(|(_, lane)| lane.served).map(|((_, model), _)| model.clone())
    }

    /// Takes at most `limit` items of this model's lane that has been served least.
    pub(crate) fn take(&mut self, limit: usize, model: &Wanted) -> Option<Pack> {
        let ready = self.lanes.iter_mut().filter(|((_, wanted), lane)| wanted == model && !lane.is_empty());
        let (_, lane) = ready.min_by_key(|(_, lane)| lane.served)?;
        let pack = if let Some(items) = lane.fixed.pop_front() {
            Pack { items, fixed: true }
        } else {
            let count = limit.clamp(1, lane.fresh.len());
            Pack { items: lane.fresh.drain(..count).collect(), fixed: false }
        };
        lane.served += pack.items.len() as u64;
        self.waiting -= pack.items.len();
        if lane.is_empty()
            && let Some(first) = pack.items.first()
        {
            self.lanes.remove(&first.lane());
        }
        Some(pack)
    }

    /// Puts a pack back where it was.
    pub(crate) fn put_back(&mut self, pack: Pack) {
        let Some(first) = pack.items.first() else { return };
        self.waiting += pack.items.len();
        let lane = self.lane_of(first);
        lane.served = lane.served.saturating_sub(pack.items.len() as u64);
        if pack.fixed {
            lane.fixed.push_front(pack.items);
        } else {
            for queued in pack.items.into_iter().rev() {
                lane.fresh.push_front(queued);
            }
        }
    }

    /// Items for another attempt, not before `until`. `fixed`: together, and with no others. `behind`: after
    /// the others of their lane, so that a provider that fails is not probed with the same item for ever.
    pub(crate) fn delay(&mut self, items: Vec<Queued>, fixed: bool, behind: bool, until: Timestamp) {
        self.waiting += items.len();
        self.delayed_items += items.len();
        self.pushed += 1;
        self.delayed.push(Delayed { until: Reverse(until), order: Reverse(self.pushed), items, fixed, behind });
    }

    /// Items that wait for another attempt.
    pub(crate) const fn delayed(&self) -> usize {
        self.delayed_items
    }

    /// When the next item that waits for another attempt is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.delayed.peek().map(|delayed| delayed.until.0)
    }

    /// Moves what is due to the front of its lane; at most `most` groups. Returns how many were moved.
    pub(crate) fn wake(&mut self, now: Timestamp, most: usize) -> usize {
        let mut moved = 0;
        while moved < most && self.next_due().is_some_and(|due| due <= now) {
            let Some(delayed) = self.delayed.pop() else { break };
            self.waiting -= delayed.items.len();
            self.delayed_items -= delayed.items.len();
            if delayed.behind && !delayed.fixed {
                delayed.items.into_iter().for_each(|queued| self.push_queued(queued));
            } else {
                self.put_back(Pack { items: delayed.items, fixed: delayed.fixed });
            }
            moved += 1;
        }
        moved
    }
}

impl Queued {
    /// The key of the lane that it waits in.
    fn lane(&self) -> (Arc<str>, Wanted) {
        (Arc::clone(&self.item.lane), self.model.clone())
    }
}

impl Pack {
    /// The same items, to be put back as they were.
    pub(crate) const fn of(items: Vec<Queued>, fixed: bool) -> Self {
        Self { items, fixed }
    }

    /// Whether it must not grow.
    pub(crate) const fn is_fixed(&self) -> bool {
        self.fixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(lane: &str, seq: u64) -> Item {
        Item { seq, lane: lane.into(), payload: "{}".into() }
    }

    fn seqs(pack: &Pack) -> Vec<u64> {
        pack.items.iter().map(|queued| queued.item.seq).collect()
    }

    #[test]
    fn lanes_take_turns_however_long_they_are() {
        let mut queue = Queue::default();
        for seq in 0..100 {
            queue.push(item("long", seq), None);
        }
        for seq in 100..102 {
            queue.push(item("short", seq), None);
        }
        let first: Vec<u64> = (0..4).flat_map(|_| seqs(&queue.take(1, &None).unwrap())).collect();
        assert_eq!(first, [0, 100, 1, 101]);
    }

    #[test]
    fn a_lane_that_comes_late_starts_beside_the_others_and_not_before_them() {
        let mut queue = Queue::default();
        for seq in 0..10 {
            queue.push(item("a", seq), None);
        }
        for _ in 0..5 {
            queue.take(1, &None);
        }
        for seq in 10..20 {
            queue.push(item("b", seq), None);
        }
        let next: Vec<u64> = (0..4).flat_map(|_| seqs(&queue.take(1, &None).unwrap())).collect();
        assert_eq!(next, [5, 10, 6, 11]);
    }

    #[test]
    fn a_pack_holds_one_lane_and_goes_back_as_it_was() {
        let mut queue = Queue::default();
        for seq in 0..3 {
            queue.push(item("a", seq), None);
        }
        queue.push(item("b", 3), None);
        let pack = queue.take(10, &None).unwrap();
        assert_eq!(seqs(&pack), [0, 1, 2]);
        queue.put_back(pack);
        assert_eq!(queue.len(), 4);
        assert_eq!(seqs(&queue.take(2, &None).unwrap()), [0, 1]);
    }

    #[test]
    fn halves_of_a_split_pack_stay_apart_and_come_first() {
        let mut queue = Queue::default();
        queue.push(item("a", 9), None);
        let half = |seq| {
            vec![Queued {
                item: item("a", seq),
                model: None,
                attempts: 1,
                outages: 0,
                timeouts: 0,
                last: "refused",
                cap: 0,
            }]
        };
        queue.delay(half(1), true, false, Timestamp::from_micros(5));
        queue.delay(half(2), true, false, Timestamp::from_micros(9));
        assert_eq!(queue.wake(Timestamp::from_micros(5), 10), 1);
        assert_eq!(seqs(&queue.take(10, &None).unwrap()), [1]);
        assert_eq!(seqs(&queue.take(10, &None).unwrap()), [9]);
        assert!(!queue.has_ready());
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn items_that_want_different_models_never_share_a_call_and_take_turns() {
        let mut queue = Queue::default();
        let (one, other): (Wanted, Wanted) = (Some("one".into()), Some("other".into()));
        for seq in 0..3 {
            queue.push(item("a", seq), one.clone());
        }
        queue.push(item("a", 3), other.clone());
        assert_eq!(queue.models(), BTreeSet::from([one.clone(), other.clone()]));
        let first = queue.next_model(|_| true).unwrap();
        assert_eq!(seqs(&queue.take(2, &first).unwrap()), [0, 1]);
        assert_eq!(queue.next_model(|_| true), Some(other.clone()));
        assert_eq!(queue.next_model(|model| *model == one), Some(one));
        assert_eq!(seqs(&queue.take(9, &other).unwrap()), [3]);
    }
}
