//! What embeds: the models that are part of this program, and what the configuration names in their place.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use atelier_embed::{
    Absent, Calibration, Clip, EfficientNet, EfficientNetFiles, EmbedderId, LookEmbedder, MiniLm, ModelBytes,
    TextEmbedder,
};
use atelier_engine::Stop;
use atelier_providers::ModelRef;
use atelier_studio::library::Embedders;
use tokio::runtime::Handle;

use crate::app::App;
use crate::embedding::{RemoteEmbedder, RemoteModels};
use crate::error::{AppError, AppResult, ErrorClass};
use crate::run::RunSettings;

/// Numbers in a vector of a remote embedder: enough to tell posts and pictures apart, a quarter of the bytes.
pub(crate) const REMOTE_DIMENSIONS: u32 = 768;

static TEXT_MODEL: &[u8] = include_bytes!("../../../assets/models/minilm/model-int8.onnx");
static TOKENIZER: &[u8] = include_bytes!("../../../assets/models/minilm/tokenizer.json");
static LOOK_MODEL: &[u8] = include_bytes!("../../../assets/models/efficientnet-lite0/model-int8.onnx");
static CONCEPTS: &str = include_str!("../../../assets/models/efficientnet-lite0/concepts.txt");
static CONCEPT_VECTORS: &[u8] = include_bytes!("../../../assets/models/efficientnet-lite0/vectors.bin");

/// The text model, loaded once.
pub(crate) async fn text(app: &App) -> AppResult<Arc<MiniLm>> {
    let load = || MiniLm::load(ModelBytes::Static(TEXT_MODEL), TOKENIZER, threads());
    let loading = || async move { AppResult::Ok(Arc::new(loaded(tokio::task::spawn_blocking(load)).await??)) };
    app.shared().text.get_or_try_init(loading).await.cloned()
}

/// Loads or connects what the configuration names under `[search] look`.
pub(crate) async fn of_images(app: &App, stop: &Stop) -> AppResult<Embedders> {
    let chosen = app.config().search.look.clone().unwrap_or_else(|| "local".to_owned());
    if is_remote(&chosen) {
        let remote = RemoteEmbedder::open(app, &RunSettings::of(&chosen), "images", stop.clone()).await?;
        let embedder = Arc::new(RemoteModels::new(remote, Handle::current()));
        return Ok(Embedders { text: Some(embedder.clone()), look: Some(embedder) });
    }
    let load = || async move {
        let text = text(app).await?;
        let words: Arc<dyn TextEmbedder> = text.clone();
        let look = loaded(tokio::task::spawn_blocking(move || look(&chosen, words))).await??;
        Ok(Embedders { text: Some(text), look })
    };
    app.shared().local.get_or_try_init(load).await.cloned()
}

/// The same to search with: where a provider's model can't be asked for want of a key, searches go on without it.
pub(crate) async fn of_queries(app: &App, stop: &Stop) -> AppResult<Embedders> {
    let connected = of_images(app, stop).await;
    let Some(model) = app.config().search.look.as_deref().filter(|chosen| is_remote(chosen)) else {
        return connected;
    };
    match connected {
        Err(error) if error.class() == ErrorClass::Configuration => {
            // A name that is none is to be mended, and not to be gone around.
            let id = embedder_id(&model.parse::<ModelRef>()?)?;
            let embedder = Arc::new(Absent {
                id,
                dimensions: REMOTE_DIMENSIONS as usize,
                calibration: Calibration::gemini(),
                reason: error.message().to_owned(),
            });
            Ok(Embedders { text: Some(embedder.clone()), look: Some(embedder) })
        }
        connected => connected,
    }
}

/// Under which name vectors of a provider's model are kept.
pub(crate) fn embedder_id(model: &ModelRef) -> AppResult<EmbedderId> {
    Ok(format!("{}/{REMOTE_DIMENSIONS}", model.to_string().replace(':', "-")).parse()?)
}

/// What embeds words the moment they change; nothing if a provider does, which is asked for many together.
pub(crate) async fn of_words(app: &App) -> AppResult<Option<Arc<dyn TextEmbedder>>> {
    if app.config().search.look.as_deref().is_some_and(is_remote) {
        return Ok(None);
    }
    Ok(Some(text(app).await?))
}

/// Whether a model of a provider is named, and none that runs here.
fn is_remote(chosen: &str) -> bool {
    chosen.split_once(':').is_some_and(|(kind, _)| kind != "clip")
}

fn look(chosen: &str, text: Arc<dyn TextEmbedder>) -> AppResult<Option<Arc<dyn LookEmbedder>>> {
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
            Err(AppError::new(code!("config-invalid"), message)
                .hint("use local, clip:FOLDER with a CLIP or SigLIP in ONNX, gemini:gemini-embedding-2, or off"))
        }
    }
}

/// As many threads as there are processors.
#[must_use]
pub fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

async fn loaded<T>(loading: tokio::task::JoinHandle<T>) -> AppResult<T> {
    loading.await.map_err(|error| AppError::new(code!("thread-ended"), format!("a model could not be loaded: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_that_is_not_known_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let start = crate::Start {
            config: None,
            data_dir: Some(dir.path().to_owned()),
            environment: Arc::new(|_| None),
            clock: atelier_engine::Clock::system(),
        };
        let text: Arc<dyn TextEmbedder> = text(&App::start(start).unwrap()).await.unwrap();
        let error = look("lokal", Arc::clone(&text)).err().unwrap();
        assert!(error.message().contains("'lokal'"), "{}", error.message());
        assert!(look("off", text).unwrap().is_none());
    }
}
