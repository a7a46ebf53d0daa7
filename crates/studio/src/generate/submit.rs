//! Generations before and after their images are made: planned, submitted, tried again.

use std::sync::Arc;

use atelier_engine::{ImageData, Item, JobId};
use atelier_store::{GeneratedImage, GeneratedState, Generation, NewGeneratedImage, NewItem, NewJob, job_id};
use bytes::Bytes;
use serde_json::Value;

use super::ImageStudio;
use super::plan::{Plan, PlannedSide};
use super::planning::{drawn_seed, recompose};
use super::task::{ImageItem, ImageTask};
use crate::error::{StudioError, StudioResult};

/// What these jobs are called.
pub const JOB_KIND: &str = "images";

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
                shared: false,
                id: job_id("img", now).to_string(),
                owner: self.store().owner().to_owned(),
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

    /// Submits a plan that was kept: one job makes all of its images, whatever its sides, and bears the generation's id.
    /// A plan that was submitted before is submitted once more, as another generation.
    ///
    /// `settings` gives what the job keeps, from the generation's id.
    ///
    /// # Errors
    /// [`StudioError::NoSuchGeneration`], and what the store reports.
    pub async fn submit(&self, id: &str, settings: impl Fn(&str) -> Value) -> StudioResult<JobId> {
        let (generation, plan) = self.generation(id).await?;
        let id = match generation.submitted_at {
            None => generation.id,
            Some(_) => self.keep_plan(&plan).await?,
        };
        let places = || plan.sides.iter().flat_map(|side| (1..=plan.count).map(move |place| (side, place)));
        let items = places().map(|(side, place)| item(&id, &plan, side, place, None)).collect::<StudioResult<_>>()?;
        let images = places().zip(0..).map(|((side, place), seq)| NewGeneratedImage {
            id: image_id(&id, &side.name, place),
            side: side.name.clone(),
            place,
            model: side.model.clone(),
            seq,
        });
        let images: Vec<NewGeneratedImage> = images.collect();
        let job = self.job(id.as_str().into(), settings(&id), items);
        self.store().submit_generation(&id, &images, &job, job.created_at).await?;
        Ok(job.id)
    }

    /// The task and the items of one side of a plan, to be forecast with: as they will be, but for the files.
    ///
    /// # Errors
    /// [`StudioError::Plan`].
    pub fn sample(plan: &Plan, side: &PlannedSide) -> StudioResult<(ImageTask, Vec<Item>)> {
        let places = (1..=plan.count).zip(0..);
        let items = places.map(|(place, seq)| {
            let NewItem { lane, payload, .. } = item("forecast", plan, side, place, None)?;
            Ok(Item { seq, lane, payload })
        });
        let items = items.collect::<StudioResult<Vec<_>>>()?;
        let references = side.references.iter().filter_map(|one| one.sent.as_ref());
        let edit = plan.edit.iter().flat_map(|edit| [&edit.picture, &edit.mask]);
        let empty = |mime: &str| ImageData { mime: mime.to_owned().into(), bytes: Bytes::new() };
        let files = references.chain(edit).map(|sent| (sent.hash.clone(), empty(&sent.mime))).collect();
        let wanted = items.iter().map(|item| item.seq).collect();
        let task = ImageTask { files: Arc::new(files), job: "forecast".into(), wanted: Arc::new(wanted) };
        Ok((task, items))
    }

    fn job(&self, id: JobId, settings: Value, items: Vec<NewItem>) -> NewJob {
        NewJob { id, kind: JOB_KIND.into(), settings, items, claims: Vec::new(), created_at: self.clock().now() }
    }

    /// Has images made again that were blocked, failed or given up: of a whole generation, of one side of it, or one.
    /// With another prompt, if one is given. The job that makes them and how many they are; none if there are none.
    ///
    /// # Errors
    /// [`StudioError::NoSuchGeneration`], and what the store reports.
    pub async fn retry(
        &self,
        generation: &str,
        which: &Which,
        prompt: Option<&str>,
        settings: Value,
    ) -> StudioResult<Option<(JobId, u64)>> {
        let (_, plan) = self.generation(generation).await?;
        let again = |image: &GeneratedImage| {
            let ended = [GeneratedState::Blocked, GeneratedState::Failed, GeneratedState::Cancelled];
            (ended.contains(&image.state) || image.is_broken()) && which.is(image)
        };
        let images = self.store().images_of_generation(generation).await?;
        let (mut ids, mut items) = (Vec::new(), Vec::new());
        for image in images.into_iter().filter(again) {
            let Some(side) = plan.sides.iter().find(|side| side.name == image.side) else { continue };
            items.push(item(generation, &plan, side, image.place, prompt)?);
            ids.push(image.id);
        }
        if ids.is_empty() {
            return Ok(None);
        }
        let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(4).collect();
        let job = self.job(format!("{generation}-{}", random.to_lowercase()).into(), settings, items);
        self.store().retry_generated(&ids, prompt, &job).await?;
        Ok(Some((job.id, ids.len() as u64)))
    }

    /// The jobs of a generation whose images are to be made still.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn unfinished(&self, generation: &str) -> StudioResult<Vec<JobId>> {
        let images = self.store().images_of_generation(generation).await?;
        let pending = images.into_iter().filter(|image| image.state == GeneratedState::Pending);
        let jobs: std::collections::BTreeSet<JobId> = pending.map(|image| image.job).collect();
        Ok(jobs.into_iter().collect())
    }

    /// Where an image stands, in a word: its state, `running` while somebody makes it, or `broken` if what came can't be
    /// shown.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn standing(&self, image: &GeneratedImage) -> StudioResult<&'static str> {
        let running = image.state == GeneratedState::Pending && self.store().is_leased(&image.job).await?;
        Ok(match image.state {
            _ if running => "running",
            _ if image.is_broken() => "broken",
            state => state.name(),
        })
    }
}

/// The item of one image. `prompt` takes the place of what the plan says, if it is given.
fn item(generation: &str, plan: &Plan, side: &PlannedSide, place: u32, prompt: Option<&str>) -> StudioResult<NewItem> {
    let sent = side.references.iter().filter_map(|reference| reference.sent.as_ref());
    let mut images: Vec<String> = sent.map(|sent| sent.hash.clone()).collect();
    let mut mask = None;
    if let Some(edit) = &plan.edit {
        if edit.mask_apart {
            mask = Some(edit.mask.hash.clone());
        } else {
            images.insert(0, edit.mask.hash.clone());
        }
        images.insert(0, edit.picture.hash.clone());
    }
    let item = ImageItem {
        model: Some(side.model.clone()),
        written: prompt.map(str::to_owned),
        prompt: match prompt {
            Some(prompt) => recompose(plan, side, prompt)?,
            None => side.prompt.clone(),
        },
        images,
        mask,
        width: plan.width,
        height: plan.height,
        seed: side.seeded.then(|| i64::try_from(plan.seed + u64::from(place - 1)).unwrap_or_default()),
    };
    let payload = serde_json::to_string(&item).map_err(|error| StudioError::Plan(error.to_string()))?;
    let key = image_id(generation, &side.name, place);
    Ok(NewItem { key, lane: plan.project.as_str().into(), payload: payload.into() })
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
    fn is(&self, image: &GeneratedImage) -> bool {
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
