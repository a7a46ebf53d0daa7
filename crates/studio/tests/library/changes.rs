//! Changes to images, and their removal.

use atelier_engine::Timestamp;
use atelier_store::objects::ObjectKey;
use atelier_store::{ChangeKind, ImageFilter, VectorSpace};
use atelier_studio::library::{ImageEdit, text_hash, words};
use serde_json::json;

use crate::fixtures::*;

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_micros(now().as_micros() + seconds * 1_000_000)
}

/// A library with these pictures, and their ids in the same order.
async fn with_photos(names: &[&str]) -> (Place, Vec<String>) {
    let place = Place::new();
    for (n, name) in (0..).zip(names) {
        place.write(name, photo(n));
    }
    place.import().await;
    let mut ids = Vec::new();
    for name in names {
        ids.push(place.image(name).await.id);
    }
    (place, ids)
}

#[tokio::test]
async fn an_image_is_described_anew() {
    let (place, ids) = with_photos(&["a.jpg"]).await;
    let edit = ImageEdit {
        caption: Some(Some(" A cloud ".into())),
        category: Some(Some("sky".into())),
        tone_score: Some(Some(0.5)),
        attributes: json!({"season": "winter", "n": 1}).as_object().cloned().unwrap(),
        add_tags: vec!["white".into(), "blue".into()],
        add_collections: vec!["spring".into()],
        ..ImageEdit::default()
    };
    let image = place.library.edit(&ids[0], &edit, None, later(5)).await.unwrap();
    assert_eq!(place.library.show(&ids[0]).await.unwrap(), image);
    assert_eq!(
        (image.caption.as_deref(), image.tags.join(" "), image.updated_at),
        (Some("A cloud"), "blue white".into(), later(5))
    );
    assert_eq!(image.text_hash, text_hash(&words(&image)));
    assert_eq!(words(&image), "A cloud. sky. blue, white. season: winter");

    let edit = ImageEdit {
        caption: Some(None),
        tone_score: Some(None),
        attributes: json!({"n": null}).as_object().cloned().unwrap(),
        remove_tags: vec!["white".into(), "never had".into()],
        remove_collections: vec!["spring".into()],
        ..ImageEdit::default()
    };
    let image = place.library.edit(&ids[0], &edit, None, later(6)).await.unwrap();
    assert_eq!((image.caption, image.tone_score, image.tags.join(" ")), (None, None, "blue".into()));
    assert_eq!(
        (image.collections.len(), serde_json::Value::Object(image.attributes)),
        (0, json!({"season": "winter"}))
    );
    assert_eq!(image.revision, 3);
}

#[tokio::test]
async fn what_changes_nothing_leaves_no_mark() {
    let (place, ids) = with_photos(&["a.jpg"]).await;
    let edit = ImageEdit { add_tags: vec!["x".into()], ..ImageEdit::default() };
    place.library.edit(&ids[0], &edit, None, later(1)).await.unwrap();
    let last = place.library.store().last_library_change().await.unwrap();
    let image = place.library.edit(&ids[0], &edit, None, later(2)).await.unwrap();
    assert_eq!((image.updated_at, image.revision), (later(1), 2));
    assert_eq!(place.library.store().last_library_change().await.unwrap(), last);
}

#[tokio::test]
async fn other_words_have_another_vector() {
    let (place, ids) = with_photos(&["a.jpg"]).await;
    let embedder = TestEmbedder::new("test/1");
    let text = embedders(&embedder).text;
    let store = place.library.store();
    let kept = || async { store.image_vectors("test/1", VectorSpace::Text, &ids).await.unwrap().remove(&ids[0]) };
    let caption = |caption: &str| ImageEdit { caption: Some(Some(caption.into())), ..ImageEdit::default() };
    place.library.edit(&ids[0], &caption("abba"), text.as_ref(), later(1)).await.unwrap();
    assert_eq!(kept().await, Some(letters("abba").to_bytes()));
    let collected = ImageEdit { add_collections: vec!["spring".into()], ..ImageEdit::default() };
    place.library.edit(&ids[0], &collected, text.as_ref(), later(2)).await.unwrap();
    assert_eq!(embedder.texts.load(std::sync::atomic::Ordering::SeqCst), 1, "its words are the same");
    place.library.edit(&ids[0], &caption("zebra"), None, later(3)).await.unwrap();
    assert_eq!(kept().await, None, "the vector of the old words stands for it no longer");
    assert_eq!(store.unembedded_images("test/1", VectorSpace::Text, 0, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn many_images_are_tagged_at_once_or_none() {
    let (place, ids) = with_photos(&["a.jpg", "b.jpg", "c.jpg"]).await;
    let edit = ImageEdit { add_tags: vec!["tea".into()], ..ImageEdit::default() };
    let wrong = [ids[0].clone(), "no such image".into()];
    let error = place.library.edit_all(&wrong, &edit, None, later(1)).await.unwrap_err();
    assert_eq!((error.code(), error.to_string()), ("no-such-image", "there is no image 'no such image'".into()));
    assert_eq!(place.library.tags(None, 9).await.unwrap().len(), 0);
    place.library.edit_all(&ids[..2], &edit, None, later(1)).await.unwrap();
    let filter = ImageFilter { tags: vec!["tea".into()], ..ImageFilter::default() };
    let tagged = place.library.list(&filter, None, 9).await.unwrap();
    assert_eq!(tagged.len(), 2);
    let tags = place.library.tags(None, 9).await.unwrap();
    assert_eq!(tags.iter().map(|tag| (tag.tag.as_str(), tag.images)).collect::<Vec<_>>(), [("tea", 2)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_at_the_same_time_are_all_kept() {
    let (place, ids) = with_photos(&["a.jpg"]).await;
    let edits = (0..12).map(|n| {
        let library = if n % 2 == 0 { place.library.clone() } else { place.again() };
        let id = ids[0].clone();
        tokio::spawn(async move {
            let edit = ImageEdit { add_tags: vec![format!("tag {n:02}")], ..ImageEdit::default() };
            library.edit(&id, &edit, None, later(n)).await.unwrap();
        })
    });
    for edit in edits.collect::<Vec<_>>() {
        edit.await.unwrap();
    }
    assert_eq!(place.library.show(&ids[0]).await.unwrap().tags.len(), 12);
}

#[tokio::test]
async fn values_that_can_not_be_kept_are_refused() {
    let (place, ids) = with_photos(&["a.jpg"]).await;
    let tag = |tag: &str| ImageEdit { add_tags: vec![tag.into()], ..ImageEdit::default() };
    let edits = [
        (tag(" "), "a tag can't be \" \": it is empty"),
        (tag("a\u{7}b"), "a tag can't be \"a\\u{7}b\": it has control characters"),
        (tag("a\nb"), "a tag can't be \"a\\nb\": it has line breaks or runs of spaces"),
        (
            ImageEdit { tone_score: Some(Some(f64::NAN)), ..ImageEdit::default() },
            "a score can't be \"NaN\": it is not a number",
        ),
    ];
    for (edit, message) in edits {
        let error = place.library.edit(&ids[0], &edit, None, later(1)).await.unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), ("image-value-invalid", message));
    }
    let long = tag(&"x".repeat(201));
    assert!(
        place
            .library
            .edit(&ids[0], &long, None, later(1))
            .await
            .unwrap_err()
            .to_string()
            .ends_with("it is longer than 200 bytes")
    );
}

#[tokio::test]
async fn a_removed_image_takes_its_files_with_it_once_the_trash_is_emptied() {
    let (place, ids) = with_photos(&["a.jpg", "b.jpg"]).await;
    let hash = place.image("a.jpg").await.hash;
    assert_eq!(place.objects(), 6);
    let error = place.library.remove(&[ids[0].clone(), "none".into()]).await.unwrap_err();
    assert_eq!((error.code(), place.objects()), ("no-such-image", 6));
    let last = place.library.store().last_library_change().await.unwrap();
    assert_eq!(place.library.remove(&[ids[0].clone(), ids[0].clone()]).await.unwrap(), 1);
    assert_eq!(place.objects(), 6, "it can be had back");
    assert_eq!(place.empty_trash().await, 1);
    assert_eq!(place.objects(), 3);
    for key in ObjectKey::all_of(&hash) {
        assert_eq!(place.library.objects().get(&key).await.unwrap(), None);
    }
    assert_eq!(place.library.show(&ids[0]).await.unwrap_err().code(), "no-such-image");
    let changes = place.library.store().library_changes(last, 9).await.unwrap();
    assert_eq!(
        changes.iter().map(|change| (change.image.as_str(), change.kind)).collect::<Vec<_>>(),
        [(ids[0].as_str(), ChangeKind::Remove)]
    );
    // Its file is still in the folder: it may come again.
    assert_eq!(place.import().await.imported, 1);
    assert_eq!((place.objects(), place.image("a.jpg").await.id), (6, ids[0].clone()));
}

#[tokio::test]
async fn files_that_a_crash_left_behind_go_the_next_time() {
    let (place, ids) = with_photos(&["a.jpg", "b.jpg"]).await;
    place.library.remove(&ids[..1]).await.unwrap();
    // As if the process had died between the row and the files.
    place.library.store().empty_trash(None).await.unwrap();
    assert_eq!(place.objects(), 6);
    place.library.remove(&ids[1..]).await.unwrap();
    place.empty_trash().await;
    assert_eq!(place.objects(), 0);
}

#[tokio::test]
async fn bytes_whose_files_a_crash_left_behind_may_come_again() {
    let (place, ids) = with_photos(&["a.jpg"]).await;
    place.library.store().remove_image(&ids[0]).await.unwrap();
    place.library.store().empty_trash(None).await.unwrap();
    assert_eq!(place.import().await.imported, 1);
    assert_eq!(place.library.original(&place.image("a.jpg").await).await.unwrap(), photo(0));
    assert_eq!(place.library.store().garbage(9).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn collections_hold_images_and_images_are_in_several() {
    let (place, ids) = with_photos(&["a.jpg", "b.jpg"]).await;
    let library = &place.library;
    library.add_collection("empty", later(1)).await.unwrap();
    assert_eq!(library.add_collection("empty", later(1)).await.unwrap_err().code(), "collection-exists");
    let edit = ImageEdit { add_collections: vec!["one".into(), "two".into()], ..ImageEdit::default() };
    library.edit_all(&ids, &edit, None, later(2)).await.unwrap();
    assert_eq!(library.rename_collection("one", "two").await.unwrap_err().code(), "collection-exists");
    assert_eq!(library.rename_collection("none", "three").await.unwrap_err().code(), "no-such-collection");
    library.rename_collection("one", "three").await.unwrap();
    library.remove_collection("two").await.unwrap();
    assert_eq!(library.remove_collection("two").await.unwrap_err().code(), "no-such-collection");
    let collections = library.collections(None, 9).await.unwrap();
    let listed: Vec<_> = collections.iter().map(|one| (one.name.as_str(), one.images)).collect();
    assert_eq!(listed, [("empty", 0), ("three", 2)]);
    let filter = ImageFilter { collections: vec!["three".into()], ..ImageFilter::default() };
    assert_eq!(library.list(&filter, None, 9).await.unwrap().len(), 2);
}
