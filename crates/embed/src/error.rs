//! The error of this crate, each case with a stable code and a hint.

use std::path::PathBuf;

use atelier_engine::{FaultKind, JournalError};

/// A failure to load a model, to embed a text or a picture, or to read a stored vector, id or calibration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// The model's file could not be read.
    #[error("cannot read the model file {}: {source}", path.display())]
    ModelFile {
        /// Path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The bytes are not a model that can be run, or not the text model.
    #[error("the text model cannot be loaded: {0}")]
    Model(String),
    /// The bytes are not a model that can be run, or not the look model.
    #[error("the look model cannot be loaded: {0}")]
    LookModel(String),
    /// The list of concepts or their vectors cannot be used.
    #[error("the look model's concepts cannot be used: {0}")]
    Concepts(String),
    /// A folder with an exported model lacks a file.
    #[error("{} has no {name}", folder.display())]
    ClipFile {
        /// Path of the export's folder.
        folder: PathBuf,
        /// Name of the missing file.
        name: &'static str,
    },
    /// A file beside an exported model does not say what is needed, or says what is not supported.
    #[error("{} cannot be used: {reason}", path.display())]
    ClipSetting {
        /// Path of the JSON file.
        path: PathBuf,
        /// The setting that is wrong, by name, and why.
        reason: String,
    },
    /// An exported model cannot be run, or is not of the form that its settings promise.
    #[error("{} is not the model that is needed: {reason}", path.display())]
    ClipModel {
        /// Path of the model's file.
        path: PathBuf,
        /// The reason, as a sentence.
        reason: String,
    },
    /// Bytes that are no picture of this size.
    #[error("a picture of {width} by {height} pixels needs {}, not {bytes} bytes of RGB", needed(*width, *height))]
    Picture {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Number of bytes given.
        bytes: usize,
    },
    /// The bytes are not a tokenizer.
    #[error("the tokenizer cannot be loaded: {0}")]
    Tokenizer(String),
    /// The tokenizer refused a text.
    #[error("a text cannot be split into tokens: {0}")]
    Tokenize(String),
    /// A model failed while it ran.
    #[error("the model failed: {0}")]
    Inference(String),
    /// A remote embedder answered for some of what it was asked, and refused or failed the rest.
    #[error("{failed} of {asked} could not be embedded: {reason}")]
    Incomplete {
        /// Number of texts or pictures without a vector.
        failed: usize,
        /// Number of texts or pictures asked for.
        asked: usize,
        /// The first reason that was given.
        reason: String,
    },
    /// A remote embedder can't be asked now.
    #[error("the embedder does not answer: {reason}")]
    Remote {
        /// Which of the reasons there can be.
        cause: NoAnswer,
        /// The reason in plain words.
        reason: String,
    },
    /// There are no numbers to make a vector of.
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
        /// Dimensions of the first vector.
        left: usize,
        /// Dimensions of the second vector.
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
        /// The calibration's name.
        name: String,
        /// The rule that its knots break.
        reason: String,
    },
    /// Sample pairs from which no calibration can be fitted.
    #[error("no calibration can be fitted: {0}")]
    Fit(String),
}

/// The bytes that a picture of this size needs, in words.
fn needed(width: u32, height: u32) -> String {
    match u64::from(width) * u64::from(height) {
        0 => "at least one pixel".to_owned(),
        pixels => (u128::from(pixels) * 3).to_string(),
    }
}

atelier_engine::error_codes! {
    EmbedError {
        Self::ModelFile { .. } => "model-file-unreadable", "Check that the file exists and may be read.";
        Self::Model(_) => "model-invalid",
            "Use model-int8.onnx and tokenizer.json from assets/models/minilm, both from the same release.";
        Self::LookModel(_) => "look-model-invalid",
            "Use model-int8.onnx, concepts.txt and vectors.bin from assets/models/efficientnet-lite0, all from the same release.";
        Self::Concepts(_) => "concepts-invalid",
            "Use model-int8.onnx, concepts.txt and vectors.bin from assets/models/efficientnet-lite0, all from the same release.";
        Self::ClipFile { .. } => "clip-file-missing",
            "Put config.json, preprocessor_config.json, tokenizer.json, vision_model.onnx and text_model.onnx of one export into the folder; the models may lie in a folder onnx within it.";
        Self::ClipSetting { .. } => "clip-setting-invalid",
            "Take the file from the same export as the models, unchanged.";
        Self::ClipModel { .. } => "clip-model-invalid",
            "Export vision and text model separately, in ONNX and f32, as the onnx-community does for CLIP and SigLIP.";
        Self::Picture { .. } => "picture-invalid", "Give three bytes a pixel, row by row, and at least one pixel.";
        Self::Tokenizer(_) => "tokenizer-invalid",
            "Use model-int8.onnx and tokenizer.json from assets/models/minilm, both from the same release.";
        Self::Tokenize(_) => "text-not-tokenized",
            "Report this text or picture as a bug; until then, remove it from the input.";
        Self::Inference(_) => "inference-failed",
            "Report this text or picture as a bug; until then, remove it from the input.";
        Self::Incomplete { .. } => "embedding-incomplete",
            "Run it again: what was embedded is kept, and not paid for again.";
        Self::EmptyVector => "vector-empty",
            "The embedder gave an unusable vector: embed the text again, or choose another embedder.";
        Self::ZeroVector => "vector-zero",
            "The embedder gave an unusable vector: embed the text again, or choose another embedder.";
        Self::NotFinite { .. } => "vector-not-finite",
            "The embedder gave an unusable vector: embed the text again, or choose another embedder.";
        Self::DimensionsDiffer { .. } => "vector-dimensions-differ",
            "The vectors come from different embedders: embed both texts with the same one.";
        Self::VectorBytes(_) => "vector-damaged", "Delete the stored vector; the text is then embedded again.";
        Self::EmbedderId(_) => "embedder-id-invalid", "Write it like minilm-l6-v2-int8/1.";
        Self::Calibration { .. } => "calibration-invalid",
            "Give at least two knots, with rising cosines from -1 to 1 and similarities from 0 to 1 that never fall.";
        Self::Fit(_) => "calibration-not-fitted",
            "Give several sample pairs of every grade whose cosines rise with the grade.";
    }
    else {
        Self::Remote { cause, .. } => cause;
    }
}

/// Why a remote embedder did not answer, or not for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// Its limit for the day is used up.
    Parked,
    /// The budget is.
    OverBudget,
    /// Somebody stopped it.
    Interrupted,
    /// Nobody waits so long for a query.
    Slow,
    /// It can't be asked at all, for want of a key.
    Absent,
    /// Its pools were closed by this fault.
    Fault(FaultKind),
    /// What it was asked, or answered, could not be kept.
    Journal(JournalError),
}

atelier_engine::error_codes! {
    NoAnswer {
        Self::Parked => "parked", "Wait until the limit resets and run it again: what was embedded is kept.";
        Self::OverBudget => "over-budget", "Raise the budget and run it again: what was embedded is kept.";
        Self::Interrupted => "interrupted", "Run it again: what was embedded is kept.";
        Self::Slow => "embedder-slow", "Try again, or choose a local embedder.";
        Self::Absent => "embedder-absent", "Set the key of the embedder, or choose a local one.";
    }
    else {
        Self::Fault(fault) => fault;
        Self::Journal(error) => error;
    }
}
