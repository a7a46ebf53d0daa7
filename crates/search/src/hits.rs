//! What was found, and why.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hits {
    /// How long the search took, without the embedding of the query. In JSON: `took_ms`.
    #[serde(rename = "took_ms", serialize_with = "milliseconds")]
    pub took: Duration,
    /// How many images passed filters and cut-offs. Each stage looks at its best few hundred only, so where
    /// many more match, this is how many were ranked.
    pub total: usize,
    /// The best first.
    pub hits: Vec<Hit>,
    /// How it came about, if the query asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<SearchExplanation>,
}

/// One image that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hit {
    /// The image's id.
    pub id: String,
    /// Its file's name.
    pub filename: String,
    /// From 0 to 1: 1 is the first rank in every stage that ran, with all the evidence there can be. It orders
    /// the hits of one answer.
    pub score: f32,
    /// What each stage found; a stage that did not run, or did not vouch for the image, is left out.
    pub stages: StageScores,
}

/// Rank and score of a hit in each stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
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

/// What one stage found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StageScore {
    /// Counted from 1, among the images that passed the stage's cut-off.
    pub rank: u32,
    /// On the stage's own scale.
    pub score: f32,
}

/// How an answer came about.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SearchExplanation {
    /// Images in the index.
    pub images: usize,
    /// Images that the filters left.
    pub filtered: usize,
    /// How the query's words were understood.
    pub words: Vec<WordExplanation>,
    /// What the stages did.
    pub stages: Vec<StageExplanation>,
}

/// How a word of the query was understood.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WordExplanation {
    /// The word, or the run of characters in a script that has no spaces.
    pub word: String,
    /// How informative it is: its inverse document frequency, capped.
    pub weight: f32,
    /// What was searched for.
    pub terms: Vec<TermExplanation>,
}

/// A term that stands for a word.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TermExplanation {
    /// As it is indexed.
    pub term: String,
    /// How it came to be one.
    #[serde(rename = "match")]
    pub matches: Match,
    /// Images that have it.
    pub images: u64,
}

/// How a term matches a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// It is the word.
    Exact,
    /// It begins with the word.
    Prefix,
    /// It is spelt nearly like the word.
    Typo,
}

/// What a stage did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageExplanation {
    /// Its name, as in [`StageScores`].
    pub stage: &'static str,
    /// What it counts for in the fusion.
    pub weight: f32,
    /// What a hit must reach (or, for colour, stay below).
    pub cut_off: f32,
    /// What the best image reached, on the scale of the cut-off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<f32>,
    /// How many images it ranked before the cut-off.
    pub ranked: usize,
    /// How many passed it.
    pub passed: usize,
    /// How many it compared one by one; for vectors only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scanned: Option<usize>,
}

/// Milliseconds, to a hundredth.
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
        let hits = Hits { took: Duration::from_micros(1234), total: 1, hits: vec![hit], explanation: None };
        assert_eq!(
            serde_json::to_string(&hits).unwrap(),
            r#"{"took_ms":1.23,"total":1,"hits":[{"id":"a","filename":"a.jpg","score":0.5,"stages":{"lexical":{"rank":1,"score":7.5}}}]}"#
        );
    }
}
