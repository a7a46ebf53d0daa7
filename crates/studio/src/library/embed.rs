//! Vectors for images that have none: those that came in without an embedder, and all of them once the
//! embedder is another.

use std::num::NonZeroUsize;
use std::sync::Arc;

use atelier_embed::{EmbedError, EmbedderId, Look, LookEmbedder, Picture};
use atelier_engine::Stop;
use atelier_store::{NewVector, Store, VectorSpace};
use futures_util::future::try_join_all;

use super::decode::Reader;
use super::derive::{LONG_SIDE, SHORT_SIDE};
use super::{Embedders, Library, blocking, words};
use crate::error::StudioResult;

/// Images that are asked for together.
const PAGE: usize = 64;

/// How far the work is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmbedProgress {
    /// Vectors that were made.
    pub made: u64,
    /// Images that no vector could be made of.
    pub failed: u64,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    /// Images whose words have a vector now.
    pub text: u64,
    /// Images whose look has vectors now.
    pub look: u64,
    /// Images that no vector could be made of, for they can't be read or the embedder failed on them.
    pub failed: u64,
    /// Whether it was stopped before its end. Run again, it goes on.
    pub stopped: bool,
}

impl Library {
    /// Makes the vectors that images lack, as many at a time as there are threads. What is made is kept page by
    /// page: stopped at any point, it goes on from there when it is run again.
    ///
    /// # Errors
    /// What the store or the objects report.
    pub async fn embed_missing(
        &self,
        embedders: &Embedders,
        reader: &Reader,
        threads: NonZeroUsize,
        stop: &Stop,
        mut observer: impl FnMut(EmbedProgress) + Send,
    ) -> StudioResult<Embedded> {
        let mut done = Embedded::default();
        let (text, look) = (embedders.text.as_ref(), embedders.look.as_ref());
        let spaces = [
            (VectorSpace::Text, text.map(|embedder| (embedder.id().to_string(), embedder.batch()))),
            (VectorSpace::Look, look.map(|embedder| (embedder.id().to_string(), embedder.batch()))),
        ];
        for (space, embedder) in spaces {
            let Some((embedder, batch)) = embedder else { continue };
            let page = batch.max(PAGE);
            let mut after: Option<String> = None;
            loop {
                if stop.is_requested() {
                    return Ok(Embedded { stopped: true, ..done });
                }
                let page = self.store().unembedded_images(&embedder, space, after.as_deref(), page).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.image.clone());
                let ids: Vec<String> = page.into_iter().map(|lack| lack.image).collect();
                let (made, failed) = match space {
                    VectorSpace::Text => self.embed_words(embedders, &ids).await?,
                    VectorSpace::Look | VectorSpace::Appearance => {
                        self.embed_looks(embedders, reader, threads, &ids).await?
                    }
                };
                match space {
                    VectorSpace::Text => done.text += made,
                    VectorSpace::Look | VectorSpace::Appearance => done.look += made,
                }
                done.failed += failed;
                observer(EmbedProgress { made: done.text + done.look, failed: done.failed });
            }
        }
        Ok(done)
    }

    async fn embed_words(&self, embedders: &Embedders, ids: &[String]) -> StudioResult<(u64, u64)> {
        let Some(embedder) = embedders.text.clone() else { return Ok((0, 0)) };
        let (mut hashes, mut texts) = (Vec::new(), Vec::new());
        for image in self.store().images_with_ids(ids).await? {
            texts.push(words(&image));
            hashes.extend(image.text_hash.map(|hash| (image.id, hash)));
        }
        let count = texts.len() as u64;
        let id = embedder.id().to_string();
        let vectors = blocking(move || one_by_one(&texts, |texts| embedder.embed(texts))).await??;
        let vector = |((image, made_of), vector): ((String, String), Option<atelier_embed::Vector>)| {
            let (embedder, bytes) = (id.clone(), vector?.to_bytes());
            Some((image, NewVector { embedder, space: VectorSpace::Text, made_of, bytes }))
        };
        let vectors: Vec<_> = hashes.into_iter().zip(vectors).filter_map(vector).collect();
        let made = vectors.len() as u64;
        self.store().put_image_vectors(vectors).await?;
        Ok((made, count - made))
    }

    async fn embed_looks(
        &self,
        embedders: &Embedders,
        reader: &Reader,
        threads: NonZeroUsize,
        ids: &[String],
    ) -> StudioResult<(u64, u64)> {
        let Some(embedder) = &embedders.look else { return Ok((0, 0)) };
        let (mut made, mut failed) = (0, 0);
        let images = self.store().images_with_ids(ids).await?;
        for images in images.chunks(embedder.batch().max(threads.get())) {
            let (mut hashes, mut pictures) = (Vec::with_capacity(images.len()), Vec::with_capacity(images.len()));
            for images in images.chunks(threads.get()) {
                let read = images.iter().map(|image| async move {
                    let content = self.original(image).await.ok();
                    let reader = reader.clone();
                    blocking(move || content.and_then(|content| picture_of(&content, &reader).ok())).await
                });
                for (image, picture) in images.iter().zip(try_join_all(read).await?) {
                    match picture {
                        Some(picture) => {
                            hashes.push((image.id.clone(), image.hash.clone()));
                            pictures.push(picture);
                        }
                        None => failed += 1,
                    }
                }
            }
            let looks = looks(embedder, pictures, threads).await?;
            let mut vectors = Vec::with_capacity(looks.len() * 2);
            for ((image, hash), look) in hashes.into_iter().zip(looks) {
                match look {
                    Some(look) => {
                        made += 1;
                        vectors.extend(look_vectors(embedder.id(), &look, &hash).map(|vector| (image.clone(), vector)));
                    }
                    None => failed += 1,
                }
            }
            self.store().put_image_vectors(vectors).await?;
        }
        Ok((made, failed))
    }

    /// Forgets the vectors of embedders other than these; how many that were.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn prune_vectors(&self, embedders: &Embedders) -> StudioResult<u64> {
        let text = embedders.text.as_ref().map(|embedder| embedder.id().to_string());
        let look = embedders.look.as_ref().map(|embedder| embedder.id().to_string());
        prune(self.store(), &text.into_iter().chain(look).collect::<Vec<_>>()).await
    }
}

async fn prune(store: &Store, keep: &[String]) -> StudioResult<u64> {
    /// Few enough that others can write between.
    const GROUP: usize = 1_000;
    let mut pruned = 0;
    loop {
        match store.prune_image_vectors(keep, GROUP).await? {
            0 => return Ok(pruned),
            count => pruned += count,
        }
    }
}

/// A file as a model for pictures sees it.
pub(crate) fn picture_of(content: &[u8], reader: &Reader) -> StudioResult<Picture> {
    let picture = reader.read(content)?.into_picture(SHORT_SIDE, LONG_SIDE)?;
    Ok(Picture::new(picture.width, picture.height, picture.rgb)?)
}

/// The look of each picture: by one that wants many together, and by one in this process on all threads.
async fn looks(
    embedder: &Arc<dyn LookEmbedder>,
    pictures: Vec<Picture>,
    threads: NonZeroUsize,
) -> StudioResult<Vec<Option<Look>>> {
    let size = if embedder.batch() > 1 { pictures.len() } else { pictures.len().div_ceil(threads.get()) };
    let mut pictures = pictures.into_iter();
    let groups = std::iter::from_fn(|| Some(pictures.by_ref().take(size.max(1)).collect::<Vec<_>>()));
    let look = groups.take_while(|group| !group.is_empty()).map(|group| {
        let embedder = Arc::clone(embedder);
        blocking(move || one_by_one(&group, |pictures| embedder.look(pictures)))
    });
    let mut looks = Vec::new();
    for group in try_join_all(look).await? {
        looks.extend(group?);
    }
    Ok(looks)
}

/// Embeds all together, and one by one if some of them can't be: none then costs the others their vectors.
fn one_by_one<T, V>(
    inputs: &[T],
    embed: impl Fn(&[T]) -> Result<Vec<V>, EmbedError>,
) -> Result<Vec<Option<V>>, EmbedError> {
    match embed(inputs) {
        Ok(vectors) if vectors.len() == inputs.len() => return Ok(vectors.into_iter().map(Some).collect()),
        // Nothing is the matter with any of them.
        Err(error @ EmbedError::Remote { .. }) => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let one = |input: &T| match embed(std::slice::from_ref(input)) {
        Ok(mut vectors) => Ok(vectors.pop()),
        Err(error @ EmbedError::Remote { .. }) => Err(error),
        Err(error) => {
            tracing::warn!(code = error.code(), "an image could not be embedded: {error}");
            Ok(None)
        }
    };
    inputs.iter().map(one).collect()
}

/// Both vectors of a picture's look. `hash` is that of its file.
pub(super) fn look_vectors(embedder: &EmbedderId, look: &Look, hash: &str) -> [NewVector; 2] {
    let vector = |space, vector: &atelier_embed::Vector| NewVector {
        embedder: embedder.to_string(),
        space,
        made_of: hash.to_owned(),
        bytes: vector.to_bytes(),
    };
    [vector(VectorSpace::Look, &look.meaning), vector(VectorSpace::Appearance, &look.appearance)]
}
