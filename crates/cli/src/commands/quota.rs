//! `atelier quota`.

use std::sync::Arc;

use atelier_engine::{Engine, LimitKind, LimitUse, PoolId, Usd};
use atelier_providers::ModelRef;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::args::QuotaCommand;
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::{count, moment, thousands};
use crate::out::table;
use crate::pools::configured;

pub(super) async fn run(context: &Context, command: Option<QuotaCommand>) -> CliResult<Exit> {
    match command {
        None => show(context).await,
        Some(QuotaCommand::Reset { pool }) => reset(context, pool).await,
    }
}

async fn show(context: &Context) -> CliResult<Exit> {
    let store = context.store()?;
    let engine = Engine::new(store.journal(), context.clock);
    let mut pools = configured(&context.config)?;
    for pool in store.pools().await?.into_iter().filter(|pool| !pool.starts_with("sandbox/")) {
        pools.entry(pool).or_default();
    }
    let (mut rows, mut objects) = (Vec::new(), Vec::new());
    for (pool, limits) in pools {
        let uses = engine.quota(&pool, &limits, zone(&pool)).await?;
        objects.push(json!({ "pool": &*pool, "limits": uses.iter().map(object).collect::<Vec<_>>() }));
        if uses.is_empty() {
            rows.push(vec![pool.to_string(), "none known".to_owned(), String::new(), String::new(), String::new()]);
        }
        rows.extend(uses.iter().map(|used| cells(&pool, used)));
    }
    context.out.result(&json!({ "pools": objects }), || {
        if rows.is_empty() {
            return "no pool is configured and none has been used yet".to_owned();
        }
        table(&["pool", "limit", "from", "used", "frees up"], &[false, false, false, true, false], &rows)
    })?;
    Ok(Exit::Success)
}

/// Where the pool's days begin: what its provider says.
fn zone(pool: &str) -> TimeZone {
    let provider = pool.split(['/', '@']).next().unwrap_or_default();
    let model: Result<ModelRef, _> = format!("{provider}:any").parse();
    let name = model.map_or("UTC", |model| model.provider().day_zone());
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

fn cells(pool: &PoolId, used: &LimitUse) -> Vec<String> {
    let from = used.learnt.map_or_else(|| "configured".to_owned(), |at| format!("learnt {}", moment(at)));
    let frees = used.frees_at.map(moment).unwrap_or_default();
    vec![pool.to_string(), used.limit.to_string(), from, amount(used), frees]
}

fn amount(used: &LimitUse) -> String {
    if used.limit.kind == LimitKind::Usd {
        return Usd::from_nanos(i64::try_from(used.used).unwrap_or(i64::MAX)).to_string();
    }
    thousands(used.used)
}

fn object(used: &LimitUse) -> Value {
    let money = |nanos: u64| json!(Usd::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX)).as_dollars());
    let amount = |amount: u64| if used.limit.kind == LimitKind::Usd { money(amount) } else { json!(amount) };
    json!({
        "limit": used.limit.to_string(),
        "kind": used.limit.kind.name(),
        "amount": amount(used.limit.amount),
        "used": amount(used.used),
        "learnt_at": used.learnt.map(|at| at.to_string()),
        "frees_at": used.frees_at.map(|at| at.to_string()),
    })
}

async fn reset(context: &Context, pool: Option<String>) -> CliResult<Exit> {
    let store = context.store()?;
    let known = store.pools().await?;
    let pools: Vec<PoolId> = match pool {
        None => known,
        Some(name) if known.iter().any(|pool| **pool == *name) => vec![Arc::from(name)],
        Some(name) => {
            return Err(CliError::usage("no-such-pool", format!("there is no pool '{name}'"))
                .hint("'atelier quota' shows all there are"));
        }
    };
    let mut forgotten = 0;
    for pool in &pools {
        forgotten += store.forget_lessons(pool).await?;
    }
    context
        .out
        .result(&json!({ "forgotten": forgotten }), || format!("{} forgotten", count(forgotten, "learnt limit")))?;
    Ok(Exit::Success)
}
