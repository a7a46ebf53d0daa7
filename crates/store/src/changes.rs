//! What became different, in order: the log that everyone who watches follows.

use std::time::Duration;

use crate::database::{Row, Statement};
use crate::error::{StoreError, StoreResult};
use crate::journal::rows;
use crate::store::{Store, never};

/// Other processes' changes are looked for so often.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// So many of the last changes are kept.
const KEPT: u64 = 200_000;

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number: the order in which changes became durable. Numbers only grow, and none is used twice.
    pub number: u64,
    /// What changed.
    pub what: Changed,
}

/// What changed. The row is read when it is needed, and may have changed again by then; that is a change of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// A job: its state, its settings, or that there is one.
    Job(String),
    /// Items of a job, by their places: they have ended, or are to be asked for again.
    Items {
        /// The job.
        job: String,
        /// The places.
        seqs: Vec<u64>,
    },
    /// A generated image, or that it is gone.
    Image(String),
    /// A draft, or that it is gone.
    Draft(String),
    /// What is used or known of a pool's limits.
    Quota(String),
    /// An image of the library, or that it is gone.
    Library(String),
}

impl Store {
    /// The changes after this one, at most `limit`, in their order. Whoever reads until there are none has missed
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError::ChangesForgotten`] if what came next is not kept any more; what the database reports.
    pub async fn changes(&self, after: u64, limit: usize) -> StoreResult<Vec<Change>> {
        let forgotten = Statement::new("SELECT number FROM scopes WHERE scope = 'changes-forgotten'");
        let query =
            Statement::new("SELECT number, topic, key, detail FROM changes WHERE number > $1 ORDER BY number LIMIT $2");
        let mut answers = self.read(vec![forgotten, query.bind(after).bind(limit)]).await?.into_iter();
        let forgotten = rows(answers.next().unwrap_or_default(), |row| row.columns().count())?.into_iter().sum();
        if after < forgotten {
            return Err(StoreError::ChangesForgotten { after, forgotten });
        }
        rows(answers.next().unwrap_or_default(), change)
    }

    /// Waits for changes after this one, and returns them: those of this process at once, those of others within a
    /// tenth of a second.
    ///
    /// # Errors
    /// As [`Store::changes`].
    pub async fn next_changes(&self, after: u64, limit: usize) -> StoreResult<Vec<Change>> {
        let mut written = self.written();
        loop {
            written.borrow_and_update();
            let changes = self.changes(after, limit).await?;
            if !changes.is_empty() {
                return Ok(changes);
            }
            tokio::select! {
                _ = written.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Forgets all changes but so many of the last.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn forget_changes(&self, kept: u64) -> StoreResult<()> {
        self.apply(forget_all_but(kept).into(), never).await.map(|_| ())
    }

    /// The number of the last change, 0 if there was none.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn last_change(&self) -> StoreResult<u64> {
        let query = Statement::new("SELECT number FROM scopes WHERE scope = 'changes'");
        Ok(rows(self.query(query).await?, |row| row.columns().count())?.into_iter().sum())
    }
}

/// Logs that items of a job changed. The number is taken in the batch that changes them, from a row that it keeps to
/// itself until it is done: so numbers become durable in their order, whoever writes.
pub(crate) fn log_items(job: &str, seqs: &str) -> [Statement; 2] {
    log("items", job, Some(seqs))
}

/// Logs that what is used of a pool's limits changed.
pub(crate) fn log_quota(pool: &str) -> [Statement; 2] {
    log("quota", pool, None)
}

fn log(topic: &'static str, key: &str, detail: Option<&str>) -> [Statement; 2] {
    [
        Statement::new("UPDATE scopes SET number = number + 1 WHERE scope = 'changes'"),
        Statement::new(
            "INSERT INTO changes (number, topic, key, detail) SELECT number, $1, $2, $3 FROM scopes WHERE scope = 'changes'",
        )
        .bind(topic)
        .bind(key)
        .bind(detail),
    ]
}

/// Forgets changes of long ago.
pub(crate) fn forget_old() -> [Statement; 2] {
    forget_all_but(KEPT)
}

fn forget_all_but(kept: u64) -> [Statement; 2] {
    [
        Statement::new(
            "UPDATE scopes SET number = (SELECT CASE WHEN c.number > $1 THEN c.number - $1 ELSE 0 END FROM scopes c \
             WHERE c.scope = 'changes') WHERE scope = 'changes-forgotten'",
        )
        .bind(kept),
        Statement::new(
            "DELETE FROM changes WHERE number <= (SELECT number FROM scopes WHERE scope = 'changes-forgotten')",
        ),
    ]
}

fn change(row: Row) -> StoreResult<Change> {
    let mut columns = row.columns();
    let (number, topic, key) = (columns.count()?, columns.shared()?, columns.text()?);
    let what = match &*topic {
        "job" => Changed::Job(key),
        "items" => {
            let seqs = serde_json::from_str(&columns.text()?).map_err(|error| StoreError::Unexpected {
                detail: format!("change {number} names no items: {error}"),
            })?;
            Changed::Items { job: key, seqs }
        }
        "image" => Changed::Image(key),
        "draft" => Changed::Draft(format!("d{key}")),
        "quota" => Changed::Quota(key),
        "library" => Changed::Library(key),
        other => return Err(StoreError::Unexpected { detail: format!("'{other}' is no topic of changes") }),
    };
    Ok(Change { number, what })
}
