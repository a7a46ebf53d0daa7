//! A run as it goes: one live line on a terminal, plain lines elsewhere.

use std::time::Duration;

use atelier_engine::{DisplayDuration, Event, LimitKind, Progress, Timestamp, WaitCause, Window};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::money::{count, duration, time_of_day};
use crate::out::{Out, excerpt};

/// Without a terminal, a line comes at most this often.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// So much of an error stands in the line of a run.
const LONGEST_ERROR: usize = 100;

/// Shows a run on stderr.
pub(crate) struct RunProgress {
    out: Out,
    bar: Option<ProgressBar>,
    clock: atelier_engine::Clock,
    reported: Option<Timestamp>,
    noun: &'static str,
    refusals: u64,
    troubled: bool,
}

impl RunProgress {
    /// `noun` is what an item is to the user.
    pub(crate) fn new(out: Out, clock: atelier_engine::Clock, noun: &'static str) -> Self {
        let bar = Out::watched().then(|| {
            let bar = ProgressBar::new(0);
            bar.set_draw_target(ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{spinner} {bar:16} {pos}/{len}{wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { out, bar, clock, reported: None, noun, refusals: 0, troubled: false }
    }

    /// Shows what happened, as far as a person wants to know it.
    pub(crate) fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Progress(progress) => self.progress(progress),
            Event::Limited { learnt: Some(limit), .. } => {
                self.line(&format!("the provider's limit is {limit}; from now on it is kept to"));
            }
            Event::Limited { fault, until, .. } => {
                self.refusals += 1;
                if self.refusals == 1 {
                    let until = time_of_day(*until);
                    self.line(&format!("a call was refused by a limit ({}); waiting until {until}", fault.message));
                }
            }
            Event::Split { kind, items } => {
                let what = count(*items as u64, self.noun);
                self.line(&format!("a call with {what} came to nothing ({}): asking again in halves", kind.code()));
            }
            Event::Faulted { fault, items, .. } if *items == 1 || fault.kind.is_outage() => {
                tracing::info!(code = fault.kind.code(), items, "a call went wrong: {}", fault.message);
            }
            Event::JournalTrouble(error) => {
                // Every call that ends runs into the same trouble, again and again: once is news.
                if !std::mem::replace(&mut self.troubled, true) {
                    self.line(&format!("{}; what was answered is kept, and tried again", error.message));
                }
            }
            Event::Faulted { .. } | Event::Outcome { .. } => {}
        }
    }

    /// Takes the live line away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn progress(&mut self, progress: &Progress) {
        if progress.items == 0 {
            return;
        }
        if let Some(bar) = &self.bar {
            bar.set_length(progress.items);
            bar.set_position(progress.ended());
            bar.set_message(self.describe(progress));
            return;
        }
        let now = self.clock.now();
        if self.reported.is_some_and(|reported| now.since(reported) < PLAIN_EVERY) {
            return;
        }
        self.reported = Some(now);
        let (ended, items) = (progress.ended(), count(progress.items, self.noun));
        self.out.note(format!("{ended} of {items} done{}", self.describe(progress)));
    }

    fn describe(&self, progress: &Progress) -> String {
        let mut parts = Vec::new();
        if progress.in_flight > 0 {
            parts.push(format!("{} in flight", count(progress.in_flight, "call")));
        }
        if let Some((cause, until)) = &progress.waiting {
            let now = self.clock.now();
            if until.is_none_or(|until| until.since(now) > Duration::from_secs(1)) {
                parts.push(waiting(cause, *until));
            }
        }
        if progress.cost.as_nanos() > 0 {
            parts.push(format!("{} spent", progress.cost));
        }
        if let Some(fault) = &progress.last_fault {
            parts.push(format!("the last error: {}", excerpt(&fault.message, LONGEST_ERROR)));
        }
        if progress.ended() < progress.items {
            let unknown = || "time left unknown".to_owned();
            parts.push(progress.time_left.map_or_else(unknown, |left| format!("about {} left", duration(left))));
        }
        parts.iter().map(|part| format!(", {part}")).collect()
    }

    /// A line beside it.
    pub(crate) fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.out.note(line)),
            None => self.out.note(line),
        }
    }
}

/// Shows on stderr how far something is that calls no model.
pub(crate) struct StepProgress {
    out: Out,
    bar: Option<ProgressBar>,
    clock: atelier_engine::Clock,
    reported: Timestamp,
    noun: &'static str,
}

impl StepProgress {
    /// `noun` is what is counted.
    pub(crate) fn new(out: Out, clock: atelier_engine::Clock, noun: &'static str) -> Self {
        let reported = clock.now();
        let bar = Out::watched().then(|| {
            let bar = ProgressBar::no_length();
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar
        });
        Self { out, bar, clock, reported, noun }
    }

    /// So many are done, of so many if that is known; `message` follows the count.
    pub(crate) fn at(&mut self, done: u64, total: Option<u64>, message: &str) {
        if let Some(bar) = &self.bar {
            let template = if total.is_some() { "{bar:24} {pos}/{len}{wide_msg}" } else { "{spinner} {pos}{wide_msg}" };
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_position(done);
            bar.set_message(message.to_owned());
            return;
        }
        let now = self.clock.now();
        if now.since(self.reported) >= PLAIN_EVERY {
            self.reported = now;
            let of =
                total.map_or_else(|| count(done, self.noun), |total| format!("{done} of {}", count(total, self.noun)));
            self.out.note(format!("{of}{message}"));
        }
    }

    /// A line beside it.
    pub(crate) fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.out.note(line)),
            None => self.out.note(line),
        }
    }

    /// Takes the live line away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `waiting for requests=15/60s until 14:03:20`.
pub(crate) fn waiting(cause: &WaitCause, until: Option<Timestamp>) -> String {
    let cause = match cause {
        WaitCause::Limit(limit) if limit.kind == LimitKind::InFlight => {
            return format!("{} at once is the most", count(limit.amount, "call"));
        }
        WaitCause::Limit(limit) => match limit.window {
            Window::Sliding(window) if window < Duration::from_secs(1) => {
                format!("waiting for {} in {}", limit.kind.name(), DisplayDuration(window))
            }
            _ => format!("waiting for {limit}"),
        },
        WaitCause::Told => "waiting as the provider asked".to_owned(),
        WaitCause::Day => "waiting for the provider's next day".to_owned(),
        WaitCause::Pacing => "pacing".to_owned(),
        WaitCause::Turn => "another run goes first".to_owned(),
        WaitCause::Outage => "the provider is failing; it is probed".to_owned(),
        WaitCause::Backoff => "pausing before retries".to_owned(),
        WaitCause::Purse => "what you may spend in a day is used up".to_owned(),
        WaitCause::Budget => "the rest of the budget is reserved for calls in flight".to_owned(),
    };
    until.map_or_else(|| cause.clone(), |until| format!("{cause} until {}", time_of_day(until)))
}
