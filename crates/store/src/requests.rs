//! Requests that cost something, each with the job that came of it: sent again, they are that job, and nothing is paid
//! twice.

use atelier_engine::{JobId, Timestamp};

use crate::database::Statement;
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::Store;

/// By what a request is known when it comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// What whoever asks has chosen for it.
    pub key: String,
    /// The hash of what is asked for: the same key with something else is a mistake.
    pub body: String,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredRequest {
    /// The hash of what was asked for.
    pub body: String,
    /// The job.
    pub job: JobId,
}

impl RequestKey {
    pub(crate) fn insert(&self, user: &str, job: &JobId, now: Timestamp) -> Statement {
        Statement::new(
            "INSERT INTO requests (user_id, key, body, job, created_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING",
        )
        .bind(user)
        .bind(self.key.as_str())
        .bind(self.body.as_str())
        .bind(job)
        .bind(now)
        .must_hit()
    }
}

impl Store {
    /// What came of a request of this store's owner, if it was sent before.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn answered_request(&self, key: &str) -> StoreResult<Option<AnsweredRequest>> {
        let query = Statement::new("SELECT body, job FROM requests WHERE user_id = $1 AND key = $2");
        let found = self.query(query.bind(self.owner()).bind(key)).await?;
        let found = rows(found, |row| {
            let mut columns = row.columns();
            Ok(AnsweredRequest { body: columns.text()?, job: columns.shared()? })
        })?;
        Ok(found.into_iter().next())
    }
}
