//! Quality of search, measured on judged queries, so that no change of ranking goes unmeasured.
//!
//! A file of judged queries has a line each: `{"query": "boats at dawn", "relevant": ["id1", "id2"]}`, or with
//! grades, `{"query": "...", "relevant": {"id1": 3, "id2": 1}}`.
//!
//! ```
//! use atelier_search::evaluate;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let queries = evaluate::read_queries(r#"{"query": "boats", "relevant": ["b", "c"]}"#.as_bytes())?;
//! let ranked = |_query: &evaluate::Judged| Ok::<_, atelier_search::SearchError>(vec!["a".to_owned(), "b".to_owned()]);
//! let evaluation = evaluate::evaluate(&queries, ranked)?;
//! assert_eq!(evaluation.mean(evaluate::Metric::ReciprocalRank), 0.5);
//! # Ok(()) }
//! ```

mod baseline;
mod cut_off;
mod judged;
mod metrics;

use std::collections::BTreeMap;

pub use baseline::{Baseline, Comparison, Regression};
pub use cut_off::{CutOff, cut_off};
pub use judged::{Judged, read_queries};
pub use metrics::{Metric, QueryScores};
use serde::Serialize;

use crate::error::{SearchError, SearchResult};

/// Number of resamples that a confidence interval is taken from.
const RESAMPLES: usize = 2000;

/// Seed of the resampling, fixed so that the same scores give the same interval.
const SEED: u64 = 20_061_103;

/// The scores of a search on judged queries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Of each query, in their order.
    pub queries: Vec<QueryScores>,
}

/// A mean with its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MeanEstimate {
    /// Mean over all queries.
    pub mean: f64,
    /// The lower end of the interval that holds the mean of other queries like these in 95 of 100 cases.
    pub low: f64,
    /// The upper end of that interval.
    pub high: f64,
}

/// Measures a search: `ranked` gives the ids found for a query, the best first. Ten are enough.
///
/// # Errors
/// Those of `ranked`.
pub fn evaluate<E>(
    queries: &[Judged],
    mut ranked: impl FnMut(&Judged) -> Result<Vec<String>, E>,
) -> Result<Evaluation, E> {
    let scores = queries.iter().map(|judged| Ok(QueryScores::of(judged, &ranked(judged)?)));
    Ok(Evaluation { queries: scores.collect::<Result<_, E>>()? })
}

impl Evaluation {
    /// A metric's mean over all queries; 0 without any.
    #[must_use]
    pub fn mean(&self, metric: Metric) -> f64 {
        mean(self.queries.iter().map(|scores| scores.get(metric)))
    }

    /// A metric's mean with its 95 % confidence interval: the percentiles of the means of as many queries,
    /// drawn with replacement 2,000 times from a fixed seed (bootstrap, B. Efron, 1979).
    #[must_use]
    pub fn estimate(&self, metric: Metric) -> MeanEstimate {
        let values: Vec<f64> = self.queries.iter().map(|scores| scores.get(metric)).collect();
        let (low, high) = interval(&values);
        MeanEstimate { mean: self.mean(metric), low, high }
    }

    /// Means of all metrics with their intervals.
    #[must_use]
    pub fn estimates(&self) -> BTreeMap<Metric, MeanEstimate> {
        Metric::ALL.into_iter().map(|metric| (metric, self.estimate(metric))).collect()
    }

    /// The gain of this search over another on the same queries: the mean difference with its 95 % interval,
    /// drawn by pairs. Above 0 throughout, it is better beyond chance.
    ///
    /// # Errors
    /// [`SearchError::Baseline`] if the other was measured on other queries.
    pub fn difference(&self, other: &Self, metric: Metric) -> SearchResult<MeanEstimate> {
        let same = self.queries.iter().map(|scores| &scores.query).eq(other.queries.iter().map(|scores| &scores.query));
        if !same {
            return Err(SearchError::Baseline("it was measured on other queries".into()));
        }
        let pairs = self.queries.iter().zip(&other.queries);
        let differences: Vec<f64> = pairs.map(|(own, other)| own.get(metric) - other.get(metric)).collect();
        let (low, high) = interval(&differences);
        Ok(MeanEstimate { mean: mean(differences.iter().copied()), low, high })
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len();
    if count == 0 { 0.0 } else { values.sum::<f64>() / count as f64 }
}

/// The 2.5th and 97.5th percentile of the means of resamples.
fn interval(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut draw = || mean((0..values.len()).map(|_| values[random.usize(..values.len())]));
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| draw()).collect();
    means.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| means[((RESAMPLES - 1) as f64 * share).round() as usize];
    (at(0.025), at(0.975))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(values: &[f64]) -> Evaluation {
        let query = |(number, &value): (usize, &f64)| QueryScores {
            query: number.to_string(),
            recall_at_1: value,
            recall_at_5: value,
            recall_at_10: value,
            success_at_10: value,
            reciprocal_rank: value,
            ndcg_at_10: value,
        };
        Evaluation { queries: values.iter().enumerate().map(query).collect() }
    }

    #[test]
    fn an_interval_holds_the_mean_and_is_the_same_each_time() {
        let evaluation = scores(&(0..100).map(|n| f64::from(n % 10) / 10.0).collect::<Vec<_>>());
        let estimate = evaluation.estimate(Metric::NdcgAt10);
        assert_eq!(estimate, evaluation.estimate(Metric::NdcgAt10));
        assert!((estimate.mean - 0.45).abs() < 1e-9);
        // The standard error is 0.287 / 10; the interval is about 1.96 of it to either side.
        assert!((estimate.low - 0.394).abs() < 0.01 && (estimate.high - 0.506).abs() < 0.01, "{estimate:?}");
    }

    #[test]
    fn a_difference_is_taken_by_pairs() {
        let worse: Vec<f64> = (0..50).map(|n| f64::from(n) / 100.0).collect();
        let better: Vec<f64> = worse.iter().map(|value| value + 0.1).collect();
        let difference = scores(&better).difference(&scores(&worse), Metric::NdcgAt10).unwrap();
        assert!((difference.low - 0.1).abs() < 1e-9 && (difference.high - 0.1).abs() < 1e-9, "{difference:?}");
        let other = scores(&better[1..]);
        assert_eq!(scores(&better).difference(&other, Metric::NdcgAt10).unwrap_err().code(), "baseline-invalid");
    }

    #[test]
    fn without_queries_everything_is_nought() {
        let estimate = scores(&[]).estimate(Metric::RecallAt10);
        assert_eq!((estimate.mean, estimate.low, estimate.high), (0.0, 0.0, 0.0));
    }
}
