//! Many writers, several processes, and batches that fail.

use std::sync::Arc;

use atelier_engine::{EntryId, Reserved};
use atelier_store::{Cursor, JobPage, StoreError};
use tokio::task::JoinSet;

use crate::Place;
use crate::fixtures::*;

pub(crate) async fn sixty_four_writers_lose_nothing(place: &dyn Place) {
    const WRITERS: u64 = 64;
    const EACH: u64 = 20;
    let store = place.open();
    store.create_job(job("a", usize::try_from(WRITERS * EACH).unwrap())).await.unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            for n in 0..EACH {
                answer(&store, "a", vec![done(writer * EACH + n)]).await;
            }
        });
    }
    writers.join_all().await;

    let record = place.open().job("a").await.unwrap().unwrap();
    assert_eq!((record.counts.done, record.counts.pending), (WRITERS * EACH, 0));
    assert_eq!((record.totals.calls, record.totals.input_tokens), (WRITERS * EACH, WRITERS * EACH * 420));
    let ledger = store.journal().ledger(&POOL.into(), at(0)).await.unwrap();
    assert_eq!(ledger.len() as u64, WRITERS * EACH);
}

pub(crate) async fn a_batch_that_fails_leaves_those_beside_it_alone(place: &dyn Place) {
    let store = place.open();
    store.create_job(job("a", 200)).await.unwrap();
    let journal = store.journal();
    let mut writers = JoinSet::new();
    for seq in 0..200 {
        let journal = Arc::clone(&journal);
        writers.spawn(async move {
            if seq % 2 == 0 {
                let entry = reserve(&journal, reservation("a", &[seq])).await;
                journal.settle(&[settlement("a", entry, vec![done(seq)])]).await.is_ok()
            } else {
                let lost = [settlement("a", EntryId(1 << 40), vec![done(seq)])];
                let error = journal.settle(&lost).await.unwrap_err();
                error.code == "no-such-reservation"
            }
        });
    }
    assert!(writers.join_all().await.into_iter().all(|as_expected| as_expected));
    let outcomes = store.outcomes("a", None, 1_000).await.unwrap();
    assert_eq!(outcomes.len(), 100);
    assert!(outcomes.iter().all(|outcome| outcome.seq % 2 == 0));
}

pub(crate) async fn a_batch_is_done_whole_or_not_at_all(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1"]).await;
    // A total that is not a number can't be saved.
    let error = store.save_scores(vec![score("p1", 0.5, "red"), score("p2", f64::NAN, "red")]).await.unwrap_err();
    assert_eq!(error.code(), "database-refused");
    assert!(store.scores("tea", &["p1".into()]).await.unwrap().is_empty());
    store.save_scores(vec![score("p1", 0.5, "red")]).await.unwrap();
}

pub(crate) async fn a_guard_undoes_what_came_before_it(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1", "p2"]).await;
    store.create_job(job_for("first", "tea", &["p2"])).await.unwrap();
    // The job and the claim on p1 are written before the claim on p2 is refused.
    let error = store.create_job(job_for("second", "tea", &["p1", "p2"])).await.unwrap_err();
    assert_eq!(error.code(), "post-taken");
    assert_eq!(store.job("second").await.unwrap(), None);
    store.create_job(job_for("third", "tea", &["p1"])).await.unwrap();
}

/// Each goes by what it knows, and knows of the others only what it is told when it wants more.
pub(crate) async fn processes_that_share_a_limit_take_no_more_of_it_than_there_is(place: &dyn Place) {
    const LIMIT: usize = 120;
    let mut writers = JoinSet::new();
    for number in 0..4 {
        let store = place.open();
        writers.spawn(async move {
            let (journal, name) = (store.journal(), format!("runner-{number}"));
            let mine = reservation(&format!("job-{number}"), &[0]);
            let (mut seen, mut used, mut granted) = (0, 0, 0);
            while used < LIMIT {
                match journal.reserve(&runner(&name), vec![mine.clone()], known(&name, seen)).await.unwrap() {
                    Reserved::Granted(entries) => {
                        (seen, used, granted) = (entries[0].0, used + 1, granted + 1);
                    }
                    Reserved::Behind(entries) => {
                        used += entries.len();
                        seen = entries.iter().map(|entry| entry.id.0).max().unwrap();
                    }
                    other => panic!("nobody stands in line, and no lease is lost: {other:?}"),
                }
            }
            granted
        });
    }
    let granted: usize = writers.join_all().await.into_iter().sum();
    assert_eq!(granted, LIMIT);
    let ledger = place.open().journal().ledger(&POOL.into(), at(0)).await.unwrap();
    assert_eq!(ledger.len(), LIMIT);
}

pub(crate) async fn a_cursor_that_no_list_gave_is_an_error(place: &dyn Place) {
    for text in ["", "abc", "1x", "x.y"] {
        assert_eq!(text.parse::<Cursor>(), Err(StoreError::BadCursor { cursor: text.into() }));
    }
    let cursor: Cursor = "17.it's.any;name".parse().unwrap();
    let page = JobPage { after: Some(cursor), limit: 5 };
    assert!(place.open().jobs(page).await.unwrap().is_empty());
}
