//! Vectors for images that have none: those that came in without an embedder, and all of them once the
//! embedder is another.

use std::num::NonZeroUsize;
use std::sync::Arc;

use atelier_embed::{EmbedError, EmbedderId, Look, LookEmbedder, Picture};
use atelier_engine::{JobId, Stop};
use atelier_store::{Holder, NewVector, Store, Unembedded, VectorSpace};
use futures_util::future::try_join_all;

use super::decode::Reader;
use super::derive::{LONG_SIDE, SHORT_SIDE};
use super::{Embedders, Library, blocking, words};
use crate::error::StudioResult;

/// Images that are asked for together.
const PAGE: usize = 64;

/// What the lock of whoever embeds is called.
const EMBEDDING: &str = "library-embedding";

/// Images that lack vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// How many they are, as far as they were counted.
    pub images: usize,
    /// The embedders whose vectors they lack.
    pub embedders: Vec<String>,
    /// The process that makes vectors now, if one does.
    pub by: Option<Holder>,
}

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

/// Which images are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Those that changed since all others had their vectors.
    New,
    /// All, and so also those that no vector could be made of before.
    All,
}

/// A space of vectors, and what fills it.
struct Filling {
    space: VectorSpace,
    embedder: String,
    /// How many images it is asked for together.
    page: usize,
}

/// The spaces that these embedders fill. An image that has a look has an appearance.
fn fillings(embedders: &Embedders) -> Vec<Filling> {
    let text = embedders.text.as_ref().map(|embedder| (VectorSpace::Text, embedder.id(), embedder.batch()));
    let look = embedders.look.as_ref().map(|embedder| (VectorSpace::Look, embedder.id(), embedder.batch()));
    let filling = |(space, embedder, batch): (_, &EmbedderId, usize)| Filling {
        space,
        embedder: embedder.to_string(),
        page: batch.max(PAGE),
    };
    text.into_iter().chain(look).map(filling).collect()
}

impl Library {
    /// Makes the vectors that images lack, as many at a time as there are threads. What is made is kept page by
    /// page: stopped at any point, it goes on from there when it is run again. One process at a time does so.
    ///
    /// # Errors
    /// The store's `Held` while another process is at it; what the store or the objects report.
    pub async fn embed_missing(
        &self,
        embedders: &Embedders,
        missing: Missing,
        reader: &Reader,
        threads: NonZeroUsize,
        stop: &Stop,
        mut observer: impl FnMut(EmbedProgress) + Send,
    ) -> StudioResult<Embedded> {
        let _alone = self.store().hold(&JobId::from(EMBEDDING))?;
        let mut done = Embedded::default();
        let mut spaces = Vec::new();
        for filling in fillings(embedders) {
            let upto = self.store().embedded_upto(&filling.embedder, filling.space).await?;
            let from = if missing == Missing::New { upto } else { 0 };
            spaces.push((filling, upto, from));
        }
        loop {
            let before = done;
            for (filling, upto, from) in &mut spaces {
                loop {
                    if stop.is_requested() {
                        return Ok(Embedded { stopped: true, ..done });
                    }
                    let last = self.store().last_library_change().await?;
                    let page = self.unembedded(filling, *from, filling.page).await?;
                    // Those of the page that get no vector now will not get one by being asked for again.
                    let behind = page.last().map_or(last, |last| last.change);
                    let ids: Vec<String> = page.into_iter().map(|lack| lack.image).collect();
                    if !ids.is_empty() {
                        self.embed_page(embedders, reader, threads, filling.space, &ids, &mut done).await?;
                        observer(EmbedProgress { made: done.text + done.look, failed: done.failed });
                    }
                    *from = behind.max(*from);
                    if *from > *upto {
                        *upto = *from;
                        self.store().set_embedded_upto(&filling.embedder, filling.space, *upto).await?;
                    }
                    if ids.is_empty() {
                        break;
                    }
                }
            }
            // Each vector is a change of its image: the other spaces look through these once more.
            if (done.text, done.look) == (before.text, before.look) {
                return Ok(done);
            }
        }
    }

    /// How many images lack a vector of one of these embedders that nobody has tried to make yet, and who is at it.
    /// It counts no further than `most`, and takes no time where nothing has changed.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn lacking(&self, embedders: &Embedders, most: usize) -> StudioResult<Lacking> {
        let (mut images, mut of) = (0, Vec::new());
        for filling in fillings(embedders) {
            let upto = self.store().embedded_upto(&filling.embedder, filling.space).await?;
            let last = self.store().last_library_change().await?;
            if upto >= last {
                continue;
            }
            match self.unembedded(&filling, upto, most).await?.len() {
                0 => self.store().set_embedded_upto(&filling.embedder, filling.space, last).await?,
                lacking => {
                    images = images.max(lacking);
                    of.push(filling.embedder);
                }
            }
        }
        of.dedup();
        Ok(Lacking { images, embedders: of, by: self.store().held_by(EMBEDDING)? })
    }

    async fn unembedded(&self, filling: &Filling, after: u64, limit: usize) -> StudioResult<Vec<Unembedded>> {
        Ok(self.store().unembedded_images(&filling.embedder, filling.space, after, limit).await?)
    }

    async fn embed_page(
        &self,
        embedders: &Embedders,
        reader: &Reader,
        threads: NonZeroUsize,
        space: VectorSpace,
        ids: &[String],
        done: &mut Embedded,
    ) -> StudioResult<()> {
        let (made, failed) = match space {
            VectorSpace::Text => self.embed_words(embedders, ids).await?,
            VectorSpace::Look | VectorSpace::Appearance => self.embed_looks(embedders, reader, threads, ids).await?,
        };
        match space {
            VectorSpace::Text => done.text += made,
            VectorSpace::Look | VectorSpace::Appearance => done.look += made,
        }
        done.failed += failed;
        Ok(())
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
