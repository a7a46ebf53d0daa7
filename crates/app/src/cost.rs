//! What was spent, summed up.

use std::collections::BTreeMap;

use atelier_engine::{Timestamp, Usd};
use atelier_store::Spending;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

use crate::app::App;
use crate::error::{AppError, AppResult};
use crate::views::{CostBy, CostOf, CostRowView, CostView};

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
    unpriced: u64,
}

impl App {
    /// What was spent from one day to another, both of them whole, UTC; of the last 30 days if nothing is said.
    ///
    /// # Errors
    /// `bad-range`, and what the store reports.
    pub async fn cost(&self, by: CostBy, from: Option<Date>, until: Option<Date>) -> AppResult<CostView> {
        let today = self.clock().now().to_jiff().to_zoned(TimeZone::UTC).date();
        let until = until.unwrap_or(today);
        let from = from.unwrap_or_else(|| until.saturating_sub(DAYS.days()));
        if from > until {
            return Err(AppError::new(code!("bad-range"), format!("{from} is after {until}")));
        }
        let rows = self.store()?.spending(start(from, 0.days())?, start(until, 1.days())?).await?;
        // What the sandbox was priced at is no spending.
        let (made_up, real): (Vec<Spending>, Vec<Spending>) =
            rows.into_iter().partition(|row| row.pool.starts_with("sandbox/"));
        let known: Usd = real.iter().map(|row| row.cost).sum();
        let unpriced = real.iter().any(|row| row.unpriced > 0);
        let row = |(name, sum): (String, Sum)| CostRowView {
            of: CostOf::new(by, name),
            calls: sum.calls,
            input_tokens: sum.input_tokens,
            output_tokens: sum.output_tokens,
            cost_usd: (sum.unpriced == 0).then(|| sum.cost.as_dollars()),
            cost: (sum.unpriced == 0).then_some(sum.cost),
            estimated: sum.estimated,
        };
        Ok(CostView {
            from: from.to_string(),
            until: until.to_string(),
            rows: summed(&real, by).into_iter().map(row).collect(),
            total_usd: (!unpriced).then(|| known.as_dollars()),
            known_usd: known.as_dollars(),
            total: (!unpriced).then_some(known),
            known,
            sandbox_calls: made_up.iter().map(|row| row.calls).sum(),
        })
    }
}

/// The first moment of a day, so many days later.
fn start(day: Date, later: Span) -> AppResult<Timestamp> {
    let zoned = day.checked_add(later).and_then(|day| day.to_zoned(TimeZone::UTC));
    zoned.map(|zoned| zoned.timestamp().into()).map_err(|error| {
        AppError::new(code!("bad-range"), format!("{day} is not a day that can be counted from: {error}"))
    })
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
        sum.unpriced += row.unpriced;
    }
    sums
}

fn name(row: &Spending, by: CostBy) -> String {
    match by {
        CostBy::Job => row.job.clone(),
        CostBy::Model => row.pool.rsplit('/').next().unwrap_or_default().to_owned(),
        CostBy::Project => row.lane.clone(),
        CostBy::Owner => row.owner.clone(),
        CostBy::Day => row.day.to_jiff().to_zoned(TimeZone::UTC).date().to_string(),
    }
}
