//! What admission says of a call.

use crate::limit::{Limit, Window};
use crate::time::Timestamp;

/// Why a call has to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitCause {
    /// This limit is used up.
    Limit(Limit),
    /// The provider asked to wait.
    Told,
    /// The provider says that a day's limit is used up, and not which.
    Day,
    /// The pool is being opened carefully, or is paced evenly.
    Pacing,
    /// The provider is failing; it is probed from time to time.
    Outage,
    /// Faults are being retried after a pause.
    Backoff,
    /// What is in flight could still use the rest of the budget.
    Budget,
    /// What its owner's work may cost in a day is used up, or reserved for calls in flight.
    Purse,
    /// Another run goes first.
    Turn,
}

impl WaitCause {
    /// Whether other runs on the pool wait for the same, and take turns once it is there.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self, Self::Limit(_) | Self::Pacing | Self::Turn)
    }

    /// Whether waiting for this means waiting for another day.
    pub const fn is_day(&self) -> bool {
        matches!(self, Self::Day | Self::Limit(Limit { window: Window::Day, .. }))
    }
}

/// What admission says of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may leave now.
    Now,
    /// Not before this moment.
    At(Timestamp, WaitCause),
    /// Not before a call in flight has ended.
    AfterCall(WaitCause),
    /// It is larger than this limit.
    Never(Limit),
}

impl Admission {
    /// Both must admit it.
    pub(crate) fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Never(_) => self,
            Self::Now => other(),
            Self::AfterCall(_) => match other() {
                other @ Self::Never(_) => other,
                _ => self,
            },
            Self::At(at, _) => match other() {
                Self::Now => self,
                Self::At(later, _) if later <= at => self,
                other => other,
            },
        }
    }
}
