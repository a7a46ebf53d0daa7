//! An embedder behind a provider: its texts are items of a job, and go the way of all calls.

use std::sync::Arc;

use atelier_embed::{Calibration, EmbedTask, EmbedderId, Vector};
use atelier_store::{JobRunner, NewItem, NewJob};
use futures_util::future::BoxFuture;

use super::Embedding;
use crate::error::RepliesError;

/// An embedder behind a provider.
#[derive(Debug)]
pub struct RemoteEmbedding {
    /// Runs its jobs.
    pub runner: JobRunner,
    /// Which embedder, its dimensions included.
    pub id: EmbedderId,
    /// Numbers in each vector.
    pub dimensions: u32,
    /// How its cosines map onto the scale of the thresholds.
    pub calibration: Calibration,
}

impl Embedding for RemoteEmbedding {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    fn batch(&self) -> usize {
        2_000
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vector>, RepliesError>> {
        Box::pin(self.run(texts))
    }
}

impl RemoteEmbedding {
    async fn run(&self, texts: Vec<String>) -> Result<Vec<Vector>, RepliesError> {
        let answers = self.runner.run(self.job(&texts), Arc::new(EmbedTask::texts(self.dimensions))).await?;
        let vectors: Vec<Option<Vector>> = answers.results().map(|result| result.and_then(EmbedTask::vector)).collect();
        let whole: Vec<Vector> = vectors.iter().flatten().cloned().collect();
        if whole.len() == texts.len() {
            return Ok(whole);
        }
        self.keep(&texts, &vectors).await?;
        let (missing, texts) = (texts.len() - whole.len(), texts.len());
        if let Some((code, message)) = answers.stopped() {
            return Err(RepliesError::EmbedStopped { missing, texts, code, message });
        }
        let message = answers.problem().unwrap_or("the answers can't be read").to_owned();
        Err(RepliesError::EmbedIncomplete { failed: missing, texts, message })
    }

    /// The job of these texts, by which it is called: run again after a crash, it goes on.
    fn job(&self, texts: &[String]) -> NewJob {
        let mut name = blake3::Hasher::new();
        name.update(self.id.as_str().as_bytes());
        for text in texts {
            name.update(blake3::hash(text.as_bytes()).as_bytes());
        }
        let item = |(index, text): (usize, &String)| NewItem {
            key: index.to_string(),
            lane: "embedding".into(),
            payload: EmbedTask::text(text),
        };
        NewJob {
            id: format!("embed-{}", &name.finalize().to_hex()[..16]).into(),
            kind: "embedding".into(),
            settings: serde_json::json!({ "embedder": self.id, "dimensions": self.dimensions }),
            items: texts.iter().enumerate().map(item).collect(),
            claims: Vec::new(),
            created_at: self.runner.clock.now(),
        }
    }

    /// Keeps what was paid for although the whole was not had.
    async fn keep(&self, texts: &[String], vectors: &[Option<Vector>]) -> Result<(), RepliesError> {
        let row = |(text, vector): (&String, &Option<Vector>)| {
            let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
            vector.as_ref().map(|vector| (hash, vector.to_bytes()))
        };
        let rows = texts.iter().zip(vectors).filter_map(row).collect();
        Ok(self.runner.store.put_vectors(self.id.as_str(), rows).await?)
    }
}
