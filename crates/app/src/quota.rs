//! Limits as they stand: configured, learnt, used.

use std::sync::Arc;
use std::time::Duration;

use atelier_engine::{EngineError, Limit, LimitError, PoolId, Window};
use atelier_providers::ModelRef;
use atelier_store::LimitsSet;
use jiff::tz::TimeZone;

use crate::accounts::Origin;
use crate::app::App;
use crate::error::{AppError, AppResult, excerpt};
use crate::pools::{configured, limits_set};
use crate::views::{LimitView, PoolView, QuotaView};

/// So many calls show how a window fills.
const MOST_RECENT: usize = 500;

impl App {
    /// The limits of every pool that is configured, was used, or is learnt about.
    ///
    /// # Errors
    /// What the configuration, the engine and the store report.
    pub async fn quota(&self) -> AppResult<QuotaView> {
        let store = self.store()?;
        let mut pools = configured(self)?;
        let set = limits_set(self).await?;
        pools.extend(set.clone());
        for pool in store.pools().await?.into_iter().filter(|pool| !pool.starts_with("sandbox/")) {
            pools.entry(pool).or_default();
        }
        let mut views = Vec::with_capacity(pools.len());
        for (pool, limits) in pools {
            let is_set = set.contains_key(&pool);
            views.push(PoolView { is_set, ..self.pool_view(&pool, &limits).await? });
        }
        Ok(QuotaView { pools: views })
    }

    /// The limits of one pool, of which these are configured.
    pub(crate) async fn pool_view(&self, pool: &PoolId, configured: &[Limit]) -> AppResult<PoolView> {
        let uses = self.engine()?.quota(pool, configured, zone(pool)).await?;
        let windows = uses.iter().filter_map(|used| match used.limit.window {
            Window::Sliding(window) => Some(window),
            Window::Day | Window::Now => None,
        });
        let recent = match windows.max() {
            Some(window) => self.recent_calls(pool, window).await?,
            None => Vec::new(),
        };
        Ok(PoolView {
            pool: pool.to_string(),
            limits: uses.into_iter().map(LimitView::new).collect(),
            recent,
            is_set: false,
        })
    }

    /// How many seconds ago the calls of a pool left within a window, the latest first.
    async fn recent_calls(&self, pool: &PoolId, window: Duration) -> AppResult<Vec<f64>> {
        let now = self.clock().now();
        let entries = self.store()?.journal().ledger(pool, now.before(window)).await.map_err(EngineError::from)?;
        let mut ago: Vec<f64> = entries.iter().map(|entry| now.since(entry.left).as_secs_f64()).collect();
        ago.sort_unstable_by(f64::total_cmp);
        ago.truncate(MOST_RECENT);
        Ok(ago)
    }

    /// Sets the limits of a pool, in the place of those that the configuration has for it; with none at all, those count
    /// again. It holds for work that is begun or gone on with from now on.
    ///
    /// # Errors
    /// `no-such-pool`; `bad-limit`; what the store reports.
    pub async fn set_limits(&self, pool: &str, limits: &[String], origin: &Origin) -> AppResult<PoolView> {
        let quota = self.quota().await?;
        // The limits of an account span pools, and belong to the configuration.
        if pool.ends_with('/') || !quota.pools.iter().any(|known| known.pool == pool) {
            return Err(no_such_pool(pool));
        }
        let read = |text: &String| text.parse().map_err(|error: LimitError| bad_limit(&error));
        let limits: Vec<Limit> = limits.iter().map(read).collect::<AppResult<_>>()?;
        let pool: PoolId = pool.into();
        let set =
            LimitsSet { pool: Arc::clone(&pool), limits, set_at: self.clock().now(), set_by: self.owner().to_owned() };
        self.store()?.set_limits(&set, &self.audited("limits-set", &pool, origin)).await?;
        let found = self.quota().await?.pools.into_iter().find(|one| *one.pool == *pool);
        found.ok_or_else(|| no_such_pool(&pool))
    }

    /// Forgets the limits that refusals have taught about a pool, or about all; how many.
    ///
    /// # Errors
    /// `no-such-pool`, and what the store reports.
    pub async fn forget_limits(&self, pool: Option<String>) -> AppResult<u64> {
        let store = self.store()?;
        let known = store.pools().await?;
        let pools: Vec<PoolId> = match pool {
            None => known,
            Some(name) if known.iter().any(|pool| **pool == *name) => vec![Arc::from(name)],
            Some(name) => return Err(no_such_pool(&name)),
        };
        let mut forgotten = 0;
        for pool in &pools {
            forgotten += store.forget_lessons(pool).await?;
        }
        Ok(forgotten)
    }
}

fn bad_limit(error: &LimitError) -> AppError {
    AppError::new(code!("bad-limit"), error.to_string()).hint(error.hint())
}

fn no_such_pool(name: &str) -> AppError {
    AppError::new(code!("no-such-pool"), format!("there is no pool '{}'", excerpt(name, 200)))
        .hint("list the limits to see the pools there are")
}

/// Where the pool's days begin: what its provider says.
fn zone(pool: &str) -> TimeZone {
    let provider = pool.split(['/', '@']).next().unwrap_or_default();
    let model: Result<ModelRef, _> = format!("{provider}:any").parse();
    let name = model.map_or("UTC", |model| model.provider().day_zone());
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}
