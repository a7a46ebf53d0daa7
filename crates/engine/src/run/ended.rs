//! What came back from a call, and what is done about it.

use std::time::Duration;

use super::Run;
use super::call::{Call, Exchange};
use crate::job::Event;
use crate::journal::{Amounts, Settlement};
use crate::model::{Ending, Fault, FaultKind, Remedy, Reply};
use crate::queue::Queued;
use crate::retry::pause;
use crate::task::{Outcome, Verdict};
use crate::time::Timestamp;
use crate::usage::{Usage, Usd};

impl<F: FnMut(Event<'_>) + Send> Run<F> {
    pub(super) fn on_exchanged(&mut self, exchange: Exchange) {
        let Exchange { call, result, took } = exchange;
        let now = self.clock.now();
        match result {
            Ok((reply, outcomes)) => self.on_answer(call, &reply, &outcomes, took, now),
            Err(fault) => self.on_fault(call, &fault, now),
        }
    }

    /// An answer: keeps what is good in it and asks again for the rest.
    fn on_answer(&mut self, call: Call, reply: &Reply, outcomes: &[Outcome], took: Duration, now: Timestamp) {
        let pool = &mut self.pools[call.pool];
        pool.limiter.answered(call.left);
        pool.health.good();
        pool.latency.lock().observe(call.items.len(), took);
        pool.learn_tokens(&call.demand, &reply.usage);
        let (counted, cost, estimated) = self.used(&call, &reply.usage);
        self.close(&call, &counted, call.left);
        let mut settlement = self.settlement(&call, now);
        settlement = Settlement { counted, cost, estimated, usage: reply.usage, ..settlement };
        self.count(&reply.usage, cost, estimated);

        let carried = call.items.len();
        let mut missing = Vec::new();
        for mut queued in call.items {
            queued.attempts += 1;
            match outcomes.iter().find(|outcome| outcome.seq == queued.item.seq) {
                Some(outcome) => settlement.outcomes.push((outcome.clone(), queued.attempts)),
                None => missing.push(queued),
            }
        }
        if !missing.is_empty() {
            let answered = carried - missing.len();
            let cut = reply.ending == Ending::Cut;
            if cut {
                self.pack_ceiling = self.pack_ceiling.min(answered.max(carried / 2)).max(1);
            }
            let last = if cut { "cut-at-cap" } else { "no-usable-answer" };
            let again = self.give_up(missing, last, "no usable answer came", &mut settlement);
            if answered == 0 && carried > 1 {
                (self.on_event)(Event::Split { kind: FaultKind::Unreadable, items: carried });
                self.split(again, now);
            } else if !again.is_empty() {
                self.queue.delay(again, false, now);
            }
        }
        self.settle(settlement, 0);
    }

    fn on_fault(&mut self, call: Call, fault: &Fault, now: Timestamp) {
        let usage = fault.usage.unwrap_or_default();
        let (counted, cost, estimated) = self.used_by_fault(&call, fault);
        self.close(&call, &counted, call.left);
        self.count(&usage, cost, estimated);
        let settlement = self.settlement(&call, now);
        let mut settlement =
            Settlement { counted, cost, estimated, usage, fault: Some(fault.kind.code()), ..settlement };
        let remedy = fault.kind.remedy();
        if remedy == Remedy::WaitForLimit {
            self.on_limited(&call, fault, now);
            self.queue.put_back(call.into_pack());
        } else {
            self.progress.faults += 1;
            (self.on_event)(Event::Faulted { pool: &self.pools[call.pool].pool.id, fault, items: call.items.len() });
            match remedy {
                Remedy::Retry => self.retry(call, fault, now, &mut settlement),
                Remedy::Refuse | Remedy::GiveUp => self.condemn(call, fault, now, &mut settlement),
                Remedy::ClosePool | Remedy::WaitForLimit => {
                    self.pools[call.pool].closed = Some(fault.clone());
                    self.queue.put_back(call.into_pack());
                }
            }
        }
        self.settle(settlement, 0);
    }

    /// A refusal by a limit is not a failure: the pool learns and waits, the items lose nothing.
    fn on_limited(&mut self, call: &Call, fault: &Fault, now: Timestamp) {
        self.progress.rate_limited += 1;
        let pool = &mut self.pools[call.pool];
        let lesson = pool.limiter.refused(fault, &call.ticket, call.left, now);
        let (learnt, until) = (lesson.learnt, lesson.until);
        (self.on_event)(Event::Limited { pool: &pool.pool.id, fault, learnt, until });
    }

    fn retry(&mut self, call: Call, fault: &Fault, now: Timestamp, settlement: &mut Settlement) {
        let health = &mut self.pools[call.pool].health;
        if fault.kind.is_outage() {
            health.bad(now);
        }
        // While the provider fails as a whole, its faults say nothing about the items.
        let counts = !(fault.kind.is_outage() && health.is_out());
        let (carried, fixed) = (call.items.len(), call.fixed);
        let mut items = call.items;
        for queued in &mut items {
            queued.attempts += u32::from(counts);
            queued.timeouts += u32::from(fault.kind == FaultKind::Timeout);
        }
        let again = self.give_up(items, fault.kind.code(), &fault.message, settlement);
        let Some(attempts) = again.iter().map(|queued| queued.attempts).max() else { return };
        let due = now.after(pause(attempts.max(1), fault.retry_after, self.rng.f64()));
        if carried > 1 && matches!(fault.kind, FaultKind::Unreadable | FaultKind::Empty) {
            (self.on_event)(Event::Split { kind: fault.kind, items: carried });
            self.split(again, due);
        } else {
            self.queue.delay(again, fixed, due);
        }
    }

    /// The content or the request itself is at fault: found by halves, then ended.
    fn condemn(&mut self, mut call: Call, fault: &Fault, now: Timestamp, settlement: &mut Settlement) {
        if call.items.len() > 1 {
            (self.on_event)(Event::Split { kind: fault.kind, items: call.items.len() });
            return self.split(call.items, now);
        }
        let Some(queued) = call.items.pop() else { return };
        let verdict = if fault.kind.remedy() == Remedy::Refuse {
            Verdict::Blocked { reason: fault.message.clone() }
        } else {
            Verdict::Failed { kind: fault.kind.code().to_owned(), message: fault.message.clone() }
        };
        settlement.outcomes.push((Outcome { seq: queued.item.seq, verdict }, queued.attempts + 1));
    }

    /// Ends those items that were tried often enough; returns the others.
    fn give_up(
        &self,
        items: Vec<Queued>,
        kind: &'static str,
        message: &str,
        settlement: &mut Settlement,
    ) -> Vec<Queued> {
        let allowed = self.job.options.attempts.max(1);
        let (again, over): (Vec<Queued>, Vec<Queued>) = items
            .into_iter()
            .map(|queued| Queued { last: kind, ..queued })
            .partition(|queued| queued.attempts < allowed);
        settlement.outcomes.extend(over.into_iter().map(|queued| {
            let message = format!("{message}, in {} attempts", queued.attempts);
            let verdict = Verdict::Failed { kind: queued.last.to_owned(), message };
            (Outcome { seq: queued.item.seq, verdict }, queued.attempts)
        }));
        again
    }

    /// What an answered call used: as reported, and as reserved where nothing was.
    fn used(&self, call: &Call, usage: &Usage) -> (Amounts, Usd, bool) {
        let price = self.pools[call.pool].pool.price;
        let (cost, estimated) = price.map(|price| price.cost(usage, &call.demand)).unwrap_or_default();
        let counted = Amounts {
            requests: 1,
            input_tokens: usage.input_tokens.unwrap_or(call.amounts.input_tokens),
            images: usage.images.unwrap_or(call.amounts.images),
            usd: cost,
        };
        (counted, cost, estimated)
    }

    /// What a failed call used: nothing if it was turned away, what was reported, or the worst if the
    /// answer may have been made and was lost.
    fn used_by_fault(&self, call: &Call, fault: &Fault) -> (Amounts, Usd, bool) {
        if !fault.kind.may_have_counted() {
            return (Amounts::default(), Usd::ZERO, false);
        }
        if let Some(usage) = fault.usage {
            return self.used(call, &usage);
        }
        let lost = matches!(fault.kind, FaultKind::Timeout | FaultKind::ConnectionLost | FaultKind::Unreadable);
        let cost = if lost { call.worst } else { Usd::ZERO };
        (Amounts { usd: cost, ..call.amounts }, cost, lost && cost > Usd::ZERO)
    }

    fn count(&mut self, usage: &Usage, cost: Usd, estimated: bool) {
        self.progress.input_tokens += usage.input_tokens.unwrap_or(0);
        self.progress.output_tokens += usage.output_tokens.unwrap_or(0);
        self.progress.cost += cost;
        self.progress.estimated |= estimated;
        self.spent += cost;
    }
}
