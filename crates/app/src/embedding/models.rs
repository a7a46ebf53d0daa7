//! A remote embedder in the places where one of this machine would stand.

use std::collections::HashMap;
use std::fmt;

use atelier_embed::{
    Calibration, EmbedError, EmbedTask, EmbedderId, Look, LookEmbedder, Picture, TextEmbedder, Vector,
};
use atelier_replies::RepliesError;
use atelier_replies::embedding::Embedding;
use futures_util::future::BoxFuture;
use image::codecs::jpeg::JpegEncoder;
use tokio::runtime::Handle;

use super::remote::{RemoteEmbedder, ToEmbed, Unembedded, hash_of};
use crate::embedders::REMOTE_DIMENSIONS;

/// How many texts, and how many pictures, are asked for together: enough for a few full calls, few enough to be
/// held in memory.
const TEXTS: usize = 2_000;
const PICTURES: usize = 256;
/// Pictures are sent as JPEG of this quality: embedders scale them down further.
const QUALITY: u8 = 90;

/// One space of meaning for words and pictures of the library. It waits for answers where it is called, which is on a
/// thread for blocking work.
pub(crate) struct RemoteModels {
    remote: RemoteEmbedder,
    runtime: Handle,
}

impl RemoteModels {
    pub(crate) const fn new(remote: RemoteEmbedder, runtime: Handle) -> Self {
        Self { remote, runtime }
    }
}

impl fmt::Debug for RemoteModels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteModels").field("id", self.remote.id()).finish_non_exhaustive()
    }
}

fn texts_to_embed(texts: &[String]) -> Vec<ToEmbed> {
    texts.iter().map(|text| ToEmbed::from(text.as_str())).collect()
}

impl From<Unembedded> for EmbedError {
    fn from(unembedded: Unembedded) -> Self {
        let Unembedded { missing, asked, cause, reason } = unembedded;
        match cause {
            Some(cause) => Self::Remote { cause, reason },
            None => Self::Incomplete { failed: missing, asked, reason },
        }
    }
}

impl TextEmbedder for RemoteModels {
    fn id(&self) -> &EmbedderId {
        self.remote.id()
    }

    fn dimensions(&self) -> usize {
        REMOTE_DIMENSIONS as usize
    }

    fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        Ok(self.runtime.block_on(self.remote.vectors(texts_to_embed(texts), HashMap::new()))?)
    }

    fn calibration(&self) -> &Calibration {
        self.remote.calibration()
    }

    fn batch(&self) -> usize {
        TEXTS
    }
}

impl LookEmbedder for RemoteModels {
    fn id(&self) -> &EmbedderId {
        self.remote.id()
    }

    fn meaning_dimensions(&self) -> usize {
        REMOTE_DIMENSIONS as usize
    }

    fn appearance_dimensions(&self) -> usize {
        REMOTE_DIMENSIONS as usize
    }

    fn look(&self, pictures: &[Picture]) -> Result<Vec<Look>, EmbedError> {
        let mut files = HashMap::with_capacity(pictures.len());
        let mut asked = Vec::with_capacity(pictures.len());
        for picture in pictures {
            let file = jpeg(picture)?;
            let hash = hash_of(&file);
            let payload = EmbedTask::picture(&hash);
            files.insert(hash.clone(), file.into());
            asked.push(ToEmbed { hash, payload });
        }
        let vectors = self.runtime.block_on(self.remote.vectors(asked, files))?;
        Ok(vectors.into_iter().map(|vector| Look { meaning: vector.clone(), appearance: vector }).collect())
    }

    fn query_id(&self) -> &EmbedderId {
        self.remote.id()
    }

    fn query(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        Ok(self.runtime.block_on(self.remote.query(texts_to_embed(texts)))?)
    }

    /// Of texts against pictures none is known.
    fn calibration(&self) -> Option<&Calibration> {
        None
    }

    fn batch(&self) -> usize {
        PICTURES
    }
}

fn jpeg(picture: &Picture) -> Result<Vec<u8>, EmbedError> {
    let mut file = Vec::new();
    let encoded = JpegEncoder::new_with_quality(&mut file, QUALITY).encode(
        picture.rgb(),
        picture.width(),
        picture.height(),
        image::ExtendedColorType::Rgb8,
    );
    encoded.map_err(|error| EmbedError::Inference(format!("a picture can't be sent: {error}")))?;
    Ok(file)
}

/// Posts are compared with topics by it.
impl Embedding for RemoteEmbedder {
    fn id(&self) -> &EmbedderId {
        self.id()
    }

    fn calibration(&self) -> &Calibration {
        self.calibration()
    }

    fn batch(&self) -> usize {
        TEXTS
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vector>, RepliesError>> {
        Box::pin(async move {
            let embedded = self.vectors(texts_to_embed(&texts), HashMap::new()).await;
            embedded.map_err(|Unembedded { missing, cause, reason, .. }| match cause {
                Some(cause) => {
                    RepliesError::EmbedStopped { missing, texts: texts.len(), reason: cause, message: reason }
                }
                None => RepliesError::EmbedIncomplete { failed: missing, texts: texts.len(), message: reason },
            })
        })
    }
}
