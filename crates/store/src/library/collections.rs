//! Collections, and what tags there are.

use atelier_engine::Timestamp;

use super::changes::log_put;
use crate::database::{Row, Statement, Written};
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::{LIBRARY, Store, never};
use crate::trash::{ToTrash, TrashKind};

/// Images are taken out of a collection, and logged, in groups of this size.
const GROUP: usize = 500;

/// A collection of images. An image may be in several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Its name, which no other has.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// How many images are in it.
    pub images: u64,
}

/// A tag, and how many images have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagCount {
    /// The tag.
    pub tag: String,
    /// How many images have it.
    pub images: u64,
}

impl Store {
    /// Makes a collection. False if there is one of that name.
    pub async fn add_collection(&self, name: &str, now: Timestamp) -> StoreResult<bool> {
        Ok(matches!(self.write_in(LIBRARY, vec![insert(name, now).must_hit()]).await?, Written::Done(_)))
    }

    /// A page of the collections, by name, after this one.
    pub async fn collections(&self, after: Option<&str>, limit: usize) -> StoreResult<Vec<Collection>> {
        let query = Statement::new(
            "SELECT name, created_at, (SELECT count(*) FROM image_collections WHERE collection = name) \
             FROM collections WHERE name > $1 ORDER BY name LIMIT $2",
        )
        .bind(after.unwrap_or_default())
        .bind(limit);
        rows(self.query(query).await?, |row: Row| {
            let mut columns = row.columns();
            Ok(Collection { name: columns.text()?, created_at: columns.moment()?, images: columns.count()? })
        })
    }

    /// Gives a collection another name. Its images are logged as changed. False if there is no such
    /// collection, or if the other name is taken.
    pub async fn rename_collection(&self, name: &str, to: &str) -> StoreResult<bool> {
        let rename = Statement::new(
            "UPDATE collections SET name = $1 WHERE name = $2 \
             AND NOT EXISTS (SELECT 1 FROM collections WHERE name = $1)",
        )
        .bind(to)
        .bind(name)
        .must_hit();
        let mut batch = vec![rename];
        batch.extend(log_members(to));
        Ok(matches!(self.write_in(LIBRARY, batch).await?, Written::Done(_)))
    }

    /// Removes a collection into the trash; its images stay, and are logged as changed. False if there is none.
    pub async fn remove_collection(&self, name: &str) -> StoreResult<bool> {
        let note = "SELECT c.name AS name, c.name AS label, 'local' AS owner, 1 AS items FROM collections c \
             WHERE c.name = $4";
        let trash = ToTrash::note(TrashKind::Collection, note, &[name], true)
            .copy("collections", "name = $2", &[name])
            .copy("image_collections", "collection = $2", &[name]);
        if !matches!(self.write_in(LIBRARY, trash.batch).await?, Written::Done(_)) {
            return Ok(false);
        }
        // A collection of a million images is emptied step by step, so that others can write between.
        loop {
            let query = Statement::new("SELECT image FROM image_collections WHERE collection = $1 LIMIT $2")
                .bind(name)
                .bind(GROUP);
            let images = rows(self.query(query).await?, |row| row.columns().text())?;
            if images.is_empty() {
                break;
            }
            let mut batch = Vec::with_capacity(images.len() * 3);
            for image in images {
                batch.push(
                    Statement::new("DELETE FROM image_collections WHERE image = $1 AND collection = $2")
                        .bind(image.as_str())
                        .bind(name),
                );
                batch.extend(log_put(&image));
            }
            self.apply_in(LIBRARY, batch, never).await?;
        }
        // What has come in since is logged with it.
        let mut batch = Vec::from(log_members(name));
        batch.push(Statement::new("DELETE FROM collections WHERE name = $1").bind(name).must_hit());
        Ok(matches!(self.write_in(LIBRARY, batch).await?, Written::Done(_)))
    }

    /// A page of the tags that images have, by name, after this one.
    pub async fn image_tags(&self, after: Option<&str>, limit: usize) -> StoreResult<Vec<TagCount>> {
        let query =
            Statement::new("SELECT tag, count(*) FROM image_tags WHERE tag > $1 GROUP BY tag ORDER BY tag LIMIT $2")
                .bind(after.unwrap_or_default())
                .bind(limit);
        rows(self.query(query).await?, |row: Row| {
            let mut columns = row.columns();
            Ok(TagCount { tag: columns.text()?, images: columns.count()? })
        })
    }
}

/// Puts an image into collections, which are made where there are none.
pub(super) fn join_collections(image: &str, collections: &[String], now: Timestamp) -> Vec<Statement> {
    let mut batch = Vec::with_capacity(collections.len() * 2);
    for name in collections {
        batch.push(insert(name, now));
        batch.push(
            Statement::new(
                "INSERT INTO image_collections (image, collection) VALUES ($1, $2) \
                 ON CONFLICT (image, collection) DO NOTHING",
            )
            .bind(image)
            .bind(name.as_str()),
        );
    }
    batch
}

fn insert(name: &str, now: Timestamp) -> Statement {
    Statement::new("INSERT INTO collections (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(now)
}

/// Logs all images of a collection as changed.
pub(crate) fn log_members(collection: &str) -> [Statement; 2] {
    [
        Statement::new(
            "DELETE FROM library_changes \
             WHERE image IN (SELECT image FROM image_collections WHERE collection = $1)",
        )
        .bind(collection),
        Statement::new(
            "INSERT INTO library_changes (image, kind) \
             SELECT image, 'put' FROM image_collections WHERE collection = $1 ORDER BY image",
        )
        .bind(collection),
    ]
}
