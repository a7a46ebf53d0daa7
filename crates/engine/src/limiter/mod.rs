//! Admission: what a pool's limits allow, and when.

mod admission;
mod guess;
mod learning;
mod manner;
mod meter;

use std::collections::VecDeque;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::journal::{Amounts, LedgerEntry};
use crate::limit::{Limit, LimitKind, Window};
use crate::time::Timestamp;
pub(crate) use admission::Admission;
pub use admission::WaitCause;
use guess::Guess;
use manner::Manner;
use meter::Meter;

/// What a request may take to arrive, at first.
const FIRST_MARGIN: Duration = Duration::from_millis(50);
/// Beyond this a late arrival is the network's fault, and waiting for it would waste the quota.
const WIDEST_MARGIN: Duration = Duration::from_secs(5);
/// Below so many calls a second each call is reserved by itself.
const TOLD_APART: f64 = 100.0;
/// The most calls that are reserved together.
const LARGEST_BLOCK: u64 = 4096;
/// What is in the ledger for later than this from now was written by a clock that was wrong.
const FURTHEST_AHEAD: Duration = Duration::from_secs(60);

/// What a call took, to be corrected when it leaves and when it ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticket {
    /// Its place in each meter, in their order.
    places: Vec<u64>,
    /// Whether the last room in some window was taken just after it had freed up.
    tight: bool,
    /// Whether it tries out if a limit that was only guessed is one.
    trial: bool,
}

/// All limits of one pool.
#[derive(Debug)]
pub(crate) struct Limiter {
    meters: Vec<Meter>,
    zone: TimeZone,
    margin: Duration,
    /// The margin never shrinks below this.
    least_margin: Duration,
    /// When the margin was last narrowed.
    narrowed: Timestamp,
    manner: Manner,
    in_flight: u64,
    in_flight_cap: Option<u64>,
    held_until: Option<(Timestamp, WaitCause)>,
    unhinted: u32,
    /// The limit that was only guessed, if one was.
    guess: Option<Guess>,
    /// When a guess was last found to be none.
    disproved: Option<Timestamp>,
    /// Calls answered since the last refusal.
    undisturbed: u64,
    /// How long opening a connection took.
    connect: Duration,
    /// The most calls that were taken in one burst.
    proven: u32,
    /// When a refusal was last learnt from: calls that had left by then have nothing new to say.
    judged: Option<Timestamp>,
    /// Calls answered of late, by the second in which they left: what a refusal without hints is judged by.
    answered: VecDeque<(i64, u64)>,
}

impl Limiter {
    /// `connect` is how long opening a connection took: requests take about half as long to arrive. `proven` calls were
    /// taken in one burst before.
    pub(crate) fn new(limits: &[Limit], zone: TimeZone, connect: Duration, proven: u32, now: Timestamp) -> Self {
        let (now_limits, windows): (Vec<Limit>, Vec<Limit>) =
            limits.iter().copied().partition(|limit| limit.window == Window::Now);
        // A limit of nothing would be waited for without end.
        let windows: Vec<Limit> = windows.into_iter().map(|l| Limit { amount: l.amount.max(1), ..l }).collect();
        let margin = FIRST_MARGIN.max(connect / 2).min(WIDEST_MARGIN);
        let counts_calls = windows.iter().any(|limit| limit.kind == LimitKind::Requests);
        let manner = if counts_calls { Manner::opening(proven, connect, now) } else { Manner::searching(now) };
        Self {
            meters: windows.into_iter().map(|limit| Meter::new(limit, zone.clone())).collect(),
            zone,
            margin,
            least_margin: margin,
            narrowed: now,
            manner,
            in_flight: 0,
            in_flight_cap: now_limits.iter().map(|limit| limit.amount).min(),
            held_until: None,
            unhinted: 0,
            guess: None,
            disproved: None,
            undisturbed: 0,
            connect,
            proven,
            judged: None,
            answered: VecDeque::new(),
        }
    }

    /// Limits that several pools share: each pool by itself finds out how its provider takes bursts.
    pub(crate) fn shared(limits: &[Limit], zone: TimeZone, connect: Duration, now: Timestamp) -> Self {
        Self { manner: Manner::Burst, ..Self::new(limits, zone, connect, 0, now) }
    }

    /// How many calls one reservation may cover: where a limit is high, telling calls apart says nothing.
    pub(crate) fn block(&self) -> u64 {
        let block = |limit: Limit| match (limit.kind, limit.window) {
            (LimitKind::Requests, Window::Sliding(window)) => {
                (limit.amount as f64 / window.as_secs_f64() / TOLD_APART) as u64
            }
            _ => 1,
        };
        self.meters.iter().map(|meter| block(meter.limit())).min().unwrap_or(LARGEST_BLOCK).clamp(1, LARGEST_BLOCK)
    }

    /// Whether there is any limit that is counted over time.
    pub(crate) fn is_limited(&self) -> bool {
        self.meters.iter().any(|meter| !meter.is_lifted())
    }

    /// The limits that are counted over time, without those that were found to be none.
    fn counted(&self) -> impl Iterator<Item = Limit> {
        self.meters.iter().filter(|meter| !meter.is_lifted()).map(Meter::limit)
    }

    /// The limits that are counted over time, but for one that was only guessed.
    pub(crate) fn limits(&self) -> Vec<Limit> {
        let guessed = self.guess.as_ref().map(|guess| guess.limit);
        self.counted().filter(|limit| Some(*limit) != guessed).collect()
    }

    /// What is known of how calls may follow each other: the largest burst that was taken, and how far apart they must
    /// be if none is.
    pub(crate) const fn manner(&self) -> (u32, Option<Duration>) {
        (self.proven, self.manner.is_even())
    }

    /// Whether it is not known yet if there is a limit on calls.
    pub(crate) const fn is_searching(&self) -> bool {
        matches!(self.manner, Manner::Searching { .. })
    }

    /// Calls that were in flight when their run was dropped: nobody waits for them any more.
    pub(crate) fn abandon(&mut self, calls: u64) {
        self.in_flight = self.in_flight.saturating_sub(calls);
        if let Some(guess) = self.guess.as_mut().filter(|_| calls > 0) {
            guess.end_trial();
        }
    }

    /// A call that was taken does not leave after all.
    pub(crate) const fn give_back(&mut self) {
        self.manner.give_back();
    }

    /// Opening a connection took so long.
    pub(crate) fn connected(&mut self, connect: Duration) {
        self.connect = self.connect.max(connect);
        self.least_margin = self.least_margin.max((connect / 2).min(WIDEST_MARGIN));
        self.margin = self.margin.max(self.least_margin);
        self.manner.connected(connect);
    }

    /// Calls have to be spaced evenly, as was found out before.
    pub(crate) fn pace(&mut self, interval: Duration, now: Timestamp) {
        self.manner.pace(interval, now.before(interval));
    }

    /// Limits as others have learnt them since: of the same scope, with another amount.
    pub(crate) fn set(&mut self, limit: Limit) {
        if let Some(meter) = self.meters.iter_mut().find(|meter| meter.limit().scope() == limit.scope()) {
            meter.set_amount(limit.amount);
        }
    }

    /// Takes over what the ledger says was used before, by this run or by others.
    pub(crate) fn restore<'a>(&mut self, entries: impl IntoIterator<Item = &'a LedgerEntry>, now: Timestamp) {
        for entry in entries {
            // A time in the future is a clock that was set back: it counts as now.
            let latest = if entry.settled { now } else { now.after(FURTHEST_AHEAD) };
            for meter in &mut self.meters {
                let amount = entry.amounts.of(meter.limit().kind);
                if amount > 0 && meter.counts(entry.left.min(latest), now, self.margin) {
                    meter.take(entry.left.min(latest), amount);
                }
            }
        }
    }

    /// Whether a call that uses `amounts` may leave now.
    pub(crate) fn admit(&mut self, amounts: &Amounts, now: Timestamp) -> Admission {
        if let Some((until, cause)) = &self.held_until {
            if *until > now {
                return Admission::At(*until, cause.clone());
            }
            if cause.is_day() {
                // A day that has just begun is begun carefully: the provider's may begin a little later.
                self.manner = Manner::opening(0, self.connect, now);
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
            let Some(mut at) = meter.free_at(amounts.of(meter.limit().kind), now, self.margin) else {
                return Admission::Never(meter.limit());
            };
            if let Some(guess) = self.guess.as_ref().filter(|guess| guess.limit == meter.limit()) {
                at = at.min(guess.trial_at().unwrap_or(at)).max(now);
            }
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
        let mut trial = false;
        let places = self
            .meters
            .iter_mut()
            .map(|meter| {
                let amount = amounts.of(meter.limit().kind);
                tight |= meter.used() + amount >= meter.limit().amount;
                if let Some(guess) = self.guess.as_mut().filter(|guess| guess.limit == meter.limit()) {
                    trial |= meter.used() + amount > guess.limit.amount && guess.begin_trial();
                }
                meter.take(leave_by, amount)
            })
            .collect();
        Ticket { places, tight, trial }
    }

    /// The call leaves now.
    pub(crate) fn left(&mut self, ticket: &Ticket, amounts: &Amounts, now: Timestamp) {
        self.manner.left(now);
        self.amend(ticket, amounts, now);
    }

    /// The call has ended, and counts for `counted` from when it left. Whether that has made room for another, or might
    /// have.
    pub(crate) fn ended(&mut self, ticket: &Ticket, counted: &Amounts, left: Timestamp) -> bool {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(guess) = self.guess.as_mut().filter(|_| ticket.trial) {
            guess.end_trial();
        }
        self.amend(ticket, counted, left) || self.in_flight_cap.is_some()
    }

    /// The call was answered without refusal; `quickest` is about the quickest answer of late.
    pub(crate) fn answered(&mut self, ticket: &Ticket, left: Timestamp, quickest: Option<Duration>) {
        if let Manner::Opening { group, .. } = &self.manner {
            // Nearly all of a group has left when one of them is answered.
            self.proven = self.proven.max(*group);
        }
        self.manner.answered(quickest);
        self.unhinted = 0;
        self.undisturbed += 1;
        if self.guess.as_ref().is_some_and(|guess| guess.is_disproved(ticket.trial, left, self.margin)) {
            self.lift_guess(left);
        }
        self.relax(left);
        let second = left.as_micros() / 1_000_000;
        match self.answered.back_mut() {
            Some((last, count)) if *last >= second => *count += 1,
            _ => self.answered.push_back((second, 1)),
        }
        while self.answered.front().is_some_and(|(first, _)| second - first > 90) {
            self.answered.pop_front();
        }
    }

    /// The largest amount of a kind that any call may have.
    pub(crate) fn most(&self, kind: LimitKind) -> Option<u64> {
        self.meters.iter().map(Meter::limit).filter(|limit| limit.kind == kind).map(|limit| limit.amount).min()
    }

    /// When the last of `count` calls of `amounts` each could leave. `None`: never.
    pub(crate) fn nth_at(&self, count: u64, amounts: &Amounts, now: Timestamp) -> Option<Timestamp> {
        let mut at = self.held_until.as_ref().map_or(now, |(until, _)| now.max(*until));
        at = at.max(self.manner.nth_at(count, at));
        for meter in &self.meters {
            at = at.max(meter.nth_at(count, amounts.of(meter.limit().kind), now, self.margin)?);
        }
        Some(at)
    }

    /// What counts against each limit now, and when the next unit of it frees up.
    pub(crate) fn uses(&mut self, now: Timestamp) -> Vec<(Limit, u64, Timestamp)> {
        let margin = self.margin;
        let of = |meter: &mut Meter| {
            meter.expire(now, margin);
            (meter.limit(), meter.used(), meter.free_at(1, now, margin).unwrap_or(now))
        };
        self.meters.iter_mut().filter(|meter| !meter.is_lifted()).map(of).collect()
    }

    /// How many calls may be in flight at once.
    pub(crate) const fn in_flight_cap(&self) -> Option<u64> {
        self.in_flight_cap
    }

    /// Whether it counts for less now than before, or from earlier on.
    fn amend(&mut self, ticket: &Ticket, amounts: &Amounts, left: Timestamp) -> bool {
        let mut less = false;
        for (meter, place) in self.meters.iter_mut().zip(&ticket.places) {
            let used = meter.used();
            meter.amend(*place, left, amounts.of(meter.limit().kind));
            less |= meter.used() < used;
        }
        less
    }
}
