//! The ledger, as people look at it: what was spent, and what is known of pools.

use atelier_engine::{PoolId, Timestamp, Usd};

use crate::database::{Row, Statement};
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::{Store, never};

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// What calls of one pool, job, lane and day used together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    /// The pool.
    pub pool: PoolId,
    /// The job.
    pub job: String,
    /// Who submitted the job.
    pub owner: String,
    /// Whose items they carried: a project or a user.
    pub lane: String,
    /// The day on which they ended, UTC: its first moment.
    pub day: Timestamp,
    /// Calls that were sent.
    pub calls: u64,
    /// Tokens of prompts, as reported.
    pub input_tokens: u64,
    /// Tokens of answers, as reported.
    pub output_tokens: u64,
    /// What they cost.
    pub cost: Usd,
    /// Whether some of that is an estimate.
    pub estimated: bool,
    /// Calls that are not in the cost although they may have cost something: their model has no price.
    pub unpriced: u64,
}

impl Store {
    /// What was spent by calls that ended in `from..until`, the oldest day first. Calls that a limit
    /// refused are left out.
    pub async fn spending(&self, from: Timestamp, until: Timestamp) -> StoreResult<Vec<Spending>> {
        let mut query = Statement::new("").bind(from).bind(until);
        let hiding = self.hiding("j.owner = ?", &mut query.values);
        query.sql = format!(
            "SELECT r.pool, r.job, coalesce(j.owner, ''), r.lane, r.settled_at / {DAY}, \
             CAST(sum(r.sent - r.limited) AS BIGINT), \
             CAST(coalesce(sum(r.used_input_tokens), 0) AS BIGINT), \
             CAST(coalesce(sum(r.used_output_tokens), 0) AS BIGINT), \
             CAST(sum(r.cost) AS BIGINT), max(r.estimated), CAST(sum(r.unpriced) AS BIGINT) \
             FROM reservations r LEFT JOIN jobs j ON j.id = r.job \
             WHERE r.settled_at >= $1 AND r.settled_at < $2 AND r.sent > r.limited{hiding} \
             GROUP BY r.pool, r.job, j.owner, r.lane, r.settled_at / {DAY} ORDER BY 5, 1, 2, 4"
        )
        .into();
        rows(self.query(query).await?, spending)
    }

    /// Every pool that something was reserved from or learnt about, or whose limits were set.
    pub async fn pools(&self) -> StoreResult<Vec<PoolId>> {
        let query = Statement::new(
            "SELECT pool FROM reservations UNION SELECT pool FROM lessons UNION SELECT pool FROM limits_set ORDER BY 1",
        );
        rows(self.query(query).await?, |row| row.columns().shared())
    }

    /// Forgets what refusals have taught about a pool; how many limits that were.
    pub async fn forget_lessons(&self, pool: &PoolId) -> StoreResult<u64> {
        let forget = Statement::new("DELETE FROM lessons WHERE pool = $1").bind(pool);
        let effects = self.apply(vec![forget], never).await?;
        Ok(effects.iter().map(|effect| effect.count).sum())
    }
}

fn spending(row: Row) -> StoreResult<Spending> {
    let mut columns = row.columns();
    Ok(Spending {
        pool: columns.shared()?,
        job: columns.text()?,
        owner: columns.text()?,
        lane: columns.text()?,
        day: Timestamp::from_micros(columns.integer()?.saturating_mul(DAY)),
        calls: columns.count()?,
        input_tokens: columns.count()?,
        output_tokens: columns.count()?,
        cost: columns.usd()?,
        estimated: columns.flag()?,
        unpriced: columns.count()?,
    })
}
