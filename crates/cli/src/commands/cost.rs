//! `atelier cost`.

use std::collections::BTreeMap;

use atelier_engine::{Timestamp, Usd};
use atelier_store::Spending;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use serde_json::{Value, json};

use crate::args::{Cost, CostBy};
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::thousands;
use crate::out::table;

/// Days that are shown where nothing is said.
const DAYS: i64 = 30;

/// What one row sums up.
#[derive(Clone, Debug, Default)]
struct Sum {
    calls: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost: Usd,
    estimated: bool,
}

pub(super) async fn run(context: &Context, command: &Cost) -> CliResult<Exit> {
    let today = context.clock.now().to_jiff().to_zoned(TimeZone::UTC).date();
    let until = command.until.unwrap_or(today);
    let from = command.from.unwrap_or_else(|| until.saturating_sub(DAYS.days()));
    if from > until {
        return Err(CliError::usage("bad-range", format!("--from {from} is after --until {until}")));
    }
    let rows = context.store()?.spending(start(from, 0.days())?, start(until, 1.days())?).await?;
    // What the sandbox was priced at is no spending.
    let (made_up, real): (Vec<Spending>, Vec<Spending>) =
        rows.into_iter().partition(|row| row.pool.starts_with("sandbox/"));
    let sums = summed(&real, command.by);
    let total: Usd = real.iter().map(|row| row.cost).sum();
    let objects: Vec<Value> = sums.iter().map(|(name, sum)| object(command.by, name, sum)).collect();
    let json = json!({
        "from": from.to_string(),
        "until": until.to_string(),
        "rows": objects,
        "total_usd": total.as_dollars(),
        "sandbox_calls": made_up.iter().map(|row| row.calls).sum::<u64>(),
    });
    context.out.result(&json, || {
        if sums.is_empty() {
            return format!("nothing was spent from {from} to {until}");
        }
        let cells: Vec<Vec<String>> = sums.iter().map(|(name, sum)| cells(name, sum)).collect();
        let headers = [heading(command.by), "calls", "tokens in", "tokens out", "cost"];
        format!("{}\ntotal {total}", table(&headers, &[false, true, true, true, true], &cells))
    })?;
    Ok(Exit::Success)
}

/// The first moment of a day, so many days later.
fn start(day: Date, later: Span) -> CliResult<Timestamp> {
    let zoned = day.checked_add(later).and_then(|day| day.to_zoned(TimeZone::UTC));
    zoned
        .map(|zoned| zoned.timestamp().into())
        .map_err(|error| CliError::usage("bad-range", format!("{day} is not a day that can be counted from: {error}")))
}

fn summed(rows: &[Spending], by: CostBy) -> BTreeMap<String, Sum> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry(name(row, by)).or_default();
        sum.calls += row.calls;
        sum.input_tokens += row.input_tokens;
        sum.output_tokens += row.output_tokens;
        sum.cost += row.cost;
        sum.estimated |= row.estimated;
    }
    sums
}

fn name(row: &Spending, by: CostBy) -> String {
    match by {
        CostBy::Job => row.job.clone(),
        CostBy::Model => row.pool.rsplit('/').next().unwrap_or_default().to_owned(),
        CostBy::Project => row.lane.clone(),
        CostBy::Day => row.day.to_jiff().to_zoned(TimeZone::UTC).date().to_string(),
    }
}

const fn heading(by: CostBy) -> &'static str {
    match by {
        CostBy::Job => "job",
        CostBy::Model => "model",
        CostBy::Project => "project",
        CostBy::Day => "day",
    }
}

fn cells(name: &str, sum: &Sum) -> Vec<String> {
    let about = if sum.estimated { "about " } else { "" };
    let numbers = [sum.calls, sum.input_tokens, sum.output_tokens].map(thousands);
    let mut cells = vec![name.to_owned()];
    cells.extend(numbers);
    cells.push(format!("{about}{}", sum.cost));
    cells
}

fn object(by: CostBy, name: &str, sum: &Sum) -> Value {
    json!({
        heading(by): name,
        "calls": sum.calls,
        "input_tokens": sum.input_tokens,
        "output_tokens": sum.output_tokens,
        "cost_usd": sum.cost.as_dollars(),
        "estimated": sum.estimated,
    })
}
