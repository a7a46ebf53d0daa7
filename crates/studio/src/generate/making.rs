//! The images of a generation while they are made: what they are asked with, and what is done as each arrives.

use std::collections::HashMap;
use std::sync::Arc;

use atelier_engine::{ImageData, JobId, Pool, Price, Timestamp};
use atelier_store::objects::ObjectKey;
use atelier_store::{GeneratedImage, OutcomeRecord};

use super::ImageStudio;
use super::keep::Keeping;
use super::plan::Plan;
use super::task::ImageTask;
use crate::error::{StudioError, StudioResult};

/// Who makes images, as far as it is told of them.
#[derive(Clone, Debug)]
pub struct Maker {
    /// The model, as the user calls it.
    pub model: String,
    /// What it costs, if that is known.
    pub price: Option<Price>,
    /// Whether no real model answers.
    pub sandbox: bool,
}

/// The images of one job, being made. Saving one again changes nothing, so whatever a process that died had not saved
/// is saved by the next.
pub struct Making {
    pub(super) studio: ImageStudio,
    pub(super) job: JobId,
    pub(super) plan: Plan,
    /// What the user wrote, where the job says so for all of its images.
    pub(super) written: Option<String>,
    pub(super) makers: Vec<Maker>,
    pub(super) began: Timestamp,
    /// Files that came and are saved as images now: nobody needs them any more.
    saved: Vec<String>,
}

impl Making {
    /// Opens a job of this generation. `written` is what the user wrote instead of the plan's prompt, if the job keeps
    /// that.
    ///
    /// # Errors
    /// [`StudioError::NoSuchGeneration`], and what the store reports.
    pub async fn open(
        studio: ImageStudio,
        generation: &str,
        job: JobId,
        written: Option<String>,
        makers: Vec<Maker>,
    ) -> StudioResult<Self> {
        let (_, plan) = studio.generation(generation).await?;
        let began = studio.clock().now();
        Ok(Self { studio, job, plan, written, makers, began, saved: Vec::new() })
    }

    /// The task of the job, with the files that its images are asked with.
    ///
    /// # Errors
    /// [`StudioError::Plan`] if one of the files is gone; what the objects report.
    pub async fn task(&self) -> StudioResult<ImageTask> {
        let plan = &self.plan;
        let references = plan.sides.iter().flat_map(|side| &side.references).filter_map(|one| one.sent.as_ref());
        let edit = plan.edit.iter().flat_map(|edit| [&edit.picture, &edit.mask]);
        let mut files = HashMap::new();
        for sent in references.chain(edit) {
            let content = match ObjectKey::sent(&sent.hash) {
                Some(key) => self.studio.library().objects().get(&key).await?,
                None => None,
            };
            let bytes = content.ok_or_else(|| StudioError::Plan("a picture that it sends is not there".into()))?;
            files.insert(sent.hash.clone(), ImageData { mime: sent.mime.clone().into(), bytes });
        }
        let wanted = self.studio.store().generated_seqs(&self.job).await?;
        Ok(ImageTask {
            files: Arc::new(files),
            job: Arc::clone(&self.job),
            wanted: Arc::new(wanted.into_iter().collect()),
        })
    }

    /// The task of a job that asks for nothing any more.
    #[must_use]
    pub fn task_without_files(&self) -> ImageTask {
        ImageTask { files: Arc::default(), job: Arc::clone(&self.job), wanted: Arc::default() }
    }

    /// The pool, but that every picture is in the object store before its answer is given on: the journal then names
    /// files that are there.
    #[must_use]
    pub fn keeping(&self, pool: Pool) -> Pool {
        let keeping = Keeping { model: pool.model, library: self.studio.library().clone(), job: Arc::clone(&self.job) };
        Pool { model: Arc::new(keeping), ..pool }
    }

    /// Saves what an item ended with: the image with its provenance, or why there is none. Nothing, if that was saved
    /// before.
    ///
    /// # Errors
    /// What the store and the objects report; the answer is kept, and can be saved another time.
    pub async fn save(&mut self, ended: &OutcomeRecord) -> StudioResult<Option<GeneratedImage>> {
        let Some(answer) = self.save_outcome(ended).await? else { return Ok(None) };
        self.saved.extend(answer);
        Ok(self.studio.store().generated_by(&self.job, ended.seq).await?)
    }

    /// Deletes the files that came and are saved as images now.
    ///
    /// # Errors
    /// What the store and the objects report.
    pub async fn clear_answers(&mut self) -> StudioResult<()> {
        let keys: Vec<ObjectKey> = self.saved.drain(..).filter_map(|name| ObjectKey::answer(&name)).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let _alone = self.studio.store().own_objects().await?;
        Ok(self.studio.library().objects().remove(keys).await?)
    }
}
