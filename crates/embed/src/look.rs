//! What a model for pictures offers.

use crate::{Calibration, EmbedError, EmbedderId, Picture, Vector};

/// What the look of a picture is worth, as two directions.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// What it shows, to compare with the vector of a query ([`LookEmbedder::query`]).
    pub meaning: Vector,
    /// How it looks, to compare with that of another picture.
    pub appearance: Vector,
}

/// A model for pictures that runs in this process, and the text encoder that goes with it.
///
/// It is bound by the processor and blocks, like [`TextEmbedder`](crate::TextEmbedder), and promises the same:
/// what it makes of a picture depends on that picture alone, and changes only with the [`id`](Self::id).
pub trait LookEmbedder: Send + Sync {
    /// Whose looks these are: the key under which both vectors of a picture are stored.
    fn id(&self) -> &EmbedderId;

    /// How many numbers [`Look::meaning`] and the vector of a query have.
    fn meaning_dimensions(&self) -> usize;

    /// How many numbers [`Look::appearance`] has.
    fn appearance_dimensions(&self) -> usize;

    /// The look of each picture, in the order of the pictures.
    ///
    /// # Errors
    /// [`EmbedError::Inference`] if the model refuses a picture; no look is returned then.
    fn look(&self, pictures: &[Picture]) -> Result<Vec<Look>, EmbedError>;

    /// Whose vectors [`query`](Self::query) gives: the key under which they may be cached. They are compared
    /// with [`Look::meaning`], and with nothing else.
    fn query_id(&self) -> &EmbedderId;

    /// One vector for each text, in the order of the texts.
    ///
    /// # Errors
    /// [`EmbedError::Tokenize`] or [`EmbedError::Inference`] if the model refuses a text; no vector is
    /// returned then.
    fn query(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError>;

    /// How cosines between queries and meanings map onto the scale on which thresholds are set, if that is
    /// known: of a model that came from elsewhere it may not be.
    fn calibration(&self) -> Option<&Calibration>;

    /// How many pictures it wants at a time, for what it costs to ask: one that answers from afar wants many.
    fn batch(&self) -> usize {
        1
    }
}
