//! Pools whose limits are decided about together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::line::Line;
use super::opening::reach;
use super::standing::PoolStanding;
use crate::job::{AccountLimits, EngineError, Pool};
use crate::journal::{Amounts, EntryId, Journal, Known, LedgerEntry, PoolId, Runner, ScopeId};
use crate::limit::Limit;
use crate::limiter::{Admission, Limiter, Ticket};
use crate::time::Timestamp;

/// What others have reserved longer ago is no sign of how a pool is shared.
const LATELY: Duration = Duration::from_secs(60);
/// What is known of a pool that nobody uses holds for so long: then the ledger is read again, which says how others'
/// calls have ended.
const IDLE_FOR: Duration = Duration::from_secs(60);

/// Pools that share the limits of their account, or one pool.
#[derive(Debug)]
pub(crate) struct Group {
    /// What its runs are to the journal: one reader.
    reader: Arc<str>,
    /// The limits that span its pools.
    account: Option<AccountLimits>,
    /// The only pool, where no limits span several.
    only: Option<PoolId>,
    state: Mutex<GroupState>,
}

/// What is behind a group's lock.
#[derive(Debug)]
pub(crate) struct GroupState {
    /// Its pools, each in its place for good.
    pub(crate) pools: Vec<PoolStanding>,
    /// What the limits that span them allow.
    account: Option<Limiter>,
    /// The last of the ledger's entries that is known here.
    seen: EntryId,
    /// Runs that wait for the limits.
    pub(crate) line: Line,
    /// When the last run left it.
    used: Timestamp,
}

/// What a call took from the limits: of its pool, and of the account.
#[derive(Clone, Debug)]
pub(crate) struct Tickets {
    pub(crate) own: Ticket,
    account: Option<Ticket>,
}

impl Group {
    /// A group for this pool, without any pool yet, as the ledger has it.
    pub(super) async fn open(pool: &Pool, journal: &dyn Journal, now: Timestamp) -> Result<Self, EngineError> {
        let account = pool.account.clone().filter(|account| !account.limits.is_empty());
        // Read before the ledger: what is in neither left too long ago to matter.
        let mut seen = journal.last_entry().await?;
        let limiter = match &account {
            None => None,
            Some(account) => {
                let mut limiter = Limiter::shared(&account.limits, pool.day_zone.clone(), pool.connect, now);
                let entries = journal.ledger(&account.scope, now.before(reach(&account.limits))).await?;
                limiter.restore(&entries, now);
                seen = entries.iter().map(|entry| entry.id).max().unwrap_or_default().max(seen);
                Some(limiter)
            }
        };
        let only = account.is_none().then(|| Arc::clone(&pool.id));
        let state = GroupState { pools: Vec::new(), account: limiter, seen, line: Line::default(), used: now };
        Ok(Self { reader: super::standing::random_id().into(), account, only, state: Mutex::new(state) })
    }

    /// Whether the pool, with these limits as they are known by now, is one of this group or can become one.
    pub(super) fn takes_in(&self, pool: &Pool, limits: &[Limit], now: Timestamp) -> bool {
        let account = pool.account.as_ref().filter(|account| !account.limits.is_empty());
        if account != self.account.as_ref() || self.only.as_ref().is_some_and(|only| *only != pool.id) {
            return false;
        }
        let state = self.lock();
        // What ends with this process stands in no ledger that could be read again.
        if !pool.ephemeral && state.line.is_empty() && now.since(state.used) > IDLE_FOR {
            return false;
        }
        state.pools.iter().find(|known| known.id == pool.id).is_none_or(|known| known.has(&pool.limits, limits))
    }

    pub(super) fn place(&self, pool: &PoolId) -> Option<usize> {
        self.lock().pools.iter().position(|known| known.id == *pool)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, GroupState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much of the ledger is known here.
    pub(crate) fn known(&self) -> Known {
        Known { reader: Arc::clone(&self.reader), seen: self.lock().seen }
    }

    /// The entries that matter to the admission of a pool of this group; none where no limit is known.
    pub(crate) fn scope(&self, place: usize) -> Option<ScopeId> {
        match &self.account {
            Some(account) => Some(Arc::clone(&account.scope)),
            None => {
                let state = self.lock();
                let pool = &state.pools[place];
                pool.limiter.is_limited().then(|| Arc::clone(&pool.id))
            }
        }
    }

    /// Takes over what others have reserved.
    pub(crate) fn catch_up(&self, entries: &[LedgerEntry], now: Timestamp) {
        let mut state = self.lock();
        // Several answers may have told of the same entries.
        let seen = state.seen;
        let unseen: Vec<&LedgerEntry> = entries.iter().filter(|entry| entry.id > seen).collect();
        let Some(latest) = unseen.iter().map(|entry| entry.id).max() else { return };
        for pool in &mut state.pools {
            let own = unseen.iter().copied().filter(|entry| entry.pool == pool.id);
            // What left long ago says nothing of who uses the pool now.
            let lately = own.clone().filter(|entry| now.since(entry.left) < LATELY);
            lately.for_each(|entry| pool.share.add(entry.amounts.requests as f64, now));
            pool.limiter.restore(own, now);
        }
        if let (Some(limiter), Some(account)) = (&mut state.account, &self.account) {
            limiter.restore(unseen.into_iter().filter(|entry| entry.pool.starts_with(&*account.scope)), now);
        }
        state.seen = latest;
    }

    /// What others have reserved up to this entry is known.
    pub(crate) fn see(&self, latest: EntryId) {
        let mut state = self.lock();
        state.seen = state.seen.max(latest);
    }
}

impl GroupState {
    pub(super) fn add(&mut self, pool: PoolStanding) -> usize {
        if self.account.is_none() {
            self.seen = self.seen.max(pool.read_up_to);
        }
        self.pools.push(pool);
        self.pools.len() - 1
    }

    /// What the limits of a pool and those that it shares say of a call.
    pub(crate) fn admit(&mut self, place: usize, amounts: &Amounts, now: Timestamp) -> Admission {
        let account = self.account.as_mut();
        self.pools[place]
            .limiter
            .admit(amounts, now)
            .and(|| account.map_or(Admission::Now, |it| it.admit(amounts, now)))
    }

    /// A run is over. What is open of it was dropped, and counts as used until it ages out.
    pub(crate) fn exit(&mut self, place: usize, by: &Runner, now: Timestamp) {
        self.used = self.used.max(now);
        let open = self.line.exit(by, place);
        self.pools[place].limiter.abandon(open);
        if let Some(account) = &mut self.account {
            account.abandon(open);
        }
    }

    /// Takes what an admitted call of a run uses. It counts from `leave_by` until it has left.
    pub(crate) fn take(
        &mut self,
        place: usize,
        amounts: &Amounts,
        now: Timestamp,
        leave_by: Timestamp,
        by: &Runner,
    ) -> Tickets {
        self.line.opened(&by.id, place, true);
        self.line.served(by, place, 1);
        let account = self.account.as_mut().map(|limiter| limiter.take(amounts, now, leave_by));
        let pool = &mut self.pools[place];
        pool.health.probe(now);
        Tickets { own: pool.limiter.take(amounts, now, leave_by), account }
    }

    pub(crate) fn left(&mut self, place: usize, tickets: &Tickets, amounts: &Amounts, now: Timestamp) {
        self.pools[place].limiter.left(&tickets.own, amounts, now);
        if let (Some(limiter), Some(ticket)) = (&mut self.account, &tickets.account) {
            limiter.left(ticket, amounts, now);
        }
    }

    /// A call that was taken did not leave: it used nothing up, nobody's turn either.
    pub(crate) fn give_back(&mut self, place: usize, by: &Runner) {
        self.pools[place].limiter.give_back();
        self.line.served(by, place, -1);
    }

    /// Opening a connection to the pool took so long.
    pub(super) fn connected(&mut self, place: usize, connect: Duration) {
        self.pools[place].limiter.connected(connect);
        if let Some(account) = &mut self.account {
            account.connected(connect);
        }
    }

    /// The last of the ledger's entries that is counted here, where pools share limits.
    pub(super) fn counted_up_to(&self) -> Option<EntryId> {
        self.account.as_ref().map(|_| self.seen)
    }

    /// The call is no longer open, and counts for `counted`. Whoever waits looks again if that made room.
    pub(crate) fn ended(&mut self, place: usize, tickets: &Tickets, counted: &Amounts, left: Timestamp, by: &Arc<str>) {
        self.line.opened(by, place, false);
        let mut freed = self.pools[place].limiter.ended(&tickets.own, counted, left);
        if let (Some(limiter), Some(ticket)) = (&mut self.account, &tickets.account) {
            freed |= limiter.ended(ticket, counted, left);
        }
        if freed {
            self.line.wake_others(by);
        }
    }

    /// When the last of `count` calls of `amounts` each could leave. `None`: never.
    pub(crate) fn nth_at(&self, place: usize, count: u64, amounts: &Amounts, now: Timestamp) -> Option<Timestamp> {
        let own = self.pools[place].limiter.nth_at(count, amounts, now)?;
        match &self.account {
            Some(account) => Some(own.max(account.nth_at(count, amounts, now)?)),
            None => Some(own),
        }
    }

    /// How many calls one reservation may cover.
    pub(crate) fn block(&self, place: usize) -> u64 {
        self.pools[place].limiter.block().min(self.account.as_ref().map_or(u64::MAX, Limiter::block))
    }

    /// For how long a call may wait between its reservation and its departure.
    pub(crate) fn slack(&self, place: usize) -> Duration {
        self.pools[place].slack
    }
}
