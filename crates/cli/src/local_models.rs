//! The models that are part of this program, and those that the configuration names in their place.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use atelier_embed::{Clip, EfficientNet, EfficientNetFiles, LookEmbedder, MiniLm, ModelBytes, TextEmbedder};
use atelier_studio::library::Embedders;

use crate::config::Config;
use crate::error::{CliError, CliResult};

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

/// What embeds images, their words and queries.
pub(crate) async fn embedders(config: &Config) -> CliResult<Embedders> {
    let text = text().await?;
    let chosen = config.search.look.clone().unwrap_or_else(|| "local".to_owned());
    let words: Arc<dyn TextEmbedder> = text.clone();
    let look = loaded(tokio::task::spawn_blocking(move || look(&chosen, words))).await??;
    Ok(Embedders { text: Some(text), look })
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
                .hint("use local, clip:FOLDER with a CLIP or SigLIP in ONNX, or off"))
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
