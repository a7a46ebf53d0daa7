//! A limit that nobody has named: taken from what was answered before a refusal without a word, and tried out soon.
//!
//! A refusal without a hint may be the limit, or another's: a gateway passes such on. Which of the two shows at once if
//! calls are answered that left after the refused one, and else by trials: single calls beyond the guess, at first after
//! a second and then ever more rarely. Once some of them were refused, the guess is taken for what it is.

use std::time::Duration;

use super::manner::Manner;
use crate::limit::{Limit, Window};
use crate::time::Timestamp;

/// The first trial comes so long after the refusal; the pause doubles with each that is refused.
const FIRST_TRIAL: Duration = Duration::from_secs(1);
/// So many trials that were refused confirm a guess.
const CONFIRMED_BY: u32 = 4;

#[derive(Debug)]
pub(super) struct Guess {
    /// The limit, as it stands among the meters.
    pub(super) limit: Limit,
    /// How calls followed each other before: to be gone back to if there is no limit.
    pub(super) before: Manner,
    /// When the refused call left.
    refused_left: Timestamp,
    made_at: Timestamp,
    trial_at: Timestamp,
    refusals: u32,
    /// Whether a trial is on its way.
    trying: bool,
}

impl Guess {
    pub(super) fn new(limit: Limit, before: Manner, refused_left: Timestamp, now: Timestamp) -> Self {
        let trial_at = now.after(FIRST_TRIAL);
        Self { limit, before, refused_left, made_at: now, trial_at, refusals: 0, trying: false }
    }

    /// When a call beyond the guess may leave to try it out, if one may at all.
    pub(super) fn trial_at(&self) -> Option<Timestamp> {
        (!self.trying && self.refusals < CONFIRMED_BY).then_some(self.trial_at)
    }

    /// A call beyond the guess leaves.
    pub(super) const fn begin_trial(&mut self) -> bool {
        self.trying = true;
        true
    }

    /// It came to its end, whatever that was.
    pub(super) const fn end_trial(&mut self) {
        self.trying = false;
    }

    /// A trial was refused.
    pub(super) fn refused(&mut self, now: Timestamp) {
        self.refusals += 1;
        self.trial_at = now.after(FIRST_TRIAL * 2_u32.pow(self.refusals.min(10)));
    }

    /// The provider says how long to wait. About a window's length speaks for a window; a shorter wait is tried out.
    pub(super) fn told_to_wait(&mut self, asked: Duration, now: Timestamp) {
        let window = if let Window::Sliding(window) = self.limit.window { window } else { Duration::MAX };
        if asked >= window / 2 {
            self.refusals = CONFIRMED_BY;
        }
        self.trial_at = self.trial_at.max(now.after(asked));
    }

    /// Whether an answer to a call that left at `left` says that there is no such limit. Where windows slide, a call
    /// that leaves within the margin after another may arrive before it.
    pub(super) fn is_disproved(&self, trial: bool, left: Timestamp, margin: Duration) -> bool {
        let confirmed = self.refusals >= CONFIRMED_BY;
        trial || (!confirmed && left > self.refused_left.after(margin) && left <= self.made_at)
    }
}
