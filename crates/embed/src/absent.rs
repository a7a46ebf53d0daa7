//! An embedder that can't be asked.

use crate::{Calibration, EmbedError, EmbedderId, Look, LookEmbedder, Picture, TextEmbedder, Vector};

/// Stands for a remote embedder that can't be asked now, as where its key is missing: images keep the vectors that they
/// have of it, and whatever else is asked says why there is no answer.
#[derive(Clone, Debug)]
pub struct Absent {
    /// Whose place it takes.
    pub id: EmbedderId,
    /// How many numbers that one's vectors have.
    pub dimensions: usize,
    /// That one's calibration.
    pub calibration: Calibration,
    /// A stable name for the reason.
    pub code: &'static str,
    /// The reason.
    pub reason: String,
}

impl Absent {
    fn refuse<T>(&self) -> Result<T, EmbedError> {
        Err(EmbedError::Remote { code: self.code, reason: self.reason.clone() })
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
