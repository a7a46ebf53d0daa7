//! Replies: posts in, drafts out.

use std::sync::Arc;

use atelier_engine::Task;
use atelier_replies::generate::{DraftSettings, JOB_KIND, save_drafts};
use atelier_store::{JobRecord, OutcomeRecord};
use futures_util::future::BoxFuture;

use crate::app::App;
use crate::error::AppResult;
use crate::job::{Applied, JobKind, JobSettings, Purpose};
use crate::run::RunSettings;

/// A job of replies.
pub struct RepliesJob {
    app: App,
    job: JobRecord,
    settings: JobSettings<DraftSettings>,
}

impl RepliesJob {
    /// The name of the kind.
    pub const NAME: &'static str = JOB_KIND;
}

impl JobKind for RepliesJob {
    fn open(app: App, job: JobRecord, _: Purpose) -> BoxFuture<'static, AppResult<Box<dyn JobKind>>> {
        Box::pin(async move {
            let settings = JobSettings::of(&job)?;
            Ok(Box::new(Self { app, job, settings }) as Box<dyn JobKind>)
        })
    }

    fn run(&self) -> &RunSettings {
        &self.settings.run
    }

    fn task(&self) -> Arc<dyn Task> {
        Arc::new(self.settings.work.task())
    }

    /// A draft is there when its call is settled.
    fn apply<'a>(&'a mut self, ended: &'a [OutcomeRecord]) -> BoxFuture<'a, AppResult<Vec<Applied>>> {
        Box::pin(async move {
            let (store, now) = (self.app.store()?, self.app.clock().now());
            let harvested = save_drafts(&store, &self.job.id, ended, now).await?;
            Ok(vec![Applied::Drafts(harvested.saved + harvested.filtered)])
        })
    }
}
