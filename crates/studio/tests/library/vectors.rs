//! Vectors that are made later.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;

use atelier_engine::{Stop, StopHandle};
use atelier_store::VectorSpace;
use atelier_studio::library::Embedders;
use atelier_studio::library::decode::{Limits, Reader};

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

fn reader() -> Reader {
    Reader::new(Limits::default())
}

#[tokio::test]
async fn images_that_came_without_an_embedder_are_embedded_later() {
    let place = library(5).await;
    let embedder = TestEmbedder::new("test/1");
    let done =
        place.library.embed_missing(&embedders(&embedder), &reader(), TWO, &Stop::never(), |_| {}).await.unwrap();
    assert_eq!((done.text, done.look, done.failed, done.stopped), (2, 5, 0, false));
    let images = place.images().await;
    let ids: Vec<String> = images.iter().map(|image| image.id.clone()).collect();
    let text = place.library.store().image_vectors("test/1", VectorSpace::Text, &ids).await.unwrap();
    assert_eq!(text[&ids[0]], letters("abc").to_bytes());
    let again =
        place.library.embed_missing(&embedders(&embedder), &reader(), TWO, &Stop::never(), |_| {}).await.unwrap();
    assert_eq!((again.text, again.look), (0, 0));
    assert_eq!((embedder.texts.load(Ordering::SeqCst), embedder.pictures.load(Ordering::SeqCst)), (2, 5));
}

#[tokio::test]
async fn what_is_made_later_is_what_the_import_would_have_made() {
    let place = library(3).await;
    let embedder = TestEmbedder::new("test/1");
    place.library.embed_missing(&embedders(&embedder), &reader(), TWO, &Stop::never(), |_| {}).await.unwrap();
    let other = Place::new();
    for file in files(&place.photos()) {
        std::fs::copy(&file, other.photos().join(file.file_name().unwrap())).unwrap();
    }
    let importer = atelier_studio::library::import::Importer::new(
        other.library.clone(),
        embedders(&embedder),
        Limits::default(),
        atelier_engine::Clock::starting_at(now()),
    );
    let sources = vec![atelier_studio::library::import::Source::Path(other.photos())];
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
    place.library.embed_missing(&old, &reader(), TWO, &Stop::never(), |_| {}).await.unwrap();
    let done = place.library.embed_missing(&new, &reader(), TWO, &Stop::never(), |_| {}).await.unwrap();
    assert_eq!((done.text, done.look), (2, 3));
    assert_eq!(place.library.prune_vectors(&new).await.unwrap(), 8);
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
    let first = place.library.embed_missing(&look_only, &reader(), TWO, &stop, |_| handle.stop()).await.unwrap();
    assert!(first.stopped && first.look > 0 && first.look < 150, "{first:?}");
    let rest = place.library.embed_missing(&look_only, &reader(), TWO, &Stop::never(), |_| {}).await.unwrap();
    assert_eq!((rest.look, rest.stopped), (150 - first.look, false));
    assert_eq!(embedder.pictures.load(Ordering::SeqCst), 150, "none is embedded twice");
}

#[tokio::test]
async fn images_that_can_not_be_embedded_are_counted_and_passed_over() {
    let place = library(4).await;
    let hash = place.image("002.jpg").await.hash;
    std::fs::remove_file(place.path("data/objects/images").join(&hash[..2]).join(&hash[2..4]).join(&hash)).unwrap();
    let done = place
        .library
        .embed_missing(&embedders(&TestEmbedder::new("test/1")), &reader(), TWO, &Stop::never(), |_| {})
        .await
        .unwrap();
    assert_eq!((done.look, done.failed), (3, 1));
    let done = place
        .library
        .embed_missing(&embedders(&TestEmbedder::failing("test/2")), &reader(), TWO, &Stop::never(), |_| {})
        .await
        .unwrap();
    assert_eq!((done.text, done.look, done.failed), (0, 0, 6));
}
