//! From the queue to the wire: which items, in which pack, to which pool, and when.

use std::sync::Arc;

use super::call::{Call, Reserving, exchange, reserve};
use super::pool::is_day;
use super::{Run, Step};
use crate::job::{Event, Packing, RunEnd};
use crate::journal::{Amounts, Reservation, Reserved, Settlement};
use crate::limit::{Limit, LimitKind, Window};
use crate::limiter::{Admission, WaitCause};
use crate::model::Request;
use crate::plan::Outlook;
use crate::queue::{Pack, Queued};
use crate::task::{Item, Outcome, Verdict};
use crate::time::Timestamp;
use crate::usage::{Demand, Usage, Usd};

/// Calls in flight at once, whatever the limits allow: beyond this a connection each is no gain.
const MOST_IN_FLIGHT: u64 = 1024;
/// Reservations written together.
const BATCH: usize = 256;
/// Packs of one and of so many items show how requests grow.
const SAMPLE: usize = 8;

/// What became of the attempt to send one more call.
enum Next {
    Send(Box<Call>, Box<Request>),
    /// Not at present; what it waits for is noted.
    Wait,
    /// Try again: an item ended without a call.
    Again,
    /// Try again with fewer items.
    Smaller,
}

impl<F: FnMut(Event<'_>) + Send> Run<F> {
    /// Sends all that may be sent now, and notes what the rest waits for.
    pub(super) fn dispatch(&mut self) {
        self.wait = None;
        if self.end.is_some() || self.trouble.is_some() {
            return;
        }
        let now = self.clock.now();
        let woken = self.queue.wake(now, self.retries.available(now));
        self.retries.spend(woken, now);
        let mut batches: Vec<Vec<(Call, Request)>> = self.pools.iter().map(|_| Vec::new()).collect();
        let mut size = None;
        while self.queue.has_ready() && batches.iter().map(Vec::len).sum::<usize>() < BATCH {
            let Some(pool) = self.choose_pool(now) else { break };
            let planned = *size.get_or_insert_with(|| self.pack_size(pool, now));
            match self.next(pool, planned, now) {
                Next::Send(call, request) => batches[pool].push((*call, *request)),
                Next::Wait => break,
                Next::Again => {}
                Next::Smaller => size = Some(planned.div_ceil(2)),
            }
        }
        for (pool, calls) in batches.into_iter().enumerate().filter(|(_, calls)| !calls.is_empty()) {
            self.reserve(pool, calls, now);
        }
        if self.wait.is_none() && !self.queue.has_ready() {
            self.wait = self.queue.next_due().map(|due| (Some(due), WaitCause::Backoff));
        }
    }

    /// The open pool whose turn it is of those that admit one more call. Notes the earliest admission if
    /// none does.
    fn choose_pool(&mut self, now: Timestamp) -> Option<usize> {
        let cap = self.job.options.concurrency.unwrap_or(MOST_IN_FLIGHT).min(MOST_IN_FLIGHT);
        if self.open_calls >= cap {
            let limit = Limit { kind: LimitKind::InFlight, amount: cap, window: Window::Now };
            self.wait = Some((None, WaitCause::Limit(limit)));
            return None;
        }
        let one = Amounts { requests: 1, ..Amounts::default() };
        let mut order: Vec<usize> = (0..self.pools.len()).filter(|index| self.pools[*index].is_open()).collect();
        order.sort_by(|a, b| self.pools[*a].before(&self.pools[*b]));
        for index in order {
            let pool = &mut self.pools[index];
            let admission = match pool.health.next_probe() {
                Some(probe) if probe > now => Admission::At(probe, WaitCause::Outage),
                _ => pool.limiter.admit(&one, now),
            };
            if self.note(index, admission, now) {
                return Some(index);
            }
        }
        None
    }

    /// Whether a call may leave now; notes what it waits for if not.
    fn note(&mut self, pool: usize, admission: Admission, now: Timestamp) -> bool {
        match admission {
            Admission::Now => {
                self.pools[pool].park(None);
                return true;
            }
            Admission::At(at, cause) => {
                let parked = is_day(&cause) && at > now;
                self.pools[pool].park(parked.then(|| (at, cause.clone())));
                if self.wait.as_ref().is_none_or(|(until, _)| until.is_none_or(|until| at < until)) {
                    self.wait = Some((Some(at), cause));
                }
            }
            Admission::AfterCall(cause) => self.wait = self.wait.take().or(Some((None, cause))),
            Admission::Never(limit) => self.wait = Some((None, WaitCause::Limit(limit))),
        }
        false
    }

    fn next(&mut self, pool: usize, size: usize, now: Timestamp) -> Next {
        let Some(pack) = self.queue.take(size) else { return Next::Wait };
        let items: Vec<Item> = pack.items.iter().map(|queued| queued.item.clone()).collect();
        let request = match self.job.task.compose(&items) {
            Ok(request) => request,
            Err(fault) => {
                self.fail_in_pack(pack, fault.index, fault.code, fault.message, now);
                return Next::Again;
            }
        };
        let demand = request.demand();
        let amounts = self.pools[pool].amounts(&demand);
        match self.pools[pool].limiter.admit(&amounts, now) {
            Admission::Never(limit) => {
                let message = format!("the item alone takes more than {limit} allows");
                return self.shrink(pack, now, |run, pack| run.fail_in_pack(pack, 0, "over-limit", message, now));
            }
            admission => {
                if !self.note(pool, admission, now) {
                    self.queue.put_back(pack);
                    return Next::Wait;
                }
            }
        }
        let worst = self.pools[pool].pool.price.map(|price| price.worst_case(&demand)).unwrap_or_default();
        if self.job.options.max_cost.is_some_and(|max| self.spent + self.reserved + worst > max) {
            return self.over_budget(pack, now);
        }
        Next::Send(Box::new(self.take(pool, pack, demand, amounts, worst, now)), Box::new(request))
    }

    /// Makes a pack that is too large smaller; `alone` says what becomes of a single item.
    fn shrink(&mut self, pack: Pack, now: Timestamp, alone: impl FnOnce(&mut Self, Pack)) -> Next {
        if pack.items.len() == 1 {
            alone(self, pack);
        } else if pack.is_fixed() {
            self.split(pack.items, now);
        } else {
            self.queue.put_back(pack);
        }
        Next::Smaller
    }

    fn over_budget(&mut self, pack: Pack, now: Timestamp) -> Next {
        if self.open_calls > 0 {
            self.queue.put_back(pack);
            self.wait = Some((None, WaitCause::Budget));
            return Next::Wait;
        }
        let single = pack.items.len() == 1;
        let next = self.shrink(pack, now, |run, pack| {
            run.queue.put_back(pack);
            run.end = Some(RunEnd::OverBudget);
        });
        if single { Next::Wait } else { next }
    }

    fn take(&mut self, pool: usize, pack: Pack, demand: Demand, amounts: Amounts, worst: Usd, now: Timestamp) -> Call {
        let state = &mut self.pools[pool];
        let leave_by = now.after(state.slack);
        let ticket = state.limiter.take(&amounts, now, leave_by);
        state.health.probe(now);
        state.served += 1;
        if pack.items.iter().all(|queued| queued.attempts == 0) {
            self.retries.earn();
        }
        self.open_calls += 1;
        self.reserved += worst;
        let fixed = pack.is_fixed();
        Call { pool, items: pack.items, fixed, demand, amounts, worst, ticket, leave_by, entry: None, left: now }
    }

    fn reserve(&mut self, pool: usize, calls: Vec<(Call, Request)>, now: Timestamp) {
        let state = &self.pools[pool];
        let reservations = calls
            .iter()
            .map(|(call, _)| Reservation {
                job: Arc::clone(&self.job.id),
                pool: Arc::clone(&state.pool.id),
                items: call.items.iter().map(|queued| queued.item.seq).collect(),
                amounts: call.amounts,
                at: now,
                leave_by: call.leave_by,
            })
            .collect();
        let (journal, seen) = (Arc::clone(&self.journal), state.seen);
        self.steps.spawn(async move { Step::Reserved(reserve(journal, pool, seen, reservations, calls).await) });
    }

    /// Sends what was reserved in time; the rest goes back.
    pub(super) fn on_reserved(&mut self, reserving: Reserving) {
        let Reserving { pool, calls, result, took } = reserving;
        let now = self.clock.now();
        self.pools[pool].learn_slack(took);
        match result {
            Ok(Reserved::Granted(ids)) => {
                let mut late = Vec::new();
                for ((mut call, request), id) in calls.into_iter().zip(ids) {
                    call.entry = Some(id);
                    self.pools[pool].seen = self.pools[pool].seen.max(id);
                    if now > call.leave_by || self.end.is_some() {
                        late.push(call);
                    } else {
                        self.send(call, request, now);
                    }
                }
                late.into_iter().rev().for_each(|call| self.cancel(call, now));
            }
            Ok(Reserved::Behind(entries)) => {
                let state = &mut self.pools[pool];
                state.limiter.restore(&entries, now);
                state.seen = entries.iter().map(|entry| entry.id).max().unwrap_or_default().max(state.seen);
                calls.into_iter().rev().for_each(|(call, _)| self.cancel(call, now));
            }
            Err(error) => {
                self.trouble = Some(error);
                calls.into_iter().rev().for_each(|(call, _)| self.cancel(call, now));
            }
        }
    }

    fn send(&mut self, mut call: Call, request: Request, now: Timestamp) {
        let state = &mut self.pools[call.pool];
        call.left = now;
        state.limiter.left(&call.ticket, &call.amounts, now);
        self.progress.calls += 1;
        let (model, task) = (Arc::clone(&state.pool.model), Arc::clone(&self.job.task));
        let latency = state.latency.clone();
        self.steps.spawn(async move { Step::Exchanged(Box::new(exchange(call, request, model, task, latency).await)) });
    }

    /// Gives back what a call that never left had taken.
    fn cancel(&mut self, call: Call, now: Timestamp) {
        self.close(&call, &Amounts::default(), now);
        if call.entry.is_some() {
            self.settle(self.settlement(&call, now), 0);
        }
        self.queue.put_back(call.into_pack());
    }

    /// The call is no longer open, and counts for `counted`.
    pub(super) fn close(&mut self, call: &Call, counted: &Amounts, left: Timestamp) {
        self.pools[call.pool].limiter.ended(&call.ticket, counted, left);
        self.open_calls -= 1;
        self.reserved = self.reserved - call.worst;
    }

    /// A settlement that counts for nothing and brings nothing.
    pub(super) fn settlement(&self, call: &Call, now: Timestamp) -> Settlement {
        Settlement { entry: call.entry, left: call.left, ..self.bare_settlement(now) }
    }

    fn bare_settlement(&self, now: Timestamp) -> Settlement {
        Settlement {
            job: Arc::clone(&self.job.id),
            entry: None,
            counted: Amounts::default(),
            left: now,
            at: now,
            fault: None,
            usage: Usage::default(),
            cost: Usd::ZERO,
            estimated: false,
            outcomes: Vec::new(),
        }
    }

    /// An item that ends without a call; the rest of its pack goes back.
    fn fail_in_pack(&mut self, mut pack: Pack, index: usize, kind: &str, message: String, now: Timestamp) {
        let culprit = pack.items.remove(index.min(pack.items.len() - 1));
        let verdict = Verdict::Failed { kind: kind.to_owned(), message };
        let outcome = Outcome { seq: culprit.item.seq, verdict };
        let settlement = Settlement { outcomes: vec![(outcome, culprit.attempts)], ..self.bare_settlement(now) };
        self.settle(settlement, 0);
        self.queue.put_back(pack);
    }

    /// Two halves in place of one pack, each sent apart from all others.
    pub(super) fn split(&mut self, mut items: Vec<Queued>, now: Timestamp) {
        let second = items.split_off(items.len().div_ceil(2));
        for half in [items, second].into_iter().filter(|half| !half.is_empty()) {
            self.queue.delay(half, true, now);
        }
    }

    fn pack_size(&self, pool: usize, now: Timestamp) -> usize {
        let limit = self.job.task.pack_limit().min(self.pack_ceiling).max(1);
        match self.job.options.packing {
            Packing::Off => 1,
            Packing::Fixed(size) => size.clamp(1, limit),
            Packing::Auto if limit == 1 => 1,
            Packing::Auto => self.with_outlook(pool, limit, now, |outlook| outlook.best().map_or(1, |plan| plan.pack)),
        }
    }

    /// About how long what is left takes, by the first open pool.
    pub(super) fn time_left(&self, now: Timestamp) -> Option<std::time::Duration> {
        let pool = self.pools.iter().position(super::PoolState::is_open)?;
        let limit = match self.job.options.packing {
            Packing::Off => 1,
            Packing::Fixed(size) => size,
            Packing::Auto => self.job.task.pack_limit().min(self.pack_ceiling),
        };
        self.with_outlook(pool, limit.max(1), now, |outlook| outlook.best().map(|plan| plan.takes))
    }

    fn with_outlook<R>(
        &self,
        pool: usize,
        pack_limit: usize,
        now: Timestamp,
        look: impl FnOnce(&Outlook<'_>) -> R,
    ) -> R {
        let state = &self.pools[pool];
        let mut lanes: Vec<usize> = self.queue.lane_lengths().filter(|items| *items > 0).collect();
        lanes.push(usize::try_from(self.not_loaded()).unwrap_or(usize::MAX));
        let (one, many, sampled) = self.sample_demand();
        let nth_at = |calls: u64, pack: usize| {
            let demand = grow(&one, &many, sampled, pack);
            state.limiter.nth_at(calls, &state.amounts(&demand), now)
        };
        look(&Outlook {
            lanes: &lanes,
            pack_limit,
            concurrency: [self.job.options.concurrency, state.limiter.in_flight_cap()].into_iter().flatten().min(),
            now,
            nth_at: &nth_at,
            latency: &|items| state.latency.lock().expect(items),
        })
    }

    /// Items that the journal still holds.
    fn not_loaded(&self) -> u64 {
        if self.source.exhausted { 0 } else { self.job.items.saturating_sub(self.source.loaded) }
    }

    /// What a call with one item takes, and one with so many: requests grow in a straight line.
    fn sample_demand(&self) -> (Demand, Demand, usize) {
        let items = self.queue.peek(SAMPLE.min(self.job.task.pack_limit()));
        let demand = |items: &[Item]| {
            if items.is_empty() {
                return Demand::default();
            }
            self.job.task.compose(items).map(|request| request.demand()).unwrap_or_default()
        };
        (demand(&items[..items.len().min(1)]), demand(&items), items.len())
    }
}

/// The demand of `pack` items, from that of one and that of `sampled`.
pub(super) fn grow(one: &Demand, many: &Demand, sampled: usize, pack: usize) -> Demand {
    let line = |one: u64, many: u64| {
        if sampled < 2 {
            return one;
        }
        let each = many.saturating_sub(one) / (sampled as u64 - 1);
        one + each * (pack as u64 - 1)
    };
    Demand {
        input_tokens: line(one.input_tokens, many.input_tokens),
        output_cap: one.output_cap.zip(many.output_cap).map(|(one, many)| line(one, many)),
        images: line(one.images, many.images),
    }
}
