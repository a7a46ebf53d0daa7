//! Jobs.

use atelier_engine::{Forecast, Usd};
use atelier_replies::generate::Counts;
use atelier_store::JobRecord;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::job::{JobState, models_of, run_of, title_of};

/// A job.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobView {
    /// Its id.
    pub job: String,
    /// What it makes.
    pub kind: String,
    /// What it is about, in a line: a prompt, a file, projects.
    pub title: Option<String>,
    /// Who submitted it.
    pub owner: String,
    /// The model, as the user calls it; `None` if its settings can't be read.
    pub model: Option<String>,
    /// Where it stands: `running` while somebody works on it.
    pub state: &'static str,
    /// Why it stands there.
    pub note: Option<String>,
    /// When it can go on, if it is parked.
    pub resume_at: Option<String>,
    /// When it was submitted.
    pub created_at: String,
    /// When its state last changed.
    pub updated_at: String,
    /// All of its items.
    pub items: u64,
    /// Answered.
    pub done: u64,
    /// Refused by the provider.
    pub blocked: u64,
    /// Failed.
    pub failed: u64,
    /// Without an outcome yet.
    pub pending: u64,
    /// Calls that were sent and have ended.
    pub calls: u64,
    /// Those that hit a limit.
    pub rate_limited: u64,
    /// Those that ended in another fault.
    pub faults: u64,
    /// Tokens of prompts, as reported.
    pub input_tokens: u64,
    /// Tokens of answers, as reported.
    pub output_tokens: u64,
    /// What it cost; `None` if a model has no price.
    pub cost_usd: Option<f64>,
    /// Whether that is an estimate.
    pub cost_estimated: bool,
    /// The most that it may cost, if that is set.
    pub max_cost_usd: Option<f64>,
    /// Whether no real model answers: nothing was paid.
    pub sandbox: bool,
    /// The same cost, to be put in words.
    #[serde(skip)]
    pub cost: Option<Usd>,
}

impl JobView {
    /// The job as it stands.
    pub(crate) fn new(job: &JobRecord, state: JobState) -> Self {
        let (counts, totals) = (&job.counts, &job.totals);
        let models = models_of(job).unwrap_or_default();
        let max_cost = run_of(job).ok().and_then(|run| run.max_cost);
        Self {
            job: job.id.to_string(),
            kind: job.kind.clone(),
            title: title_of(job),
            owner: job.owner.clone(),
            sandbox: !models.is_empty() && models.iter().all(|model| is_sandbox(model)),
            model: models.into_iter().next(),
            state: state.name(),
            note: job.note.clone(),
            resume_at: job.resume_at.map(|at| at.to_string()),
            created_at: job.created_at.to_string(),
            updated_at: job.updated_at.to_string(),
            items: counts.items,
            done: counts.done,
            blocked: counts.blocked,
            failed: counts.failed,
            pending: counts.pending,
            calls: totals.calls,
            rate_limited: totals.rate_limited,
            faults: totals.faults,
            input_tokens: totals.input_tokens,
            output_tokens: totals.output_tokens,
            cost_usd: totals.known_cost().map(Usd::as_dollars),
            cost_estimated: totals.estimated,
            max_cost_usd: max_cost.map(Usd::as_dollars),
            cost: totals.known_cost(),
        }
    }
}

/// Whether a model, as the user calls it, is the sandbox.
fn is_sandbox(model: &str) -> bool {
    model.split(':').next() == Some("sandbox")
}

/// A page of the jobs.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobListView {
    /// The newest first.
    pub jobs: Vec<JobView>,
    /// After which place the next page begins.
    pub next: Option<String>,
}

/// A job, whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobDetailView {
    /// The job.
    #[serde(flatten)]
    pub job: JobView,
    /// Items whose calls were in flight when the job was cut off.
    pub possibly_paid_twice: Vec<String>,
    /// What it was submitted with.
    pub settings: Value,
}

/// What a job of replies would take.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ForecastView {
    /// Always true: nothing was sent.
    pub dry_run: bool,
    /// The model.
    pub model: String,
    /// Posts that would be drafted for.
    pub posts: usize,
    /// What the selection counted.
    pub counts: Counts,
    /// Calls.
    pub calls: u64,
    /// Posts in the largest of them.
    pub pack: usize,
    /// Tokens of all prompts.
    pub input_tokens: u64,
    /// Tokens of all answers.
    pub output_tokens: u64,
    /// What that costs; `None` if the price is not known.
    pub cost_usd: Option<f64>,
    /// The most that it can cost.
    pub worst_cost_usd: Option<f64>,
    /// How long it takes; `None` if a limit is too small.
    pub seconds: Option<f64>,
    /// The same with one post a call.
    pub seconds_one_by_one: Option<f64>,
}

impl ForecastView {
    pub(crate) fn new(model: &str, posts: usize, counts: Counts, forecast: &Forecast) -> Self {
        let seconds = |takes: Option<std::time::Duration>| takes.map(|takes| takes.as_secs_f64());
        Self {
            dry_run: true,
            model: model.to_owned(),
            posts,
            counts,
            calls: forecast.calls,
            pack: forecast.pack,
            input_tokens: forecast.input_tokens,
            output_tokens: forecast.output_tokens,
            cost_usd: forecast.cost.map(Usd::as_dollars),
            worst_cost_usd: forecast.worst_cost.map(Usd::as_dollars),
            seconds: seconds(forecast.takes),
            seconds_one_by_one: seconds(forecast.takes_one_by_one),
        }
    }
}

/// What a file of prompts would take.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PromptsForecastView {
    /// Always true: nothing was sent.
    pub dry_run: bool,
    /// The model.
    pub model: String,
    /// Lines of the file.
    pub lines: u64,
    /// Calls.
    pub calls: u64,
    /// Tokens of all prompts.
    pub input_tokens: u64,
    /// Tokens of all answers.
    pub output_tokens: u64,
    /// What that costs; `None` if the price is not known.
    pub cost_usd: Option<f64>,
    /// The most that it can cost.
    pub worst_cost_usd: Option<f64>,
    /// How long it takes; `None` if a limit is too small.
    pub seconds: Option<f64>,
}

/// What came of a file of prompts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PromptsSummaryView {
    /// The job.
    pub job: String,
    /// Its lines.
    pub items: u64,
    /// Answered.
    pub done: u64,
    /// Refused by the provider.
    pub blocked: u64,
    /// Failed.
    pub failed: u64,
    /// Calls that were sent.
    pub calls: u64,
    /// Those that hit a limit.
    pub rate_limited: u64,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// What it cost; `None` if the model has no price.
    pub cost_usd: Option<f64>,
    /// How long this run took.
    pub seconds: f64,
}

impl PromptsSummaryView {
    /// The summary of a job as it stands.
    #[must_use]
    pub fn new(job: &JobRecord, seconds: f64) -> Self {
        let (counts, totals) = (&job.counts, &job.totals);
        Self {
            job: job.id.to_string(),
            items: counts.items,
            done: counts.done,
            blocked: counts.blocked,
            failed: counts.failed,
            calls: totals.calls,
            rate_limited: totals.rate_limited,
            input_tokens: totals.input_tokens,
            output_tokens: totals.output_tokens,
            cost_usd: totals.known_cost().map(Usd::as_dollars),
            seconds,
        }
    }
}
