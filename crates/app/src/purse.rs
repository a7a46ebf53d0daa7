//! What somebody's work may cost in a day.

use std::sync::Arc;

use atelier_engine::Purse;
use jiff::ToSpan;
use jiff::tz::TimeZone;

use crate::app::App;
use crate::error::{AppError, AppResult};

impl App {
    /// The purse of somebody whose work may cost only so much in a day; all runs of this process that are theirs share it.
    /// What other processes have spent is in it whenever a run of theirs begins.
    ///
    /// # Errors
    /// What the store reports.
    pub(crate) async fn purse(&self, owner: &str) -> AppResult<Option<Arc<Purse>>> {
        let store = self.store()?.owned_by(owner);
        let Some(limit) = store.user(owner).await?.and_then(|user| user.day_budget) else {
            self.shared().purses.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(owner);
            return Ok(None);
        };
        let now = self.clock().now();
        let unknown = |error: jiff::Error| AppError::new(code!("bad-range"), error.to_string());
        let today = now.to_jiff().to_zoned(TimeZone::UTC).start_of_day().map_err(unknown)?;
        let tomorrow = today.checked_add(1.day()).map_err(unknown)?;
        let rows = store.seen_by(owner).spending(today.timestamp().into(), tomorrow.timestamp().into()).await?;
        let spent = rows.iter().filter(|row| !row.pool.starts_with("sandbox/")).map(|row| row.cost).sum();
        let mut purses = self.shared().purses.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let new = || Arc::new(Purse::new(limit, spent, tomorrow.timestamp().into()));
        let purse = purses.entry(owner.to_owned()).or_insert_with(new);
        purse.refill(limit, spent, now);
        Ok(Some(Arc::clone(purse)))
    }
}
