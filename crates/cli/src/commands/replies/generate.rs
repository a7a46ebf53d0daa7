//! `atelier replies generate`.

use std::collections::BTreeMap;

use atelier_engine::{Engine, Forecast, Job, Timestamp, Usd};
use atelier_replies::Finder;
use atelier_replies::generate::{
    NewReplies, Prepared, PreparedProject, Selection, Summary, items, prepare, save_scores, submit, task, why_nothing,
};
use atelier_store::{Store, job_id};
use serde_json::json;

use super::embedder;
use super::work::Work;
use crate::args::{self, Generate};
use crate::commands::projects;
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::{count, duration, thousands};
use crate::pools::Pools;
use crate::signals;
use crate::snapshot::RunSnapshot;

/// Used where neither the command line, the project nor the configuration names a model.
const DEFAULT_MODEL: &str = "gemini:gemini-3.5-flash-lite";
/// Projects are listed in pages of this size.
const PAGE: usize = 500;

pub(super) async fn run(context: &Context, command: Generate) -> CliResult<Exit> {
    let began = context.clock.now();
    let now = command.now.map_or(began, Timestamp::from);
    let store = context.store()?;
    let selection = selection(&store, &command.selection).await?;
    let model = model(context, command.run.model.as_deref(), &selection.projects).await?;
    let run = RunSnapshot::new(model, &command.run);
    // Before anything else is done: is there a key, and is the budget one that can be kept?
    let pools = Pools::new(context, &run)?;
    check_budget(&run, &pools)?;
    let (stop, signalled) = signals::listen(Some(context.out))?;
    let embedder = embedder::open(context, &store, &command.embedder, &run, &stop).await?;
    let prepared = prepare(&store, &selection, now, embedder.as_embedding()).await;
    if let (Err(_), Some(exit)) = (&prepared, signalled.exit()) {
        context.out.note("interrupted while posts were compared with the topics; what was embedded is kept");
        return Ok(exit);
    }
    let mut prepared = prepared?;
    for project in &prepared.projects {
        tell_project(context, project);
    }
    if prepared.to_draft() == 0 {
        return nothing(context, &store, &selection, &prepared, began, command.dry_run).await;
    }
    let output_cap = pools.output_cap.unwrap_or(0);
    let forecast = forecast(context, &store, &prepared, &pools, &run, output_cap).await?;
    if command.dry_run {
        return dry_run(context, &prepared, &pools, &forecast);
    }
    context.out.note(describe(&forecast));
    let id = job_id("replies", began);
    let new = NewReplies {
        id: std::sync::Arc::clone(&id),
        model: run.model.clone(),
        output_cap,
        run: serde_json::to_value(&run).unwrap_or_default(),
    };
    let Some(job) = submit(&store, &mut prepared, new, began).await? else {
        return nothing(context, &store, &selection, &prepared, began, false).await;
    };
    context.out.note(format!("job {job}"));
    Work { context, store: &store, job, run, pools, stop, signalled, began }.run().await
}

async fn selection(store: &Store, flags: &args::Selection) -> CliResult<Selection> {
    let mut projects = flags.project.clone();
    if flags.all_projects {
        loop {
            let page = store.projects(projects.last().map(String::as_str), PAGE).await?;
            let more = page.len() == PAGE;
            projects.extend(page.into_iter().map(|project| project.name));
            if !more {
                break;
            }
        }
        if projects.is_empty() {
            return Err(CliError::usage("no-project", "there is no project yet")
                .hint("add one with 'atelier projects add NAME --finder finder.yml'"));
        }
    }
    Ok(Selection {
        projects,
        hours_back: flags.hours_back,
        min_followers: flags.min_followers,
        min_likes: flags.min_likes,
        min_views: flags.min_views,
        max_candidates: usize::try_from(flags.max_candidates).unwrap_or(usize::MAX),
        use_gate: !flags.no_use_gate,
        skip_low_scores: !flags.no_skip_low_scores,
        greens_only: flags.greens_only,
        use_saved_scores: flags.use_saved_scores,
    })
}

/// The command line's model, else the one that the projects name, else the configured one.
async fn model(context: &Context, flag: Option<&str>, names: &[String]) -> CliResult<String> {
    let mut named = BTreeMap::new();
    for name in names {
        let project = projects::find(context, name).await?;
        if let Some(model) = Finder::from_yaml(&project.finder)?.model() {
            named.insert(model, name.clone());
        }
    }
    if let Some(model) = flag {
        return Ok(model.to_owned());
    }
    match named.len() {
        0 => Ok(context.config.model.clone().unwrap_or_else(|| DEFAULT_MODEL.to_owned())),
        1 => Ok(named.into_keys().next().unwrap_or_default()),
        _ => {
            let named: Vec<String> = named.iter().map(|(model, project)| format!("{project}: {model}")).collect();
            let message = format!("the projects name different models ({})", named.join(", "));
            Err(CliError::usage("models-differ", message).hint("name one with --model, or run the projects one by one"))
        }
    }
}

/// A budget can be kept only where the price is known; better said before anything is embedded.
fn check_budget(run: &RunSnapshot, pools: &Pools) -> CliResult<()> {
    match pools.pools.iter().find(|pool| pool.price.is_none()) {
        Some(pool) if run.max_cost.is_some() => {
            Err(atelier_engine::EngineError::PriceUnknown(std::sync::Arc::clone(&pool.id)).into())
        }
        _ => Ok(()),
    }
}

fn tell_project(context: &Context, project: &PreparedProject) {
    let counts = project.counts();
    let mut line = format!(
        "{}: {} selected: {} gated, {} near-duplicates, {} green, {} yellow, {} red",
        project.name,
        count(counts.selected, "post"),
        counts.gated,
        counts.duplicates,
        counts.green,
        counts.yellow,
        counts.red
    );
    if project.already_answered > 0 {
        line.push_str(&format!("; {} answered before", thousands(project.already_answered)));
    }
    context.out.note(line);
    for (job, posts) in &project.waiting {
        context.out.note(format!("{} more wait in job {job}: 'atelier jobs resume {job}'", count(*posts, "post")));
    }
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for gated in &project.gated {
        *reasons.entry(gated.refusal.code().to_owned()).or_default() += 1;
    }
    if !reasons.is_empty() {
        let reasons: Vec<String> = reasons.iter().map(|(reason, posts)| format!("{posts} {reason}")).collect();
        context.out.note(format!("  gated: {}", reasons.join(", ")));
    }
}

/// Nothing is to be drafted: says why, and which flag or threshold would change it.
async fn nothing(
    context: &Context,
    store: &Store,
    selection: &Selection,
    prepared: &Prepared,
    began: Timestamp,
    dry_run: bool,
) -> CliResult<Exit> {
    if !dry_run {
        save_scores(store, prepared).await?;
    }
    for project in &prepared.projects {
        for line in why_nothing(store, selection, project, prepared.now).await? {
            context.out.note(format!("  {line}"));
        }
    }
    let seconds = context.clock.now().since(began).as_secs_f64();
    let summary = Summary::without_job(prepared.counts(), seconds);
    context.out.result(&summary, || "nothing to draft".to_owned())?;
    Ok(Exit::Success)
}

async fn forecast(
    context: &Context,
    store: &Store,
    prepared: &Prepared,
    pools: &Pools,
    run: &RunSnapshot,
    output_cap: u64,
) -> CliResult<Forecast> {
    let items = items(prepared);
    let job = Job {
        id: "forecast".into(),
        task: std::sync::Arc::new(task(prepared, output_cap)),
        pools: pools.pools.clone(),
        items: items.len() as u64,
        options: run.options(0),
    };
    Ok(Engine::new(store.journal(), context.clock).forecast(&job, &items).await?)
}

fn describe(forecast: &Forecast) -> String {
    let takes = forecast.takes.map_or_else(|| "never, by its limits".to_owned(), duration);
    let mut text = format!(
        "planned: {} of up to {}, about {takes}",
        count(forecast.calls, "call"),
        count(forecast.pack as u64, "post")
    );
    if let Some(one_by_one) = forecast.takes_one_by_one.filter(|_| forecast.pack > 1) {
        text.push_str(&format!(" (one post a call: about {})", duration(one_by_one)));
    }
    text
}

fn dry_run(context: &Context, prepared: &Prepared, pools: &Pools, forecast: &Forecast) -> CliResult<Exit> {
    let seconds = |takes: Option<std::time::Duration>| takes.map(|takes| takes.as_secs_f64());
    let counts = prepared.counts();
    let json = json!({
        "dry_run": true,
        "model": pools.model.to_string(),
        "posts": prepared.to_draft(),
        "counts": counts,
        "calls": forecast.calls,
        "pack": forecast.pack,
        "input_tokens": forecast.input_tokens,
        "output_tokens": forecast.output_tokens,
        "cost_usd": forecast.cost.map(Usd::as_dollars),
        "worst_cost_usd": forecast.worst_cost.map(Usd::as_dollars),
        "seconds": seconds(forecast.takes),
        "seconds_one_by_one": seconds(forecast.takes_one_by_one),
    });
    context.out.result(&json, || {
        let posts = count(prepared.to_draft() as u64, "post");
        let cost = match (forecast.cost, forecast.worst_cost) {
            (Some(cost), Some(worst)) if pools.is_sandbox() && worst == Usd::ZERO => {
                format!("{cost}: the sandbox costs nothing")
            }
            (Some(cost), Some(worst)) => format!("about {cost}, {worst} at most"),
            _ => "unknown: the model is not in the price table".to_owned(),
        };
        format!(
            "would send {posts} to {}\n{}\ntokens: about {} in, {} out\ncost: {cost}\nnothing was sent",
            pools.model,
            describe(forecast),
            thousands(forecast.input_tokens),
            thousands(forecast.output_tokens),
        )
    })?;
    Ok(Exit::Success)
}
