//! `atelier run`: a file of prompts in, a file of answers out.

use std::path::Path;
use std::time::Duration;

use atelier_app::views::PromptsForecastView;
use atelier_app::{AppResult, Intent};
use atelier_engine::JobId;

use super::work::Work;
use crate::args::RunFile;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, dollars, duration, thousands};

pub(super) async fn run(context: &Context, command: RunFile) -> AppResult<Exit> {
    let app = &context.app;
    let change = command.run.change();
    if let Some(job) = &command.job {
        // The answers that were written to stdout before come again.
        if command.out != Path::new("-") {
            app.redirect_prompts(job, &command.out).await?;
        }
        return go_on(context, &app.job(job).await?.id, &command, change).await;
    }
    let intent = if command.dry_run { Intent::Forecast } else { Intent::Send };
    let read = app.read_prompts(&command.file, &change, command.asked.defaults(), intent).await?;
    if command.dry_run {
        let forecast = app.forecast_prompts(&read).await?;
        context.out.result(&forecast, || describe(&forecast))?;
        return Ok(Exit::Success);
    }
    let submitted = app.submit_prompts(read, &command.out, command.ordered).await?;
    if let Some((answered, lines)) = submitted.known.filter(|(answered, _)| *answered > 0) {
        let (job, lines) = (&submitted.job, count(lines, "line"));
        context.out.note(format!("going on with job {job}: {answered} of {lines} are answered"));
    }
    go_on(context, &submitted.job, &command, change).await
}

async fn go_on(context: &Context, job: &JobId, command: &RunFile, change: atelier_app::RunChange) -> AppResult<Exit> {
    if command.retry_failed {
        let retried = context.app.reopen_job(job, false).await?;
        context.out.note(format!("{} to be tried again", count(retried.0, "failed line")));
    }
    Work::new(context, change)?.run(job).await
}

fn describe(forecast: &PromptsForecastView) -> String {
    let cost = match (forecast.cost_usd, forecast.worst_cost_usd) {
        (Some(cost), Some(worst)) => format!("about {}, {} at most", dollars(cost), dollars(worst)),
        _ => "unknown: the model is not in the price table; say what it costs with --price IN/OUT".to_owned(),
    };
    let takes = forecast
        .seconds
        .map_or_else(|| "never, by its limits".to_owned(), |seconds| duration(Duration::from_secs_f64(seconds)));
    format!(
        "would send {} in {} to {}, about {takes}\ntokens: about {} in, {} out\ncost: {cost}\nnothing was sent",
        count(forecast.lines, "line"),
        count(forecast.calls, "call"),
        forecast.model,
        thousands(forecast.input_tokens),
        thousands(forecast.output_tokens),
    )
}
