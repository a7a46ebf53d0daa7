//! Runs of this process that wait for a pool's limits: who goes first.
//!
//! It is the order that the journal keeps between processes (see [`Journal::join_queue`](crate::Journal::join_queue)),
//! decided here without asking it: a call that is taken and then turned away would cost a commit each time.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::journal::{Runner, TURN, Urgency};
use crate::time::Timestamp;

/// Where a newcomer begins among those that wait, given what each was served and where it began: before those that were
/// served since they came, and level with those that were not. Were it before these as well, the last of many that come
/// together would have all the calls for a while.
pub(crate) fn newcomer(waiting: impl Iterator<Item = (i64, i64)> + Clone) -> i64 {
    let served = waiting.clone().filter(|(served, start)| served > start).map(|(served, _)| served).min();
    let level = waiting.map(|(served, _)| served).min();
    served.map(|served| served - TURN - 1).or(level).unwrap_or(-TURN - 1)
}

/// The runs that use a group's pools.
#[derive(Debug, Default)]
pub(crate) struct Line {
    runs: Vec<Place>,
}

/// A run at one pool.
#[derive(Debug)]
struct Place {
    run: Arc<str>,
    pool: usize,
    urgency: Urgency,
    /// Calls that it was granted while it stood in line, from where it began.
    served: i64,
    start: i64,
    /// Until when it waits, if it does: a place that is not renewed is lost.
    until: Option<Timestamp>,
    /// Until when the journal holds it back: a run of another process goes first. Meanwhile it is in nobody's way here:
    /// the one that the other waits for may stand behind it.
    held_back: Option<Timestamp>,
    /// Whether it was told to let another go first since it was last woken.
    yields: bool,
    wake: Arc<Notify>,
    /// Its calls that have taken quota and not ended.
    open: u64,
}

impl Line {
    pub(crate) fn enter(&mut self, by: &Runner, pool: usize, wake: &Arc<Notify>) {
        let (run, urgency, wake) = (Arc::clone(&by.id), by.urgency, Arc::clone(wake));
        self.runs.push(Place {
            run,
            pool,
            urgency,
            served: 0,
            start: 0,
            until: None,
            held_back: None,
            yields: false,
            wake,
            open: 0,
        });
    }

    fn place_of(&mut self, run: &Arc<str>, pool: usize) -> Option<&mut Place> {
        self.runs.iter_mut().find(|place| place.run == *run && place.pool == pool)
    }

    /// Whether no run uses the group.
    pub(super) const fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The run is over, as far as this pool is concerned; how many of its calls are open still.
    pub(super) fn exit(&mut self, by: &Runner, pool: usize) -> u64 {
        let own = |place: &Place| place.run == by.id && place.pool == pool;
        let open = self.runs.iter().filter(|place| own(place)).map(|place| place.open).sum();
        self.runs.retain(|place| !own(place));
        self.wake_others(&by.id);
        open
    }

    /// A call of the run has taken quota, or has ended.
    pub(super) fn opened(&mut self, by: &Arc<str>, pool: usize, opened: bool) {
        if let Some(own) = self.place_of(by, pool) {
            own.open = if opened { own.open + 1 } else { own.open.saturating_sub(1) };
        }
    }

    /// Whether the run has to let another go first: until when that one waits, at the latest.
    pub(crate) fn goes_behind(&mut self, by: &Runner, pool: usize, now: Timestamp) -> Option<Timestamp> {
        if self.runs.len() < 2 {
            return None;
        }
        let waits = |place: &&Place| place.pool == pool && place.until.is_some_and(|until| until > now);
        let own = self.runs.iter().find(|place| place.run == by.id && place.pool == pool).filter(waits);
        let served = own.map_or(i64::MAX, |place| place.served);
        let free = |place: &&Place| place.held_back.is_none_or(|until| until <= now);
        let first = self.runs.iter().filter(|place| place.run != by.id).filter(waits).filter(free).find(|place| {
            place.urgency < by.urgency || (place.urgency == by.urgency && place.served.saturating_add(TURN) < served)
        });
        let until = first.and_then(|place| place.until)?;
        if let Some(own) = self.place_of(&by.id, pool) {
            own.yields = true;
        }
        Some(until)
    }

    /// The journal holds the run back until then.
    pub(crate) fn held_back(&mut self, by: &Runner, pool: usize, until: Timestamp) {
        if let Some(own) = self.place_of(&by.id, pool) {
            own.held_back = Some(until);
        }
        self.wake_yielding(&by.id);
    }

    /// The run was granted so many calls.
    pub(crate) fn served(&mut self, by: &Runner, pool: usize, calls: i64) {
        if self.runs.len() < 2 {
            return;
        }
        if let Some(own) = self.place_of(&by.id, pool) {
            own.served += calls;
        }
        self.wake_yielding(&by.id);
    }

    /// The run waits for the pool until then, or no longer. A newcomer goes before those that have waited together.
    pub(crate) fn wait(&mut self, by: &Runner, pool: usize, until: Option<Timestamp>, now: Timestamp) {
        let waits = |place: &&Place| place.pool == pool && place.until.is_some_and(|until| until > now);
        let start = newcomer(self.runs.iter().filter(waits).map(|place| (place.served, place.start)));
        let own = self.place_of(&by.id, pool);
        let Some(own) = own else { return };
        let waited = own.until.is_some_and(|until| until > now);
        if until.is_some() && !waited {
            (own.served, own.start) = (start, start);
        }
        own.until = until;
        if waited && until.is_none() {
            self.wake_yielding(&by.id);
        }
    }

    /// There may be room again: whoever waits looks.
    pub(crate) fn wake_others(&mut self, by: &Arc<str>) {
        for place in self.runs.iter_mut().filter(|place| place.run != *by && (place.until.is_some() || place.yields)) {
            place.yields = false;
            place.wake.notify_one();
        }
    }

    /// Whoever let others go first looks if it is its turn.
    fn wake_yielding(&mut self, by: &Arc<str>) {
        for place in self.runs.iter_mut().filter(|place| place.run != *by && place.yields) {
            place.yields = false;
            place.wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_run_that_another_process_goes_before_is_in_nobodys_way_here() {
        let start = Timestamp::from_micros(0);
        let at = |ms: u64| start.after(Duration::from_millis(ms));
        let [one, other] = ["one", "other"].map(|id| Runner { id: id.into(), urgency: Urgency::Batch, lease: None });
        let mut line = Line::default();
        for runner in [&one, &other] {
            line.enter(runner, 0, &Arc::default());
            line.wait(runner, 0, Some(at(10_000)), start);
        }
        line.served(&one, 0, 2 * TURN);
        assert!(line.goes_behind(&one, 0, at(1)).is_some());
        line.held_back(&other, 0, at(20));
        assert_eq!(line.goes_behind(&one, 0, at(1)), None);
        assert!(line.goes_behind(&one, 0, at(20)).is_some());
    }
}
