//! The journal.

use std::time::Duration;

use atelier_engine::{
    Amounts, Ended, EntryId, Habits, Item, LatencyHabit, Lesson, Outcome, Reservation, Reserved, Runner, Settlement,
    Urgency, Usage, Usd, Verdict,
};

use crate::Place;
use crate::fixtures::*;

async fn pending(place: &dyn Place, job: &str) -> Vec<u64> {
    let items = place.open().journal().pending(&id(job), None, 1_000).await.unwrap();
    items.iter().map(|item| item.seq).collect()
}

pub(crate) async fn items_are_pending_in_order_until_they_have_an_outcome(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 5)).await.unwrap();
    store.create_job(job("b", 2)).await.unwrap();
    answer(&store, "a", vec![done(1), failed(2)]).await;

    let journal = store.journal();
    let page = journal.pending(&id("a"), None, 2).await.unwrap();
    let first = Item { seq: 0, lane: "lane".into(), payload: r#"{"key":"key-0"}"#.into() };
    assert_eq!((page.len(), &page[0], page[1].seq), (2, &first, 3));
    let page = journal.pending(&id("a"), Some(3), 2).await.unwrap();
    assert_eq!(page.iter().map(|item| item.seq).collect::<Vec<_>>(), [4], "fewer than asked for: no more");
    assert_eq!(pending(place, "b").await, [0, 1]);
    assert!(pending(place, "no such job").await.is_empty());
}

pub(crate) async fn what_was_settled_is_there_when_the_store_is_opened_again(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 3)).await.unwrap();
    answer(&store, "a", vec![done(0)]).await;
    reserve(&store.journal(), reservation("a", &[1])).await;
    drop(store);

    assert_eq!(pending(place, "a").await, [1, 2], "a reservation is no outcome");
    let store = place.open();
    assert_eq!(store.outcomes("a", None, 10).await.unwrap().len(), 1);
    let ledger = store.journal().ledger(&POOL.into(), at(0)).await.unwrap();
    assert_eq!(ledger.iter().map(|entry| entry.settled).collect::<Vec<_>>(), [true, false]);
}

pub(crate) async fn the_first_outcome_of_an_item_stands(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 2)).await.unwrap();
    answer(&store, "a", vec![done(0)]).await;
    answer(&store, "a", vec![failed(0), done(1)]).await;

    let outcomes = store.outcomes("a", None, 10).await.unwrap();
    let statuses: Vec<_> = outcomes.iter().map(|outcome| (outcome.seq, outcome.verdict.status())).collect();
    assert_eq!(statuses, [(0, "done"), (1, "done")], "what came beside the second outcome is kept");
}

pub(crate) async fn every_kind_of_outcome_comes_back_as_it_was_given(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 3)).await.unwrap();
    let given = vec![done(0), blocked(1), failed(2)];
    answer(&store, "a", given.clone()).await;

    let outcomes = store.outcomes("a", None, 10).await.unwrap();
    let read: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| (Outcome { seq: outcome.seq, verdict: outcome.verdict }, outcome.attempts))
        .collect();
    assert_eq!(read, given);
}

pub(crate) async fn reservations_are_numbered_upwards_in_their_order(place: &dyn Place) {
    let journal = place.open().journal();
    let first = reserve(&journal, reservation("a", &[0])).await;
    let three = (1..4).map(|seq| reservation("a", &[seq])).collect();
    let Reserved::Granted(entries) = journal.reserve(&runner("us"), three, known("us", first.0)).await.unwrap() else {
        panic!("refused")
    };
    assert_eq!(entries.len(), 3);
    assert!(first < entries[0] && entries.is_sorted(), "{first:?} {entries:?}");
    assert_eq!(
        journal.reserve(&runner("us"), Vec::new(), known("us", first.0)).await.unwrap(),
        Reserved::Granted(Vec::new())
    );
}

pub(crate) async fn a_run_that_has_not_seen_anothers_reservation_is_told_of_it(place: &dyn Place) {
    let (ours, theirs) = (place.open().journal(), place.open().journal());
    let seen = reserve(&ours, reservation("a", &[0])).await;
    let other = Reservation { amounts: Amounts { requests: 7, ..Amounts::default() }, ..reservation("b", &[0]) };
    let unseen = reserve_as("them", &theirs, other).await;

    let Reserved::Behind(entries) =
        ours.reserve(&runner("us"), vec![reservation("a", &[1])], known("us", seen.0)).await.unwrap()
    else {
        panic!("granted without knowing of the other");
    };
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].id, entries[0].left, entries[0].settled), (unseen, at(11), false));
    assert_eq!(entries[0].amounts.requests, 7);
    let ledger = ours.ledger(&POOL.into(), at(0)).await.unwrap();
    assert_eq!(ledger.len(), 2, "nothing was written");

    let granted = ours.reserve(&runner("us"), vec![reservation("a", &[1])], known("us", unseen.0)).await.unwrap();
    assert!(matches!(granted, Reserved::Granted(_)), "once it is known, admission goes on: {granted:?}");
}

pub(crate) async fn own_reservations_and_other_pools_put_nobody_behind(place: &dyn Place) {
    let (ours, theirs) = (place.open().journal(), place.open().journal());
    reserve(&ours, reservation("a", &[0])).await;
    let another = || Some("another/pool".into());
    let other = Reservation { pool: "another/pool".into(), scope: another(), ..reservation("b", &[0]) };
    reserve_as("them", &theirs, other).await;
    let granted = ours.reserve(&runner("us"), vec![reservation("a", &[1])], known("us", 0)).await.unwrap();
    assert!(matches!(granted, Reserved::Granted(_)), "{granted:?}");
}

pub(crate) async fn what_left_long_ago_puts_nobody_behind(place: &dyn Place) {
    let (ours, theirs) = (place.open().journal(), place.open().journal());
    let old = Reservation { at: at(-3 * 86_400), leave_by: at(-3 * 86_400), ..reservation("b", &[0]) };
    reserve_as("them", &theirs, old).await;
    let granted = ours.reserve(&runner("us"), vec![reservation("a", &[1])], known("us", 0)).await.unwrap();
    assert!(matches!(granted, Reserved::Granted(_)), "{granted:?}");
}

pub(crate) async fn a_settled_call_counts_for_what_was_reported_from_when_it_left(place: &dyn Place) {
    let journal = place.open().journal();
    let entry = reserve(&journal, reservation("a", &[0])).await;
    journal.settle(&[settlement("a", entry, Vec::new())]).await.unwrap();
    let ledger = journal.ledger(&POOL.into(), at(0)).await.unwrap();
    assert_eq!(ledger.len(), 1);
    assert_eq!((ledger[0].id, ledger[0].left, ledger[0].settled), (entry, at(10), true));
    assert_eq!(ledger[0].amounts, settlement("a", entry, Vec::new()).counted);
}

pub(crate) async fn the_ledger_holds_what_left_since(place: &dyn Place) {
    let journal = place.open().journal();
    let mut entries = Vec::new();
    for second in [100, 200, 300] {
        let reservation = Reservation { at: at(second), leave_by: at(second + 1), ..reservation("a", &[0]) };
        entries.push(reserve(&journal, reservation).await);
    }
    reserve(&journal, Reservation { pool: "another/pool".into(), ..reservation("a", &[0]) }).await;
    // It left later than it should have: what counts is when it left.
    let late = Settlement { left: at(260), ..settlement("a", entries[1], Vec::new()) };
    journal.settle(&[late]).await.unwrap();

    let since = async |second| -> Vec<EntryId> {
        let ledger = journal.ledger(&POOL.into(), at(second)).await.unwrap();
        ledger.iter().map(|entry| entry.id).collect()
    };
    assert_eq!(since(0).await, entries);
    assert_eq!(since(101).await, entries, "at that moment counts");
    assert_eq!(since(260).await, entries[1..]);
    assert_eq!(since(261).await, entries[2..]);
    assert!(since(302).await.is_empty());
}

pub(crate) async fn the_models_of_an_account_share_its_scope(place: &dyn Place) {
    let journal = place.open().journal();
    let of = |pool: &str| Reservation {
        pool: pool.into(),
        scope: Some("provider/account/".into()),
        ..reservation("a", &[0])
    };
    let seen = reserve_as("them", &journal, of("provider/account/one")).await;
    reserve_as("them", &journal, of("provider/accountant/one")).await;
    let unseen = reserve_as("them", &journal, of("provider/account/two")).await;
    let Reserved::Behind(entries) =
        journal.reserve(&runner("us"), vec![of("provider/account/one")], known("us", seen.0)).await.unwrap()
    else {
        panic!("granted without knowing of the account's other model");
    };
    assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), [unseen]);
    let ledger = journal.ledger(&"provider/account/".into(), at(0)).await.unwrap();
    assert_eq!(
        ledger.iter().map(|entry| &*entry.pool).collect::<Vec<_>>(),
        ["provider/account/one", "provider/account/two"]
    );
}

pub(crate) async fn a_block_of_calls_counts_for_what_ended_and_for_what_may_yet_be_used(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 3)).await.unwrap();
    let journal = store.journal();
    let amounts = Amounts { requests: 3, input_tokens: 1_500, images: 0, usd: Usd::from_nanos(27_000) };
    let block = Reservation { calls: 3, amounts, ..reservation("a", &[0, 1, 2]) };
    let entry = reserve(&journal, block).await;
    journal.settle(&[settlement("a", entry, vec![done(1)])]).await.unwrap();

    let line = &journal.ledger(&POOL.into(), at(0)).await.unwrap()[0];
    let expected = Amounts { requests: 3, input_tokens: 1_420, images: 0, usd: Usd::from_nanos(25_000) };
    assert_eq!((line.settled, line.left, line.amounts), (false, at(11), expected));
    let unsettled = store.unsettled("a").await.unwrap();
    assert_eq!(unsettled[0].item_keys, ["key-0", "key-2"], "what was answered is not in flight");
    assert_eq!(store.job("a").await.unwrap().unwrap().totals.unsettled, Usd::from_nanos(18_000));

    journal.settle(&[settlement("a", entry, vec![done(0)]), settlement("a", entry, vec![done(2)])]).await.unwrap();
    let line = &journal.ledger(&POOL.into(), at(0)).await.unwrap()[0];
    assert_eq!((line.settled, line.left, line.amounts.input_tokens), (true, at(10), 1_260));
    let totals = store.job("a").await.unwrap().unwrap().totals;
    assert_eq!((totals.calls, totals.input_tokens, totals.unsettled), (3, 1_260, Usd::ZERO));
    assert!(store.unsettled("a").await.unwrap().is_empty());
}

pub(crate) async fn whoever_is_in_line_goes_before_those_that_were_served_more(place: &dyn Place) {
    let journal = place.open().journal();
    let pool = || POOL.into();
    let all = || known("all", i64::MAX);
    let (big, small) = (runner("big"), runner("small"));
    let calls = |calls| vec![Reservation { calls, ..reservation("a", &[0]) }];
    journal.join_queue(&big, &pool(), at(0), at(60)).await.unwrap();
    let granted = journal.reserve(&big, calls(9), all()).await.unwrap();
    assert!(matches!(granted, Reserved::Granted(_)), "it waits alone: {granted:?}");
    journal.join_queue(&small, &pool(), at(1), at(60)).await.unwrap();

    assert_eq!(journal.reserve(&big, calls(1), all()).await.unwrap(), Reserved::NotYet, "who comes later has had less");
    assert_eq!(
        journal.reserve(&runner("new"), calls(1), all()).await.unwrap(),
        Reserved::NotYet,
        "it stands in no line"
    );
    assert!(matches!(journal.reserve(&small, calls(1), all()).await.unwrap(), Reserved::Granted(_)));
    // From here on both have had as much, but for a turn.
    assert!(matches!(journal.reserve(&big, calls(9), all()).await.unwrap(), Reserved::Granted(_)));
    assert_eq!(journal.reserve(&big, calls(9), all()).await.unwrap(), Reserved::NotYet);
    journal.leave_queue(&small).await.unwrap();
    assert!(matches!(journal.reserve(&big, calls(1), all()).await.unwrap(), Reserved::Granted(_)), "nobody else waits");
}

pub(crate) async fn whoever_is_waited_for_goes_first_until_its_place_is_lost(place: &dyn Place) {
    let journal = place.open().journal();
    let all = || known("all", i64::MAX);
    let (batch, waited_for) = (runner("batch"), Runner { urgency: Urgency::Interactive, ..runner("user") });
    journal.join_queue(&waited_for, &POOL.into(), at(0), at(20)).await.unwrap();
    assert_eq!(journal.reserve(&batch, vec![reservation("a", &[0])], all()).await.unwrap(), Reserved::NotYet);
    let later = Reservation { at: at(20), ..reservation("a", &[0]) };
    assert!(matches!(journal.reserve(&batch, vec![later], all()).await.unwrap(), Reserved::Granted(_)));
    let granted = journal.reserve(&waited_for, vec![reservation("a", &[1])], all()).await.unwrap();
    assert!(matches!(granted, Reserved::Granted(_)), "a run in line for less goes nowhere first: {granted:?}");
}

pub(crate) async fn outcomes_may_come_without_a_call(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 1)).await.unwrap();
    let ended = Ended::default();
    let settlement = Settlement { entry: None, ended, ..settlement("a", EntryId::default(), vec![failed(0)]) };
    store.journal().settle(&[settlement]).await.unwrap();
    let job = store.job("a").await.unwrap().unwrap();
    assert_eq!((job.counts.failed, job.totals.calls), (1, 0));
}

pub(crate) async fn settling_what_was_never_reserved_is_an_error_and_writes_nothing(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 1)).await.unwrap();
    let error = store.journal().settle(&[settlement("a", EntryId(99), vec![done(0)])]).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), ("no-such-reservation", "there is no reservation 99"));
    assert_eq!(pending(place, "a").await, [0]);
}

pub(crate) async fn what_is_not_reported_is_not_zero_and_not_an_error(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 1)).await.unwrap();
    let journal = store.journal();
    let entry = reserve(&journal, reservation("a", &[0])).await;
    let verdict = Verdict::Done { result: "1".into() };
    let unreported = Settlement {
        usage: Usage::default(),
        cost: Usd::from_nanos(5),
        estimated: true,
        ..settlement("a", entry, vec![(Outcome { seq: 0, verdict }, 1)])
    };
    journal.settle(&[unreported]).await.unwrap();
    let totals = store.job("a").await.unwrap().unwrap().totals;
    assert_eq!((totals.calls, totals.input_tokens, totals.cost, totals.estimated), (1, 0, Usd::from_nanos(5), true));
}

pub(crate) async fn a_lesson_takes_the_place_of_the_one_of_its_scope_until_it_is_forgotten(place: &dyn Place) {
    let store = place.open();
    let journal = store.journal();
    let learn = |text: &str, second| Lesson { limit: text.parse().unwrap(), at: at(second) };
    let lessons = [learn("requests=30/60s", 1), learn("requests=900/day", 2), learn("requests=20/60s", 3)];
    for lesson in lessons {
        journal.learn(&POOL.into(), lesson).await.unwrap();
    }
    assert_eq!(place.open().journal().lessons(&POOL.into()).await.unwrap(), [lessons[2], lessons[1]]);
    assert_eq!(store.pools().await.unwrap(), [POOL.into()]);
    assert_eq!(store.forget_lessons(&POOL.into()).await.unwrap(), 2);
    assert!(journal.lessons(&POOL.into()).await.unwrap().is_empty());
}

pub(crate) async fn spending_is_told_by_pool_job_lane_and_day(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 2)).await.unwrap();
    answer(&store, "a", vec![done(0)]).await;
    answer(&store, "a", vec![done(1)]).await;
    reserve(&store.journal(), reservation("a", &[0])).await;

    let spending = store.spending(at(0), at(3_600)).await.unwrap();
    assert_eq!(spending.len(), 1, "{spending:?}");
    // The tests begin eight hours into a day.
    assert_eq!((&*spending[0].job, spending[0].calls, spending[0].day), ("a", 2, at(-8 * 3_600)));
    assert!(store.spending(at(3_600), at(86_400)).await.unwrap().is_empty());
}

pub(crate) async fn a_settlement_that_is_written_again_changes_nothing(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 3)).await.unwrap();
    let journal = store.journal();
    let single = reserve(&journal, reservation("a", &[0])).await;
    let amounts = Amounts { requests: 2, input_tokens: 1_000, images: 0, usd: Usd::from_nanos(18_000) };
    let block = reserve(&journal, Reservation { calls: 2, amounts, ..reservation("a", &[1, 2]) }).await;
    let first = [settlement("a", single, vec![done(0)]), settlement("a", block, vec![done(1)])];
    let second = [settlement("a", block, vec![done(2)])];
    // Whoever lost its connection in the middle of a commit asks for it again, late and out of order.
    for settlements in [&first[..], &first, &second, &first, &second] {
        journal.settle(settlements).await.unwrap();
    }
    let totals = store.job("a").await.unwrap().unwrap().totals;
    assert_eq!((totals.calls, totals.input_tokens, totals.cost), (3, 1_260, Usd::from_nanos(21_000)));
    let ledger = journal.ledger(&POOL.into(), at(0)).await.unwrap();
    assert_eq!(ledger.iter().map(|entry| entry.amounts.input_tokens).sum::<u64>(), 1_260);

    // What was booked for a call is corrected, once as well.
    let less = Usd::ZERO - Usd::from_nanos(1_000);
    let none = Settlement {
        ended: Ended::default(),
        reserved: Amounts::default(),
        counted: Amounts::default(),
        ..second[0].clone()
    };
    let corrected =
        [Settlement { id: 5, entry: Some(single), cost: less, usage: Usage::default(), outcomes: Vec::new(), ..none }];
    journal.settle(&corrected).await.unwrap();
    journal.settle(&corrected).await.unwrap();
    let totals = store.job("a").await.unwrap().unwrap().totals;
    assert_eq!((totals.calls, totals.cost, totals.unsettled_calls), (3, Usd::from_nanos(20_000), 0));
}

pub(crate) async fn whoever_lost_its_lease_reserves_nothing_more_and_still_settles(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 2)).await.unwrap();
    let journal = store.journal();
    let lease = store.lease(&id("a")).await.unwrap();
    let first = Runner { lease: Some(lease.epoch()), ..runner("first") };
    let reserve = |by: Runner, seq| {
        let journal = &journal;
        async move { journal.reserve(&by, vec![reservation("a", &[seq])], known("us", i64::MAX)).await.unwrap() }
    };
    let Reserved::Granted(entries) = reserve(first.clone(), 0).await else { panic!("the lease is held") };
    lease.release().await.unwrap();
    let taken = place.open().lease(&id("a")).await.unwrap();
    assert!(Some(taken.epoch()) > first.lease, "each holder has a larger number");
    assert_eq!(reserve(first, 1).await, Reserved::Lost);
    journal.settle(&[settlement("a", entries[0], vec![done(0)])]).await.unwrap();
    assert_eq!(store.job("a").await.unwrap().unwrap().counts.done, 1);
    let second = Runner { lease: Some(taken.epoch()), ..runner("second") };
    assert!(matches!(reserve(second, 1).await, Reserved::Granted(_)));
}

pub(crate) async fn time_never_goes_back_and_a_stamp_of_far_ahead_is_no_time(place: &dyn Place) {
    let store = place.open();
    let journal = store.journal();
    let before = journal.time().await.unwrap().unwrap();
    let hour = Duration::from_secs(3_600);
    reserve(&journal, Reservation { at: before.after(hour), ..reservation("a", &[0]) }).await;
    let after = journal.time().await.unwrap().unwrap();
    assert!(after >= before.after(hour), "another machine has said that it is later");
    let wrong = Reservation { scope: Some("else".into()), pool: "else".into(), ..reservation("a", &[1]) };
    reserve(&journal, Reservation { at: before.after(hour * 24 * 365), ..wrong }).await;
    assert!(journal.time().await.unwrap().unwrap() < before.after(hour * 24));
}

pub(crate) async fn what_a_pool_is_like_is_kept(place: &dyn Place) {
    let journal = place.open().journal();
    assert_eq!(journal.habits(&POOL.into()).await.unwrap(), None);
    let latency = LatencyHabit { answers: 3.0, tokens: 100.0, seconds: 1.5, ..LatencyHabit::default() };
    let habits = Habits { latency: Some(latency), burst: 60, at: at(1), ..Habits::default() };
    journal.keep_habits(&POOL.into(), Habits::default()).await.unwrap();
    journal.keep_habits(&POOL.into(), habits.clone()).await.unwrap();
    assert_eq!(place.open().journal().habits(&POOL.into()).await.unwrap(), Some(habits));
}

pub(crate) async fn those_that_come_together_begin_level(place: &dyn Place) {
    let journal = place.open().journal();
    let runners = ["one", "two", "three"].map(runner);
    for runner in &runners {
        journal.join_queue(runner, &POOL.into(), at(0), at(60)).await.unwrap();
    }
    for runner in &runners {
        let granted = journal.reserve(runner, vec![reservation("a", &[0])], known("all", i64::MAX)).await.unwrap();
        assert!(matches!(granted, Reserved::Granted(_)), "{}: {granted:?}", runner.id);
    }
}
