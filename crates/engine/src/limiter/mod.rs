//! Admission: what a pool's limits allow, and when.

mod admission;
mod manner;
mod meter;

use std::collections::VecDeque;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::journal::{Amounts, LedgerEntry};
use crate::limit::{Limit, LimitKind, Window};
use crate::model::{Fault, ReportedLimit};
use crate::time::Timestamp;
pub(crate) use admission::Admission;
pub use admission::WaitCause;
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
/// For so long after midnight a day's refusal may mean that the provider has not begun its new day yet.
const LATE_RESET: Duration = Duration::from_secs(15 * 60);
/// Waits for that: this, then twice as long each time.
const FIRST_RESET_WAIT: Duration = Duration::from_secs(60);
/// A margin that has grown is half as wide after so long without a refusal.
const MARGIN_HALVES_IN: Duration = Duration::from_secs(600);
/// A limit that was only guessed is tried a quarter higher after so long without a refusal.
const RAISE_GUESS_AFTER: Duration = Duration::from_secs(600);
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
}

/// What is made of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// A limit that is new or smaller than it was taken to be.
    pub(crate) learnt: Option<Limit>,
    /// Whether the provider said so. What was only guessed is good for this run.
    pub(crate) said_so: bool,
    /// When calls may go on.
    pub(crate) until: Timestamp,
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
    guessed: Option<Limit>,
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
        // A limit of nothing would be waited for without end.
        let windows: Vec<Limit> = windows.into_iter().map(|l| Limit { amount: l.amount.max(1), ..l }).collect();
        let margin = FIRST_MARGIN.max(connect / 2).min(WIDEST_MARGIN);
        Self {
            meters: windows.into_iter().map(|limit| Meter::new(limit, zone.clone())).collect(),
            zone,
            margin,
            least_margin: margin,
            narrowed: now,
            manner: Manner::opening(now),
            in_flight: 0,
            in_flight_cap: now_limits.iter().map(|limit| limit.amount).min(),
            held_until: None,
            unhinted: 0,
            guessed: None,
            judged: None,
            answered: VecDeque::new(),
        }
    }

    /// Limits that several pools share: each pool by itself finds out how its provider takes bursts.
    pub(crate) fn shared(limits: &[Limit], zone: TimeZone, connect: Duration, now: Timestamp) -> Self {
        Self { manner: Manner::Burst, ..Self::new(limits, zone, connect, now) }
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
        !self.meters.is_empty()
    }

    /// Takes over what the ledger says was used before, by this run or by others.
    pub(crate) fn restore<'a>(&mut self, entries: impl IntoIterator<Item = &'a LedgerEntry>, now: Timestamp) {
        for entry in entries {
            // A time in the future is a clock that was set back: it counts as now.
            let latest = if entry.settled { now } else { now.after(FURTHEST_AHEAD) };
            for meter in &mut self.meters {
                let amount = entry.amounts.of(meter.limit().kind);
                if amount > 0 {
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
                self.manner = Manner::opening(now);
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
        self.manner.left(now);
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

    /// What an answer says of a limit beside the answer: known before it is ever hit.
    pub(crate) fn on_reported_limit(&mut self, said: ReportedLimit, now: Timestamp) -> Option<Limit> {
        let (kind, window) = (said.kind?, said.window?);
        if !matches!(window, Window::Sliding(_)) {
            return None;
        }
        let known = |limit: &Limit| limit.kind == kind && matches!(limit.window, Window::Sliding(_));
        let known = self.meters.iter().map(Meter::limit).find(known);
        self.learn(said, kind, known.map_or(window, |known| known.window), now)
    }

    /// What a refusal has tightened loosens again, with time.
    fn relax(&mut self, now: Timestamp) {
        let halves = now.since(self.narrowed).as_secs_f64() / MARGIN_HALVES_IN.as_secs_f64();
        self.margin = self.margin.mul_f64(0.5_f64.powf(halves)).max(self.least_margin);
        self.narrowed = self.narrowed.max(now);
        if let Some(guess) = self.guessed
            && self.judged.is_some_and(|judged| now.since(judged) > RAISE_GUESS_AFTER)
            && let Some(meter) = self.meters.iter_mut().find(|meter| meter.limit() == guess)
        {
            meter.set_amount(guess.amount + (guess.amount / 4).max(1));
            self.guessed = Some(meter.limit());
            self.judged = Some(now);
        }
    }

    /// The provider refused a call that left at `left` and had `ticket`. Learns from it, and holds the pool.
    pub(crate) fn refused(&mut self, fault: &Fault, ticket: &Ticket, left: Timestamp, now: Timestamp) -> Judgement {
        let said = fault.limit.unwrap_or_default();
        if said.window == Some(Window::Day) {
            return self.refused_for_the_day(said, left, now);
        }
        let learnt = self.judge(said, ticket, left, now);
        let pause = fault.retry_after.unwrap_or_else(|| self.unhinted_wait(FIRST_UNHINTED_WAIT, USUAL_WINDOW));
        let until = now.after(pause);
        if self.held_until.as_ref().is_none_or(|(held, _)| *held < until) {
            self.held_until = Some((until, learnt.map_or(WaitCause::Told, WaitCause::Limit)));
        }
        Judgement { learnt, said_so: said.amount.is_some(), until }
    }

    /// A day's limit comes with a short delay all the same: its name is what counts.
    fn refused_for_the_day(&mut self, said: ReportedLimit, left: Timestamp, now: Timestamp) -> Judgement {
        let kind = said.kind.unwrap_or(LimitKind::Requests);
        let learnt = self.learn(said, kind, Window::Day, now);
        let midnight = next_midnight(left, &self.zone);
        let just_begun = next_midnight(left.before(LATE_RESET), &self.zone) <= left;
        let (until, cause) = if midnight <= now || just_begun {
            (now.after(self.unhinted_wait(FIRST_RESET_WAIT, LATE_RESET)), WaitCause::Told)
        } else {
            let known = self.meters.iter().map(Meter::limit).find(|l| l.kind == kind && l.window == Window::Day);
            (midnight, known.map_or(WaitCause::Day, WaitCause::Limit))
        };
        self.held_until = Some((until, cause));
        Judgement { learnt, said_so: said.amount.is_some(), until }
    }

    /// How long to wait where the provider does not say: twice as long each time.
    fn unhinted_wait(&mut self, first: Duration, longest: Duration) -> Duration {
        self.unhinted = (self.unhinted + 1).min(7);
        first.saturating_mul(2_u32.pow(self.unhinted - 1)).min(longest)
    }

    /// What a refusal means: a smaller limit, a late arrival, or a provider that wants calls spaced.
    fn judge(&mut self, said: ReportedLimit, ticket: &Ticket, left: Timestamp, now: Timestamp) -> Option<Limit> {
        let late = self.judged.replace(now).is_some_and(|judged| left <= judged);
        if said.amount.is_none() && self.correct_guess() || late {
            return None;
        }
        let kind = said.kind.unwrap_or(LimitKind::Requests);
        if kind == LimitKind::InFlight {
            let amount = said.amount.unwrap_or(self.in_flight).max(1);
            self.in_flight_cap = Some(self.in_flight_cap.map_or(amount, |cap| cap.min(amount)));
            return None;
        }
        let window = said.window.unwrap_or(Window::Sliding(USUAL_WINDOW));
        let slides = |limit: &Limit| limit.kind == kind && matches!(limit.window, Window::Sliding(_));
        let Some(known) = self.meters.iter().map(Meter::limit).find(slides) else {
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
            self.narrowed = now;
        } else if let Window::Sliding(window) = known.window
            && kind == LimitKind::Requests
        {
            self.manner.pace(window.div_f64(known.amount as f64) + self.margin, now);
        }
        None
    }

    /// Takes what the provider says as the limit, where it says how much.
    fn learn(&mut self, said: ReportedLimit, kind: LimitKind, window: Window, now: Timestamp) -> Option<Limit> {
        let amount = said.amount.filter(|amount| *amount > 0)?;
        let limit = Limit { kind: said.kind.unwrap_or(kind), amount, window };
        self.lower(limit, now)
    }

    /// A guess counted this call among those that would be answered, and it was refused: one less, then.
    fn correct_guess(&mut self) -> bool {
        let Some(guess) = self.guessed else { return false };
        let Some(meter) = self.meters.iter_mut().find(|meter| meter.limit() == guess) else { return false };
        meter.set_amount((guess.amount - 1).max(1));
        self.guessed = Some(meter.limit());
        true
    }

    /// Without a word from the provider, what it has answered in the usual window is the limit.
    fn guess(&mut self, kind: LimitKind, left: Timestamp, now: Timestamp) -> Option<Limit> {
        let since = left.as_micros() / 1_000_000 - 60;
        let answered: u64 = self.answered.iter().filter(|(second, _)| *second > since).map(|(_, count)| count).sum();
        // The refused call is no longer among those in flight.
        let amount = (answered + self.in_flight).max(1);
        if kind != LimitKind::Requests {
            return None;
        }
        self.guessed = self.lower(Limit { kind, amount, window: Window::Sliding(USUAL_WINDOW) }, now);
        self.guessed
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
                meter.take(now, self.in_flight);
            }
            self.meters.push(meter);
        }
        Some(limit)
    }

    /// The largest amount of a kind that any call may have.
    pub(crate) fn most(&self, kind: LimitKind) -> Option<u64> {
        self.meters.iter().map(Meter::limit).filter(|limit| limit.kind == kind).map(|limit| limit.amount).min()
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

    /// What counts against each limit now, and when the next unit of it frees up.
    pub(crate) fn uses(&mut self, now: Timestamp) -> Vec<(Limit, u64, Timestamp)> {
        let margin = self.margin;
        let of = |meter: &mut Meter| {
            meter.expire(now, margin);
            (meter.limit(), meter.used(), meter.free_at(1, now, margin).unwrap_or(now))
        };
        self.meters.iter_mut().map(of).collect()
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
