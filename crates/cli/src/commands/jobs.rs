//! `atelier jobs`.

use std::sync::Arc;

use atelier_engine::JobId;
use atelier_replies::generate::{JOB_KIND, harvest, settings_for};
use atelier_store::{JobPage, JobRecord, JobState, Store};
use serde_json::{Value, json};

use super::replies::work::Work;
use crate::args::{JobsCommand, Resume, Retry};
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::{count, moment, thousands};
use crate::out::table;
use crate::pools::Pools;
use crate::signals;
use crate::snapshot::RunSnapshot;

/// Post ids that are named one by one.
const NAMED: usize = 10;

pub(super) async fn run(context: &Context, command: JobsCommand) -> CliResult<Exit> {
    match command {
        JobsCommand::List { limit, after } => list(context, limit, after.as_deref()).await,
        JobsCommand::Show { job } => show(context, &job).await,
        JobsCommand::Resume(command) => resume(context, command).await,
        JobsCommand::Cancel { job } => cancel(context, &job).await,
        JobsCommand::Retry(command) => retry(context, command).await,
    }
}

async fn list(context: &Context, limit: usize, after: Option<&str>) -> CliResult<Exit> {
    let store = context.store()?;
    let after = after.map(str::parse).transpose()?;
    let jobs = store.jobs(JobPage { after, limit }).await?;
    let next = jobs.last().filter(|_| jobs.len() == limit).map(|job| job.cursor().to_string());
    let states = jobs.iter().map(|job| state(&store, job)).collect::<CliResult<Vec<_>>>()?;
    let rows: Vec<Value> = jobs.iter().zip(&states).map(|(job, state)| object(job, state)).collect();
    context.out.result(&json!({ "jobs": rows, "next": next }), || {
        if jobs.is_empty() {
            return "there is no job yet".to_owned();
        }
        let cells: Vec<Vec<String>> = jobs.iter().zip(&states).map(|(job, state)| cells(job, state)).collect();
        let more = next.as_ref().map(|next| format!("\nmore with --after {next}")).unwrap_or_default();
        let headers = ["job", "state", "submitted", "items", "done", "blocked", "failed", "calls", "cost"];
        let sandbox = if jobs.iter().any(is_sandbox) { "\nin brackets: the sandbox's, nothing was paid" } else { "" };
        table(&headers, &[false, false, false, true, true, true, true, true, true], &cells) + sandbox + &more
    })?;
    Ok(Exit::Success)
}

fn cells(job: &JobRecord, state: &str) -> Vec<String> {
    let counts = &job.counts;
    vec![
        job.id.to_string(),
        state.to_owned(),
        moment(job.created_at),
        thousands(counts.items),
        thousands(counts.done),
        thousands(counts.blocked),
        thousands(counts.failed),
        thousands(job.totals.calls),
        if is_sandbox(job) { format!("({})", job.totals.cost) } else { job.totals.cost.to_string() },
    ]
}

/// What is stored, or `running` where someone holds the job.
fn state(store: &Store, job: &JobRecord) -> CliResult<String> {
    let running = !job.state.is_over() && store.is_held(&job.id)?;
    Ok(if running { "running".to_owned() } else { job.state.name().to_owned() })
}

/// Whether no real model answered.
fn is_sandbox(job: &JobRecord) -> bool {
    // An embedder is named after its model.
    let model = job.settings.get("model").or_else(|| job.settings.get("embedder"));
    let model = model.and_then(Value::as_str).unwrap_or_default();
    model.split([':', '-']).next() == Some("sandbox")
}

fn object(job: &JobRecord, state: &str) -> Value {
    let (counts, totals) = (&job.counts, &job.totals);
    json!({
        "job": &*job.id,
        "kind": job.kind,
        "state": state,
        "note": job.note,
        "resume_at": job.resume_at.map(|at| at.to_string()),
        "created_at": job.created_at.to_string(),
        "updated_at": job.updated_at.to_string(),
        "items": counts.items,
        "done": counts.done,
        "blocked": counts.blocked,
        "failed": counts.failed,
        "pending": counts.pending,
        "calls": totals.calls,
        "rate_limited": totals.rate_limited,
        "faults": totals.faults,
        "input_tokens": totals.input_tokens,
        "output_tokens": totals.output_tokens,
        "cost_usd": totals.cost.as_dollars(),
        "cost_estimated": totals.estimated,
        "sandbox": is_sandbox(job),
    })
}

async fn show(context: &Context, id: &str) -> CliResult<Exit> {
    let store = context.store()?;
    let job = find(&store, id).await?;
    let state = state(&store, &job)?;
    let unsettled = store.unsettled(id).await?;
    let mut twice: Vec<String> = unsettled.iter().flat_map(|call| call.item_keys.iter().cloned()).collect();
    twice.sort();
    twice.dedup();
    let mut json = object(&job, &state);
    json["possibly_paid_twice"] = json!(twice);
    json["settings"] = job.settings.clone();
    context.out.result(&json, || describe(&job, &state, &twice))?;
    Ok(Exit::Success)
}

fn describe(job: &JobRecord, state: &str, twice: &[String]) -> String {
    let (counts, totals) = (&job.counts, &job.totals);
    let mut lines = vec![
        format!("{} ({}), {state}", job.id, job.kind),
        format!("submitted {}, last change {}", moment(job.created_at), moment(job.updated_at)),
    ];
    lines.extend(job.note.clone());
    lines.extend(job.resume_at.map(|at| format!("can go on at {}", moment(at))));
    lines.push(format!(
        "{}: {} done, {} blocked, {} failed, {} to do",
        count(counts.items, "item"),
        counts.done,
        counts.blocked,
        counts.failed,
        counts.pending
    ));
    let about = if totals.estimated { "about " } else { "" };
    lines.push(format!(
        "{}, {} refused by a limit, {} went wrong; {} + {} tokens; {about}{}",
        count(totals.calls, "call"),
        totals.rate_limited,
        totals.faults,
        thousands(totals.input_tokens),
        thousands(totals.output_tokens),
        totals.cost
    ));
    if !twice.is_empty() && state != "running" {
        lines.push(possibly_twice(twice));
    }
    lines.join("\n")
}

fn possibly_twice(keys: &[String]) -> String {
    let more = if keys.len() > NAMED { format!(" and {} more", keys.len() - NAMED) } else { String::new() };
    let named = keys.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let items = count(keys.len() as u64, "item");
    format!("calls with {items} were in flight when the job was cut off, and may be paid for twice: {named}{more}")
}

async fn find(store: &Store, id: &str) -> CliResult<JobRecord> {
    store.job(id).await?.ok_or_else(|| {
        CliError::usage("no-such-job", format!("there is no job '{id}'"))
            .hint("'atelier jobs list' shows all there are")
    })
}

async fn resume(context: &Context, command: Resume) -> CliResult<Exit> {
    let began = context.clock.now();
    let store = context.store()?;
    let record = find(&store, &command.job).await?;
    let job: JobId = Arc::clone(&record.id);
    if record.state == JobState::Cancelled {
        return Err(CliError::usage("job-cancelled", format!("job {job} was given up"))
            .hint("submit a new one: what was answered is kept, and not asked for again"));
    }
    if record.kind == super::run::JOB_KIND {
        return super::run::resume_record(context, &store, &record, None, false, command.max_cost).await;
    }
    if record.kind != JOB_KIND {
        let message = format!("job {job} is part of another command's work and is not resumed by itself");
        return Err(CliError::usage("job-kind", message).hint("run that command again"));
    }
    if record.state == JobState::Done {
        context.out.note(format!("job {job} is done already; this is what came of it"));
    }
    // Whoever is running it is named; what its calls cost is theirs to say.
    drop(store.hold(&job)?);
    let unsettled = store.unsettled(&job).await?;
    let twice: Vec<String> = unsettled.into_iter().flat_map(|call| call.item_keys).collect();
    if !twice.is_empty() {
        context.out.note(possibly_twice(&twice));
    }
    let mut run = snapshot(&record)?;
    run.max_cost = command.max_cost.or(run.max_cost);
    run.wait |= command.wait;
    let pools = Pools::new(context, &run)?;
    let (stop, signalled) = signals::listen(Some(context.out))?;
    Work { context, store: &store, job, run, pools, stop, signalled, began }.run().await
}

fn snapshot(record: &JobRecord) -> CliResult<RunSnapshot> {
    serde_json::from_value(settings_for(record)?.run).map_err(|error| {
        let message = format!("the settings of job {} can't be read: {error}", record.id);
        CliError::local("job-settings-unreadable", message).hint("resume it with the version that made it")
    })
}

async fn cancel(context: &Context, id: &str) -> CliResult<Exit> {
    let store = context.store()?;
    let record = find(&store, id).await?;
    if record.state.is_over() {
        let message = format!("job {id} is over already ({})", record.state.name());
        return Err(CliError::usage("job-over", message));
    }
    let _hold = store.hold(&record.id)?;
    let now = context.clock.now();
    if record.kind == JOB_KIND {
        // What was answered and paid for is kept as drafts.
        harvest(&store, &record.id, now).await?;
    }
    store.set_job_state(&record.id, JobState::Cancelled, Some("given up".to_owned()), None, now).await?;
    let counts = &record.counts;
    let json = json!({ "job": id, "state": "cancelled", "done": counts.done, "given_up": counts.pending });
    context.out.result(&json, || {
        format!("job {id} is given up: {} done, {} not sent", count(counts.done, "item"), counts.pending)
    })?;
    Ok(Exit::Success)
}

async fn retry(context: &Context, command: Retry) -> CliResult<Exit> {
    let store = context.store()?;
    let record = find(&store, &command.resume.job).await?;
    let statuses: &[&str] = if command.blocked { &["failed", "blocked"] } else { &["failed"] };
    {
        let _hold = store.hold(&record.id)?;
        let reopened = store.reopen(&record.id, statuses, context.clock.now()).await?;
        if reopened == 0 {
            context.out.note(format!("job {} has no {} items to try again", record.id, statuses.join(" or ")));
        } else {
            context.out.note(format!("{} to be tried again", count(reopened, "item")));
        }
    }
    resume(context, command.resume).await
}
