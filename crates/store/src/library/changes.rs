//! The log of changes, which indexes of the library follow.

use crate::database::{Row, Statement};
use crate::error::{StoreError, StoreResult};
use crate::journal::rows;
use crate::store::Store;

/// A change of the library. An image has one, its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryChange {
    /// Its number. Numbers only grow, and no two changes share one.
    pub seq: u64,
    /// Id of the image.
    pub image: String,
    /// The kind of change.
    pub kind: ChangeKind,
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was added, or something of it changed: a word, a tag, a collection, a vector.
    Put,
    /// It was removed.
    Remove,
}

impl Store {
    /// The changes after this one, 0 for all, in their order. Whoever reads until there are none has seen
    /// the library as it is: a change that a later one of the same image has made void is left out.
    pub async fn library_changes(&self, after: u64, limit: usize) -> StoreResult<Vec<LibraryChange>> {
        let query = Statement::new("SELECT seq, image, kind FROM library_changes WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(after)
            .bind(limit);
        rows(self.query(query).await?, change)
    }

    /// The number of the last change, 0 if there was none.
    pub async fn last_library_change(&self) -> StoreResult<u64> {
        let query = Statement::new("SELECT coalesce(max(seq), 0) FROM library_changes");
        Ok(rows(self.query(query).await?, |row| row.columns().count())?.into_iter().sum())
    }
}

/// Logs that an image changed, and drops its last change: the log has one row an image, at most. Of an image that
/// is gone nothing is logged.
pub(crate) fn log_put(image: &str) -> [Statement; 2] {
    [
        Statement::new("DELETE FROM library_changes WHERE image = $1 AND EXISTS (SELECT 1 FROM images WHERE id = $1)")
            .bind(image),
        Statement::new("INSERT INTO library_changes (image, kind) SELECT id, 'put' FROM images WHERE id = $1")
            .bind(image),
    ]
}

/// Logs that an image was removed, and drops its last change.
pub(super) fn log_remove(image: &str) -> [Statement; 2] {
    [
        Statement::new("DELETE FROM library_changes WHERE image = $1").bind(image),
        Statement::new("INSERT INTO library_changes (image, kind) VALUES ($1, 'remove')").bind(image),
    ]
}

fn change(row: Row) -> StoreResult<LibraryChange> {
    let mut columns = row.columns();
    Ok(LibraryChange {
        seq: columns.count()?,
        image: columns.text()?,
        kind: match &*columns.shared()? {
            "put" => ChangeKind::Put,
            "remove" => ChangeKind::Remove,
            other => return Err(StoreError::Unexpected { detail: format!("'{other}' is no kind of change") }),
        },
    })
}
