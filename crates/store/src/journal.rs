//! The engine's journal: reservations, settlements and outcomes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use atelier_engine::{
    Amounts, EntryId, Item, JobId, Journal, JournalResult, LedgerEntry, Lesson, Limit, Outcome, PoolId, Reservation,
    Reserved, Settlement, Timestamp, Verdict,
};
use futures_util::future::BoxFuture;

use crate::database::{Row, Statement, Written};
use crate::error::{StoreError, StoreResult};
use crate::store::{Store, never, places};

/// A call leaves by its `leave_by`, but limits may count it from up to this much later, where the engine
/// allows for slow connections.
const LATE: Duration = Duration::from_secs(600);

/// No limit reaches back so far: what left before need not be told to a process that catches up.
const FORGOTTEN: Duration = Duration::from_secs(48 * 3600);

/// The columns of a [`LedgerEntry`].
const LEDGER: &str = "id, coalesce(left_at, leave_by), requests, input_tokens, images, usd, \
     CASE WHEN settled_at IS NULL THEN 0 ELSE 1 END";

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

    fn reserve(&self, reservations: Vec<Reservation>, seen: EntryId) -> BoxFuture<'_, JournalResult<Reserved>> {
        Box::pin(async move { Ok(self.reserve_all(reservations, seen).await?) })
    }

    fn settle(&self, settlement: Settlement) -> BoxFuture<'_, JournalResult<()>> {
        Box::pin(async move {
            let mut batch = Vec::with_capacity(1 + settlement.outcomes.len());
            batch.extend(settlement.entry.map(|entry| settle_entry(entry, &settlement)));
            let entry = settlement.entry.unwrap_or_default().0;
            for (outcome, attempts) in settlement.outcomes {
                batch.push(insert_outcome(&settlement.job, outcome, attempts, settlement.at));
            }
            self.store.apply(batch, |_, _| StoreError::NoSuchEntry { entry }).await?;
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

    fn ledger(&self, pool: &PoolId, since: Timestamp) -> BoxFuture<'_, JournalResult<Vec<LedgerEntry>>> {
        let query = Statement::new(format!(
            "SELECT {LEDGER} FROM reservations WHERE pool = $1 AND leave_by >= $2 \
             AND coalesce(left_at, leave_by) >= $3 ORDER BY id"
        ))
        .bind(pool)
        .bind(since.before(LATE))
        .bind(since);
        Box::pin(async move { Ok(rows(self.store.query(query).await?, ledger_entry)?) })
    }
}

impl StoreJournal {
    async fn reserve_all(&self, reservations: Vec<Reservation>, seen: EntryId) -> StoreResult<Reserved> {
        let Some(now) = reservations.iter().map(|reservation| reservation.at).max() else {
            return Ok(Reserved::Granted(Vec::new()));
        };
        let mut batch = Vec::with_capacity(1 + reservations.len());
        batch.push(self.entries_of_others(&reservations, seen, now));
        for reservation in &reservations {
            batch.push(self.insert_reservation(reservation));
        }
        match self.store.write(batch).await? {
            Written::Refused { statement: 0, rows: entries } => Ok(Reserved::Behind(rows(entries, ledger_entry)?)),
            Written::Refused { statement, rows } => Err(never(statement, rows)),
            Written::Done(effects) => {
                let ids = effects.into_iter().skip(1).flat_map(|effect| effect.rows);
                let ids = ids.map(|row| row.columns().integer().map(EntryId)).collect::<StoreResult<_>>()?;
                Ok(Reserved::Granted(ids))
            }
        }
    }

    /// What other processes have reserved from these pools since; the batch goes on only if that is
    /// nothing.
    fn entries_of_others(&self, reservations: &[Reservation], seen: EntryId, now: Timestamp) -> Statement {
        let pools: BTreeSet<&PoolId> = reservations.iter().map(|reservation| &reservation.pool).collect();
        // Few rows come after the last one seen, while a pool's may be millions: an expression in the
        // pool's place keeps the database from going by the pool.
        let sql = format!(
            "SELECT {LEDGER} FROM reservations WHERE id > $1 AND process <> $2 AND leave_by >= $3 \
             AND (pool || '') IN ({}) ORDER BY id",
            places(4, pools.len())
        );
        let query = Statement::new(sql).bind(seen.0).bind(self.store.process()).bind(now.before(FORGOTTEN)).must_miss();
        pools.into_iter().fold(query, Statement::bind)
    }

    fn insert_reservation(&self, reservation: &Reservation) -> Statement {
        let amounts = &reservation.amounts;
        Statement::new(
            "INSERT INTO reservations \
             (pool, job, lane, process, items, requests, input_tokens, images, usd, at, leave_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
        )
        .bind(&reservation.pool)
        .bind(&reservation.job)
        .bind(&reservation.lane)
        .bind(self.store.process())
        .bind(seqs_as_json(&reservation.items))
        .bind(amounts.requests)
        .bind(amounts.input_tokens)
        .bind(amounts.images)
        .bind(amounts.usd)
        .bind(reservation.at)
        .bind(reservation.leave_by)
    }
}

fn settle_entry(entry: EntryId, settlement: &Settlement) -> Statement {
    let Settlement { counted, usage, .. } = settlement;
    Statement::new(
        "UPDATE reservations SET requests = $1, input_tokens = $2, images = $3, usd = $4, left_at = $5, settled_at = $6, \
         fault = $7, used_input_tokens = $8, used_output_tokens = $9, used_images = $10, cost = $11, estimated = $12 \
         WHERE id = $13",
    )
    .bind(counted.requests)
    .bind(counted.input_tokens)
    .bind(counted.images)
    .bind(counted.usd)
    .bind(settlement.left)
    .bind(settlement.at)
    .bind(settlement.fault)
    .bind(usage.input_tokens)
    .bind(usage.output_tokens)
    .bind(usage.images)
    .bind(settlement.cost)
    .bind(settlement.estimated)
    .bind(entry.0)
    .must_hit()
}

/// The first outcome of an item stands.
fn insert_outcome(job: &JobId, outcome: Outcome, attempts: u32, at: Timestamp) -> Statement {
    let status = outcome.verdict.status();
    let (fault, body) = match outcome.verdict {
        Verdict::Done { result } => (None, result),
        Verdict::Blocked { reason } => (None, reason.into()),
        Verdict::Failed { kind, message } => (Some(kind), message.into()),
    };
    Statement::new(
        "INSERT INTO outcomes (job, seq, status, fault, body, attempts, at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (job, seq) DO NOTHING",
    )
    .bind(job)
    .bind(outcome.seq)
    .bind(status)
    .bind(fault)
    .bind(body)
    .bind(attempts)
    .bind(at)
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
