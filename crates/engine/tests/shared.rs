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
    let dead = Runner { id: "dead".into(), urgency: Urgency::Interactive, lease: None };
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
        simulated::paused().block_on(async {
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

#[tokio::test(start_paused = true)]
async fn eight_runs_of_one_process_share_a_limit_evenly_and_waste_none_of_it() {
    let world = world(15);
    let engine = world.engine();
    let runs = (0..8_u64).map(|number| {
        let (world, engine) = (&world, engine.clone());
        async move {
            let job: JobId = format!("job {number}").into();
            let first = number * 1_000;
            let item = |seq| Item { seq, lane: "lane".into(), payload: "an item".into() };
            world.journal.add(&job, (first..first + 30).map(item));
            let pools = vec![world.provider.pool(&["requests=15/10s"])];
            let task = Arc::new(Lines { pack_limit: 1 });
            let job = Job { id: job, task, pools, items: 30, options: Options::default() };
            engine.run(job, Stop::never(), |_| {}).await.unwrap();
        }
    });
    let started = Instant::now();
    futures_util::future::join_all(runs).await;
    let ratio = started.elapsed().as_secs_f64() / (WINDOW * 15 + SECOND).as_secs_f64();
    assert!(ratio <= 1.02, "{ratio}");
    let record = world.provider.record.lock().unwrap();
    assert_eq!(record.refusals, 0);
    // By half time, all have had about as much.
    let mut had = [0_i64; 8];
    for items in record.items_in_calls.iter().take(120) {
        had[usize::try_from(items[0] / 1_000).unwrap()] += 1;
    }
    let (least, most) = (had.iter().min().unwrap(), had.iter().max().unwrap());
    assert!(most - least <= 2 * TURN, "{had:?}");
}

#[tokio::test(start_paused = true)]
async fn a_click_goes_before_the_other_runs_of_its_process_and_reads_no_ledger() {
    let world = world(20);
    let engine = world.engine();
    let limits = ["requests=20/10s"];
    let big = engine.run(job(&world, "big", 0, 2_000, &limits, Options::default()), Stop::never(), |_| {});
    let click = async {
        tokio::time::sleep(SECOND * 25).await;
        let started = Instant::now();
        let job = job(&world, "click", 50_000, 1, &limits, waited_for());
        engine.run(job, Stop::never(), |_| {}).await.unwrap();
        started.elapsed()
    };
    tokio::select! {
        _ = big => panic!("the big one takes a quarter of an hour"),
        took = click => assert!(took <= WINDOW / 2 + SECOND * 2, "{took:?}: it waits for the next slot, not for its turn"),
    }
    assert_eq!(world.provider.refusals(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_in_the_middle_holds_nobody_up() {
    let world = world(15);
    let engine = world.engine();
    let limits = ["requests=15/10s", "in_flight=3"];
    let dropped = engine.run(job(&world, "dropped", 0, 100, &limits, Options::default()), Stop::never(), |_| {});
    assert!(tokio::time::timeout(SECOND / 2, dropped).await.is_err());
    let started = Instant::now();
    engine.run(job(&world, "next", 5_000, 12, &limits, Options::default()), Stop::never(), |_| {}).await.unwrap();
    assert!(started.elapsed() <= WINDOW, "{:?}", started.elapsed());
}

/// A job of this name with so many items, numbered from `first`.
fn job(world: &World, name: &str, first: u64, items: u64, limits: &[&str], options: Options) -> Job {
    let id: JobId = name.into();
    let item = |seq| Item { seq, lane: name.into(), payload: "an item".into() };
    world.journal.add(&id, (first..first + items).map(item));
    Job { id, task: Arc::new(Lines { pack_limit: 1 }), pools: vec![world.provider.pool(limits)], items, options }
}

/// A process: it has an engine until it dies, and another once it is started again.
struct Process {
    engine: std::sync::Mutex<Engine>,
    died: tokio::sync::watch::Sender<u32>,
}

impl Process {
    fn start(world: &World, skew_ms: i64) -> Self {
        Self { engine: std::sync::Mutex::new(Self::engine(world, skew_ms)), died: tokio::sync::watch::Sender::new(0) }
    }

    /// Its clock is so far off; what it writes is stamped with the journal's all the same.
    fn engine(world: &World, skew_ms: i64) -> Engine {
        let now = world.clock.now().as_micros() + skew_ms * 1_000;
        Engine::new(Arc::new(world.journal.clone()), Clock::starting_at(Timestamp::from_micros(now)))
    }

    /// Works on a job until it is done, however often the process dies meanwhile.
    async fn work(&self, world: &World, name: &str, limit: &str, pack_limit: usize, options: &Options) -> Report {
        let (id, mut died): (JobId, _) = (name.into(), self.died.subscribe());
        loop {
            died.borrow_and_update();
            let engine = self.engine.lock().unwrap().clone();
            let options = Options { lease: Some(world.journal.lease(&id)), ..options.clone() };
            let items = world.journal.pending(&id, None, usize::MAX).await.unwrap().len() as u64;
            let pools = vec![world.provider.pool(&[limit])];
            let job = Job { id: Arc::clone(&id), task: Arc::new(Lines { pack_limit }), pools, items, options };
            tokio::select! {
                report = engine.run(job, Stop::never(), |_| {}) => return report.unwrap(),
                _ = died.changed() => tokio::time::sleep(SECOND).await,
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn whatever_the_provider_is_like_and_whichever_processes_die_nothing_is_lost_twice_or_refused(
        amount in 1_u64..40,
        latency_ms in 0_u64..4_000,
        per_item_ms in 0_u64..400,
        travel_ms in 0_u64..=50,
        pack_limit in 1_usize..16,
        faulty in any::<bool>(),
        runs in prop::collection::vec((1_u64..60, 0_u64..30_000, any::<bool>(), 0_usize..3), 1..7),
        deaths in prop::collection::vec((0_usize..3, 100_u64..40_000), 0..4),
        skews in prop::array::uniform3(-20_000_i64..20_000),
        seed in any::<u64>(),
    ) {
        simulated::paused().block_on(async {
            let faults = vec![
                (FaultKind::Overloaded, 0.05),
                (FaultKind::ServerError, 0.02),
                (FaultKind::ConnectionLost, 0.02),
                (FaultKind::Unreadable, 0.02),
            ];
            let nature = Nature {
                requests: Some((amount, WINDOW)),
                latency: Duration::from_millis(latency_ms),
                per_item: Duration::from_millis(per_item_ms),
                travel: Duration::from_millis(travel_ms),
                faults: if faulty { faults } else { Vec::new() },
                seed,
                ..Nature::default()
            };
            let mut world = World::new(nature, 0);
            world.journal = MemoryJournal::with_clock(world.clock);
            let limit = format!("requests={amount}/10s");
            let processes = skews.map(|skew| Process::start(&world, skew));
            let total: u64 = runs.iter().map(|(items, ..)| items).sum();
            let max_cost = Usd::from_dollars(1.0);
            let users = runs.iter().enumerate().map(|(number, (items, after_ms, interactive, process))| {
                let (world, limit, process) = (&world, limit.as_str(), &processes[*process]);
                async move {
                    let name = format!("user {number}");
                    let first = number as u64 * 1_000;
                    let item = |seq| Item { seq, lane: name.as_str().into(), payload: "an item".into() };
                    world.journal.add(&name.as_str().into(), (first..first + items).map(item));
                    tokio::time::sleep(Duration::from_millis(*after_ms)).await;
                    let urgency = if *interactive { Urgency::Interactive } else { Urgency::Batch };
                    let options = Options { urgency, seed, attempts: 50, max_cost, ..Options::default() };
                    process.work(world, &name, limit, pack_limit, &options).await
                }
            });
            let reaper = async {
                let mut deaths = deaths.clone();
                deaths.sort_by_key(|(_, at)| *at);
                let started = Instant::now();
                for (process, at) in deaths {
                    tokio::time::sleep_until(started + Duration::from_millis(at)).await;
                    *processes[process].engine.lock().unwrap() = Process::engine(&world, skews[process]);
                    processes[process].died.send_modify(|died| *died += 1);
                }
            };
            let started = Instant::now();
            let all = async { tokio::join!(futures_util::future::join_all(users), reaper) };
            let ended = tokio::time::timeout(SECOND * 24 * 3_600, all).await;
            prop_assert!(ended.is_ok(), "someone waits for ever");
            let (reports, ()) = ended.unwrap();
            prop_assert_eq!(world.provider.refusals(), 0, "a window was overrun");
            let outcomes: usize = (0..runs.len())
                .map(|number| world.journal.outcomes(&format!("user {number}").as_str().into()))
                .map(|outcomes| outcomes.iter().filter(|(one, _)| one.verdict.status() == "done").count())
                .sum();
            prop_assert_eq!(outcomes as u64, total, "an item was lost");
            for report in &reports {
                prop_assert_eq!(&report.end, &RunEnd::Done);
                prop_assert!(report.progress.cost <= max_cost.unwrap());
            }
            // Only what was in flight when its process died may be answered twice.
            let in_flight: usize = world.journal.unsettled().iter().map(|made| made.items.len()).sum();
            let twice = world.paid_twice();
            prop_assert!(twice <= in_flight, "{twice} answered twice, {in_flight} in flight at a death");
            prop_assert!(!deaths.is_empty() || twice == 0);
            let windows = u32::try_from((total - 1) / amount + 2 + deaths.len() as u64 * 2).unwrap();
            let each = Duration::from_millis(latency_ms + per_item_ms * pack_limit as u64);
            let most = Duration::from_secs(if faulty { 240 } else { 60 }) + (WINDOW + SECOND + each) * windows * 2;
            prop_assert!(started.elapsed() <= most, "{:?} of {most:?}: someone starved", started.elapsed());
            Ok(())
        })?;
    }
}
