//! Generations before and after their images are made: planned, submitted, tried again, given up.

use std::sync::Arc;

use atelier_engine::JobId;
use atelier_store::{Generation, JobState, MadeImage, MadeState, NewItem, NewJob, NewMade, job_id};
use serde::{Deserialize, Serialize};

use super::ImageStudio;
use super::plan::{Plan, PlannedSide};
use super::planning::{drawn_seed, recompose};
use super::task::ImageItem;
use crate::error::{StudioError, StudioResult};

/// What these jobs are called.
pub const JOB_KIND: &str = "images";

/// What a job of images keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) generation: String,
    pub(super) side: String,
    pub(super) model: String,
    /// The subject as it was written, and the prompt as it is sent.
    pub(super) written: String,
    pub(super) prompt: String,
}

impl ImageStudio {
    /// Keeps a plan, to be submitted later; its id.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn keep_plan(&self, plan: &Plan) -> StudioResult<String> {
        let content = serde_json::to_value(plan).map_err(|error| StudioError::Plan(error.to_string()))?;
        loop {
            let now = self.clock().now();
            let generation = Generation {
                id: job_id("img", now).to_string(),
                project: plan.project.clone(),
                prompt: plan.prompt.clone(),
                plan: content.clone(),
                created_at: now,
                submitted_at: None,
            };
            if self.store().add_generation(&generation).await? {
                return Ok(generation.id);
            }
        }
    }

    /// Plans the same once more: the same references and prompts, other seeds for the images. Nothing is submitted.
    ///
    /// # Errors
    /// [`StudioError::NoSuchGeneration`], and what the store reports.
    pub async fn plan_again(&self, id: &str, seed: Option<u64>) -> StudioResult<String> {
        let (_, plan) = self.generation(id).await?;
        self.keep_plan(&Plan { seed: seed.unwrap_or_else(drawn_seed), ..plan }).await
    }

    /// A generation and its plan.
    ///
    /// # Errors
    /// [`StudioError::NoSuchGeneration`], [`StudioError::Plan`], and what the store reports.
    pub async fn generation(&self, id: &str) -> StudioResult<(Generation, Plan)> {
        let found = self.store().generation(id).await?;
        let generation = found.ok_or_else(|| StudioError::NoSuchGeneration(id.to_owned()))?;
        let plan =
            serde_json::from_value(generation.plan.clone()).map_err(|error| StudioError::Plan(error.to_string()))?;
        Ok((generation, plan))
    }

    /// Submits a plan that was kept: its images are to be made from now on. A plan that was submitted before is
    /// submitted once more, as another generation, whose id is returned.
    ///
    /// # Errors
    /// [`StudioError::NoSuchGeneration`], and what the store reports.
    pub async fn submit(&self, id: &str) -> StudioResult<String> {
        let (generation, plan) = self.generation(id).await?;
        let id = match generation.submitted_at {
            None => generation.id,
            Some(_) => self.keep_plan(&plan).await?,
        };
        let mut images = Vec::new();
        for side in &plan.sides {
            let job: JobId = format!("{id}-{}", side.name).into();
            let places: Vec<u32> = (1..=plan.count).collect();
            let settings = Settings {
                generation: id.clone(),
                side: side.name.clone(),
                model: side.model.clone(),
                written: plan.prompt.clone(),
                prompt: side.prompt.clone(),
            };
            self.create_job(&job, &plan, side, &settings, &places).await?;
            images.extend(places.into_iter().zip(0..).map(|(place, seq)| NewMade {
                id: image_id(&id, &side.name, place),
                side: side.name.clone(),
                place,
                model: side.model.clone(),
                job: Arc::clone(&job),
                seq,
            }));
        }
        self.store().submit_generation(&id, &images, self.clock().now()).await?;
        Ok(id)
    }

    async fn create_job(
        &self,
        job: &JobId,
        plan: &Plan,
        side: &PlannedSide,
        settings: &Settings,
        places: &[u32],
    ) -> StudioResult<()> {
        let mut images: Vec<String> = side
            .references
            .iter()
            .filter_map(|reference| reference.sent.as_ref())
            .map(|sent| sent.hash.clone())
            .collect();
        let mut mask = None;
        if let Some(edit) = &plan.edit {
            if edit.mask_apart {
                mask = Some(edit.mask.hash.clone());
            } else {
                images.insert(0, edit.mask.hash.clone());
            }
            images.insert(0, edit.picture.hash.clone());
        }
        let item = |place: &u32| {
            let seed = side.seeded.then(|| i64::try_from(plan.seed + u64::from(place - 1)).unwrap_or_default());
            let item = ImageItem {
                prompt: settings.prompt.clone(),
                images: images.clone(),
                mask: mask.clone(),
                width: plan.width,
                height: plan.height,
                seed,
            };
            let payload = serde_json::to_string(&item).map_err(|error| StudioError::Plan(error.to_string()))?;
            let key = image_id(&settings.generation, &side.name, *place);
            Ok(NewItem { key, lane: plan.project.as_str().into(), payload: payload.into() })
        };
        let new = NewJob {
            id: Arc::clone(job),
            kind: JOB_KIND.into(),
            settings: serde_json::to_value(settings).map_err(|error| StudioError::Plan(error.to_string()))?,
            items: places.iter().map(item).collect::<StudioResult<_>>()?,
            claims: Vec::new(),
            created_at: self.clock().now(),
        };
        Ok(self.store().create_job(new).await?)
    }

    /// Has images made again that were blocked, failed or given up: of a whole generation, of one side of it, or one.
    /// With another prompt, if one is given. How many that are.
    ///
    /// # Errors
    /// [`StudioError::NoSuchGeneration`], and what the store reports.
    pub async fn retry(&self, generation: &str, which: &Which, prompt: Option<&str>) -> StudioResult<u64> {
        let (_, plan) = self.generation(generation).await?;
        let again = |image: &MadeImage| {
            matches!(image.state, MadeState::Blocked | MadeState::Failed | MadeState::Cancelled) && which.is(image)
        };
        let images: Vec<MadeImage> = self.store().made_of(generation).await?.into_iter().filter(again).collect();
        for side in &plan.sides {
            let of_side: Vec<&MadeImage> = images.iter().filter(|image| image.side == side.name).collect();
            if of_side.is_empty() {
                continue;
            }
            let settings = Settings {
                generation: generation.to_owned(),
                side: side.name.clone(),
                model: side.model.clone(),
                written: prompt.unwrap_or(&plan.prompt).to_owned(),
                prompt: match prompt {
                    Some(prompt) => recompose(&plan, side, prompt)?,
                    None => side.prompt.clone(),
                },
            };
            let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(4).collect();
            let job: JobId = format!("{generation}-{}-{}", side.name, random.to_lowercase()).into();
            let places: Vec<u32> = of_side.iter().map(|image| image.place).collect();
            self.create_job(&job, &plan, side, &settings, &places).await?;
            for (image, seq) in of_side.iter().zip(0..) {
                self.store().retry_made(&image.id, &job, seq).await?;
            }
        }
        Ok(images.len() as u64)
    }

    /// Where an image stands, in a word: its state, or `running` while somebody makes it.
    ///
    /// # Errors
    /// What the store reports.
    pub fn standing(&self, image: &MadeImage) -> StudioResult<&'static str> {
        let running = image.state == MadeState::Pending && self.store().is_held(&image.job)?;
        Ok(if running { "running" } else { image.state.name() })
    }

    /// Gives up what of a generation is not made yet; how many images that are.
    ///
    /// # Errors
    /// [`StudioError::NoSuchGeneration`]; the store's `Held` while they are being made.
    pub async fn cancel(&self, generation: &str) -> StudioResult<u64> {
        self.generation(generation).await?;
        let now = self.clock().now();
        let images = self.store().made_of(generation).await?;
        let mut jobs: Vec<JobId> =
            images.into_iter().filter(|image| image.state == MadeState::Pending).map(|image| image.job).collect();
        jobs.sort();
        jobs.dedup();
        let _held = jobs.iter().map(|job| self.store().hold(job)).collect::<Result<Vec<_>, _>>()?;
        let cancelled = self.store().cancel_made(generation).await?;
        for job in &jobs {
            self.store().set_job_state(job, JobState::Cancelled, Some("given up".into()), None, now).await?;
        }
        Ok(cancelled)
    }
}

/// Which images of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those of this side.
    Side(String),
    /// The one of this id.
    One(String),
}

impl Which {
    fn is(&self, image: &MadeImage) -> bool {
        match self {
            Self::All => true,
            Self::Side(side) => image.side == *side,
            Self::One(id) => image.id == *id,
        }
    }
}

/// `GENERATION-a1`.
fn image_id(generation: &str, side: &str, place: u32) -> String {
    format!("{generation}-{side}{place}")
}
