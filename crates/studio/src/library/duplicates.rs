//! Images of the library that show nearly the same, in groups. Which of them goes, a person decides.

use std::collections::{BTreeMap, HashMap};

use atelier_engine::Timestamp;
use atelier_store::Image;
use atelier_store::objects::{ObjectKey, ThumbnailSize};

use super::decode::RgbPicture;
use super::derive::read_thumbnail;
use super::edit::ImageEdit;
use super::handle::Library;
use super::near::{MAX_DISTANCE, NearIndex, alike};
use crate::error::{StudioError, StudioResult};

/// Hashes are read in pages of this size.
const PAGE: usize = 20_000;
/// Thumbnails that are kept at hand, as the images of a group are compared with each other.
const AT_HAND: usize = 256;

impl Library {
    /// The groups of images that show nearly the same, the largest image of each first; those that a person wants to keep
    /// beside each other are none.
    ///
    /// # Errors
    /// What the store and the objects report.
    pub async fn duplicates(&self) -> StudioResult<Vec<Vec<Image>>> {
        let apart = self.store.kept_apart().await?;
        let (mut index, mut groups) = (NearIndex::new(), Groups::default());
        let mut thumbnails: HashMap<String, Option<RgbPicture>> = HashMap::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.store.image_phashes(after.as_deref(), PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (image, phash) in page {
                for candidate in index.find(phash, MAX_DISTANCE) {
                    // In the order of their ids, as they come.
                    if apart.contains(&(candidate.image.clone(), image.clone())) {
                        continue;
                    }
                    if thumbnails.len() >= AT_HAND {
                        thumbnails.clear();
                    }
                    for id in [&image, &candidate.image] {
                        if !thumbnails.contains_key(id) {
                            thumbnails.insert(id.clone(), self.small_picture(id).await?);
                        }
                    }
                    let of = |id: &String| thumbnails.get(id).and_then(Option::as_ref);
                    if of(&image).zip(of(&candidate.image)).is_some_and(|(one, other)| alike(one, other)) {
                        groups.join(&image, &candidate.image);
                    }
                }
                index.add(&image, phash);
            }
        }
        let mut found = Vec::new();
        for ids in groups.all() {
            let mut images = self.store.images_with_ids(&ids).await?;
            images.sort_by_key(|image| {
                let pixels = u64::from(image.width) * u64::from(image.height);
                (std::cmp::Reverse((pixels, image.bytes)), image.id.clone())
            });
            if images.len() > 1 {
                found.push(images);
            }
        }
        Ok(found)
    }

    /// Of the groups that these images are in, moves those into the trash that are like the largest; the ids of those that
    /// went. The largest takes over their tags and collections, and a caption if it has none. One that is wanted beside it stays, and so does one that is only like another of the group.
    ///
    /// # Errors
    /// [`StudioError::NoSuchImage`] for one that is in no group; what the store and the objects report.
    pub async fn keep_largest(&self, ids: &[String], now: Timestamp) -> StudioResult<Vec<String>> {
        let apart = self.store.kept_apart().await?;
        let mut gone = Vec::new();
        for group in self.groups_of(ids).await? {
            let [largest, others @ ..] = group.as_slice() else { continue };
            let of_largest = self.small_picture(&largest.id).await?;
            let mut edit = ImageEdit::default();
            for other in others {
                let pair = [&largest.id, &other.id];
                let pair = (pair[0].min(pair[1]).clone(), pair[0].max(pair[1]).clone());
                let of_other = self.small_picture(&other.id).await?;
                let is_like = of_largest.as_ref().zip(of_other.as_ref()).is_some_and(|(one, other)| alike(one, other));
                if is_like && !apart.contains(&pair) {
                    gone.push(other.id.clone());
                    // What was said of it is said of the one that stays.
                    edit.add_tags.extend(other.tags.iter().cloned());
                    edit.add_collections.extend(other.collections.iter().cloned());
                    if largest.caption.is_none() && edit.caption.is_none() {
                        edit.caption = other.caption.clone().map(Some);
                    }
                }
            }
            if edit != ImageEdit::default() {
                self.edit(&largest.id, &edit, None, now).await?;
            }
        }
        self.remove(&gone).await?;
        Ok(gone)
    }

    /// Notes that all images of the groups that these are in are wanted; how many images.
    ///
    /// # Errors
    /// As of [`Library::keep_largest`].
    pub async fn keep_both(&self, ids: &[String]) -> StudioResult<u64> {
        let mut kept = 0;
        for group in self.groups_of(ids).await? {
            kept += group.len() as u64;
            let pairs = group
                .iter()
                .enumerate()
                .flat_map(|(place, one)| group[place + 1..].iter().map(|other| (one.id.clone(), other.id.clone())));
            self.store.keep_apart(&pairs.collect::<Vec<_>>()).await?;
        }
        Ok(kept)
    }

    async fn groups_of(&self, ids: &[String]) -> StudioResult<Vec<Vec<Image>>> {
        let groups = self.duplicates().await?;
        let is_in = |group: &Vec<Image>, id: &String| group.iter().any(|image| image.id == *id);
        if let Some(lost) = ids.iter().find(|id| !groups.iter().any(|group| is_in(group, id))) {
            return Err(StudioError::NoDuplicates(lost.clone()));
        }
        Ok(groups.into_iter().filter(|group| ids.iter().any(|id| is_in(group, id))).collect())
    }

    /// An image's small thumbnail, if it can be read.
    pub(super) async fn small_picture(&self, id: &str) -> StudioResult<Option<RgbPicture>> {
        let Some(image) = self.store.image(id).await? else { return Ok(None) };
        let Some(key) = ObjectKey::thumbnail(&image.hash, ThumbnailSize::Small) else { return Ok(None) };
        Ok(self.objects.get(&key).await?.and_then(|webp| read_thumbnail(&webp)))
    }
}

/// What belongs together, by pairs that do (disjoint sets).
#[derive(Default)]
struct Groups {
    parents: BTreeMap<String, String>,
}

impl Groups {
    fn root(&self, id: &str) -> String {
        let mut root = id;
        while let Some(parent) = self.parents.get(root).filter(|parent| *parent != root) {
            root = parent;
        }
        root.to_owned()
    }

    fn join(&mut self, one: &str, other: &str) {
        let (one_root, other_root) = (self.root(one), self.root(other));
        for id in [one, other] {
            self.parents.entry(id.to_owned()).or_insert_with(|| id.to_owned());
        }
        // Straight to the root, so that ways stay short.
        self.parents.insert(one.to_owned(), other_root.clone());
        self.parents.insert(one_root, other_root);
    }

    fn all(&self) -> Vec<Vec<String>> {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for id in self.parents.keys() {
            groups.entry(self.root(id)).or_default().push(id.clone());
        }
        groups.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_is_one_group() {
        let mut groups = Groups::default();
        for (one, other) in [("b", "a"), ("d", "c"), ("f", "e"), ("d", "b"), ("b", "a")] {
            groups.join(one, other);
        }
        assert_eq!(groups.all().len(), 2);
        assert!(groups.all().contains(&["a", "b", "c", "d"].map(str::to_owned).to_vec()));
    }
}
