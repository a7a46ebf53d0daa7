//! When a run is given up, and what is kept for the next.

use std::sync::Arc;
use std::time::Duration;

use super::{Run, Step};
use crate::job::RunEnd;
use crate::limit::DisplayDuration;
use crate::limiter::WaitCause;
use crate::model::{Fault, FaultKind};
use crate::task::Verdict;

/// What is found out of pools is kept so often, beside at the end of a run.
const KEEP_HABITS_EVERY: Duration = Duration::from_secs(30);

impl Run<'_> {
    /// Ends the run where nothing was answered for so long that nobody should wait for more. Time in which it only waits
    /// for limits does not count.
    pub(super) fn give_up_on_silence(&mut self) {
        let now = self.clock.now();
        let limits = matches!(
            self.wait,
            Some((_, WaitCause::Limit(_) | WaitCause::Told | WaitCause::Day | WaitCause::Pacing | WaitCause::Turn))
        );
        if let Some(since) = self.silent_since {
            if self.in_flight > 0 || !limits {
                self.silent_for += now.since(since);
            }
            self.silent_since = Some(now);
        } else {
            self.silent_for = Duration::ZERO;
        }
        let (Some(after), Some(fault)) = (self.job.options.give_up_after, &self.progress.last_fault) else { return };
        if self.end.is_none() && self.silent_for >= after {
            let message = format!("nothing was answered for {}; the last error: {fault}", DisplayDuration(after));
            self.end = Some(RunEnd::GaveUp(Fault { message, ..fault.clone() }));
        }
    }

    /// Where the first failure is to end the run, this one does.
    pub(super) fn fail_fast(&mut self, verdict: &Verdict) {
        if let Verdict::Failed { message, .. } = verdict
            && self.job.options.fail_fast
        {
            let fault = Fault::new(FaultKind::BadRequest, format!("an item failed: {message}"));
            self.end.get_or_insert(RunEnd::GaveUp(fault));
        }
    }

    /// Keeps what was found out of the pools, now and then and at the end.
    pub(super) fn keep_habits(&mut self, last: bool) {
        let now = self.clock.now();
        if !last && now.since(self.habits_kept) < KEEP_HABITS_EVERY {
            return;
        }
        self.habits_kept = now;
        for pool in self.pools.iter().filter(|pool| !pool.pool.ephemeral) {
            if let Some(habits) = pool.standing(|pool| pool.habits(now)) {
                let (journal, id) = (Arc::clone(&self.journal), Arc::clone(&pool.pool.id));
                self.steps.spawn(async move { Step::Kept(journal.keep_habits(&id, habits).await) });
            }
        }
    }
}
