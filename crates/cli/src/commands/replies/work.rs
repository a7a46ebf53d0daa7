//! A job of replies at work: run, harvested, summed up. Used to begin one and to go on with one.

use atelier_engine::{JobId, RunEnd, Stop, Timestamp, Usd};
use atelier_replies::generate::{self, Ran, Summary, settings_for};
use atelier_store::Store;

use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::{count, duration, moment, thousands};
use crate::pools::Pools;
use crate::progress::{View, waiting};
use crate::signals::Signalled;
use crate::snapshot::RunSnapshot;

/// What a job needs to be worked on.
pub(in crate::commands) struct Work<'a> {
    pub(in crate::commands) context: &'a Context,
    pub(in crate::commands) store: &'a Store,
    pub(in crate::commands) job: JobId,
    pub(in crate::commands) run: RunSnapshot,
    pub(in crate::commands) pools: Pools,
    pub(in crate::commands) stop: Stop,
    pub(in crate::commands) signalled: Signalled,
    /// When the command began.
    pub(in crate::commands) began: Timestamp,
}

impl Work<'_> {
    /// Runs the job to an end, saves what came of it, and says how it went.
    pub(in crate::commands) async fn run(mut self) -> CliResult<Exit> {
        self.pools.warm_up().await;
        let how = generate::Run {
            pools: self.pools.pools.clone(),
            options: self.run.options(self.began.as_micros().unsigned_abs()),
            stop: self.stop.clone(),
        };
        let mut view = View::new(self.context.out, self.context.clock, "post");
        let ran = generate::run(self.store, self.context.clock, &self.job, how, |event| view.on(&event)).await;
        view.finish();
        match ran {
            Ok(ran) => self.finish(&ran),
            Err(error) => {
                // What is durable is durable; the rest of the job goes on from there.
                let error = CliError::from(error);
                let hint = error.hint.as_deref().unwrap_or("see to that").trim_end_matches('.');
                Err(CliError {
                    hint: Some(format!("{hint}; then go on with 'atelier jobs resume {}'", self.job)),
                    ..error
                })
            }
        }
    }

    fn finish(&self, ran: &Ran) -> CliResult<Exit> {
        let counts = settings_for(&ran.job)?.counts;
        let seconds = self.context.clock.now().since(self.began).as_secs_f64();
        let summary = Summary::of(&ran.job, counts, ran.harvested, seconds);
        let end = &ran.report.end;
        self.context.out.result(&summary, || self.describe(&summary, end, ran.job.totals.estimated))?;
        match end {
            RunEnd::Done if ran.harvested.failed > 0 => Ok(Exit::ItemsFailed),
            RunEnd::Done => Ok(Exit::Success),
            RunEnd::Parked { .. } => Ok(Exit::Parked),
            RunEnd::OverBudget => Ok(Exit::OverBudget),
            RunEnd::Interrupted => Ok(self.signalled.exit().unwrap_or(Exit::Interrupted)),
            RunEnd::Closed(fault) => Err(CliError::closed(fault, &self.job)),
        }
    }

    fn describe(&self, summary: &Summary, end: &RunEnd, estimated: bool) -> String {
        let harvested = &summary.harvested;
        let cost = Usd::from_dollars(summary.cost_usd).unwrap_or_default();
        let mut lines = vec![
            format!(
                "{} drafted: {} saved, {} rejected by the filter; {} blocked, {} failed",
                count(harvested.drafted, "post"),
                count(harvested.saved, "draft"),
                thousands(harvested.filtered),
                thousands(harvested.blocked),
                thousands(harvested.failed),
            ),
            format!(
                "{}, {} refused by a limit; {} + {} tokens; {}; {}",
                count(summary.calls, "call"),
                thousands(summary.rate_limited),
                thousands(summary.input_tokens),
                thousands(summary.output_tokens),
                self.pools.describe_cost(cost, estimated),
                duration(std::time::Duration::from_secs_f64(summary.seconds)),
            ),
        ];
        lines.extend(self.next_step(end));
        lines.join("\n")
    }

    fn next_step(&self, end: &RunEnd) -> Option<String> {
        let resume = format!("'atelier jobs resume {}'", self.job);
        match end {
            RunEnd::Done | RunEnd::Closed(_) => None,
            RunEnd::Parked { until, cause } => {
                let until = moment(*until);
                Some(format!("parked until {until}: {}; then go on with {resume}", waiting(cause, None)))
            }
            RunEnd::OverBudget => {
                Some(format!("stopped before the maximum cost; go on with {resume} --max-cost and a larger amount"))
            }
            RunEnd::Interrupted => Some(format!("interrupted; go on with {resume}")),
        }
    }
}
