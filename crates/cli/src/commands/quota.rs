//! `atelier quota`.

use atelier_app::AppResult;
use atelier_app::views::{LimitAmount, LimitView, PoolView};
use atelier_engine::Usd;
use serde_json::json;

use crate::args::QuotaCommand;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, moment_of, thousands};
use crate::out::table;

pub(super) async fn run(context: &Context, command: Option<QuotaCommand>) -> AppResult<Exit> {
    match command {
        None => show(context).await,
        Some(QuotaCommand::Reset { pool }) => {
            let forgotten = context.app.forget_limits(pool).await?;
            let text = || format!("{} forgotten", count(forgotten, "learnt limit"));
            context.out.result(&json!({ "forgotten": forgotten }), text)?;
            Ok(Exit::Success)
        }
    }
}

async fn show(context: &Context) -> AppResult<Exit> {
    let quota = context.app.quota().await?;
    context.out.result(&quota, || {
        let rows: Vec<Vec<String>> = quota.pools.iter().flat_map(rows).collect();
        if rows.is_empty() {
            return "no pool is configured and none has been used yet".to_owned();
        }
        table(&["pool", "limit", "from", "used", "frees up"], &[false, false, false, true, false], &rows)
    })?;
    Ok(Exit::Success)
}

fn rows(pool: &PoolView) -> Vec<Vec<String>> {
    if pool.limits.is_empty() {
        return vec![vec![pool.pool.clone(), "none known".to_owned(), String::new(), String::new(), String::new()]];
    }
    pool.limits.iter().map(|limit| cells(&pool.pool, limit)).collect()
}

fn cells(pool: &str, limit: &LimitView) -> Vec<String> {
    let from = limit.learnt_at.as_deref();
    let from = from.map_or_else(|| "configured".to_owned(), |at| format!("learnt {}", moment_of(at)));
    let frees = limit.frees_at.as_deref().map(moment_of).unwrap_or_default();
    let used = match limit.used {
        LimitAmount::Count(count) => thousands(count),
        LimitAmount::Dollars(dollars) => Usd::from_dollars(dollars).unwrap_or_default().to_string(),
    };
    vec![pool.to_owned(), limit.limit.clone(), from, used, frees]
}
