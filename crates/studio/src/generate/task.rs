//! An image as an item: what is asked for it, and what counts as an answer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use atelier_engine::{
    Content, ImageData, ImageRequest, Item, ItemFault, JobId, Outcome, Reply, Request, Task, Usage, Verdict,
};
use serde::{Deserialize, Serialize};

/// What an item says: all that is sent, its pictures by the hashes of their files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageItem {
    /// Who is to make it, as the user calls it; the job's only model if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the user wrote, where it is not what the plan says: another prompt for a second try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
    /// The prompt as it is sent.
    pub prompt: String,
    /// The pictures, in their order.
    pub images: Vec<String>,
    /// The mask, if it goes in a place of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// The size that is wanted.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The seed, if one is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
}

/// What came of an item: the file lies in the object store under its hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageAnswer {
    /// The name of the file as it came: see [`answer_name`].
    pub name: String,
    /// What its call used.
    pub usage: Usage,
}

/// Prompts and pictures to pictures, through the engine.
#[derive(Clone, Debug)]
pub struct ImageTask {
    /// The files that items name, by their hashes.
    pub files: Arc<HashMap<String, ImageData>>,
    /// The job: a file that came is its own until it is saved as an image.
    pub job: JobId,
    /// The items whose images are still this job's to make: nobody would get what was paid for the others.
    pub wanted: Arc<HashSet<u64>>,
}

/// What a file that came is called until it is saved: a hash of the job and of the file, so that no other job's saving
/// takes it away.
#[must_use]
pub fn answer_name(job: &str, file: &[u8]) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(job.as_bytes());
    hash.update(&[0]);
    hash.update(file);
    hash.finalize().to_hex().to_string()
}

impl ImageTask {
    fn file(&self, hash: &str) -> Result<ImageData, ItemFault> {
        self.files.get(hash).cloned().ok_or_else(|| ItemFault {
            index: 0,
            code: "reference-gone",
            message: "a picture that was to be sent is not there any more".to_owned(),
        })
    }
}

/// The one field of an [`ImageItem`] that says where it goes.
#[derive(Deserialize)]
struct Wanted {
    model: Option<String>,
}

impl Task for ImageTask {
    /// The sides of a generation are made by their own models.
    fn model(&self, item: &Item) -> Option<Arc<str>> {
        serde_json::from_str::<Wanted>(&item.payload).ok()?.model.map(Arc::from)
    }

    fn compose(&self, items: &[Item]) -> Result<Request, ItemFault> {
        let fault = |message: String| ItemFault { index: 0, code: "item-unreadable", message };
        let item = items.first().ok_or_else(|| fault("there is no item".into()))?;
        if !self.wanted.contains(&item.seq) {
            let message = "the image was deleted, or another job makes it".to_owned();
            return Err(ItemFault { index: 0, code: "image-not-wanted", message });
        }
        let item: ImageItem = serde_json::from_str(&item.payload).map_err(|error| fault(error.to_string()))?;
        Ok(Request::Image(ImageRequest {
            images: item.images.iter().map(|hash| self.file(hash)).collect::<Result<_, _>>()?,
            mask: item.mask.as_deref().map(|hash| self.file(hash)).transpose()?,
            prompt: item.prompt,
            width: item.width,
            height: item.height,
            seed: item.seed,
        }))
    }

    fn parse(&self, reply: &Reply, items: &[Item]) -> Vec<Outcome> {
        let (Content::Image(image), Some(item)) = (&reply.content, items.first()) else { return Vec::new() };
        let name = answer_name(&self.job, &image.bytes);
        let Ok(result) = serde_json::to_string(&ImageAnswer { name, usage: reply.usage }) else { return Vec::new() };
        vec![Outcome { seq: item.seq, verdict: Verdict::Done { result: result.into() } }]
    }

    fn name(&self) -> &'static str {
        "images"
    }

    fn output_tokens_per_item(&self) -> u64 {
        1_300
    }
}
