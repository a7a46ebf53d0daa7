//! What refusals and answers teach of a pool's limits.

use std::time::Duration;

use super::guess::Guess;
use super::manner::Manner;
use super::meter::{Meter, next_midnight};
use super::{Limiter, Ticket, WIDEST_MARGIN, WaitCause};
use crate::limit::{Limit, LimitKind, Window};
use crate::model::{Fault, ReportedLimit};
use crate::time::Timestamp;

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
/// So many answers since the last refusal are plenty.
const PLENTY: u64 = 8;

/// A provider that wants calls spaced has refused some of a burst as large as this.
const PROVEN_BURST: u64 = 16;

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

impl Limiter {
    /// What an answer says of a limit beside the answer: known before it is ever hit.
    pub(crate) fn on_reported_limit(&mut self, said: ReportedLimit, now: Timestamp) -> Option<Limit> {
        let (kind, window) = (said.kind?, said.window?);
        if !matches!(window, Window::Sliding(_)) {
            return None;
        }
        let known = |limit: &Limit| limit.kind == kind && matches!(limit.window, Window::Sliding(_));
        let known = self.counted().find(known);
        self.learn(said, kind, known.map_or(window, |known| known.window), now)
    }

    /// What a refusal has tightened loosens again, with time.
    pub(super) fn relax(&mut self, now: Timestamp) {
        let halves = now.since(self.narrowed).as_secs_f64() / MARGIN_HALVES_IN.as_secs_f64();
        self.margin = self.margin.mul_f64(0.5_f64.powf(halves)).max(self.least_margin);
        self.narrowed = self.narrowed.max(now);
        if let Some(guess) = &mut self.guess
            && self.judged.is_some_and(|judged| now.since(judged) > RAISE_GUESS_AFTER)
            && let Some(meter) = self.meters.iter_mut().find(|meter| meter.limit() == guess.limit)
        {
            meter.set_amount(guess.limit.amount + (guess.limit.amount / 4).max(1));
            guess.limit = meter.limit();
            self.judged = Some(now);
        }
    }

    /// The provider refused a call that left at `left` and had `ticket`. Learns from it, and holds the pool.
    pub(crate) fn refused(&mut self, fault: &Fault, ticket: &Ticket, left: Timestamp, now: Timestamp) -> Judgement {
        let said = fault.limit.unwrap_or_default();
        if said.window == Some(Window::Day) {
            return self.refused_for_the_day(said, left, now);
        }
        let undisturbed = std::mem::take(&mut self.undisturbed);
        if fault.retry_after.is_none() && said.amount.is_none() && self.is_noise(said, undisturbed, now) {
            // The call itself waits for its turn again; the others have no reason to.
            return Judgement { learnt: None, said_so: false, until: now };
        }
        let plenty = undisturbed >= PLENTY && fault.limit.is_none();
        let learnt = self.judge(said, ticket, plenty, left, now);
        let pause = fault.retry_after.unwrap_or_else(|| self.unhinted_wait(FIRST_UNHINTED_WAIT, USUAL_WINDOW));
        let until = now.after(pause);
        if let (Some(guess), Some(asked)) = (&mut self.guess, fault.retry_after) {
            guess.told_to_wait(asked, now);
        }
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

    /// Whether a refusal that says nothing means nothing either: a gateway passes on what concerns another, in the middle
    /// of plenty. So it is where a guess was found to be none a short time ago, and where a known limit is far from
    /// used up, if calls were answered before it.
    fn is_noise(&self, said: ReportedLimit, undisturbed: u64, now: Timestamp) -> bool {
        if undisturbed < PLENTY || self.guess.is_some() {
            return false;
        }
        let lately = self.disproved.is_some_and(|at| now.since(at) < USUAL_WINDOW);
        let counts = |meter: &&Meter| said.kind.is_none_or(|kind| meter.limit().kind == kind) && !meter.is_lifted();
        let mut meters = self.meters.iter().filter(counts).peekable();
        let settled = matches!(self.manner, Manner::Burst | Manner::Even { .. });
        lately || (settled && meters.peek().is_some() && meters.all(|meter| meter.used() < meter.limit().amount / 2))
    }

    /// What a refusal means: a smaller limit, a late arrival, or a provider that wants calls spaced.
    /// Of one that names nothing, after `plenty` of answers, nothing is made but a pause.
    fn judge(
        &mut self,
        said: ReportedLimit,
        ticket: &Ticket,
        plenty: bool,
        left: Timestamp,
        now: Timestamp,
    ) -> Option<Limit> {
        let late = self.judged.replace(now).is_some_and(|judged| left <= judged);
        if said.amount.is_none() && self.correct_guess(ticket.trial, now) || late {
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
        let Some(known) = self.counted().find(slides) else {
            let learnt = self.learn(said, kind, window, now).inspect(|_| self.manner.close_opening());
            return learnt.or_else(|| self.guess(kind, left, now));
        };
        if let Some(amount) = said.amount.filter(|amount| *amount < known.amount) {
            self.manner.close_opening();
            return self.learn(ReportedLimit { amount: Some(amount), ..said }, kind, known.window, now);
        }
        // The limit is what it was taken to be, and yet the call was refused: it came early, or bursts are not taken.
        let bursts_are_taken = u64::from(self.proven) >= known.amount.min(PROVEN_BURST);
        let early = match self.manner {
            Manner::Even { .. } => false,
            Manner::Opening { .. } => said.amount.is_some() && bursts_are_taken,
            _ => ticket.tight || (said.amount.is_some() && bursts_are_taken),
        };
        if early {
            self.margin = (self.margin * 2).min(WIDEST_MARGIN);
            self.narrowed = now;
        } else if let Window::Sliding(window) = known.window
            && kind == LimitKind::Requests
            && !plenty
        {
            self.manner.pace(window.div_f64(known.amount as f64) + self.margin, now);
        }
        None
    }

    /// Takes what the provider says as the limit, where it says how much.
    fn learn(&mut self, said: ReportedLimit, kind: LimitKind, window: Window, now: Timestamp) -> Option<Limit> {
        let amount = said.amount.filter(|amount| *amount > 0)?;
        let limit = Limit { kind: said.kind.unwrap_or(kind), amount, window };
        if let Some(guess) = self.guess.take_if(|guess| guess.limit.scope() == limit.scope())
            && let Some(meter) = self.meters.iter_mut().find(|meter| meter.limit() == guess.limit)
        {
            // What is said takes the place of what was guessed, were it more.
            meter.set_amount(amount);
            return Some(limit);
        }
        self.lower(limit, now)
    }

    /// A guess counted this call among those that would be answered, and it was refused: one less, then. One that only
    /// tried the guess out has confirmed it.
    fn correct_guess(&mut self, trial: bool, now: Timestamp) -> bool {
        let Some(guess) = &mut self.guess else { return false };
        if trial {
            guess.refused(now);
            return true;
        }
        let Some(meter) = self.meters.iter_mut().find(|meter| meter.limit() == guess.limit) else { return false };
        meter.set_amount((guess.limit.amount - 1).max(1));
        guess.limit = meter.limit();
        true
    }

    /// The guess was wrong: there is no such limit, and what there is is looked for again.
    pub(super) fn lift_guess(&mut self, now: Timestamp) {
        let Some(guess) = self.guess.take() else { return };
        if let Some(meter) = self.meters.iter_mut().find(|meter| meter.limit() == guess.limit) {
            meter.lift();
        }
        self.held_until = None;
        self.disproved = Some(now);
        self.manner = guess.before;
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
        let before = if matches!(self.manner, Manner::Searching { .. }) { self.manner } else { Manner::searching(now) };
        self.manner.close_opening();
        let limit = self.lower(Limit { kind, amount, window: Window::Sliding(USUAL_WINDOW) }, now)?;
        self.guess = Some(Guess::new(limit, before, left, now));
        Some(limit)
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
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::journal::Amounts;
    use crate::limiter::Admission;
    use crate::model::FaultKind;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_micros(ms * 1_000)
    }

    #[test]
    fn a_call_that_came_early_where_bursts_are_taken_widens_the_margin_and_spaces_nothing() {
        let limit: Limit = "requests=15/10s".parse().unwrap();
        let mut limiter = Limiter::new(&[limit], TimeZone::UTC, Duration::ZERO, 0, at(0));
        let (mut now, mut tickets) = (at(0), Vec::new());
        let one = Amounts { requests: 1, ..Amounts::default() };
        while tickets.len() < 15 {
            match limiter.admit(&one, now) {
                Admission::Now => tickets.push((limiter.take(&one, now, now), now)),
                Admission::At(later, _) => now = later,
                other => panic!("{other:?}"),
            }
        }
        for (ticket, left) in &tickets {
            limiter.ended(ticket, &one, *left);
            limiter.answered(ticket, *left, None);
        }
        let margin = limiter.margin;
        now = at(11_000);
        assert_eq!(limiter.admit(&one, now), Admission::Now);
        let ticket = limiter.take(&one, now, now);
        let said = ReportedLimit {
            kind: Some(LimitKind::Requests),
            window: Some(limit.window),
            amount: Some(limit.amount),
            ..ReportedLimit::default()
        };
        let fault = Fault { limit: Some(said), ..Fault::new(FaultKind::Limited, "too many") };
        limiter.refused(&fault, &ticket, now, at(11_010));
        assert_eq!((limiter.margin, limiter.manner.is_even()), (margin * 2, None));
    }
}
