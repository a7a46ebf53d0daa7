//! What came of a job, in words.

use atelier_app::AppResult;
use atelier_app::job::Worked;
use atelier_app::views::JobView;
use atelier_engine::{RunEnd, Usd};
use atelier_providers::ModelRef;
use atelier_store::JobRecord;

use crate::context::Context;
use crate::error::resume;
use crate::money::{count, moment};
use crate::progress::waiting;

/// Says what came of a generation, the jobs that were just worked on included.
pub(super) async fn summarize_generation(context: &Context, generation: &str, worked: &[Worked]) -> AppResult<()> {
    let run = context.app.generation_run(generation).await?;
    let unmade = run.blocked + run.failed;
    let mut costs = Vec::with_capacity(worked.len());
    for one in worked {
        costs.push(cost_in_words(&context.app.job_view(&one.job).await?));
    }
    costs.dedup();
    context.out.result(&run, || {
        let cost = costs.iter().map(|cost| format!("; {cost}")).collect::<String>();
        let mut lines = vec![format!("{} made{cost}", count(run.done, "image"))];
        if unmade > 0 {
            lines.push(format!(
                "{} not made: 'atelier images retry {generation}' tries again, with --prompt by another",
                count(unmade, "image")
            ));
        }
        if run.broken > 0 {
            lines.push(format!(
                "{} came that can't be shown: what was paid for is kept; 'images retry {generation}' buys it anew",
                count(run.broken, "image")
            ));
        }
        lines.extend(worked.iter().filter_map(|one| next_step(&one.end, &one.job)));
        lines.push(format!("all of it: 'atelier images show {generation}'"));
        lines.join("\n")
    })
}

/// How a job that did not come to its end goes on.
pub(super) fn next_step(end: &RunEnd, job: &JobRecord) -> Option<String> {
    let resume = resume(&job.id);
    match end {
        RunEnd::Done | RunEnd::Closed(_) | RunEnd::LeaseLost => None,
        RunEnd::GaveUp(_) => Some(format!("given up; what was answered is kept: go on with {resume}")),
        RunEnd::Parked { until, cause } => {
            Some(format!("parked until {}: {}; then go on with {resume}", moment(*until), waiting(cause, None)))
        }
        RunEnd::OverBudget => {
            Some(format!("stopped before the maximum cost; go on with {resume} --max-cost and a larger amount"))
        }
        RunEnd::Interrupted => Some(format!("interrupted; go on with {resume}")),
    }
}

/// What a job cost, in words: the sandbox's prices are never mistaken for money.
pub(super) fn cost_in_words(job: &JobView) -> String {
    let about = if job.cost_estimated { "about " } else { "" };
    let model = job.model.as_deref().unwrap_or_default();
    match job.cost {
        Some(cost) if job.sandbox && cost > Usd::ZERO => {
            let name = model.parse::<ModelRef>().map_or_else(|_| model.to_owned(), |model| model.name().to_owned());
            format!("{about}{cost} if {name} were real; nothing was paid")
        }
        _ if job.sandbox => "nothing was paid: these are the sandbox's answers".to_owned(),
        Some(cost) => format!("{about}{cost}"),
        None => "cost unknown: the model is not in the price table".to_owned(),
    }
}
