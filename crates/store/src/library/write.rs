//! Adding, changing and removing images.

use std::sync::Arc;

use super::changes::{log_put, log_remove};
use super::collections::join_collections;
use super::records::{Added, Image, NewImage, NewVector, VectorSpace};
use super::sources::put_source;
use super::vectors::put_vector;
use crate::database::{Statement, Written};
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::{LIBRARY, Store, never};
use crate::trash::{ToTrash, TrashKind};

impl Store {
    /// Takes an image in, with its tags, collections, vectors and source, all or nothing. Call it for many
    /// images at the same time: they then share a commit. Its object must be durable before, and
    /// [`Store::share_objects`] held from before it was written until this returns.
    pub async fn add_image(&self, new: NewImage) -> StoreResult<Added> {
        let NewImage { image, vectors, source } = new;
        let being_deleted = Statement::new("SELECT 1 FROM library_garbage WHERE hash = $1").bind(&*image.hash);
        // A refusal is known by its place: 0 means garbage, 1 a taken id or content.
        let mut batch = vec![being_deleted.must_miss(), insert(self.owner(), &image)];
        batch.extend(join(&image));
        batch.extend(vectors.into_iter().map(|vector| put_vector(&image.id, vector)));
        batch.extend(source.clone().map(|source| put_source(&image.id, source)));
        batch.extend(log_put(&image.id));
        match self.write_in(LIBRARY, batch).await? {
            Written::Done(_) => Ok(Added::New),
            Written::Refused { statement: 0, .. } => Ok(Added::BeingDeleted),
            Written::Refused { statement: 1, .. } => {
                let query = Statement::new("SELECT id FROM images WHERE hash = $1").bind(&*image.hash);
                let same = rows(self.query(query).await?, |row| row.columns().text())?.pop();
                let Some(same) = same else { return Ok(Added::IdTaken) };
                if let Some(source) = source {
                    self.put_image_sources(vec![(same.clone(), source)]).await?;
                }
                Ok(Added::SameContent { image: same })
            }
            Written::Refused { statement, rows } => Err(never(statement, rows)),
        }
    }

    /// Puts a changed image in the place of the one that was read: its caption, category, scores,
    /// attributes, tags, collections, provenance and the hash of its words. `text` is the vector of those
    /// words, if there is one by now. False, and nothing changed, if the image was changed or removed since
    /// it was read: read it again.
    pub async fn replace_image(&self, image: &Image, text: Option<NewVector>) -> StoreResult<bool> {
        let mut batch = vec![update(image)];
        for table in ["image_tags", "image_collections"] {
            batch.push(Statement::new(format!("DELETE FROM {table} WHERE image = $1")).bind(&*image.id));
        }
        batch.extend(join(image));
        // A vector of other words no longer stands for this image.
        batch.push(
            Statement::new("DELETE FROM image_vectors WHERE image = $1 AND space = $2 AND made_of <> $3")
                .bind(&*image.id)
                .bind(VectorSpace::Text.as_str())
                .bind(image.text_hash.as_deref().unwrap_or_default()),
        );
        batch.extend(text.map(|text| put_vector(&image.id, text)));
        batch.extend(log_put(&image.id));
        match self.write_in(LIBRARY, batch).await? {
            Written::Done(_) => Ok(true),
            Written::Refused { statement: 0, .. } => Ok(false),
            Written::Refused { statement, rows } => Err(never(statement, rows)),
        }
    }

    /// Removes an image and all that belongs to it into the trash; its objects stay until that is emptied. False if there
    /// is none.
    pub async fn remove_image(&self, image: &str) -> StoreResult<bool> {
        let image: Arc<str> = image.into();
        let note = "SELECT i.id AS name, coalesce(i.caption, i.filename) AS label, i.owner AS owner, 1 AS items \
             FROM images i WHERE i.id = $4";
        let of = [&*image];
        let trash = ToTrash::note(TrashKind::Image, note, &of, true)
            .copy("images", "id = $2", &of)
            .copy("image_tags", "image = $2", &of)
            .copy("image_collections", "image = $2", &of)
            .copy("image_vectors", "image = $2", &of)
            .copy("image_sources", "image = $2", &of);
        let mut batch = trash.batch;
        batch.push(Statement::new("DELETE FROM images WHERE id = $1").bind(&image).must_hit());
        batch.extend(log_remove(&image));
        Ok(matches!(self.write_in(LIBRARY, batch).await?, Written::Done(_)))
    }

    /// The hashes of removed images whose objects are still to be deleted, at most `limit`. Lease
    /// [`Store::own_objects`] from before this until [`Store::garbage_deleted`].
    pub async fn garbage(&self, limit: usize) -> StoreResult<Vec<String>> {
        let query = Statement::new("SELECT hash FROM library_garbage ORDER BY hash LIMIT $1").bind(limit);
        rows(self.query(query).await?, |row| row.columns().text())
    }

    /// Forgets these hashes, whose objects are deleted.
    pub async fn garbage_deleted(&self, hashes: &[String]) -> StoreResult<()> {
        let forget = |hash: &String| Statement::new("DELETE FROM library_garbage WHERE hash = $1").bind(hash.as_str());
        self.apply(hashes.iter().map(forget).collect(), never).await.map(|_| ())
    }
}

/// Adds the image's row. It is refused where its id or its content is there already.
fn insert(owner: &str, image: &Image) -> Statement {
    Statement::new(
        "INSERT INTO images (id, hash, filename, caption, category, tone_score, angle_score, attributes, width, \
         height, format, bytes, palette, phash, taken_at, added_at, updated_at, uploader, source, provenance, \
         text_hash, owner, revision) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, 1) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&*image.id)
    .bind(&*image.hash)
    .bind(&*image.filename)
    .bind(image.caption.as_deref())
    .bind(image.category.as_deref())
    .bind(image.tone_score)
    .bind(image.angle_score)
    .bind(attributes(image))
    .bind(image.width)
    .bind(image.height)
    .bind(&*image.format)
    .bind(image.bytes)
    .bind(serde_json::Value::from(image.palette.clone()).to_string())
    .bind(image.phash.cast_signed())
    .bind(image.taken_at)
    .bind(image.added_at)
    .bind(image.updated_at)
    .bind(image.uploader.as_deref())
    .bind(image.source.as_deref())
    .bind(image.provenance.as_ref().map(serde_json::Value::to_string))
    .bind(image.text_hash.as_deref())
    .bind(owner)
    .must_hit()
}

/// Changes the image's row, if it is still the one that was read.
fn update(image: &Image) -> Statement {
    Statement::new(
        "UPDATE images SET caption = $1, category = $2, tone_score = $3, angle_score = $4, attributes = $5, \
         provenance = $6, text_hash = $7, updated_at = $8, revision = revision + 1 WHERE id = $9 AND revision = $10",
    )
    .bind(image.caption.as_deref())
    .bind(image.category.as_deref())
    .bind(image.tone_score)
    .bind(image.angle_score)
    .bind(attributes(image))
    .bind(image.provenance.as_ref().map(serde_json::Value::to_string))
    .bind(image.text_hash.as_deref())
    .bind(image.updated_at)
    .bind(&*image.id)
    .bind(image.revision)
    .must_hit()
}

/// Gives the image its tags and puts it into its collections.
fn join(image: &Image) -> Vec<Statement> {
    let tag = |tag: &String| {
        Statement::new("INSERT INTO image_tags (image, tag) VALUES ($1, $2) ON CONFLICT (image, tag) DO NOTHING")
            .bind(&*image.id)
            .bind(tag.as_str())
    };
    let mut batch: Vec<Statement> = image.tags.iter().map(tag).collect();
    batch.extend(join_collections(&image.id, &image.collections, image.updated_at));
    batch
}

fn attributes(image: &Image) -> String {
    serde_json::Value::Object(image.attributes.clone()).to_string()
}
