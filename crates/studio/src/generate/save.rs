//! What is done with an image that arrived: its provenance is written down and into the file, thumbnails are made,
//! and it is saved.

use atelier_engine::{Demand, Verdict};
use atelier_store::objects::{ObjectKey, ThumbnailSize};
use atelier_store::{GeneratedFile, GeneratedImage, GeneratedState, OutcomeRecord};
use bytes::Bytes;

use super::compositing::composite;
use super::making::Making;
use super::plan::{Edit, Reference};
use super::provenance::{Provenance, Size};
use super::task::{ImageAnswer, ImageItem};
use crate::error::{StudioError, StudioResult};
use crate::library::decode::{DecodeLimits, PictureFormat, PictureReader, SNIFFED, sniff};
use crate::library::derive::{LONG_SIDE, SHORT_SIDE, thumbnail};
use crate::library::in_turn;
use crate::provenance::{self, Facts};

/// A file with its provenance, and what was made of it.
struct Finished {
    file: Bytes,
    hash: String,
    format: String,
    width: u32,
    height: u32,
    thumbnails: Vec<(ThumbnailSize, Bytes)>,
    broken: Option<String>,
}

impl Making {
    /// Saves what an item ended with. None if it was saved before; else the name of the file that came, which is not
    /// needed any more, if one did.
    pub(super) async fn save_outcome(&self, ended: &OutcomeRecord) -> StudioResult<Option<Option<String>>> {
        let (store, attempts) = (self.studio.store(), ended.attempts);
        let found = store.generated_by(&self.job, ended.seq).await?;
        let Some(image) = found.filter(|image| image.state == GeneratedState::Pending) else { return Ok(None) };
        let result = match &ended.verdict {
            Verdict::Blocked { reason } => {
                return self.save_failure(ended, GeneratedState::Blocked, ("refused", reason)).await;
            }
            Verdict::Failed { kind, message } => {
                return self.save_failure(ended, GeneratedState::Failed, (kind, message)).await;
            }
            Verdict::Done { result } => result,
        };
        let answer = serde_json::from_str::<ImageAnswer>(result).ok();
        let content = match answer.as_ref().and_then(|answer| ObjectKey::answer(&answer.name)) {
            Some(key) => self.studio.library().objects().get(&key).await?,
            None => None,
        };
        let (Some(answer), Some(content)) = (answer, content) else {
            let gone = ("answer-gone", "the file that came is not there any more");
            return self.save_failure(ended, GeneratedState::Failed, gone).await;
        };
        let mut provenance = self.provenance(&image, ended, &answer).await?;
        let (facts, reader) = (facts(&provenance, &image), self.studio.reader().clone());
        let edited = self.edited_files().await?;
        let finished = in_turn(move || finish(content, edited.as_ref(), &facts, &reader)).await?;
        provenance.given = Some(Size { width: finished.width, height: finished.height });
        let file = GeneratedFile {
            hash: finished.hash.clone(),
            format: finished.format,
            width: finished.width,
            height: finished.height,
            bytes: finished.file.len() as u64,
            cost: provenance.cost(),
            cost_estimated: provenance.cost_estimated,
            made_at: self.studio.clock().now(),
            broken: finished.broken,
            provenance: serde_json::to_value(&provenance).map_err(|error| StudioError::Plan(error.to_string()))?,
        };
        let guard = store.share_objects().await?;
        let original = ObjectKey::made(&finished.hash).map(|key| (key, finished.file));
        let thumbnails = finished.thumbnails.into_iter();
        let thumbnails =
            thumbnails.filter_map(|(size, webp)| Some((ObjectKey::made_thumbnail(&finished.hash, size)?, webp)));
        self.studio.library().objects().put(original.into_iter().chain(thumbnails).collect()).await?;
        let saved = store.save_generated(&self.job, ended.seq, attempts, &file).await?;
        drop(guard);
        Ok(saved.then_some(Some(answer.name)))
    }

    /// The files of an edit that the answer is laid over, if it is one that changes nothing outside its mask.
    async fn edited_files(&self) -> StudioResult<Option<(Bytes, Bytes)>> {
        let Some(within) = self.plan.edit.as_ref().and_then(|edit| edit.within.as_ref()) else { return Ok(None) };
        let mut files = Vec::with_capacity(2);
        for file in [&within.picture, &within.mask] {
            let content = match ObjectKey::sent(&file.hash) {
                Some(key) => self.studio.library().objects().get(&key).await?,
                None => None,
            };
            files.push(content.ok_or_else(|| StudioError::Plan("the picture that was edited is not there".into()))?);
        }
        Ok(files.pop().and_then(|mask| Some((files.pop()?, mask))))
    }

    async fn save_failure(
        &self,
        ended: &OutcomeRecord,
        state: GeneratedState,
        why: (&str, &str),
    ) -> StudioResult<Option<Option<String>>> {
        let store = self.studio.store();
        let saved = store.save_not_generated(&self.job, ended.seq, ended.attempts, state, why).await?;
        Ok(saved.then_some(None))
    }

    /// How an image came about.
    async fn provenance(
        &self,
        image: &GeneratedImage,
        ended: &OutcomeRecord,
        answer: &ImageAnswer,
    ) -> StudioResult<Provenance> {
        let payload = self.studio.store().item_payload(&self.job, ended.seq).await?;
        let item: Option<ImageItem> = payload.and_then(|payload| serde_json::from_str(&payload).ok());
        let item =
            item.ok_or_else(|| StudioError::Plan(format!("item {} of job {} can't be read", ended.seq, self.job)))?;
        let maker = self.makers.iter().find(|maker| maker.model == image.model);
        let side = self.plan.sides.iter().find(|side| side.name == image.side);
        let demand = Demand { images: 1, ..Demand::default() };
        let cost = maker.and_then(|maker| maker.price).map(|price| price.cost(&answer.usage, &demand));
        let now = self.studio.clock().now();
        Ok(Provenance {
            prompt: item.written.or_else(|| self.written.clone()).unwrap_or_else(|| self.plan.prompt.clone()),
            sent: item.prompt,
            model: image.model.clone(),
            sandbox: maker.is_some_and(|maker| maker.sandbox),
            references: side.map(|side| side.references.clone()).unwrap_or_default(),
            category: self.plan.category.clone(),
            camera: self.plan.camera.clone(),
            edit: self.plan.edit.clone(),
            seed: item.seed,
            asked: Size { width: self.plan.width, height: self.plan.height },
            given: None,
            attempts: ended.attempts,
            usage: answer.usage,
            cost_usd: cost.map(|(cost, _)| cost.as_dollars()),
            cost_estimated: cost.is_some_and(|(_, estimated)| estimated),
            seconds: now.since(self.began).as_secs_f64(),
            job: self.job.to_string(),
            made_at: now.to_string(),
            image: None,
        })
    }
}

/// What is written into an image's file.
pub(super) fn facts(provenance: &Provenance, image: &GeneratedImage) -> Facts {
    let about = if provenance.cost_estimated { "about " } else { "" };
    Facts {
        prompt: provenance.prompt.clone(),
        sent: provenance.sent.clone(),
        model: provenance.model.clone(),
        references: provenance.references.iter().map(in_words).collect(),
        seed: provenance.seed,
        cost: match provenance.cost() {
            _ if provenance.sandbox => "nothing: made by the sandbox".to_owned(),
            None => "unknown".to_owned(),
            Some(cost) => format!("{about}{cost}"),
        },
        image: image.id.clone(),
        made_at: provenance.made_at.clone(),
        edited: provenance.edit.as_ref().map(Edit::in_words),
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

/// What came, made ready to be saved. What can't be read was paid for like a good one, and is kept as it is.
fn finish(came: Bytes, edited: Option<&(Bytes, Bytes)>, facts: &Facts, reader: &PictureReader) -> Finished {
    let whole = match edited {
        None => finish_picture(&came, facts, reader),
        Some((picture, mask)) => {
            // The program's own PNG may be larger than the files that it takes.
            let any_size = PictureReader::new(DecodeLimits { max_bytes: u64::MAX, ..*reader.limits() });
            composite(picture, mask, &came, reader).and_then(|file| finish_picture(&file, facts, &any_size))
        }
    };
    whole.unwrap_or_else(|error| {
        let format = sniff(came.get(..SNIFFED).unwrap_or(&came)).map_or("bin", PictureFormat::as_str);
        Finished {
            hash: blake3::hash(&came).to_hex().to_string(),
            format: format.to_owned(),
            width: 0,
            height: 0,
            thumbnails: Vec::new(),
            broken: Some(error.to_string()),
            file: came,
        }
    })
}

fn finish_picture(file: &Bytes, facts: &Facts, reader: &PictureReader) -> StudioResult<Finished> {
    let decoded = reader.read(file)?;
    let (format, width, height) = (decoded.format.as_str().to_owned(), decoded.width, decoded.height);
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
    Ok(Finished { file, hash, format, width, height, thumbnails, broken: None })
}
