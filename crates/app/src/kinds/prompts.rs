//! Files of prompts: lines in, answers out.

use std::path::Path;
use std::sync::Arc;

use atelier_engine::{Packing, Task};
use atelier_prompts::{AnswerFile, JOB_KIND, PromptDefaults, PromptSettings, PromptTask, answered, ingest};
use atelier_providers::ModelRef;
use atelier_store::{JobRecord, OutcomeRecord};
use futures_util::future::BoxFuture;

use crate::app::App;
use crate::error::AppResult;
use crate::job::{Applied, AtHand, JobKind, JobSettings, Purpose};
use crate::run::RunSettings;

/// A job of prompts.
pub struct PromptsJob {
    settings: JobSettings<PromptSettings>,
    task: PromptTask,
    /// None where the answers would go to somebody's screen, and nobody looks.
    answers: Option<AnswerFile>,
}

impl PromptsJob {
    /// The name of the kind.
    pub const NAME: &'static str = JOB_KIND;
}

/// The task of a run. Packing changes what is asked: it is done only where it was asked for.
pub(crate) fn task_of(run: &RunSettings, defaults: &PromptDefaults) -> AppResult<PromptTask> {
    let model: ModelRef = run.model.parse()?;
    let pack_limit = match run.pack {
        Packing::Auto | Packing::Off => 1,
        Packing::Fixed(lines) => lines,
    };
    Ok(PromptTask { model: model.name().to_owned(), pack_limit, defaults: defaults.clone() })
}

impl JobKind for PromptsJob {
    fn open(app: App, job: JobRecord, purpose: Purpose) -> BoxFuture<'static, AppResult<Box<dyn JobKind>>> {
        Box::pin(async move {
            let settings = JobSettings::<PromptSettings>::of(&job)?;
            let (store, model) = (app.store()?, settings.run.model.parse()?);
            let PromptSettings { out, ordered, survey, .. } = &settings.work;
            if purpose == Purpose::Work {
                // Whoever submitted it may have died before all lines were stored.
                ingest(&store, &job.id, &settings.work).await?;
            }
            let price = app.prices()?.price_in(&settings.run, &model);
            let answered = job.counts.items > job.counts.pending;
            let answers = if purpose == Purpose::Close && (out == Path::new("-") || !answered) {
                None
            } else {
                Some(AnswerFile::create(out, survey.form, *ordered, price, store, job.id)?)
            };
            Ok(Box::new(Self { task: task_of(&settings.run, &settings.work.defaults)?, settings, answers })
                as Box<dyn JobKind>)
        })
    }

    fn run(&self) -> &RunSettings {
        &self.settings.run
    }

    fn task(&self) -> Arc<dyn Task> {
        Arc::new(self.task.clone())
    }

    fn at_hand(&self) -> AtHand {
        answered
    }

    fn apply<'a>(&'a mut self, ended: &'a [OutcomeRecord]) -> BoxFuture<'a, AppResult<Vec<Applied>>> {
        Box::pin(async move {
            if let Some(answers) = &mut self.answers {
                answers.take(ended).await?;
            }
            Ok(Vec::new())
        })
    }

    fn caught_up(&mut self) -> BoxFuture<'_, AppResult<()>> {
        Box::pin(async move { Ok(self.answers.as_mut().map_or(Ok(()), AnswerFile::complete)?) })
    }

    fn end(&mut self) -> BoxFuture<'_, AppResult<()>> {
        Box::pin(async move { Ok(self.answers.as_mut().map_or(Ok(()), AnswerFile::sync)?) })
    }
}
