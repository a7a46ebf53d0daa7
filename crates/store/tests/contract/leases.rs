//! Who works on what.

use atelier_store::{JobState, NewJob, StoreError};

use crate::Place;
use crate::fixtures::{at, id, job};

pub(crate) async fn a_job_is_held_once_and_free_again_when_its_lease_is_dropped(place: &dyn Place) {
    let (store, other) = (place.open(), place.open());
    let lease = store.lease(&id("a")).await.unwrap();
    let error = other.lease(&id("a")).await.err().unwrap();
    let StoreError::Leased { job: name, by: Some(by) } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), by.pid), ("a", std::process::id()));
    assert!(error.to_string().contains(&format!("process {} has been working on it since 2", by.pid)), "{error}");
    assert!(other.is_leased("a").await.unwrap() && !other.is_leased("b").await.unwrap());
    assert_eq!(other.leased_by("a").await.unwrap().as_ref(), Some(by));
    let _another = other.lease(&id("b")).await.unwrap();

    lease.release().await.unwrap();
    assert_eq!(other.leased_by("a").await.unwrap(), None);
    drop(other.lease(&id("a")).await.unwrap());
    other.lease(&id("a")).await.unwrap();
}

pub(crate) async fn a_lease_may_be_called_anything(place: &dyn Place) {
    let store = place.open();
    let names = ["../../escape", "/etc/passwd", "..", "a b", "ü", "it's", ""];
    let mut leases = Vec::new();
    for name in names {
        leases.push(store.lease(&id(name)).await.unwrap());
    }
    for name in names {
        assert!(store.is_leased(name).await.unwrap(), "{name}");
    }
}

pub(crate) async fn the_oldest_open_job_that_nobody_has_is_claimed(place: &dyn Place) {
    let store = place.open();
    for (name, created) in [("late", 3), ("early", 1), ("done", 0)] {
        store.create_job(NewJob { created_at: at(created), ..job(name, 1) }).await.unwrap();
    }
    store.set_job_state(&id("done"), JobState::Done, None, None, at(5)).await.unwrap();
    let first = store.claim_job().await.unwrap().unwrap();
    let second = place.open().claim_job().await.unwrap().unwrap();
    assert_eq!((first.name(), second.name()), ("early", "late"));
    assert!(store.claim_job().await.unwrap().is_none());
}
