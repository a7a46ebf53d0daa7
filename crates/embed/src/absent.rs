//! A placeholder for an embedder that can't be asked.

use crate::{Calibration, EmbedError, EmbedderId, Look, LookEmbedder, NoAnswer, Picture, TextEmbedder, Vector};

/// Stands in for a remote embedder that can't be asked, for example because its key is missing.
///
/// It has that embedder's id and dimensions, so that vectors that were stored under the id are still found and
/// searched. Every call fails with the reason.
#[derive(Clone, Debug)]
pub struct Absent {
    /// Id of the embedder that it stands in for.
    pub id: EmbedderId,
    /// Numbers in each of that embedder's vectors.
    pub dimensions: usize,
    /// Calibration of that embedder.
    pub calibration: Calibration,
    /// The reason.
    pub reason: String,
}

impl Absent {
    fn refuse<T>(&self) -> Result<T, EmbedError> {
        Err(EmbedError::Remote { cause: NoAnswer::Absent, reason: self.reason.clone() })
    }
}

impl TextEmbedder for Absent {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn embed(&self, _texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        self.refuse()
    }

    fn calibration(&self) -> &Calibration {
        &self.calibration
    }
}

impl LookEmbedder for Absent {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn meaning_dimensions(&self) -> usize {
        self.dimensions
    }

    fn appearance_dimensions(&self) -> usize {
        self.dimensions
    }

    fn look(&self, _pictures: &[Picture]) -> Result<Vec<Look>, EmbedError> {
        self.refuse()
    }

    fn query_id(&self) -> &EmbedderId {
        &self.id
    }

    fn query(&self, _texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        self.refuse()
    }

    fn calibration(&self) -> Option<&Calibration> {
        None
    }
}
