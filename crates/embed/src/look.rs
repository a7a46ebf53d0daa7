//! The trait of models for pictures.

use crate::{Calibration, EmbedError, EmbedderId, Picture, Vector};

/// The look of a picture, as two vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// What the picture shows: compared with the vector of a query ([`LookEmbedder::query`]).
    pub meaning: Vector,
    /// How the picture looks: compared with the appearance of another picture.
    pub appearance: Vector,
}

/// A model for pictures that runs in this process, and the text encoder that goes with it.
///
/// It is bound by the processor and blocks, like [`TextEmbedder`](crate::TextEmbedder), and promises the same:
/// what it makes of a picture depends on that picture alone, and changes only with the [`id`](Self::id).
pub trait LookEmbedder: Send + Sync {
    /// Name and version: the key under which both vectors of a picture are stored.
    fn id(&self) -> &EmbedderId;

    /// Numbers in [`Look::meaning`] and in the vector of a query.
    fn meaning_dimensions(&self) -> usize;

    /// Numbers in [`Look::appearance`].
    fn appearance_dimensions(&self) -> usize;

    /// The look of each picture, in the order of the pictures.
    ///
    /// # Errors
    /// [`EmbedError::Inference`] if the model refuses a picture; no look is returned then.
    fn look(&self, pictures: &[Picture]) -> Result<Vec<Look>, EmbedError>;

    /// Name and version of the query's encoder: the key under which vectors of [`query`](Self::query) may be
    /// cached. They are compared with [`Look::meaning`] only.
    fn query_id(&self) -> &EmbedderId;

    /// One vector for each text, in the order of the texts.
    ///
    /// # Errors
    /// [`EmbedError::Tokenize`] or [`EmbedError::Inference`] if the model refuses a text; no vector is
    /// returned then.
    fn query(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError>;

    /// The curve from cosines between queries and meanings to the scale on which thresholds are set; none if
    /// it is not known, as for most exported models.
    fn calibration(&self) -> Option<&Calibration>;

    /// The number of pictures to pass at a time: 1 for a local model, more for a remote one, as each call takes time.
    fn batch(&self) -> usize {
        1
    }
}
