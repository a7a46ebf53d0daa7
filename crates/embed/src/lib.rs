//! Embedders: texts and pictures to vectors, and the calibration of their cosines.
//!
//! - [`TextEmbedder`] is what a local text model offers; [`MiniLm`] is the one that ships with Atelier.
//! - [`LookEmbedder`] is what a model for pictures offers; [`EfficientNet`] is the one that ships with Atelier,
//!   [`Clip`] runs any CLIP or SigLIP that lies in a folder.
//! - [`EmbedTask`] asks a remote one, through the engine.
//! - [`EmbedderId`], [`Vector`] and [`Calibration`] know nothing of any model, so that vectors from a remote
//!   embedder are stored, compared and explained in the same way.
//! - [`fit`] derives a calibration from graded sample pairs.
//!
//! Nothing here opens a connection, decodes a picture or reads a file, but for a model given as
//! [`ModelBytes::File`] and the folder of a [`Clip`].
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
//!
//! ```no_run
//! # use std::{error::Error, sync::Arc};
//! # fn example(text: Arc<dyn atelier_embed::TextEmbedder>) -> Result<(), Box<dyn Error>> {
//! use std::num::NonZeroUsize;
//! use atelier_embed::{EfficientNet, EfficientNetFiles, LookEmbedder, ModelBytes, Picture};
//!
//! let files = EfficientNetFiles {
//!     model: ModelBytes::File("assets/models/efficientnet-lite0/model-int8.onnx".into()),
//!     concepts: &std::fs::read_to_string("assets/models/efficientnet-lite0/concepts.txt")?,
//!     vectors: &std::fs::read("assets/models/efficientnet-lite0/vectors.bin")?,
//! };
//! let embedder = EfficientNet::load(files, text, NonZeroUsize::MIN)?;
//!
//! let red = Picture::new(640, 480, [200, 10, 10].repeat(640 * 480))?;
//! let look = embedder.look(&[red])?.remove(0);
//! let query = embedder.query(&["a red wall".into()])?.remove(0);
//! let cosine = look.meaning.cosine(&query)?;
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]

mod absent;
mod calibration;
mod clip;
mod efficientnet;
mod error;
pub mod fit;
mod id;
mod look;
mod minilm;
mod model;
mod picture;
mod remote;
mod scale;
mod vector;
mod workers;

pub use absent::Absent;
pub use calibration::{Calibration, Knot};
pub use clip::Clip;
pub use efficientnet::{ConceptList, EfficientNet, EfficientNetFiles};
pub use error::{EmbedError, NoAnswer};
pub use id::EmbedderId;
pub use look::{Look, LookEmbedder};
pub use minilm::{MAX_CHARACTERS, MAX_TOKENS, MiniLm};
pub use model::ModelBytes;
pub use picture::Picture;
pub use remote::EmbedTask;
pub use scale::{PixelBytes, scaled};
pub use vector::Vector;

/// A text model that runs in this process.
///
/// It is bound by the processor and blocks: callers in async code put [`embed`](Self::embed) on a thread for
/// blocking work. Two promises let callers cache vectors by (embedder id, text): the vector of a text depends
/// on that text alone, never on its neighbours in the call, and it changes only with the [`id`](Self::id).
pub trait TextEmbedder: Send + Sync {
    /// Name and version: the key under which its vectors are stored.
    fn id(&self) -> &EmbedderId;

    /// Numbers in each vector.
    fn dimensions(&self) -> usize;

    /// One vector for each text, in the order of the texts. An empty text has a vector too, though one that
    /// means nothing.
    ///
    /// # Errors
    /// [`EmbedError::Tokenize`] or [`EmbedError::Inference`] if the model refuses a text; no vector is
    /// returned then.
    fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError>;

    /// The curve from this embedder's cosines to the scale on which thresholds are set.
    fn calibration(&self) -> &Calibration;

    /// Whether this is a word that the model has met often: no misspelling, however like another it looks. Never, where
    /// that can't be told.
    fn knows(&self, _word: &str) -> bool {
        false
    }

    /// The number of texts to pass at a time: 1 for a local model, more for a remote one, as each call takes time.
    fn batch(&self) -> usize {
        1
    }
}
