//! The counts of the calls that a sandbox has received and of the answers that it has given.
//!
//! An item counts as answered when a whole valid answer with it has been written to the client. It is
//! counted as the answer is handed to the connection, so that a client that has the answer finds it
//! counted, and taken back if the connection breaks before all of it was written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::injected_fault::InjectedFault;

/// The most arrivals, and the most refusals, that are listed one by one.
const LISTED: usize = 1000;

/// The counts since the start, or since the last reset. `GET /stats` gives them as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stats {
    /// Well-formed calls of a model that arrived, the refused and the failed among them.
    pub calls: u64,
    /// Calls that a quota refused (429).
    pub refusals: u64,
    /// Requests that were wrong in themselves: a bad key, no such model, not JSON.
    pub invalid: u64,
    /// Calls let in and not over.
    pub in_flight: u64,
    /// The most calls in flight at once.
    pub peak_in_flight: u64,
    /// Faults that took effect, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Tokens of input of the answers that were written whole.
    pub input_tokens: u64,
    /// Tokens of output of the answers that were written whole.
    pub output_tokens: u64,
    /// Different items that got a whole valid answer.
    pub items_answered: u64,
    /// Items that got more than one whole valid answer.
    pub items_answered_more_than_once: u64,
    /// When the first 1000 calls that were let in arrived: milliseconds since the start or the last reset.
    pub arrivals_ms: Vec<u64>,
    /// When the first 1000 refused calls arrived.
    pub refusals_ms: Vec<u64>,
    /// Milliseconds since the start or the last reset.
    pub elapsed_ms: u64,
}

/// Where the counts are kept.
#[derive(Debug)]
pub(crate) struct Recorder {
    calls: AtomicU64,
    refusals: AtomicU64,
    invalid: AtomicU64,
    in_flight: AtomicU64,
    peak_in_flight: AtomicU64,
    tally: Mutex<Tally>,
}

#[derive(Debug)]
struct Tally {
    since: Instant,
    faults: [u64; InjectedFault::ALL.len()],
    input_tokens: u64,
    output_tokens: u64,
    /// The hash of every item that was answered: eight bytes each, as runs have millions of items.
    answered: HashSet<u64>,
    /// The number of answers after the first, for the items that got more than one.
    again: HashMap<u64, u64>,
    arrivals_ms: Vec<u64>,
    refusals_ms: Vec<u64>,
}

impl Tally {
    fn new(since: Instant) -> Self {
        Self {
            since,
            faults: [0; InjectedFault::ALL.len()],
            input_tokens: 0,
            output_tokens: 0,
            answered: HashSet::new(),
            again: HashMap::new(),
            arrivals_ms: Vec::new(),
            refusals_ms: Vec::new(),
        }
    }

    fn millis(&self, at: Instant) -> u64 {
        millis(at.saturating_duration_since(self.since))
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl Recorder {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            calls: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
            invalid: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            peak_in_flight: AtomicU64::new(0),
            tally: Mutex::new(Tally::new(now)),
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call arrived and was let in; it is in flight until [`Recorder::ended`].
    pub(crate) fn admitted(&self, at: Instant) {
        let before = self.calls.fetch_add(1, Relaxed);
        let in_flight = self.in_flight.fetch_add(1, Relaxed) + 1;
        self.peak_in_flight.fetch_max(in_flight, Relaxed);
        // Without the lock once the list is full. Refusals count as calls, too, so that after any the number of
        // calls does not tell.
        if before < LISTED as u64 || self.refusals.load(Relaxed) > 0 {
            let mut tally = self.tally();
            if tally.arrivals_ms.len() < LISTED {
                let millis = tally.millis(at);
                tally.arrivals_ms.push(millis);
            }
        }
    }

    pub(crate) fn ended(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    /// A call arrived and a quota refused it.
    pub(crate) fn refused(&self, at: Instant) {
        self.calls.fetch_add(1, Relaxed);
        self.refusals.fetch_add(1, Relaxed);
        let mut tally = self.tally();
        if tally.refusals_ms.len() < LISTED {
            let millis = tally.millis(at);
            tally.refusals_ms.push(millis);
        }
    }

    pub(crate) fn invalid(&self) {
        self.invalid.fetch_add(1, Relaxed);
    }

    pub(crate) fn fault(&self, kind: InjectedFault) {
        // `ALL` has the kinds in the order of their discriminants.
        self.tally().faults[kind as usize] += 1;
    }

    pub(crate) fn stats(&self, now: Instant) -> Stats {
        let tally = self.tally();
        let faults = InjectedFault::ALL.into_iter().zip(tally.faults).filter(|(_, count)| *count > 0);
        Stats {
            calls: self.calls.load(Relaxed),
            refusals: self.refusals.load(Relaxed),
            invalid: self.invalid.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
            peak_in_flight: self.peak_in_flight.load(Relaxed),
            faults: faults.map(|(kind, count)| (kind.name().to_owned(), count)).collect(),
            input_tokens: tally.input_tokens,
            output_tokens: tally.output_tokens,
            items_answered: tally.answered.len() as u64,
            items_answered_more_than_once: tally.again.len() as u64,
            arrivals_ms: tally.arrivals_ms.clone(),
            refusals_ms: tally.refusals_ms.clone(),
            elapsed_ms: tally.millis(now),
        }
    }

    /// Counts from nothing again. Calls in flight stay so, and quotas keep what was spent of them.
    pub(crate) fn reset(&self, now: Instant) {
        let mut tally = self.tally();
        *tally = Tally::new(now);
        self.calls.store(0, Relaxed);
        self.refusals.store(0, Relaxed);
        self.invalid.store(0, Relaxed);
        self.peak_in_flight.store(self.in_flight.load(Relaxed), Relaxed);
    }
}

/// The counts of one whole answer.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) recorder: Arc<Recorder>,
    /// The hashes of the items that the answer holds.
    pub(crate) items: Vec<u64>,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
}

impl Delivery {
    /// Adds the answer to the counts.
    pub(crate) fn record(&self) {
        let mut guard = self.recorder.tally();
        let tally = &mut *guard;
        tally.input_tokens += self.input_tokens;
        tally.output_tokens += self.output_tokens;
        for &item in &self.items {
            if !tally.answered.insert(item) {
                *tally.again.entry(item).or_default() += 1;
            }
        }
    }

    /// Takes the answer back, because it did not reach the client.
    pub(crate) fn revoke(&self) {
        let mut guard = self.recorder.tally();
        let tally = &mut *guard;
        tally.input_tokens = tally.input_tokens.saturating_sub(self.input_tokens);
        tally.output_tokens = tally.output_tokens.saturating_sub(self.output_tokens);
        for item in &self.items {
            match tally.again.get_mut(item) {
                Some(times) if *times > 1 => *times -= 1,
                Some(_) => {
                    tally.again.remove(item);
                }
                None => {
                    tally.answered.remove(item);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(recorder: &Arc<Recorder>, items: &[u64]) -> Delivery {
        Delivery { recorder: Arc::clone(recorder), items: items.to_vec(), input_tokens: 3, output_tokens: 5 }
    }

    fn counts(recorder: &Recorder) -> (u64, u64, u64) {
        let stats = recorder.stats(Instant::now());
        (stats.items_answered, stats.items_answered_more_than_once, stats.output_tokens)
    }

    #[test]
    fn an_item_that_is_answered_again_is_counted_once_as_such() {
        let recorder = Arc::new(Recorder::new(Instant::now()));
        delivery(&recorder, &[1, 2]).record();
        delivery(&recorder, &[2, 3]).record();
        delivery(&recorder, &[2]).record();
        assert_eq!(counts(&recorder), (3, 1, 15));
    }

    #[test]
    fn an_answer_that_was_not_written_is_taken_back() {
        let recorder = Arc::new(Recorder::new(Instant::now()));
        let first = delivery(&recorder, &[1, 2]);
        let second = delivery(&recorder, &[2]);
        first.record();
        second.record();
        second.revoke();
        assert_eq!(counts(&recorder), (2, 0, 5));
        first.revoke();
        assert_eq!(counts(&recorder), (0, 0, 0));
    }

    #[test]
    fn the_lists_of_arrivals_stay_bounded() {
        let recorder = Recorder::new(Instant::now());
        for _ in 0..3000 {
            recorder.admitted(Instant::now());
            recorder.refused(Instant::now());
        }
        let stats = recorder.stats(Instant::now());
        assert_eq!((stats.arrivals_ms.len(), stats.refusals_ms.len()), (1000, 1000));
        assert_eq!((stats.calls, stats.refusals, stats.peak_in_flight), (6000, 3000, 3000));
    }

    #[test]
    fn a_reset_forgets_all_but_what_is_in_flight() {
        let recorder = Recorder::new(Instant::now());
        recorder.admitted(Instant::now());
        recorder.fault(InjectedFault::Hang);
        recorder.reset(Instant::now());
        let stats = recorder.stats(Instant::now());
        assert_eq!((stats.calls, stats.in_flight, stats.peak_in_flight), (0, 1, 1));
        assert!(stats.faults.is_empty());
    }
}
