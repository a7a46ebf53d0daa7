//! Vectors of images, and which images have none yet.

use std::collections::HashMap;

use super::changes::log_put;
use super::records::{NewVector, VectorSpace};
use crate::database::{Row, Statement};
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::{LIBRARY, Store, never, places};

/// Vectors are looked up in groups of this size.
const LOOK_UP: usize = 500;

/// An image that has no vector of an embedder in a space, or one that was made of what it no longer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unembedded {
    /// The number of its last change.
    pub change: u64,
    /// Id of the image.
    pub image: String,
    /// The hash of what is to be embedded: of its words for [`VectorSpace::Text`], else of its file.
    pub made_of: String,
}

impl Store {
    /// Keeps vectors of images and logs the images as changed. Of an image that is gone, or that has other
    /// words by now, nothing is kept.
    pub async fn put_image_vectors(&self, vectors: Vec<(String, NewVector)>) -> StoreResult<()> {
        let mut batch = Vec::with_capacity(vectors.len() * 3);
        for (image, vector) in vectors {
            batch.push(put_vector(&image, vector));
            batch.extend(log_put(&image));
        }
        self.apply_in(LIBRARY, batch, never).await.map(|_| ())
    }

    /// The vectors that an embedder made of these images, by image.
    pub async fn image_vectors(
        &self,
        embedder: &str,
        space: VectorSpace,
        images: &[String],
    ) -> StoreResult<HashMap<String, Vec<u8>>> {
        let mut found = HashMap::with_capacity(images.len());
        for images in images.chunks(LOOK_UP) {
            let query = Statement::new(format!(
                "SELECT image, bytes FROM image_vectors WHERE embedder = $1 AND space = $2 AND image IN ({})",
                places(3, images.len())
            ))
            .bind(embedder)
            .bind(space.as_str());
            let query = images.iter().fold(query, |query, image| query.bind(image.as_str()));
            for row in self.query(query).await? {
                let mut columns = row.columns();
                found.insert(columns.text()?, columns.bytes()?);
            }
        }
        Ok(found)
    }

    /// A page of the images that need a vector of this embedder in this space, in the order of their last changes,
    /// after this change, 0 for all: those that have none, or one of words that are no longer theirs. Images without
    /// words need none in [`VectorSpace::Text`].
    pub async fn unembedded_images(
        &self,
        embedder: &str,
        space: VectorSpace,
        after: u64,
        limit: usize,
    ) -> StoreResult<Vec<Unembedded>> {
        let (made_of, lacks) = (made_of(space), lacks(space));
        // CROSS JOIN: the log leads, so that nothing is read of images that have not changed.
        let query = Statement::new(format!(
            "SELECT c.seq, i.id, {made_of} FROM library_changes c CROSS JOIN images i ON i.id = c.image \
             WHERE c.seq > $1 AND {lacks} ORDER BY c.seq LIMIT $4"
        ))
        .bind(after)
        .bind(embedder)
        .bind(space.as_str())
        .bind(limit);
        rows(self.query(query).await?, |row: Row| {
            let mut columns = row.columns();
            Ok(Unembedded { change: columns.count()?, image: columns.text()?, made_of: columns.text()? })
        })
    }

    /// Of the next so many changes after this one: the number of the last, and how many of the images need a vector.
    /// None if there are no more changes.
    pub async fn unembedded_among(
        &self,
        embedder: &str,
        space: VectorSpace,
        after: u64,
        changes: usize,
    ) -> StoreResult<Option<(u64, u64)>> {
        let lacks = lacks(space);
        let query = Statement::new(format!(
            "SELECT coalesce(max(c.seq), 0), count(CASE WHEN {lacks} THEN 1 END) \
             FROM (SELECT seq, image FROM library_changes WHERE seq > $1 ORDER BY seq LIMIT $4) c \
             LEFT JOIN images i ON i.id = c.image"
        ))
        .bind(after)
        .bind(embedder)
        .bind(space.as_str())
        .bind(changes);
        let found = rows(self.query(query).await?, |row: Row| {
            let mut columns = row.columns();
            Ok((columns.count()?, columns.count()?))
        })?;
        Ok(found.into_iter().find(|(last, _)| *last > 0))
    }

    /// Up to which change of the library all images have a vector of this embedder in this space, if they can have
    /// one; 0 if none was recorded.
    pub async fn embedded_up_to(&self, embedder: &str, space: VectorSpace) -> StoreResult<u64> {
        let query = Statement::new("SELECT upto FROM embedded WHERE embedder = $1 AND space = $2")
            .bind(embedder)
            .bind(space.as_str());
        Ok(rows(self.query(query).await?, |row| row.columns().count())?.into_iter().sum())
    }

    /// Records up to which change of the library all images have one.
    pub async fn set_embedded_up_to(&self, embedder: &str, space: VectorSpace, up_to: u64) -> StoreResult<()> {
        let put = Statement::new(
            "INSERT INTO embedded (embedder, space, upto) VALUES ($1, $2, $3) \
             ON CONFLICT (embedder, space) DO UPDATE SET upto = excluded.upto",
        )
        .bind(embedder)
        .bind(space.as_str())
        .bind(up_to);
        self.apply_in(LIBRARY, vec![put], never).await.map(|_| ())
    }

    /// Deletes the vectors of all embedders but these and returns how many there were. At most `limit` go at a
    /// time: call it until it returns 0.
    pub async fn prune_image_vectors(&self, keep: &[String], limit: usize) -> StoreResult<u64> {
        let sql = format!(
            "DELETE FROM image_vectors WHERE (embedder, space, image) IN (\
             SELECT embedder, space, image FROM image_vectors WHERE embedder NOT IN ({}) LIMIT $1)",
            places(2, keep.len())
        );
        let prune = keep.iter().fold(Statement::new(sql).bind(limit), |query, embedder| query.bind(embedder.as_str()));
        let sql = format!("DELETE FROM embedded WHERE embedder NOT IN ({})", places(1, keep.len()));
        let forget = keep.iter().fold(Statement::new(sql), |query, embedder| query.bind(embedder.as_str()));
        // The record goes with the first vectors: it must not claim any that are gone.
        let effects = self.apply_in(LIBRARY, vec![forget, prune], never).await?;
        Ok(effects.last().map_or(0, |pruned| pruned.count))
    }
}

/// The column with the hash of what is embedded for a space.
const fn made_of(space: VectorSpace) -> &'static str {
    match space {
        VectorSpace::Text => "i.text_hash",
        VectorSpace::Look | VectorSpace::Appearance => "i.hash",
    }
}

/// The condition in SQL that the image `i` needs a vector of the embedder `$2` in the space `$3`.
fn lacks(space: VectorSpace) -> String {
    let made_of = made_of(space);
    format!(
        "{made_of} IS NOT NULL AND NOT EXISTS (\
         SELECT 1 FROM image_vectors v WHERE v.embedder = $2 AND v.space = $3 AND v.image = i.id \
         AND v.made_of = {made_of})"
    )
}

pub(super) fn put_vector(image: &str, vector: NewVector) -> Statement {
    Statement::new(
        "INSERT INTO image_vectors (embedder, space, image, made_of, bytes) \
         SELECT $1, $2, id, $3, $4 FROM images WHERE id = $5 AND ($2 <> 'text' OR text_hash = $3) \
         ON CONFLICT (embedder, space, image) DO UPDATE SET made_of = excluded.made_of, bytes = excluded.bytes",
    )
    .bind(vector.embedder)
    .bind(vector.space.as_str())
    .bind(vector.made_of)
    .bind(vector.bytes)
    .bind(image)
}
