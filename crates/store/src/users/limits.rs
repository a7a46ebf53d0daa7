//! Limits that an administrator has set for pools.

use atelier_engine::{Limit, PoolId, Timestamp};

use super::records::AuditEntry;
use crate::database::Statement;
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::{Store, never};

/// The limits of a pool, as an administrator has set them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsSet {
    /// The pool: `PROVIDER/ACCOUNT/MODEL`.
    pub pool: PoolId,
    /// All of them: those that the configuration has for the pool do not count.
    pub limits: Vec<Limit>,
    /// When they were set.
    pub set_at: Timestamp,
    /// The id of the user who set them.
    pub set_by: String,
}

impl Store {
    /// The limits that were set, by pool.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn limits_set(&self) -> StoreResult<Vec<LimitsSet>> {
        let query = "SELECT pool, limits, set_at, set_by FROM limits_set ORDER BY pool";
        rows(self.query(Statement::new(query)).await?, |row| {
            let mut columns = row.columns();
            let (pool, limits) = (columns.shared()?, columns.text()?);
            let limits: Vec<String> = serde_json::from_str(&limits).unwrap_or_default();
            Ok(LimitsSet {
                pool,
                // What was written by a later version and is not understood is no limit here.
                limits: limits.iter().filter_map(|limit| limit.parse().ok()).collect(),
                set_at: columns.moment()?,
                set_by: columns.text()?,
            })
        })
    }

    /// Sets the limits of a pool, in the place of what was set before. None at all: those of the configuration count again.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn set_limits(&self, set: &LimitsSet, audit: &AuditEntry) -> StoreResult<()> {
        let change = if set.limits.is_empty() {
            Statement::new("DELETE FROM limits_set WHERE pool = $1").bind(&set.pool)
        } else {
            let limits: Vec<String> = set.limits.iter().map(ToString::to_string).collect();
            Statement::new(
                "INSERT INTO limits_set (pool, limits, set_at, set_by) VALUES ($1, $2, $3, $4) ON CONFLICT (pool) \
                 DO UPDATE SET limits = excluded.limits, set_at = excluded.set_at, set_by = excluded.set_by",
            )
            .bind(&set.pool)
            .bind(serde_json::to_string(&limits).unwrap_or_default())
            .bind(set.set_at)
            .bind(set.set_by.as_str())
        };
        self.apply(vec![change, audit.statement()], never).await.map(|_| ())
    }
}
