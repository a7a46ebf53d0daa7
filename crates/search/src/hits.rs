//! Hits and their explanation, in the form in which they are printed as JSON.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// The answer to a query.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Hits {
    /// Duration of the search, without the embedding of the query. In JSON: `took_ms`.
    #[serde(rename = "took_ms", serialize_with = "milliseconds")]
    pub took: Duration,
    /// Number of images that passed filters and cut-offs. Each stage ranks its best few hundred only, so where
    /// many more match, it is the number ranked.
    pub total: usize,
    /// The hits, best first.
    pub hits: Vec<Hit>,
    /// The nearest below the line: images that passed no cut-off, those that are nearest by meaning and look first, at
    /// most [`NEAREST`], and none where the hits are as many as were asked for. Their scores go on below those of hits.
    pub nearest: Vec<Hit>,
    /// How the answer came about, if the query asked to explain it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<SearchExplanation>,
}

/// The most images that stand below the line.
pub const NEAREST: usize = 10;

/// One image that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hit {
    /// Id of the image.
    pub id: String,
    /// Name of the image's file, without folders.
    pub filename: String,
    /// From 0 to 1: 1 is the first rank in every stage that ran, with all the evidence there can be. It orders
    /// the hits of one answer.
    pub score: f32,
    /// Rank and score in each stage; a stage that did not run, or whose cut-off it did not pass, is left out.
    pub stages: StageScores,
}

/// Rank and score of a hit in each stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct StageScores {
    /// By words; the score is BM25's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lexical: Option<StageScore>,
    /// By what words mean; the score is the cosine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<StageScore>,
    /// By what the look means; the score is the cosine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look: Option<StageScore>,
    /// By how it looks; the score is the cosine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appearance: Option<StageScore>,
    /// By colour; the score is 1 for the same colour and less by a hundredth for each unit of distance in
    /// CIELAB, 0 at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<StageScore>,
}

/// Rank and score of a hit in one stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct StageScore {
    /// Counted from 1, among the images that passed the stage's cut-off.
    pub rank: u32,
    /// On the stage's own scale.
    pub score: f32,
}

/// Explanation of an answer: filters, words and stages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SearchExplanation {
    /// Number of images in the index.
    pub images: usize,
    /// Images that the filters left.
    pub filtered: usize,
    /// The query's words, each with the terms searched for it.
    pub words: Vec<WordExplanation>,
    /// The stages that ran.
    pub stages: Vec<StageExplanation>,
}

/// A word of the query, with the terms searched for it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct WordExplanation {
    /// The word, or the run of characters in a script that has no spaces.
    pub word: String,
    /// Inverse document frequency, capped: rare words count more.
    pub weight: f32,
    /// The terms; none if the index has nothing like the word.
    pub terms: Vec<TermExplanation>,
}

/// A term searched for a word.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TermExplanation {
    /// The term as it is indexed: folded and in the singular.
    pub term: String,
    /// Relation of the term to the word.
    #[serde(rename = "match")]
    pub matches: Match,
    /// Number of images that have it.
    pub images: u64,
}

/// Relation of a term to a word of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// The term is the word.
    Exact,
    /// It begins with the word.
    Prefix,
    /// It is spelt nearly like the word.
    Typo,
}

/// Counts and scores of one stage.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct StageExplanation {
    /// Its name, as in [`StageScores`].
    pub stage: &'static str,
    /// Weight in the fusion.
    pub weight: f32,
    /// The cut-off: the lowest score of a hit or, for colour, the greatest distance.
    pub cut_off: f32,
    /// Best score (for colour: distance) of any image, on the scale of the cut-off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<f32>,
    /// Number of images ranked before the cut-off.
    pub ranked: usize,
    /// Number of images that passed the cut-off.
    pub passed: usize,
    /// Number of vectors that were compared; none in stages without vectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scanned: Option<usize>,
}

/// Milliseconds with two decimals.
fn milliseconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((took.as_secs_f64() * 100_000.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_names_what_ran_and_nothing_else() {
        let stages = StageScores { lexical: Some(StageScore { rank: 1, score: 7.5 }), ..StageScores::default() };
        let hit = Hit { id: "a".into(), filename: "a.jpg".into(), score: 0.5, stages };
        let hits = Hits {
            took: Duration::from_micros(1234),
            total: 1,
            hits: vec![hit],
            nearest: Vec::new(),
            explanation: None,
        };
        assert_eq!(
            serde_json::to_string(&hits).unwrap(),
            r#"{"took_ms":1.23,"total":1,"hits":[{"id":"a","filename":"a.jpg","score":0.5,"stages":{"lexical":{"rank":1,"score":7.5}}}],"nearest":[]}"#
        );
    }
}
