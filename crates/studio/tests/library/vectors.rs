//! Vectors that are made later.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;

use atelier_engine::{Stop, StopHandle};
use atelier_store::VectorSpace;
use atelier_studio::library::decode::{DecodeLimits, PictureReader};
use atelier_studio::library::{Embedded, Embedders, Missing};

use crate::fixtures::*;

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

async fn library(images: u32) -> Place {
    let place = Place::new();
    for n in 0..images {
        place.write(&format!("{n:03}.jpg"), photo(n));
    }
    place.write("images.csv", "filename,caption\n000.jpg,abc\n001.jpg,xyz\n");
    place.import().await;
    place
}

fn reader() -> PictureReader {
    PictureReader::new(DecodeLimits::default())
}

/// Makes what is missing.
async fn embed(place: &Place, embedders: &Embedders, missing: Missing) -> Embedded {
    let embedding = place.library.embedding(embedders.clone()).await.unwrap();
    embedding.run(missing, &reader(), TWO, &Stop::never(), |_| {}).await.unwrap()
}

#[tokio::test]
async fn images_that_came_without_an_embedder_are_embedded_later() {
    let place = library(5).await;
    let embedder = TestEmbedder::new("test/1");
    let done = embed(&place, &embedders(&embedder), Missing::All).await;
    assert_eq!((done.text, done.look, done.failed, done.stopped), (2, 5, 0, false));
    let images = place.images().await;
    let ids: Vec<String> = images.iter().map(|image| image.id.clone()).collect();
    let text = place.library.store().image_vectors("test/1", VectorSpace::Text, &ids).await.unwrap();
    assert_eq!(text[&ids[0]], letters("abc").to_bytes());
    let again = embed(&place, &embedders(&embedder), Missing::All).await;
    assert_eq!((again.text, again.look), (0, 0));
    assert_eq!((embedder.texts.load(Ordering::SeqCst), embedder.pictures.load(Ordering::SeqCst)), (2, 5));
}

#[tokio::test]
async fn what_is_made_later_is_what_the_import_would_have_made() {
    let place = library(3).await;
    let embedder = TestEmbedder::new("test/1");
    embed(&place, &embedders(&embedder), Missing::All).await;
    let other = Place::new();
    for file in files(&place.photos()) {
        std::fs::copy(&file, other.photos().join(file.file_name().unwrap())).unwrap();
    }
    let importer = atelier_studio::library::import::Importer::new(
        other.library.clone(),
        embedders(&embedder),
        DecodeLimits::default(),
        atelier_engine::Clock::starting_at(now()),
    );
    let sources = vec![atelier_studio::library::import::ImportSource::Path(other.photos())];
    import(&importer, sources, two_threads()).await;
    let ids: Vec<String> = place.images().await.into_iter().map(|image| image.id).collect();
    for space in [VectorSpace::Text, VectorSpace::Look, VectorSpace::Appearance] {
        let of = |place: &Place| {
            let (store, ids) = (place.library.store().clone(), ids.clone());
            async move { store.image_vectors("test/1", space, &ids).await.unwrap() }
        };
        assert_eq!(of(&place).await, of(&other).await, "{space:?}");
    }
}

#[tokio::test]
async fn another_embedder_makes_its_own_and_the_old_ones_can_go() {
    let place = library(3).await;
    let (old, new) = (embedders(&TestEmbedder::new("old/1")), embedders(&TestEmbedder::new("new/1")));
    embed(&place, &old, Missing::All).await;
    let done = embed(&place, &new, Missing::All).await;
    assert_eq!((done.text, done.look), (2, 3));
    assert_eq!(place.library.embedding(new).await.unwrap().prune().await.unwrap(), 8);
    let ids: Vec<String> = place.images().await.into_iter().map(|image| image.id).collect();
    for (embedder, count) in [("old/1", 0), ("new/1", 3)] {
        let looks = place.library.store().image_vectors(embedder, VectorSpace::Look, &ids).await.unwrap();
        assert_eq!(looks.len(), count, "{embedder}");
    }
}

#[tokio::test]
async fn embedding_that_is_stopped_goes_on_where_it_was() {
    let place = library(150).await;
    let embedder = TestEmbedder::new("test/1");
    let look_only = Embedders { text: None, ..embedders(&embedder) };
    let (handle, stop) = StopHandle::new();
    let first = place
        .library
        .embedding(look_only.clone())
        .await
        .unwrap()
        .run(Missing::All, &reader(), TWO, &stop, |_| handle.stop())
        .await
        .unwrap();
    assert!(first.stopped && first.look > 0 && first.look < 150, "{first:?}");
    let rest = embed(&place, &look_only, Missing::All).await;
    assert_eq!((rest.look, rest.stopped), (150 - first.look, false));
    assert_eq!(embedder.pictures.load(Ordering::SeqCst), 150, "none is embedded twice");
}

#[tokio::test]
async fn images_that_can_not_be_embedded_are_counted_and_passed_over() {
    let place = library(4).await;
    let hash = place.image("002.jpg").await.hash;
    std::fs::remove_file(place.path("data/objects/images").join(&hash[..2]).join(&hash[2..4]).join(&hash)).unwrap();
    let done = embed(&place, &embedders(&TestEmbedder::new("test/1")), Missing::All).await;
    assert_eq!((done.look, done.failed), (3, 1));
    let done = embed(&place, &embedders(&TestEmbedder::failing("test/2")), Missing::All).await;
    assert_eq!((done.text, done.look, done.failed), (0, 0, 6));
}

#[tokio::test]
async fn what_changed_since_all_were_embedded_is_known_without_looking_at_the_others() {
    let place = library(4).await;
    let lost = place.image("002.jpg").await;
    let original = place.path("data/objects/images").join(&lost.hash[..2]).join(&lost.hash[2..4]).join(&lost.hash);
    std::fs::rename(&original, place.path("away")).unwrap();
    let (old, new) = (embedders(&TestEmbedder::new("old/1")), embedders(&TestEmbedder::new("new/1")));
    let lacking = |of: Embedders| {
        let library = place.library.clone();
        async move { library.missing_vectors(&of, 3).await.unwrap() }
    };
    assert_eq!((lacking(old.clone()).await.images, lacking(old.clone()).await.by), (3, None), "no more are counted");
    let first = embed(&place, &old, Missing::New).await;
    assert_eq!((first.text, first.look, first.failed), (2, 3, 1));
    assert_eq!(lacking(old.clone()).await.images, 0, "for what can't be embedded nobody waits");
    assert_eq!(lacking(new.clone()).await.embedders, ["new/1"]);

    place.write("images.csv", "filename,caption\n000.jpg,abc\n001.jpg,other words\n");
    place.import().await;
    std::fs::rename(place.path("away"), &original).unwrap();
    assert_eq!(lacking(old.clone()).await.images, 0, "a description that is not taken over changes nothing");
    let edit = atelier_studio::library::ImageEdit { caption: Some(Some("new".into())), ..Default::default() };
    place.library.edit(&place.image("001.jpg").await.id, &edit, None, now()).await.unwrap();
    assert_eq!(lacking(old.clone()).await.images, 1);
    let changed = embed(&place, &old, Missing::New).await;
    assert_eq!((changed.text, changed.look, changed.failed), (1, 0, 0));
    let all = embed(&place, &old, Missing::All).await;
    assert_eq!((all.text, all.look, all.failed), (0, 1, 0), "what can be read again is embedded when all are");
    assert_eq!(lacking(old.clone()).await.images, 0);
}

#[tokio::test]
async fn one_process_makes_vectors_and_others_are_told_who() {
    let place = library(2).await;
    let (mine, other) = (embedders(&TestEmbedder::new("test/1")), embedders(&TestEmbedder::new("other/1")));
    let embedding = place.library.embedding(mine.clone()).await.unwrap();
    assert_eq!(place.library.embedding(mine.clone()).await.unwrap_err().code(), "job-held");
    let by = place.library.missing_vectors(&mine, 9).await.unwrap().by;
    assert_eq!(by.map(|by| by.pid), Some(std::process::id()));
    assert_eq!(
        place.library.missing_vectors(&other, 9).await.unwrap().by,
        None,
        "another model's vectors are another matter"
    );
    assert_eq!(embed(&place, &other, Missing::New).await.look, 2);
    embedding.release().await.unwrap();
    assert_eq!(embed(&place, &mine, Missing::New).await.look, 2);
}

#[tokio::test]
async fn a_model_that_fails_on_all_is_an_error_and_the_images_wait_for_a_better_one() {
    let place = library(12).await;
    let failing = embedders(&TestEmbedder::failing("test/1"));
    let embedding = place.library.embedding(failing).await.unwrap();
    let error = embedding.run(Missing::New, &reader(), TWO, &Stop::never(), |_| {}).await.unwrap_err();
    assert_eq!(error.code(), "nothing-embedded");
    embedding.release().await.unwrap();
    let mended = embedders(&TestEmbedder::new("test/1"));
    assert_eq!(embed(&place, &mended, Missing::New).await.look, 12);
}
