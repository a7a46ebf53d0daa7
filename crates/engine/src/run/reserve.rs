//! From admission to departure: reservations, their turn among other runs, and what comes of them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::call::{Call, Reserving, exchange};
use super::{Run, Step};
use crate::job::Event;
use crate::journal::{Amounts, EntryId, LedgerEntry, Reservation, Reserved};
use crate::limiter::WaitCause;
use crate::model::Request;
use crate::time::Timestamp;

/// A place in line outlasts what it waits for by so much: whoever can't take its turn by then has lost it.
const PLACE_HOLDS: Duration = Duration::from_secs(2);
/// Once the journal says that another run goes first, this passes before the next try.
const YIELD: Duration = Duration::from_millis(20);

impl<F: FnMut(Event<'_>) + Send> Run<F> {
    /// Writes the reservations of `calls`, all of one pool, and then sends them.
    pub(super) fn reserve(&mut self, pool: usize, mut calls: Vec<(Call, Request)>, now: Timestamp) {
        let state = &self.pools[pool];
        let shared = state.account.map_or(u64::MAX, |account| self.accounts[account].limiter.block());
        let block = state.limiter.block().min(shared);
        if block > 1 {
            // What a call costs is its lane's, so a block has one lane.
            calls.sort_by(|(a, _), (b, _)| a.lane().cmp(&b.lane()));
        }
        let mut reservations: Vec<Reservation> = Vec::new();
        for (call, _) in &calls {
            let items = call.items.iter().map(|queued| queued.item.seq);
            match reservations.last_mut().filter(|last| last.calls < block && Some(&last.lane) == call.lane()) {
                Some(last) => {
                    last.calls += 1;
                    last.items.extend(items);
                    last.amounts += call.amounts;
                    last.leave_by = last.leave_by.min(call.leave_by);
                }
                None => reservations.push(Reservation {
                    job: Arc::clone(&self.job.id),
                    pool: Arc::clone(&state.pool.id),
                    scope: state.scope(),
                    lane: call.lane().cloned().unwrap_or_default(),
                    calls: 1,
                    items: items.collect(),
                    amounts: call.amounts,
                    at: now,
                    leave_by: call.leave_by,
                }),
            }
        }
        let blocks = reservations.iter().map(|made| usize::try_from(made.calls).unwrap_or(usize::MAX)).collect();
        let (journal, runner, seen) = (Arc::clone(&self.journal), self.runner.clone(), state.seen);
        self.begin(async move {
            let result = journal.reserve(&runner, reservations, seen).await;
            Step::Reserved(Reserving { pool, calls, blocks, result })
        });
    }

    /// Begins a write at once, and waits for its end beside the run. The journal keeps to the order in which writes
    /// begin; a runtime begins what it is given in any order, often with the last, and then what is sent next would
    /// be written before what has ended.
    pub(super) fn begin(&mut self, write: impl Future<Output = Step> + Send + 'static) {
        let mut write = Box::pin(write);
        match (&mut write).now_or_never() {
            Some(step) => self.steps.spawn(std::future::ready(step)),
            None => self.steps.spawn(write),
        };
    }

    /// Sends what was reserved in time; the rest goes back.
    pub(super) fn on_reserved(&mut self, reserving: Reserving) {
        let Reserving { pool, calls, blocks, result } = reserving;
        let now = self.clock.now();
        if let Some((first, _)) = calls.first() {
            // From admission on: composing and commits both hold a call up.
            self.pools[pool].learn_slack(now.since(first.left));
        }
        let cap = self.most_in_flight();
        match result {
            Ok(Reserved::Granted(ids)) => {
                let mut late = Vec::new();
                let entries = ids.iter().zip(&blocks).flat_map(|(id, calls)| std::iter::repeat_n(*id, *calls));
                for ((mut call, request), id) in calls.into_iter().zip(entries) {
                    call.entry = Some(id);
                    if now > call.leave_by || self.end.is_some() {
                        late.push(call);
                    } else if self.in_flight < cap {
                        self.send(call, request, now);
                    } else {
                        self.ready.push_back((call, request));
                    }
                }
                if self.pools[pool].scope().is_some() {
                    // Nobody else's entry came before: otherwise it would not have been granted.
                    self.see(pool, ids.into_iter().max().unwrap_or_default());
                }
                return late.into_iter().rev().for_each(|call| self.cancel(call, now));
            }
            Ok(Reserved::Behind(entries)) => self.catch_up(pool, &entries, now),
            Ok(Reserved::NotYet) => self.pools[pool].yields = Some(now.after(YIELD)),
            Err(error) => self.trouble = Some(error),
        }
        calls.into_iter().rev().for_each(|(call, _)| self.cancel(call, now));
    }

    /// Sends what is reserved and had to wait for others to end.
    pub(super) fn send_ready(&mut self) {
        if self.ready.is_empty() || self.stalled > 0 {
            return;
        }
        let (now, cap) = (self.clock.now(), self.most_in_flight());
        let over = self.end.is_some() || self.trouble.is_some();
        while (over || self.in_flight < cap)
            && let Some((call, request)) = self.ready.pop_front()
        {
            if over || now > call.leave_by || !self.pools[call.pool].is_open() {
                self.cancel(call, now);
            } else {
                self.send(call, request, now);
            }
        }
    }

    /// Takes over what other runs have reserved.
    fn catch_up(&mut self, pool: usize, entries: &[LedgerEntry], now: Timestamp) {
        // Several batches may have heard of the same entries.
        let seen = self.pools[pool].seen;
        let unseen: Vec<&LedgerEntry> = entries.iter().filter(|entry| entry.id > seen).collect();
        let Some(latest) = unseen.iter().map(|entry| entry.id).max() else { return };
        for place in self.sharing(pool) {
            let state = &mut self.pools[place];
            let own = unseen.iter().filter(|entry| entry.pool == state.pool.id);
            state.limiter.restore(own.copied(), now);
        }
        if let Some(account) = self.pools[pool].account {
            let account = &mut self.accounts[account];
            let counted = unseen.iter().filter(|entry| entry.pool.starts_with(&*account.scope));
            account.limiter.restore(counted.copied(), now);
        }
        self.see(pool, latest);
    }

    /// All foreign entries up to `latest` that matter to a pool are known; they matter to those that share its
    /// account's limits as well.
    fn see(&mut self, pool: usize, latest: EntryId) {
        for place in self.sharing(pool) {
            let state = &mut self.pools[place];
            state.seen = state.seen.max(latest);
        }
    }

    fn sharing(&self, pool: usize) -> Vec<usize> {
        let account = self.pools[pool].account;
        let shares = |place: &usize| *place == pool || (account.is_some() && self.pools[*place].account == account);
        (0..self.pools.len()).filter(shares).collect()
    }

    fn send(&mut self, mut call: Call, request: Request, now: Timestamp) {
        let state = &mut self.pools[call.pool];
        call.left = now;
        state.limiter.left(&call.ticket, &call.amounts, now);
        if let (Some(account), Some(ticket)) = (state.account, &call.shared_ticket) {
            self.accounts[account].limiter.left(ticket, &call.amounts, now);
        }
        self.progress.calls += 1;
        self.in_flight += 1;
        let (model, task) = (Arc::clone(&state.pool.model), Arc::clone(&self.job.task));
        let latency = state.latency.clone();
        self.steps.spawn(async move { Step::Exchanged(Box::new(exchange(call, request, model, task, latency).await)) });
    }

    /// Gives back what a call that never left had taken.
    fn cancel(&mut self, call: Call, now: Timestamp) {
        self.close(&call, &Amounts::default(), now);
        if call.entry.is_some() {
            self.settle(self.settlement(&call, now));
        }
        self.queue.put_back(call.into_pack());
    }

    /// While limits make it wait, a run stands in line, so that others let it have its turn.
    pub(super) fn join_queue(&mut self, now: Timestamp) {
        let waits = match &self.wait {
            Some((Some(until), WaitCause::Limit(_) | WaitCause::Turn)) if self.queue.has_ready() => Some(*until),
            _ => None,
        };
        for pool in self.pools.iter_mut().filter(|pool| pool.is_open() && pool.scope().is_some()) {
            match (waits, pool.in_line) {
                (Some(until), held) => {
                    let until = until.after(PLACE_HOLDS);
                    // A place is kept up a second at a time: limits that are high are waited for often.
                    if held.is_none_or(|held| held < until.before(PLACE_HOLDS / 2)) {
                        pool.in_line = Some(until);
                        let (journal, runner) = (Arc::clone(&self.journal), self.runner.clone());
                        let id = Arc::clone(&pool.pool.id);
                        self.steps
                            .spawn(async move { Step::Queued(journal.join_queue(&runner, &id, now, until).await) });
                    }
                }
                (None, Some(_)) if !self.queue.has_ready() => {
                    pool.in_line = None;
                    let (journal, runner) = (Arc::clone(&self.journal), self.runner.clone());
                    self.steps.spawn(async move { Step::Queued(journal.leave_queue(&runner).await) });
                }
                (None, _) => {}
            }
        }
    }
}
