//! The image library.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use atelier_engine::Timestamp;
use atelier_store::{
    Added, ChangeKind, Image, ImageFilter, ImageSource, LibraryChange, Likeness, NewImage, NewVector, Store,
    StoreError, TrashKind, VectorSpace,
};
use serde_json::json;

use crate::Place;
use crate::fixtures::at;

/// An image, added so many seconds after the tests' beginning.
fn image(id: &str, added: i64) -> Image {
    Image {
        id: id.into(),
        hash: format!("hash of {id}"),
        filename: format!("{id}.jpg"),
        caption: Some(format!("What {id} shows")),
        category: Some("street".into()),
        tone_score: Some(0.25),
        angle_score: None,
        attributes: json!({"season": "winter", "n": 3, "deep": {"a": [1, null]}}).as_object().cloned().unwrap(),
        tags: vec!["b".into(), "ä".into()],
        collections: vec!["spring".into()],
        width: 1_152,
        height: 864,
        format: "jpeg".into(),
        bytes: 300_000,
        palette: vec!["#102030".into(), "#ffffff".into()],
        phash: 0xfedc_ba98_7654_3210,
        taken_at: Some(at(-9_000)),
        added_at: at(added),
        updated_at: at(added),
        uploader: Some("ada".into()),
        owner: "local".into(),
        source: Some(format!("/photos/{id}.jpg")),
        provenance: Some(json!({"model": "sandbox"})),
        text_hash: Some(format!("words of {id}")),
        revision: 1,
    }
}

fn new(image: Image) -> NewImage {
    NewImage { image, vectors: Vec::new(), source: None }
}

fn vector(space: VectorSpace, made_of: &str, byte: u8) -> NewVector {
    NewVector { embedder: "clip/1".into(), space, made_of: made_of.into(), bytes: vec![byte; 768] }
}

fn source(id: &str, likeness: Likeness) -> ImageSource {
    ImageSource { path: format!("/photos/{id}.jpg"), bytes: 300_000, modified_at: at(-7), likeness }
}

async fn add(store: &Store, image: Image) {
    assert_eq!(store.add_image(new(image)).await.unwrap(), Added::New);
}

fn ids(images: &[Image]) -> Vec<&str> {
    images.iter().map(|image| image.id.as_str()).collect()
}

async fn changes(store: &Store, after: u64) -> Vec<(String, ChangeKind)> {
    let changes = store.library_changes(after, 1_000).await.unwrap();
    assert!(changes.windows(2).all(|pair| pair[0].seq < pair[1].seq), "{changes:?}");
    changes.into_iter().map(|LibraryChange { image, kind, .. }| (image, kind)).collect()
}

pub(crate) async fn an_image_comes_back_as_it_was_added(place: &dyn Place) {
    let store = place.open();
    let bare = Image {
        caption: None,
        category: None,
        tone_score: None,
        attributes: serde_json::Map::new(),
        tags: Vec::new(),
        collections: Vec::new(),
        palette: Vec::new(),
        phash: 1,
        taken_at: None,
        uploader: None,
        source: None,
        provenance: None,
        text_hash: None,
        ..image("bare", 1)
    };
    add(&store, image("a", 0)).await;
    add(&store, bare.clone()).await;
    let other = place.open();
    assert_eq!(other.image("a").await.unwrap(), Some(image("a", 0)));
    assert_eq!(other.image("bare").await.unwrap(), Some(bare));
    assert_eq!(other.image("c").await.unwrap(), None);
    assert_eq!(other.image_with_hash("hash of a").await.unwrap(), Some(image("a", 0)));
    assert_eq!(other.image_with_hash("a").await.unwrap(), None);
    let hashes = ["hash of a", "a"].map(str::to_owned);
    assert_eq!(other.images_with_hashes(&hashes).await.unwrap(), [image("a", 0)]);
}

pub(crate) async fn the_same_bytes_are_kept_once(place: &dyn Place) {
    let store = place.open();
    add(&store, image("a", 0)).await;
    let copy = Image { hash: "hash of a".into(), tags: vec!["other".into()], ..image("b", 1) };
    let added = store.add_image(NewImage { source: Some(source("copy", Likeness::Same)), ..new(copy) }).await.unwrap();
    assert_eq!(added, Added::SameContent { image: "a".into() });
    assert_eq!(store.image("b").await.unwrap(), None);
    assert_eq!(store.image("a").await.unwrap(), Some(image("a", 0)));
    let found = store.image_sources(&["/photos/copy.jpg".into()]).await.unwrap();
    assert_eq!(found["/photos/copy.jpg"], (source("copy", Likeness::Same), "a".into()));
    assert_eq!(changes(&store, 0).await, [("a".into(), ChangeKind::Put)]);
}

pub(crate) async fn of_many_that_bring_the_same_bytes_one_succeeds(place: &dyn Place) {
    let (store, other) = (place.open(), place.open());
    let adds = (0..40).map(|n| {
        let store = if n % 2 == 0 { store.clone() } else { other.clone() };
        let image = Image { hash: "the same".into(), ..image(&format!("i{n}"), n) };
        tokio::spawn(async move { store.add_image(new(image)).await.unwrap() })
    });
    let mut added = Vec::new();
    for add in adds.collect::<Vec<_>>() {
        added.push(add.await.unwrap());
    }
    assert_eq!(added.iter().filter(|added| **added == Added::New).count(), 1);
    let kept = store.image_with_hash("the same").await.unwrap().unwrap().id;
    let same = Added::SameContent { image: kept };
    assert_eq!(added.iter().filter(|added| **added == same).count(), 39);
    assert_eq!(store.image_count(&ImageFilter::default()).await.unwrap(), 1);
}

pub(crate) async fn an_image_id_is_taken_once(place: &dyn Place) {
    let store = place.open();
    add(&store, image("a", 0)).await;
    let other = Image { hash: "another".into(), collections: vec!["new".into()], ..image("a", 1) };
    assert_eq!(store.add_image(new(other)).await.unwrap(), Added::IdTaken);
    assert_eq!(store.image("a").await.unwrap(), Some(image("a", 0)));
    assert_eq!(store.collections(None, 9).await.unwrap().len(), 1, "what was refused leaves no collection behind");
}

pub(crate) async fn images_are_listed_newest_first_by_page(place: &dyn Place) {
    let store = place.open();
    for (id, added) in [("a", 1), ("d", 2), ("c", 2), ("b", 2), ("e", 0)] {
        add(&store, image(id, added)).await;
    }
    let filter = ImageFilter::default();
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = store.images(&filter, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        listed.extend(page);
    }
    assert_eq!(ids(&listed), ["d", "c", "b", "a", "e"]);
    assert!(listed.iter().all(|image| image.tags == ["b", "ä"] && image.collections == ["spring"]));
    let some = store.images_with_ids(&["e".into(), "x".into(), "d".into()]).await.unwrap();
    assert_eq!(ids(&some), ["e", "d"]);
}

pub(crate) async fn images_are_listed_by_what_they_have(place: &dyn Place) {
    let store = place.open();
    let made = |id: &str, added| image(id, added);
    add(&store, Image { tags: vec!["x".into(), "y".into()], ..made("a", 0) }).await;
    add(&store, Image { tags: vec!["x".into()], collections: vec!["one".into(), "two".into()], ..made("b", 1) }).await;
    add(&store, Image { category: None, format: "png".into(), uploader: None, ..made("c", 2) }).await;
    let filters: [(ImageFilter, &[&str]); 9] = [
        (ImageFilter { tags: vec!["x".into()], ..ImageFilter::default() }, &["b", "a"]),
        (ImageFilter { tags: vec!["x".into(), "y".into()], ..ImageFilter::default() }, &["a"]),
        (ImageFilter { collections: vec!["two".into()], ..ImageFilter::default() }, &["b"]),
        (ImageFilter { collections: vec!["two".into(), "spring".into()], ..ImageFilter::default() }, &[]),
        (ImageFilter { category: Some("street".into()), ..ImageFilter::default() }, &["b", "a"]),
        (ImageFilter { format: Some("png".into()), ..ImageFilter::default() }, &["c"]),
        (ImageFilter { uploader: Some("ada".into()), tags: vec!["y".into()], ..ImageFilter::default() }, &["a"]),
        (ImageFilter { added_from: Some(at(1)), ..ImageFilter::default() }, &["c", "b"]),
        (ImageFilter { added_before: Some(at(1)), ..ImageFilter::default() }, &["a"]),
    ];
    for (filter, expected) in filters {
        let images = store.images(&filter, None, 10).await.unwrap();
        assert_eq!(ids(&images), expected, "{filter:?}");
        assert_eq!(store.image_count(&filter).await.unwrap(), expected.len() as u64, "{filter:?}");
    }
}

pub(crate) async fn a_changed_image_takes_the_place_of_the_one_that_was_read(place: &dyn Place) {
    let store = place.open();
    add(&store, image("a", 0)).await;
    let changed = Image {
        caption: Some("Another".into()),
        category: None,
        tone_score: None,
        angle_score: Some(0.5),
        attributes: serde_json::Map::new(),
        tags: vec!["c".into()],
        collections: vec!["autumn".into(), "spring".into()],
        provenance: None,
        text_hash: Some("other words".into()),
        updated_at: at(9),
        ..image("a", 0)
    };
    assert!(store.replace_image(&changed, None).await.unwrap());
    let expected = Image { revision: 2, ..changed.clone() };
    assert_eq!(place.open().image("a").await.unwrap(), Some(expected));
    assert!(!store.replace_image(&changed, None).await.unwrap(), "it was changed since it was read");
    assert!(!store.replace_image(&image("b", 0), None).await.unwrap(), "it is not there");
    assert_eq!(store.image("b").await.unwrap(), None);
}

pub(crate) async fn other_words_make_the_vector_of_the_old_ones_void(place: &dyn Place) {
    let store = place.open();
    let vectors = vec![
        vector(VectorSpace::Text, "words of a", 1),
        vector(VectorSpace::Look, "hash of a", 2),
        vector(VectorSpace::Appearance, "hash of a", 3),
    ];
    store.add_image(NewImage { vectors, ..new(image("a", 0)) }).await.unwrap();
    let tagged = Image { tags: Vec::new(), ..image("a", 0) };
    assert!(store.replace_image(&tagged, None).await.unwrap());
    let kept = |space| {
        let store = store.clone();
        async move { store.image_vectors("clip/1", space, &["a".into()]).await.unwrap() }
    };
    assert_eq!(kept(VectorSpace::Text).await, HashMap::from([("a".into(), vec![1; 768])]));
    let reworded = Image { text_hash: Some("new words".into()), revision: 2, ..tagged.clone() };
    assert!(store.replace_image(&reworded, None).await.unwrap());
    assert_eq!(kept(VectorSpace::Text).await, HashMap::new());
    assert_eq!(kept(VectorSpace::Look).await, HashMap::from([("a".into(), vec![2; 768])]));
    let again = Image { text_hash: Some("newer words".into()), revision: 3, ..tagged };
    assert!(store.replace_image(&again, Some(vector(VectorSpace::Text, "newer words", 7))).await.unwrap());
    assert_eq!(kept(VectorSpace::Text).await, HashMap::from([("a".into(), vec![7; 768])]));
    assert_eq!(kept(VectorSpace::Appearance).await, HashMap::from([("a".into(), vec![3; 768])]));
}

pub(crate) async fn images_that_lack_a_vector_are_listed_by_page(place: &dyn Place) {
    let store = place.open();
    for (n, id) in (0..).zip(["a", "b", "c", "d"]) {
        let wordless = Image { text_hash: None, ..image(id, n) };
        add(&store, if id == "d" { wordless } else { image(id, n) }).await;
    }
    let lacking = |space, after: u64, limit| {
        let store = store.clone();
        async move {
            let found = store.unembedded_images("clip/1", space, after, limit).await.unwrap();
            found.into_iter().map(|lack| format!("{}: {}", lack.image, lack.made_of)).collect::<Vec<_>>()
        }
    };
    assert_eq!(lacking(VectorSpace::Look, 0, 2).await, ["a: hash of a", "b: hash of b"]);
    assert_eq!(lacking(VectorSpace::Look, 2, 2).await, ["c: hash of c", "d: hash of d"]);
    assert_eq!(
        lacking(VectorSpace::Text, 0, 9).await,
        ["a: words of a", "b: words of b", "c: words of c"],
        "what has no words lacks no vector of them"
    );
    let made = |id: &str, space, made_of: &str| (id.to_owned(), vector(space, made_of, 1));
    let vectors = vec![
        made("a", VectorSpace::Text, "words of a"),
        made("b", VectorSpace::Text, "words that it had"),
        made("b", VectorSpace::Look, "hash of b"),
        made("gone", VectorSpace::Look, "hash of gone"),
    ];
    let seen = store.last_library_change().await.unwrap();
    store.put_image_vectors(vectors).await.unwrap();
    assert_eq!(lacking(VectorSpace::Text, 0, 9).await, ["c: words of c", "b: words of b"]);
    assert_eq!(lacking(VectorSpace::Look, 0, 9).await, ["c: hash of c", "d: hash of d", "a: hash of a"]);
    let mut logged = changes(&store, seen).await;
    logged.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(logged, [("a".into(), ChangeKind::Put), ("b".into(), ChangeKind::Put)]);
    let other = store.unembedded_images("local/2", VectorSpace::Look, 0, 9).await.unwrap();
    assert_eq!(other.len(), 4, "another embedder's vectors do not count");
    for (after, most, expected) in [(0, 1, Some((3, 1))), (0, 9, Some((7, 2))), (3, 9, Some((7, 1))), (7, 9, None)] {
        let among = store.unembedded_among("clip/1", VectorSpace::Text, after, most).await.unwrap();
        assert_eq!(among, expected, "of {most} after {after}");
    }
    assert_eq!(store.embedded_up_to("clip/1", VectorSpace::Text).await.unwrap(), 0);
    for up_to in [3, 7] {
        store.set_embedded_up_to("clip/1", VectorSpace::Text, up_to).await.unwrap();
        assert_eq!(store.embedded_up_to("clip/1", VectorSpace::Text).await.unwrap(), up_to);
    }
    assert_eq!(store.embedded_up_to("clip/1", VectorSpace::Look).await.unwrap(), 0);
}

pub(crate) async fn vectors_of_embedders_no_longer_used_are_forgotten(place: &dyn Place) {
    let store = place.open();
    add(&store, image("a", 0)).await;
    let mut vectors = Vec::new();
    for embedder in ["old/1", "old/2", "new/1"] {
        for space in [VectorSpace::Look, VectorSpace::Appearance] {
            let made = NewVector { embedder: embedder.into(), ..vector(space, "hash of a", 1) };
            vectors.push(("a".to_owned(), made));
        }
    }
    store.put_image_vectors(vectors).await.unwrap();
    for embedder in ["old/1", "new/1"] {
        store.set_embedded_up_to(embedder, VectorSpace::Look, 5).await.unwrap();
    }
    let keep = ["new/1".to_owned(), "text/1".to_owned()];
    assert_eq!(store.prune_image_vectors(&keep, 3).await.unwrap(), 3);
    assert_eq!(store.prune_image_vectors(&keep, 3).await.unwrap(), 1);
    assert_eq!(store.prune_image_vectors(&keep, 3).await.unwrap(), 0);
    for (embedder, left) in [("old/1", 0), ("old/2", 0), ("new/1", 1)] {
        let vectors = store.image_vectors(embedder, VectorSpace::Look, &["a".into()]).await.unwrap();
        assert_eq!(vectors.len(), left, "{embedder}");
        assert_eq!(store.embedded_up_to(embedder, VectorSpace::Look).await.unwrap(), left as u64 * 5, "{embedder}");
    }
}

pub(crate) async fn a_removed_image_is_in_the_trash_and_its_objects_are_garbage_once_that_is_emptied(
    place: &dyn Place,
) {
    let store = place.open();
    let full = NewImage {
        vectors: vec![vector(VectorSpace::Look, "hash of a", 1)],
        source: Some(source("a", Likeness::Same)),
        ..new(image("a", 0))
    };
    store.add_image(full.clone()).await.unwrap();
    add(&store, image("b", 1)).await;
    assert!(store.remove_image("a").await.unwrap());
    assert!(!store.remove_image("a").await.unwrap());
    assert_eq!(store.image("a").await.unwrap(), None);
    assert_eq!(store.image_vectors("clip/1", VectorSpace::Look, &["a".into()]).await.unwrap(), HashMap::new());
    assert_eq!(store.image_sources(&["/photos/a.jpg".into()]).await.unwrap(), HashMap::new());
    let tags = store.image_tags(None, 9).await.unwrap();
    assert!(tags.iter().all(|tag| tag.images == 1), "{tags:?}");
    assert_eq!(store.garbage(9).await.unwrap(), Vec::<String>::new());
    let trashed = store.trash(None, 9).await.unwrap();
    assert_eq!(trashed.iter().map(|one| (one.kind, one.name.as_str())).collect::<Vec<_>>(), [(TrashKind::Image, "a")]);
    store.restore(&trashed[0].id).await.unwrap();
    assert_eq!(store.image("a").await.unwrap(), Some(image("a", 0)));
    assert_eq!(store.image_vectors("clip/1", VectorSpace::Look, &["a".into()]).await.unwrap().len(), 1);
    assert_eq!(store.image_sources(&["/photos/a.jpg".into()]).await.unwrap().len(), 1);
    let again = store.restore(&trashed[0].id).await.unwrap_err();
    assert_eq!(again, StoreError::NotInTrash { id: trashed[0].id.clone() });
    assert!(store.remove_image("a").await.unwrap());
    assert_eq!(store.empty_trash(Some(Timestamp::default())).await.unwrap(), 0, "what was deleted since is kept");
    assert_eq!(store.empty_trash(None).await.unwrap(), 1);
    assert_eq!(store.trash(None, 9).await.unwrap(), []);
    assert_eq!(store.garbage(9).await.unwrap(), ["hash of a"]);
    assert_eq!(store.add_image(full.clone()).await.unwrap(), Added::BeingDeleted);
    store.garbage_deleted(&["hash of a".into()]).await.unwrap();
    assert_eq!(store.garbage(9).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.add_image(full).await.unwrap(), Added::New);
}

pub(crate) async fn every_change_of_the_library_is_logged_once(place: &dyn Place) {
    let store = place.open();
    let put = |id: &str| (id.to_owned(), ChangeKind::Put);
    let remove = |id: &str| (id.to_owned(), ChangeKind::Remove);
    assert_eq!(store.last_library_change().await.unwrap(), 0);
    for (n, id) in (0..).zip(["a", "b", "c"]) {
        add(&store, image(id, n)).await;
    }
    assert_eq!(changes(&store, 0).await, [put("a"), put("b"), put("c")]);
    assert!(store.replace_image(&image("a", 0), None).await.unwrap());
    assert!(store.remove_image("b").await.unwrap());
    assert_eq!(changes(&store, 0).await, [put("c"), put("a"), remove("b")]);
    let first = store.library_changes(0, 1).await.unwrap().pop().unwrap();
    assert_eq!(changes(&store, first.seq).await, [put("a"), remove("b")]);
    let last = store.last_library_change().await.unwrap();
    assert_eq!(changes(&store, last).await, []);
    store.garbage_deleted(&["hash of b".into()]).await.unwrap();
    add(&store, image("b", 4)).await;
    assert_eq!(changes(&store, last).await, [put("b")], "what comes again is logged after what it did before");
    assert!(store.last_library_change().await.unwrap() > last);
}

pub(crate) async fn a_number_of_the_log_is_never_used_again(place: &dyn Place) {
    let store = place.open();
    add(&store, image("a", 0)).await;
    assert!(store.remove_image("a").await.unwrap());
    let last = store.last_library_change().await.unwrap();
    store.garbage_deleted(&["hash of a".into()]).await.unwrap();
    add(&place.open(), image("a", 1)).await;
    assert!(store.last_library_change().await.unwrap() > last);
    assert_eq!(changes(&store, last).await, [("a".into(), ChangeKind::Put)]);
}

pub(crate) async fn collections_are_made_renamed_and_removed(place: &dyn Place) {
    let store = place.open();
    for (n, id) in (0..).zip(["a", "b"]) {
        add(&store, image(id, n)).await;
    }
    assert!(store.add_collection("empty", at(5)).await.unwrap());
    assert!(!store.add_collection("spring", at(6)).await.unwrap());
    let listed = |store: Store| async move {
        let collections = store.collections(None, 10).await.unwrap();
        collections.into_iter().map(|one| (one.name, one.created_at, one.images)).collect::<Vec<_>>()
    };
    assert_eq!(listed(store.clone()).await, [("empty".into(), at(5), 0), ("spring".into(), at(0), 2)]);
    let after = store.collections(Some("empty"), 10).await.unwrap();
    assert_eq!(after.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["spring"]);
    let seen = store.last_library_change().await.unwrap();
    assert!(!store.rename_collection("spring", "empty").await.unwrap(), "a name is not taken from another");
    assert!(!store.rename_collection("none", "other").await.unwrap());
    assert_eq!(changes(&store, seen).await, []);
    assert!(store.rename_collection("spring", "summer").await.unwrap());
    assert_eq!(store.image("a").await.unwrap().unwrap().collections, ["summer"]);
    let seen = store.last_library_change().await.unwrap();
    assert!(store.remove_collection("summer").await.unwrap());
    assert!(!store.remove_collection("summer").await.unwrap());
    assert_eq!(store.image("b").await.unwrap(), Some(Image { collections: Vec::new(), ..image("b", 1) }));
    let mut logged = changes(&store, seen).await;
    logged.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(logged, [("a".into(), ChangeKind::Put), ("b".into(), ChangeKind::Put)]);
    assert_eq!(listed(store).await, [("empty".into(), at(5), 0)]);
}

pub(crate) async fn tags_are_listed_with_how_many_images_have_them(place: &dyn Place) {
    let store = place.open();
    add(&store, Image { tags: vec!["tea".into(), "cup".into()], ..image("a", 0) }).await;
    add(&store, Image { tags: vec!["tea".into()], ..image("b", 1) }).await;
    let tags = |after: Option<&'static str>, limit| {
        let store = store.clone();
        async move {
            let tags = store.image_tags(after, limit).await.unwrap();
            tags.into_iter().map(|tag| (tag.tag, tag.images)).collect::<Vec<_>>()
        }
    };
    assert_eq!(tags(None, 1).await, [("cup".into(), 1)]);
    assert_eq!(tags(Some("cup"), 9).await, [("tea".into(), 2)]);
}

pub(crate) async fn perceptual_hashes_are_read_by_page(place: &dyn Place) {
    let store = place.open();
    for (id, phash) in [("a", 0), ("b", u64::MAX), ("c", 1 << 63)] {
        add(&store, Image { phash, ..image(id, 0) }).await;
    }
    assert_eq!(store.image_phashes(None, 2).await.unwrap(), [("a".into(), 0), ("b".into(), u64::MAX)]);
    assert_eq!(store.image_phashes(Some("b"), 2).await.unwrap(), [("c".into(), 1 << 63)]);
}

pub(crate) async fn files_that_were_imported_are_known(place: &dyn Place) {
    let store = place.open();
    store.add_image(NewImage { source: Some(source("a", Likeness::Same)), ..new(image("a", 0)) }).await.unwrap();
    let near = source("like a", Likeness::Near);
    store
        .put_image_sources(vec![("a".into(), near.clone()), ("gone".into(), source("gone", Likeness::Same))])
        .await
        .unwrap();
    let paths: Vec<String> = ["a", "like a", "gone", "never seen"].map(|id| format!("/photos/{id}.jpg")).into();
    let expected = HashMap::from([
        (paths[0].clone(), (source("a", Likeness::Same), "a".to_owned())),
        (paths[1].clone(), (near, "a".to_owned())),
    ]);
    assert_eq!(place.open().image_sources(&paths).await.unwrap(), expected);
    let changed = ImageSource { bytes: 1, ..source("a", Likeness::Same) };
    store.put_image_sources(vec![("a".into(), changed.clone())]).await.unwrap();
    assert_eq!(store.image_sources(&paths[..1]).await.unwrap()[&paths[0]].0, changed);
}

pub(crate) async fn nobody_deletes_objects_while_others_write_them(place: &dyn Place) {
    let (store, other) = (place.open(), place.open());
    let first = store.share_objects().await.unwrap();
    let second = other.share_objects().await.unwrap();
    let written = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&written);
    let deleter = tokio::spawn(async move {
        let _alone = other.own_objects().await.unwrap();
        seen.load(Ordering::SeqCst)
    });
    drop(first);
    tokio::task::yield_now().await;
    written.store(true, Ordering::SeqCst);
    drop(second);
    assert!(deleter.await.unwrap(), "it was alone before the writers were done");
    drop(store.own_objects().await.unwrap());
}
