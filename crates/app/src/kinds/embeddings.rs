//! Embeddings: texts and pictures in, vectors out, each kept under the hash of what it is made of.

use std::collections::HashMap;
use std::sync::Arc;

use atelier_embed::EmbedTask;
use atelier_engine::{ImageData, Task, Verdict};
use atelier_store::objects::ObjectKey;
use atelier_store::{JobRecord, OutcomeRecord};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::embedding::hash_of;
use crate::error::AppResult;
use crate::job::{Applied, JobKind, JobSettings, Purpose};
use crate::run::RunSettings;

/// What a job of embeddings keeps of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbeddingSettings {
    /// Under which name the vectors are kept.
    pub embedder: String,
    /// Numbers in each.
    pub dimensions: u32,
    /// What is embedded: `posts`, `images` or `a query`; jobs of version 1 for posts say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

impl EmbeddingSettings {
    /// What is embedded, in a word.
    pub(crate) fn of(&self) -> &str {
        self.of.as_deref().unwrap_or("posts")
    }
}

/// A job of embeddings.
pub struct EmbeddingsJob {
    app: App,
    job: JobRecord,
    settings: JobSettings<EmbeddingSettings>,
    task: EmbedTask,
}

impl EmbeddingsJob {
    /// The name of the kind.
    pub const NAME: &'static str = "embeddings";
}

impl JobKind for EmbeddingsJob {
    fn open(app: App, job: JobRecord, _: Purpose) -> BoxFuture<'static, AppResult<Box<dyn JobKind>>> {
        Box::pin(async move {
            let settings = JobSettings::<EmbeddingSettings>::of(&job)?;
            let pictures = Arc::new(pictures(&app, &job).await?);
            let task = EmbedTask { dimensions: settings.work.dimensions, pictures };
            Ok(Box::new(Self { app, job, settings, task }) as Box<dyn JobKind>)
        })
    }

    fn run(&self) -> &RunSettings {
        &self.settings.run
    }

    fn task(&self) -> Arc<dyn Task> {
        Arc::new(self.task.clone())
    }

    fn apply<'a>(&'a mut self, ended: &'a [OutcomeRecord]) -> BoxFuture<'a, AppResult<Vec<Applied>>> {
        Box::pin(async move {
            let store = self.app.store()?;
            let mut rows = Vec::with_capacity(ended.len());
            for outcome in ended {
                let Verdict::Done { result } = &outcome.verdict else { continue };
                let Some(vector) = EmbedTask::vector(result) else { continue };
                rows.push((self.hash(outcome).await?, vector.to_bytes()));
            }
            if !rows.is_empty() {
                store.put_vectors(&self.settings.work.embedder, rows).await?;
            }
            Ok(Vec::new())
        })
    }

    /// Pictures are kept for as long as somebody may go on with the job.
    fn end(&mut self) -> BoxFuture<'_, AppResult<()>> {
        Box::pin(async move {
            let job = self.app.job(&self.job.id).await?;
            let keys: Vec<ObjectKey> =
                self.task.pictures.keys().filter_map(|hash| ObjectKey::embedding(hash)).collect();
            if keys.is_empty() || job.counts.pending > 0 || job.counts.failed > 0 {
                return Ok(());
            }
            let library = self.app.library()?;
            let _alone = library.store().own_objects().await?;
            Ok(library.objects().remove(keys).await?)
        })
    }
}

impl EmbeddingsJob {
    /// The hash of what an outcome's vector is made of: the item's key, but for texts of jobs of version 1.
    async fn hash(&self, outcome: &OutcomeRecord) -> AppResult<String> {
        let hash_length = 64;
        if outcome.key.len() == hash_length {
            return Ok(outcome.key.clone());
        }
        let payload = self.app.store()?.item_payload(&self.job.id, outcome.seq).await?.unwrap_or_default();
        let text: String = serde_json::from_str(&payload).unwrap_or_default();
        Ok(hash_of(text.as_bytes()))
    }
}

/// The pictures that items without an outcome name.
async fn pictures(app: &App, job: &JobRecord) -> AppResult<HashMap<String, ImageData>> {
    let library = app.library()?;
    let mut pictures = HashMap::new();
    for (_, payload) in library.store().pending_payloads(&job.id).await? {
        let Some(name) = EmbedTask::named_picture(&payload) else { continue };
        let Some(key) = ObjectKey::embedding(&name) else { continue };
        // One that is gone makes its item fail, which says so.
        if let Some(bytes) = library.objects().get(&key).await? {
            pictures.insert(name, ImageData { mime: "image/jpeg".into(), bytes });
        }
    }
    Ok(pictures)
}
