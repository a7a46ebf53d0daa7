//! `atelier search eval`.

use atelier_app::search::{JudgedQueries, SearchEvaluation};
use atelier_app::{AppError, AppResult, code};
use atelier_search::evaluate::Metric;
use atelier_studio::search::Scope;
use serde_json::json;

use super::{catch_up, scope};
use crate::args::Evaluate;
use crate::commands::library::in_background;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::count;
use crate::out::{excerpt, table};
use crate::progress::StepProgress;

pub(super) async fn run(context: &Context, command: Evaluate) -> AppResult<Exit> {
    let judged = JudgedQueries::read(&command.queries, command.baseline.as_deref())?;
    let scope = scope(command.fields);
    // How well one stage ranks; where it ends is a matter of all of them.
    let search = if scope == Scope::All {
        context.app.image_search().await?
    } else {
        context.app.search_without_cut_offs().await?
    };
    catch_up(context, &search).await?;
    in_background(context, &search).await;
    let mut progress = StepProgress::new(context.out, context.app.clock(), "query");
    let on_query = |asked, all| progress.at(asked, Some(all), " asked");
    let evaluated = context.app.evaluate_search(&search, &judged, scope, command.tolerance, on_query).await;
    progress.finish();
    let evaluated = evaluated?;
    if let Some(first) = evaluated.unknown.first() {
        let unknown = count(evaluated.unknown.len() as u64, "image");
        context
            .out
            .note(format!("{unknown} of the judged queries not in the library, such as '{}'", excerpt(first, 60)));
    }
    if let Some(path) = &command.save {
        evaluated.save(path)?;
    }
    print(context, &evaluated)?;
    match &evaluated.comparison {
        Some(comparison) if !comparison.passes() => {
            let worse = comparison
                .regressions
                .iter()
                .map(|worse| format!("{} is {:.4} and was {:.4}", worse.metric, worse.is, worse.was));
            let message = format!("below the baseline: {}", worse.collect::<Vec<_>>().join(", "));
            Err(AppError::new(code!("below-baseline"), message))
        }
        _ => Ok(Exit::Success),
    }
}

fn print(context: &Context, evaluated: &SearchEvaluation) -> AppResult<()> {
    let SearchEvaluation { evaluation, answered, comparison, .. } = evaluated;
    let estimates = evaluated.estimates();
    let queries = evaluation.queries.len() as u64;
    let json = json!({
        "queries": queries,
        "answered": answered,
        "metrics": estimates,
        "comparison": comparison,
    });
    context.out.result(&json, || {
        let rows: Vec<Vec<String>> = Metric::ALL
            .iter()
            .filter_map(|metric| {
                let estimate = estimates.get(metric)?;
                let difference = comparison.as_ref().and_then(|comparison| comparison.differences.get(metric));
                let difference = difference.map(|difference| format!("{difference:+.3}")).unwrap_or_default();
                let interval = format!("{:.3} to {:.3}", estimate.low, estimate.high);
                Some(vec![metric.to_string(), format!("{:.3}", estimate.mean), interval, difference])
            })
            .collect();
        let versus = if comparison.is_some() { "to baseline" } else { "" };
        let table = table(&["", "mean", "95 % interval", versus], &[false, true, false, true], &rows);
        format!("{table}\n{}, {answered} answered", count(queries, "query"))
    })
}
