//! What embeds: the models that are part of this program, and what the configuration names in their place.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use atelier_embed::{
    Absent, Calibration, Clip, EfficientNet, EfficientNetFiles, EmbedderId, LookEmbedder, MiniLm, ModelBytes,
    TextEmbedder,
};
use atelier_engine::{Engine, Stop};
use atelier_providers::ModelRef;
use atelier_store::{JobRunner, Store};
use atelier_studio::library::{Embedders, RemoteEmbedder};
use tokio::runtime::Handle;

use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::pools::Pools;
use crate::snapshot::RunSnapshot;

/// Numbers in a vector of a remote embedder: enough to tell posts and pictures apart, a quarter of the bytes.
pub(crate) const REMOTE_DIMENSIONS: u32 = 768;

static TEXT_MODEL: &[u8] = include_bytes!("../../../assets/models/minilm/model-int8.onnx");
static TOKENIZER: &[u8] = include_bytes!("../../../assets/models/minilm/tokenizer.json");
static LOOK_MODEL: &[u8] = include_bytes!("../../../assets/models/efficientnet-lite0/model-int8.onnx");
static CONCEPTS: &str = include_str!("../../../assets/models/efficientnet-lite0/concepts.txt");
static CONCEPT_VECTORS: &[u8] = include_bytes!("../../../assets/models/efficientnet-lite0/vectors.bin");

/// The text model.
pub(crate) async fn text() -> CliResult<Arc<MiniLm>> {
    let load = || MiniLm::load(ModelBytes::Static(TEXT_MODEL), TOKENIZER, threads());
    Ok(Arc::new(loaded(tokio::task::spawn_blocking(load)).await??))
}

/// What embeds images, their words and queries, with what it needs to live.
pub(crate) struct ImageEmbedders {
    pub(crate) embedders: Embedders,
    _pools: Option<Pools>,
}

/// Loads or connects what the configuration names under `[search] look`.
pub(crate) async fn of_images(context: &Context, store: &Store, stop: &Stop) -> CliResult<ImageEmbedders> {
    let chosen = context.config.search.look.clone().unwrap_or_else(|| "local".to_owned());
    if is_remote(&chosen) {
        let Remote { runner, id, pools } = remote(context, store, &RunSnapshot::of(&chosen), stop).await?;
        let (calibration, runtime) = (Calibration::gemini(), Handle::current());
        let embedder = Arc::new(RemoteEmbedder::new(runner, id, REMOTE_DIMENSIONS, calibration, runtime));
        let embedders = Embedders { text: Some(embedder.clone()), look: Some(embedder) };
        return Ok(ImageEmbedders { embedders, _pools: Some(pools) });
    }
    let text = text().await?;
    let words: Arc<dyn TextEmbedder> = text.clone();
    let look = loaded(tokio::task::spawn_blocking(move || look(&chosen, words))).await??;
    Ok(ImageEmbedders { embedders: Embedders { text: Some(text), look }, _pools: None })
}

/// The same to search with: where a provider's model can't be asked for want of a key, searches go on without it.
pub(crate) async fn of_queries(context: &Context, store: &Store, stop: &Stop) -> CliResult<ImageEmbedders> {
    let connected = of_images(context, store, stop).await;
    let Some(model) = context.config.search.look.as_deref().filter(|chosen| is_remote(chosen)) else {
        return connected;
    };
    match connected {
        Err(error) if error.exit == Exit::Configuration => {
            // A name that is none is to be mended, and not to be gone around.
            let id = embedder_id(&model.parse::<ModelRef>()?)?;
            let embedder = Arc::new(Absent {
                id,
                dimensions: REMOTE_DIMENSIONS as usize,
                calibration: Calibration::gemini(),
                code: "embedder-absent",
                reason: error.message,
            });
            let embedders = Embedders { text: Some(embedder.clone()), look: Some(embedder) };
            Ok(ImageEmbedders { embedders, _pools: None })
        }
        connected => connected,
    }
}

/// Under which name vectors of a provider's model are kept.
fn embedder_id(model: &ModelRef) -> CliResult<EmbedderId> {
    Ok(format!("{}/{REMOTE_DIMENSIONS}", model.to_string().replace(':', "-")).parse()?)
}

/// What embeds words that are changed, at once; nothing if a provider does, which is asked for many together.
pub(crate) async fn of_words(context: &Context) -> CliResult<Option<Arc<dyn TextEmbedder>>> {
    if context.config.search.look.as_deref().is_some_and(is_remote) {
        return Ok(None);
    }
    Ok(Some(text().await?))
}

/// An embedder behind a provider.
pub(crate) struct Remote {
    pub(crate) runner: JobRunner,
    pub(crate) id: EmbedderId,
    pub(crate) pools: Pools,
}

/// Connects the embedder that `run` names as its model.
pub(crate) async fn remote(context: &Context, store: &Store, run: &RunSnapshot, stop: &Stop) -> CliResult<Remote> {
    let mut pools = Pools::new(context, run)?;
    pools.warm_up().await;
    let id = embedder_id(&pools.model)?;
    let runner = JobRunner {
        store: store.clone(),
        engine: Engine::new(store.journal(), context.clock),
        clock: context.clock,
        pools: pools.pools.clone(),
        options: run.options(context.clock.now().as_micros().unsigned_abs()),
        stop: stop.clone(),
    };
    Ok(Remote { runner, id, pools })
}

/// Whether a model of a provider is named, and none that runs here.
fn is_remote(chosen: &str) -> bool {
    chosen.split_once(':').is_some_and(|(kind, _)| kind != "clip")
}

fn look(chosen: &str, text: Arc<dyn TextEmbedder>) -> CliResult<Option<Arc<dyn LookEmbedder>>> {
    match (chosen, chosen.strip_prefix("clip:")) {
        ("off", _) => Ok(None),
        ("local", _) => {
            let files = EfficientNetFiles {
                model: ModelBytes::Static(LOOK_MODEL),
                concepts: CONCEPTS,
                vectors: CONCEPT_VECTORS,
            };
            Ok(Some(Arc::new(EfficientNet::load(files, text, threads())?)))
        }
        (_, Some(folder)) => Ok(Some(Arc::new(Clip::load(Path::new(folder), threads())?))),
        _ => {
            let message = format!("'{chosen}' under [search] look is not known");
            Err(CliError::configuration("config-invalid", message)
                .hint("use local, clip:FOLDER with a CLIP or SigLIP in ONNX, gemini:gemini-embedding-2, or off"))
        }
    }
}

/// As many threads as there are processors.
pub(crate) fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

async fn loaded<T>(loading: tokio::task::JoinHandle<T>) -> CliResult<T> {
    loading.await.map_err(|error| CliError::local("thread-ended", format!("a model could not be loaded: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_that_is_not_known_is_an_error_that_names_it() {
        let text: Arc<dyn TextEmbedder> = text().await.unwrap();
        let error = look("lokal", Arc::clone(&text)).err().unwrap();
        assert!(error.message.contains("'lokal'"), "{}", error.message);
        assert!(look("off", text).unwrap().is_none());
    }
}
