//! Admission: what a pool's limits allow, and when.

mod manner;
mod meter;

use std::collections::VecDeque;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::journal::{Amounts, LedgerEntry};
use crate::limit::{Limit, LimitKind, Window};
use crate::model::{Fault, ReportedLimit};
use crate::time::Timestamp;
use manner::Manner;
use meter::Meter;
pub(crate) use meter::next_midnight;

/// What a request may take to arrive, at first.
const FIRST_MARGIN: Duration = Duration::from_millis(50);
/// Beyond this a late arrival is the network's fault, and waiting for it would waste the quota.
const WIDEST_MARGIN: Duration = Duration::from_secs(5);
/// The window that is assumed of a limit of which the provider says nothing.
const USUAL_WINDOW: Duration = Duration::from_secs(60);
/// Waits after a refusal without a hint: this, then twice as long each time, to the usual window.
const FIRST_UNHINTED_WAIT: Duration = Duration::from_secs(1);

/// Why a call has to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitCause {
    /// This limit is used up.
    Limit(Limit),
    /// The provider asked to wait.
    Told,
    /// The pool is being opened carefully, or is paced evenly.
    Pacing,
    /// The provider is failing; it is probed from time to time.
    Outage,
    /// Faults are being retried after a pause.
    Backoff,
    /// What is in flight could still use the rest of the budget.
    Budget,
}

/// What admission says of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may leave now.
    Now,
    /// Not before this moment.
    At(Timestamp, WaitCause),
    /// Not before a call in flight has ended.
    AfterCall(WaitCause),
    /// It is larger than this limit.
    Never(Limit),
}

/// What a call took, to be corrected when it leaves and when it ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticket {
    /// Its place in each meter, in their order.
    places: Vec<u64>,
    /// Whether the last room in some window was taken just after it had freed up.
    tight: bool,
}

/// What was learnt from a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lesson {
    /// A limit that is new or smaller than it was taken to be.
    pub(crate) learnt: Option<Limit>,
    /// When calls may go on, if the refusal says.
    pub(crate) until: Timestamp,
    /// Whether a day's limit is used up.
    pub(crate) day: bool,
}

/// All limits of one pool.
#[derive(Debug)]
pub(crate) struct Limiter {
    meters: Vec<Meter>,
    zone: TimeZone,
    margin: Duration,
    manner: Manner,
    in_flight: u64,
    in_flight_cap: Option<u64>,
    held_until: Option<(Timestamp, WaitCause)>,
    unhinted: u32,
    /// When a refusal was last learnt from: calls that had left by then have nothing new to say.
    judged: Option<Timestamp>,
    /// Calls answered of late, by the second in which they left: what a refusal without hints is judged by.
    answered: VecDeque<(i64, u64)>,
}

impl Limiter {
    /// `connect` is how long opening a connection took: requests take about half as long to arrive.
    pub(crate) fn new(limits: &[Limit], zone: TimeZone, connect: Duration, now: Timestamp) -> Self {
        let (now_limits, windows): (Vec<Limit>, Vec<Limit>) =
            limits.iter().copied().partition(|limit| limit.window == Window::Now);
        Self {
            meters: windows.into_iter().map(|limit| Meter::new(limit, zone.clone())).collect(),
            zone,
            margin: FIRST_MARGIN.max(connect / 2).min(WIDEST_MARGIN),
            manner: Manner::opening(now),
            in_flight: 0,
            in_flight_cap: now_limits.iter().map(|limit| limit.amount).min(),
            held_until: None,
            unhinted: 0,
            judged: None,
            answered: VecDeque::new(),
        }
    }

    /// Takes over what the ledger says was used before, by this process or by others.
    pub(crate) fn restore(&mut self, entries: &[LedgerEntry], now: Timestamp) {
        for entry in entries {
            // A time in the future is a clock that was set back: it counts as now.
            let left = if entry.settled { entry.left.min(now) } else { entry.left };
            for meter in &mut self.meters {
                meter.take(left, entry.amounts.of(meter.limit().kind));
            }
        }
    }

    /// Whether a call that uses `amounts` may leave now.
    pub(crate) fn admit(&mut self, amounts: &Amounts, now: Timestamp) -> Admission {
        if let Some((until, cause)) = &self.held_until {
            if *until > now {
                return Admission::At(*until, cause.clone());
            }
            self.held_until = None;
        }
        if let Some(cap) = self.in_flight_cap.filter(|cap| self.in_flight >= *cap) {
            let limit = Limit { kind: LimitKind::InFlight, amount: cap, window: Window::Now };
            return Admission::AfterCall(WaitCause::Limit(limit));
        }
        let mut latest = None;
        for meter in &mut self.meters {
            meter.expire(now, self.margin);
            let Some(at) = meter.free_at(amounts.of(meter.limit().kind), now, self.margin) else {
                return Admission::Never(meter.limit());
            };
            if at > now && latest.as_ref().is_none_or(|(t, _)| at > *t) {
                latest = Some((at, WaitCause::Limit(meter.limit())));
            }
        }
        let paced = self.manner.free_at(now);
        if paced > now && latest.as_ref().is_none_or(|(t, _)| paced > *t) {
            latest = Some((paced, WaitCause::Pacing));
        }
        latest.map_or(Admission::Now, |(at, cause)| Admission::At(at, cause))
    }

    /// Takes what an admitted call uses. It counts from `leave_by` until it has left.
    pub(crate) fn take(&mut self, amounts: &Amounts, now: Timestamp, leave_by: Timestamp) -> Ticket {
        self.manner.take(now);
        self.in_flight += 1;
        let mut tight = false;
        let places = self
            .meters
            .iter_mut()
            .map(|meter| {
                let amount = amounts.of(meter.limit().kind);
                tight |= meter.used() + amount >= meter.limit().amount;
                meter.take(leave_by, amount)
            })
            .collect();
        Ticket { places, tight }
    }

    /// The call leaves now.
    pub(crate) fn left(&mut self, ticket: &Ticket, amounts: &Amounts, now: Timestamp) {
        self.amend(ticket, amounts, now);
    }

    /// The call has ended, and counts for `counted` from when it left.
    pub(crate) fn ended(&mut self, ticket: &Ticket, counted: &Amounts, left: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.amend(ticket, counted, left);
    }

    /// The call was answered without refusal.
    pub(crate) fn answered(&mut self, left: Timestamp) {
        self.manner.answered();
        self.unhinted = 0;
        self.margin = FIRST_MARGIN.max(self.margin.mul_f64(0.999));
        let second = left.as_micros() / 1_000_000;
        match self.answered.back_mut() {
            Some((last, count)) if *last >= second => *count += 1,
            _ => self.answered.push_back((second, 1)),
        }
        while self.answered.front().is_some_and(|(first, _)| second - first > 90) {
            self.answered.pop_front();
        }
    }

    /// The provider refused a call that left at `left` and had `ticket`. Learns from it, and holds the pool.
    pub(crate) fn refused(&mut self, fault: &Fault, ticket: &Ticket, left: Timestamp, now: Timestamp) -> Lesson {
        let said = fault.limit.unwrap_or_default();
        if said.window == Some(Window::Day) {
            let until = next_midnight(now.after(self.margin), &self.zone);
            let limit = self.learn(said, LimitKind::Requests, Window::Day, now);
            let cause = limit.or_else(|| self.meter_of(said)).map_or(WaitCause::Told, WaitCause::Limit);
            self.held_until = Some((until, cause));
            return Lesson { learnt: limit, until, day: true };
        }
        let learnt = self.judge(said, ticket, left, now);
        let pause = fault.retry_after.unwrap_or_else(|| {
            self.unhinted = (self.unhinted + 1).min(7);
            (FIRST_UNHINTED_WAIT * 2_u32.pow(self.unhinted - 1)).min(USUAL_WINDOW)
        });
        // Evenly paced pools say when the next single call fits; the pace itself takes care of that.
        let until = now.after(pause);
        if self.held_until.as_ref().is_none_or(|(held, _)| *held < until) {
            self.held_until = Some((until, learnt.map_or(WaitCause::Told, WaitCause::Limit)));
        }
        Lesson { learnt, until, day: false }
    }

    /// What a refusal means: a smaller limit, a late arrival, or a provider that wants calls spaced.
    fn judge(&mut self, said: ReportedLimit, ticket: &Ticket, left: Timestamp, now: Timestamp) -> Option<Limit> {
        if self.judged.replace(now).is_some_and(|judged| left <= judged) {
            return None;
        }
        let kind = said.kind.unwrap_or(LimitKind::Requests);
        let window = said.window.unwrap_or(Window::Sliding(USUAL_WINDOW));
        let known = self.meters.iter().find(|m| m.limit().kind == kind).map(Meter::limit);
        let Some(known) = known else {
            self.manner.close_opening();
            return self.learn(said, kind, window, now).or_else(|| self.guess(kind, left, now));
        };
        if let Some(amount) = said.amount.filter(|amount| *amount < known.amount) {
            self.manner.close_opening();
            return self.learn(ReportedLimit { amount: Some(amount), ..said }, kind, known.window, now);
        }
        // The limit is what it was taken to be, and yet the call was refused.
        if ticket.tight && !matches!(self.manner, Manner::Opening { .. } | Manner::Even { .. }) {
            self.margin = (self.margin * 2).min(WIDEST_MARGIN);
        } else if let Window::Sliding(window) = known.window
            && kind == LimitKind::Requests
        {
            let interval = window.div_f64(known.amount as f64);
            self.manner.pace(interval + self.margin, now);
        }
        None
    }

    /// Takes what the provider says as the limit, where it says how much.
    fn learn(&mut self, said: ReportedLimit, kind: LimitKind, window: Window, now: Timestamp) -> Option<Limit> {
        let amount = said.amount.filter(|amount| *amount > 0)?;
        let limit = Limit { kind: said.kind.unwrap_or(kind), amount, window };
        self.lower(limit, now)
    }

    /// Without a word from the provider, what it has answered in the usual window is the limit.
    fn guess(&mut self, kind: LimitKind, left: Timestamp, now: Timestamp) -> Option<Limit> {
        let since = left.as_micros() / 1_000_000 - 60;
        let answered: u64 = self.answered.iter().filter(|(second, _)| *second > since).map(|(_, count)| count).sum();
        let amount = answered + self.in_flight.saturating_sub(1);
        let limit = Limit { kind, amount: amount.max(1), window: Window::Sliding(USUAL_WINDOW) };
        if kind == LimitKind::Requests { self.lower(limit, now) } else { None }
    }

    /// Adds a limit or lowers the one of the same scope; `None` if that one is as low already.
    fn lower(&mut self, limit: Limit, now: Timestamp) -> Option<Limit> {
        if let Some(meter) = self.meters.iter_mut().find(|meter| meter.limit().scope() == limit.scope()) {
            if meter.limit().amount <= limit.amount {
                return None;
            }
            meter.set_amount(limit.amount);
        } else {
            let mut meter = Meter::new(limit, self.zone.clone());
            if limit.kind == LimitKind::Requests {
                for (second, count) in &self.answered {
                    meter.take(Timestamp::from_micros((second + 1) * 1_000_000), *count);
                }
                meter.take(now, self.in_flight.saturating_sub(1));
            }
            self.meters.push(meter);
        }
        Some(limit)
    }

    fn meter_of(&self, said: ReportedLimit) -> Option<Limit> {
        let window = said.window?;
        self.meters.iter().map(Meter::limit).find(|limit| limit.window == window)
    }

    /// When the last of `count` calls of `amounts` each could leave. `None`: never.
    pub(crate) fn nth_at(&self, count: u64, amounts: &Amounts, now: Timestamp) -> Option<Timestamp> {
        let mut at = self.held_until.as_ref().map_or(now, |(until, _)| now.max(*until));
        if let Some(interval) = self.manner.is_even() {
            at = at.after(interval.saturating_mul(u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX)));
        }
        for meter in &self.meters {
            at = at.max(meter.nth_at(count, amounts.of(meter.limit().kind), now, self.margin)?);
        }
        Some(at)
    }

    /// How many calls may be in flight at once.
    pub(crate) const fn in_flight_cap(&self) -> Option<u64> {
        self.in_flight_cap
    }

    fn amend(&mut self, ticket: &Ticket, amounts: &Amounts, left: Timestamp) {
        for (meter, place) in self.meters.iter_mut().zip(&ticket.places) {
            let amount = amounts.of(meter.limit().kind);
            meter.amend(*place, left, amount);
        }
    }
}
