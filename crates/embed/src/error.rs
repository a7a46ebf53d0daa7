//! What can go wrong here.

use std::path::PathBuf;

/// A failure to load a model, to embed a text, or to read a stored vector, id or calibration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// The model's file could not be read.
    #[error("cannot read the model file {}: {source}", path.display())]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The bytes are not a model that can be run, or not this model.
    #[error("the text model cannot be loaded: {0}")]
    Model(String),
    /// The bytes are not a tokenizer.
    #[error("the tokenizer cannot be loaded: {0}")]
    Tokenizer(String),
    /// The tokenizer refused a text.
    #[error("a text cannot be split into tokens: {0}")]
    Tokenize(String),
    /// The model failed while it ran.
    #[error("the text model failed: {0}")]
    Inference(String),
    /// A vector without numbers.
    #[error("a vector needs at least one number")]
    EmptyVector,
    /// A vector of zeros has no direction.
    #[error("a vector of zeros has no direction and cannot be normalised")]
    ZeroVector,
    /// A number that is infinite or not a number.
    #[error("number {index} of the vector is not finite")]
    NotFinite {
        /// Its place in the vector, from 0.
        index: usize,
    },
    /// Two vectors of different spaces were compared.
    #[error("vectors of {left} and {right} numbers cannot be compared")]
    DimensionsDiffer {
        /// Length of the one.
        left: usize,
        /// Length of the other.
        right: usize,
    },
    /// Stored bytes that are no normalised vector.
    #[error("stored vector is damaged: {0}")]
    VectorBytes(String),
    /// A text that is not an embedder's id.
    #[error("{0:?} is not an embedder's id, which is written NAME/VERSION without spaces")]
    EmbedderId(String),
    /// Knots that do not make a monotone curve.
    #[error("calibration {name:?} is not usable: {reason}")]
    Calibration {
        /// Name of the calibration.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Sample pairs from which no calibration can be fitted.
    #[error("no calibration can be fitted: {0}")]
    Fit(String),
}

impl EmbedError {
    /// A stable name for the error, for logs and machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ModelFile { .. } => "model-file-unreadable",
            Self::Model(_) => "model-invalid",
            Self::Tokenizer(_) => "tokenizer-invalid",
            Self::Tokenize(_) => "text-not-tokenized",
            Self::Inference(_) => "inference-failed",
            Self::EmptyVector => "vector-empty",
            Self::ZeroVector => "vector-zero",
            Self::NotFinite { .. } => "vector-not-finite",
            Self::DimensionsDiffer { .. } => "vector-dimensions-differ",
            Self::VectorBytes(_) => "vector-damaged",
            Self::EmbedderId(_) => "embedder-id-invalid",
            Self::Calibration { .. } => "calibration-invalid",
            Self::Fit(_) => "calibration-not-fitted",
        }
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ModelFile { .. } => "Check that the file exists and may be read.",
            Self::Model(_) | Self::Tokenizer(_) => {
                "Use model-int8.onnx and tokenizer.json from assets/models/minilm, both from the same release."
            }
            Self::Tokenize(_) | Self::Inference(_) => {
                "Report this text as a bug; until then, remove it from the input."
            }
            Self::EmptyVector | Self::ZeroVector | Self::NotFinite { .. } => {
                "The embedder gave an unusable vector: embed the text again, or choose another embedder."
            }
            Self::DimensionsDiffer { .. } => {
                "The vectors come from different embedders: embed both texts with the same one."
            }
            Self::VectorBytes(_) => "Delete the stored vector; the text is then embedded again.",
            Self::EmbedderId(_) => "Write it like minilm-l6-v2-int8/1.",
            Self::Calibration { .. } => {
                "Give at least two knots, with rising cosines from -1 to 1 and similarities from 0 to 1 that never fall."
            }
            Self::Fit(_) => "Give several sample pairs of every grade whose cosines rise with the grade.",
        }
    }
}
