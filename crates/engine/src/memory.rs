//! A journal that forgets: for tests, and for runs whose results need not outlive the process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use crate::journal::{
    EntryId, Epoch, Habits, JobId, Journal, JournalResult, Known, LedgerEntry, Lesson, PoolId, Reservation, Reserved,
    Runner, ScopeId, Settlement, TURN,
};
use crate::pools::newcomer;
use crate::task::{Item, Outcome};
use crate::time::{Clock, Timestamp};

/// A [`Journal`] in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    items: HashMap<JobId, Vec<Item>>,
    outcomes: HashMap<JobId, BTreeMap<u64, (Outcome, u32)>>,
    entries: Vec<Entry>,
    lessons: HashMap<PoolId, Vec<Lesson>>,
    habits: HashMap<PoolId, Habits>,
    line: Vec<Place>,
    leases: HashMap<JobId, Epoch>,
    clock: Option<Clock>,
    /// The latest time that it has told.
    told: Timestamp,
}

#[derive(Debug)]
struct Entry {
    by: Arc<str>,
    made: Reservation,
    /// Its settlements, taken together.
    settled: Option<Settlement>,
    /// Which those are.
    settlements: Vec<i64>,
}

impl Entry {
    fn open(&self) -> u64 {
        self.made.calls.saturating_sub(self.settled.as_ref().map_or(0, |settled| settled.ended.calls))
    }

    fn line(&self, id: i64) -> LedgerEntry {
        let settled = self.settled.as_ref().filter(|_| self.open() == 0);
        LedgerEntry {
            id: EntryId(id),
            pool: Arc::clone(&self.made.pool),
            left: settled.map_or(self.made.leave_by, |settled| settled.left),
            amounts: settled.map_or(self.made.amounts, |settled| settled.counted),
            settled: settled.is_some(),
        }
    }
}

/// A run's place in the line for a pool.
#[derive(Debug)]
struct Place {
    runner: Runner,
    pool: PoolId,
    served: i64,
    start: i64,
    until: Timestamp,
}

impl State {
    /// Whether another run in line for `pool` goes before `by`.
    fn is_behind(&self, by: &Runner, pool: &PoolId, now: Timestamp) -> bool {
        let line = || self.line.iter().filter(|place| place.pool == *pool && place.until > now);
        let own = line().find(|place| place.runner.id == by.id).map(|place| place.served);
        let served = own.unwrap_or(i64::MAX);
        line().filter(|place| place.runner.id != by.id).any(|place| {
            let urgency = place.runner.urgency;
            urgency < by.urgency || (urgency == by.urgency && place.served + TURN < served)
        })
    }
}

impl MemoryJournal {
    /// An empty journal that has a clock of its own.
    pub fn with_clock(clock: Clock) -> Self {
        let journal = Self::default();
        journal.lock().clock = Some(clock);
        journal
    }

    /// Takes a job for whoever asks: from now on, nobody else's runs of it reserve anything.
    pub fn lease(&self, job: &JobId) -> Epoch {
        let mut state = self.lock();
        let epoch = state.leases.entry(Arc::clone(job)).or_default();
        *epoch += 1;
        *epoch
    }

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
        self.lock().entries.iter().filter(|entry| entry.open() > 0).map(|entry| entry.made.clone()).collect()
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

    fn reserve(
        &self,
        by: &Runner,
        reservations: Vec<Reservation>,
        known: Known,
    ) -> BoxFuture<'_, JournalResult<Reserved>> {
        let mut state = self.lock();
        let lost = |made: &Reservation| state.leases.get(&made.job).copied() != by.lease;
        if by.lease.is_some() && reservations.iter().any(lost) {
            return Box::pin(async { Ok(Reserved::Lost) });
        }
        let matters = |entry: &Entry| {
            let of = |reservation: &Reservation| {
                reservation.scope.as_deref().is_some_and(|s| entry.made.pool.starts_with(s))
            };
            entry.by != known.reader && reservations.iter().any(of)
        };
        let after = state.entries.iter().zip(1..).skip(usize::try_from(known.seen.0).unwrap_or(0));
        let unseen: Vec<LedgerEntry> =
            after.filter(|(entry, _)| matters(entry)).map(|(entry, id)| entry.line(id)).collect();
        let waits = |reservation: &Reservation| {
            reservation.scope.is_some() && state.is_behind(by, &reservation.pool, reservation.at)
        };
        let answer = if !unseen.is_empty() {
            Reserved::Behind(unseen)
        } else if reservations.iter().any(waits) {
            Reserved::NotYet
        } else {
            let ids = reservations.into_iter().map(|made| {
                let own = |place: &&mut Place| place.pool == made.pool && place.runner.id == by.id;
                if let Some(place) = state.line.iter_mut().find(own) {
                    place.served += made.calls.cast_signed();
                }
                state.entries.push(Entry {
                    by: Arc::clone(&known.reader),
                    made,
                    settled: None,
                    settlements: Vec::new(),
                });
                EntryId(state.entries.len() as i64)
            });
            Reserved::Granted(ids.collect())
        };
        Box::pin(async move { Ok(answer) })
    }

    fn join_queue(
        &self,
        by: &Runner,
        pool: &PoolId,
        now: Timestamp,
        until: Timestamp,
    ) -> BoxFuture<'_, JournalResult<()>> {
        let mut state = self.lock();
        state.line.retain(|place| place.until > now);
        let waiting = state.line.iter().filter(|place| place.pool == *pool);
        let start = newcomer(waiting.map(|place| (place.served, place.start)));
        match state.line.iter_mut().find(|place| place.pool == *pool && place.runner.id == by.id) {
            Some(place) => place.until = until,
            None => {
                let (runner, pool) = (by.clone(), Arc::clone(pool));
                state.line.push(Place { runner, pool, served: start, start, until });
            }
        }
        Box::pin(async { Ok(()) })
    }

    fn leave_queue(&self, by: &Runner) -> BoxFuture<'_, JournalResult<()>> {
        self.lock().line.retain(|place| place.runner.id != by.id);
        Box::pin(async { Ok(()) })
    }

    fn settle<'a>(&'a self, settlements: &'a [Settlement]) -> BoxFuture<'a, JournalResult<()>> {
        let mut state = self.lock();
        for settlement in settlements {
            let outcomes = state.outcomes.entry(Arc::clone(&settlement.job)).or_default();
            for (outcome, attempts) in &settlement.outcomes {
                outcomes.entry(outcome.seq).or_insert_with(|| (outcome.clone(), *attempts));
            }
            let index = settlement.entry.and_then(|entry| usize::try_from(entry.0 - 1).ok());
            if let Some(entry) = index.and_then(|index| state.entries.get_mut(index)) {
                if entry.settlements.contains(&settlement.id) {
                    continue;
                }
                entry.settlements.push(settlement.id);
                match &mut entry.settled {
                    Some(settled) => settled.merge(settlement.clone()),
                    None => entry.settled = Some(settlement.clone()),
                }
            }
        }
        Box::pin(async { Ok(()) })
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

    fn last_entry(&self) -> BoxFuture<'_, JournalResult<EntryId>> {
        let last = EntryId(self.lock().entries.len() as i64);
        Box::pin(async move { Ok(last) })
    }

    fn habits(&self, pool: &PoolId) -> BoxFuture<'_, JournalResult<Option<Habits>>> {
        let habits = self.lock().habits.get(pool).cloned();
        Box::pin(async move { Ok(habits) })
    }

    fn keep_habits(&self, pool: &PoolId, habits: Habits) -> BoxFuture<'_, JournalResult<()>> {
        self.lock().habits.insert(Arc::clone(pool), habits);
        Box::pin(async { Ok(()) })
    }

    fn time(&self) -> BoxFuture<'_, JournalResult<Option<Timestamp>>> {
        let mut state = self.lock();
        let now = state.clock.map(|clock| clock.now().max(state.told));
        state.told = now.unwrap_or_default();
        Box::pin(async move { Ok(now) })
    }

    fn ledger(&self, scope: &ScopeId, since: Timestamp) -> BoxFuture<'_, JournalResult<Vec<LedgerEntry>>> {
        let state = self.lock();
        let entries = state.entries.iter().zip(1..).filter(|(entry, _)| entry.made.pool.starts_with(&**scope));
        let ledger = entries.map(|(entry, id)| entry.line(id)).filter(|line| line.left >= since).collect();
        Box::pin(async move { Ok(ledger) })
    }
}
