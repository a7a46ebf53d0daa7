//! The choice of the faults of a call: drawn at random by rate, or aimed by a marker in the text of the prompt.
//!
//! A marker is `[[sandbox:KIND]]` anywhere in the text of a request. It works every time it is seen;
//! `[[sandbox:KIND:once]]` works the first time only, for the item that holds it (or for the whole
//! prompt, where no item does), so that asking again succeeds. `omit` is always for the first time only.
//! `[[sandbox:KIND:seed=N]]` works for requests with that seed: so one of many pictures of the same prompt is hit.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::config::FaultRate;
use crate::hash::{hash, mix};
use crate::injected_fault::InjectedFault;
use crate::packed::Packed;

/// A fault and its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aimed {
    pub(crate) kind: InjectedFault,
    /// The place of an item in the pack; none: the call, or an item to be drawn.
    pub(crate) item: Option<usize>,
    pub(crate) by_marker: bool,
}

const OPENING: &str = "[[sandbox:";

/// Decides which faults happen to a call.
#[derive(Debug)]
pub(crate) struct Faults {
    rates: Vec<FaultRate>,
    seed: u64,
    /// The hashes of the targets that a marker for one time has hit already.
    struck: Mutex<HashSet<u64>>,
}

impl Faults {
    pub(crate) fn new(rates: Vec<FaultRate>, seed: u64) -> Self {
        Self { rates, seed, struck: Mutex::default() }
    }

    /// The faults of the call with this number (they count from 0, in order of arrival): those that its
    /// text asks for, or else one drawn by rate.
    pub(crate) fn of_call(
        &self,
        number: u64,
        model: &str,
        texts: &[&str],
        prompt: u64,
        seed: Option<i64>,
        packed: Option<&Packed<'_>>,
    ) -> Vec<Aimed> {
        let mut faults = Vec::new();
        for text in texts {
            let mut from = 0;
            while let Some(found) = text[from..].find(OPENING) {
                let at = from + found;
                from = at + OPENING.len();
                let Some(Marker { kind, once, seed: aimed }) = read_marker(&text[from..]) else { continue };
                if aimed.is_some() && aimed != seed {
                    continue;
                }
                let item = packed.and_then(|packed| packed.owner(text, at));
                let holder = match (item, packed) {
                    (Some(item), Some(packed)) => hash(0, packed.ids[item].as_bytes()),
                    _ => prompt,
                };
                let holder = mix(holder, seed.unwrap_or_default() as u64);
                if !once || self.strike(mix(hash(holder, model.as_bytes()), kind as u64)) {
                    faults.push(Aimed { kind, item, by_marker: true });
                }
            }
        }
        if faults.is_empty()
            && let Some(kind) = self.draw(number)
        {
            faults.push(Aimed { kind, item: None, by_marker: false });
        }
        faults
    }

    /// Notes a hit; `true` if it is the first on `target`.
    fn strike(&self, target: u64) -> bool {
        self.struck.lock().unwrap_or_else(PoisonError::into_inner).insert(target)
    }

    /// At most one fault, by the configured rates. The draw depends on the seed and the call's number alone, so
    /// that a run can be repeated however its calls overlap.
    fn draw(&self, number: u64) -> Option<InjectedFault> {
        if self.rates.is_empty() {
            return None;
        }
        let mut left = fastrand::Rng::with_seed(mix(self.seed, number)).f64();
        for fault in &self.rates {
            if left < fault.rate {
                return Some(fault.kind);
            }
            left -= fault.rate;
        }
        None
    }
}

/// A marker of a prompt, parsed.
struct Marker {
    kind: InjectedFault,
    /// `true` if it works the first time only.
    once: bool,
    /// The seed of the requests that it is for; `None` for all requests.
    seed: Option<i64>,
}

/// Reads a marker from the text after its opening; `None` if it is none.
fn read_marker(text: &str) -> Option<Marker> {
    // The longest is `wrong-type:seed=` with a number and `:once`; a prompt may hold an opening that is never closed.
    const LONGEST: usize = 48;
    let window = text.get(..text.len().min(LONGEST)).unwrap_or_else(|| {
        let end = (0..=LONGEST).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        &text[..end]
    });
    let (marker, _) = window.split_once("]]")?;
    let (marker, once) = marker.strip_suffix(":once").map_or((marker, false), |marker| (marker, true));
    let (name, seed) = match marker.split_once(":seed=") {
        Some((name, seed)) => (name, Some(seed.parse().ok()?)),
        None => (marker, None),
    };
    let kind = InjectedFault::from_name(name)?;
    Some(Marker { kind, once: once || kind == InjectedFault::Omit, seed })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn kinds(faults: &Faults, text: &str) -> Vec<InjectedFault> {
        let prompt = hash(0, text.as_bytes());
        faults.of_call(0, "sandbox", &[text], prompt, None, None).iter().map(|fault| fault.kind).collect()
    }

    #[test]
    fn a_marker_works_every_time_unless_it_says_once() {
        let faults = Faults::new(Vec::new(), 0);
        for _ in 0..3 {
            assert_eq!(kinds(&faults, "so [[sandbox:refuse]] it is"), [InjectedFault::Refuse]);
        }
        assert_eq!(kinds(&faults, "a [[sandbox:503:once]]"), [InjectedFault::Unavailable]);
        assert_eq!(kinds(&faults, "a [[sandbox:503:once]]"), []);
        assert_eq!(kinds(&faults, "b [[sandbox:503:once]]"), [InjectedFault::Unavailable]);
    }

    #[test]
    fn a_marker_with_a_seed_is_for_requests_with_that_seed() {
        let faults = Faults::new(Vec::new(), 0);
        let kinds = |seed| {
            let faults =
                faults.of_call(0, "m", &["a [[sandbox:503:seed=3:once]] [[sandbox:hang:seed=-1]]"], 7, seed, None);
            faults.iter().map(|fault| fault.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(None), []);
        assert_eq!(kinds(Some(2)), []);
        assert_eq!((kinds(Some(3)), kinds(Some(3))), (vec![InjectedFault::Unavailable], vec![]));
        assert_eq!(kinds(Some(-1)), [InjectedFault::Hang]);
    }

    #[test]
    fn what_only_looks_like_a_marker_does_nothing() {
        let faults = Faults::new(Vec::new(), 0);
        for text in ["[[sandbox:", "[[sandbox:refuse", "[[sandbox:flood]]", "[[sandbox:ééééééééééé]]", ""] {
            assert_eq!(kinds(&faults, text), []);
        }
        assert_eq!(kinds(&faults, "[[sandbox:[[sandbox:fence]]"), [InjectedFault::Fence]);
    }

    #[test]
    fn faults_come_at_their_rates_and_the_same_for_the_same_seed() {
        let rates = vec!["503=0.05".parse().unwrap(), "hang=0.2".parse().unwrap()];
        let draw = |seed| {
            let faults = Faults::new(rates.clone(), seed);
            (0..10_000).map(|number| faults.draw(number)).collect::<Vec<_>>()
        };
        let drawn = draw(1);
        let share = |kind| drawn.iter().filter(|drawn| **drawn == Some(kind)).count();
        assert!((400..600).contains(&share(InjectedFault::Unavailable)));
        assert!((1800..2200).contains(&share(InjectedFault::Hang)));
        assert_eq!(drawn, draw(1));
        assert_ne!(drawn, draw(2));
    }
}
