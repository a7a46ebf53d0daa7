//! The engine's journal: reservations, settlements and outcomes.

mod reserve;
mod settle;

use std::sync::Arc;
use std::time::Duration;

use atelier_engine::{
    Amounts, EntryId, Habits, Item, JobId, Journal, JournalResult, Known, LedgerEntry, Lesson, Limit, PoolId,
    Reservation, Reserved, Runner, ScopeId, Settlement, TURN, Timestamp, Urgency,
};
use futures_util::future::BoxFuture;

use self::settle::{ended_items, insert_outcomes, settle_entry};
use crate::changes::log_items;
use crate::database::{Row, Statement, Value};
use crate::error::{StoreError, StoreResult};
use crate::store::{Store, never};

/// A call leaves by its `leave_by`, but limits may count it from up to this much later, where the engine
/// allows for slow connections.
const LATE: Duration = Duration::from_secs(600);

/// No clock is further ahead than this unless it is wrong.
const LONGEST_BACK: Duration = Duration::from_secs(24 * 3600);

/// The columns of a [`LedgerEntry`].
const LEDGER: &str = "id, pool, CASE WHEN settled_at IS NULL THEN leave_by ELSE left_at END AS leaves, \
     requests, input_tokens, images, usd, CASE WHEN settled_at IS NULL THEN 0 ELSE 1 END";

impl Store {
    /// The journal through which the engine sees this store.
    pub fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(StoreJournal { store: self.clone() })
    }
}

struct StoreJournal {
    store: Store,
}

impl Journal for StoreJournal {
    fn pending(&self, job: &JobId, after: Option<u64>, limit: usize) -> BoxFuture<'_, JournalResult<Vec<Item>>> {
        let query = Statement::new(
            "SELECT i.seq, i.lane, i.payload FROM items i WHERE i.job = $1 AND i.seq > $2 \
             AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.job = i.job AND o.seq = i.seq) \
             ORDER BY i.seq LIMIT $3",
        )
        .bind(job)
        .bind(place_before(after))
        .bind(limit);
        Box::pin(async move { Ok(rows(self.store.query(query).await?, item)?) })
    }

    fn reserve(
        &self,
        by: &Runner,
        reservations: Vec<Reservation>,
        known: Known,
    ) -> BoxFuture<'_, JournalResult<Reserved>> {
        let by = by.clone();
        Box::pin(async move { Ok(self.reserve_all(&by, reservations, &known).await?) })
    }

    fn time(&self) -> BoxFuture<'_, JournalResult<Option<Timestamp>>> {
        // A stamp of far ahead is a clock that was wrong, not time that has passed.
        let query = Statement::new(
            "SELECT CASE WHEN latest > $1 AND latest < $1 + $2 THEN latest ELSE $1 END \
             FROM (SELECT coalesce(max(last_at), 0) AS latest FROM scopes) AS stamps",
        )
        .bind(Value::Now)
        .bind(LONGEST_BACK);
        Box::pin(async move {
            let mut times = rows(self.store.query(query).await?, |row| row.columns().moment())?;
            Ok(times.pop())
        })
    }

    fn join_queue(
        &self,
        by: &Runner,
        pool: &PoolId,
        now: Timestamp,
        until: Timestamp,
    ) -> BoxFuture<'_, JournalResult<()>> {
        let lost = Statement::new("DELETE FROM line WHERE until <= $1").bind(now);
        let stand = Statement::new(
            "INSERT INTO line (pool, runner, urgency, served, start, until) \
             SELECT $1, $2, $3, begins, begins, $4 FROM (SELECT coalesce(\
             min(CASE WHEN served > start THEN served END) - $5, min(served), -$5) AS begins \
             FROM line WHERE pool = $1) AS newcomer WHERE true \
             ON CONFLICT (pool, runner) DO UPDATE SET until = excluded.until",
        )
        .bind(pool)
        .bind(&by.id)
        .bind(rank(by.urgency))
        .bind(until)
        .bind(TURN + 1);
        Box::pin(async move {
            self.store.apply(vec![lost, stand], never).await?;
            Ok(())
        })
    }

    fn leave_queue(&self, by: &Runner) -> BoxFuture<'_, JournalResult<()>> {
        let leave = Statement::new("DELETE FROM line WHERE runner = $1").bind(&by.id);
        Box::pin(async move {
            self.store.apply(vec![leave], never).await?;
            Ok(())
        })
    }

    fn settle<'a>(&'a self, settlements: &'a [Settlement]) -> BoxFuture<'a, JournalResult<()>> {
        Box::pin(async move {
            let mut batch = Vec::with_capacity(settlements.len() * 4);
            let mut entries = Vec::new();
            for settlement in settlements {
                if let Some(entry) = settlement.entry {
                    entries.push((batch.len(), entry.0));
                    batch.extend(settle_entry(entry, settlement));
                }
                batch.extend(insert_outcomes(settlement));
            }
            // At the end: from there to the commit, nobody else can log a change.
            for (job, seqs) in ended_items(settlements) {
                batch.extend(log_items(job, &seqs));
            }
            let missing = |statement, _| {
                let entry = entries.iter().find(|(place, _)| *place == statement).map_or(0, |(_, entry)| *entry);
                StoreError::NoSuchEntry { entry }
            };
            self.store.apply(batch, missing).await?;
            Ok(())
        })
    }

    fn lessons(&self, pool: &PoolId) -> BoxFuture<'_, JournalResult<Vec<Lesson>>> {
        let query = Statement::new("SELECT lim, at FROM lessons WHERE pool = $1 ORDER BY scope").bind(pool);
        Box::pin(async move { Ok(rows(self.store.query(query).await?, lesson)?) })
    }

    fn learn(&self, pool: &PoolId, lesson: Lesson) -> BoxFuture<'_, JournalResult<()>> {
        // The same limit with another amount has the same scope.
        let scope = Limit { amount: 1, ..lesson.limit }.to_string();
        let keep = Statement::new(
            "INSERT INTO lessons (pool, scope, lim, at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (pool, scope) DO UPDATE SET lim = excluded.lim, at = excluded.at",
        )
        .bind(pool)
        .bind(scope)
        .bind(lesson.limit.to_string())
        .bind(lesson.at);
        Box::pin(async move {
            self.store.apply(vec![keep], never).await?;
            Ok(())
        })
    }

    fn last_entry(&self) -> BoxFuture<'_, JournalResult<EntryId>> {
        let query = Statement::new("SELECT coalesce(max(id), 0) FROM reservations");
        Box::pin(async move {
            let last = rows(self.store.query(query).await?, |row| row.columns().integer())?;
            Ok(EntryId(last.into_iter().sum()))
        })
    }

    fn habits(&self, pool: &PoolId) -> BoxFuture<'_, JournalResult<Option<Habits>>> {
        let query = Statement::new("SELECT habits FROM habits WHERE pool = $1").bind(pool);
        Box::pin(async move {
            let found = rows(self.store.query(query).await?, |row| row.columns().text())?.pop();
            // What a newer version has kept in another form is found out again.
            Ok(found.and_then(|text| serde_json::from_str(&text).ok()))
        })
    }

    fn keep_habits(&self, pool: &PoolId, habits: Habits) -> BoxFuture<'_, JournalResult<()>> {
        let text = serde_json::to_string(&habits).unwrap_or_default();
        let keep = Statement::new(
            "INSERT INTO habits (pool, habits) VALUES ($1, $2) ON CONFLICT (pool) DO UPDATE SET habits = excluded.habits",
        )
        .bind(pool)
        .bind(text);
        Box::pin(async move {
            self.store.apply(vec![keep], never).await?;
            Ok(())
        })
    }

    fn ledger(&self, scope: &ScopeId, since: Timestamp) -> BoxFuture<'_, JournalResult<Vec<LedgerEntry>>> {
        // One pool is found by the index as a whole, those of an account by its first column.
        let of_scope = if scope.ends_with('/') { "pool >= $1 AND pool < $2" } else { "pool = $1 AND $1 < $2" };
        let query = Statement::new(format!(
            "SELECT * FROM (SELECT {LEDGER} FROM reservations WHERE {of_scope} AND leave_by >= $3) AS entries \
             WHERE leaves >= $4 ORDER BY id"
        ))
        .bind(scope)
        .bind(after_all_of(scope))
        .bind(since.before(LATE))
        .bind(since);
        Box::pin(async move { Ok(rows(self.store.query(query).await?, ledger_entry)?) })
    }
}

/// Interactive runs go before the others.
const fn rank(urgency: Urgency) -> i64 {
    match urgency {
        Urgency::Interactive => 0,
        Urgency::Batch => 1,
    }
}

/// What comes after every name that begins like this.
fn after_all_of(scope: &ScopeId) -> String {
    format!("{scope}\u{10FFFF}")
}

/// Seqs start from 0, so that all of them come after −1.
pub(crate) fn place_before(after: Option<u64>) -> i64 {
    after.map_or(-1, |seq| i64::try_from(seq).unwrap_or(i64::MAX))
}

fn seqs_as_json(seqs: &[u64]) -> String {
    let seqs: Vec<String> = seqs.iter().map(u64::to_string).collect();
    format!("[{}]", seqs.join(","))
}

/// Reads every row the same way.
pub(crate) fn rows<T>(rows: Vec<Row>, read: impl FnMut(Row) -> StoreResult<T>) -> StoreResult<Vec<T>> {
    rows.into_iter().map(read).collect()
}

fn item(row: Row) -> StoreResult<Item> {
    let mut columns = row.columns();
    Ok(Item { seq: columns.count()?, lane: columns.shared()?, payload: columns.shared()? })
}

fn lesson(row: Row) -> StoreResult<Lesson> {
    let mut columns = row.columns();
    let text = columns.text()?;
    let limit = text.parse().map_err(|error| StoreError::Unexpected { detail: format!("{error}") })?;
    Ok(Lesson { limit, at: columns.moment()? })
}

fn ledger_entry(row: Row) -> StoreResult<LedgerEntry> {
    let mut columns = row.columns();
    Ok(LedgerEntry {
        id: EntryId(columns.integer()?),
        pool: columns.shared()?,
        left: columns.moment()?,
        amounts: Amounts {
            requests: columns.count()?,
            input_tokens: columns.count()?,
            images: columns.count()?,
            usd: columns.usd()?,
        },
        settled: columns.flag()?,
    })
}
