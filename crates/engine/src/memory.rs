//! A journal that forgets: for tests, and for runs whose results need not outlive the process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use crate::journal::{
    EntryId, JobId, Journal, JournalResult, LedgerEntry, Lesson, PoolId, Reservation, Reserved, Settlement,
};
use crate::task::{Item, Outcome};
use crate::time::Timestamp;

/// A [`Journal`] in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    items: HashMap<JobId, Vec<Item>>,
    outcomes: HashMap<JobId, BTreeMap<u64, (Outcome, u32)>>,
    entries: Vec<(Reservation, Option<Settlement>)>,
    lessons: HashMap<PoolId, Vec<Lesson>>,
}

impl MemoryJournal {
    /// Adds items to a job.
    pub fn add(&self, job: &JobId, items: impl IntoIterator<Item = Item>) {
        self.lock().items.entry(Arc::clone(job)).or_default().extend(items);
    }

    /// The outcomes of a job, by the items' places, each with the attempts it took.
    pub fn outcomes(&self, job: &JobId) -> Vec<(Outcome, u32)> {
        self.lock().outcomes.get(job).map(|outcomes| outcomes.values().cloned().collect()).unwrap_or_default()
    }

    /// Reservations that were never settled.
    pub fn unsettled(&self) -> Vec<Reservation> {
        self.lock().entries.iter().filter(|(_, settled)| settled.is_none()).map(|(made, _)| made.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn pending(&self, job: &JobId, after: Option<u64>, limit: usize) -> BoxFuture<'_, JournalResult<Vec<Item>>> {
        let state = self.lock();
        let ended = state.outcomes.get(job);
        let items = state.items.get(job).into_iter().flatten();
        let pending = items
            .filter(|item| after.is_none_or(|after| item.seq > after))
            .filter(|item| !ended.is_some_and(|ended| ended.contains_key(&item.seq)))
            .take(limit)
            .cloned()
            .collect();
        Box::pin(async move { Ok(pending) })
    }

    fn reserve(&self, reservations: Vec<Reservation>, _: EntryId) -> BoxFuture<'_, JournalResult<Reserved>> {
        let mut state = self.lock();
        let ids = reservations
            .into_iter()
            .map(|reservation| {
                state.entries.push((reservation, None));
                EntryId(state.entries.len() as i64)
            })
            .collect();
        Box::pin(async move { Ok(Reserved::Granted(ids)) })
    }

    fn settle(&self, settlement: Settlement) -> BoxFuture<'_, JournalResult<()>> {
        let mut state = self.lock();
        let outcomes = state.outcomes.entry(Arc::clone(&settlement.job)).or_default();
        for (outcome, attempts) in &settlement.outcomes {
            outcomes.entry(outcome.seq).or_insert_with(|| (outcome.clone(), *attempts));
        }
        let index = settlement.entry.and_then(|entry| usize::try_from(entry.0 - 1).ok());
        if let Some((_, settled)) = index.and_then(|index| state.entries.get_mut(index)) {
            *settled = Some(settlement);
        }
        Box::pin(async move { Ok(()) })
    }

    fn lessons(&self, pool: &PoolId) -> BoxFuture<'_, JournalResult<Vec<Lesson>>> {
        let lessons = self.lock().lessons.get(pool).cloned().unwrap_or_default();
        Box::pin(async move { Ok(lessons) })
    }

    fn learn(&self, pool: &PoolId, lesson: Lesson) -> BoxFuture<'_, JournalResult<()>> {
        let mut state = self.lock();
        let lessons = state.lessons.entry(Arc::clone(pool)).or_default();
        lessons.retain(|known| known.limit.scope() != lesson.limit.scope());
        lessons.push(lesson);
        Box::pin(async move { Ok(()) })
    }

    fn ledger(&self, pool: &PoolId, since: Timestamp) -> BoxFuture<'_, JournalResult<Vec<LedgerEntry>>> {
        let state = self.lock();
        let entries = state.entries.iter().zip(1..).filter(|((made, _), _)| made.pool == *pool);
        let ledger = entries
            .map(|((made, settled), id)| LedgerEntry {
                id: EntryId(id),
                left: settled.as_ref().map_or(made.leave_by, |settled| settled.left),
                amounts: settled.as_ref().map_or(made.amounts, |settled| settled.counted),
                settled: settled.is_some(),
            })
            .filter(|entry| entry.left >= since)
            .collect();
        Box::pin(async move { Ok(ledger) })
    }
}
