//! Settling: how calls ended, and what they brought.

use std::sync::LazyLock;

use atelier_engine::{Amounts, EntryId, JobId, Outcome, Settlement, Verdict};

use super::seqs_as_json;
use crate::bulk::Bulk;
use crate::database::{Statement, Value};
use crate::store::places;

/// The items that have ended by these settlements, by their job, as JSON.
pub(super) fn ended_items(settlements: &[Settlement]) -> Vec<(&JobId, String)> {
    let mut by_job: Vec<(&JobId, Vec<u64>)> = Vec::new();
    for settlement in settlements.iter().filter(|settlement| !settlement.outcomes.is_empty()) {
        let seqs = settlement.outcomes.iter().map(|(outcome, _)| outcome.seq);
        match by_job.iter_mut().find(|(job, _)| **job == settlement.job) {
            Some((_, ended)) => ended.extend(seqs),
            None => by_job.push((&settlement.job, seqs.collect())),
        }
    }
    by_job.into_iter().map(|(job, seqs)| (job, seqs_as_json(&seqs))).collect()
}

/// What ended is added to what had ended before; the reservation is settled once all of its calls have. A settlement that
/// is written again must add nothing: of a single call it shows by the call having ended, of a block by its id, which is
/// kept until the block is settled. The check for the reservation stands first.
pub(super) fn settle_entry(entry: EntryId, settlement: &Settlement) -> Vec<Statement> {
    let Settlement { ended, reserved, counted, usage, .. } = settlement;
    let change = |of: fn(&Amounts) -> u64| of(counted).cast_signed().wrapping_sub(of(reserved).cast_signed());
    let made = Statement::new("SELECT 1 FROM reservations WHERE id = $1").bind(entry.0).must_hit();
    let add = Statement::new(
        "UPDATE reservations SET ended = ended + $1, sent = sent + $2, limited = limited + $3, faulted = faulted + $4, \
         requests = requests + $5, input_tokens = input_tokens + $6, images = images + $7, usd = usd + $8, \
         left_at = CASE WHEN left_at > $9 THEN left_at ELSE $9 END, \
         settled_at = CASE WHEN ended + $1 >= calls THEN $10 ELSE NULL END, \
         used_input_tokens = coalesce(used_input_tokens + coalesce($11, 0), $11), \
         used_output_tokens = coalesce(used_output_tokens + coalesce($12, 0), $12), \
         used_images = coalesce(used_images + coalesce($13, 0), $13), \
         cost = cost + $14, estimated = CASE WHEN $15 = 1 THEN 1 ELSE estimated END, unpriced = unpriced + $17 \
         WHERE id = $16 AND ended + $1 <= calls \
         AND NOT EXISTS (SELECT 1 FROM settlements s WHERE s.entry = $16 AND s.id = $18)",
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
    .bind(settlement.id);
    let once = Statement::new(
        "INSERT INTO settlements (entry, id) SELECT $1, $2 FROM reservations r \
         WHERE r.id = $1 AND (r.calls > 1 OR $3 = 0) AND (r.settled_at IS NULL OR $3 = 0) \
         ON CONFLICT (entry, id) DO NOTHING",
    )
    .bind(entry.0)
    .bind(settlement.id)
    .bind(ended.calls);
    let whole = Statement::new(
        "DELETE FROM settlements WHERE entry = $1 AND $2 > 0 \
         AND EXISTS (SELECT 1 FROM reservations r WHERE r.id = $1 AND r.settled_at IS NOT NULL)",
    )
    .bind(entry.0)
    .bind(ended.calls);
    vec![made, add, once, whole]
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

pub(super) fn insert_outcomes(settlement: &Settlement) -> Vec<Statement> {
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
