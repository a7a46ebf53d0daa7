//! From admission to departure: reservations, their turn among other runs, and what comes of them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tracing::Instrument;

use super::call::{Call, Reserving, exchange, traced};
use super::{Run, Step};
use crate::job::RunEnd;
use crate::journal::{Amounts, Reservation, Reserved};
use crate::model::Request;
use crate::time::Timestamp;

/// A place in line outlasts what it waits for by so much: whoever can't take its turn by then has lost it.
const PLACE_HOLDS: Duration = Duration::from_secs(2);
/// Once the journal says that another run goes first, this passes before the next try.
const YIELD: Duration = Duration::from_millis(20);

impl Run<'_> {
    /// Writes the reservations of `calls`, all of one pool, and then sends them.
    pub(super) fn reserve(&mut self, pool: usize, mut calls: Vec<(Call, Request)>, now: Timestamp) {
        let state = &self.pools[pool];
        let block = state.shared(|group, place| group.block(place));
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
        let scoped = reservations.iter().any(|made| made.scope.is_some());
        let blocks = reservations.iter().map(|made| usize::try_from(made.calls).unwrap_or(usize::MAX)).collect();
        let (journal, runner, known) = (Arc::clone(&self.journal), self.runner.clone(), state.group.known());
        self.begin(async move {
            let result = journal.reserve(&runner, reservations, known).await;
            Step::Reserved(Reserving { pool, calls, blocks, scoped, result })
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
        let Reserving { pool, calls, blocks, scoped, result } = reserving;
        let now = self.clock.now();
        if let Some((first, _)) = calls.first() {
            // From admission on: composing and commits both hold a call up.
            let took = now.since(first.left);
            self.pools[pool].standing(|standing| standing.learn_slack(took));
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
                if scoped {
                    // Nobody else's entry came before: otherwise it would not have been granted.
                    self.pools[pool].group.see(ids.into_iter().max().unwrap_or_default());
                }
                return late.into_iter().rev().for_each(|call| self.cancel(call, now));
            }
            Ok(Reserved::Behind(entries)) => self.pools[pool].group.catch_up(&entries, now),
            Ok(Reserved::NotYet) => {
                let until = now.after(YIELD);
                self.pools[pool].yields = Some(until);
                self.pools[pool].shared(|group, place| group.line.held_back(&self.runner, place, until));
            }
            Ok(Reserved::Lost) => self.end = Some(RunEnd::LeaseLost),
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

    fn send(&mut self, mut call: Call, request: Request, now: Timestamp) {
        let state = &mut self.pools[call.pool];
        call.left = now;
        let expected = state.shared(|group, place| {
            group.left(place, &call.tickets, &call.amounts, now);
            let pool = &mut group.pools[place];
            pool.share.add(1.0, now);
            pool.latency.lock().line().at(call.expected)
        });
        state.lately.add(1.0, now);
        if now.after(expected) > self.last_expected.0 {
            self.last_expected = (now.after(expected), now, call.pool, call.expected);
        }
        self.silent_since.get_or_insert(now);
        self.progress.calls += 1;
        self.in_flight += 1;
        let (model, task) = (Arc::clone(&state.pool.model), Arc::clone(&self.job.task));
        let latency = state.latency.clone();
        let span = traced(&state.pool, &self.job.id, &call);
        let exchange = exchange(call, request, model, task, latency);
        self.steps.spawn(async move { Step::Exchanged(Box::new(exchange.await)) }.instrument(span));
    }

    /// Gives back what a call that never left had taken.
    fn cancel(&mut self, call: Call, now: Timestamp) {
        self.pools[call.pool].shared(|group, place| group.give_back(place, &self.runner));
        self.close(&call, &Amounts::default(), now);
        if call.entry.is_some() {
            self.settle(self.settlement(&call, now));
        }
        self.queue.put_back(call.into_pack());
    }

    /// While limits make it wait, a run stands in line, so that others let it have its turn: in that of this process,
    /// and in the journal's.
    pub(super) fn join_queue(&mut self, now: Timestamp) {
        let models = self.queue.models();
        for pool in self.pools.iter_mut().filter(|pool| pool.is_open()) {
            // At a pool that it has nothing for it stands in nobody's way.
            let has_some = self.queue.has_ready() && models.iter().any(|model| pool.serves(model));
            pool.waits = pool.waits.filter(|_| has_some).map(|until| until.after(PLACE_HOLDS));
            pool.shared(|group, place| group.line.wait(&self.runner, place, pool.waits, now));
        }
        for pool in self.pools.iter_mut().filter(|pool| pool.is_open() && pool.scope().is_some()) {
            match (pool.waits, pool.in_line) {
                (Some(until), held) => {
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
