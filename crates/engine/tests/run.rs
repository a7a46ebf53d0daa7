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
async fn a_learnt_limit_is_kept_for_the_next_run_and_tried_higher_after_a_day() {
    let nature = Nature { requests: per(30, 60), ..Nature::default() };
    let world = World::new(nature, 90);
    world.run(&[], 1, Options::default()).await;
    let lessons = |world: &World| {
        let pool = world.provider.pool(&[]).id;
        let journal = world.journal.clone();
        async move { journal.lessons(&pool).await.unwrap() }
    };
    assert_eq!(lessons(&world).await[0].limit.to_string(), "requests=30/60s");
    let (pool, zone) = (world.provider.pool(&[]).id, jiff::tz::TimeZone::UTC);
    let used = world.engine().quota(&pool, &["requests=40/60s".parse().unwrap()], zone).await.unwrap();
    assert_eq!((used[0].limit.amount, used[0].used, used[0].learnt.is_some()), (30, 30, true));

    let refused = world.provider.refusals();
    world.journal.add(&world.job, (90..150).map(|seq| Item { seq, lane: "lane".into(), payload: "more".into() }));
    world.run(&[], 1, Options::default()).await;
    assert_eq!((world.done(), world.provider.refusals()), (150, refused), "it need not be learnt twice");

    tokio::time::sleep(SECOND * 25 * 3600).await;
    world.provider.change(|nature| nature.requests = per(1000, 60));
    world.run(&[], 1, Options::default()).await;
    assert_eq!(lessons(&world).await[0].limit.amount, 37);
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
async fn runs_that_share_a_purse_never_spend_more_than_is_in_it_and_park_until_the_day_ends() {
    let world = World::new(Nature::default(), 200);
    let limit = Usd::from_dollars(0.02).unwrap();
    let resets_at = world.clock.now().after(Duration::from_secs(3600));
    let purse = std::sync::Arc::new(Purse::new(limit, Usd::ZERO, resets_at));
    let options = || Options { purse: Some(std::sync::Arc::clone(&purse)), ..Options::default() };
    let engine = world.engine();
    let first = world.job(&[], 1, options()).await;
    let mut second = world.job(&[], 1, options()).await;
    second.id = "second".into();
    let items = (200..400).map(|seq| Item { seq, lane: "lane".into(), payload: "more".into() });
    world.journal.add(&second.id, items);
    let (first, second) =
        tokio::join!(engine.run(first, Stop::never(), |_| {}), engine.run(second, Stop::never(), |_| {}));
    let (first, second) = (first.unwrap(), second.unwrap());
    let spent = first.progress.cost + second.progress.cost;
    assert!(spent <= limit && spent > Usd::from_dollars(0.015).unwrap(), "{spent}");
    for report in [first, second] {
        let RunEnd::Parked { until, cause } = report.end else { panic!("{:?}", report.end) };
        assert_eq!(cause, WaitCause::Purse);
        assert!(until <= resets_at);
    }
    assert_eq!(purse.left(resets_at), limit);
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

#[tokio::test(start_paused = true)]
async fn a_spent_retry_budget_delays_items_and_fails_none() {
    let nature = Nature { faults: vec![(FaultKind::Unreadable, 0.5)], ..Nature::default() };
    let world = World::new(nature, 60);
    let ran = world.run(&[], 1, Options { attempts: 40, ..Options::default() }).await;
    assert_eq!((ran.report.end, world.done(), ran.report.progress.failed), (RunEnd::Done, 60, 0));
}

#[tokio::test(start_paused = true)]
async fn items_that_always_bring_the_provider_down_end_as_failed() {
    let world = World::new(Nature::default(), 20);
    world.provider.change(|nature| nature.breaks_on = vec![7, 13]);
    let ran = world.run(&[], 1, Options::default()).await;
    assert_eq!((ran.report.progress.done, ran.report.progress.failed), (18, 2));
    assert!(ran.report.progress.faults < 100, "{} faults", ran.report.progress.faults);
}

#[tokio::test(start_paused = true)]
async fn one_item_that_breaks_a_packed_call_fails_alone() {
    let world = World::new(Nature::default(), 40);
    world.provider.change(|nature| nature.breaks_on = vec![0]);
    let options = Options { packing: Packing::Fixed(40), ..Options::default() };
    let ran = world.run(&[], 40, options).await;
    assert_eq!((ran.report.progress.done, ran.report.progress.failed), (39, 1));
}

#[tokio::test(start_paused = true)]
async fn answers_that_leave_items_out_are_made_up_for_without_waiting_for_the_retry_budget() {
    let omits = (0..400).filter(|seq| seq % 8 == 3).collect();
    let world = World::new(Nature { omits, ..Nature::default() }, 400);
    let ran = world.run(&[], 8, Options { packing: Packing::Fixed(8), ..Options::default() }).await;
    assert_eq!(world.done(), 400);
    assert!(ran.took < SECOND * 10, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_pool_short_of_tokens_does_not_hold_up_another() {
    let world = World::new(Nature::default(), 200);
    let other = World::new(Nature::default(), 0);
    let mut job = world.job(&[], 1, Options::default()).await;
    let short = Pool { id: "short".into(), ..other.provider.pool(&["input_tokens=20/60s"]) };
    job.pools.insert(0, short);
    let started = Instant::now();
    let report = world.engine().run(job, Stop::never(), |_| {}).await.unwrap();
    assert_eq!((report.end, report.progress.done), (RunEnd::Done, 200));
    assert!(started.elapsed() < SECOND * 30, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_item_too_large_for_one_pool_goes_to_another_and_fails_only_where_none_takes_it() {
    let world = World::with_payloads(Nature::default(), (0..20).map(|_| "x".repeat(400)));
    let large = world.provider.pool(&["input_tokens=100000/60s"]);
    let small = Pool { id: "small".into(), ..world.provider.pool(&["input_tokens=50/60s"]) };
    let mut job = world.job(&[], 1, Options::default()).await;
    job.pools = vec![small.clone(), large];
    let report = world.engine().run(job, Stop::never(), |_| {}).await.unwrap();
    assert_eq!(report.progress.done, 20);

    let world = World::with_payloads(Nature::default(), ["x".repeat(400), "small".into()]);
    let mut job = world.job(&[], 1, Options::default()).await;
    job.pools = vec![small];
    let report = world.engine().run(job, Stop::never(), |_| {}).await.unwrap();
    assert_eq!((report.progress.done, report.progress.failed), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_minutes_refusal_teaches_nothing_about_the_day() {
    let nature = Nature { requests: per(15, 60), ..Nature::default() };
    let world = World::new(nature, 60);
    let ran = world.run(&["requests=1500/day", "requests=20/60s"], 1, Options::default()).await;
    assert_eq!((ran.report.end, world.done()), (RunEnd::Done, 60));
}

#[tokio::test(start_paused = true)]
async fn a_days_refusal_that_does_not_say_how_much_parks_the_job_all_the_same() {
    let world = World::new(Nature { per_day: Some(10), names_amount: false, ..Nature::default() }, 25);
    let ran = world.run(&[], 1, Options::default()).await;
    assert!(matches!(ran.report.end, RunEnd::Parked { .. }), "{:?}", ran.report.end);
    assert_eq!(world.done(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_provider_whose_day_begins_late_does_not_cost_another_day() {
    let world = World::new(Nature { per_day: Some(10), names_amount: false, ..Nature::default() }, 15);
    let provider = std::sync::Arc::clone(&world.provider);
    tokio::spawn(async move {
        // Noon in Los Angeles is the beginning: its day ends after twelve hours, the provider's a little later.
        tokio::time::sleep(SECOND * (12 * 3600 + 90)).await;
        provider.change(|nature| nature.per_day = Some(100));
    });
    let ran = world.run(&[], 1, Options { wait: true, ..Options::default() }).await;
    assert_eq!(world.done(), 15);
    assert!(ran.took < SECOND * 13 * 3600, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_answers_tell_of_is_kept_to_before_it_is_hit() {
    let latency = Duration::from_millis(50);
    let nature = Nature { requests: per(60, 60), latency, tells_limit: true, ..Nature::default() };
    let world = World::new(nature, 150);
    let ran = world.run(&[], 1, Options::default()).await;
    assert_eq!((ran.report.end, world.done(), world.provider.refusals()), (RunEnd::Done, 150, 0));
}

#[tokio::test(start_paused = true)]
async fn a_limit_on_money_needs_a_price() {
    let world = World::new(Nature::default(), 3);
    let mut job = world.job(&["usd=1/day"], 1, Options::default()).await;
    job.pools[0].price = None;
    assert_eq!(world.engine().run(job, Stop::never(), |_| {}).await.unwrap_err().code(), "price-unknown");
}

#[tokio::test(start_paused = true)]
async fn a_limit_on_money_holds_in_every_window_and_what_is_settled_for_less_is_spent() {
    let world = World::new(Nature::default(), 250);
    let ran = world.run(&["usd=0.01/10s"], 1, Options::default()).await;
    assert_eq!((ran.report.end, world.done()), (RunEnd::Done, 250));
    // A call is reserved at a tenth of a cent and more, and costs about a hundredth.
    let each = ran.report.progress.cost.as_dollars() / 250.0;
    let arrivals: Vec<Instant> = world.provider.record.lock().unwrap().arrivals.iter().map(|(at, _)| *at).collect();
    let in_window =
        |first: usize| arrivals[first..].iter().take_while(|at| **at - arrivals[first] < SECOND * 10).count();
    let most = (0..arrivals.len()).map(in_window).max().unwrap();
    assert!(most as f64 * each <= 0.01, "{most} calls of ${each}");
    assert!(most >= 60, "{most} calls of ${each} in the fullest window");
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_than_the_limit_says_are_in_flight() {
    let world = World::new(Nature::default(), 20);
    let ran = world.run(&["in_flight=3"], 1, Options::default()).await;
    assert_eq!((world.done(), world.provider.record.lock().unwrap().peak), (20, 3));
    assert!(ran.took < SECOND * 8, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_high_limit_is_kept_to_although_calls_are_reserved_in_blocks() {
    let world = World::new(Nature { requests: per(3_000, 10), ..Nature::default() }, 9_000);
    let ran = world.run(&["requests=3000/10s"], 1, Options::default()).await;
    assert_eq!((world.provider.refusals(), world.done(), world.paid_twice()), (0, 9_000, 0));
    assert!(world.journal.unsettled().is_empty());
    let ratio = ran.took.as_secs_f64() / allowed(9_000, 3_000, SECOND * 10, SECOND).as_secs_f64();
    assert!(ratio <= 1.2, "{ratio}");
}

/// The least time that any size of equal calls allows.
fn best_of_equal_calls(items: u64, amount: u64, window: Duration, latency: Duration, per_item: Duration) -> Duration {
    let takes = |pack: u64| {
        let windows = u32::try_from((items.div_ceil(pack) - 1) / amount).unwrap();
        window * windows + latency + per_item * u32::try_from(pack).unwrap()
    };
    (1..=32).map(takes).min().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_provider_is_like_the_first_run_comes_near_the_best_size_of_calls_and_the_second_reaches_it(
        items in 20_u64..200,
        amount in 3_u64..60,
        window_ms in 5_000_u64..20_000,
        latency_ms in 200_u64..4_000,
        per_item_ms in 50_u64..1_660,
    ) {
        simulated::paused().block_on(async {
            let [window, latency, per_item] = [window_ms, latency_ms, per_item_ms].map(Duration::from_millis);
            let requests = Some((amount, window));
            let mut world = World::new(Nature { requests, latency, per_item, answer_tokens: 166, ..Nature::default() }, items);
            let limit = format!("requests={amount}/{window_ms}ms");
            // Requests take up to 40 ms to arrive and are counted for 50; groups that open a pool are 25 ms apart.
            let best = best_of_equal_calls(items, amount, window, latency, per_item).as_secs_f64() + 0.15;
            let first = world.run(&[&limit], 32, Options::default()).await.took.as_secs_f64() / best;
            tokio::time::sleep(window * 2).await;
            world.job = "second".into();
            let item = |seq| Item { seq, lane: "lane".into(), payload: "more".into() };
            world.journal.add(&world.job, (1_000..1_000 + items).map(item));
            let second = world.run(&[&limit], 32, Options::default()).await.took.as_secs_f64() / best;
            prop_assert_eq!(world.provider.refusals(), 0);
            prop_assert!(first <= 1.75, "the first: {}", first);
            prop_assert!(second <= 1.15, "the second: {}", second);
            Ok(())
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn requests_that_arrive_later_than_the_margin_cost_refusals_and_no_items(
        amount in 1_u64..30,
        window in 2_u64..20,
        travel_ms in 50_u64..3_000,
        items in 1_u64..120,
        seed in any::<u64>(),
    ) {
        simulated::paused().block_on(async {
            let travel = Duration::from_millis(travel_ms);
            let world = World::new(Nature { requests: per(amount, window), travel, seed, ..Nature::default() }, items);
            let limit = format!("requests={amount}/{window}s");
            let ran = world.run(&[&limit], 1, Options { seed, ..Options::default() }).await;
            prop_assert_eq!(ran.report.end, RunEnd::Done);
            prop_assert_eq!((world.done() as u64, world.paid_twice()), (items, 0));
            prop_assert!(world.journal.unsettled().is_empty(), "a reservation did not come back");
            Ok(())
        })?;
    }

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
        simulated::paused().block_on(async {
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

#[tokio::test(start_paused = true)]
async fn a_limit_is_found_with_a_handful_of_refusals_however_much_latencies_vary() {
    for (names_limit, says_wait) in [(true, true), (false, true), (false, false)] {
        for seed in 0..4 {
            let nature = Nature {
                requests: per(600, 60),
                latency: SECOND / 5,
                jitter: SECOND * 9 / 5,
                names_limit,
                says_wait,
                seed,
                ..Nature::default()
            };
            let world = World::new(nature, 1_500);
            let ran = world.run(&[], 1, Options::default()).await;
            assert_eq!((world.done(), world.paid_twice()), (1_500, 0));
            let refusals = world.provider.refusals();
            assert!(refusals <= 10, "{refusals} refusals (names {names_limit}, wait {says_wait}, seed {seed})");
            let ratio = ran.took.as_secs_f64() / allowed(1_500, 600, SECOND * 60, SECOND).as_secs_f64();
            assert!(ratio <= 1.25, "{ratio} (names {names_limit}, wait {says_wait}, seed {seed})");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_without_a_word_in_the_middle_of_plenty_are_no_limit() {
    let stray = vec![(FaultKind::Limited, 0.02)];
    let nature = Nature { latency: SECOND / 2, ..Nature::default() };
    let options = || Options { concurrency: Some(16), ..Options::default() };
    let clean = World::new(nature.clone(), 1_000).run(&[], 1, options()).await;
    for limits in [&[][..], &["requests=10000/60s"][..]] {
        let world = World::new(Nature { faults: stray.clone(), ..nature.clone() }, 1_000);
        let ran = world.run(limits, 1, options()).await;
        assert_eq!((world.done(), world.paid_twice()), (1_000, 0));
        let ratio = ran.took.as_secs_f64() / clean.took.as_secs_f64();
        assert!(ratio <= 1.5, "{ratio} with {limits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_without_known_limits_is_asked_ever_quicker() {
    let world = World::new(Nature::default(), 10_000);
    let ran = world.run(&[], 1, Options::default()).await;
    assert!(ran.took < SECOND * 30, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_answers_nothing_is_given_up_on_and_the_items_are_kept() {
    let down = Nature { faults: vec![(FaultKind::ServerError, 1.0)], ..Nature::default() };
    let world = World::new(down.clone(), 100);
    let started = Instant::now();
    let ran = world.run(&[], 1, Options { attempts: 1_000, ..Options::default() }).await;
    let RunEnd::GaveUp(fault) = ran.report.end else { panic!("{:?}", ran.report.end) };
    assert!(fault.message.contains("nothing was answered for 600s; the last error: simulated fault"), "{fault}");
    assert!((SECOND * 600..SECOND * 640).contains(&started.elapsed()), "{:?}", started.elapsed());
    assert!(world.journal.outcomes(&world.job).is_empty());

    let ran = World::new(down, 100).run(&[], 1, Options { fail_fast: true, ..Options::default() }).await;
    assert!(matches!(ran.report.end, RunEnd::GaveUp(_)));
    assert!(ran.took < SECOND * 20, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn an_account_without_any_quota_is_not_waited_for() {
    let world = World::new(Nature { requests: Some((0, SECOND * 60)), ..Nature::default() }, 10);
    let ran = world.run(&[], 1, Options::default()).await;
    let RunEnd::Closed(fault) = ran.report.end else { panic!("{:?}", ran.report.end) };
    assert_eq!(fault.kind, FaultKind::AccountBlocked);
    assert!(fault.message.contains("its limit on requests to it is 0"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_lost_cost_what_such_answers_cost_and_the_budget_lasts() {
    let faults = vec![
        (FaultKind::Overloaded, 0.05),
        (FaultKind::ServerError, 0.02),
        (FaultKind::Timeout, 0.01),
        (FaultKind::ConnectionLost, 0.01),
        (FaultKind::Unreadable, 0.02),
    ];
    let nature = Nature { latency: SECOND / 2, faults, ..Nature::default() };
    let world = World::new(nature.clone(), 1_000);
    let job = world.job(&[], 1, Options::default()).await;
    let mut lost = 0;
    let engine = world.engine();
    let report = engine.run(job, Stop::never(), |event| {
        lost += u64::from(matches!(event, Event::Faulted { fault, .. } if fault.kind.loses_answer()));
    });
    let report = report.await.unwrap();
    // A prompt has three or four tokens, and an answer ten.
    let (cost, each) = (report.progress.cost.as_dollars(), 3.9e-6 + 10.0 * 10e-6);
    let ratio = cost / ((1_000 + lost) as f64 * each);
    assert!(lost > 20 && (0.99..1.01).contains(&ratio), "{ratio}, {lost} lost");
    assert!(report.progress.estimated);

    let max_cost = Usd::from_dollars(cost * 1.2);
    let world = World::new(nature, 1_000);
    let mut job = world.job(&[], 1, Options { max_cost, ..Options::default() }).await;
    job.task = std::sync::Arc::new(simulated::Uncapped);
    let report = world.engine().run(job, Stop::never(), |_| {}).await.unwrap();
    assert_eq!((report.end, report.progress.done), (RunEnd::Done, 1_000));
    assert!(report.progress.cost <= max_cost.unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_second_run_on_a_pool_plans_with_what_the_first_has_found_out() {
    let nature = Nature { requests: per(5, 10), per_item: SECOND / 3, latency: SECOND / 2, ..Nature::default() };
    let mut world = World::new(nature, 60);
    world.run(&["requests=5/10s"], 40, Options::default()).await;
    tokio::time::sleep(SECOND * 60).await;
    world.provider.record.lock().unwrap().items_in_calls.clear();
    world.job = "second".into();
    world.journal.add(&world.job, (60..120).map(|seq| Item { seq, lane: "lane".into(), payload: "more".into() }));
    let engine = world.engine();
    let job = world.job(&["requests=5/10s"], 40, Options::default()).await;
    let forecast = engine.forecast(&job, &world.journal.pending(&world.job, None, 100).await.unwrap()).await.unwrap();
    let started = Instant::now();
    engine.run(job, Stop::never(), |_| {}).await.unwrap();
    // All in one window, twelve a call: 0.5 + 12 / 3 s.
    let took = started.elapsed().as_secs_f64();
    assert!(took <= 4.5 * 1.1, "{took}");
    assert!((forecast.takes.unwrap().as_secs_f64() / took - 1.0).abs() < 0.1, "{:?}", forecast.takes);
}
