//! From the queue to the wire: which items, in which pack, to which pool, and when.

use std::sync::Arc;
use std::time::Duration;

use super::call::{Call, Reserving, exchange, reserve};
use super::{Run, Sample, Step};
use crate::job::{Event, Packing, RunEnd};
use crate::journal::{Amounts, LedgerEntry, Reservation, Reserved, Settlement};
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

/// What that has shown is good for so long.
const SAMPLE_HOLDS: Duration = Duration::from_secs(5);

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
        if self.end.is_some() || self.trouble.is_some() || self.stalled > 0 {
            return;
        }
        let now = self.clock.now();
        let woken = self.queue.wake(now, self.retries.available(now));
        self.retries.spend(woken, now);
        let mut batches: Vec<Vec<(Call, Request)>> = self.pools.iter().map(|_| Vec::new()).collect();
        let mut size = None;
        while self.queue.has_ready() && batches.iter().map(Vec::len).sum::<usize>() < BATCH {
            let pools = self.candidates(now);
            let Some(first) = pools.first().copied() else { break };
            let planned = *size.get_or_insert_with(|| self.pack_size(first, now));
            match self.next(&pools, planned, now) {
                Next::Send(call, request) => {
                    // Composing takes time, and what is reserved must leave soon.
                    let late = self.clock.now().since(now) > self.pools[call.pool].slack / 4;
                    batches[call.pool].push((*call, *request));
                    if late {
                        break;
                    }
                }
                Next::Wait => break,
                Next::Again => {}
                Next::Smaller => size = Some(planned.div_ceil(2)),
            }
        }
        for (pool, calls) in batches.into_iter().enumerate().filter(|(_, calls)| !calls.is_empty()) {
            self.reserve(pool, calls, now);
        }
        if self.wait.is_none() && !self.queue.has_ready() {
            // Due is not enough: the budget for retries has to allow it, too.
            let allowed = self.retries.next_at(now).unwrap_or(now);
            self.wait = self.queue.next_due().map(|due| (Some(due.max(allowed)), WaitCause::Backoff));
        }
    }

    /// The open pools that may admit one more call, in the order of their turns. Notes what the others wait
    /// for.
    fn candidates(&mut self, now: Timestamp) -> Vec<usize> {
        let cap = self.job.options.concurrency.unwrap_or(MOST_IN_FLIGHT).clamp(1, MOST_IN_FLIGHT);
        if self.open_calls >= cap {
            let limit = Limit { kind: LimitKind::InFlight, amount: cap, window: Window::Now };
            self.wait = Some((None, WaitCause::Limit(limit)));
            return Vec::new();
        }
        let one = Amounts { requests: 1, ..Amounts::default() };
        let mut candidates = Vec::with_capacity(self.pools.len());
        for index in (0..self.pools.len()).filter(|index| self.pools[*index].is_open()).collect::<Vec<_>>() {
            let pool = &mut self.pools[index];
            let admission = match pool.health.next_probe() {
                Some(probe) if probe > now => Admission::At(probe, WaitCause::Outage),
                _ => pool.limiter.admit(&one, now),
            };
            match admission {
                Admission::Now => candidates.push(index),
                admission => self.note(index, admission, now),
            }
        }
        if candidates.len() > 1 {
            candidates.sort_by(|a, b| self.pools[*a].before(&self.pools[*b]));
        }
        candidates
    }

    /// Notes what a call to this pool waits for.
    fn note(&mut self, pool: usize, admission: Admission, now: Timestamp) {
        match admission {
            Admission::At(at, cause) => {
                let parked = cause.is_day() && at > now;
                self.pools[pool].park(parked.then(|| (at, cause.clone())));
                if self.wait.as_ref().is_none_or(|(until, _)| until.is_none_or(|until| at < until)) {
                    self.wait = Some((Some(at), cause));
                }
            }
            Admission::AfterCall(cause) => self.wait = self.wait.take().or(Some((None, cause))),
            Admission::Now | Admission::Never(_) => {}
        }
    }

    fn next(&mut self, pools: &[usize], size: usize, now: Timestamp) -> Next {
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
        let mut too_large = None;
        for pool in pools.iter().copied() {
            let amounts = self.pools[pool].amounts(&demand);
            match self.pools[pool].limiter.admit(&amounts, now) {
                Admission::Now => {
                    self.pools[pool].park(None);
                    let worst = amounts.usd;
                    if self.job.options.max_cost.is_some_and(|max| self.spent + self.reserved + worst > max) {
                        return self.over_budget(pack);
                    }
                    return Next::Send(Box::new(self.take(pool, pack, demand, amounts, now)), Box::new(request));
                }
                Admission::Never(limit) => too_large = Some(limit),
                admission => self.note(pool, admission, now),
            }
        }
        // Only what no open pool could ever take is too large.
        match too_large.filter(|_| self.wait.is_none() && self.open_pools() == pools.len()) {
            None => {
                self.queue.put_back(pack);
                Next::Wait
            }
            Some(limit) => {
                let message = format!("the item alone takes more than {limit} allows");
                self.shrink(pack, |run, pack| run.fail_in_pack(pack, 0, "over-limit", message, now))
            }
        }
    }

    fn open_pools(&self) -> usize {
        self.pools.iter().filter(|pool| pool.is_open()).count()
    }

    /// Makes a pack that is too large smaller; `alone` says what becomes of a single item.
    fn shrink(&mut self, pack: Pack, alone: impl FnOnce(&mut Self, Pack)) -> Next {
        if pack.items.len() == 1 {
            alone(self, pack);
        } else if pack.is_fixed() {
            self.split(pack.items);
        } else {
            self.queue.put_back(pack);
        }
        Next::Smaller
    }

    fn over_budget(&mut self, pack: Pack) -> Next {
        if self.open_calls > 0 {
            self.queue.put_back(pack);
            self.wait = Some((None, WaitCause::Budget));
            return Next::Wait;
        }
        let single = pack.items.len() == 1;
        let next = self.shrink(pack, |run, pack| {
            run.queue.put_back(pack);
            run.end = Some(RunEnd::OverBudget);
        });
        if single { Next::Wait } else { next }
    }

    fn take(&mut self, pool: usize, pack: Pack, demand: Demand, amounts: Amounts, now: Timestamp) -> Call {
        let state = &mut self.pools[pool];
        let leave_by = now.after(state.slack);
        let ticket = state.limiter.take(&amounts, now, leave_by);
        state.health.probe(now);
        state.served += 1;
        if pack.items.iter().all(|queued| queued.attempts == 0) {
            self.retries.earn();
        }
        self.open_calls += 1;
        let worst = amounts.usd;
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
                lane: call.items.first().map(|queued| Arc::clone(&queued.item.lane)).unwrap_or_default(),
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
        let Reserving { pool, calls, result } = reserving;
        let now = self.clock.now();
        if let Some((first, _)) = calls.first() {
            // From admission on: composing and commits both hold a call up.
            self.pools[pool].learn_slack(now.since(first.left));
        }
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
                // Several batches may have been told of the same entries.
                let unseen: Vec<LedgerEntry> = entries.iter().copied().filter(|entry| entry.id > state.seen).collect();
                state.limiter.restore(&unseen, now);
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
    pub(super) fn split(&mut self, mut items: Vec<Queued>) {
        let second = items.split_off(items.len().div_ceil(2));
        for half in [second, items].into_iter().filter(|half| !half.is_empty()) {
            self.queue.put_back(Pack::of(half, true));
        }
    }

    fn pack_size(&mut self, pool: usize, now: Timestamp) -> usize {
        let limit = self.job.task.pack_limit().min(self.pack_ceiling).max(1);
        match self.job.options.packing {
            Packing::Off => 1,
            Packing::Fixed(size) => size.clamp(1, limit),
            Packing::Auto if limit == 1 => 1,
            Packing::Auto => self.with_outlook(pool, limit, now, |outlook| outlook.best().map_or(1, |plan| plan.pack)),
        }
    }

    /// About how long what is left takes, by the first open pool.
    pub(super) fn time_left(&mut self, now: Timestamp) -> Option<Duration> {
        let pool = self.pools.iter().position(super::PoolState::is_open)?;
        let limit = self.job.task.pack_limit().min(self.pack_ceiling).max(1);
        let fixed = match self.job.options.packing {
            Packing::Off => Some(1),
            Packing::Fixed(size) => Some(size.clamp(1, limit)),
            Packing::Auto => None,
        };
        self.with_outlook(pool, limit, now, |outlook| match fixed {
            Some(size) => outlook.with(size).map(|plan| plan.takes),
            None => outlook.best().map(|plan| plan.takes),
        })
    }

    fn with_outlook<R>(
        &mut self,
        pool: usize,
        pack_limit: usize,
        now: Timestamp,
        look: impl FnOnce(&Outlook<'_>) -> R,
    ) -> R {
        let Sample { one, many, items: sampled, .. } = self.sample(now);
        let state = &self.pools[pool];
        let mut lanes: Vec<usize> = self.queue.lane_lengths().filter(|items| *items > 0).collect();
        lanes.push(usize::try_from(self.not_loaded()).unwrap_or(usize::MAX));
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

    /// What a call with one item takes, and one with several: requests grow in a straight line.
    fn sample(&mut self, now: Timestamp) -> Sample {
        if let Some(sample) = self.sample.filter(|sample| now.since(sample.at) < SAMPLE_HOLDS) {
            return sample;
        }
        let items = self.queue.peek(SAMPLE.min(self.job.task.pack_limit()));
        let demand = |items: &[Item]| {
            if items.is_empty() {
                return Demand::default();
            }
            self.job.task.compose(items).map(|request| request.demand()).unwrap_or_default()
        };
        let one = demand(&items[..items.len().min(1)]);
        let sample = Sample { one, many: demand(&items), items: items.len(), at: now };
        if sample.items > 0 {
            self.sample = Some(sample);
        }
        sample
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
        input_bytes: line(one.input_bytes, many.input_bytes),
        output_cap: one.output_cap.zip(many.output_cap).map(|(one, many)| line(one, many)),
        images: line(one.images, many.images),
    }
}
