//! Vectors for images that have none: those that came in without an embedder, and all of them once the
//! embedder is another.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use atelier_embed::{EmbedError, EmbedderId, Look, LookEmbedder, Picture};
use atelier_engine::{JobId, Stop};
use atelier_store::{Holder, Lease, NewVector, VectorSpace};
use futures_util::future::try_join_all;

use super::decode::PictureReader;
use super::derive::{LONG_SIDE, SHORT_SIDE};
use super::{Embedders, Library, blocking, words};
use crate::error::{StudioError, StudioResult};

/// Images that are asked for together.
const PAGE: usize = 64;

/// So many images of which none can be embedded are not to blame for it: the model fails, or the disk.
const MANY: usize = 8;

/// What the lock of whoever makes vectors with these embedders is called.
fn lock(embedders: &Embedders) -> JobId {
    let mut name = blake3::Hasher::new();
    for target in targets(embedders) {
        name.update(target.space.as_str().as_bytes());
        name.update(target.embedder.as_bytes());
    }
    format!("library-embedding-{}", &name.finalize().to_hex()[..16]).into()
}

/// Images that lack vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingVectors {
    /// How many they are, as far as they were counted.
    pub images: u64,
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
struct Target {
    space: VectorSpace,
    embedder: String,
    /// How many images it is asked for together.
    page: usize,
}

/// A scan along the log of changes, past the images that lack a vector in a space.
struct Scan {
    target: Target,
    /// The change up to which it has come.
    from: u64,
    /// The change up to which all images have theirs.
    up_to: u64,
    /// What could not be embedded: the hash of what it was, by image.
    failed: HashMap<String, String>,
}

/// The spaces that these embedders fill. An image that has a look has an appearance.
fn targets(embedders: &Embedders) -> Vec<Target> {
    let text = embedders.text.as_ref().map(|embedder| (VectorSpace::Text, embedder.id(), embedder.batch()));
    let look = embedders.look.as_ref().map(|embedder| (VectorSpace::Look, embedder.id(), embedder.batch()));
    let target = |(space, embedder, batch): (_, &EmbedderId, usize)| Target {
        space,
        embedder: embedder.to_string(),
        page: batch.max(PAGE),
    };
    text.into_iter().chain(look).map(target).collect()
}

/// What came of a page of images.
#[derive(Default)]
struct PageEmbedded {
    made: u64,
    /// Those that no vector could be made of.
    failed: Vec<String>,
    /// Why, of one of them.
    reason: Option<String>,
}

impl PageEmbedded {
    fn fail(&mut self, image: String, reason: String) {
        tracing::warn!("image {image} could not be embedded: {reason}");
        self.failed.push(image);
        self.reason.get_or_insert(reason);
    }
}

/// The right to make the vectors that images lack: one process has it for the same embedders, until it is dropped or the
/// process ends.
#[derive(Debug)]
pub struct EmbeddingRight {
    library: Library,
    embedders: Embedders,
    lease: Lease,
}

impl Library {
    /// Takes the right to make vectors with these embedders.
    ///
    /// # Errors
    /// The store's `Held` while another process is at it.
    pub async fn embedding(&self, embedders: Embedders) -> StudioResult<EmbeddingRight> {
        let lease = self.store().lease(&lock(&embedders)).await?;
        Ok(EmbeddingRight { library: self.clone(), embedders, lease })
    }

    /// How many images lack a vector of one of these embedders that nobody has tried to make yet, and who is at it.
    /// No more than so many changes of the library are looked through, and where nothing has changed, none.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn missing_vectors(&self, embedders: &Embedders, changes: usize) -> StudioResult<MissingVectors> {
        let (mut images, mut of) = (0, Vec::new());
        for target in targets(embedders) {
            let Target { embedder, space, .. } = target;
            let up_to = self.store().embedded_up_to(&embedder, space).await?;
            match self.store().unembedded_among(&embedder, space, up_to, changes).await? {
                None => {}
                // The rest is looked through another time.
                Some((last, 0)) => self.store().set_embedded_up_to(&embedder, space, last).await?,
                Some((_, missing)) => {
                    images = images.max(missing);
                    of.push(embedder);
                }
            }
        }
        of.dedup();
        Ok(MissingVectors { images, embedders: of, by: self.store().leased_by(&lock(embedders)).await? })
    }
}

impl EmbeddingRight {
    /// Gives the right up; once this returns, anybody may take it.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn release(self) -> StudioResult<()> {
        Ok(self.lease.release().await?)
    }

    /// Makes the vectors that images lack, as many at a time as there are threads. What is made is kept page by
    /// page: stopped at any point, it goes on from there when it is run again.
    ///
    /// # Errors
    /// [`StudioError::NothingEmbedded`] where all fail; what the store, the objects or a remote embedder report.
    pub async fn run(
        &self,
        missing: Missing,
        reader: &PictureReader,
        threads: NonZeroUsize,
        stop: &Stop,
        mut observer: impl FnMut(EmbedProgress) + Send,
    ) -> StudioResult<Embedded> {
        let mut done = Embedded::default();
        let mut scans = Vec::new();
        for target in targets(&self.embedders) {
            let up_to = self.library.store().embedded_up_to(&target.embedder, target.space).await?;
            let from = if missing == Missing::New { up_to } else { 0 };
            scans.push(Scan { target, from, up_to, failed: HashMap::new() });
        }
        loop {
            let before = done;
            for scan in &mut scans {
                let mut more = true;
                while more {
                    if stop.is_requested() {
                        return Ok(Embedded { stopped: true, ..done });
                    }
                    more = self.step(scan, reader, threads, &mut done).await?;
                    observer(EmbedProgress { made: done.text + done.look, failed: done.failed });
                }
            }
            // Each vector is a change of its image: the other spaces look through these once more.
            if (done.text, done.look) == (before.text, before.look) {
                return Ok(done);
            }
        }
    }

    /// The next page of a scan; whether there may be more.
    async fn step(
        &self,
        scan: &mut Scan,
        reader: &PictureReader,
        threads: NonZeroUsize,
        done: &mut Embedded,
    ) -> StudioResult<bool> {
        let (store, Target { space, embedder, page }) = (self.library.store(), &scan.target);
        let last = store.last_library_change().await?;
        let missing = store.unembedded_images(embedder, *space, scan.from, *page).await?;
        let behind = missing.last().map_or(last, |last| last.change);
        let new = missing.iter().filter(|lack| scan.failed.get(&lack.image) != Some(&lack.made_of));
        let ids: Vec<String> = new.map(|lack| lack.image.clone()).collect();
        if !ids.is_empty() {
            let page = match space {
                VectorSpace::Text => self.words(&ids).await?,
                VectorSpace::Look | VectorSpace::Appearance => self.looks(reader, threads, &ids).await?,
            };
            if page.made == 0 && page.failed.len() >= MANY {
                let (images, reason) = (page.failed.len(), page.reason.unwrap_or_default());
                return Err(StudioError::NothingEmbedded { images, reason });
            }
            match space {
                VectorSpace::Text => done.text += page.made,
                VectorSpace::Look | VectorSpace::Appearance => done.look += page.made,
            }
            done.failed += page.failed.len() as u64;
            let failed = missing.iter().filter(|lack| page.failed.contains(&lack.image));
            scan.failed.extend(failed.map(|lack| (lack.image.clone(), lack.made_of.clone())));
        }
        scan.from = behind.max(scan.from);
        if scan.from > scan.up_to {
            scan.up_to = scan.from;
            store.set_embedded_up_to(embedder, *space, scan.up_to).await?;
        }
        Ok(!missing.is_empty())
    }

    /// Forgets the vectors of embedders other than these; how many that were.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn prune(&self) -> StudioResult<u64> {
        /// Few enough that others can write between.
        const GROUP: usize = 1_000;
        let keep: Vec<String> = targets(&self.embedders).into_iter().map(|target| target.embedder).collect();
        let mut pruned = 0;
        loop {
            match self.library.store().prune_image_vectors(&keep, GROUP).await? {
                0 => return Ok(pruned),
                count => pruned += count,
            }
        }
    }

    async fn words(&self, ids: &[String]) -> StudioResult<PageEmbedded> {
        let mut page = PageEmbedded::default();
        let Some(embedder) = self.embedders.text.clone() else { return Ok(page) };
        let (mut asked, mut texts) = (Vec::new(), Vec::new());
        for image in self.library.store().images_with_ids(ids).await? {
            // Its words may have been taken from it since.
            if let Some(made_of) = image.text_hash.clone() {
                texts.push(words(&image));
                asked.push((image.id, made_of));
            }
        }
        let id = embedder.id().to_string();
        let embedded = blocking(move || one_by_one(&texts, |texts| embedder.embed(texts))).await??;
        let mut vectors = Vec::with_capacity(embedded.len());
        for ((image, made_of), vector) in asked.into_iter().zip(embedded) {
            match vector {
                Ok(vector) => {
                    let (embedder, bytes) = (id.clone(), vector.to_bytes());
                    vectors.push((image, NewVector { embedder, space: VectorSpace::Text, made_of, bytes }));
                }
                Err(reason) => page.fail(image, reason),
            }
        }
        page.made = vectors.len() as u64;
        self.library.store().put_image_vectors(vectors).await?;
        Ok(page)
    }

    async fn looks(&self, reader: &PictureReader, threads: NonZeroUsize, ids: &[String]) -> StudioResult<PageEmbedded> {
        let mut page = PageEmbedded::default();
        let Some(embedder) = &self.embedders.look else { return Ok(page) };
        let images = self.library.store().images_with_ids(ids).await?;
        for images in images.chunks(embedder.batch().max(threads.get())) {
            let (mut hashes, mut pictures) = (Vec::with_capacity(images.len()), Vec::with_capacity(images.len()));
            for images in images.chunks(threads.get()) {
                let read = images.iter().map(|image| async move {
                    let content = self.library.original(image).await;
                    let reader = reader.clone();
                    blocking(move || content.and_then(|content| picture_of(&content, &reader))).await
                });
                for (image, picture) in images.iter().zip(try_join_all(read).await?) {
                    match picture {
                        Ok(picture) => {
                            hashes.push((image.id.clone(), image.hash.clone()));
                            pictures.push(picture);
                        }
                        Err(error) => page.fail(image.id.clone(), error.to_string()),
                    }
                }
            }
            let looks = looks(embedder, pictures, threads).await?;
            let mut vectors = Vec::with_capacity(looks.len() * 2);
            for ((image, hash), look) in hashes.into_iter().zip(looks) {
                match look {
                    Ok(look) => {
                        page.made += 1;
                        vectors.extend(look_vectors(embedder.id(), &look, &hash).map(|vector| (image.clone(), vector)));
                    }
                    Err(reason) => page.fail(image, reason),
                }
            }
            self.library.store().put_image_vectors(vectors).await?;
        }
        Ok(page)
    }
}

/// A file as a model for pictures sees it.
pub(crate) fn picture_of(content: &[u8], reader: &PictureReader) -> StudioResult<Picture> {
    let picture = reader.read(content)?.into_picture(SHORT_SIDE, LONG_SIDE)?;
    Ok(Picture::new(picture.width, picture.height, picture.rgb)?)
}

/// The look of each picture: by one that wants many together, and by one in this process on all threads.
async fn looks(
    embedder: &Arc<dyn LookEmbedder>,
    pictures: Vec<Picture>,
    threads: NonZeroUsize,
) -> StudioResult<Vec<Result<Look, String>>> {
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

/// Embeds all together, and one by one if some of them can't be: none then costs the others their vectors. Of those it
/// says why.
fn one_by_one<T, V>(
    inputs: &[T],
    embed: impl Fn(&[T]) -> Result<Vec<V>, EmbedError>,
) -> Result<Vec<Result<V, String>>, EmbedError> {
    match embed(inputs) {
        Ok(vectors) if vectors.len() == inputs.len() => return Ok(vectors.into_iter().map(Ok).collect()),
        // Nothing is the matter with any of them.
        Err(error @ EmbedError::Remote { .. }) => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let one = |input: &T| match embed(std::slice::from_ref(input)).map(|mut vectors| vectors.pop()) {
        Ok(Some(vector)) => Ok(Ok(vector)),
        Ok(None) => Ok(Err(EmbedError::EmptyVector.to_string())),
        Err(error @ EmbedError::Remote { .. }) => Err(error),
        Err(error) => Ok(Err(error.to_string())),
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
