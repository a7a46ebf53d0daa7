//! Images: what a plan says in, pictures with their provenance out. One job, whatever sides a generation has.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use atelier_engine::{Pool, Task, Usd};
use atelier_providers::ModelRef;
use atelier_store::{GeneratedImage, GeneratedState, JobRecord, OutcomeRecord};
use atelier_studio::generate::{ImageStudio, ImageTask, JOB_KIND, Maker, Making, extension};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::{AppError, AppResult};
use crate::files::{absolute, create_folder, write_new};
use crate::job::{Applied, JobKind, JobSettings, Purpose, models_of};
use crate::run::RunSettings;

/// A failed image is paid for like a good one: it is not tried as often as words are.
const ATTEMPTS: u32 = 3;

/// What a job of images keeps of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageSettings {
    /// The generation whose images it makes.
    pub generation: String,
    /// The models of its items; those of version 1 had only one, and say so in another place.
    #[serde(default)]
    pub models: Vec<String>,
    /// What the user wrote, in jobs of version 1; later ones keep it with each item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
    /// A folder that the files go to as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out: Option<PathBuf>,
}

/// A job of images.
pub struct ImagesJob {
    settings: JobSettings<ImageSettings>,
    models: Vec<String>,
    studio: ImageStudio,
    making: Making,
    task: ImageTask,
    /// Whether the files that are asked for are to be written: not when a job is given up.
    writes: bool,
}

impl ImagesJob {
    /// The name of the kind.
    pub const NAME: &'static str = JOB_KIND;
}

impl JobKind for ImagesJob {
    fn open(app: App, job: JobRecord, purpose: Purpose) -> BoxFuture<'static, AppResult<Box<dyn JobKind>>> {
        Box::pin(async move {
            let mut settings = JobSettings::<ImageSettings>::of(&job)?;
            settings.run.attempts = settings.run.attempts.or(Some(ATTEMPTS));
            settings.run.also_spent += spent_by_others(&app, &settings.work.generation, &job.id).await?;
            let (studio, prices) = (app.studio()?, app.prices()?);
            let maker = |model: String| {
                let reference: ModelRef = model.parse()?;
                Ok(Maker { price: prices.price_in(&settings.run, &reference), sandbox: reference.is_sandbox(), model })
            };
            let models = models_of(&job)?;
            let makers = models.iter().cloned().map(maker).collect::<AppResult<_>>()?;
            let ImageSettings { generation, written, out, .. } = settings.work.clone();
            let making = Making::open(studio.clone(), &generation, Arc::clone(&job.id), written, makers).await?;
            let writes = purpose == Purpose::Work;
            // Files that are gone are no reason why a job can't be given up.
            let task =
                if writes && job.counts.pending > 0 { making.task().await? } else { making.task_without_files() };
            if let Some(folder) = out.filter(|_| writes) {
                create_folder(&folder)?;
            }
            Ok(Box::new(Self { settings, models, studio, making, task, writes }) as Box<dyn JobKind>)
        })
    }

    fn run(&self) -> &RunSettings {
        &self.settings.run
    }

    fn models(&self) -> Vec<String> {
        self.models.clone()
    }

    fn task(&self) -> Arc<dyn Task> {
        Arc::new(self.task.clone())
    }

    fn before(&self, pool: Pool) -> Pool {
        self.making.keeping(pool)
    }

    fn apply<'a>(&'a mut self, ended: &'a [OutcomeRecord]) -> BoxFuture<'a, AppResult<Vec<Applied>>> {
        Box::pin(async move {
            let mut applied = Vec::with_capacity(ended.len());
            for outcome in ended {
                let Some(image) = self.making.save(outcome).await? else { continue };
                self.write(&image).await?;
                applied.push(Applied::Image(Box::new(image)));
            }
            Ok(applied)
        })
    }

    fn end(&mut self) -> BoxFuture<'_, AppResult<()>> {
        Box::pin(async move {
            self.making.clear_answers().await?;
            let images = self.studio.store().images_of_generation(&self.settings.work.generation).await?;
            for image in images {
                self.write(&image).await?;
            }
            Ok(())
        })
    }
}

impl ImagesJob {
    /// Writes an image's file into the folder that was asked for, unless it is there.
    async fn write(&self, image: &GeneratedImage) -> AppResult<()> {
        match self.settings.work.out.as_ref().filter(|_| self.writes) {
            Some(folder) => write_image(&self.studio, image, folder).await,
            None => Ok(()),
        }
    }
}

/// What the other jobs of a generation have cost: one budget holds for all of them.
async fn spent_by_others(app: &App, generation: &str, job: &str) -> AppResult<Usd> {
    let mut spent = Usd::ZERO;
    for other in app.store()?.jobs_of_generation(generation).await?.iter().filter(|other| ***other != *job) {
        let totals = app.job(other).await?.totals;
        spent += totals.cost + totals.unsettled;
    }
    Ok(spent)
}

/// Writes an image's file into a folder, unless it is there.
pub(crate) async fn write_image(studio: &ImageStudio, image: &GeneratedImage, folder: &Path) -> AppResult<()> {
    if image.state != GeneratedState::Done {
        return Ok(());
    }
    let format = image.result.as_ref().map_or("png", |result| extension(&result.format));
    // What can't be shown must not take the place of what may come when it is tried again.
    let broken = if image.is_broken() { ".broken" } else { "" };
    let file = folder.join(format!("{}{broken}.{format}", image.id));
    if !file.exists() {
        let (_, content) = studio.file(image).await?;
        write_new(&file, &content)?;
    }
    if image.is_broken() {
        return Ok(());
    }
    // An edit stands beside what was before, in a file of its own.
    let file = folder.join(format!("{}-beside.png", image.id));
    let (_, plan) = studio.generation(&image.generation).await?;
    if plan.edit.is_none() || file.exists() {
        return Ok(());
    }
    write_new(&file, &studio.beside(image).await?)
}

/// The settings of a new job that makes images by these models, the first of which names the job. The generation is
/// named once it is known.
pub(crate) fn settings(
    mut models: Vec<String>,
    out: Option<&Path>,
    run: RunSettings,
) -> AppResult<JobSettings<ImageSettings>> {
    models.dedup();
    let Some(first) = models.first() else {
        return Err(AppError::new(code!("plan-unusable"), "the plan has no sides"));
    };
    let run = RunSettings { model: first.clone(), attempts: run.attempts.or(Some(ATTEMPTS)), ..run };
    // Whoever goes on with it may stand elsewhere.
    let out = out.map(absolute).transpose()?;
    if let Some(file) = out.as_ref().filter(|out| out.exists() && !out.is_dir()) {
        let message = format!("{} is a file, and no folder to write images into", file.display());
        return Err(AppError::new(code!("output-exists"), message).hint("name another folder with --out"));
    }
    let work = ImageSettings { generation: String::new(), models, written: None, out };
    Ok(JobSettings::new(run, work))
}
