//! Loading of models, shared by all that run in this process.

use std::path::PathBuf;

use rten::{Model, ModelOptions, NodeId};

use crate::EmbedError;

/// Where a model comes from.
#[derive(Debug)]
pub enum ModelBytes {
    /// Bytes within the binary; they are not copied.
    Static(&'static [u8]),
    /// Bytes that were read before.
    Owned(Vec<u8>),
    /// A file, which is read whole.
    File(PathBuf),
}

/// Reads a model and packs its weights, which doubles the speed of what is small and costs as much memory
/// again. `invalid` is the error for bytes that are no model.
pub(crate) fn load(bytes: ModelBytes, invalid: impl FnOnce(String) -> EmbedError) -> Result<Model, EmbedError> {
    let mut options = ModelOptions::with_all_ops();
    options.prepack_weights(true);
    let model = match bytes {
        ModelBytes::Static(bytes) => options.load_static_slice(bytes),
        ModelBytes::Owned(bytes) => options.load(bytes),
        ModelBytes::File(path) => {
            let bytes = std::fs::read(&path).map_err(|source| EmbedError::ModelFile { path, source })?;
            options.load(bytes)
        }
    };
    model.map_err(|error| invalid(error.to_string()))
}

/// The input or output of this name.
pub(crate) fn node(model: &Model, name: &str, invalid: fn(String) -> EmbedError) -> Result<NodeId, EmbedError> {
    model.find_node(name).ok_or_else(|| invalid(format!("it has no input or output {name:?}")))
}

/// The error of a model that failed while it ran.
pub(crate) fn failed(error: impl std::fmt::Display) -> EmbedError {
    EmbedError::Inference(error.to_string())
}
