//! Embedders: text to vectors, and the calibration of their cosines.
//!
//! - [`TextEmbedder`] is what a local text model offers; [`MiniLm`] is the one that ships with Atelier.
//! - [`EmbedderId`], [`Vector`] and [`Calibration`] know nothing of any model, so that vectors from a remote
//!   embedder are stored, compared and explained in the same way.
//! - [`fit`] derives a calibration from graded sample pairs.
//!
//! Nothing here opens a connection or reads a file, but for a model given as [`ModelBytes::File`].
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::num::NonZeroUsize;
//! use atelier_embed::{MiniLm, ModelBytes, TextEmbedder};
//!
//! let model = ModelBytes::File("assets/models/minilm/model-int8.onnx".into());
//! let tokenizer = std::fs::read("assets/models/minilm/tokenizer.json")?;
//! let embedder = MiniLm::load(model, &tokenizer, NonZeroUsize::MIN)?;
//!
//! let vectors = embedder.embed(&["A cat sleeps.".into(), "The kitten naps.".into()])?;
//! let cosine = vectors[0].cosine(&vectors[1])?;
//! let similarity = embedder.calibration().apply(cosine);
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]

mod calibration;
mod error;
pub mod fit;
mod id;
mod minilm;
mod vector;

pub use calibration::{Calibration, Knot};
pub use error::EmbedError;
pub use id::EmbedderId;
pub use minilm::{MAX_CHARACTERS, MAX_TOKENS, MiniLm, ModelBytes};
pub use vector::Vector;

/// A text model that runs in this process.
///
/// It is bound by the processor and blocks: callers in async code put [`embed`](Self::embed) on a thread for
/// blocking work. Two promises let callers cache vectors by (embedder id, text): the vector of a text depends
/// on that text alone, never on its neighbours in the call, and it changes only with the [`id`](Self::id).
pub trait TextEmbedder: Send + Sync {
    /// Which embedder, and which version of it: the key under which its vectors are stored.
    fn id(&self) -> &EmbedderId;

    /// How many numbers each vector has.
    fn dimensions(&self) -> usize;

    /// One vector for each text, in the order of the texts. An empty text has a vector too, though one that
    /// means nothing.
    ///
    /// # Errors
    /// [`EmbedError::Tokenize`] or [`EmbedError::Inference`] if the model refuses a text; no vector is
    /// returned then.
    fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError>;

    /// How this embedder's cosines map onto the scale on which thresholds are set.
    fn calibration(&self) -> &Calibration;
}
