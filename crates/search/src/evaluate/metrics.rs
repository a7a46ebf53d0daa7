//! The metrics of one query.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::judged::Judged;

/// A measure of how well one query is answered, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Metric {
    /// Share of the relevant images that stand first: at most 1 of them.
    #[serde(rename = "recall@1")]
    RecallAt1,
    /// Share of the relevant images among the first 5.
    #[serde(rename = "recall@5")]
    RecallAt5,
    /// Share of the relevant images among the first 10.
    #[serde(rename = "recall@10")]
    RecallAt10,
    /// 1 if any relevant image is among the first 10, else 0.
    #[serde(rename = "success@10")]
    SuccessAt10,
    /// One divided by the rank of the first relevant image, 0 if none is found; its mean is the MRR.
    #[serde(rename = "mrr")]
    ReciprocalRank,
    /// Normalised discounted cumulative gain of the first 10: each gains `2^grade - 1`, divided by
    /// `log2(1 + rank)`, as a share of what the best order would gain (K. Järvelin and J. Kekäläinen, 2002;
    /// C. Burges et al., 2005).
    #[serde(rename = "ndcg@10")]
    NdcgAt10,
}

impl Metric {
    /// All metrics, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::RecallAt1, Self::RecallAt5, Self::RecallAt10, Self::SuccessAt10, Self::ReciprocalRank, Self::NdcgAt10];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RecallAt1 => "recall@1",
            Self::RecallAt5 => "recall@5",
            Self::RecallAt10 => "recall@10",
            Self::SuccessAt10 => "success@10",
            Self::ReciprocalRank => "mrr",
            Self::NdcgAt10 => "ndcg@10",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The scores of one query, each from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryScores {
    /// The query's words.
    pub query: String,
    /// Score by [`Metric::RecallAt1`].
    pub recall_at_1: f64,
    /// Score by [`Metric::RecallAt5`].
    pub recall_at_5: f64,
    /// Score by [`Metric::RecallAt10`].
    pub recall_at_10: f64,
    /// Score by [`Metric::SuccessAt10`].
    pub success_at_10: f64,
    /// Score by [`Metric::ReciprocalRank`].
    pub reciprocal_rank: f64,
    /// Score by [`Metric::NdcgAt10`].
    pub ndcg_at_10: f64,
}

impl QueryScores {
    /// The scores of what was found for a query, the best first. An image that is found twice counts once.
    #[must_use]
    pub fn of(judged: &Judged, found: &[String]) -> Self {
        let mut grades: Vec<f64> = Vec::with_capacity(found.len());
        for (place, id) in found.iter().enumerate() {
            let again = found[..place].contains(id);
            grades.push(judged.relevant.get(id).copied().filter(|_| !again).unwrap_or(0.0));
        }
        let recall = |depth: usize| {
            let hits = grades.iter().take(depth).filter(|grade| **grade > 0.0).count();
            hits as f64 / judged.relevant.len().max(1) as f64
        };
        let first = grades.iter().position(|grade| *grade > 0.0);
        let mut best: Vec<f64> = judged.relevant.values().copied().collect();
        best.sort_unstable_by(|a, b| b.total_cmp(a));
        let ideal = gain(&best);
        Self {
            query: judged.query.clone(),
            recall_at_1: recall(1),
            recall_at_5: recall(5),
            recall_at_10: recall(10),
            success_at_10: f64::from(first.is_some_and(|place| place < 10)),
            reciprocal_rank: first.map_or(0.0, |place| 1.0 / (place + 1) as f64),
            ndcg_at_10: if ideal > 0.0 { gain(&grades) / ideal } else { 0.0 },
        }
    }

    /// The score by this metric.
    #[must_use]
    pub fn get(&self, metric: Metric) -> f64 {
        match metric {
            Metric::RecallAt1 => self.recall_at_1,
            Metric::RecallAt5 => self.recall_at_5,
            Metric::RecallAt10 => self.recall_at_10,
            Metric::SuccessAt10 => self.success_at_10,
            Metric::ReciprocalRank => self.reciprocal_rank,
            Metric::NdcgAt10 => self.ndcg_at_10,
        }
    }
}

/// Discounted cumulative gain of the first ten.
fn gain(grades: &[f64]) -> f64 {
    grades.iter().take(10).zip(2..).map(|(grade, rank)| (grade.exp2() - 1.0) / f64::from(rank).log2()).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn of(relevant: &[(&str, f64)], found: &[&str]) -> QueryScores {
        let relevant: BTreeMap<String, f64> = relevant.iter().map(|&(id, grade)| (id.to_owned(), grade)).collect();
        let found: Vec<String> = found.iter().map(|&id| id.to_owned()).collect();
        QueryScores::of(&Judged { query: "q".into(), relevant }, &found)
    }

    #[test]
    fn scores_are_those_worked_out_by_hand() {
        let scores = of(&[("a", 1.0), ("b", 1.0), ("c", 1.0), ("d", 1.0)], &["x", "a", "y", "b", "z", "c"]);
        assert_eq!((scores.recall_at_1, scores.recall_at_5, scores.recall_at_10), (0.0, 0.5, 0.75));
        assert_eq!((scores.success_at_10, scores.reciprocal_rank), (1.0, 0.5));
        let gained = 1.0 / 3.0_f64.log2() + 1.0 / 5.0_f64.log2() + 1.0 / 7.0_f64.log2();
        let ideal = 1.0 + 1.0 / 3.0_f64.log2() + 0.5 + 1.0 / 5.0_f64.log2();
        assert!((scores.ndcg_at_10 - gained / ideal).abs() < 1e-12);
    }

    #[test]
    fn a_better_grade_first_is_worth_more() {
        let relevant = [("good", 3.0), ("fair", 1.0)];
        assert_eq!(of(&relevant, &["good", "fair"]).ndcg_at_10, 1.0);
        let swapped = of(&relevant, &["fair", "good"]).ndcg_at_10;
        assert!((swapped - (1.0 + 7.0 / 3.0_f64.log2()) / (7.0 + 1.0 / 3.0_f64.log2())).abs() < 1e-12);
    }

    #[test]
    fn what_is_found_twice_counts_once() {
        assert_eq!(of(&[("a", 1.0)], &["a", "a", "a"]).ndcg_at_10, 1.0);
    }

    #[test]
    fn nothing_found_scores_nothing() {
        assert_eq!(of(&[("a", 1.0)], &[]).reciprocal_rank, 0.0);
    }
}
