//! What whoever watches is told.

use atelier_store::{Changed, DraftStatus, JobState, NewJob, PostAnswer, Store, StoreError};
use tokio::task::JoinSet;

use crate::Place;
use crate::fixtures::{answer, at, done, draft, drafted, id, job, project_with};

fn numbers(changes: &[atelier_store::Change]) -> Vec<u64> {
    changes.iter().map(|change| change.number).collect()
}

pub(crate) async fn every_change_is_told_once_in_order(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1"]).await;
    store.create_job(job("a", 3)).await.unwrap();
    answer(&store, "a", vec![done(2), done(0)]).await;
    store
        .save_answers(&id("a"), vec![PostAnswer { drafts: vec![draft("funny", 1)], ..drafted("p1") }], at(2))
        .await
        .unwrap();
    let drafts = ["d1".to_owned()];
    store.set_draft_status(&drafts, DraftStatus::Approved, None, at(20)).await.unwrap();
    store.set_job_state(&id("a"), JobState::Stopped, None, None, at(30)).await.unwrap();

    let changes = store.changes(0, 100).await.unwrap();
    let what: Vec<Changed> = changes.iter().map(|change| change.what.clone()).collect();
    let changed_draft = || Changed::Draft("d1".into());
    let expected = [
        Changed::Job("a".into()),
        Changed::Quota(crate::fixtures::POOL.into()),
        Changed::Items { job: "a".into(), seqs: vec![2, 0] },
        changed_draft(),
        changed_draft(),
        Changed::Job("a".into()),
    ];
    assert_eq!(what, expected);
    assert_eq!(numbers(&changes), [1, 2, 3, 4, 5, 6]);
    assert_eq!(store.changes(4, 1).await.unwrap(), changes[4..5], "from any number on, as many as are wanted");
    assert_eq!(place.open().last_change().await.unwrap(), 6, "numbers outlive the process");
}

pub(crate) async fn one_that_waits_is_told_of_its_own_and_of_anothers_changes(place: &dyn Place) {
    for writer in [None, Some(place.open())] {
        let store = place.open();
        let after = store.last_change().await.unwrap();
        let waiting = store.clone();
        let told = tokio::spawn(async move { waiting.next_changes(after, 10).await.unwrap() });
        let name = if writer.is_some() { "theirs" } else { "ours" };
        writer.as_ref().unwrap_or(&store).create_job(job(name, 0)).await.unwrap();
        let told = told.await.unwrap();
        assert_eq!(told.into_iter().map(|change| change.what).collect::<Vec<_>>(), [Changed::Job(name.into())]);
    }
}

pub(crate) async fn six_writers_are_followed_without_a_gap(place: &dyn Place) {
    const EACH: usize = 40;
    let mut writers = JoinSet::new();
    for writer in 0..6 {
        let store = place.open();
        writers.spawn(async move {
            for number in 0..EACH {
                let name = format!("job-{writer}-{number}");
                store.create_job(NewJob { items: Vec::new(), ..job(&name, 0) }).await.unwrap();
            }
        });
    }
    let store: Store = place.open();
    let (mut seen, mut told) = (0, Vec::new());
    while told.len() < 6 * EACH {
        let changes = store.next_changes(seen, 7).await.unwrap();
        seen = changes.last().unwrap().number;
        told.extend(changes);
    }
    writers.join_all().await;
    let expected: Vec<u64> = (1..=6 * EACH as u64).collect();
    assert_eq!(numbers(&told), expected);
    let mut names: Vec<String> = told
        .into_iter()
        .map(|change| if let Changed::Job(job) = change.what { job } else { panic!("only jobs were made") })
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 6 * EACH, "each once");
}

pub(crate) async fn what_is_forgotten_is_said_to_be(place: &dyn Place) {
    let store = place.open();
    for name in ["a", "b", "c"] {
        store.create_job(job(name, 0)).await.unwrap();
    }
    store.forget_changes(1).await.unwrap();
    assert_eq!(store.changes(1, 10).await, Err(StoreError::ChangesForgotten { after: 1, forgotten: 2 }));
    assert_eq!(numbers(&store.changes(2, 10).await.unwrap()), [3]);
}
