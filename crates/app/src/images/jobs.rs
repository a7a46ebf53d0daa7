//! The jobs of a generation: submitted, gone on with, tried again, given up.

use std::path::Path;

use atelier_engine::JobId;
use atelier_store::{GeneratedState, JobRecord};
use atelier_studio::generate::{EditRequest, GenerationRequest, Which};

use super::{Classify, MakeImages};
use crate::app::App;
use crate::error::{AppError, AppResult};
use crate::files::{absolute, create_folder};
use crate::job::JobSettings;
use crate::kinds::images::{ImageSettings, settings, write_image};
use crate::pools::Pools;
use crate::run::{RunChange, RunSettings};

impl App {
    /// Submits a plan that was kept: the job that makes its images, which bears the generation's id. What can't be
    /// reached or paid for is known before.
    ///
    /// # Errors
    /// `no-such-generation`; a missing key; a budget without a price; what the store reports.
    pub async fn submit_images(&self, plan: &str, make: &MakeImages) -> AppResult<JobId> {
        let studio = self.studio()?;
        let (_, content) = studio.generation(plan).await?;
        let models: Vec<String> = content.sides.iter().map(|side| side.model.clone()).collect();
        let run = RunSettings { also_spent: make.spent, ..RunSettings::new("", &make.run) };
        let template = settings(models, make.out.as_deref(), run)?.titled(&content.prompt);
        self.check_makers(&template).await?;
        Ok(studio.submit(plan, |generation| of_generation(&template, generation).to_json()).await?)
    }

    /// Plans what is asked for and submits it; where that is refused, no plan is left behind.
    ///
    /// # Errors
    /// As [`App::plan_images`] and [`App::submit_images`].
    pub async fn make_images(&self, request: &GenerationRequest, make: &MakeImages) -> AppResult<JobId> {
        let kept = self.plan_images(request, &Classify::No, &make.run).await?;
        self.submit_or_forget(&kept.id, make).await
    }

    /// Plans an edit and submits it, as [`App::make_images`] does.
    ///
    /// # Errors
    /// As [`App::plan_edit`] and [`App::submit_images`].
    pub async fn make_edit(
        &self,
        request: &GenerationRequest,
        edit: &EditRequest,
        make: &MakeImages,
    ) -> AppResult<JobId> {
        let kept = self.plan_edit(request, edit).await?;
        self.submit_or_forget(&kept.id, make).await
    }

    /// Makes the same once more, with other seeds.
    ///
    /// # Errors
    /// `no-such-generation`; as [`App::submit_images`].
    pub async fn make_again(&self, generation: &str, seed: Option<u64>, make: &MakeImages) -> AppResult<JobId> {
        let plan = self.studio()?.plan_again(generation, seed).await?;
        self.submit_or_forget(&plan, make).await
    }

    async fn submit_or_forget(&self, plan: &str, make: &MakeImages) -> AppResult<JobId> {
        let submitted = self.submit_images(plan, make).await;
        if submitted.is_err() {
            self.store()?.forget_plan(plan).await?;
        }
        submitted
    }

    /// Whether there is a key for each of the models, and a price where there is a budget.
    async fn check_makers(&self, settings: &JobSettings<ImageSettings>) -> AppResult<()> {
        for model in &settings.work.models {
            let run = settings.run.by(model);
            Pools::open(self, &run).await?.check_budget(&run)?;
        }
        Ok(())
    }

    /// The jobs of a generation that are to be worked on: those with images to make. Their files go to the folder that is
    /// named now, if one is.
    ///
    /// # Errors
    /// `no-such-generation`; `not-submitted` if it is a plan; what the store reports.
    pub async fn open_jobs(&self, generation: &str, out: Option<&Path>) -> AppResult<Vec<JobId>> {
        let studio = self.studio()?;
        let (stored, _) = studio.generation(generation).await?;
        if stored.submitted_at.is_none() {
            let message = format!("{generation} is a plan, and was not submitted yet");
            return Err(AppError::new(code!("not-submitted"), message).hint("submit it first"));
        }
        let unfinished = studio.unfinished(generation).await?;
        let mut open = Vec::new();
        for job in studio.store().jobs_of_generation(generation).await? {
            let record = self.job(&job).await?;
            if record.state.is_over() && !unfinished.contains(&job) {
                continue;
            }
            if let Some(out) = out {
                let settings = JobSettings::<ImageSettings>::of(&record)?;
                let work = ImageSettings { out: Some(absolute(out)?), ..settings.work };
                studio.store().set_job_settings(&job, &JobSettings { work, ..settings }.to_json()).await?;
            }
            open.push(job);
        }
        Ok(open)
    }

    /// Writes the images of a generation that are there into a folder, which is made if it is not there; files that
    /// exist stay as they are.
    ///
    /// # Errors
    /// `no-such-generation`, `output-unwritable`; what the store and the objects report.
    pub async fn write_images(&self, generation: &str, folder: &Path) -> AppResult<()> {
        let studio = self.studio()?;
        create_folder(folder)?;
        for image in studio.store().images_of_generation(generation).await? {
            write_image(&studio, &image, folder).await?;
        }
        Ok(())
    }

    /// Submits a job that makes images again that were blocked, failed or given up; it and how many they are, or
    /// nothing if there are none. It goes on with the generation's limits and budget, and what that has cost counts.
    ///
    /// # Errors
    /// `no-such-generation`; as [`App::submit_images`].
    pub async fn retry_images(
        &self,
        generation: &str,
        which: &Which,
        prompt: Option<&str>,
        make: &MakeImages,
    ) -> AppResult<Option<(JobId, u64)>> {
        let studio = self.studio()?;
        let (_, plan) = studio.generation(generation).await?;
        let side = match which {
            Which::All => None,
            Which::Side(side) => Some(side.clone()),
            Which::One(image) => Some(studio.image(image).await?.side),
        };
        let sides = plan.sides.iter().filter(|one| side.as_ref().is_none_or(|side| *side == one.name));
        let models: Vec<String> = sides.map(|side| side.model.clone()).collect();
        let (mut run, mut out) = (RunSettings::new("", &RunChange::default()), None);
        if let Some(last) = studio.store().jobs_of_generation(generation).await?.pop() {
            let settings = JobSettings::<ImageSettings>::of(&self.job(&last).await?)?;
            (run, out) = (settings.run, settings.work.out);
        }
        let settings = settings(models, make.out.as_deref().or(out.as_deref()), run.amended(&make.run))?;
        let settings = settings.titled(prompt.unwrap_or(&plan.prompt));
        self.check_makers(&settings).await?;
        Ok(studio.retry(generation, which, prompt, of_generation(&settings, generation).to_json()).await?)
    }

    /// Which images an id stands for: those of a generation, of one side of it, or one. With the generation.
    ///
    /// # Errors
    /// `side-of-image` if a side of an image is asked for; what the store reports.
    pub async fn which_images(&self, id: &str, side: Option<String>) -> AppResult<(String, Which)> {
        match (self.store()?.generated_image(id).await?, side) {
            (Some(image), None) => Ok((image.generation, Which::One(image.id))),
            (Some(image), Some(_)) => {
                let message = format!("{} is one image and has no sides", image.id);
                Err(AppError::new(code!("side-of-image"), message).hint("leave the side out"))
            }
            (None, Some(side)) => Ok((id.to_owned(), Which::Side(side))),
            (None, None) => Ok((id.to_owned(), Which::All)),
        }
    }

    /// Gives up what of a generation is not made yet; how many images.
    ///
    /// # Errors
    /// `no-such-generation`; `job-held` while somebody makes them; what the store reports.
    pub async fn cancel_images(&self, generation: &str) -> AppResult<u64> {
        let studio = self.studio()?;
        studio.generation(generation).await?;
        for job in studio.unfinished(generation).await? {
            let record = self.job(&job).await?;
            self.give_up(&record).await?;
        }
        let images = studio.store().images_of_generation(generation).await?;
        Ok(images.iter().filter(|image| image.state == GeneratedState::Cancelled).count() as u64)
    }

    /// Has what of a generation is not made yet given up by whoever makes it; what came stays.
    ///
    /// # Errors
    /// `no-such-generation`, `not-yours`; what the store reports.
    pub async fn want_generation_cancelled(&self, generation: &str) -> AppResult<()> {
        self.own_generation(generation).await?;
        for job in self.studio()?.unfinished(generation).await? {
            match self.want_job_cancelled(&job).await {
                // It has come to its end in between.
                Err(error) if error.code() == "job-over" => {}
                done => drop(done?),
            }
        }
        Ok(())
    }

    /// The generation whose images a job makes.
    ///
    /// # Errors
    /// `job-settings-unreadable` if it is no job of images.
    pub fn generation_of(&self, job: &JobRecord) -> AppResult<String> {
        Ok(JobSettings::<ImageSettings>::of(job)?.work.generation)
    }
}

fn of_generation(template: &JobSettings<ImageSettings>, generation: &str) -> JobSettings<ImageSettings> {
    let work = ImageSettings { generation: generation.to_owned(), ..template.work.clone() };
    JobSettings { work, ..template.clone() }
}
