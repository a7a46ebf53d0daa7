//! Money that the runs of somebody share: what their work may cost in a day.
//!
//! A job's own budget ends with it; this one does not. It is kept by the same rule: the worst case of a call has to fit
//! beside what was spent and what is reserved, by whichever run. Calls of a sandbox take nothing from it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::time::Timestamp;
use crate::usage::Usd;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What somebody's work may cost in a day.
#[derive(Debug)]
pub struct Purse {
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    limit: Usd,
    /// What this day has cost.
    spent: Usd,
    /// What calls in flight may cost at most.
    reserved: Usd,
    resets_at: Timestamp,
}

impl Purse {
    /// A purse of so much a day, of which so much is spent, until the day ends.
    #[must_use]
    pub fn new(limit: Usd, spent: Usd, resets_at: Timestamp) -> Self {
        Self { state: Mutex::new(State { limit, spent, reserved: Usd::ZERO, resets_at }) }
    }

    /// Says anew what is in it: another limit, and what the ledger says was spent by now, other processes included.
    pub fn refill(&self, limit: Usd, spent: Usd, now: Timestamp) {
        self.at(now, |state| {
            state.limit = limit;
            state.spent = state.spent.max(spent);
        });
    }

    /// What may still be reserved.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Usd {
        self.at(now, |state| state.limit - state.spent - state.reserved)
    }

    /// When more is in it: soon, while calls in flight may give something back; else when the day ends.
    pub(crate) fn opens_at(&self, now: Timestamp, soon: Duration) -> Timestamp {
        self.at(now, |state| if state.reserved > Usd::ZERO { now.after(soon) } else { state.resets_at })
    }

    /// Reserves so much, if it is there.
    pub(crate) fn reserve(&self, worst: Usd, now: Timestamp) -> bool {
        self.at(now, |state| {
            let fits = state.spent + state.reserved + worst <= state.limit;
            if fits {
                state.reserved += worst;
            }
            fits
        })
    }

    pub(crate) fn free(&self, worst: Usd, now: Timestamp) {
        self.at(now, |state| state.reserved = state.reserved - worst);
    }

    pub(crate) fn spend(&self, cost: Usd, now: Timestamp) {
        self.at(now, |state| state.spent += cost);
    }

    fn at<T>(&self, now: Timestamp, then: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= state.resets_at {
            state.spent = Usd::ZERO;
            while now >= state.resets_at {
                state.resets_at = state.resets_at.after(DAY);
            }
        }
        then(&mut state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_is_not_spent_twice_and_a_new_day_begins_anew() {
        let at = |seconds: u64| Timestamp::from_micros(0).after(Duration::from_secs(seconds));
        let dollars = |dollars: i64| Usd::from_nanos(dollars * 1_000_000_000);
        let purse = Purse::new(dollars(5), dollars(1), at(100));
        assert!(purse.reserve(dollars(3), at(1)));
        assert!(!purse.reserve(dollars(2), at(1)));
        assert_eq!(purse.left(at(1)), dollars(1));
        assert_eq!(purse.opens_at(at(1), Duration::from_secs(5)), at(6));
        purse.free(dollars(3), at(2));
        purse.spend(dollars(2), at(2));
        assert_eq!((purse.left(at(2)), purse.opens_at(at(2), Duration::from_secs(5))), (dollars(2), at(100)));
        purse.refill(dollars(4), dollars(4), at(3));
        assert_eq!(purse.left(at(3)), dollars(0));
        assert_eq!(purse.left(at(100)), dollars(4));
    }
}
