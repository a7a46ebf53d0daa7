//! Vectors of posts and topics: from the store where they are kept, from an embedder where they are not.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use atelier_embed::{Calibration, EmbedderId, TextEmbedder, Vector};
use atelier_store::Store;
use futures_util::future::BoxFuture;

use crate::error::RepliesError;

/// What turns texts into vectors, in this process or far away.
pub trait Embedding: Send + Sync {
    /// Which embedder, and which version of it.
    fn id(&self) -> &EmbedderId;

    /// How its cosines map onto the scale of the thresholds.
    fn calibration(&self) -> &Calibration;

    /// How many texts to embed before their vectors are kept: what is done between is lost in a crash.
    fn batch(&self) -> usize;

    /// One vector for each text, in the order of the texts.
    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vector>, RepliesError>>;
}

/// An embedder in this process, on a thread for blocking work.
#[derive(Clone)]
pub struct LocalEmbedding(Arc<dyn TextEmbedder>);

impl LocalEmbedding {
    /// Wraps an embedder.
    pub fn new(embedder: Arc<dyn TextEmbedder>) -> Self {
        Self(embedder)
    }
}

impl Embedding for LocalEmbedding {
    fn id(&self) -> &EmbedderId {
        self.0.id()
    }

    fn calibration(&self) -> &Calibration {
        self.0.calibration()
    }

    fn batch(&self) -> usize {
        64
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vector>, RepliesError>> {
        let embedder = Arc::clone(&self.0);
        Box::pin(async move {
            let vectors = tokio::task::spawn_blocking(move || embedder.embed(&texts)).await;
            Ok(vectors.map_err(|error| RepliesError::Thread(error.to_string()))??)
        })
    }
}

/// The vectors of these texts, in their order. Each text that has no vector in the store yet is embedded
/// once and kept there, under the hash of the text: so only what changed is embedded again.
///
/// # Errors
/// What the store or the embedder reports. Batches that were done before stay in the store.
pub async fn vectors(store: &Store, embedding: &dyn Embedding, texts: &[String]) -> Result<Vec<Vector>, RepliesError> {
    let texts: Vec<String> = texts.iter().map(|text| normalised(text)).collect();
    let hashes: Vec<String> = texts.iter().map(|text| blake3::hash(text.as_bytes()).to_hex().to_string()).collect();
    let embedder = embedding.id().as_str();
    let kept = store.vectors(embedder, &hashes).await?;
    let mut known: HashMap<&str, Vector> = HashMap::new();
    let mut missing: Vec<(&str, &str)> = Vec::new();
    let mut seen = HashSet::new();
    for (hash, text) in hashes.iter().zip(&texts) {
        if !seen.insert(hash.as_str()) {
            continue;
        }
        // A damaged vector is no reason to fail: it is made again.
        match kept.get(hash).and_then(|bytes| Vector::from_bytes(bytes).ok()) {
            Some(vector) => drop(known.insert(hash, vector)),
            None => missing.push((hash, text)),
        }
    }
    for batch in missing.chunks(embedding.batch().max(1)) {
        let made = embedding.embed(batch.iter().map(|(_, text)| (*text).to_owned()).collect()).await?;
        let rows = batch.iter().zip(&made).map(|((hash, _), vector)| ((*hash).to_owned(), vector.to_bytes())).collect();
        store.put_vectors(embedder, rows).await?;
        known.extend(batch.iter().map(|(hash, _)| *hash).zip(made));
    }
    let missing =
        |hash: &String| known.get(hash.as_str()).cloned().ok_or(atelier_embed::EmbedError::EmptyVector.into());
    hashes.iter().map(missing).collect()
}

/// The text as it is embedded: runs of white space are one space, for they mean nothing here.
fn normalised(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
