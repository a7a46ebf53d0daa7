//! Classification: a prompt in, the category of tone that fits it out.

use std::sync::Arc;

use atelier_engine::{JobId, RunEnd, Stop, Task, Usd, Verdict};
use atelier_store::{JobRecord, NewItem, NewJob, OutcomeRecord};
use atelier_studio::generate::{Category, CategoryChoice, ClassifyTask};
use futures_util::future::{BoxFuture, ready};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::{AppError, AppResult};
use crate::job::{Applied, JobKind, JobSettings, Purpose};
use crate::pools::Pools;
use crate::run::{RunChange, RunSettings};

/// What a job of classification keeps of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassificationSettings {
    /// The categories to choose from; jobs of version 1 did not keep them.
    #[serde(default)]
    pub categories: Vec<Category>,
}

/// A job of classification.
pub struct ClassificationJob {
    settings: JobSettings<ClassificationSettings>,
}

impl ClassificationJob {
    /// The name of the kind.
    pub const NAME: &'static str = "classification";
}

impl JobKind for ClassificationJob {
    fn open(_: App, job: JobRecord, purpose: Purpose) -> BoxFuture<'static, AppResult<Box<dyn JobKind>>> {
        Box::pin(async move {
            let settings = JobSettings::<ClassificationSettings>::of(&job)?;
            if settings.work.categories.is_empty() && purpose == Purpose::Work {
                let message = format!("job {} of an earlier version does not say which categories there are", job.id);
                return Err(AppError::new(code!("job-settings-unreadable"), message).hint("give it up and ask anew"));
            }
            Ok(Box::new(Self { settings }) as Box<dyn JobKind>)
        })
    }

    fn run(&self) -> &RunSettings {
        &self.settings.run
    }

    fn task(&self) -> Arc<dyn Task> {
        Arc::new(ClassifyTask { categories: self.settings.work.categories.clone() })
    }

    /// The outcome is the answer, and whoever asked reads it there.
    fn apply<'a>(&'a mut self, _: &'a [OutcomeRecord]) -> BoxFuture<'a, AppResult<Vec<Applied>>> {
        Box::pin(ready(Ok(Vec::new())))
    }
}

impl App {
    /// Asks the model of `run` which category a prompt is of, and waits for its answer; what that cost.
    ///
    /// # Errors
    /// `not-classified` if it says none of them; as [`App::work`].
    pub(crate) async fn classify(
        &self,
        prompt: &str,
        categories: &[Category],
        run: &RunSettings,
    ) -> AppResult<(CategoryChoice, Usd)> {
        let id: JobId = self.job_id("classify");
        let run = RunSettings { interactive: true, ..run.clone() };
        Pools::open(self, &run).await?.check_budget(&run)?;
        let (model, work) = (run.model.clone(), ClassificationSettings { categories: categories.to_vec() });
        let payload = serde_json::Value::String(prompt.to_owned()).to_string();
        let job = NewJob {
            id: Arc::clone(&id),
            kind: ClassificationJob::NAME.to_owned(),
            settings: JobSettings::new(run, work).to_json(),
            items: vec![NewItem { key: "prompt".into(), lane: "classification".into(), payload: payload.into() }],
            claims: Vec::new(),
            created_at: self.clock().now(),
        };
        self.store()?.create_job(job).await?;
        let worked = Box::pin(self.work(&id, &RunChange::default(), Stop::never(), &mut |_| {})).await;
        let over = worked.as_ref().is_ok_and(|worked| worked.end == RunEnd::Done);
        if !over {
            // Nobody would read the answer.
            self.store()?.cancel_job(&id, "nobody waits for it any more", self.clock().now()).await?;
        }
        let worked = worked.map_err(AppError::of_no_job)?;
        match &worked.end {
            RunEnd::OverBudget => {
                let message = "choosing the category would pass the maximum cost";
                return Err(AppError::new(code!("over-budget"), message).hint("raise the budget, or name a category"));
            }
            RunEnd::Parked { until, .. } => {
                let message = format!("the day's limit of {model} is used up until {until}");
                return Err(AppError::new(code!("parked"), message).hint("try again then, or name a category"));
            }
            _ => {}
        }
        if let Some(fault) = worked.fault() {
            return Err(fault.of_no_job());
        }
        let outcome = self.store()?.all_outcomes(&id).await?.pop();
        let reason = match outcome.map(|outcome| outcome.verdict) {
            Some(Verdict::Done { result }) => match ClassifyTask::choice(&result) {
                Some(choice) => return Ok((choice, worked.job.totals.cost)),
                None => "its answer can't be read".to_owned(),
            },
            Some(Verdict::Blocked { reason }) => reason,
            Some(Verdict::Failed { message, .. }) => message,
            None => worked.job.note.unwrap_or_else(|| "it said nothing".to_owned()),
        };
        Err(AppError::new(code!("not-classified"), format!("{model} did not say which category fits: {reason}"))
            .hint("name a category, or leave the choice to the words of the prompt"))
    }
}
