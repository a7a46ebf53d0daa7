//! What is done with an image that arrived: its provenance is written down and into the file, thumbnails are made,
//! and it is saved.

use std::sync::Arc;

use atelier_engine::{Demand, Timestamp, Usage, Usd, Verdict};
use atelier_store::{MadeImage, MadeResult, MadeState};
use bytes::Bytes;
use serde_json::json;

use super::ImageStudio;
use super::plan::{Plan, Reference};
use super::run::{Ended, SidePools};
use super::submit::Settings;
use super::task::{ImageAnswer, ImageItem};
use crate::error::{StudioError, StudioResult};
use crate::library::blocking;
use crate::library::decode::{PictureFormat, PictureReader};
use crate::library::derive::{LONG_SIDE, SHORT_SIDE, thumbnail};
use crate::objects::{ObjectKey, ThumbnailSize};
use crate::provenance::{self, Facts};

/// What it takes to save an image.
pub(super) struct Saving<'a> {
    pub(super) plan: &'a Plan,
    pub(super) sides: &'a [SidePools],
    /// When the run began.
    pub(super) began: Timestamp,
}

/// A file with its provenance, and what was made of it.
struct Finished {
    file: Bytes,
    hash: String,
    format: PictureFormat,
    width: u32,
    height: u32,
    thumbnails: Vec<(ThumbnailSize, Bytes)>,
}

impl ImageStudio {
    /// Saves what an item ended with. None if it was saved before; else the name of the file that came, which is not
    /// needed any more, if one did.
    pub(super) async fn save(&self, of: &Saving<'_>, ended: Ended) -> StudioResult<Option<Option<String>>> {
        let Ended { job, outcome, attempts } = ended;
        let found = self.store().made_by(&job, outcome.seq).await?;
        let Some(image) = found.filter(|image| image.state == MadeState::Pending) else { return Ok(None) };
        let unmade = |state, kind: String, message: String| {
            let job = Arc::clone(&job);
            async move {
                let why = (kind.as_str(), message.as_str());
                let saved = self.store().save_unmade(&job, outcome.seq, attempts, state, why).await?;
                Ok(saved.then_some(None))
            }
        };
        let result = match outcome.verdict {
            Verdict::Blocked { reason } => return unmade(MadeState::Blocked, "refused".into(), reason).await,
            Verdict::Failed { kind, message } => return unmade(MadeState::Failed, kind, message).await,
            Verdict::Done { result } => result,
        };
        let gone = || ("answer-gone".to_owned(), "the file that came is not there any more".to_owned());
        let answer = serde_json::from_str::<ImageAnswer>(&result).ok();
        let key = answer.as_ref().and_then(|answer| ObjectKey::answer(&answer.name));
        let content = match &key {
            Some(key) => self.library().objects().get(key).await?,
            None => None,
        };
        let (Some(answer), Some(content)) = (answer, content) else {
            let (kind, message) = gone();
            return unmade(MadeState::Failed, kind, message).await;
        };
        let told = self.told(of, &image, &answer).await?;
        let (facts, reader) = (told.facts(&image), self.reader().clone());
        let finished = blocking(move || finish(&content, &facts, &reader)).await??;
        let result = MadeResult {
            hash: finished.hash.clone(),
            format: finished.format.as_str().to_owned(),
            width: finished.width,
            height: finished.height,
            bytes: finished.file.len() as u64,
            cost: told.cost.map(|(cost, _)| cost),
            cost_estimated: told.cost.is_some_and(|(_, estimated)| estimated),
            provenance: told.provenance(of, &image, attempts, (finished.width, finished.height)),
            made_at: told.now,
        };
        let guard = self.store().share_objects().await?;
        let mut objects = Vec::with_capacity(3);
        objects.extend(ObjectKey::made(&finished.hash).map(|key| (key, finished.file)));
        objects.extend(
            finished
                .thumbnails
                .into_iter()
                .filter_map(|(size, webp)| Some((ObjectKey::made_thumbnail(&finished.hash, size)?, webp))),
        );
        self.library().objects().put(objects).await?;
        let saved = self.store().save_made(&job, outcome.seq, attempts, &result).await?;
        drop(guard);
        Ok(saved.then_some(Some(answer.name)))
    }

    /// All that is told of an image, gathered.
    async fn told<'a>(&self, of: &Saving<'a>, image: &MadeImage, answer: &ImageAnswer) -> StudioResult<Told<'a>> {
        let side = of.sides.iter().find(|side| side.name == image.side);
        let demand = Demand { images: 1, ..Demand::default() };
        let planned = of.plan.sides.iter().find(|side| side.name == image.side);
        Ok(Told {
            settings: self.settings(&image.job).await?,
            seed: self.item(&image.job, image.seq).await?.and_then(|item| item.seed),
            references: planned.map_or(&[], |side| side.references.as_slice()),
            cost: side.and_then(|side| side.price).map(|price| price.cost(&answer.usage, &demand)),
            sandbox: side.is_some_and(|side| side.sandbox),
            usage: answer.usage,
            now: self.clock().now(),
        })
    }

    /// What a job of images was submitted with.
    async fn settings(&self, job: &str) -> StudioResult<Settings> {
        let record = self.store().job(job).await?;
        let settings = record.and_then(|record| serde_json::from_value(record.settings).ok());
        settings.ok_or_else(|| StudioError::Plan(format!("the settings of job {job} can't be read")))
    }

    /// What an item of a job asks for.
    async fn item(&self, job: &str, seq: u64) -> StudioResult<Option<ImageItem>> {
        let payload = self.store().item_payload(job, seq).await?;
        Ok(payload.and_then(|payload| serde_json::from_str(&payload).ok()))
    }

    /// Deletes files that came and are saved as images now.
    pub(super) async fn forget_answers(&self, names: Vec<String>) -> StudioResult<()> {
        let keys: Vec<ObjectKey> = names.iter().filter_map(|name| ObjectKey::answer(name)).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let _alone = self.store().own_objects().await?;
        self.library().objects().remove(keys).await
    }
}

/// What is told of an image, in its file and beside it.
struct Told<'a> {
    settings: Settings,
    seed: Option<i64>,
    references: &'a [Reference],
    /// What its call cost, if that is known, and whether that is an estimate.
    cost: Option<(Usd, bool)>,
    sandbox: bool,
    usage: Usage,
    now: Timestamp,
}

impl Told<'_> {
    fn facts(&self, image: &MadeImage) -> Facts {
        Facts {
            prompt: self.settings.written.clone(),
            sent: self.settings.prompt.clone(),
            model: image.model.clone(),
            references: self.references.iter().map(in_words).collect(),
            seed: self.seed,
            cost: match self.cost {
                _ if self.sandbox => "nothing: made by the sandbox".to_owned(),
                None => "unknown".to_owned(),
                Some((cost, estimated)) => format!("{}{cost}", if estimated { "about " } else { "" }),
            },
            image: image.id.clone(),
            made_at: self.now.to_string(),
        }
    }

    fn provenance(&self, of: &Saving<'_>, image: &MadeImage, attempts: u32, given: (u32, u32)) -> serde_json::Value {
        json!({
            "prompt": self.settings.written,
            "sent": self.settings.prompt,
            "model": image.model,
            "sandbox": self.sandbox,
            "references": self.references,
            "category": of.plan.category,
            "camera": of.plan.camera,
            "edit": of.plan.edit,
            "seed": self.seed,
            "asked": { "width": of.plan.width, "height": of.plan.height },
            "given": { "width": given.0, "height": given.1 },
            "attempts": attempts,
            "usage": self.usage,
            "cost_usd": self.cost.map(|(cost, _)| cost.as_dollars()),
            "cost_estimated": self.cost.is_some_and(|(_, estimated)| estimated),
            "seconds": self.now.since(of.began).as_secs_f64(),
            "job": &*image.job,
            "made_at": self.now.to_string(),
        })
    }
}

/// A reference in a line.
fn in_words(reference: &Reference) -> String {
    let name = reference.image.as_deref().unwrap_or(&reference.name);
    let how = match &reference.drawn {
        None => "picked".to_owned(),
        Some(drawn) => {
            format!(
                "place {} of {} by {}, score {:.3}, seed {}",
                drawn.rank, drawn.pool, drawn.by, drawn.score, drawn.seed
            )
        }
    };
    let colors = if reference.sent.is_none() { ", its colours only" } else { "" };
    format!("{}: {name} ({how}{colors})", reference.role.name())
}

fn finish(file: &Bytes, facts: &Facts, reader: &PictureReader) -> StudioResult<Finished> {
    let decoded = reader.read(file)?;
    let (format, width, height) = (decoded.format, decoded.width, decoded.height);
    let picture = decoded.into_picture(SHORT_SIDE, LONG_SIDE)?;
    let large = picture.within(ThumbnailSize::Large.long_side())?;
    let small = large.within(ThumbnailSize::Small.long_side())?;
    let thumbnails = vec![
        (ThumbnailSize::Large, Bytes::from(thumbnail(&large)?)),
        (ThumbnailSize::Small, Bytes::from(thumbnail(&small)?)),
    ];
    // A file that can't hold it is kept without.
    let file = provenance::write(file, facts).unwrap_or_else(|| file.clone());
    let hash = blake3::hash(&file).to_hex().to_string();
    Ok(Finished { file, hash, format, width, height, thumbnails })
}
