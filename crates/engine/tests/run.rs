//! The engine against a simulated provider, in injected time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod simulated;

use std::time::Duration;

use atelier_engine::*;
use proptest::prelude::*;
use simulated::{Nature, World};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn per(amount: u64, seconds: u64) -> Option<(u64, Duration)> {
    Some((amount, SECOND * u32::try_from(seconds).unwrap()))
}

/// What the limit itself allows: the last of `items` may be sent after so many windows, and is answered
/// one latency later.
fn allowed(items: u64, amount: u64, window: Duration, latency: Duration) -> Duration {
    window * u32::try_from((items - 1) / amount).unwrap() + latency
}

#[tokio::test(start_paused = true)]
async fn a_request_limit_is_spent_to_within_two_percent_and_never_refused() {
    let world = World::new(Nature { requests: per(15, 10), ..Nature::default() }, 150);
    let ran = world.run(&["requests=15/10s"], 1, Options::default()).await;
    assert_eq!(ran.report.end, RunEnd::Done);
    assert_eq!((world.provider.refusals(), world.done(), world.paid_twice()), (0, 150, 0));
    let ratio = ran.took.as_secs_f64() / allowed(150, 15, SECOND * 10, SECOND).as_secs_f64();
    assert!(ratio <= 1.02, "{ratio}");
}

#[tokio::test(start_paused = true)]
async fn a_token_limit_that_binds_is_spent_to_within_five_percent_and_never_refused() {
    let payload = "x".repeat(400);
    let world = World::with_payloads(
        Nature { requests: per(100, 10), tokens: per(1_030, 10), ..Nature::default() },
        (0..100).map(|_| payload.clone()),
    );
    let ran = world.run(&["requests=100/10s", "input_tokens=1030/10s"], 1, Options::default()).await;
    assert_eq!((world.provider.refusals(), world.done()), (0, 100));
    let ratio = ran.took.as_secs_f64() / allowed(100, 10, SECOND * 10, SECOND).as_secs_f64();
    assert!(ratio <= 1.05, "{ratio}");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_posts_at_fifteen_requests_a_minute_take_under_twenty_seconds() {
    let nature = Nature { requests: per(15, 60), per_item: Duration::from_millis(1_400), ..Nature::default() };
    let world = World::new(nature, 100);
    let ran = world.run(&["requests=15/60s"], 40, Options::default()).await;
    assert_eq!((world.provider.refusals(), world.done(), world.paid_twice()), (0, 100, 0));
    assert!(ran.took < SECOND * 20, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn limits_that_nobody_told_are_found_with_a_handful_of_refusals() {
    for names_limit in [true, false] {
        for says_wait in [true, false] {
            let nature = Nature { requests: per(30, 60), names_limit, says_wait, ..Nature::default() };
            let world = World::new(nature, 90);
            let started = Instant::now();
            let ran = world.run(&[], 1, Options::default()).await;
            assert_eq!((world.done(), world.paid_twice()), (90, 0));
            let refused = world.provider.record.lock().unwrap().refused_at.clone();
            assert!(refused.len() <= 10, "{} refusals", refused.len());
            assert!(refused.iter().all(|at| *at - started < ran.took / 2), "none in the second half");
            let ratio = ran.took.as_secs_f64() / allowed(90, 30, SECOND * 60, SECOND).as_secs_f64();
            assert!(ratio <= 1.25, "{ratio} (names {names_limit}, wait {says_wait})");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_wants_requests_spaced_evenly_is_paced() {
    let nature = Nature { requests: per(15, 60), even: true, ..Nature::default() };
    let world = World::new(nature, 60);
    let ran = world.run(&["requests=15/60s"], 1, Options::default()).await;
    assert_eq!(world.done(), 60);
    assert!(world.provider.refusals() <= 5, "{} refusals", world.provider.refusals());
    let ratio = ran.took.as_secs_f64() / (59.0 * 4.0 + 1.0);
    assert!(ratio <= 1.10, "{ratio}");
}

#[tokio::test(start_paused = true)]
async fn a_post_that_the_provider_refuses_ends_blocked_alone() {
    let payloads = (0..8).map(|seq| if seq == 5 { "forbidden".to_owned() } else { format!("item {seq}") });
    let world = World::with_payloads(Nature { refuses: Some("forbidden"), ..Nature::default() }, payloads);
    let options = Options { packing: Packing::Fixed(8), ..Options::default() };
    let ran = world.run(&[], 8, options).await;
    assert_eq!((ran.report.progress.done, ran.report.progress.blocked, ran.report.progress.failed), (7, 1, 0));
    let outcomes = world.journal.outcomes(&world.job);
    assert_eq!(outcomes[5].0.verdict, Verdict::Blocked { reason: "SAFETY".into() });
    assert_eq!(world.paid_twice(), 0);
}

#[tokio::test(start_paused = true)]
async fn two_posts_left_out_of_a_packed_answer_are_asked_for_again_and_the_others_are_not() {
    let world = World::new(Nature { omits: vec![2, 6], ..Nature::default() }, 8);
    let options = Options { packing: Packing::Fixed(8), ..Options::default() };
    let ran = world.run(&[], 8, options).await;
    assert_eq!(ran.report.progress.done, 8);
    let calls = world.provider.record.lock().unwrap().items_in_calls.clone();
    assert_eq!(calls, [vec![0, 1, 2, 3, 4, 5, 6, 7], vec![2, 6]]);
}

#[tokio::test(start_paused = true)]
async fn faults_lose_no_item_and_pay_for_none_twice() {
    let faults = vec![
        (FaultKind::Overloaded, 0.05),
        (FaultKind::ServerError, 0.02),
        (FaultKind::Timeout, 0.01),
        (FaultKind::ConnectionLost, 0.01),
        (FaultKind::Unreadable, 0.02),
    ];
    let nature = Nature { latency: SECOND / 2, ..Nature::default() };
    let options = || Options { concurrency: Some(16), ..Options::default() };
    let clean = World::new(nature.clone(), 2_000).run(&[], 1, options()).await;
    let world = World::new(Nature { faults, ..nature }, 2_000);
    let ran = world.run(&[], 1, options()).await;
    assert_eq!((world.done(), world.paid_twice(), ran.report.progress.failed), (2_000, 0, 0));
    let ratio = ran.took.as_secs_f64() / clean.took.as_secs_f64();
    assert!(ratio <= 1.4, "{ratio}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_a_minute_is_probed_and_outlasted() {
    let world = World::new(Nature { faults: vec![(FaultKind::Overloaded, 1.0)], ..Nature::default() }, 100);
    let provider = std::sync::Arc::clone(&world.provider);
    tokio::spawn(async move {
        tokio::time::sleep(SECOND * 60).await;
        provider.change(|nature| nature.faults.clear());
    });
    let ran = world.run(&[], 1, Options::default()).await;
    assert_eq!((world.done(), ran.report.progress.failed), (100, 0));
    let during = ran.report.progress.faults;
    assert!(during < 60, "{during} calls into a provider that was down");
}

#[tokio::test(start_paused = true)]
async fn an_item_that_always_fails_ends_as_failed_with_its_reason() {
    let world = World::new(Nature { faults: vec![(FaultKind::Unreadable, 1.0)], ..Nature::default() }, 2);
    let ran = world.run(&[], 1, Options { attempts: 3, ..Options::default() }).await;
    assert_eq!((ran.report.end, ran.report.progress.failed, world.provider.calls()), (RunEnd::Done, 2, 6));
    let Verdict::Failed { kind, message } = world.journal.outcomes(&world.job)[0].0.verdict.clone() else { panic!() };
    assert_eq!((kind.as_str(), message.as_str()), ("unreadable", "simulated fault, in 3 attempts"));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_cannot_be_composed_fails_without_a_call() {
    let world = World::with_payloads(Nature::default(), ["fine".into(), "uncomposable".into(), "fine".into()]);
    let ran = world.run(&[], 3, Options { packing: Packing::Fixed(3), ..Options::default() }).await;
    assert_eq!((ran.report.progress.done, ran.report.progress.failed, world.provider.calls()), (2, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_closes_the_pool_and_keeps_the_items() {
    let world = World::new(Nature { faults: vec![(FaultKind::Credentials, 1.0)], ..Nature::default() }, 50);
    let ran = world.run(&[], 1, Options::default()).await;
    assert!(matches!(ran.report.end, RunEnd::Closed(fault) if fault.kind == FaultKind::Credentials));
    assert!(world.journal.outcomes(&world.job).is_empty());
    assert!(world.provider.calls() <= 4, "{} calls with a wrong key", world.provider.calls());
}

#[tokio::test(start_paused = true)]
async fn the_worst_case_of_what_is_reserved_never_passes_the_budget() {
    let world = World::new(Nature::default(), 200);
    let max_cost = Usd::from_dollars(0.02);
    let ran = world.run(&[], 1, Options { max_cost, ..Options::default() }).await;
    assert_eq!(ran.report.end, RunEnd::OverBudget);
    assert!(ran.report.progress.cost <= max_cost.unwrap());
    // What could still be afforded is less than one more call's worst case: a thousandth and a bit.
    assert!(max_cost.unwrap() - ran.report.progress.cost < Usd::from_dollars(0.0011).unwrap());
    assert_eq!(world.done() as u64, ran.report.progress.done);
}

#[tokio::test(start_paused = true)]
async fn a_budget_for_a_model_of_unknown_price_is_an_error() {
    let world = World::new(Nature::default(), 1);
    let options = Options { max_cost: Usd::from_dollars(1.0), ..Options::default() };
    let mut job = world.job(&[], 1, options).await;
    job.pools[0].price = None;
    let error = world.engine().run(job, Stop::never(), |_| {}).await.unwrap_err();
    assert_eq!(error.code(), "price-unknown");
    assert_eq!(world.provider.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_days_limit_that_is_used_up_parks_the_job_until_it_resets() {
    for limits in [&["requests=10/day"][..], &[]] {
        let world = World::new(Nature { per_day: Some(10), ..Nature::default() }, 25);
        let ran = world.run(limits, 1, Options::default()).await;
        let RunEnd::Parked { until, .. } = ran.report.end else { panic!("{:?}", ran.report.end) };
        assert_eq!((until.to_string().as_str(), world.done()), ("2026-11-21T08:00:00Z", 10));
        let again = world.run(limits, 1, Options::default()).await;
        assert!(matches!(again.report.end, RunEnd::Parked { .. }), "still the same day");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_may_wait_waits_for_the_next_day() {
    let world = World::new(Nature::default(), 25);
    let ran = world.run(&["requests=10/day"], 1, Options { wait: true, ..Options::default() }).await;
    assert_eq!((ran.report.end, world.done()), (RunEnd::Done, 25));
    assert!(ran.took > SECOND * 36 * 3600, "noon to midnight, and one day more: {:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_calls_in_flight_finish_and_be_saved() {
    let world = World::new(Nature::default(), 100);
    let (handle, stop) = StopHandle::new();
    let job = world.job(&[], 1, Options { concurrency: Some(4), ..Options::default() }).await;
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        handle.stop();
    });
    let report = world.engine().run(job, stop, |_| {}).await.unwrap();
    assert_eq!(report.end, RunEnd::Interrupted);
    assert_eq!(world.provider.calls(), world.done() as u64);
    assert!(world.journal.unsettled().is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_nothing_done_is_sent_again_and_the_window_still_holds() {
    let nature = Nature { requests: per(10, 10), ..Nature::default() };
    let world = World::new(nature, 40);
    for crash_after in [300, 1_100, 11_500] {
        let job = world.job(&["requests=10/10s"], 1, Options::default()).await;
        let engine = world.engine();
        let run = engine.run(job, Stop::never(), |_| {});
        let crashed = tokio::time::timeout(Duration::from_millis(crash_after), run).await;
        assert!(crashed.is_err());
    }
    let lost = world.journal.unsettled().iter().map(|reservation| reservation.items.len()).sum::<usize>();
    world.run(&["requests=10/10s"], 1, Options::default()).await;
    assert_eq!((world.done(), world.provider.refusals()), (40, 0));
    let sent: usize = world.provider.record.lock().unwrap().items_in_calls.iter().map(Vec::len).sum();
    assert!(sent <= 40 + lost, "{sent} sent, {lost} in flight at the crashes");
}

#[tokio::test(start_paused = true)]
async fn a_forecast_says_what_the_run_then_takes() {
    let nature = Nature { requests: per(15, 60), ..Nature::default() };
    let world = World::new(nature, 100);
    let items = world.journal.pending(&world.job, None, 1000).await.unwrap();
    let job = world.job(&["requests=15/60s"], 1, Options::default()).await;
    let forecast = world.engine().forecast(&job, &items).await.unwrap();
    assert_eq!((forecast.calls, world.provider.calls()), (100, 0));
    let ran = world.run(&["requests=15/60s"], 1, Options::default()).await;
    let ratio = ran.took.as_secs_f64() / forecast.takes.unwrap().as_secs_f64();
    assert!((0.95..1.05).contains(&ratio), "{ratio}");
}

#[tokio::test(start_paused = true)]
async fn progress_adds_up_and_ends_complete() {
    let world = World::new(Nature::default(), 50);
    let job = world.job(&["requests=20/10s"], 1, Options::default()).await;
    let (mut last, mut told) = (Progress::default(), 0);
    let on_event = |event: Event<'_>| match event {
        Event::Progress(progress) => {
            assert!(progress.ended() >= last.ended());
            last = progress.clone();
        }
        Event::Outcome { .. } => told += 1,
        _ => {}
    };
    world.engine().run(job, Stop::never(), on_event).await.unwrap();
    assert_eq!((last.done, last.items, last.in_flight, told), (50, 50, 0, 50));
}

#[tokio::test(start_paused = true)]
async fn several_pools_share_a_job_by_weight_and_one_without_weight_steps_in() {
    let world = World::new(Nature::default(), 60);
    let other = World::new(Nature::default(), 0);
    let spare = World::new(Nature::default(), 0);
    let mut job = world.job(&["requests=20/60s"], 1, Options::default()).await;
    let pool = |provider: &std::sync::Arc<simulated::Provider>, id: &str, weight| Pool {
        id: id.into(),
        weight,
        ..provider.pool(&["requests=20/60s"])
    };
    job.pools =
        vec![pool(&spare.provider, "spare", 0), pool(&world.provider, "first", 1), pool(&other.provider, "second", 1)];
    let report = world.engine().run(job, Stop::never(), |_| {}).await.unwrap();
    assert_eq!((report.end, report.progress.done), (RunEnd::Done, 60));
    assert_eq!([&world, &other, &spare].map(|world| world.provider.calls()), [20, 20, 20]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_the_limits_latencies_and_faults_nothing_is_lost_done_twice_or_refused(
        amount in 1_u64..30,
        window in 1_u64..20,
        latency_ms in 0_u64..5_000,
        travel_ms in 0_u64..=50,
        items in 1_u64..120,
        pack_limit in 1_usize..12,
        fault in 0.0_f64..0.2,
        omits in prop::collection::vec(0_u64..120, 0..5),
        seed in any::<u64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let kinds = [FaultKind::Overloaded, FaultKind::ServerError, FaultKind::ConnectionLost, FaultKind::Unreadable];
            let nature = Nature {
                requests: per(amount, window),
                latency: Duration::from_millis(latency_ms),
                travel: Duration::from_millis(travel_ms),
                faults: kinds.map(|kind| (kind, fault / 4.0)).to_vec(),
                omits,
                seed,
                ..Nature::default()
            };
            let world = World::new(nature, items);
            let limit = format!("requests={amount}/{window}s");
            let options = Options { attempts: 50, seed, ..Options::default() };
            let ran = world.run(&[&limit], pack_limit, options).await;
            prop_assert_eq!(ran.report.end, RunEnd::Done);
            prop_assert_eq!(world.provider.refusals(), 0);
            prop_assert_eq!(world.done() as u64, items);
            prop_assert_eq!(world.paid_twice(), 0);
            prop_assert!(world.journal.unsettled().is_empty(), "a reservation did not come back");
            Ok(())
        })?;
    }
}
