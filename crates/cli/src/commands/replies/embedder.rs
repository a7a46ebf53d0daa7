//! What compares posts with topics: the model in this binary, or one behind a provider.

use atelier_embed::Calibration;
use atelier_engine::Stop;
use atelier_providers::ModelRef;
use atelier_replies::embedding::{Embedding, LocalEmbedding, RemoteEmbedding};
use atelier_store::Store;

use crate::context::Context;
use crate::embedders::{self, REMOTE_DIMENSIONS, Remote};
use crate::error::{CliError, CliResult};
use crate::pools::Pools;
use crate::snapshot::RunSnapshot;

/// An embedder, with what it needs to live.
pub(super) struct Embedder {
    embedding: Box<dyn Embedding>,
    _pools: Option<Pools>,
}

impl Embedder {
    pub(super) fn as_embedding(&self) -> &dyn Embedding {
        &*self.embedding
    }
}

/// Loads or connects what `--embedder` names. A remote one runs under the limits of `run`.
pub(super) async fn open(
    context: &Context,
    store: &Store,
    name: &str,
    run: &RunSnapshot,
    stop: &Stop,
) -> CliResult<Embedder> {
    if name == "local" {
        let model = embedders::text().await?;
        return Ok(Embedder { embedding: Box::new(LocalEmbedding::new(model)), _pools: None });
    }
    remote(context, store, name, run, stop).await
}

async fn remote(context: &Context, store: &Store, name: &str, run: &RunSnapshot, stop: &Stop) -> CliResult<Embedder> {
    let model: ModelRef = name.parse()?;
    if !model.name().contains("embedding") && !model.is_sandbox() {
        let message = format!("'{name}' is not an embedder that is known");
        return Err(CliError::usage("unknown-embedder", message).hint("use local, or gemini:gemini-embedding-001"));
    }
    // The limits on the command line are those of the model that drafts.
    let run = RunSnapshot { model: name.to_owned(), limits: Vec::new(), ..run.clone() };
    let Remote { runner, id, pools } = embedders::remote(context, store, &run, stop).await?;
    let (dimensions, calibration) = (REMOTE_DIMENSIONS, Calibration::gemini());
    let embedding = RemoteEmbedding { runner, id, dimensions, calibration };
    Ok(Embedder { embedding: Box::new(embedding), _pools: Some(pools) })
}
