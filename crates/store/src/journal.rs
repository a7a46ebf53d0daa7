//! The engine's journal: reservations, settlements and outcomes.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use atelier_engine::{
    Amounts, EntryId, Item, JobId, Journal, JournalResult, LedgerEntry, Lesson, Limit, Outcome, PoolId, Reservation,
    Reserved, Runner, ScopeId, Settlement, TURN, Timestamp, Urgency, Verdict,
};
use futures_util::future::BoxFuture;

use crate::bulk::Bulk;
use crate::database::{Row, Statement, Value, Written};
use crate::error::{StoreError, StoreResult};
use crate::store::{Store, never, places};

/// A call leaves by its `leave_by`, but limits may count it from up to this much later, where the engine
/// allows for slow connections.
const LATE: Duration = Duration::from_secs(600);

/// No limit reaches back so far: what left before need not be told to a process that catches up.
const FORGOTTEN: Duration = Duration::from_secs(48 * 3600);

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
        seen: EntryId,
    ) -> BoxFuture<'_, JournalResult<Reserved>> {
        let by = by.clone();
        Box::pin(async move { Ok(self.reserve_all(&by, reservations, seen).await?) })
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
            "INSERT INTO line (pool, runner, urgency, served, until) \
             SELECT $1, $2, $3, coalesce(min(served), 0) - $5, $4 FROM line WHERE pool = $1 \
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
            let mut batch = Vec::with_capacity(settlements.len() * 2);
            let mut entries = Vec::new();
            for settlement in settlements {
                if let Some(entry) = settlement.entry {
                    entries.push((batch.len(), entry.0));
                    batch.push(settle_entry(entry, settlement));
                }
                batch.extend(insert_outcomes(settlement));
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

impl StoreJournal {
    async fn reserve_all(&self, by: &Runner, reservations: Vec<Reservation>, seen: EntryId) -> StoreResult<Reserved> {
        let Some(now) = reservations.iter().map(|reservation| reservation.at).max() else {
            return Ok(Reserved::Granted(Vec::new()));
        };
        let mut batch = Vec::with_capacity(4 + reservations.len());
        let shared: BTreeSet<(&ScopeId, &PoolId)> =
            reservations.iter().filter_map(|made| Some((made.scope.as_ref()?, &made.pool))).collect();
        for (scope, pool) in shared {
            batch.push(entries_of_others(by, scope, seen, now));
            batch.push(others_in_front(by, pool, now));
            let calls = reservations.iter().filter(|made| made.pool == *pool).map(|made| made.calls).sum::<u64>();
            batch.push(served(by, pool, calls));
        }
        let guards = batch.len();
        batch.extend(reservations.iter().map(|reservation| insert_reservation(by, reservation)));
        match self.store.write(batch).await? {
            Written::Refused { statement, rows: entries } if statement < guards && statement % 3 == 0 => {
                Ok(Reserved::Behind(rows(entries, ledger_entry)?))
            }
            Written::Refused { statement, .. } if statement < guards => Ok(Reserved::NotYet),
            Written::Refused { statement, rows } => Err(never(statement, rows)),
            Written::Done(effects) => {
                let ids = effects.into_iter().skip(guards).flat_map(|effect| effect.rows);
                let ids = ids.map(|row| row.columns().integer().map(EntryId)).collect::<StoreResult<_>>()?;
                Ok(Reserved::Granted(ids))
            }
        }
    }
}

/// What other runs have reserved in this scope since; the batch goes on only if that is nothing.
fn entries_of_others(by: &Runner, scope: &ScopeId, seen: EntryId, now: Timestamp) -> Statement {
    // Few rows come after the last one seen, while a pool's may be millions: an expression in the
    // pool's place keeps the database from going by the pool.
    Statement::new(format!(
        "SELECT {LEDGER} FROM reservations WHERE id > $1 AND runner <> $2 AND leave_by >= $3 \
         AND (pool || '') >= $4 AND (pool || '') < $5 ORDER BY id"
    ))
    .bind(seen.0)
    .bind(&by.id)
    .bind(now.before(FORGOTTEN))
    .bind(scope)
    .bind(after_all_of(scope))
    .must_miss()
}

/// Runs in line for the pool that go before this one, which is last if it stands in no line; the batch goes on
/// only if there is none.
fn others_in_front(by: &Runner, pool: &PoolId, now: Timestamp) -> Statement {
    Statement::new(
        "SELECT runner FROM line WHERE pool = $1 AND runner <> $2 AND until > $3 AND (urgency < $4 OR (urgency = $4 \
         AND served + $6 < coalesce((SELECT served FROM line WHERE pool = $1 AND runner = $2), $5))) LIMIT 1",
    )
    .bind(pool)
    .bind(&by.id)
    .bind(now)
    .bind(rank(by.urgency))
    .bind(i64::MAX)
    .bind(TURN)
    .must_miss()
}

/// The run is granted so many calls, if it stands in line.
fn served(by: &Runner, pool: &PoolId, calls: u64) -> Statement {
    Statement::new("UPDATE line SET served = served + $1 WHERE pool = $2 AND runner = $3")
        .bind(calls)
        .bind(pool)
        .bind(&by.id)
}

fn insert_reservation(by: &Runner, reservation: &Reservation) -> Statement {
    let amounts = &reservation.amounts;
    Statement::new(
        "INSERT INTO reservations \
         (pool, job, lane, runner, calls, items, requests, input_tokens, images, usd, at, leave_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
    )
    .bind(&reservation.pool)
    .bind(&reservation.job)
    .bind(&reservation.lane)
    .bind(&by.id)
    .bind(reservation.calls)
    .bind(seqs_as_json(&reservation.items))
    .bind(amounts.requests)
    .bind(amounts.input_tokens)
    .bind(amounts.images)
    .bind(amounts.usd)
    .bind(reservation.at)
    .bind(reservation.leave_by)
}

/// What ended is added to what had ended before; the reservation is settled once all of its calls have.
fn settle_entry(entry: EntryId, settlement: &Settlement) -> Statement {
    let Settlement { ended, reserved, counted, usage, .. } = settlement;
    let change = |of: fn(&Amounts) -> u64| of(counted).cast_signed().wrapping_sub(of(reserved).cast_signed());
    Statement::new(
        "UPDATE reservations SET ended = ended + $1, sent = sent + $2, limited = limited + $3, faulted = faulted + $4, \
         requests = requests + $5, input_tokens = input_tokens + $6, images = images + $7, usd = usd + $8, \
         left_at = CASE WHEN left_at > $9 THEN left_at ELSE $9 END, \
         settled_at = CASE WHEN ended + $1 >= calls THEN $10 ELSE NULL END, \
         used_input_tokens = coalesce(used_input_tokens + coalesce($11, 0), $11), \
         used_output_tokens = coalesce(used_output_tokens + coalesce($12, 0), $12), \
         used_images = coalesce(used_images + coalesce($13, 0), $13), \
         cost = cost + $14, estimated = CASE WHEN $15 = 1 THEN 1 ELSE estimated END, unpriced = unpriced + $17 \
         WHERE id = $16",
    )
    .bind(ended.calls)
    .bind(ended.sent)
    .bind(ended.limited)
    .bind(ended.faulted)
    .bind(change(|amounts| amounts.requests))
    .bind(change(|amounts| amounts.input_tokens))
    .bind(change(|amounts| amounts.images))
    .bind(counted.usd - reserved.usd)
    .bind(settlement.left)
    .bind(settlement.at)
    .bind(usage.input_tokens)
    .bind(usage.output_tokens)
    .bind(usage.images)
    .bind(settlement.cost)
    .bind(settlement.estimated)
    .bind(entry.0)
    .bind(ended.unpriced)
    .must_hit()
}

/// `$1` to `$3` are the job, the moment and the reservation. The first outcome of an item stands.
static INSERT_OUTCOMES: LazyLock<Bulk> = LazyLock::new(|| {
    let row = |_, first| {
        let places = places(first, OUTCOME_COLUMNS);
        format!("($1, $2, $3, {places})")
    };
    Bulk::new(3, OUTCOME_COLUMNS, row, |rows| {
        format!(
            "INSERT INTO outcomes (job, at, entry, seq, status, fault, body, attempts) VALUES {rows} \
             ON CONFLICT (job, seq) DO NOTHING"
        )
    })
});

/// The columns of an outcome that differ between those of one call.
const OUTCOME_COLUMNS: usize = 5;

fn insert_outcomes(settlement: &Settlement) -> Vec<Statement> {
    let shared = |statement: Statement| {
        let entry = settlement.entry.map(|entry| entry.0);
        statement.bind(&settlement.job).bind(settlement.at).bind(entry)
    };
    let outcome = |statement: Statement, (outcome, attempts): &(Outcome, u32)| {
        let (fault, body): (Option<&str>, Value) = match &outcome.verdict {
            Verdict::Done { result } => (None, result.into()),
            Verdict::Blocked { reason } => (None, reason.as_str().into()),
            Verdict::Failed { kind, message } => (Some(kind), message.as_str().into()),
        };
        statement.bind(outcome.seq).bind(outcome.verdict.status()).bind(fault).bind(body).bind(*attempts)
    };
    INSERT_OUTCOMES.statements(settlement.outcomes.iter().collect(), shared, outcome)
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
