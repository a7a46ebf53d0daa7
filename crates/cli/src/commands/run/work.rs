//! A run at work: the engine answers, and a writer beside it puts the answers out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atelier_engine::{Engine, Event, Job, JobId, Outcome, Report, RunEnd, Stop, Timestamp};
use atelier_store::{JobRecord, OutcomeRecord, Store};
use serde_json::json;
use tokio::sync::Notify;

use super::output::{Output, Pending, record};
use super::{Settings, prompts};
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::{count, duration, moment, thousands};
use crate::pools::Pools;
use crate::progress::{View, waiting};
use crate::signals;

/// Answers are gathered for so long before they are written.
const GATHER: Duration = Duration::from_millis(20);

/// What a run needs to be worked on.
pub(super) struct Work<'a> {
    pub(super) context: &'a Context,
    pub(super) store: &'a Store,
    pub(super) job: JobId,
    pub(super) settings: Settings,
    pub(super) pools: Pools,
    /// When the command began.
    pub(super) began: Timestamp,
}

/// Outcomes whose content waits for the writer. Of those beyond, it is read from the journal again.
const AT_HAND: usize = 4096;

/// Outcomes that are durable, on their way from the engine to the writer: their places and, of most, what is
/// to be written.
#[derive(Default)]
struct Ended {
    outcomes: Mutex<Vec<(u64, Option<OutcomeRecord>)>>,
    more: Notify,
}

impl Ended {
    fn add(&self, outcome: &Outcome, attempts: u32) {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let record = if outcomes.len() < AT_HAND { record(outcome, attempts) } else { None };
        outcomes.push((outcome.seq, record));
        drop(outcomes);
        self.more.notify_one();
    }

    fn take(&self) -> Vec<(u64, Option<OutcomeRecord>)> {
        std::mem::take(&mut *self.outcomes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Work<'_> {
    /// Runs the job to an end, and says how it went.
    pub(super) async fn run(mut self) -> CliResult<Exit> {
        let _hold = self.store.hold(&self.job)?;
        let record = self.record().await?;
        let (stop, signalled) = signals::listen(Some(self.context.out))?;
        let price = self.pools.pools.first().and_then(|pool| pool.price);
        let mut pending = Pending::new(self.settings.ordered);
        let form = self.settings.survey.form;
        let mut output = Output::open(&self.settings.out, form, price, &mut pending, self.store, &self.job).await?;
        self.pools.warm_up().await;
        let ended = Ended::default();
        let ran = {
            let engine = self.engine(&record, stop, &ended);
            tokio::pin!(engine);
            loop {
                // The writer never runs ahead of the journal, and never holds it up.
                tokio::select! {
                    ran = &mut engine => break ran,
                    () = ended.more.notified() => {
                        tokio::select! {
                            ran = &mut engine => break ran,
                            () = tokio::time::sleep(GATHER) => {}
                        }
                        let write = self.write(&ended, &mut pending, &mut output);
                        tokio::pin!(write);
                        tokio::select! {
                            ran = &mut engine => { write.await?; break ran }
                            written = &mut write => written?,
                        }
                    }
                }
            }
        };
        self.write(&ended, &mut pending, &mut output).await?;
        output.sync()?;
        self.finish(ran?, signalled.exit()).await
    }

    async fn write(&self, ended: &Ended, pending: &mut Pending, output: &mut Output) -> CliResult<()> {
        for (place, outcome) in ended.take() {
            pending.take(place, outcome, output)?;
        }
        pending.write(output, self.store, &self.job).await
    }

    async fn engine(&self, record: &JobRecord, stop: Stop, ended: &Ended) -> CliResult<Report> {
        let mut options = self.settings.run.options(self.began.as_micros().unsigned_abs());
        options.spent = record.totals.cost + record.totals.unsettled;
        let job = Job {
            id: Arc::clone(&self.job),
            task: Arc::new(prompts(&self.settings.run, &self.pools)),
            pools: self.pools.pools.clone(),
            items: record.counts.pending,
            options,
        };
        let mut view = View::new(self.context.out, self.context.clock, "line");
        let engine = Engine::new(self.store.journal(), self.context.clock);
        let ran = engine
            .run(job, stop, |event| {
                if let Event::Outcome { outcome, attempts } = &event {
                    ended.add(outcome, *attempts);
                }
                view.on(&event);
            })
            .await;
        view.finish();
        ran.map_err(|error| {
            let hint = format!("{}; then run the same command again", error.hint());
            CliError::from(error).hint(hint)
        })
    }

    async fn record(&self) -> CliResult<JobRecord> {
        let missing = || CliError::usage("no-such-job", format!("there is no job {}", self.job));
        self.store.job(&self.job).await?.ok_or_else(missing)
    }

    async fn finish(&self, report: Report, signalled: Option<Exit>) -> CliResult<Exit> {
        let now = self.context.clock.now();
        self.store.run_ended(&self.job, &report.end, now).await?;
        let record = self.record().await?;
        let (counts, totals) = (record.counts, record.totals);
        let seconds = now.since(self.began).as_secs_f64();
        let json = json!({
            "job": &*self.job,
            "items": counts.items,
            "done": counts.done,
            "blocked": counts.blocked,
            "failed": counts.failed,
            "calls": totals.calls,
            "rate_limited": totals.rate_limited,
            "input_tokens": totals.input_tokens,
            "output_tokens": totals.output_tokens,
            "cost_usd": totals.cost.as_dollars(),
            "seconds": seconds,
        });
        if self.settings.out == std::path::Path::new("-") {
            self.context.out.note(self.describe(&record, &report.end, seconds));
        } else {
            self.context.out.result(&json, || self.describe(&record, &report.end, seconds))?;
        }
        match &report.end {
            RunEnd::Done if counts.failed > 0 => Ok(Exit::ItemsFailed),
            RunEnd::Done => Ok(Exit::Success),
            RunEnd::Parked { .. } => Ok(Exit::Parked),
            RunEnd::OverBudget => Ok(Exit::OverBudget),
            RunEnd::Interrupted => Ok(signalled.unwrap_or(Exit::Interrupted)),
            RunEnd::Closed(fault) => Err(CliError::closed(fault, &self.job)),
        }
    }

    fn describe(&self, record: &JobRecord, end: &RunEnd, seconds: f64) -> String {
        let (counts, totals) = (&record.counts, &record.totals);
        let lines = format!(
            "{} of {} answered, {} blocked, {} failed\n{}, {} refused by a limit; {} + {} tokens; {}; {}",
            thousands(counts.done),
            count(counts.items, "line"),
            thousands(counts.blocked),
            thousands(counts.failed),
            count(totals.calls, "call"),
            thousands(totals.rate_limited),
            thousands(totals.input_tokens),
            thousands(totals.output_tokens),
            self.pools.describe_cost(totals.cost, totals.estimated),
            duration(Duration::from_secs_f64(seconds)),
        );
        let again = format!("run the same command again to go on, or 'atelier jobs resume {}'", self.job);
        match end {
            RunEnd::Done if counts.failed > 0 => format!("{lines}\nto try the failed ones again: --retry-failed"),
            RunEnd::Done | RunEnd::Closed(_) => lines,
            RunEnd::Parked { until, cause } => {
                format!("{lines}\nparked until {}: {}; then {again}", moment(*until), waiting(cause, None))
            }
            RunEnd::OverBudget => format!("{lines}\nstopped before the maximum cost; with a larger one {again}"),
            RunEnd::Interrupted => format!("{lines}\ninterrupted; {again}"),
        }
    }
}
