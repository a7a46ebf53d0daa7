//! Jobs.

use atelier_engine::{Ended, Settlement, Usd};
use atelier_store::{AnswerStatus, JobCounts, JobPage, JobState, JobTotals, StoreError};
use serde_json::json;

use crate::Place;
use crate::fixtures::*;

pub(crate) async fn a_job_comes_back_as_it_was_made(place: &dyn Place) {
    let store = place.open();
    let mut new = job("a", 2);
    new.settings = json!({"text": "line\nline", "id": "1234567890123456789", "big": 1_234_567_890_123_456_789_u64});
    store.create_job(new.clone()).await.unwrap();

    let record = place.open().job("a").await.unwrap().unwrap();
    assert_eq!((record.id.as_ref(), record.kind.as_str(), record.state), ("a", "replies", JobState::Open));
    assert_eq!((record.note, record.resume_at), (None, None));
    assert_eq!(record.settings, new.settings);
    assert_eq!((record.created_at, record.updated_at), (at(0), at(0)));
    assert_eq!(record.counts, JobCounts { items: 2, pending: 2, ..JobCounts::default() });
    assert_eq!(record.totals, JobTotals::default());
    assert_eq!(store.job("b").await.unwrap(), None);
}

pub(crate) async fn a_job_id_is_taken_once(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 2)).await.unwrap();
    let error = store.create_job(job("a", 5)).await.unwrap_err();
    assert_eq!(error, StoreError::JobExists { job: "a".into() });
    assert_eq!(store.job("a").await.unwrap().unwrap().counts.items, 2);
}

pub(crate) async fn items_added_later_come_after_the_first(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 2)).await.unwrap();
    store.add_items(&id("a"), vec![item("x"), item("y")]).await.unwrap();
    let items = store.journal().pending(&id("a"), Some(1), 10).await.unwrap();
    let items: Vec<_> = items.iter().map(|item| (item.seq, item.payload.as_ref())).collect();
    assert_eq!(items, [(2, r#"{"key":"x"}"#), (3, r#"{"key":"y"}"#)]);
}

pub(crate) async fn adding_to_no_job_is_an_error(place: &dyn Place) {
    let error = place.open().add_items(&id("a"), vec![item("x")]).await.unwrap_err();
    assert_eq!(error, StoreError::NoSuchJob { job: "a".into() });
}

pub(crate) async fn jobs_are_listed_newest_first_by_page(place: &dyn Place) {
    let store = place.open();
    for (name, second) in [("a", 1), ("b", 3), ("c", 2), ("d", 2)] {
        let mut job = job(name, 1);
        job.created_at = at(second);
        store.create_job(job).await.unwrap();
    }
    let first = store.jobs(JobPage { after: None, limit: 2 }).await.unwrap();
    let cursor = first.last().unwrap().cursor().to_string().parse().unwrap();
    let second = store.jobs(JobPage { after: Some(cursor), limit: 10 }).await.unwrap();
    let ids: Vec<_> = first.iter().chain(&second).map(|job| job.id.to_string()).collect();
    assert_eq!(ids, ["b", "d", "c", "a"]);
    assert!(first.iter().chain(&second).all(|job| job.counts.items == 1));
}

pub(crate) async fn outcomes_are_listed_in_order_by_page(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 4)).await.unwrap();
    answer(&store, "a", vec![done(3)]).await;
    answer(&store, "a", vec![blocked(0), done(2)]).await;
    let first = store.outcomes("a", None, 2).await.unwrap();
    let second = store.outcomes("a", Some(first[1].seq), 2).await.unwrap();
    let listed: Vec<_> = first.iter().chain(&second).map(|outcome| (outcome.seq, outcome.key.as_str())).collect();
    assert_eq!(listed, [(0, "key-0"), (2, "key-2"), (3, "key-3")]);
    assert_eq!(first[0].lane.as_ref(), "lane");
}

pub(crate) async fn counts_and_totals_add_up(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 6)).await.unwrap();
    store.create_job(job("other", 1)).await.unwrap();
    answer(&store, "other", vec![done(0)]).await;
    answer(&store, "a", vec![done(0), done(1)]).await;
    answer(&store, "a", vec![blocked(2), failed(3)]).await;
    let journal = store.journal();
    for limited in [1, 0, 0] {
        let entry = reserve(&journal, reservation("a", &[4])).await;
        let fault = Settlement {
            ended: Ended { calls: 1, sent: 1, limited, faulted: 1 - limited, unpriced: 0 },
            counted: Default::default(),
            usage: Default::default(),
            cost: Usd::ZERO,
            ..settlement("a", entry, Vec::new())
        };
        journal.settle(&[fault]).await.unwrap();
    }
    // One that never left, and one that is in flight: neither is a call that ended.
    let entry = reserve(&journal, reservation("a", &[4])).await;
    let unsent = Settlement {
        ended: Ended { calls: 1, ..Ended::default() },
        counted: Default::default(),
        usage: Default::default(),
        cost: Usd::ZERO,
        ..settlement("a", entry, Vec::new())
    };
    journal.settle(&[unsent]).await.unwrap();
    reserve(&journal, reservation("a", &[4])).await;

    let record = store.job("a").await.unwrap().unwrap();
    assert_eq!(record.counts, JobCounts { items: 6, done: 2, blocked: 1, failed: 1, pending: 2 });
    let totals = JobTotals {
        calls: 5,
        rate_limited: 1,
        faults: 2,
        input_tokens: 840,
        output_tokens: 198,
        cost: Usd::from_nanos(14_000),
        estimated: false,
        unpriced: 0,
        // The last one was reserved and never settled.
        unsettled: Usd::from_nanos(9_000),
        unsettled_calls: 1,
    };
    assert_eq!(record.totals, totals);
    let listed = store.jobs(JobPage { after: None, limit: 10 }).await.unwrap();
    assert!(listed.contains(&record), "the list says the same");
}

pub(crate) async fn a_state_is_kept_with_its_note_and_its_time(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 1)).await.unwrap();
    let note = Some("requests=20/day is used up".to_owned());
    store.set_job_state(&id("a"), JobState::Parked, note.clone(), Some(at(500)), at(9)).await.unwrap();
    let parked = place.open().job("a").await.unwrap().unwrap();
    assert_eq!((parked.state, parked.note, parked.resume_at), (JobState::Parked, note, Some(at(500))));
    assert_eq!((parked.created_at, parked.updated_at), (at(0), at(9)));
    for state in [JobState::Open, JobState::Stopped, JobState::Cancelled, JobState::Done] {
        store.set_job_state(&id("a"), state, None, None, at(10)).await.unwrap();
        let job = store.job("a").await.unwrap().unwrap();
        assert_eq!((job.state, job.note, job.resume_at), (state, None, None));
    }
    let error = store.set_job_state(&id("b"), JobState::Done, None, None, at(9)).await.unwrap_err();
    assert_eq!(error, StoreError::NoSuchJob { job: "b".into() });
}

pub(crate) async fn calls_never_settled_are_listed_with_their_items(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 5)).await.unwrap();
    answer(&store, "a", vec![done(0)]).await;
    let lost = reserve(&store.journal(), reservation("a", &[1, 4])).await;
    reserve(&store.journal(), reservation("b", &[0])).await;
    let unsettled = place.open().unsettled("a").await.unwrap();
    assert_eq!(unsettled.len(), 1);
    assert_eq!((unsettled[0].entry, unsettled[0].left), (lost, at(11)));
    assert_eq!(unsettled[0].item_keys, ["key-1", "key-4"]);
}

pub(crate) async fn failed_items_are_pending_again_once_the_job_is_reopened(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 4)).await.unwrap();
    answer(&store, "a", vec![done(0), failed(1), blocked(2), failed(3)]).await;
    store.set_job_state(&id("a"), JobState::Done, Some("over".into()), None, at(5)).await.unwrap();

    assert_eq!(store.reopen(&id("a"), &["failed"], at(6)).await.unwrap(), 2);
    let record = store.job("a").await.unwrap().unwrap();
    assert_eq!((record.state, record.note, record.updated_at), (JobState::Open, None, at(6)));
    assert_eq!(record.counts, JobCounts { items: 4, done: 1, blocked: 1, failed: 0, pending: 2 });
    assert_eq!(store.reopen(&id("a"), &["failed", "blocked"], at(7)).await.unwrap(), 1);
    let error = store.reopen(&id("b"), &["failed"], at(7)).await.unwrap_err();
    assert_eq!(error, StoreError::NoSuchJob { job: "b".into() });
}

pub(crate) async fn reopening_a_job_without_failed_items_changes_nothing(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 1)).await.unwrap();
    answer(&store, "a", vec![done(0)]).await;
    store.set_job_state(&id("a"), JobState::Done, None, None, at(5)).await.unwrap();
    let before = store.job("a").await.unwrap();
    assert_eq!(store.reopen(&id("a"), &["failed"], at(6)).await.unwrap(), 0);
    assert_eq!(store.reopen(&id("a"), &[], at(6)).await.unwrap(), 0);
    assert_eq!(store.job("a").await.unwrap(), before);
}

pub(crate) async fn a_failed_post_that_another_job_has_taken_is_not_reopened(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1", "p2", "p3"]).await;
    store.create_job(job_for("first", "tea", &["p1", "p2", "p3"])).await.unwrap();
    answer(&store, "first", vec![failed(0), failed(1), failed(2)]).await;
    store.set_job_state(&id("first"), JobState::Done, None, None, at(5)).await.unwrap();

    store.create_job(job_for("second", "tea", &["p1"])).await.unwrap();
    store.create_job(job_for("third", "tea", &["p2"])).await.unwrap();
    store.save_answers(&id("third"), vec![unanswered("p2", AnswerStatus::Blocked)], at(6)).await.unwrap();
    store.set_job_state(&id("third"), JobState::Done, None, None, at(6)).await.unwrap();

    assert_eq!(store.reopen(&id("first"), &["failed"], at(7)).await.unwrap(), 1);
    let pending = store.journal().pending(&id("first"), None, 10).await.unwrap();
    assert_eq!(pending.iter().map(|item| item.seq).collect::<Vec<_>>(), [2]);
}
