//! `atelier search eval`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use atelier_search::evaluate::{Baseline, Comparison, Evaluation, Judged, Metric, evaluate, read_queries};
use atelier_studio::search::{ImageSearch, Scope, SearchRequest};
use serde_json::json;

use super::{catch_up, open, scope};
use crate::args::Evaluate;
use crate::background;
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::count;
use crate::out::{excerpt, table};
use crate::progress::Meter;

/// Metrics look at the first ten.
const DEPTH: usize = 10;

pub(super) async fn run(context: &Context, command: Evaluate) -> CliResult<Exit> {
    let queries = File::open(&command.queries).map_err(|error| unreadable(&command.queries, &error))?;
    let queries = read_queries(BufReader::new(queries)).map_err(|error| in_file(&command.queries, error.into()))?;
    if queries.is_empty() {
        let message = format!("{} holds no queries", command.queries.display());
        return Err(CliError::usage("judged-queries-invalid", message));
    }
    let baseline = command.baseline.as_deref().map(read_baseline).transpose()?;
    let scope = scope(command.fields);
    let (mut search, _connected) = open(context).await?;
    if scope != Scope::All {
        // How well one stage ranks; where it ends is a matter of all of them.
        search = search.without_cut_offs();
    }
    catch_up(context, &search).await?;
    background::embed(context, search.library(), search.embedders()).await;
    unknown(context, &search, &queries).await?;
    let mut ranked = Vec::with_capacity(queries.len());
    let mut answered = 0_u64;
    let mut meter = Meter::new(context.out, context.clock, "query");
    for judged in &queries {
        let request =
            SearchRequest { words: Some(judged.query.clone()), scope, limit: DEPTH, ..SearchRequest::default() };
        let found = search.search(request).await?;
        if let Some(reason) = found.words_only {
            meter.finish();
            let message = format!("the embedder can't be asked, and without it little would be measured: {reason}");
            return Err(CliError::configuration("embedder-absent", message)
                .hint("--fields lexical measures the words of images alone"));
        }
        let hits = found.hits;
        answered += u64::from(!hits.hits.is_empty());
        ranked.push(hits.hits.into_iter().map(|hit| hit.id).collect::<Vec<_>>());
        meter.at(ranked.len() as u64, Some(queries.len() as u64), " asked");
    }
    meter.finish();
    let mut ranked = ranked.into_iter();
    let evaluation = evaluate(&queries, |_: &Judged| Ok::<_, CliError>(ranked.next().unwrap_or_default()))?;
    let comparison = baseline.map(|baseline| baseline.compare(&evaluation, command.tolerance)).transpose()?;
    if let Some(path) = &command.save {
        let saved = Baseline::of(&evaluation).to_json()?;
        std::fs::write(path, saved + "\n").map_err(|error| {
            CliError::local("output-unwritable", format!("{} can't be written: {error}", path.display()))
        })?;
    }
    tell(context, &evaluation, answered, comparison.as_ref())?;
    match comparison {
        Some(comparison) if !comparison.passes() => {
            let worse = comparison
                .regressions
                .iter()
                .map(|worse| format!("{} is {:.4} and was {:.4}", worse.metric, worse.is, worse.was));
            let message = format!("below the baseline: {}", worse.collect::<Vec<_>>().join(", "));
            Err(CliError::new(Exit::ItemsFailed, "below-baseline", message)
                .hint("if that is meant, save a new baseline with --save"))
        }
        _ => Ok(Exit::Success),
    }
}

/// Says which relevant images are not in the library: a misspelt id looks like a bad search.
async fn unknown(context: &Context, search: &ImageSearch, queries: &[Judged]) -> CliResult<()> {
    let ids: BTreeSet<String> = queries.iter().flat_map(|judged| judged.relevant.keys().cloned()).collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let images = search.library().store().images_with_ids(&ids).await?;
    let there: BTreeSet<&str> = images.iter().map(|image| image.id.as_str()).collect();
    let gone: Vec<&str> = ids.iter().map(String::as_str).filter(|id| !there.contains(id)).collect();
    if let Some(first) = gone.first() {
        let first = excerpt(first, 60);
        context.out.note(format!(
            "{} of the judged queries not in the library, such as '{first}'",
            count(gone.len() as u64, "image")
        ));
    }
    Ok(())
}

fn tell(context: &Context, evaluation: &Evaluation, answered: u64, comparison: Option<&Comparison>) -> CliResult<()> {
    let estimates = evaluation.estimates();
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
                let difference = comparison.and_then(|comparison| comparison.differences.get(metric));
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

fn read_baseline(path: &Path) -> CliResult<Baseline> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    Baseline::from_json(&text).map_err(|error| in_file(path, error.into()))
}

/// The error, with the file that it is in.
fn in_file(path: &Path, error: CliError) -> CliError {
    CliError { message: format!("{}: {}", path.display(), error.message), ..error }
}

fn unreadable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::usage("source-unreadable", format!("{} can't be read: {error}", path.display()))
        .hint("check that the path is right and that your user may read it")
}
