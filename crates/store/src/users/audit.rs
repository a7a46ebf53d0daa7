//! The audit log: written with what it is about, only ever added to.

use super::records::{AuditEntry, AuditRecord, audit_record};
use crate::database::Statement;
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::{Store, never};

impl Store {
    /// Notes something that is no change of a row, such as a sign-in that failed.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn note(&self, audit: &AuditEntry) -> StoreResult<()> {
        self.apply(vec![audit.statement()], never).await.map(|_| ())
    }

    /// A page of the log, the latest first: what has a smaller number than `before`.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn audit(&self, before: Option<u64>, limit: usize) -> StoreResult<Vec<AuditRecord>> {
        let query = Statement::new(
            "SELECT number, at, user_id, action, subject, address FROM audit WHERE number < $1 ORDER BY number DESC LIMIT $2",
        )
        .bind(before.unwrap_or(u64::MAX))
        .bind(limit);
        rows(self.query(query).await?, audit_record)
    }
}

impl AuditEntry {
    pub(super) fn statement(&self) -> Statement {
        Statement::new("INSERT INTO audit (at, user_id, action, subject, address) VALUES ($1, $2, $3, $4, $5)")
            .bind(self.at)
            .bind(self.user.as_str())
            .bind(self.action)
            .bind(self.subject.as_str())
            .bind(self.address.as_deref())
    }
}
