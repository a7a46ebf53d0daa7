//! A job at work, of whatever kind, and what came of it.

use std::path::Path;
use std::time::Duration;

use atelier_app::job::{Applied, WorkEvent, Worked};
use atelier_app::views::{GeneratedImageView, JobView, PromptsSummaryView};
use atelier_app::{AppResult, RunChange};
use atelier_engine::{JobId, RunEnd, Stop, Timestamp};
use atelier_store::{GeneratedImage, JobState};

use super::outcome::{cost_in_words, next_step, summarize_generation};
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, duration, thousands};
use crate::out::excerpt;
use crate::progress::RunProgress;
use crate::signals::{self, Signalled};

/// Items that are named one by one.
const NAMED: usize = 10;

/// What a job needs to be worked on.
pub(super) struct Work<'a> {
    context: &'a Context,
    change: RunChange,
    stop: Stop,
    signalled: Signalled,
    /// When the command began.
    began: Timestamp,
}

impl<'a> Work<'a> {
    /// From now on, the first signal has calls in flight finished.
    pub(super) fn new(context: &'a Context, change: RunChange) -> AppResult<Self> {
        let (stop, signalled) = signals::listen(Some(context.out))?;
        Ok(Self { context, change, stop, signalled, began: context.app.clock().now() })
    }

    pub(super) const fn stop(&self) -> &Stop {
        &self.stop
    }

    /// The exit code that a signal asks for, if one came.
    pub(super) fn signalled(&self) -> Option<Exit> {
        self.signalled.exit()
    }

    /// Works on a job, and says how it went.
    pub(super) async fn run(self, job: &JobId) -> AppResult<Exit> {
        let worked = self.work(job).await?;
        self.summarize(&worked).await?;
        self.exit(&worked)
    }

    /// Works on a job, and shows how it goes.
    pub(super) async fn work(&self, job: &JobId) -> AppResult<Worked> {
        let (app, out) = (&self.context.app, self.context.out);
        let kind = app.job(job).await?.kind;
        let mut progress = RunProgress::new(out, app.clock(), noun(&kind));
        let mut watch = |event: WorkEvent<'_>| match event {
            WorkEvent::Began { job, twice } => {
                if job.state == JobState::Done {
                    progress.line(&format!("job {} is done already; this is what came of it", job.id));
                }
                if !twice.is_empty() {
                    progress.line(&possibly_twice(twice));
                }
            }
            WorkEvent::Engine(event) => progress.on(event),
            WorkEvent::Applied(Applied::Image(image)) => progress.line(&image_line(image)),
            WorkEvent::Applied(Applied::Drafts(_)) => {}
        };
        let worked = app.work(job, &self.change, self.stop.clone(), &mut watch).await;
        progress.finish();
        worked
    }

    /// How the program ends.
    pub(super) fn exit(&self, worked: &Worked) -> AppResult<Exit> {
        if let Some(fault) = worked.fault() {
            return Err(fault);
        }
        let counts = &worked.job.counts;
        // A post that is refused is answered; an image that is refused is not there.
        let undone = counts.failed + if worked.job.kind == "images" { counts.blocked } else { 0 };
        Ok(match worked.end {
            RunEnd::Done if undone > 0 => Exit::ITEMS_FAILED,
            RunEnd::Done | RunEnd::Closed(_) | RunEnd::GaveUp(_) | RunEnd::LeaseLost => Exit::Success,
            RunEnd::Parked { .. } => Exit::PARKED,
            RunEnd::OverBudget => Exit::OVER_BUDGET,
            RunEnd::Interrupted => self.signalled().unwrap_or(Exit::INTERRUPTED),
        })
    }

    async fn summarize(&self, worked: &Worked) -> AppResult<()> {
        let (app, out, job) = (&self.context.app, self.context.out, &worked.job);
        let seconds = app.clock().now().since(self.began).as_secs_f64();
        let shown = app.job_view(job).await?;
        match job.kind.as_str() {
            "replies" => {
                let summary = app.replies_summary(job, seconds).await?;
                let harvested = summary.harvested;
                out.result(&summary, || {
                    let head = format!(
                        "{} drafted: {} saved, {} rejected by the filter; {} blocked, {} failed",
                        count(harvested.drafted, "post"),
                        count(harvested.saved, "draft"),
                        thousands(harvested.filtered),
                        thousands(harvested.blocked),
                        thousands(harvested.failed),
                    );
                    Self::described(&head, worked, &shown, seconds, None)
                })
            }
            "prompts" => {
                let head = format!(
                    "{} of {} answered, {} blocked, {} failed",
                    thousands(job.counts.done),
                    count(job.counts.items, "line"),
                    thousands(job.counts.blocked),
                    thousands(job.counts.failed),
                );
                let failed = "to try the failed ones again: --retry-failed".to_owned();
                let text =
                    || Self::described(&head, worked, &shown, seconds, (job.counts.failed > 0).then_some(failed));
                if app.prompts_output(&job.id).await? == Path::new("-") {
                    out.note(text());
                    return Ok(());
                }
                out.result(&PromptsSummaryView::new(job, seconds), text)
            }
            "images" => {
                let generation = app.generation_of(job)?;
                summarize_generation(self.context, &generation, std::slice::from_ref(worked)).await
            }
            _ => out.result(&shown, || {
                let counts = &job.counts;
                let head = format!(
                    "{} of {} done, {} blocked, {} failed",
                    thousands(counts.done),
                    count(counts.items, "item"),
                    thousands(counts.blocked),
                    thousands(counts.failed),
                );
                Self::described(&head, worked, &shown, seconds, None)
            }),
        }
    }

    /// What a job came to, what it took, and what is to be done next.
    fn described(head: &str, worked: &Worked, shown: &JobView, seconds: f64, failed: Option<String>) -> String {
        let totals = &worked.job.totals;
        let cost = cost_in_words(shown);
        let mut lines = vec![
            head.to_owned(),
            format!(
                "{}, {} refused by a limit; {} + {} tokens; {cost}; {}",
                count(totals.calls, "call"),
                thousands(totals.rate_limited),
                thousands(totals.input_tokens),
                thousands(totals.output_tokens),
                duration(Duration::from_secs_f64(seconds)),
            ),
        ];
        lines.extend(next_step(&worked.end, &worked.job));
        lines.extend(failed.filter(|_| worked.end == RunEnd::Done));
        lines.join("\n")
    }
}

/// What an item of a kind is to the user.
fn noun(kind: &str) -> &'static str {
    match kind {
        "replies" => "post",
        "images" | "describing" => "image",
        "prompts" => "line",
        _ => "item",
    }
}

/// Items whose calls were in flight when a job was cut off.
pub(super) fn possibly_twice(keys: &[String]) -> String {
    let more = if keys.len() > NAMED { format!(" and {} more", keys.len() - NAMED) } else { String::new() };
    let named = keys.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let items = count(keys.len() as u64, "item");
    format!("calls with {items} were in flight when the job was cut off, and may be paid for twice: {named}{more}")
}

/// What became of an image, in a line.
fn image_line(image: &GeneratedImage) -> String {
    let view = GeneratedImageView::new(image, image.state.name(), None);
    match (view.width, view.height, view.format) {
        (Some(width), Some(height), Some(format)) => format!("{}: {width} x {height}, {format}", view.id),
        _ => {
            let (kind, message) = (view.kind.unwrap_or_default(), view.message.unwrap_or_default());
            format!("{} is {} ({kind}): {}", view.id, view.state, excerpt(&message, 160))
        }
    }
}
