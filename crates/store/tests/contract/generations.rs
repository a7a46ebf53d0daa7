//! Generations, and the images that are made of them.

use atelier_engine::{JobId, Usd};
use atelier_store::{
    GeneratedFile, GeneratedFilter, GeneratedState, Generation, LOCAL_OWNER, NewGeneratedImage, Store,
};

use crate::Place;
use crate::fixtures::*;

fn generation(id: &str, prompt: &str) -> Generation {
    Generation {
        shared: false,
        id: id.into(),
        owner: LOCAL_OWNER.into(),
        project: "tea".into(),
        prompt: prompt.into(),
        plan: serde_json::json!({"sides": [{"name": "a"}]}),
        created_at: at(1),
        submitted_at: None,
    }
}

fn images(generation: &str, count: u32) -> Vec<NewGeneratedImage> {
    let image = |place: u32| NewGeneratedImage {
        id: format!("{generation}-a{place}"),
        side: "a".into(),
        place,
        model: "sandbox".into(),
        seq: u64::from(place - 1),
    };
    (1..=count).map(image).collect()
}

fn result(hash: &str) -> GeneratedFile {
    GeneratedFile {
        broken: None,
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
    assert!(store.add_generation(&generation(id, prompt)).await.unwrap());
    let made_by = job(id, count as usize);
    store.submit_generation(id, &images(id, count), &made_by, at(when)).await.unwrap();
    made_by.id
}

async fn states(store: &Store, generation: &str) -> Vec<GeneratedState> {
    store.images_of_generation(generation).await.unwrap().into_iter().map(|image| image.state).collect()
}

pub(crate) async fn a_plan_is_kept_and_submitted_once(place: &dyn Place) {
    let store = place.open();
    assert!(store.add_generation(&generation("g", "a boat")).await.unwrap());
    assert!(!store.add_generation(&generation("g", "another")).await.unwrap(), "an id is taken once");
    assert_eq!(place.open().generation("g").await.unwrap(), Some(generation("g", "a boat")));
    assert_eq!(store.generation("h").await.unwrap(), None);
    store.submit_generation("g", &images("g", 2), &job("g", 2), at(2)).await.unwrap();
    assert_eq!(store.generation("g").await.unwrap().unwrap().submitted_at, Some(at(2)));
    assert!(store.submit_generation("g", &images("g", 2), &job("k", 2), at(3)).await.is_err());
    assert_eq!(store.job("k").await.unwrap(), None, "and no job is left behind");
    assert_eq!(store.images_of_generation("g").await.unwrap().len(), 2);
}

pub(crate) async fn what_was_made_comes_back_and_is_saved_once(place: &dyn Place) {
    let store = place.open();
    let job = submitted(&store, "g", "a boat", 2, 2).await;
    assert!(store.save_generated(&job, 1, 2, &result("aa")).await.unwrap());
    assert!(!store.save_generated(&job, 1, 3, &result("bb")).await.unwrap(), "what is there stays");
    let image = place.open().generated_by(&job, 1).await.unwrap().unwrap();
    assert_eq!((image.state, image.attempts, image.result), (GeneratedState::Done, 2, Some(result("aa"))));
    assert_eq!((image.prompt.as_str(), image.place, image.liked), ("a boat", 2, false));
    assert_eq!(states(&store, "g").await, [GeneratedState::Pending, GeneratedState::Done]);
    assert!(store.generated_with_hash("aa").await.unwrap() && !store.generated_with_hash("bb").await.unwrap());
}

pub(crate) async fn what_was_not_made_can_be_tried_again_and_given_up(place: &dyn Place) {
    let store = place.open();
    let first = submitted(&store, "g", "a boat", 3, 2).await;
    store.save_generated(&first, 0, 1, &result("aa")).await.unwrap();
    assert!(store.save_not_generated(&first, 1, 1, GeneratedState::Blocked, ("refused", "no")).await.unwrap());
    assert!(
        !store.save_not_generated(&first, 0, 1, GeneratedState::Failed, ("empty", "no")).await.unwrap(),
        "it is there"
    );
    let blocked = store.generated_image("g-a2").await.unwrap().unwrap();
    assert_eq!((blocked.kind.as_deref(), blocked.message.as_deref()), (Some("refused"), Some("no")));
    let again: JobId = "again".into();
    store.retry_generated(&["g-a2".to_owned()], None, &job("again", 1)).await.unwrap();
    assert!(store.retry_generated(&["g-a1".to_owned()], None, &job("once-more", 1)).await.is_err(), "it is there");
    assert_eq!(store.job("once-more").await.unwrap(), None);
    assert!(!store.save_generated(&first, 1, 1, &result("late")).await.unwrap(), "another try makes it by now");
    for made_by in [&first, &again] {
        store.cancel_job(made_by, "given up", at(5)).await.unwrap();
    }
    assert_eq!(states(&store, "g").await, [GeneratedState::Done, GeneratedState::Cancelled, GeneratedState::Cancelled]);
}

pub(crate) async fn made_images_are_listed_newest_first_by_what_they_are(place: &dyn Place) {
    let store = place.open();
    let boat = submitted(&store, "g1", "A red boat, 100% real", 2, 2).await;
    submitted(&store, "g2", "a blue_boat", 1, 3).await;
    store.save_generated(&boat, 0, 1, &result("aa")).await.unwrap();
    assert!(store.like_generated("g1-a2", true).await.unwrap() && !store.like_generated("no", true).await.unwrap());
    let list = async |filter: GeneratedFilter| {
        let images = store.generated_images(&filter, None, 10).await.unwrap();
        images.into_iter().map(|image| image.id).collect::<Vec<_>>()
    };
    let words = |words: &[&str]| GeneratedFilter {
        words: words.iter().map(|&word| word.to_owned()).collect(),
        ..GeneratedFilter::default()
    };
    assert_eq!(list(GeneratedFilter::default()).await, ["g2-a1", "g1-a2", "g1-a1"]);
    assert_eq!(list(words(&["BOAT", "red"])).await, ["g1-a2", "g1-a1"]);
    assert_eq!(list(words(&["100%"])).await, ["g1-a2", "g1-a1"], "a sign stands for itself");
    assert_eq!(list(words(&["e_b"])).await, ["g2-a1"]);
    assert_eq!(list(GeneratedFilter { liked: true, ..GeneratedFilter::default() }).await, ["g1-a2"]);
    assert_eq!(
        list(GeneratedFilter { state: Some(GeneratedState::Done), ..GeneratedFilter::default() }).await,
        ["g1-a1"]
    );
    assert_eq!(list(GeneratedFilter { from: Some(at(3)), ..GeneratedFilter::default() }).await, ["g2-a1"]);
    assert_eq!(list(GeneratedFilter { before: Some(at(3)), ..GeneratedFilter::default() }).await, ["g1-a2", "g1-a1"]);
    assert_eq!(list(GeneratedFilter { project: Some("other".into()), ..GeneratedFilter::default() }).await, [""; 0]);
    let first = store.generated_images(&GeneratedFilter::default(), None, 2).await.unwrap();
    let rest = store.generated_images(&GeneratedFilter::default(), Some(&first[1].cursor()), 2).await.unwrap();
    assert_eq!(rest.iter().map(|image| image.id.as_str()).collect::<Vec<_>>(), ["g1-a1"]);
}

pub(crate) async fn a_made_image_is_noted_on_promoted_and_deleted(place: &dyn Place) {
    let store = place.open();
    submitted(&store, "g", "a boat", 1, 2).await;
    assert!(store.note_generated("g-a1", Some("good")).await.unwrap());
    assert!(store.promote_generated("g-a1", "in-the-library").await.unwrap());
    let image = store.generated_image("g-a1").await.unwrap().unwrap();
    assert_eq!((image.note.as_deref(), image.promoted.as_deref()), (Some("good"), Some("in-the-library")));
    assert!(store.note_generated("g-a1", None).await.unwrap());
    assert_eq!(store.generated_image("g-a1").await.unwrap().unwrap().note, None);
    assert!(store.delete_generated("g-a1").await.unwrap() && !store.delete_generated("g-a1").await.unwrap());
    assert_eq!(store.images_of_generation("g").await.unwrap(), []);
}
