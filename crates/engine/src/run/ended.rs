//! What came back from a call, and what is done about it.

use std::sync::Arc;
use std::time::Duration;

use super::call::{Call, Exchange};
use super::{Run, Step};
use crate::job::{Event, RunEnd};
use crate::journal::{Amounts, Ended, Lesson, Settlement};
use crate::limit::{Limit, LimitKind};
use crate::model::{Ending, Fault, FaultKind, Remedy, Reply};
use crate::queue::{Pack, Queued};
use crate::retry::pause;
use crate::task::{Outcome, Verdict};
use crate::time::Timestamp;
use crate::usage::{Usage, Usd};

/// A cap that has cut an answer to a single item cuts the next one too, most likely.
const CUT_TRIES: u32 = 2;
/// Full calls whose answers were not cut before a larger one is tried.
const UNCUT_BEFORE_MORE: u32 = 8;
/// While a provider fails as a whole, an item is given so many times the attempts.
const OUTAGE_PATIENCE: u32 = 4;
/// Faults in which an item has no part that are borne with: at the longest pause, more than an hour.
const OUTAGES: u32 = 200;

impl Run<'_> {
    pub(super) fn on_exchanged(&mut self, exchange: Exchange) {
        let Exchange { call, result, took } = exchange;
        self.in_flight -= 1;
        let now = self.clock.now();
        match result {
            Ok((reply, outcomes)) => self.on_answer(call, &reply, &outcomes, took, now),
            Err(fault) => self.on_fault(call, &fault, now),
        }
    }

    /// An answer: keeps what is good in it and asks again for the rest.
    fn on_answer(&mut self, call: Call, reply: &Reply, outcomes: &[Outcome], took: Duration, now: Timestamp) {
        let task = self.job.task.name();
        self.silent_since = None;
        self.progress.last_fault = None;
        let reported: Vec<Limit> = self.pools[call.pool].standing(|pool| {
            pool.learn(task, call.items.len(), &call.demand, &reply.usage, took);
            let quickest = pool.latency.lock().quickest();
            pool.limiter.answered(&call.tickets.own, call.left, quickest);
            pool.health.good();
            reply.limits.iter().filter_map(|said| pool.limiter.on_reported_limit(*said, now)).collect()
        });
        reported.into_iter().for_each(|limit| self.keep_lesson(call.pool, limit, now));
        let (counted, cost, estimated) = self.used(&call, &reply.usage);
        self.close(&call, &counted, call.left);
        let unpriced = u64::from(self.pools[call.pool].pool.price.is_none());
        let ended = Ended { calls: 1, sent: 1, unpriced, ..Ended::default() };
        let mut settlement =
            Settlement { ended, counted, cost, estimated, usage: reply.usage, ..self.settlement(&call, now) };
        self.count(call.pool, &reply.usage, cost, estimated);

        let carried = call.items.len();
        if reply.ending == Ending::Cut && call.cap.is_some() {
            return self.cut_by_budget(call, outcomes, settlement);
        }
        if call.items.iter().any(|queued| queued.attempts > 0) {
            self.retries.refund();
        }
        let mut missing = Vec::new();
        for mut queued in call.items {
            queued.attempts += 1;
            match outcomes.iter().find(|outcome| outcome.seq == queued.item.seq) {
                Some(outcome) => settlement.outcomes.push((outcome.clone(), queued.attempts)),
                None => missing.push(queued),
            }
        }
        if !self.guesses.is_empty() {
            self.correct_guesses(false);
        }
        let answered = carried - missing.len();
        self.pace.add(answered as f64, now);
        self.learn_ceiling(carried, answered, reply.ending);
        if !missing.is_empty() {
            self.ask_again(missing, answered, reply.ending, &mut settlement);
        }
        self.settle(settlement);
    }

    /// An answer was cut at a cap that was set for the sake of the budget: what it says of items that it was not cut at is
    /// kept, and the rest is asked for with more. That is no attempt of theirs.
    fn cut_by_budget(&mut self, call: Call, outcomes: &[Outcome], mut settlement: Settlement) {
        let larger = self.larger_cap(&call);
        let alone = call.items.len() == 1;
        let (mut again, mut kept) = (Vec::new(), 0);
        for queued in call.items {
            let said = outcomes.iter().find(|outcome| outcome.seq == queued.item.seq);
            match said.filter(|_| !alone || larger.is_none()) {
                Some(outcome) => {
                    kept += 1;
                    settlement.outcomes.push((outcome.clone(), queued.attempts + 1));
                }
                None => again.push(Queued { cap: larger.unwrap_or(queued.cap), ..queued }),
            }
        }
        self.pace.add(f64::from(kept), self.clock.now());
        self.settle(settlement);
        if !again.is_empty() {
            if larger.is_none() {
                self.end.get_or_insert(RunEnd::OverBudget);
            }
            self.queue.put_back(Pack::of(again, call.fixed));
        }
    }

    /// Items that an answer has left out, or said nothing usable of.
    fn ask_again(&mut self, mut missing: Vec<Queued>, answered: usize, ending: Ending, settlement: &mut Settlement) {
        if answered == 0 && missing.len() > 1 {
            // Nothing is said of any single one of them: that uses up no attempt.
            missing.iter_mut().for_each(|queued| queued.attempts -= 1);
            (self.on_event)(Event::Split { kind: FaultKind::Unreadable, items: missing.len() });
            return self.split(missing);
        }
        let alone = answered == 0;
        if alone && ending == Ending::Filtered {
            let reason = "the provider's filter cut the answer short".to_owned();
            settlement.outcomes.extend(missing.into_iter().map(|queued| {
                let verdict = Verdict::Blocked { reason: reason.clone() };
                (Outcome { seq: queued.item.seq, verdict }, queued.attempts)
            }));
            return;
        }
        let cut = ending == Ending::Cut;
        let (last, message, allowed) = if cut && alone {
            ("cut-at-cap", "the answer was cut at the cap on its tokens", CUT_TRIES)
        } else {
            ("no-usable-answer", "no usable answer came", self.job.options.attempts)
        };
        let again = self.give_up(missing, last, message, allowed, settlement);
        self.queue.put_back(Pack::of(again, false));
    }

    /// Calls whose answers are cut carry fewer items from then on; after some that are not, more again.
    fn learn_ceiling(&mut self, carried: usize, answered: usize, ending: Ending) {
        if ending == Ending::Cut && carried > 1 {
            self.pack_ceiling = answered.max(carried / 2).min(self.pack_ceiling).max(1);
            self.uncut = 0;
        } else if answered == carried && carried >= self.pack_ceiling {
            self.uncut += 1;
            if self.uncut >= UNCUT_BEFORE_MORE {
                self.pack_ceiling += 1;
                self.uncut = 0;
            }
        }
    }

    fn on_fault(&mut self, call: Call, fault: &Fault, now: Timestamp) {
        let without_quota = no_quota(fault);
        let fault = without_quota.as_ref().unwrap_or(fault);
        let usage = fault.usage.unwrap_or_default();
        let (counted, cost, estimated) = self.used_by_fault(&call, fault);
        if estimated && fault.usage.is_none() {
            self.note_guess(&call, cost);
        }
        self.close(&call, &counted, call.left);
        self.count(call.pool, &usage, cost, estimated);
        let remedy = fault.kind.remedy();
        let limited = u64::from(remedy == Remedy::WaitForLimit);
        let charged = fault.kind.may_have_counted();
        let unpriced = u64::from(charged && self.pools[call.pool].pool.price.is_none());
        let ended = Ended { calls: 1, sent: 1, limited, faulted: 1 - limited, unpriced };
        let mut settlement = Settlement { ended, counted, cost, estimated, usage, ..self.settlement(&call, now) };
        if remedy == Remedy::WaitForLimit {
            self.on_limited(&call, fault, now);
            self.queue.put_back(call.into_pack());
        } else {
            if !fault.kind.is_outage() {
                // It answers, whatever it says.
                self.pools[call.pool].standing(|pool| pool.health.good());
            }
            self.progress.faults += 1;
            self.progress.last_fault = Some(fault.clone());
            (self.on_event)(Event::Faulted { pool: &self.pools[call.pool].pool.id, fault, items: call.items.len() });
            // A model that thinks aloud may have used the cap up before it came to its answer.
            let spent_cap = call.cap.filter(|cap| usage.output_tokens.is_some_and(|used| used >= *cap));
            if fault.kind == FaultKind::Empty && spent_cap.is_some() {
                return self.cut_by_budget(call, &[], settlement);
            }
            match remedy {
                Remedy::Retry => self.retry(call, fault, now, &mut settlement),
                Remedy::Refuse | Remedy::GiveUp => self.condemn(call, fault, &mut settlement),
                Remedy::ClosePool | Remedy::WaitForLimit => {
                    self.pools[call.pool].closed = Some(fault.clone());
                    self.queue.put_back(call.into_pack());
                }
            }
        }
        self.settle(settlement);
    }

    /// A refusal by a limit is not a failure: the pool learns and waits, the items lose nothing.
    fn on_limited(&mut self, call: &Call, fault: &Fault, now: Timestamp) {
        self.progress.rate_limited += 1;
        if self.progress.last_fault.is_none() {
            // It does its part: what it says is that there was enough.
            self.silent_since = None;
        }
        let pool = &self.pools[call.pool];
        let judgement = pool.standing(|pool| pool.limiter.refused(fault, &call.tickets.own, call.left, now));
        let (learnt, until) = (judgement.learnt, judgement.until);
        (self.on_event)(Event::Limited { pool: &pool.pool.id, fault, learnt, until });
        if let Some(limit) = learnt.filter(|_| judgement.said_so) {
            self.keep_lesson(call.pool, limit, now);
        }
    }

    /// Keeps a limit that the provider has reported, unless it ends with this process.
    fn keep_lesson(&mut self, pool: usize, limit: Limit, now: Timestamp) {
        let pool = &self.pools[pool].pool;
        if !pool.ephemeral {
            let (journal, pool) = (Arc::clone(&self.journal), Arc::clone(&pool.id));
            self.steps.spawn(async move { Step::Learnt(journal.learn(&pool, Lesson { limit, at: now }).await) });
        }
    }

    fn retry(&mut self, call: Call, fault: &Fault, now: Timestamp, settlement: &mut Settlement) {
        let out = self.pools[call.pool].standing(|pool| {
            if fault.kind.is_outage() {
                pool.health.bad(now);
            }
            pool.health.is_out()
        });
        if out && self.job.options.fail_fast {
            self.end.get_or_insert(RunEnd::GaveUp(fault.clone()));
        }
        let (carried, fixed) = (call.items.len(), call.fixed);
        let mut items = call.items;
        let content = matches!(fault.kind, FaultKind::Unreadable | FaultKind::Empty);
        if carried > 1
            && (content || items.iter().all(|queued| queued.attempts >= 1 && queued.last == fault.kind.code()))
        {
            // One of them may be what the provider stumbles over: that uses up no attempt of the others.
            items.iter_mut().for_each(|queued| queued.last = fault.kind.code());
            (self.on_event)(Event::Split { kind: fault.kind, items: carried });
            return self.split(items);
        }
        // Of these the item has no part, as far as anyone can tell.
        let blameless = matches!(fault.kind, FaultKind::Overloaded | FaultKind::Unreachable);
        for queued in &mut items {
            queued.attempts += u32::from(!blameless);
            queued.outages += u32::from(blameless);
            queued.timeouts += u32::from(fault.kind == FaultKind::Timeout);
        }
        // While the provider fails as a whole, its faults say little about the items.
        let patience = if out && fault.kind.is_outage() { OUTAGE_PATIENCE } else { 1 };
        let allowed = self.job.options.attempts.max(1).saturating_mul(patience);
        let again = self.give_up(items, fault.kind.code(), &fault.message, allowed, settlement);
        let Some(attempts) = again.iter().map(|queued| queued.attempts + queued.outages).max() else { return };
        let due = now.after(pause(attempts.max(1), fault.retry_after, self.rng.f64()));
        self.queue.delay(again, fixed, out, due);
    }

    /// The content or the request itself is at fault: found by halves, then ended.
    fn condemn(&mut self, mut call: Call, fault: &Fault, settlement: &mut Settlement) {
        if call.items.len() > 1 {
            (self.on_event)(Event::Split { kind: fault.kind, items: call.items.len() });
            return self.split(call.items);
        }
        let Some(queued) = call.items.pop() else { return };
        let verdict = if fault.kind.remedy() == Remedy::Refuse {
            Verdict::Blocked { reason: fault.message.clone() }
        } else {
            Verdict::Failed { kind: fault.kind.code().to_owned(), message: fault.message.clone() }
        };
        self.fail_fast(&verdict);
        settlement.outcomes.push((Outcome { seq: queued.item.seq, verdict }, queued.attempts + 1));
    }

    /// Ends those items that were tried often enough; returns the others.
    fn give_up(
        &mut self,
        items: Vec<Queued>,
        kind: &'static str,
        message: &str,
        allowed: u32,
        settlement: &mut Settlement,
    ) -> Vec<Queued> {
        let (again, over): (Vec<Queued>, Vec<Queued>) = items
            .into_iter()
            .map(|queued| Queued { last: kind, ..queued })
            .partition(|queued| queued.attempts < allowed && queued.outages < OUTAGES);
        for queued in over {
            let message = format!("{message}, in {} attempts", queued.attempts + queued.outages);
            let verdict = Verdict::Failed { kind: queued.last.to_owned(), message };
            self.fail_fast(&verdict);
            settlement.outcomes.push((Outcome { seq: queued.item.seq, verdict }, queued.attempts));
        }
        again
    }

    /// What an answered call used: as reported, and as such calls do where nothing was.
    fn used(&self, call: &Call, usage: &Usage) -> (Amounts, Usd, bool) {
        let price = self.pools[call.pool].pool.price;
        let cost = price
            .map(|price| price.of(&self.likely_usage(call.pool, &call.demand, call.items.len(), usage)))
            .unwrap_or_default();
        let estimated = price.is_some() && (usage.input_tokens.is_none() || usage.output_tokens.is_none());
        let counted = Amounts {
            requests: 1,
            input_tokens: usage.input_tokens.unwrap_or(call.amounts.input_tokens),
            images: usage.images.unwrap_or(call.amounts.images),
            usd: cost,
        };
        (counted, cost, estimated)
    }

    /// What a failed call used: nothing if it was turned away, what was reported, or what such calls use if the answer
    /// may have been made and was lost. Against limits on tokens it goes on to count as reserved.
    fn used_by_fault(&self, call: &Call, fault: &Fault) -> (Amounts, Usd, bool) {
        if !fault.kind.may_have_counted() {
            return (Amounts::default(), Usd::ZERO, false);
        }
        if let Some(usage) = fault.usage {
            return self.used(call, &usage);
        }
        if !fault.kind.loses_answer() {
            return (Amounts { usd: Usd::ZERO, ..call.amounts }, Usd::ZERO, false);
        }
        let (counted, cost, _) = self.used(call, &Usage::default());
        (counted, cost, cost > Usd::ZERO)
    }

    fn count(&mut self, pool: usize, usage: &Usage, cost: Usd, estimated: bool) {
        self.progress.input_tokens += usage.input_tokens.unwrap_or(0);
        self.progress.output_tokens += usage.output_tokens.unwrap_or(0);
        self.progress.cost += cost;
        self.progress.estimated |= estimated;
        self.spent += cost;
        if let Some(purse) = self.purse(pool) {
            purse.spend(cost, self.clock.now());
        }
    }
}

/// A refusal by a limit of nothing: no wait will do, for the account has no quota at all.
fn no_quota(fault: &Fault) -> Option<Fault> {
    let limit = fault.limit.filter(|limit| fault.kind == FaultKind::Limited && limit.amount == Some(0))?;
    let of = limit.kind.map_or("it", |kind| match kind {
        LimitKind::Requests => "requests to it",
        LimitKind::InputTokens => "tokens of prompts to it",
        LimitKind::Images => "images of it",
        LimitKind::Usd => "spending on it",
        LimitKind::InFlight => "calls to it at once",
    });
    let message = format!("the account has no quota for this model: its limit on {of} is 0 ({})", fault.message);
    Some(Fault { message, ..Fault::new(FaultKind::AccountBlocked, "") })
}
