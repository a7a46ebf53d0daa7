//! `atelier jobs`: the same for every kind of job.

use atelier_app::views::{JobDetailView, JobListView, JobView};
use atelier_app::{AppResult, RunChange};
use serde_json::json;

use super::outcome::cost_in_words;
use super::work::{Work, possibly_twice};
use crate::args::{JobsCommand, Resume, Retry};
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, moment_of, thousands};
use crate::out::table;

pub(super) async fn run(context: &Context, command: JobsCommand) -> AppResult<Exit> {
    match command {
        JobsCommand::List { limit, after } => list(context, limit, after.as_deref()).await,
        JobsCommand::Show { job } => show(context, &job).await,
        JobsCommand::Resume(command) => resume(context, command).await,
        JobsCommand::Cancel { job } => cancel(context, &job).await,
        JobsCommand::Retry(command) => retry(context, command).await,
    }
}

async fn list(context: &Context, limit: usize, after: Option<&str>) -> AppResult<Exit> {
    let list = context.app.jobs(after.map(str::parse).transpose()?, limit).await?;
    context.out.result(&list, || in_table(&list))?;
    Ok(Exit::Success)
}

fn in_table(list: &JobListView) -> String {
    if list.jobs.is_empty() {
        return "there is no job yet".to_owned();
    }
    let cells: Vec<Vec<String>> = list.jobs.iter().map(cells).collect();
    let more = list.next.as_ref().map(|next| format!("\nmore with --after {next}")).unwrap_or_default();
    let headers = ["job", "kind", "state", "submitted", "items", "done", "blocked", "failed", "calls", "cost"];
    let sandbox = list.jobs.iter().any(|job| job.sandbox);
    let sandbox = if sandbox { "\nin brackets: the sandbox's, nothing was paid" } else { "" };
    let right = [false, false, false, false, true, true, true, true, true, true];
    table(&headers, &right, &cells) + sandbox + &more
}

fn cells(job: &JobView) -> Vec<String> {
    let cost = job.cost.map_or_else(|| "unknown".to_owned(), |cost| cost.to_string());
    let mut cells = vec![job.job.clone(), job.kind.clone(), job.state.to_owned(), moment_of(&job.created_at)];
    cells.extend([job.items, job.done, job.blocked, job.failed, job.calls].map(thousands));
    cells.push(if job.sandbox { format!("({cost})") } else { cost });
    cells
}

async fn show(context: &Context, id: &str) -> AppResult<Exit> {
    let detail = context.app.job_detail(id).await?;
    context.out.result(&detail, || describe(&detail))?;
    Ok(Exit::Success)
}

fn describe(detail: &JobDetailView) -> String {
    let job = &detail.job;
    let mut lines = vec![
        format!("{} ({}), {}", job.job, job.kind, job.state),
        format!(
            "submitted {} by {}, last change {}",
            moment_of(&job.created_at),
            job.owner,
            moment_of(&job.updated_at)
        ),
    ];
    lines.extend(job.title.as_ref().map(|title| format!("about: {title}")));
    lines.extend(job.model.as_ref().map(|model| format!("model: {model}")));
    lines.extend(job.note.clone());
    lines.extend(job.resume_at.as_ref().map(|at| format!("can go on at {}", moment_of(at))));
    lines.push(format!(
        "{}: {} done, {} blocked, {} failed, {} to do",
        count(job.items, "item"),
        job.done,
        job.blocked,
        job.failed,
        job.pending
    ));
    lines.push(format!(
        "{}, {} refused by a limit, {} went wrong; {} + {} tokens; {}",
        count(job.calls, "call"),
        job.rate_limited,
        job.faults,
        thousands(job.input_tokens),
        thousands(job.output_tokens),
        cost_in_words(job)
    ));
    lines.extend(job.max_cost_usd.map(|most| format!("at most ${most} for all of it")));
    if !detail.possibly_paid_twice.is_empty() && job.state != "running" {
        lines.push(possibly_twice(&detail.possibly_paid_twice));
    }
    lines.join("\n")
}

async fn resume(context: &Context, command: Resume) -> AppResult<Exit> {
    let job = context.app.job(&command.job).await?.id;
    let change = RunChange { max_cost: command.max_cost, wait: command.wait, ..RunChange::default() };
    Work::new(context, change)?.run(&job).await
}

async fn cancel(context: &Context, id: &str) -> AppResult<Exit> {
    let cancelled = context.app.cancel_job(id).await?;
    if let Some(error) = &cancelled.not_applied {
        context.out.note(format!("what was answered could not all be put where it belongs: {}", error.message()));
    }
    let json = json!({ "job": id, "state": "cancelled", "done": cancelled.done, "given_up": cancelled.given_up });
    context.out.result(&json, || {
        format!("job {id} is given up: {} done, {} not sent", count(cancelled.done, "item"), cancelled.given_up)
    })?;
    Ok(Exit::Success)
}

async fn retry(context: &Context, command: Retry) -> AppResult<Exit> {
    let job = context.app.job(&command.resume.job).await?.id;
    let retried = context.app.reopen_job(&job, command.blocked).await?;
    if retried.0 == 0 {
        let which = if command.blocked { "failed or blocked" } else { "failed" };
        context.out.note(format!("job {job} has no {which} items to try again"));
    } else {
        context.out.note(format!("{} to be tried again", count(retried.0, "item")));
    }
    resume(context, command.resume).await
}
