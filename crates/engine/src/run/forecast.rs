//! What a job will take, said before anything is sent.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::engine::Engine;
use super::planning::grow;
use super::pool::PoolState;
use crate::job::{EngineError, Job, Packing};
use crate::plan::Outlook;
use crate::task::Item;
use crate::usage::{Demand, Usage, Usd};

/// What a job is expected to take.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// Calls.
    pub calls: u64,
    /// Items in the largest of them.
    pub pack: usize,
    /// Tokens of all prompts, by the rule of thumb.
    pub input_tokens: u64,
    /// Tokens of all answers, by the task's estimate.
    pub output_tokens: u64,
    /// What that costs; `None` if the price is not known.
    pub cost: Option<Usd>,
    /// The most that it can cost, every answer being as long as it may; `None` if that is not known.
    pub worst_cost: Option<Usd>,
    /// From the first call to the last answer; `None` if a limit is too small for even one item.
    pub takes: Option<Duration>,
    /// The same with one item a call.
    pub takes_one_by_one: Option<Duration>,
}

impl Engine {
    /// What `items` of the job will take on its first pool, from what its ledger says now. Sends
    /// nothing and writes nothing.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn forecast<'a>(&'a self, job: &'a Job, items: &'a [Item]) -> BoxFuture<'a, Result<Forecast, EngineError>> {
        Box::pin(self.forecast_of(job, items))
    }

    async fn forecast_of(&self, job: &Job, items: &[Item]) -> Result<Forecast, EngineError> {
        let now = self.time().await?.now();
        let pools = self.open(job, now).await?;
        let pool = pools.first().ok_or(EngineError::NoPool)?;
        let lanes = lanes(items);
        let lengths: Vec<usize> = lanes.iter().map(Vec::len).collect();
        let demand = |items: &[Item]| job.task.compose(items).map(|request| request.demand()).unwrap_or_default();
        let sample =
            lanes.first().map(|lane| &lane[..lane.len().min(job.task.pack_limit().min(8))]).unwrap_or_default();
        let one = sample.first().map(|item| demand(std::slice::from_ref(item))).unwrap_or_default();
        let many = if sample.is_empty() { one } else { demand(sample) };
        let (task, estimate) = (job.task.name(), job.task.output_tokens_per_item());
        let (in_flight_cap, latency, length) = pool.standing(|pool| {
            (pool.limiter.in_flight_cap(), pool.expected(task, estimate), pool.answer_length(task, estimate))
        });
        let nth_at =
            |calls: u64, pack: usize| pool.nth_at(calls, &pool.amounts(&grow(&one, &many, sample.len(), pack)), now);
        let outlook = Outlook {
            lanes: &lengths,
            pack_limit: job.task.pack_limit(),
            concurrency: [job.options.concurrency, in_flight_cap].into_iter().flatten().min(),
            now,
            nth_at: &nth_at,
            latency,
        };
        let plan = match job.options.packing {
            Packing::Off => outlook.with(1),
            Packing::Fixed(size) => outlook.with(size.clamp(1, job.task.pack_limit().max(1))),
            Packing::Auto => outlook.best(),
        };
        let pack = plan.map_or(1, |plan| plan.pack);
        let demands: Vec<Demand> = lanes.iter().flat_map(|lane| lane.chunks(pack)).map(demand).collect();
        let most = demands.iter().map(|demand| demand.output_cap).sum::<Option<u64>>();
        let output_tokens = ((items.len() as f64 * length).round() as u64).min(most.unwrap_or(u64::MAX));
        Ok(Forecast {
            calls: demands.len() as u64,
            pack,
            input_tokens: demands.iter().map(|demand| demand.input_tokens).sum(),
            output_tokens,
            cost: expected_cost(pool, &demands, output_tokens),
            worst_cost: pool.pool.price.map(|price| demands.iter().map(|demand| price.worst_case(demand)).sum()),
            takes: plan.map(|plan| plan.takes),
            takes_one_by_one: outlook.with(1).map(|plan| plan.takes),
        })
    }
}

fn expected_cost(pool: &PoolState, demands: &[Demand], output_tokens: u64) -> Option<Usd> {
    let price = pool.pool.price?;
    let prompts: Usd =
        demands.iter().map(|demand| price.cost(&Usage { output_tokens: Some(0), ..Usage::default() }, demand).0).sum();
    let answers = Usage { output_tokens: Some(output_tokens), ..Usage::default() };
    Some(prompts + price.of(&answers))
}

fn lanes(items: &[Item]) -> Vec<Vec<Item>> {
    let mut lanes: std::collections::BTreeMap<&str, Vec<Item>> = std::collections::BTreeMap::new();
    for item in items {
        lanes.entry(&item.lane).or_default().push(item.clone());
    }
    lanes.into_values().collect()
}
