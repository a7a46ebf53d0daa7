//! A job whose items are answered by more than one model: each by its own, under one budget and one cap.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod simulated;

use std::sync::Arc;

use atelier_engine::*;
use simulated::{Lines, Nature, Provider, World};

/// Even items are for the model "simulated", odd ones for "other".
struct ByTurns(Lines);

impl Task for ByTurns {
    fn compose(&self, items: &[Item]) -> Result<Request, ItemFault> {
        self.0.compose(items)
    }

    fn parse(&self, reply: &Reply, items: &[Item]) -> Vec<Outcome> {
        self.0.parse(reply, items)
    }

    fn pack_limit(&self) -> usize {
        self.0.pack_limit()
    }

    fn model(&self, item: &Item) -> Option<Arc<str>> {
        Some(if item.seq.is_multiple_of(2) { "simulated" } else { "other" }.into())
    }
}

/// A world with a second provider, which serves "other", and a job for both.
async fn two(
    first: (Nature, &[&str]),
    second: (Nature, &[&str]),
    items: u64,
    options: Options,
) -> (World, Arc<Provider>, Job) {
    let (world, other) = (World::new(first.0, items), Provider::new(second.0));
    let job = world.job(first.1, 4, options).await;
    let pool = Pool { id: "other/test/model".into(), serves: "other".into(), ..other.pool(second.1) };
    let pools = job.pools.iter().cloned().chain([pool]).collect();
    (world, other, Job { task: Arc::new(ByTurns(Lines { pack_limit: 4 })), pools, ..job })
}

fn asked(provider: &Provider) -> Vec<u64> {
    let mut asked: Vec<u64> = provider.record.lock().unwrap().answered.keys().copied().collect();
    asked.sort_unstable();
    asked
}

#[tokio::test(start_paused = true)]
async fn each_item_is_answered_by_the_model_that_it_names_whatever_is_packed() {
    let nature = Nature::default;
    let options = Options { packing: Packing::Fixed(4), ..Options::default() };
    let (world, other, job) = two((nature(), &[]), (nature(), &[]), 41, options).await;
    let report = world.engine().run(job, Stop::never(), |_| {}).await.unwrap();
    assert_eq!((report.end, report.progress.done), (RunEnd::Done, 41));
    assert_eq!(asked(&world.provider), (0..41).step_by(2).collect::<Vec<u64>>());
    assert_eq!(asked(&other), (1..41).step_by(2).collect::<Vec<u64>>());
}

#[tokio::test(start_paused = true)]
async fn a_model_with_little_quota_does_not_hold_up_the_other() {
    let nature = Nature::default;
    let options = Options { packing: Packing::Off, ..Options::default() };
    let (world, other, job) =
        two((nature(), &["requests=2/60s"]), (nature(), &["requests=600/60s"]), 20, options).await;
    let began = tokio::time::Instant::now();
    let (mut took, mut odd) = (None, 0);
    let watch = |event: Event<'_>| {
        if let Event::Outcome { outcome, .. } = event
            && outcome.seq % 2 == 1
        {
            odd += 1;
            took = (odd == 10).then(|| began.elapsed());
        }
    };
    let report = world.engine().run(job, Stop::never(), watch).await.unwrap();
    assert_eq!((report.end, world.provider.calls(), other.calls()), (RunEnd::Done, 10, 10));
    assert!(took.unwrap().as_secs() < 10, "{took:?}, and the others took {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn one_budget_holds_for_both_at_the_price_of_each() {
    let nature = Nature::default;
    let options = Options { packing: Packing::Off, max_cost: Usd::from_dollars(0.05), ..Options::default() };
    let (world, other, mut job) = two((nature(), &[]), (nature(), &[]), 400, options).await;
    let price = job.pools[1].price.unwrap();
    job.pools[1].price = Some(Price { output: Usd::from_dollars(200.0).unwrap(), ..price });
    let report = world.engine().run(job, Stop::never(), |_| {}).await.unwrap();
    assert_eq!(report.end, RunEnd::OverBudget);
    assert!(report.progress.cost <= Usd::from_dollars(0.05).unwrap(), "{}", report.progress.cost);
    assert!(world.provider.calls() > 0 && other.calls() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_of_one_model_keeps_its_items_and_the_other_model_answers_its_own() {
    let wrong = Nature { faults: vec![(FaultKind::Credentials, 1.0)], ..Nature::default() };
    let options = Options { packing: Packing::Off, ..Options::default() };
    let (world, _, job) = two((wrong, &[]), (Nature::default(), &[]), 20, options).await;
    let report = world.engine().run(job, Stop::never(), |_| {}).await.unwrap();
    assert!(matches!(&report.end, RunEnd::Closed(fault) if fault.kind == FaultKind::Credentials), "{:?}", report.end);
    assert_eq!((report.progress.done, report.progress.failed), (10, 0));
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_are_in_flight_than_the_job_may_have_whatever_their_model() {
    let nature = Nature::default;
    let options = Options { packing: Packing::Off, concurrency: Some(3), ..Options::default() };
    let (world, other, job) = two((nature(), &[]), (nature(), &[]), 30, options).await;
    let (mut most, engine) = (0, world.engine());
    let watch = |event: Event<'_>| {
        if let Event::Progress(progress) = event {
            most = most.max(progress.in_flight);
        }
    };
    engine.run(job, Stop::never(), watch).await.unwrap();
    let peaks = [&world.provider, &other].map(|provider| provider.record.lock().unwrap().peak);
    assert!(most <= 3 && peaks.iter().all(|peak| *peak <= 3), "{most} in all, {peaks:?} of each");
}
