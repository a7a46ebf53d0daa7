//! What is read of a pool before a run uses it.

use std::sync::Arc;
use std::time::Duration;

use crate::job::{EngineError, Pool};
use crate::journal::{Journal, JournalResult, Lesson, PoolId};
use crate::limit::{Limit, LimitKind, Window};
use crate::time::Timestamp;

/// The longest day, and an hour to spare.
const LONGEST_DAY: Duration = Duration::from_secs(26 * 3600);
/// What lies further back than a window and this counts no more; limits that are yet to be learnt have
/// windows of minutes.
const TO_SPARE: Duration = Duration::from_secs(300);
/// A learnt limit is tried a quarter higher after so long without a refusal.
const TRY_MORE_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A limit in dollars needs a price.
pub(super) fn check_price(pool: &Pool) -> Result<(), EngineError> {
    let counts_money = |limit: &Limit| limit.kind == LimitKind::Usd;
    let mut shared = pool.account.iter().flat_map(|account| &account.limits);
    if pool.price.is_none() && (pool.limits.iter().any(counts_money) || shared.any(counts_money)) {
        return Err(EngineError::PriceUnknown(Arc::clone(&pool.serves)));
    }
    Ok(())
}

/// The limits of a pool: configured, and learnt where that is less.
pub(super) async fn limits(pool: &Pool, journal: &dyn Journal, now: Timestamp) -> JournalResult<Vec<Limit>> {
    let mut limits = pool.limits.clone();
    for lesson in journal.lessons(&pool.id).await? {
        take_lesson(&mut limits, raised(lesson, now).limit);
    }
    Ok(limits)
}

/// What counts is the smaller of configured and learnt.
pub(crate) fn take_lesson(limits: &mut Vec<Limit>, learnt: Limit) {
    match limits.iter_mut().find(|limit| limit.scope() == learnt.scope()) {
        Some(limit) => limit.amount = limit.amount.min(learnt.amount),
        None => limits.push(learnt),
    }
}

/// Keeps that lessons were raised: whoever begins a run tries them out.
pub(crate) async fn keep_raised(pool: &PoolId, journal: &dyn Journal, now: Timestamp) -> JournalResult<()> {
    for lesson in journal.lessons(pool).await? {
        let lesson = raised(lesson, now);
        if lesson.at == now {
            journal.learn(pool, lesson).await?;
        }
    }
    Ok(())
}

/// A lesson that is a day old, raised to see whether more is allowed by now; a younger one as it is.
fn raised(lesson: Lesson, now: Timestamp) -> Lesson {
    if now.since(lesson.at) < TRY_MORE_AFTER {
        return lesson;
    }
    let amount = lesson.limit.amount.saturating_add((lesson.limit.amount / 4).max(1));
    Lesson { limit: Limit { amount, ..lesson.limit }, at: now }
}

/// How far back the ledger matters.
pub(crate) fn reach(limits: &[Limit]) -> Duration {
    let windows = limits.iter().map(|limit| match limit.window {
        Window::Sliding(window) => window,
        Window::Day => LONGEST_DAY,
        Window::Now => Duration::ZERO,
    });
    windows.max().unwrap_or_default() + TO_SPARE
}
