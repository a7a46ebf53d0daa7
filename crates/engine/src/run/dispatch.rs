//! From the queue to the wire: which items, in which pack, to which pool, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::Run;
use super::call::Call;
use super::pool::PoolState;
use crate::job::RunEnd;
use crate::journal::{Amounts, Ended, Settlement};
use crate::limit::{Limit, LimitKind, Window};
use crate::limiter::{Admission, WaitCause};
use crate::model::Request;
use crate::queue::{Pack, Queued, Wanted};
use crate::task::{Item, Outcome, Verdict};
use crate::time::Timestamp;
use crate::usage::{Demand, Usage, Usd};

/// Calls in flight at once, whatever the limits allow: beyond this a connection each is no gain.
const MOST_IN_FLIGHT: u64 = 1024;
/// Calls reserved together.
const BATCH: usize = 512;
/// Calls reserved before they can leave, see [`Run::ahead`].
const AHEAD: u64 = 512;
/// How long a call that no limit counts may wait after its reservation.
const UNLIMITED_SLACK: Duration = Duration::from_secs(60);

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

impl Run<'_> {
    /// Sends all that may be sent now, and notes what the rest waits for.
    pub(super) fn dispatch(&mut self) {
        self.wait = None;
        let now = self.clock.now();
        self.pools.iter_mut().for_each(|pool| pool.waits = None);
        if self.end.is_some() || self.trouble.is_some() || self.stalled > 0 {
            return self.join_queue(now);
        }
        let woken = self.queue.wake(now, self.retries.available(now));
        self.retries.spend(woken, now);
        if self.ready.len() > BATCH / 2 {
            // A few large reservations cost less than many small ones.
            return;
        }
        let mut batches: Vec<Vec<(Call, Request)>> = self.pools.iter().map(|_| Vec::new()).collect();
        // By model: how many items a call carries, and whether nothing more goes to it for now.
        let mut sizes: BTreeMap<Wanted, usize> = BTreeMap::new();
        let mut waiting: BTreeSet<Wanted> = BTreeSet::new();
        while self.queue.has_ready() && batches.iter().map(Vec::len).sum::<usize>() < BATCH {
            let candidates = self.candidates(now);
            let pools_of = |run: &Self, model: &Wanted| -> Vec<usize> {
                candidates.iter().copied().filter(|pool| run.pools[*pool].serves(model)).collect()
            };
            let admitted = |model: &Wanted| {
                !waiting.contains(model) && candidates.iter().any(|pool| self.pools[*pool].serves(model))
            };
            let Some(model) = self.queue.next_model(admitted) else { break };
            let pools = pools_of(self, &model);
            let Some(first) = pools.first().copied() else { break };
            let planned = match sizes.get(&model) {
                Some(planned) => *planned,
                None => self.pack_size(first, now),
            };
            sizes.insert(model.clone(), planned);
            match self.next(&model, &pools, planned, now) {
                Next::Send(call, request) => {
                    // Composing takes time, and what is reserved must leave soon.
                    let late = self.clock.now().since(now) > self.pools[call.pool].slack() / 4;
                    batches[call.pool].push((*call, *request));
                    if late {
                        break;
                    }
                }
                // One model's limits hold up nothing that another answers.
                Next::Wait => drop(waiting.insert(model)),
                Next::Again => {}
                Next::Smaller => drop(sizes.insert(model, planned.div_ceil(2))),
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
        self.join_queue(now);
    }

    /// How many calls may be in flight.
    pub(super) fn most_in_flight(&self) -> u64 {
        let open = self.pools.iter().filter(|pool| pool.is_open());
        let worthwhile = open.map(|pool| pool.latency.lock().worthwhile()).max().unwrap_or(MOST_IN_FLIGHT);
        self.job.options.concurrency.unwrap_or(worthwhile).clamp(1, MOST_IN_FLIGHT)
    }

    /// How many calls more may be reserved than may be in flight: where no limit is known and answers are
    /// quick, none should wait for its reservation.
    pub(super) fn ahead(&self) -> u64 {
        let quick = |pool: &PoolState| pool.scope().is_none() && pool.latency.lock().is_quick();
        if self.job.options.concurrency.is_none() && self.pools.iter().all(quick) { AHEAD } else { 0 }
    }

    /// The open pools that may admit one more call, in the order of their turns. Notes what the others wait
    /// for.
    fn candidates(&mut self, now: Timestamp) -> Vec<usize> {
        let cap = self.most_in_flight();
        if self.open_calls >= cap + self.ahead() {
            let limit = Limit { kind: LimitKind::InFlight, amount: cap, window: Window::Now };
            self.wait = Some((None, WaitCause::Limit(limit)));
            return Vec::new();
        }
        let one = Amounts { requests: 1, ..Amounts::default() };
        let mut candidates = Vec::with_capacity(self.pools.len());
        for index in (0..self.pools.len()).filter(|index| self.pools[*index].is_open()).collect::<Vec<_>>() {
            let pool = &mut self.pools[index];
            let admission = match pool.turn_of(&self.runner, now) {
                Admission::Now => pool.admit(&one, now),
                waits => waits,
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
        match &admission {
            Admission::At(at, cause) if cause.is_shared() => self.pools[pool].waits = Some(*at),
            Admission::AfterCall(cause) if cause.is_shared() => self.pools[pool].waits = Some(now),
            _ => {}
        }
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

    fn next(&mut self, model: &Wanted, pools: &[usize], size: usize, now: Timestamp) -> Next {
        let Some(pack) = self.queue.take(size, model) else { return Next::Wait };
        let items: Vec<Item> = pack.items.iter().map(|queued| queued.item.clone()).collect();
        let mut request = match self.job.task.compose(&items) {
            Ok(request) => request,
            Err(fault) => {
                self.fail_in_pack(pack, fault.index, fault.code, fault.message, now);
                return Next::Again;
            }
        };
        let asked = request.demand();
        let mut too_large = None;
        for pool in pools.iter().copied() {
            let cap = self.budget_cap(pool, &request, &asked, &pack.items);
            let demand = Demand { output_cap: cap.or(asked.output_cap), ..asked };
            let amounts = self.pools[pool].amounts(&demand);
            match self.pools[pool].admit(&amounts, now) {
                Admission::Now => {
                    self.pools[pool].park(None);
                    let worst = amounts.usd;
                    if self.job.options.max_cost.is_some_and(|max| self.spent + self.reserved + worst > max) {
                        return self.over_budget(pack, RunEnd::OverBudget);
                    }
                    // What is reserved there stays so until the call that is taken now is closed.
                    if let Some(end) = self.purse_is_empty(pool, worst, now) {
                        return self.over_budget(pack, end);
                    }
                    if let (Request::Text(text), Some(cap)) = (&mut request, cap) {
                        text.max_output_tokens = Some(cap);
                    }
                    let call = self.take(pool, pack, demand, amounts, cap, now);
                    return Next::Send(Box::new(call), Box::new(request));
                }
                Admission::Never(limit) => too_large = Some(limit),
                admission => self.note(pool, admission, now),
            }
        }
        // Only what no open pool could ever take is too large.
        match too_large.filter(|_| self.wait.is_none() && self.open_pools(model) == pools.len()) {
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

    fn open_pools(&self, model: &Wanted) -> usize {
        self.pools.iter().filter(|pool| pool.is_open() && pool.serves(model)).count()
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

    fn over_budget(&mut self, pack: Pack, end: RunEnd) -> Next {
        if self.open_calls > 0 {
            self.queue.put_back(pack);
            self.wait = Some((None, WaitCause::Budget));
            return Next::Wait;
        }
        let single = pack.items.len() == 1;
        let next = self.shrink(pack, |run, pack| {
            run.queue.put_back(pack);
            run.end = Some(end);
        });
        if single { Next::Wait } else { next }
    }

    fn take(
        &mut self,
        pool: usize,
        pack: Pack,
        demand: Demand,
        amounts: Amounts,
        cap: Option<u64>,
        now: Timestamp,
    ) -> Call {
        let (task, estimate) = (self.job.task.name(), self.job.task.output_tokens_per_item());
        let state = &mut self.pools[pool];
        // What no limit counts may leave whenever its turn comes.
        let unlimited = state.scope().is_none();
        let (tickets, leave_by, length) = state.shared(|group, place| {
            let slack = group.slack(place);
            let leave_by = now.after(if unlimited { slack.max(UNLIMITED_SLACK) } else { slack });
            let length = group.pools[place].answer_length(task, estimate);
            (group.take(place, &amounts, now, leave_by, &self.runner), leave_by, length)
        });
        state.served += 1;
        if pack.items.iter().all(|queued| queued.attempts == 0) {
            self.retries.earn();
        }
        self.open_calls += 1;
        let worst = amounts.usd;
        self.reserved += worst;
        let fixed = pack.is_fixed();
        let expected = length * pack.items.len() as f64;
        Call {
            pool,
            items: pack.items,
            fixed,
            demand,
            amounts,
            worst,
            tickets,
            cap,
            expected,
            leave_by,
            entry: None,
            left: now,
        }
    }

    /// The call is no longer open, and counts for `counted`.
    pub(super) fn close(&mut self, call: &Call, counted: &Amounts, left: Timestamp) {
        let by = &self.runner.id;
        self.pools[call.pool].shared(|group, place| group.ended(place, &call.tickets, counted, left, by));
        self.open_calls -= 1;
        self.reserved = self.reserved - call.worst;
        if let Some(purse) = self.purse(call.pool) {
            purse.free(call.worst, self.clock.now());
        }
    }

    /// A settlement that counts for nothing and brings nothing.
    pub(super) fn settlement(&self, call: &Call, now: Timestamp) -> Settlement {
        let ended = Ended { calls: 1, ..Ended::default() };
        Settlement { entry: call.entry, ended, reserved: call.amounts, left: call.left, ..self.bare_settlement(now) }
    }

    pub(super) fn bare_settlement(&self, now: Timestamp) -> Settlement {
        Settlement {
            job: Arc::clone(&self.job.id),
            entry: None,
            id: 0,
            ended: Ended::default(),
            reserved: Amounts::default(),
            counted: Amounts::default(),
            left: now,
            at: now,
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
        self.fail_fast(&verdict);
        let outcome = Outcome { seq: culprit.item.seq, verdict };
        let settlement = Settlement { outcomes: vec![(outcome, culprit.attempts)], ..self.bare_settlement(now) };
        self.settle(settlement);
        self.queue.put_back(pack);
    }

    /// Two halves in place of one pack, each sent apart from all others.
    pub(super) fn split(&mut self, mut items: Vec<Queued>) {
        let second = items.split_off(items.len().div_ceil(2));
        for half in [second, items].into_iter().filter(|half| !half.is_empty()) {
            self.queue.put_back(Pack::of(half, true));
        }
    }
}
