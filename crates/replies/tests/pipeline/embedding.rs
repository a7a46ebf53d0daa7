//! Vectors: kept in the store, made only where they are missing.

use std::sync::Mutex;

use atelier_embed::{Calibration, EmbedderId, Vector};
use atelier_replies::RepliesError;
use atelier_replies::embedding::{Embedding, vectors};
use futures_util::future::BoxFuture;

use crate::common::Studio;

/// An embedder that remembers what it was asked.
struct Asked {
    id: EmbedderId,
    calibration: Calibration,
    texts: Mutex<Vec<String>>,
}

impl Asked {
    fn new() -> Self {
        Self { id: "asked/1".parse().unwrap(), calibration: Calibration::identity("asked/1"), texts: Mutex::default() }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.texts.lock().unwrap())
    }
}

impl Embedding for Asked {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    fn batch(&self) -> usize {
        2
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vector>, RepliesError>> {
        Box::pin(async move {
            let made = texts.iter().map(|text| Ok(Vector::normalised(vec![text.len() as f32, 1.0])?)).collect();
            self.texts.lock().unwrap().extend(texts);
            made
        })
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_text_is_embedded_once_and_only_what_changed_is_embedded_again() {
    let studio = Studio::open().await;
    let embedding = Asked::new();
    let first = vectors(&studio.store, &embedding, &texts(&["one", "three", "one", " one\n"])).await.unwrap();
    assert_eq!(embedding.take(), ["one", "three"]);
    assert_eq!((first.len(), &first[0], &first[0]), (4, &first[2], &first[3]));

    let second = vectors(&studio.store, &embedding, &texts(&["three", "changed", "one"])).await.unwrap();
    assert_eq!(embedding.take(), ["changed"]);
    assert_eq!((&second[0], &second[2]), (&first[1], &first[0]));
}

#[tokio::test]
async fn a_damaged_vector_is_made_again() {
    let studio = Studio::open().await;
    let embedding = Asked::new();
    let hash = blake3::hash(b"one").to_hex().to_string();
    studio.store.put_vectors("asked/1", vec![(hash, vec![1, 2, 3])]).await.unwrap();
    vectors(&studio.store, &embedding, &texts(&["one"])).await.unwrap();
    assert_eq!(embedding.take(), ["one"]);
}
