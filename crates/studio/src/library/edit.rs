//! Changes to the descriptions, tags and collections of images.

use std::sync::Arc;

use atelier_embed::TextEmbedder;
use atelier_engine::Timestamp;
use atelier_store::{Collection, Image, NewVector, TagCount, VectorSpace};
use futures_util::future::try_join_all;
use serde_json::{Map, Value};

use super::blocking::blocking;
use super::handle::Library;
use super::sidecar::{self, Description};
use super::words::{text_hash, words};
use crate::error::{StudioError, StudioResult};

/// Attempts at a change while others change the same image.
const TRIES: usize = 20;

/// Images that are changed at the same time, so that they share commits.
const AT_ONCE: usize = 64;

/// A change to an image. Fields that are `None` or empty stay as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageEdit {
    /// The new caption; `Some(None)` removes it.
    pub caption: Option<Option<String>>,
    /// The new category; `Some(None)` removes it.
    pub category: Option<Option<String>>,
    /// The new score for tone; `Some(None)` removes it.
    pub tone_score: Option<Option<f64>>,
    /// The new score for angle; `Some(None)` removes it.
    pub angle_score: Option<Option<f64>>,
    /// Attributes to set; null removes one.
    pub attributes: Map<String, Value>,
    /// Tags to add.
    pub add_tags: Vec<String>,
    /// Tags to remove, before others are added.
    pub remove_tags: Vec<String>,
    /// Collections to put it into; those that do not exist are made.
    pub add_collections: Vec<String>,
    /// Collections to take it out of.
    pub remove_collections: Vec<String>,
}

impl ImageEdit {
    /// Checks that all values can be kept.
    ///
    /// # Errors
    /// [`StudioError::Value`] names the one that can't.
    pub fn check(&self) -> StudioResult<()> {
        let names = [("a tag", &self.add_tags), ("the name of a collection", &self.add_collections)];
        for (what, names) in names {
            names.iter().try_for_each(|name| plain(what, name))?;
        }
        if let Some(Some(category)) = &self.category {
            plain("the category", category)?;
        }
        for score in [self.tone_score, self.angle_score].into_iter().flatten().flatten() {
            if !score.is_finite() {
                let (value, reason) = (score.to_string(), "it is not a number");
                return Err(StudioError::Value { what: "a score", value, reason });
            }
        }
        Ok(())
    }

    /// Adds what a description says: what it leaves out stays as it is.
    pub(super) fn take_over(&mut self, description: &Description) {
        let described = description.clone();
        self.caption = described.caption.or(self.caption.take());
        self.category = described.category.map(Some).or(self.category.take());
        self.tone_score = described.tone_score.map(Some).or(self.tone_score);
        self.angle_score = described.angle_score.map(Some).or(self.angle_score);
        self.attributes.extend(described.attributes);
        self.add_tags.extend(described.labels.unwrap_or_default());
        self.add_collections.extend(described.collections);
    }

    /// True if the image would be different with these changes.
    pub(super) fn changes(&self, image: &Image) -> bool {
        self.apply(image) != *image
    }

    /// The image with these changes.
    fn apply(&self, image: &Image) -> Image {
        let mut image = image.clone();
        let set = |to: &mut Option<String>, value: &Option<Option<String>>| {
            if let Some(value) = value {
                *to = value.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
            }
        };
        set(&mut image.caption, &self.caption);
        set(&mut image.category, &self.category);
        image.tone_score = self.tone_score.unwrap_or(image.tone_score);
        image.angle_score = self.angle_score.unwrap_or(image.angle_score);
        for (name, value) in &self.attributes {
            match value {
                Value::Null => drop(image.attributes.remove(name)),
                value => drop(image.attributes.insert(name.clone(), value.clone())),
            }
        }
        change(&mut image.tags, &self.remove_tags, &self.add_tags);
        change(&mut image.collections, &self.remove_collections, &self.add_collections);
        image.text_hash = text_hash(&words(&image));
        image
    }
}

/// Takes names out and puts names in; what comes out is sorted and has each once.
fn change(names: &mut Vec<String>, remove: &[String], add: &[String]) {
    names.retain(|name| !remove.contains(name));
    names.extend(add.iter().map(|name| name.trim().to_owned()));
    names.sort();
    names.dedup();
}

/// Refuses a text that can't be a name.
fn plain(what: &'static str, name: &str) -> StudioResult<()> {
    let reason = match sidecar::name(what, name) {
        Ok(Some(plain)) if plain == name.trim() => return Ok(()),
        Ok(Some(_)) => "it has line breaks or runs of spaces",
        Ok(None) => "it is empty",
        Err(_) if name.len() > sidecar::MAX_NAME => "it is longer than 200 bytes",
        Err(_) => "it has control characters",
    };
    Err(StudioError::Value { what, value: name.to_owned(), reason })
}

impl Library {
    /// Changes an image and returns the result. Where its words change, their vector is made again if an embedder is
    /// given, and forgotten if not.
    ///
    /// # Errors
    /// [`StudioError::NoSuchImage`], [`StudioError::Value`], and what the embedder or the store reports.
    pub async fn edit(
        &self,
        id: &str,
        edit: &ImageEdit,
        embedder: Option<&Arc<dyn TextEmbedder>>,
        now: Timestamp,
    ) -> StudioResult<Image> {
        edit.check()?;
        for _ in 0..TRIES {
            let image = self.show(id).await?;
            let mut changed = edit.apply(&image);
            if changed == image {
                return Ok(image);
            }
            changed.updated_at = now;
            let text = match (&changed.text_hash, embedder) {
                (Some(hash), Some(embedder)) if changed.text_hash != image.text_hash => {
                    Some(embed(embedder, words(&changed), hash).await?)
                }
                _ => None,
            };
            // Replaced only at the revision that was read: whoever came between is not overwritten.
            if self.store.replace_image(&changed, text).await? {
                return Ok(Image { revision: image.revision + 1, ..changed });
            }
        }
        Err(StudioError::Contended(id.to_owned()))
    }

    /// Changes each of these images; see [`Library::edit`]. Nothing is changed if one of them does not exist.
    ///
    /// # Errors
    /// As [`Library::edit`]. If it fails in the middle, what was changed stays so.
    pub async fn edit_all(
        &self,
        ids: &[String],
        edit: &ImageEdit,
        embedder: Option<&Arc<dyn TextEmbedder>>,
        now: Timestamp,
    ) -> StudioResult<Vec<Image>> {
        edit.check()?;
        self.must_exist(ids).await?;
        let mut images = Vec::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            let edits = ids.iter().map(|id| self.edit(id, edit, embedder, now));
            images.extend(try_join_all(edits).await?);
        }
        Ok(images)
    }

    /// Refuses ids of images that do not exist.
    pub(super) async fn must_exist(&self, ids: &[String]) -> StudioResult<()> {
        for ids in ids.chunks(1_000) {
            let found = self.store.images_with_ids(ids).await?;
            if let Some(missing) = ids.iter().find(|id| found.iter().all(|image| image.id != **id)) {
                return Err(StudioError::NoSuchImage(missing.clone()));
            }
        }
        Ok(())
    }

    /// Makes a collection.
    ///
    /// # Errors
    /// [`StudioError::CollectionExists`], [`StudioError::Value`], and what the store reports.
    pub async fn add_collection(&self, name: &str, now: Timestamp) -> StudioResult<()> {
        plain("the name of a collection", name)?;
        let name = name.trim();
        let made = self.store.add_collection(name, now).await?;
        if made { Ok(()) } else { Err(StudioError::CollectionExists(name.to_owned())) }
    }

    /// Gives a collection another name.
    ///
    /// # Errors
    /// [`StudioError::NoSuchCollection`], [`StudioError::CollectionExists`], [`StudioError::Value`], and what
    /// the store reports.
    pub async fn rename_collection(&self, name: &str, to: &str) -> StudioResult<()> {
        plain("the name of a collection", to)?;
        let to = to.trim();
        if self.store.rename_collection(name, to).await? {
            return Ok(());
        }
        let named = |names: Vec<Collection>| names.iter().any(|collection| collection.name == name);
        // Nothing was renamed: either there is no such collection, or another has the new name.
        let mut after = None;
        loop {
            let page = self.store.collections(after.as_deref(), 1_000).await?;
            let Some(last) = page.last().map(|collection| collection.name.clone()) else {
                return Err(StudioError::NoSuchCollection(name.to_owned()));
            };
            if named(page) {
                return Err(StudioError::CollectionExists(to.to_owned()));
            }
            after = Some(last);
        }
    }

    /// Removes a collection. Its images stay.
    ///
    /// # Errors
    /// [`StudioError::NoSuchCollection`], and what the store reports.
    pub async fn remove_collection(&self, name: &str) -> StudioResult<()> {
        let removed = self.store.remove_collection(name).await?;
        if removed { Ok(()) } else { Err(StudioError::NoSuchCollection(name.to_owned())) }
    }

    /// A page of the collections, by name, after this one.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn collections(&self, after: Option<&str>, limit: usize) -> StudioResult<Vec<Collection>> {
        Ok(self.store.collections(after, limit).await?)
    }

    /// A page of the tags that images have, by name, after this one.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn tags(&self, after: Option<&str>, limit: usize) -> StudioResult<Vec<TagCount>> {
        Ok(self.store.image_tags(after, limit).await?)
    }
}

/// The vector of an image's words.
async fn embed(embedder: &Arc<dyn TextEmbedder>, words: String, hash: &str) -> StudioResult<NewVector> {
    let (embedder, hash) = (Arc::clone(embedder), hash.to_owned());
    let vectors =
        blocking(move || embedder.embed(&[words]).map(|vectors| (embedder.id().to_string(), vectors))).await?;
    let (embedder, vectors) = vectors?;
    let vector = vectors.first().ok_or(atelier_embed::EmbedError::EmptyVector)?;
    Ok(NewVector { embedder, space: VectorSpace::Text, made_of: hash, bytes: vector.to_bytes() })
}
