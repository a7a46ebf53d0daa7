//! The optional last stage: a reranker that reads query and captions.

/// Ranks candidates by reading them, such as a cross-encoder or a language model does.
///
/// It sees the user's own words, as they were typed: not an expansion of them, and not what they were
/// corrected to. A reranker that scored an expansion would reward what the expansion has added.
pub trait Rerank {
    /// One score for each candidate, in their order; a higher one is better, and only the order counts. A
    /// candidate whose score is not a number comes last.
    fn rerank(&self, words: &str, candidates: &[Candidate]) -> Vec<f32>;
}

/// An image that a reranker may read.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// Its file's name.
    pub filename: String,
    /// Its caption.
    pub caption: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its score so far, as in [`Hit::score`](crate::Hit::score).
    pub score: f32,
}
