//! `atelier run`: a file of prompts in, a file of answers out.

mod input;
mod output;
mod task;
mod work;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use atelier_engine::{Engine, Forecast, Item, Job, JobId, Usd};
use atelier_store::{JobRecord, JobState, NewItem, NewJob, Store};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::args::{Pack, RunFile};
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::{count, duration, thousands};
use crate::pools::Pools;
use crate::snapshot::RunSnapshot;
use input::Survey;
use task::Prompts;

/// The kind under which these jobs are stored.
pub(super) const JOB_KIND: &str = "run";
/// The lane of all lines: a file has one owner.
const LANE: &str = "run";
/// So many lines are stored together, or fewer that have so many bytes.
const CHUNK: usize = 10_000;
const CHUNK_BYTES: usize = 4 << 20;
/// Lines that a forecast is made from; what more there are is taken to be like them.
const FORECAST: usize = 5000;
/// Used where neither the command line nor the configuration names a model.
const DEFAULT_MODEL: &str = "gemini:gemini-3.5-flash-lite";

/// What a job of this kind was submitted with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Settings {
    /// With its provider; named as in other jobs.
    model: String,
    input: PathBuf,
    out: PathBuf,
    ordered: bool,
    survey: Survey,
    run: RunSnapshot,
}

pub(super) async fn run(context: &Context, command: RunFile) -> CliResult<Exit> {
    let began = context.clock.now();
    let store = context.store()?;
    if let Some(job) = &command.job {
        return resume(context, &store, job, &command).await;
    }
    let model = command.run.model.clone().or_else(|| context.config.model.clone());
    let run = RunSnapshot::new(model.unwrap_or_else(|| DEFAULT_MODEL.to_owned()), &command.run);
    let pools = Pools::new(context, &run)?;
    let input = spooled(context, &command.file)?;
    let survey = blocking({
        let input = input.clone();
        move || input::survey(&input)
    })
    .await?;
    survey.form.check(&pools.model)?;
    if command.dry_run {
        return dry_run(context, &store, &input, &survey, &run, &pools).await;
    }
    let out = if command.out == Path::new("-") { command.out.clone() } else { absolute(&command.out)? };
    let settings = Settings { model: run.model.clone(), input, out, ordered: command.ordered, survey, run };
    let (job, settings) = find_or_create(context, &store, settings, &command.file).await?;
    ingest(&store, &job, &settings).await?;
    if command.retry_failed {
        retry_failed(context, &store, &job).await?;
    }
    work::Work { context, store: &store, job, settings, pools, began }.run().await
}

/// Goes on with a job by its id: the answers that were written to stdout before come again.
async fn resume(context: &Context, store: &Store, id: &str, command: &RunFile) -> CliResult<Exit> {
    let missing = || CliError::usage("no-such-job", format!("there is no job '{id}'"));
    let record = store.job(id).await?.ok_or_else(missing)?;
    let out = (command.out != Path::new("-")).then(|| absolute(&command.out)).transpose()?;
    resume_record(context, store, &record, out, command.retry_failed, None).await
}

/// Goes on with a stored job. `out` takes the place of where its answers went.
pub(super) async fn resume_record(
    context: &Context,
    store: &Store,
    record: &JobRecord,
    out: Option<PathBuf>,
    retry: bool,
    max_cost: Option<Usd>,
) -> CliResult<Exit> {
    let began = context.clock.now();
    let mut settings = settings(record)?;
    settings.out = out.unwrap_or(settings.out);
    settings.run.max_cost = max_cost.or(settings.run.max_cost);
    drop(store.hold(&record.id)?);
    let pools = Pools::new(context, &settings.run)?;
    let job = Arc::clone(&record.id);
    ingest(store, &job, &settings).await?;
    if retry {
        retry_failed(context, store, &job).await?;
    }
    work::Work { context, store, job, settings, pools, began }.run().await
}

fn settings(record: &JobRecord) -> CliResult<Settings> {
    if record.kind != JOB_KIND {
        return Err(CliError::usage("job-kind", format!("job {} is not one of 'atelier run'", record.id)));
    }
    serde_json::from_value(record.settings.clone()).map_err(|error| {
        CliError::local("job-settings-unreadable", format!("the settings of job {} can't be read: {error}", record.id))
    })
}

/// Stdin is kept in a file: what was read once can be read again when the job is resumed.
fn spooled(context: &Context, file: &Path) -> CliResult<PathBuf> {
    if file != Path::new("-") {
        return absolute(file);
    }
    let dir = context.data_dir().join("inputs");
    let path = dir.join(format!("{}.jsonl", context.clock.now().as_micros()));
    let copied = std::fs::create_dir_all(&dir).and_then(|()| {
        let mut to = std::fs::File::create_new(&path)?;
        std::io::copy(&mut std::io::stdin().lock(), &mut to)?;
        to.sync_all()
    });
    copied.map_err(|error| {
        CliError::local("input-unreadable", format!("stdin can't be kept in {}: {error}", path.display()))
            .hint("check the disk, or give a file")
    })?;
    Ok(path)
}

fn absolute(path: &Path) -> CliResult<PathBuf> {
    std::path::absolute(path)
        .map_err(|error| CliError::usage("bad-path", format!("'{}' is not a path: {error}", path.display())))
}

/// The job that this input and this output belong to, if there is one that it can go on with.
async fn find_or_create(
    context: &Context,
    store: &Store,
    settings: Settings,
    shown: &Path,
) -> CliResult<(JobId, Settings)> {
    let base = blake3::hash(format!("{}\n{}", settings.input.display(), settings.out.display()).as_bytes());
    let base = format!("run-{}", &base.to_hex()[..10]);
    for number in 1.. {
        let id = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        let Some(record) = store.job(&id).await? else {
            refuse_to_overwrite(&settings.out)?;
            let id: JobId = id.into();
            let job = NewJob {
                id: Arc::clone(&id),
                kind: JOB_KIND.to_owned(),
                settings: serde_json::to_value(&settings).unwrap_or_default(),
                items: Vec::new(),
                claims: Vec::new(),
                created_at: context.clock.now(),
            };
            store.create_job(job).await?;
            return Ok((id, settings));
        };
        let before = self::settings(&record)?;
        if before.survey == settings.survey && record.state != JobState::Cancelled {
            return go_on(context, record, before, settings);
        }
        if !record.state.is_over() {
            let message = format!("{} has changed since job {id} began with it", shown.display());
            let hint =
                format!("undo the change, or give the job up with 'atelier jobs cancel {id}', or give another --out");
            return Err(CliError::usage("input-changed", message).hint(hint));
        }
        // That job is over, and its answers are of another input: they are in the way.
    }
    unreachable!("there is a number for every job")
}

fn go_on(context: &Context, record: JobRecord, before: Settings, now: Settings) -> CliResult<(JobId, Settings)> {
    if before.model != now.model {
        let message = format!("job {} was begun with {}, not with {}", record.id, before.model, now.model);
        return Err(CliError::usage("model-changed", message).hint("name that model, or give another --out"));
    }
    let (ended, items) = (record.counts.items - record.counts.pending, record.counts.items);
    if ended > 0 {
        context.out.note(format!("going on with job {}: {ended} of {} are answered", record.id, count(items, "line")));
    }
    // How it runs may change from run to run; what it is may not.
    Ok((record.id, Settings { ordered: now.ordered, run: now.run, ..before }))
}

fn refuse_to_overwrite(out: &Path) -> CliResult<()> {
    if out != Path::new("-") && out.metadata().is_ok_and(|file| file.len() > 0) {
        return Err(CliError::usage("output-exists", format!("{} holds something else already", out.display()))
            .hint("name another file with --out, or remove it"));
    }
    Ok(())
}

/// Stores the lines that are not stored yet. Nothing is sent before all of them are.
async fn ingest(store: &Store, job: &JobId, settings: &Settings) -> CliResult<()> {
    let missing = || CliError::usage("no-such-job", format!("there is no job {job}"));
    let stored = store.job(job).await?.ok_or_else(missing)?.counts.items;
    if stored >= settings.survey.lines {
        return Ok(());
    }
    let (send, mut receive) = tokio::sync::mpsc::channel::<Vec<NewItem>>(1);
    let path = settings.input.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let (mut chunk, mut bytes, mut seen) = (Vec::new(), 0, 0);
        let full = |chunk: &mut Vec<NewItem>| send.blocking_send(std::mem::take(chunk)).is_ok();
        input::each_line(&path, |_, _, line| {
            seen += 1;
            if seen > stored {
                let payload: Arc<str> = serde_json::to_string(&line).unwrap_or_default().into();
                bytes += payload.len();
                chunk.push(NewItem { key: line.id, lane: LANE.into(), payload });
            }
            if chunk.len() == CHUNK || bytes > CHUNK_BYTES {
                bytes = 0;
                if !full(&mut chunk) {
                    return Err(CliError::local("stopped", "the lines could not be stored"));
                }
            }
            Ok(())
        })?;
        full(&mut chunk);
        Ok::<_, CliError>(())
    });
    while let Some(chunk) = receive.recv().await {
        store.add_items(job, chunk).await?;
    }
    reading.await.map_err(|error| CliError::local("thread-ended", error.to_string()))?
}

async fn retry_failed(context: &Context, store: &Store, job: &JobId) -> CliResult<()> {
    let reopened = store.reopen(job, &["failed"], context.clock.now()).await?;
    context.out.note(format!("{} to be tried again", count(reopened, "failed line")));
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> CliResult<T> + Send + 'static) -> CliResult<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| CliError::local("thread-ended", error.to_string()))?
}

/// Packing changes what is asked: it is done only where it was asked for.
fn prompts(run: &RunSnapshot, pools: &Pools) -> Prompts {
    let pack_limit = match run.pack {
        Pack::Auto | Pack::Off => 1,
        Pack::Fixed(lines) => lines,
    };
    Prompts { model: pools.model.name().to_owned(), pack_limit }
}

async fn dry_run(
    context: &Context,
    store: &Store,
    input: &Path,
    survey: &Survey,
    run: &RunSnapshot,
    pools: &Pools,
) -> CliResult<Exit> {
    let mut items = Vec::new();
    let stop = input::each_line(input, |_, _, line| {
        let payload = serde_json::to_string(&line).unwrap_or_default();
        items.push(Item { seq: items.len() as u64, lane: LANE.into(), payload: payload.into() });
        if items.len() < FORECAST { Ok(()) } else { Err(CliError::usage("enough", "enough")) }
    });
    if let Err(error) = stop
        && error.code != "enough"
    {
        return Err(error);
    }
    let job = Job {
        id: "forecast".into(),
        task: Arc::new(prompts(run, pools)),
        pools: pools.pools.clone(),
        items: items.len() as u64,
        options: run.options(0),
    };
    let forecast = Engine::new(store.journal(), context.clock).forecast(&job, &items).await?;
    let scale = survey.lines as f64 / items.len().max(1) as f64;
    told(context, survey, pools, &forecast, scale)?;
    Ok(Exit::Success)
}

fn told(context: &Context, survey: &Survey, pools: &Pools, forecast: &Forecast, scale: f64) -> CliResult<()> {
    let scaled = |number: u64| (number as f64 * scale).round() as u64;
    let money = |cost: Option<Usd>| cost.map(|cost| cost.as_dollars() * scale);
    let seconds = forecast.takes.map(|takes| takes.as_secs_f64() * scale);
    let json = json!({
        "dry_run": true,
        "model": pools.model.to_string(),
        "lines": survey.lines,
        "calls": scaled(forecast.calls),
        "input_tokens": scaled(forecast.input_tokens),
        "output_tokens": scaled(forecast.output_tokens),
        "cost_usd": money(forecast.cost),
        "worst_cost_usd": money(forecast.worst_cost),
        "seconds": seconds,
    });
    context.out.result(&json, || {
        let cost = match (money(forecast.cost), money(forecast.worst_cost)) {
            (Some(cost), Some(worst)) => format!("about ${cost:.2}, ${worst:.2} at most"),
            _ => "unknown: the model is not in the price table".to_owned(),
        };
        let takes = seconds.map_or_else(
            || "never, by its limits".to_owned(),
            |seconds| duration(std::time::Duration::from_secs_f64(seconds)),
        );
        format!(
            "would send {} in {} to {}, about {takes}\ntokens: about {} in, {} out\ncost: {cost}\nnothing was sent",
            count(survey.lines, "line"),
            count(scaled(forecast.calls), "call"),
            pools.model,
            thousands(scaled(forecast.input_tokens)),
            thousands(scaled(forecast.output_tokens)),
        )
    })
}
