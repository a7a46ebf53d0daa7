//! What is used of a pool's limits at the moment.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::engine::Engine;
use crate::job::EngineError;
use crate::journal::ScopeId;
use crate::limit::{Limit, Window};
use crate::limiter::Limiter;
use crate::pools::{reach, take_lesson};
use crate::time::Timestamp;

/// A limit as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitUse {
    /// The limit that is kept to.
    pub limit: Limit,
    /// When a refusal taught it, if it was learnt.
    pub learnt: Option<Timestamp>,
    /// How much counts against it now; billionths of a dollar for money.
    pub used: u64,
    /// When more fits again, if it is used up.
    pub frees_at: Option<Timestamp>,
}

impl Engine {
    /// The limits of a pool, or those that the pools of an account share, as they stand: configured and learnt,
    /// with what every run has used of them.
    ///
    /// # Errors
    /// [`EngineError::Journal`].
    pub async fn quota(
        &self,
        pool: &ScopeId,
        configured: &[Limit],
        day_zone: TimeZone,
    ) -> Result<Vec<LimitUse>, EngineError> {
        let now = self.clock.now();
        let lessons = self.journal.lessons(pool).await?;
        let mut limits: Vec<Limit> = configured.iter().copied().filter(|limit| limit.window != Window::Now).collect();
        lessons.iter().for_each(|lesson| take_lesson(&mut limits, lesson.limit));
        let mut limiter = Limiter::new(&limits, day_zone, Duration::ZERO, 0, now);
        limiter.restore(&self.journal.ledger(pool, now.before(reach(&limits))).await?, now);
        let uses = limiter.uses(now).into_iter().map(|(limit, used, frees)| LimitUse {
            limit,
            learnt: lessons.iter().find(|lesson| lesson.limit == limit).map(|lesson| lesson.at),
            used,
            frees_at: (frees > now).then_some(frees),
        });
        Ok(uses.collect())
    }
}
