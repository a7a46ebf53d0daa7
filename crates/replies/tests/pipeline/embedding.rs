//! Vectors: kept in the store, made only where they are missing, here or far away.

use std::sync::Mutex;

use atelier_embed::{Calibration, EmbedderId, Vector};
use atelier_engine::{Engine, Options, Stop};
use atelier_replies::RepliesError;
use atelier_replies::embedding::{Embedding, RemoteEmbedding, vectors};
use atelier_store::{JobPage, JobRunner, JobState};
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

fn remote(studio: &Studio, stop: Stop) -> RemoteEmbedding {
    RemoteEmbedding {
        runner: JobRunner {
            store: studio.store.clone(),
            engine: Engine::new(studio.store.journal(), studio.clock),
            clock: studio.clock,
            pools: vec![studio.pool_of("gemini-embedding-001")],
            options: Options::default(),
            stop,
        },
        id: "gemini-embedding-001/768".parse().unwrap(),
        dimensions: 768,
        calibration: Calibration::gemini(),
    }
}

#[tokio::test]
async fn a_remote_embedder_goes_through_the_engine_and_its_vectors_are_kept() {
    let studio = Studio::open().await;
    let remote = remote(&studio, Stop::never());
    let many: Vec<String> = (0..250).map(|number| format!("text number {number}")).collect();
    let made = vectors(&studio.store, &remote, &many).await.unwrap();
    assert_eq!(made.len(), 250);
    assert!(made.iter().all(|vector| vector.dimensions() == 768));
    let calls = studio.sandbox.stats().calls;
    assert!(calls >= 1);
    assert_eq!(vectors(&studio.store, &remote, &many).await.unwrap(), made);
    assert_eq!(studio.sandbox.stats().calls, calls, "nothing is asked for again");
    let jobs = studio.store.jobs(JobPage { after: None, limit: 10 }).await.unwrap();
    assert_eq!((jobs.len(), &*jobs[0].kind, jobs[0].state), (1, "embedding", JobState::Done));
}

#[tokio::test]
async fn a_remote_embedder_that_is_stopped_says_how_many_are_missing() {
    let studio = Studio::open().await;
    let (handle, stop) = atelier_engine::StopHandle::new();
    handle.stop();
    let error = vectors(&studio.store, &remote(&studio, stop), &texts(&["one", "two"])).await.unwrap_err();
    assert_eq!(error.to_string(), "2 of 2 texts are not embedded: it was interrupted");
    assert_eq!(error.code(), "interrupted");
}

#[tokio::test]
async fn what_a_stopped_embedding_was_answered_is_not_asked_for_again() {
    let studio = Studio::open().await;
    let (handle, stop) = atelier_engine::StopHandle::new();
    handle.stop();
    let asked = texts(&["one", "two"]);
    vectors(&studio.store, &remote(&studio, stop), &asked).await.unwrap_err();
    let made = vectors(&studio.store, &remote(&studio, Stop::never()), &asked).await.unwrap();
    assert_eq!(made.len(), 2);
    let calls = studio.sandbox.stats().calls;
    // The vectors are lost, and what the job was answered is not.
    let embedded = remote(&studio, Stop::never()).embed(asked).await.unwrap();
    assert_eq!((embedded, studio.sandbox.stats().calls), (made, calls));
    let jobs = studio.store.jobs(JobPage { after: None, limit: 10 }).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].state), (1, JobState::Done));
}
