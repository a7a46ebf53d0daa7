//! Scores that were saved, to compare later ones with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Evaluation, Metric};
use crate::error::{SearchError, SearchResult};

/// The scores of an earlier run, as they are saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Number of queries that it was measured on.
    pub queries: usize,
    /// Of which queries: a checksum of them and their order.
    pub checksum: String,
    /// Mean of each metric over all queries.
    pub metrics: BTreeMap<Metric, f64>,
}

/// A run beside a baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The metrics that are worse.
    pub regressions: Vec<Regression>,
    /// The differences of all, above 0 where this run is better.
    pub differences: BTreeMap<Metric, f64>,
}

/// A metric that is worse than it was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Regression {
    /// The metric that is worse.
    pub metric: Metric,
    /// Mean in the baseline.
    pub was: f64,
    /// Mean in this run.
    pub is: f64,
}

impl Comparison {
    /// True if no metric is worse.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.regressions.is_empty()
    }
}

impl Baseline {
    /// The scores of a run, to be saved.
    #[must_use]
    pub fn of(evaluation: &Evaluation) -> Self {
        Self {
            queries: evaluation.queries.len(),
            checksum: checksum(evaluation),
            metrics: Metric::ALL.into_iter().map(|metric| (metric, evaluation.mean(metric))).collect(),
        }
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`SearchError::Baseline`] if it is of another form.
    pub fn from_json(json: &str) -> SearchResult<Self> {
        serde_json::from_str(json).map_err(|error| SearchError::Baseline(error.to_string()))
    }

    /// JSON, to be kept beside the queries.
    ///
    /// # Errors
    /// None with numbers as they are measured.
    pub fn to_json(&self) -> SearchResult<String> {
        serde_json::to_string_pretty(self).map_err(|error| SearchError::Baseline(error.to_string()))
    }

    /// Compares a run with it. A metric may be worse by `tolerance`, such as 0.001, before it counts.
    ///
    /// # Errors
    /// [`SearchError::Baseline`] if it was measured on other queries.
    pub fn compare(&self, evaluation: &Evaluation, tolerance: f64) -> SearchResult<Comparison> {
        if self.queries != evaluation.queries.len() || self.checksum != checksum(evaluation) {
            return Err(SearchError::Baseline(format!(
                "it was measured on {} other queries, not on these {}",
                self.queries,
                evaluation.queries.len()
            )));
        }
        let (mut regressions, mut differences) = (Vec::new(), BTreeMap::new());
        for (&metric, &was) in &self.metrics {
            let is = evaluation.mean(metric);
            differences.insert(metric, is - was);
            // A sum in another order may differ in its last bits.
            if is < was - tolerance - 1e-9 {
                regressions.push(Regression { metric, was, is });
            }
        }
        Ok(Comparison { regressions, differences })
    }
}

fn checksum(evaluation: &Evaluation) -> String {
    let mut sum = crc32fast::Hasher::new();
    for scores in &evaluation.queries {
        sum.update(scores.query.as_bytes());
        sum.update(b"\n");
    }
    format!("{:08x}", sum.finalize())
}

#[cfg(test)]
mod tests {
    use super::super::{Judged, evaluate};
    use super::*;

    fn run(ranked: &[&str]) -> Evaluation {
        let judged = |query: &str| Judged { query: query.into(), relevant: BTreeMap::from([("a".into(), 1.0)]) };
        let ranked: Vec<String> = ranked.iter().map(|&id| id.to_owned()).collect();
        evaluate(&[judged("one"), judged("two")], |_| Ok::<_, SearchError>(ranked.clone())).unwrap()
    }

    #[test]
    fn a_run_below_its_baseline_fails_and_says_where() {
        let saved = Baseline::of(&run(&["a"])).to_json().unwrap();
        let baseline = Baseline::from_json(&saved).unwrap();
        assert!(baseline.compare(&run(&["a", "b"]), 0.0).unwrap().passes());
        let worse = baseline.compare(&run(&["b", "a"]), 0.0).unwrap();
        let worse_in: Vec<Metric> = worse.regressions.iter().map(|regression| regression.metric).collect();
        assert_eq!(worse_in, [Metric::RecallAt1, Metric::ReciprocalRank, Metric::NdcgAt10]);
        assert!(baseline.compare(&run(&["b", "a"]), 1.0).unwrap().passes());
    }

    #[test]
    fn runs_on_other_queries_are_not_compared() {
        let mut other = run(&["a"]);
        other.queries[0].query = "three".into();
        assert_eq!(Baseline::of(&run(&["a"])).compare(&other, 0.0).unwrap_err().code(), "baseline-invalid");
    }

    #[test]
    fn metrics_are_saved_by_their_names() {
        let json = Baseline::of(&run(&["a"])).to_json().unwrap();
        assert!(Metric::ALL.iter().all(|metric| json.contains(&format!("\"{metric}\""))), "{json}");
        assert_eq!(Baseline::from_json("{}").unwrap_err().code(), "baseline-invalid");
    }
}
