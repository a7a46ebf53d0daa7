//! Describing: images of the library in, captions and tags out.

use std::sync::Arc;

use atelier_engine::{JobId, Task, Verdict};
use atelier_providers::ModelRef;
use atelier_store::{JobRecord, NewJob, OutcomeRecord};
use atelier_studio::describe::{DescribeTask, ImageDescription, item};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::embedders;
use crate::error::AppResult;
use crate::job::{Applied, JobKind, JobSettings, Purpose};
use crate::run::RunSettings;

/// Describes where neither the user nor the configuration names a model.
const DEFAULT_MODEL: &str = "gemini:gemini-3.5-flash-lite";

/// What a job of describing keeps of its own: nothing beside how it is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribingSettings {}

/// A job of describing.
pub struct DescribingJob {
    app: App,
    settings: JobSettings<DescribingSettings>,
    task: DescribeTask,
}

impl DescribingJob {
    /// The name of the kind.
    pub const NAME: &'static str = "describing";
}

impl JobKind for DescribingJob {
    fn open(app: App, job: JobRecord, _: Purpose) -> BoxFuture<'static, AppResult<Box<dyn JobKind>>> {
        Box::pin(async move {
            let pending = app.store()?.pending_keys(&job.id).await?;
            let pictures = Arc::new(app.library()?.pictures_to_describe(&pending).await?);
            let settings = JobSettings::of(&job)?;
            Ok(Box::new(Self { app, settings, task: DescribeTask { pictures } }) as Box<dyn JobKind>)
        })
    }

    fn run(&self) -> &RunSettings {
        &self.settings.run
    }

    fn task(&self) -> Arc<dyn Task> {
        Arc::new(self.task.clone())
    }

    fn apply<'a>(&'a mut self, ended: &'a [OutcomeRecord]) -> BoxFuture<'a, AppResult<Vec<Applied>>> {
        Box::pin(async move {
            let (library, text, now) =
                (self.app.library()?, embedders::of_words(&self.app).await?, self.app.clock().now());
            for outcome in ended {
                let Verdict::Done { result } = &outcome.verdict else { continue };
                let Ok(description) = serde_json::from_str::<ImageDescription>(result) else { continue };
                library.describe(&outcome.key, &description, text.as_ref(), now).await?;
            }
            Ok(Vec::new())
        })
    }
}

impl App {
    /// The model that describes: what was said, else what the configuration says.
    ///
    /// # Errors
    /// If it can't be one.
    pub fn describing_model(&self, said: Option<&str>) -> AppResult<String> {
        let model = said.map(str::to_owned).or_else(|| self.config().model.clone());
        let model = model.unwrap_or_else(|| DEFAULT_MODEL.to_owned());
        model.parse::<ModelRef>()?;
        Ok(model)
    }

    /// Submits a job that describes these images of the library.
    ///
    /// # Errors
    /// A model that is none; `no-such-image`; what the store reports.
    pub async fn submit_describing(&self, images: &[String], run: RunSettings) -> AppResult<JobId> {
        let library = self.library()?;
        let images: std::collections::BTreeSet<&String> = images.iter().collect();
        for image in &images {
            library.show(image).await?;
        }
        crate::pools::Pools::open(self, &run).await?.check_budget(&run)?;
        let id = self.job_id("describe");
        let job = NewJob {
            id: Arc::clone(&id),
            kind: DescribingJob::NAME.to_owned(),
            settings: JobSettings::new(run, DescribingSettings {}).to_json(),
            items: images.into_iter().map(|image| item(image)).collect(),
            claims: Vec::new(),
            created_at: self.clock().now(),
        };
        self.store()?.create_job(job).await?;
        Ok(id)
    }
}
