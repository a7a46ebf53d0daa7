//! Generations, and the images that are made of them.

use std::sync::Arc;

use atelier_engine::{JobId, Usd};
use atelier_store::{Generation, MadeFilter, MadeResult, MadeState, NewMade, Store};

use crate::Place;
use crate::fixtures::*;

fn generation(id: &str, prompt: &str) -> Generation {
    Generation {
        id: id.into(),
        project: "tea".into(),
        prompt: prompt.into(),
        plan: serde_json::json!({"sides": [{"name": "a"}]}),
        created_at: at(1),
        submitted_at: None,
    }
}

fn images(generation: &str, job: &str, count: u32) -> Vec<NewMade> {
    let image = |place: u32| NewMade {
        id: format!("{generation}-a{place}"),
        side: "a".into(),
        place,
        model: "sandbox".into(),
        job: job.into(),
        seq: u64::from(place - 1),
    };
    (1..=count).map(image).collect()
}

fn result(hash: &str) -> MadeResult {
    MadeResult {
        hash: hash.into(),
        format: "png".into(),
        width: 1024,
        height: 768,
        bytes: 99,
        cost: Some(Usd::from_nanos(39_000_000)),
        cost_estimated: true,
        provenance: serde_json::json!({"seed": 7}),
        made_at: at(9),
    }
}

async fn submitted(store: &Store, id: &str, prompt: &str, count: u32, when: i64) -> JobId {
    let job: JobId = Arc::from(format!("{id}-a"));
    assert!(store.add_generation(&generation(id, prompt)).await.unwrap());
    store.submit_generation(id, &images(id, &job, count), at(when)).await.unwrap();
    job
}

async fn states(store: &Store, generation: &str) -> Vec<MadeState> {
    store.made_of(generation).await.unwrap().into_iter().map(|image| image.state).collect()
}

pub(crate) async fn a_plan_is_kept_and_submitted_once(place: &dyn Place) {
    let store = place.open();
    assert!(store.add_generation(&generation("g", "a boat")).await.unwrap());
    assert!(!store.add_generation(&generation("g", "another")).await.unwrap(), "an id is taken once");
    assert_eq!(place.open().generation("g").await.unwrap(), Some(generation("g", "a boat")));
    assert_eq!(store.generation("h").await.unwrap(), None);
    store.submit_generation("g", &images("g", "j", 2), at(2)).await.unwrap();
    assert_eq!(store.generation("g").await.unwrap().unwrap().submitted_at, Some(at(2)));
    assert!(store.submit_generation("g", &images("g", "k", 2), at(3)).await.is_err());
    assert_eq!(store.made_of("g").await.unwrap().len(), 2);
}

pub(crate) async fn what_was_made_comes_back_and_is_saved_once(place: &dyn Place) {
    let store = place.open();
    let job = submitted(&store, "g", "a boat", 2, 2).await;
    assert!(store.save_made(&job, 1, 2, &result("aa")).await.unwrap());
    assert!(!store.save_made(&job, 1, 3, &result("bb")).await.unwrap(), "what is there stays");
    let image = place.open().made_by(&job, 1).await.unwrap().unwrap();
    assert_eq!((image.state, image.attempts, image.result), (MadeState::Done, 2, Some(result("aa"))));
    assert_eq!((image.prompt.as_str(), image.place, image.liked), ("a boat", 2, false));
    assert_eq!(states(&store, "g").await, [MadeState::Pending, MadeState::Done]);
    assert!(store.made_with_hash("aa").await.unwrap() && !store.made_with_hash("bb").await.unwrap());
}

pub(crate) async fn what_was_not_made_can_be_tried_again_and_given_up(place: &dyn Place) {
    let store = place.open();
    let job = submitted(&store, "g", "a boat", 3, 2).await;
    store.save_made(&job, 0, 1, &result("aa")).await.unwrap();
    assert!(store.save_unmade(&job, 1, 1, MadeState::Blocked, ("refused", "no")).await.unwrap());
    assert!(!store.save_unmade(&job, 0, 1, MadeState::Failed, ("empty", "no")).await.unwrap(), "it is there");
    let blocked = store.made_image("g-a2").await.unwrap().unwrap();
    assert_eq!((blocked.kind.as_deref(), blocked.message.as_deref()), (Some("refused"), Some("no")));
    let again: JobId = "again".into();
    assert!(store.retry_made("g-a2", &again, 0).await.unwrap());
    assert!(!store.retry_made("g-a1", &again, 1).await.unwrap());
    assert!(!store.save_made(&job, 1, 1, &result("late")).await.unwrap(), "another try makes it by now");
    assert_eq!(store.cancel_made("g").await.unwrap(), 2);
    assert_eq!(states(&store, "g").await, [MadeState::Done, MadeState::Cancelled, MadeState::Cancelled]);
}

pub(crate) async fn made_images_are_listed_newest_first_by_what_they_are(place: &dyn Place) {
    let store = place.open();
    let boat = submitted(&store, "g1", "A red boat, 100% real", 2, 2).await;
    submitted(&store, "g2", "a blue_boat", 1, 3).await;
    store.save_made(&boat, 0, 1, &result("aa")).await.unwrap();
    assert!(store.like_made("g1-a2", true).await.unwrap() && !store.like_made("no", true).await.unwrap());
    let list = async |filter: MadeFilter| {
        let images = store.made_images(&filter, None, 10).await.unwrap();
        images.into_iter().map(|image| image.id).collect::<Vec<_>>()
    };
    let words = |words: &[&str]| MadeFilter {
        words: words.iter().map(|&word| word.to_owned()).collect(),
        ..MadeFilter::default()
    };
    assert_eq!(list(MadeFilter::default()).await, ["g2-a1", "g1-a2", "g1-a1"]);
    assert_eq!(list(words(&["BOAT", "red"])).await, ["g1-a2", "g1-a1"]);
    assert_eq!(list(words(&["100%"])).await, ["g1-a2", "g1-a1"], "a sign stands for itself");
    assert_eq!(list(words(&["e_b"])).await, ["g2-a1"]);
    assert_eq!(list(MadeFilter { liked: true, ..MadeFilter::default() }).await, ["g1-a2"]);
    assert_eq!(list(MadeFilter { state: Some(MadeState::Done), ..MadeFilter::default() }).await, ["g1-a1"]);
    assert_eq!(list(MadeFilter { from: Some(at(3)), ..MadeFilter::default() }).await, ["g2-a1"]);
    assert_eq!(list(MadeFilter { before: Some(at(3)), ..MadeFilter::default() }).await, ["g1-a2", "g1-a1"]);
    assert_eq!(list(MadeFilter { project: Some("other".into()), ..MadeFilter::default() }).await, [""; 0]);
    let first = store.made_images(&MadeFilter::default(), None, 2).await.unwrap();
    let rest = store.made_images(&MadeFilter::default(), Some(&first[1].cursor()), 2).await.unwrap();
    assert_eq!(rest.iter().map(|image| image.id.as_str()).collect::<Vec<_>>(), ["g1-a1"]);
}

pub(crate) async fn a_made_image_is_noted_on_promoted_and_deleted(place: &dyn Place) {
    let store = place.open();
    submitted(&store, "g", "a boat", 1, 2).await;
    assert!(store.note_made("g-a1", Some("good")).await.unwrap());
    assert!(store.promote_made("g-a1", "in-the-library").await.unwrap());
    let image = store.made_image("g-a1").await.unwrap().unwrap();
    assert_eq!((image.note.as_deref(), image.promoted.as_deref()), (Some("good"), Some("in-the-library")));
    assert!(store.note_made("g-a1", None).await.unwrap());
    assert_eq!(store.made_image("g-a1").await.unwrap().unwrap().note, None);
    assert!(store.delete_made("g-a1").await.unwrap() && !store.delete_made("g-a1").await.unwrap());
    assert_eq!(store.made_of("g").await.unwrap(), []);
}
