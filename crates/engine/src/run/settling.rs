//! How calls ended, on its way into the journal: together with all that ended while the last write was under way.

use std::sync::Arc;
use std::time::Duration;

use super::{Run, Step};
use crate::job::Event;
use crate::journal::{JournalError, Settlement};
use crate::task::Verdict;
use crate::usage::Usd;

/// How often a settlement that can't be written is tried again, and how far apart: a paid result is
/// worth some patience with a full disk.
const SETTLE_TRIES: u32 = 15;
const SETTLE_PAUSE: Duration = Duration::from_secs(1);

impl Run<'_> {
    /// Notes how a call ended, to be written with what else has ended by then.
    pub(super) fn settle(&mut self, settlement: Settlement) {
        self.settlements.push(settlement);
    }

    /// Writes how calls ended. Their outcomes are reported once that is durable.
    pub(super) fn flush(&mut self) {
        // Where answers come as quickly as a commit, those that end meanwhile are gathered. Elsewhere none waits
        // while others are sent: what is answered and not written is asked for again after a crash.
        if self.settlements.is_empty() || (self.settling && self.ahead() > 0) {
            return;
        }
        self.settling = true;
        let mut settlements = std::mem::take(&mut self.settlements);
        settlements.sort_by_key(|settlement| settlement.entry);
        let mut merged: Vec<Settlement> = Vec::with_capacity(settlements.len());
        for settlement in settlements {
            match merged.last_mut().filter(|last| last.entry == settlement.entry) {
                Some(last) => last.merge(settlement),
                None => merged.push(settlement),
            }
        }
        for settlement in &mut merged {
            // What is written again keeps its id: it then changes nothing if the first write came through after all.
            settlement.id = self.rng.i64(1..);
        }
        self.write(merged, 0);
    }

    fn write(&mut self, settlements: Vec<Settlement>, tries: u32) {
        let journal = Arc::clone(&self.journal);
        self.begin(async move {
            if tries > 0 {
                tokio::time::sleep(SETTLE_PAUSE).await;
            }
            let result = journal.settle(&settlements).await;
            Step::Settled { settlements, tries, result }
        });
    }

    /// A write came to its end.
    pub(super) fn on_settled(&mut self, settlements: Vec<Settlement>, tries: u32, result: Result<(), JournalError>) {
        self.stalled -= u32::from(tries > 0);
        self.settling &= tries > 0;
        let Err(error) = result else {
            for (outcome, attempts) in settlements.iter().flat_map(|settlement| &settlement.outcomes) {
                match outcome.verdict {
                    Verdict::Done { .. } => self.progress.done += 1,
                    Verdict::Blocked { .. } => self.progress.blocked += 1,
                    Verdict::Failed { .. } => self.progress.failed += 1,
                }
                (self.on_event)(Event::Outcome { outcome, attempts: *attempts });
            }
            return;
        };
        (self.on_event)(Event::JournalTrouble(&error));
        let paid = |settlement: &Settlement| !settlement.outcomes.is_empty() || settlement.cost != Usd::ZERO;
        let paid = settlements.iter().any(paid);
        if tries < SETTLE_TRIES && paid {
            self.stalled += 1;
            self.write(settlements, tries + 1);
        } else if paid || tries == 0 {
            // A reservation that stays unsettled goes on to count as used, which is harmless; but a
            // journal that can't be written is no place to go on from.
            self.trouble = Some(error);
        }
    }
}
