//! `atelier replies generate`.

use std::collections::BTreeMap;

use atelier_app::replies::{ReadyReplies, RepliesRequest};
use atelier_app::{AppResult, Intent};
use atelier_engine::{Forecast, Timestamp, Usd};
use atelier_replies::generate::{LiftedRule, PreparedProject, Selection, Summary};

use crate::args::{GenerateReplies, PostSelection};
use crate::commands::work::Work;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, duration, thousands};

pub(super) async fn run(context: &Context, command: GenerateReplies) -> AppResult<Exit> {
    let app = &context.app;
    let request = RepliesRequest {
        selection: selection(&command.selection),
        all_projects: command.selection.all_projects,
        embedder: command.embedder,
        run: command.run.change(),
        at: command.now.map(Timestamp::from),
        intent: if command.dry_run { Intent::Forecast } else { Intent::Send },
    };
    if request.intent == Intent::Forecast && request.embedder != "local" {
        context.out.note(format!(
            "a forecast pays for nothing: posts are compared by the local model, not {}",
            request.embedder
        ));
    }
    let work = Work::new(context, Default::default())?;
    let prepared = app.prepare_replies(&request, work.stop()).await;
    if let (Err(error), Some(exit)) = (&prepared, work.signalled()) {
        context.out.note(format!("{}; what was embedded is kept", error.message()));
        return Ok(exit);
    }
    let mut ready = prepared?;
    for project in ready.projects() {
        note_project(context, project);
    }
    if ready.to_draft() == 0 {
        return nothing(context, &ready, command.dry_run).await;
    }
    let forecast = app.forecast_replies(&ready).await?;
    if command.dry_run {
        let view = ready.forecast_view(&forecast);
        context.out.result(&view, || in_words(&ready, &forecast))?;
        return Ok(Exit::Success);
    }
    context.out.note(describe(&forecast));
    let Some(job) = app.submit_replies(&mut ready).await? else {
        return nothing(context, &ready, false).await;
    };
    context.out.note(format!("job {job}"));
    work.run(&job).await
}

fn selection(flags: &PostSelection) -> Selection {
    Selection {
        projects: flags.project.clone(),
        hours_back: flags.hours_back,
        min_followers: flags.min_followers,
        min_likes: flags.min_likes,
        min_views: flags.min_views,
        max_candidates: usize::try_from(flags.max_candidates).unwrap_or(usize::MAX),
        use_gate: !flags.no_use_gate,
        skip_low_scores: !flags.no_skip_low_scores,
        greens_only: flags.greens_only,
        use_saved_scores: flags.use_saved_scores,
        posts: flags.post.clone(),
        hint: flags.hint.clone(),
    }
}

fn note_project(context: &Context, project: &PreparedProject) {
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
async fn nothing(context: &Context, ready: &ReadyReplies, dry_run: bool) -> AppResult<Exit> {
    for line in context.app.nothing_to_draft(ready, !dry_run, &lifted).await? {
        context.out.note(format!("  {line}"));
    }
    let summary = Summary::without_job(ready.counts(), ready.seconds(&context.app));
    context.out.result(&summary, || "nothing to draft".to_owned())?;
    Ok(Exit::Success)
}

/// The flag that lifts a rule.
fn lifted(rule: LiftedRule) -> String {
    match rule {
        LiftedRule::HoursBack(hours) => format!("without --hours-back {hours}"),
        LiftedRule::MinFollowers(followers) => format!("without --min-followers {followers}"),
        LiftedRule::MinLikes(likes) => format!("without --min-likes {likes}"),
        LiftedRule::MinViews(views) => format!("without --min-views {views}"),
        LiftedRule::AllOfThese => "without --hours-back, --min-followers, --min-likes and --min-views".to_owned(),
        LiftedRule::Gate => "with --no-use-gate".to_owned(),
        LiftedRule::GreensOnly => "without --greens-only".to_owned(),
        LiftedRule::SkipLowScores => "with --no-skip-low-scores".to_owned(),
    }
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

fn in_words(ready: &ReadyReplies, forecast: &Forecast) -> String {
    let posts = count(ready.to_draft() as u64, "post");
    let cost = match (forecast.cost, forecast.worst_cost) {
        (Some(cost), Some(worst)) if ready.model().is_sandbox() && worst == Usd::ZERO => {
            format!("{cost}: the sandbox costs nothing")
        }
        (Some(cost), Some(worst)) => format!("about {cost}, {worst} at most"),
        _ => "unknown: the model is not in the price table; say what it costs with --price IN/OUT".to_owned(),
    };
    format!(
        "would send {posts} to {}\n{}\ntokens: about {} in, {} out\ncost: {cost}\nnothing was sent",
        ready.model(),
        describe(forecast),
        thousands(forecast.input_tokens),
        thousands(forecast.output_tokens),
    )
}
