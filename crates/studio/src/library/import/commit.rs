//! The decision on each image, and the writing of those that are kept: many at a time, in the order of their files.

use std::collections::HashMap;

use atelier_engine::Timestamp;
use atelier_store::{Added, ChangeKind, ImageSource, Likeness, NewImage, Store};
use futures_util::future::{join_all, try_join_all};

use super::report::{FileOutcome, ImportRefusal};
use super::work::{ID_DIGITS, Ready};
use crate::error::{StudioError, StudioResult};
use crate::library::decode::RgbPicture;
use crate::library::derive::read_thumbnail;
use crate::library::handle::Library;
use crate::library::near::{NearCandidate, NearIndex, alike};
use atelier_store::objects::{ObjectKey, ThumbnailSize};

/// Images are read in pages of this size when hashes are gathered.
const PAGE: usize = 20_000;

/// Changes of others are read in pages of this size.
const CHANGES: usize = 1_000;

/// Attempts at writing objects that others have just deleted.
const TRIES: usize = 5;

/// The perceptual hashes of the library, kept up with what others do to it.
#[derive(Debug)]
pub(super) struct Hashes {
    index: NearIndex,
    /// The last change that is in the index.
    seen: u64,
}

impl Hashes {
    /// Reads the hashes of all images.
    pub(super) async fn read(store: &Store) -> StudioResult<Self> {
        // The change comes first: images that others add while the pages are read are caught up with later.
        let mut hashes = Self { index: NearIndex::new(), seen: store.last_library_change().await? };
        let mut after: Option<String> = None;
        loop {
            let page = store.image_phashes(after.as_deref(), PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(hashes) };
            after = Some(last.clone());
            page.iter().for_each(|(image, phash)| hashes.index.add(image, *phash));
        }
    }

    /// Adds what others have brought in since.
    async fn catch_up(&mut self, store: &Store) -> StudioResult<()> {
        loop {
            let changes = store.library_changes(self.seen, CHANGES).await?;
            let Some(last) = changes.last() else { return Ok(()) };
            self.seen = last.seq;
            let put = changes.into_iter().filter(|change| change.kind == ChangeKind::Put).map(|change| change.image);
            let new = put.filter(|image| !self.index.contains(image)).collect::<Vec<_>>();
            for image in store.images_with_ids(&new).await? {
                self.index.add(&image.id, image.phash);
            }
        }
    }
}

/// The treatment of near duplicates.
#[derive(Clone, Copy, Debug)]
pub(super) struct NearPolicy {
    pub(super) keep: bool,
    pub(super) max_distance: u32,
}

/// The outcome of a file that was ready, and its size in bytes.
pub(super) struct Committed {
    pub(super) outcome: FileOutcome,
    pub(super) bytes: u64,
    pub(super) unembedded: bool,
}

/// Decides on a group of images and writes them.
pub(super) struct Committer<'a> {
    pub(super) library: &'a Library,
    pub(super) hashes: &'a mut Hashes,
    pub(super) policy: NearPolicy,
}

/// A file of the same group, which is not in the library yet.
struct Before {
    hash: String,
    small: RgbPicture,
    pixels: u64,
}

/// The decision on a file, made before anything of its group is written.
enum ImportDecision {
    Store { near: Option<NearCandidate> },
    Duplicate { of: String },
    Near(NearCandidate),
}

impl Committer<'_> {
    /// Takes images in, in this order, and returns the outcomes once all of them are durable.
    pub(super) async fn commit(&mut self, group: Vec<Ready>) -> StudioResult<Vec<Committed>> {
        self.hashes.catch_up(&self.library.store).await?;
        let mut decided = Vec::with_capacity(group.len());
        // What comes before a file in the same group is not in the library yet.
        let mut before: HashMap<String, Before> = HashMap::new();
        for ready in group {
            let decision = self.decide(&ready, &before).await?;
            if let ImportDecision::Store { .. } = decision {
                self.hashes.index.add(&ready.image.id, ready.image.phash);
                let pixels = u64::from(ready.image.width) * u64::from(ready.image.height);
                let (hash, small) = (ready.image.hash.clone(), ready.small.clone());
                before.insert(ready.image.id.clone(), Before { hash, small, pixels });
            }
            decided.push((ready, decision));
        }
        self.write(decided).await
    }

    async fn decide(&self, ready: &Ready, before: &HashMap<String, Before>) -> StudioResult<ImportDecision> {
        let hash = &ready.image.hash;
        if let Some((of, _)) = before.iter().find(|(_, other)| other.hash == *hash) {
            return Ok(ImportDecision::Duplicate { of: of.clone() });
        }
        if let Some(same) = self.library.store.image_with_hash(hash).await? {
            return Ok(ImportDecision::Duplicate { of: same.id });
        }
        let near = self.near(ready, before).await?;
        Ok(match near {
            Some(candidate) if !self.policy.keep && !self.is_smaller(&candidate, ready, before).await? => {
                ImportDecision::Near(candidate)
            }
            near => ImportDecision::Store { near },
        })
    }

    /// Whether an image that was there before is smaller than this one.
    async fn is_smaller(
        &self,
        candidate: &NearCandidate,
        ready: &Ready,
        before: &HashMap<String, Before>,
    ) -> StudioResult<bool> {
        let pixels = u64::from(ready.image.width) * u64::from(ready.image.height);
        if let Some(before) = before.get(&candidate.image) {
            return Ok(before.pixels < pixels);
        }
        let image = self.library.store.image(&candidate.image).await?;
        Ok(image.is_some_and(|image| u64::from(image.width) * u64::from(image.height) < pixels))
    }

    /// The image that a file is nearly the same as, if there is one.
    async fn near(&self, ready: &Ready, before: &HashMap<String, Before>) -> StudioResult<Option<NearCandidate>> {
        for candidate in self.hashes.index.find(ready.image.phash, self.policy.max_distance) {
            let like = match before.get(&candidate.image) {
                Some(before) => alike(&ready.small, &before.small),
                None => self.small(&candidate.image).await?.is_some_and(|small| alike(&ready.small, &small)),
            };
            if like {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    /// An image's small thumbnail, if the image is still there.
    async fn small(&self, image: &str) -> StudioResult<Option<RgbPicture>> {
        let Some(image) = self.library.store.image(image).await? else { return Ok(None) };
        let Some(key) = ObjectKey::thumbnail(&image.hash, ThumbnailSize::Small) else { return Ok(None) };
        Ok(self.library.objects.get(&key).await?.and_then(|webp| read_thumbnail(&webp)))
    }

    /// Writes objects and rows of what is to be stored, and notes where the rest was found.
    async fn write(&self, decided: Vec<(Ready, ImportDecision)>) -> StudioResult<Vec<Committed>> {
        let mut outcomes: Vec<Option<Committed>> = decided.iter().map(|_| None).collect();
        let mut sources = Vec::new();
        let mut stores = Vec::new();
        for (place, (ready, decision)) in decided.into_iter().enumerate() {
            let (outcome, of, likeness) = match decision {
                ImportDecision::Store { near } => {
                    stores.push((place, ready, near));
                    continue;
                }
                ImportDecision::Duplicate { of } => (FileOutcome::Duplicate { of: of.clone() }, of, Likeness::Same),
                ImportDecision::Near(NearCandidate { image, distance }) => {
                    (FileOutcome::Near { of: image.clone(), distance, kept: None }, image, Likeness::Near)
                }
            };
            sources.extend(ready.source.map(|source| (of, ImageSource { likeness, ..source })));
            if let Some(slot) = outcomes.get_mut(place) {
                *slot = Some(Committed { outcome, bytes: 0, unembedded: false });
            }
        }
        for (place, committed) in self.store(stores).await? {
            if let Some(slot) = outcomes.get_mut(place) {
                *slot = Some(committed);
            }
        }
        if !sources.is_empty() {
            self.library.store.put_image_sources(sources).await?;
        }
        Ok(outcomes.into_iter().flatten().collect())
    }

    async fn store(&self, stores: Vec<(usize, Ready, Option<NearCandidate>)>) -> StudioResult<Vec<(usize, Committed)>> {
        if stores.is_empty() {
            return Ok(Vec::new());
        }
        // Files before rows, so that a row always finds its files; the guard keeps others from deleting them in
        // between, as no row names them yet.
        let guard = self.library.store.share_objects().await?;
        self.library.objects.put(stores.iter().flat_map(|(_, ready, _)| objects(ready)).collect()).await?;
        let adds = stores.into_iter().map(|(place, ready, near)| async move {
            let added = self.library.store.add_image(new_image(&ready)).await?;
            Ok::<_, StudioError>((place, ready, near, added))
        });
        let added = try_join_all(adds).await?;
        drop(guard);
        let results = added.into_iter().map(|(place, ready, near, added)| async move {
            let added = match added {
                Added::BeingDeleted => self.add_again(&ready).await?,
                Added::IdTaken if !ready.named => self.add_by_longer_id(&ready).await?,
                added => (ready.image.id.clone(), added),
            };
            Ok((place, committed(&ready, near, added)))
        });
        join_all(results).await.into_iter().collect()
    }

    /// Adds an image of which the same bytes were removed a moment ago: their files are deleted, then written again.
    async fn add_again(&self, ready: &Ready) -> StudioResult<(String, Added)> {
        for _ in 0..TRIES {
            self.library.delete_garbage().await?;
            let _guard = self.library.store.share_objects().await?;
            self.library.objects.put(objects(ready)).await?;
            match self.library.store.add_image(new_image(ready)).await? {
                Added::BeingDeleted => {}
                added => return Ok((ready.image.id.clone(), added)),
            }
        }
        Err(StudioError::Contended(ready.image.id.clone()))
    }

    /// Adds an image whose short id is taken: two hashes may begin alike, or someone may have named an image so.
    async fn add_by_longer_id(&self, ready: &Ready) -> StudioResult<(String, Added)> {
        let mut new = new_image(ready);
        for digits in [ID_DIGITS * 2, ID_DIGITS * 4] {
            new.image.id = ready.image.hash.chars().take(digits).collect();
            let _guard = self.library.store.share_objects().await?;
            self.library.objects.put(objects(ready)).await?;
            match self.library.store.add_image(new.clone()).await? {
                Added::IdTaken => {}
                added => return Ok((new.image.id, added)),
            }
        }
        Ok((new.image.id, Added::IdTaken))
    }
}

fn new_image(ready: &Ready) -> NewImage {
    NewImage { image: ready.image.clone(), vectors: ready.vectors.clone(), source: ready.source.clone() }
}

/// The original and its thumbnails, under their names.
fn objects(ready: &Ready) -> Vec<(ObjectKey, bytes::Bytes)> {
    let hash = &ready.image.hash;
    let original = ObjectKey::original(hash).map(|key| (key, ready.content.clone()));
    let thumbnails =
        ready.thumbnails.iter().filter_map(|(size, webp)| Some((ObjectKey::thumbnail(hash, *size)?, webp.clone())));
    original.into_iter().chain(thumbnails).collect()
}

fn committed(ready: &Ready, near: Option<NearCandidate>, (id, added): (String, Added)) -> Committed {
    let outcome = match (added, near) {
        (Added::New, None) => FileOutcome::Imported { image: id },
        (Added::New, Some(NearCandidate { image, distance })) => {
            FileOutcome::Near { of: image, distance, kept: Some(id) }
        }
        (Added::SameContent { image }, _) => FileOutcome::Duplicate { of: image },
        // It was tried again until it was not.
        (Added::IdTaken | Added::BeingDeleted, _) => FileOutcome::Refused(ImportRefusal::id_taken(&id)),
    };
    Committed { outcome, bytes: ready.image.bytes, unembedded: ready.unembedded }
}

/// True if a file that was imported before has the same size and time as then.
pub(super) fn unchanged(known: &ImageSource, bytes: u64, modified_at: Timestamp) -> bool {
    known.bytes == bytes && known.modified_at == modified_at
}
