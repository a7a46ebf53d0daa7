//! Several runs at once: on one journal they share limits, and take turns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod simulated;

use std::sync::Arc;
use std::time::Duration;

use atelier_engine::*;
use proptest::prelude::*;
use simulated::{Lines, Nature, World};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_secs(10);

/// A provider that allows so many requests in ten seconds, and answers after one.
fn world(amount: u64) -> World {
    World::new(Nature { requests: Some((amount, WINDOW)), ..Nature::default() }, 0)
}

/// Runs a job of its own with so many items, numbered from `first`, and says how long it took from now on.
async fn user(world: &World, name: &str, first: u64, items: u64, limits: &[&str], options: Options) -> Duration {
    let pools = vec![world.provider.pool(limits)];
    run(world, name, first, items, pools, options).await
}

async fn run(world: &World, name: &str, first: u64, items: u64, pools: Vec<Pool>, options: Options) -> Duration {
    let job: JobId = name.into();
    let item = |seq| Item { seq, lane: name.into(), payload: "an item".into() };
    world.journal.add(&job, (first..first + items).map(item));
    let started = Instant::now();
    let job = Job { id: job, task: Arc::new(Lines { pack_limit: 1 }), pools, items, options };
    let report = world.engine().run(job, Stop::never(), |_| {}).await.unwrap();
    assert_eq!((report.end, report.progress.done), (RunEnd::Done, items), "{name}");
    started.elapsed()
}

fn waited_for() -> Options {
    Options { urgency: Urgency::Interactive, ..Options::default() }
}

#[tokio::test(start_paused = true)]
async fn two_runs_share_one_limit_without_a_refusal_and_without_wasting_it() {
    let world = world(15);
    let limits = ["requests=15/10s"];
    let (one, other) = tokio::join!(
        user(&world, "one", 0, 75, &limits, Options::default()),
        user(&world, "other", 1_000, 75, &limits, Options::default()),
    );
    assert_eq!((world.provider.refusals(), world.paid_twice()), (0, 0));
    let ratio = one.max(other).as_secs_f64() / (WINDOW * 9 + SECOND).as_secs_f64();
    assert!(ratio <= 1.05, "{ratio}");
}

#[tokio::test(start_paused = true)]
async fn what_someone_waits_for_takes_the_next_slot_that_frees_behind_a_batch_of_ten_thousand() {
    let world = world(15);
    let limits = ["requests=15/10s"];
    let batch = user(&world, "batch", 0, 10_000, &limits, Options::default());
    let waited = async {
        tokio::time::sleep(Duration::from_secs(33)).await;
        let before = world.provider.calls();
        let took = user(&world, "user", 100_000, 1, &limits, waited_for()).await;
        let sent = world.provider.record.lock().unwrap().items_in_calls.clone();
        let place = sent.iter().position(|items| items == &[100_000]).unwrap() as u64;
        (took, place - before)
    };
    tokio::select! {
        _ = batch => panic!("the batch takes hours"),
        (took, ahead) = waited => {
            assert_eq!(ahead, 0, "calls of the batch left after it was submitted and before it");
            assert!(took < WINDOW, "{took:?}");
        }
    }
    assert_eq!(world.provider.refusals(), 0);
}

#[tokio::test(start_paused = true)]
async fn of_three_users_the_small_ones_end_within_twice_the_time_of_their_fair_share() {
    let world = world(20);
    let limits = ["requests=20/10s"];
    let big = user(&world, "big", 0, 10_000, &limits, Options::default());
    let small = async {
        tokio::join!(
            user(&world, "hundred", 20_000, 100, &limits, Options::default()),
            user(&world, "single", 30_000, 1, &limits, Options::default()),
        )
    };
    tokio::select! {
        _ = big => panic!("the big one takes hours"),
        (hundred, single) = small => {
            // Half of the limit is a fair share once the single one has ended: ten in ten seconds.
            let fair = WINDOW * 9 + SECOND;
            assert!(hundred <= fair * 2, "{hundred:?}");
            assert!(single <= (WINDOW + SECOND) * 2, "{single:?}");
        }
    }
    assert_eq!(world.provider.refusals(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_models_of_an_account_keep_to_its_limits_together() {
    let world = world(15);
    let account = |model: &str| Pool {
        id: format!("simulated/test/{model}").into(),
        account: Some(AccountLimits {
            scope: "simulated/test/".into(),
            limits: vec!["requests=15/10s".parse().unwrap()],
        }),
        ..world.provider.pool(&["requests=100/10s"])
    };
    let both = vec![account("one"), account("two")];
    let (one, two) = tokio::join!(
        run(&world, "of both", 0, 60, both, Options::default()),
        run(&world, "of one", 1_000, 60, vec![account("two")], Options::default()),
    );
    assert_eq!(world.provider.refusals(), 0);
    let ratio = one.max(two).as_secs_f64() / (WINDOW * 7 + SECOND).as_secs_f64();
    assert!(ratio <= 1.05, "{ratio}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_died_in_line_holds_nobody_up_for_long() {
    let world = world(15);
    let limits = ["requests=15/10s"];
    let dead = Runner { id: "dead".into(), urgency: Urgency::Interactive };
    let pool: PoolId = world.provider.pool(&limits).id;
    let now = world.clock.now();
    world.journal.join_queue(&dead, &pool, now, now.after(SECOND * 2)).await.unwrap();
    let took = user(&world, "alive", 0, 30, &limits, Options::default()).await;
    assert!(took <= WINDOW + SECOND * 4, "{took:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn however_many_runs_arrive_whenever_nothing_is_refused_lost_or_done_twice(
        amount in 1_u64..40,
        latency_ms in 0_u64..3_000,
        travel_ms in 0_u64..=50,
        runs in prop::collection::vec((1_u64..40, 0_u64..30_000, any::<bool>()), 1..5),
        seed in any::<u64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let nature = Nature {
                requests: Some((amount, WINDOW)),
                latency: Duration::from_millis(latency_ms),
                travel: Duration::from_millis(travel_ms),
                seed,
                ..Nature::default()
            };
            let world = World::new(nature, 0);
            let limit = format!("requests={amount}/10s");
            let total: u64 = runs.iter().map(|(items, _, _)| items).sum();
            let users = runs.iter().enumerate().map(|(number, (items, after_ms, interactive))| {
                let (world, limit) = (&world, limit.as_str());
                async move {
                    tokio::time::sleep(Duration::from_millis(*after_ms)).await;
                    let urgency = if *interactive { Urgency::Interactive } else { Urgency::Batch };
                    let options = Options { urgency, seed, ..Options::default() };
                    user(world, &format!("user {number}"), number as u64 * 1_000, *items, &[limit], options).await
                }
            });
            let started = Instant::now();
            futures_util::future::join_all(users).await;
            prop_assert_eq!(world.provider.refusals(), 0);
            prop_assert_eq!(world.paid_twice(), 0);
            prop_assert_eq!(world.provider.record.lock().unwrap().answered.len() as u64, total);
            prop_assert!(world.journal.unsettled().is_empty(), "a reservation did not come back");
            let windows = u32::try_from((total - 1) / amount + 1).unwrap();
            let most = Duration::from_secs(30) + (WINDOW + SECOND) * windows + Duration::from_millis(latency_ms);
            prop_assert!(started.elapsed() <= most, "{:?} of {most:?}: someone starved", started.elapsed());
            Ok(())
        })?;
    }
}
