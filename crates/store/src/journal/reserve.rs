//! Reserving: what has to hold, checked and written in one batch.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use atelier_engine::{EntryId, Epoch, JobId, Known, PoolId, Reservation, Reserved, Runner, ScopeId, TURN, Timestamp};

use super::{LEDGER, StoreJournal, after_all_of, ledger_entry, rank, rows, seqs_as_json};
use crate::changes::log_quota;
use crate::database::{Statement, Written};
use crate::error::StoreResult;
use crate::store::never;

/// No limit reaches back so far: what left before need not be told to a process that catches up.
const FORGOTTEN: Duration = Duration::from_secs(48 * 3600);

/// What a statement before the reservations is for.
#[derive(Clone, Copy)]
enum Check {
    /// The lease is still the run's.
    Lease,
    /// Nobody else has reserved anything that is not known.
    Seen,
    /// Nobody else goes first.
    Turn,
    /// None: it is there for what it does.
    None,
}

impl StoreJournal {
    pub(super) async fn reserve_all(
        &self,
        by: &Runner,
        reservations: Vec<Reservation>,
        known: &Known,
    ) -> StoreResult<Reserved> {
        let Some(now) = reservations.iter().map(|reservation| reservation.at).max() else {
            return Ok(Reserved::Granted(Vec::new()));
        };
        let mut batch: Vec<(Check, Statement)> = Vec::with_capacity(8);
        let shared: BTreeSet<(&ScopeId, &PoolId)> =
            reservations.iter().filter_map(|made| Some((made.scope.as_ref()?, &made.pool))).collect();
        let pools: Vec<PoolId> = shared.iter().map(|(_, pool)| PoolId::clone(pool)).collect();
        // The scopes first, and the widest of them first: whoever has them is alone from here to the commit.
        let scopes: BTreeSet<&ScopeId> = shared.iter().map(|(scope, _)| *scope).collect();
        batch.extend(scopes.into_iter().map(|scope| (Check::None, stamp_scope(scope, now))));
        if let Some(epoch) = by.lease {
            let jobs: BTreeSet<&JobId> = reservations.iter().map(|made| &made.job).collect();
            batch.extend(jobs.into_iter().map(|job| (Check::Lease, still_leased(job, epoch))));
        }
        for (scope, pool) in shared {
            batch.push((Check::Seen, entries_of_others(scope, known, now)));
            batch.push((Check::Turn, others_in_front(by, pool, now)));
            let calls = reservations.iter().filter(|made| made.pool == *pool).map(|made| made.calls).sum::<u64>();
            batch.push((Check::None, served(by, pool, calls)));
        }
        let (checks, mut batch): (Vec<Check>, Vec<Statement>) = batch.into_iter().unzip();
        batch.extend(reservations.iter().map(|reservation| insert_reservation(&known.reader, reservation)));
        batch.extend(pools.iter().flat_map(|pool| log_quota(pool)));
        match self.store.write(batch).await? {
            Written::Refused { statement, rows: found } => match checks.get(statement) {
                Some(Check::Lease) => Ok(Reserved::Lost),
                Some(Check::Seen) => Ok(Reserved::Behind(rows(found, ledger_entry)?)),
                Some(Check::Turn) => Ok(Reserved::NotYet),
                Some(Check::None) | None => Err(never(statement, found)),
            },
            Written::Done(effects) => {
                let made = effects.into_iter().skip(checks.len()).take(reservations.len());
                let ids = made.flat_map(|effect| effect.rows).map(|row| row.columns().integer().map(EntryId));
                Ok(Reserved::Granted(ids.collect::<StoreResult<_>>()?))
            }
        }
    }
}

/// Takes a scope for the rest of the batch, and moves its time on.
fn stamp_scope(scope: &ScopeId, now: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO scopes (scope, last_at) VALUES ($1, $2) ON CONFLICT (scope) DO UPDATE \
         SET last_at = CASE WHEN excluded.last_at > scopes.last_at THEN excluded.last_at ELSE scopes.last_at END",
    )
    .bind(scope)
    .bind(now)
}

/// The job is still the run's to work on.
fn still_leased(job: &JobId, epoch: Epoch) -> Statement {
    Statement::new("SELECT 1 FROM leases WHERE name = $1 AND epoch = $2").bind(job).bind(epoch).must_hit()
}

/// What other runs have reserved in this scope since; the batch goes on only if that is nothing.
fn entries_of_others(scope: &ScopeId, known: &Known, now: Timestamp) -> Statement {
    // Few rows come after the last one seen, while a pool's may be millions: an expression in the
    // pool's place keeps the database from going by the pool.
    Statement::new(format!(
        "SELECT {LEDGER} FROM reservations WHERE id > $1 AND runner <> $2 AND leave_by >= $3 \
         AND (pool || '') >= $4 AND (pool || '') < $5 ORDER BY id"
    ))
    .bind(known.seen.0)
    .bind(&known.reader)
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

fn insert_reservation(reader: &Arc<str>, reservation: &Reservation) -> Statement {
    let amounts = &reservation.amounts;
    Statement::new(
        "INSERT INTO reservations \
         (pool, job, lane, runner, calls, items, requests, input_tokens, images, usd, at, leave_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
    )
    .bind(&reservation.pool)
    .bind(&reservation.job)
    .bind(&reservation.lane)
    .bind(reader)
    .bind(reservation.calls)
    .bind(seqs_as_json(&reservation.items))
    .bind(amounts.requests)
    .bind(amounts.input_tokens)
    .bind(amounts.images)
    .bind(amounts.usd)
    .bind(reservation.at)
    .bind(reservation.leave_by)
}
