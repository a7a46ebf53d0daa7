//! The trash: what was deleted is kept for a time, and can be had back.
//!
//! Rows go to the twin of their table, under the id of the deletion, and come back from there. Objects stay where they are
//! until the trash is emptied of what names them.

use std::time::Duration;

use atelier_engine::Timestamp;

use crate::cursor::Cursor;
use crate::database::{Row, Statement, Value, Written};
use crate::error::{StoreError, StoreResult};
use crate::journal::rows;
use crate::library::{log_members, log_put};
use crate::projects::must_exist;
use crate::store::{CLAIMS, LIBRARY, Store};

/// How long what was deleted is kept.
pub const TRASH_KEEPS: Duration = Duration::from_secs(30 * 86_400);

/// The columns of an entry, and how many are forgotten in one go.
/// What somebody may see: what they deleted that was theirs, and what was in the library, which is everybody's.
const SEEN: &str = "owner = ? OR kind IN ('image', 'collection')";

const ENTRY: &str = "id, kind, name, label, owner, items, deleted_at";
const GROUP: usize = 100;

/// What was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrashKind {
    /// An image of the library.
    Image,
    /// A collection; its images are in the library still.
    Collection,
    /// An image that was made.
    MadeImage,
    /// Posts, with their scores, answers and drafts.
    Posts,
    /// A project with its posts.
    Project,
}

/// A table whose rows go to the trash, and its columns.
struct Twin {
    table: &'static str,
    columns: &'static str,
}

const IMAGES: Twin = Twin {
    table: "images",
    columns: "id, hash, filename, caption, category, tone_score, angle_score, attributes, width, height, format, bytes, \
        palette, phash, taken_at, added_at, updated_at, uploader, source, provenance, text_hash, revision, owner",
};
const IMAGE_TAGS: Twin = Twin { table: "image_tags", columns: "image, tag" };
const IMAGE_COLLECTIONS: Twin = Twin { table: "image_collections", columns: "image, collection" };
const IMAGE_VECTORS: Twin = Twin { table: "image_vectors", columns: "embedder, space, image, made_of, bytes" };
const IMAGE_SOURCES: Twin = Twin { table: "image_sources", columns: "path, bytes, modified_at, image, likeness" };
const COLLECTIONS: Twin = Twin { table: "collections", columns: "name, created_at" };
const MADE_IMAGES: Twin = Twin {
    table: "made_images",
    columns: "id, generation, side, place, model, job, seq, state, kind, message, attempts, hash, format, width, height, \
        bytes, cost, cost_estimated, provenance, liked, note, promoted, created_at, made_at, written",
};
const PROJECTS: Twin = Twin { table: "projects", columns: "name, finder, created_at, updated_at, owner, shared" };
const POSTS: Twin = Twin {
    table: "posts",
    columns: "project, id, text, author, followers, posted_at, likes, replies, reposts, views, lang, url, revision, \
        updated_at, owner",
};
const SCORES: Twin = Twin {
    table: "scores",
    columns: "project, post, velocity, relevance, openness, author_quality, total, label, topic, detail, embedder, \
        scored_at",
};
const ANSWERS: Twin = Twin { table: "answers", columns: "project, post, job, status, detail, at" };
const DRAFTS: Twin = Twin {
    table: "drafts",
    columns: "number, project, post, job, kind, rank, text, status, rejected_by, reason, created_at, updated_at",
};

const POST_CLAIMS: Twin = Twin { table: "claims", columns: "project, post, job" };

/// The tables whose rows belong to a post. Drafts come back before the answers by which it is known whether they may.
pub(crate) const OF_POSTS: [&str; 3] = ["scores", "drafts", "answers"];

impl TrashKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Image, Self::Collection, Self::MadeImage, Self::Posts, Self::Project];

    /// Its name: in the database, in lists, and as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Collection => "collection",
            Self::MadeImage => "made-image",
            Self::Posts => "posts",
            Self::Project => "project",
        }
    }

    /// The kind of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its tables, those that others refer to first.
    const fn twins(self) -> &'static [Twin] {
        match self {
            Self::Image => &[IMAGES, IMAGE_TAGS, IMAGE_COLLECTIONS, IMAGE_VECTORS, IMAGE_SOURCES],
            Self::Collection => &[COLLECTIONS, IMAGE_COLLECTIONS],
            Self::MadeImage => &[MADE_IMAGES],
            Self::Posts => &[POSTS, SCORES, DRAFTS, ANSWERS],
            Self::Project => &[PROJECTS, POSTS, SCORES, DRAFTS, ANSWERS, POST_CLAIMS],
        }
    }
}

/// Something that was deleted and can be had back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// The id of the deletion.
    pub id: String,
    /// What it is.
    pub kind: TrashKind,
    /// What it is called: an id, or a name.
    pub name: String,
    /// By what a person knows it: a caption, a prompt, the beginning of a text.
    pub label: String,
    /// Who owned it.
    pub owner: String,
    /// How many things of its kind.
    pub items: u64,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

impl Trashed {
    /// Its place in the list.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.deleted_at.as_micros(), &self.id)
    }
}

/// The statements that note a deletion and copy what is deleted; the rows themselves are for the caller to delete.
pub(crate) struct ToTrash {
    id: String,
    pub(crate) batch: Vec<Statement>,
}

impl ToTrash {
    /// Notes a deletion: `select` gives name, label, owner and number of items of it, one row, or none if there is nothing
    /// to delete. With `must`, the batch is undone then.
    pub(crate) fn note(kind: TrashKind, select: &str, values: &[&str], must: bool) -> Self {
        let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(10).collect();
        let id = format!("del-{}", random.to_lowercase());
        let sql = format!(
            "INSERT INTO trash (id, kind, name, label, owner, items, deleted_at) SELECT $1, $2, x.name, \
             substr(x.label, 1, 120), x.owner, x.items, $3 FROM ({select}) x WHERE x.items > 0"
        );
        let note = Statement::new(sql).bind(id.as_str()).bind(kind.name()).bind(Value::Now);
        let note = values.iter().fold(note, |note, value| note.bind(*value));
        Self { id, batch: vec![if must { note.must_hit() } else { note }] }
    }

    /// Copies the rows of a table that pass the condition, whose values begin at `$2`, if the deletion was noted.
    pub(crate) fn copy(mut self, table: &str, condition: &str, values: &[&str]) -> Self {
        let twins = TrashKind::ALL.into_iter().flat_map(TrashKind::twins);
        if let Some(Twin { table, columns }) = twins.into_iter().find(|twin| twin.table == table) {
            let sql = format!(
                "INSERT INTO trash_{table} (trash, {columns}) SELECT $1, {columns} FROM {table} WHERE {condition} \
                 AND EXISTS (SELECT 1 FROM trash WHERE trash.id = $1)"
            );
            let copy = Statement::new(sql).bind(self.id.as_str());
            self.batch.push(values.iter().fold(copy, |copy, value| copy.bind(*value)));
        }
        self
    }
}

impl Store {
    /// A page of what is in the trash, the latest first.
    pub async fn trash(&self, after: Option<&Cursor>, limit: usize) -> StoreResult<Vec<Trashed>> {
        let (at, id) = after.map_or(Ok((i64::MAX, "")), Cursor::parts)?;
        let mut query = Statement::new("").bind(at).bind(id).bind(limit);
        let hiding = self.hiding(SEEN, &mut query.values);
        query.sql = format!(
            "SELECT {ENTRY} FROM trash WHERE deleted_at <= $1 AND (deleted_at < $1 OR id < $2){hiding} \
             ORDER BY deleted_at DESC, id DESC LIMIT $3"
        )
        .into();
        rows(self.query(query).await?, trashed)
    }

    /// What was deleted under this id, if it is there still.
    pub async fn trashed(&self, id: &str) -> StoreResult<Option<Trashed>> {
        let mut query = Statement::new("").bind(id);
        let hiding = self.hiding(SEEN, &mut query.values);
        query.sql = format!("SELECT {ENTRY} FROM trash WHERE id = $1{hiding}").into();
        Ok(rows(self.query(query).await?, trashed)?.pop())
    }

    /// Puts back what was deleted.
    ///
    /// # Errors
    /// [`StoreError::NotInTrash`]; [`StoreError::NotRestorable`] if something is in its place by now, or what it was part
    /// of is gone.
    pub async fn restore(&self, id: &str) -> StoreResult<Trashed> {
        let found = self.trashed(id).await?.ok_or_else(|| StoreError::NotInTrash { id: id.to_owned() })?;
        let mut batch = vec![Statement::new("DELETE FROM trash WHERE id = $1").bind(id).must_hit()];
        let scope = match found.kind {
            TrashKind::Image | TrashKind::Collection | TrashKind::MadeImage => LIBRARY,
            TrashKind::Posts | TrashKind::Project => CLAIMS,
        };
        match found.kind {
            TrashKind::Posts => batch.push(must_exist(&found.name)),
            TrashKind::MadeImage => batch.push(
                Statement::new(
                    "SELECT 1 FROM generations g JOIN trash_made_images t ON t.generation = g.id WHERE t.trash = $1",
                )
                .bind(id)
                .must_hit(),
            ),
            TrashKind::Image => batch.push(
                Statement::new(
                    "INSERT INTO collections (name, created_at) SELECT DISTINCT collection, $2 \
                     FROM trash_image_collections WHERE trash = $1 ON CONFLICT (name) DO NOTHING",
                )
                .bind(id)
                .bind(Value::Now),
            ),
            TrashKind::Collection | TrashKind::Project => {}
        }
        let guards = batch.len();
        // Members come back into a collection that there is again.
        let must = found.kind != TrashKind::Collection;
        for (place, Twin { table, columns }) in found.kind.twins().iter().enumerate() {
            let there = match (found.kind, *table) {
                // What an image was part of may be gone: a collection's images that were deleted since.
                (TrashKind::Collection, "image_collections") => " AND image IN (SELECT id FROM images)",
                // A post that came back by an import may have been answered again.
                (TrashKind::Posts | TrashKind::Project, "scores" | "drafts" | "answers") => {
                    " AND NOT EXISTS (SELECT 1 FROM answers a WHERE a.project = t.project AND a.post = t.post)"
                }
                _ => "",
            };
            let sql = format!(
                "INSERT INTO {table} ({columns}) SELECT {columns} FROM trash_{table} t WHERE t.trash = $1{there} \
                 ON CONFLICT DO NOTHING"
            );
            let insert = Statement::new(sql).bind(id);
            batch.push(if place == 0 && must { insert.must_hit() } else { insert });
        }
        batch.extend(forget_rows(found.kind, id));
        match found.kind {
            TrashKind::Image => batch.extend(log_put(&found.name)),
            TrashKind::Collection => batch.extend(log_members(&found.name)),
            _ => {}
        }
        match self.write_in(scope, batch).await? {
            Written::Done(_) => Ok(found),
            Written::Refused { statement: 0, .. } => Err(StoreError::NotInTrash { id: id.to_owned() }),
            Written::Refused { statement, .. } => {
                let taken = statement >= guards;
                Err(StoreError::NotRestorable { kind: found.kind.name(), name: found.name, taken })
            }
        }
    }

    /// Forgets for good what was deleted before a moment, or all; how many deletions. Objects that are nobody's now are
    /// noted as garbage.
    pub async fn empty_trash(&self, before: Option<Timestamp>) -> StoreResult<u64> {
        let mut emptied = 0;
        loop {
            let query = Statement::new(format!(
                "SELECT {ENTRY} FROM trash WHERE deleted_at <= $1 ORDER BY deleted_at, id LIMIT {GROUP}"
            ));
            let page = rows(self.query(query.bind(before.map_or(i64::MAX, Timestamp::as_micros))).await?, trashed)?;
            if page.is_empty() {
                return Ok(emptied);
            }
            for entry in page {
                let mut batch: Vec<Statement> = note_garbage(entry.kind, &entry.id).into_iter().collect();
                batch.extend(forget_rows(entry.kind, &entry.id));
                batch.push(Statement::new("DELETE FROM trash WHERE id = $1").bind(entry.id.as_str()));
                self.apply_in(LIBRARY, batch, crate::store::never).await?;
                emptied += 1;
            }
        }
    }

    /// The hashes of made images whose objects are still to be deleted, at most `limit`. Lease [`Store::own_objects`]
    /// from before this until [`Store::made_garbage_deleted`].
    pub async fn made_garbage(&self, limit: usize) -> StoreResult<Vec<String>> {
        let query = Statement::new("SELECT hash FROM made_garbage ORDER BY hash LIMIT $1").bind(limit);
        rows(self.query(query).await?, |row| row.columns().text())
    }

    /// Forgets these hashes, whose objects are deleted.
    pub async fn made_garbage_deleted(&self, hashes: &[String]) -> StoreResult<()> {
        let forget = |hash: &String| Statement::new("DELETE FROM made_garbage WHERE hash = $1").bind(hash.as_str());
        self.apply(hashes.iter().map(forget).collect(), crate::store::never).await.map(|_| ())
    }
}

/// Notes the objects that only this deletion names.
fn note_garbage(kind: TrashKind, id: &str) -> Option<Statement> {
    let (garbage, table) = match kind {
        TrashKind::Image => ("library_garbage", "images"),
        TrashKind::MadeImage => ("made_garbage", "made_images"),
        TrashKind::Collection | TrashKind::Posts | TrashKind::Project => return None,
    };
    let sql = format!(
        "INSERT INTO {garbage} (hash) SELECT t.hash FROM trash_{table} t WHERE t.trash = $1 AND t.hash IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM {table} i WHERE i.hash = t.hash) \
         AND NOT EXISTS (SELECT 1 FROM trash_{table} o WHERE o.hash = t.hash AND o.trash <> t.trash) \
         ON CONFLICT (hash) DO NOTHING"
    );
    Some(Statement::new(sql).bind(id))
}

fn forget_rows(kind: TrashKind, id: &str) -> Vec<Statement> {
    let forget = |twin: &Twin| Statement::new(format!("DELETE FROM trash_{} WHERE trash = $1", twin.table)).bind(id);
    kind.twins().iter().map(forget).collect()
}

fn trashed(row: Row) -> StoreResult<Trashed> {
    let mut columns = row.columns();
    let (id, kind) = (columns.text()?, columns.text()?);
    let kind = TrashKind::from_name(&kind)
        .ok_or_else(|| StoreError::Unexpected { detail: format!("'{kind}' can't be in the trash") })?;
    Ok(Trashed {
        id,
        kind,
        name: columns.text()?,
        label: columns.text()?,
        owner: columns.text()?,
        items: columns.count()?,
        deleted_at: columns.moment()?,
    })
}
