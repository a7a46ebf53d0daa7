//! Fitting a calibration to graded sample pairs.
//!
//! # The scale
//! The common scale is that of the embedder for which weights and thresholds were first set: there a good match
//! of a post with its topic has 0.78 to 0.84. That range is read as the middle half of good matches. The other
//! two targets were chosen so that the weighted total does what its thresholds say (green 0.72, yellow 0.55).
//! With the default weights, velocity 0.7, openness 0.3 and an unknown author (0.6), the total is
//! 0.35·0.7 + 0.35·relevance + 0.20·0.3 + 0.10·0.6, where relevance = 0.8·best + 0.2·(best − second), and no
//! other topic fits (second = 0.40):
//!
//! | grade | target | relevance | total | label |
//! |---|---|---|---|---|
//! | same topic | 0.78 to 0.84 | 0.70 to 0.76 | 0.61 to 0.63 | yellow; green for an open question that spreads quickly |
//! | related | 0.62 | 0.54 | 0.55 | on the edge of yellow: something else must speak for the post |
//! | unrelated | 0.40 | 0.32 | 0.48 | red |
//!
//! # The fit: matching quantiles
//! The cosines of each grade are sorted, and a few of their quantiles are tied to targets ([`ANCHORS`]): the
//! median of unrelated pairs to 0.40, the median of related pairs to 0.62, the quartiles of same-topic pairs to
//! 0.78 and 0.84. Below, the first line is drawn on until it meets 0; above, the last point is (1, 1). Cosines
//! are rounded to hundredths: the samples support no more. Quantiles are taken rather than a regression of
//! targets on cosines because a regression pulls towards the mean, so that a typical good match would end below
//! the range it belongs in.

use serde::{Deserialize, Serialize};

use crate::{EmbedError, Knot};

/// A person's judgement of how well a post fits a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// The post is about another field altogether.
    Unrelated,
    /// A neighbouring subject, or the same words about something else.
    Related,
    /// The post is about the topic.
    Same,
}

/// One line of the sample pairs (`assets/calibration/pairs.jsonl`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamplePair {
    /// A topic as it is embedded: its description followed by three exemplars.
    pub topic: String,
    /// A post, as it is embedded.
    pub post: String,
    /// The judgement of the pair.
    pub grade: Grade,
}

/// A quantile of a grade's cosines, and the similarity it is tied to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Anchor {
    /// The grade whose cosines are taken.
    pub grade: Grade,
    /// Which quantile of them, from 0 to 1.
    pub quantile: f32,
    /// The similarity on the common scale, from 0 to 1.
    pub similarity: f32,
}

/// The anchors of the common scale, by rising similarity.
pub const ANCHORS: [Anchor; 4] = [
    Anchor { grade: Grade::Unrelated, quantile: 0.50, similarity: 0.40 },
    Anchor { grade: Grade::Related, quantile: 0.50, similarity: 0.62 },
    Anchor { grade: Grade::Same, quantile: 0.25, similarity: 0.78 },
    Anchor { grade: Grade::Same, quantile: 0.75, similarity: 0.84 },
];

/// Fewest pairs of a grade that a quantile is taken from.
const MIN_PAIRS: usize = 8;

/// Knots of the calibration of an embedder that gives these cosines to pairs of these grades.
///
/// # Errors
/// [`EmbedError::Fit`] if a grade has fewer than eight pairs, or if the cosines do not rise with the grade.
pub fn knots(graded: &[(Grade, f32)]) -> Result<Vec<Knot>, EmbedError> {
    let mut knots = Vec::with_capacity(ANCHORS.len() + 2);
    for anchor in ANCHORS {
        let mut cosines: Vec<f32> =
            graded.iter().filter(|(grade, _)| *grade == anchor.grade).map(|(_, cosine)| *cosine).collect();
        if cosines.len() < MIN_PAIRS {
            let (count, grade) = (cosines.len(), anchor.grade);
            return Err(EmbedError::Fit(format!("{count} pairs of grade {grade:?}, at least {MIN_PAIRS} needed")));
        }
        cosines.sort_by(f32::total_cmp);
        knots.push(Knot { cosine: hundredths(quantile(&cosines, anchor.quantile)), similarity: anchor.similarity });
    }
    // Not a plain `is_sorted`, so that a cosine that is not a number fails too.
    if !knots.is_sorted_by(|a, b| a.cosine < b.cosine) {
        return Err(EmbedError::Fit("the cosines of the sample pairs do not rise with their grade".to_owned()));
    }
    let slope = (knots[1].similarity - knots[0].similarity) / (knots[1].cosine - knots[0].cosine);
    let zero = hundredths(knots[0].cosine - knots[0].similarity / slope).max(-1.0);
    knots.insert(0, Knot { cosine: zero, similarity: 0.0 });
    knots.push(Knot { cosine: 1.0, similarity: 1.0 });
    Ok(knots)
}

/// The quantile of sorted numbers, interpolated between the two nearest (numpy's default, type 7 of Hyndman
/// and Fan, 1996). 0 of no numbers.
#[must_use]
pub fn quantile(sorted: &[f32], quantile: f32) -> f32 {
    let position = quantile.clamp(0.0, 1.0) * sorted.len().saturating_sub(1) as f32;
    let low = position.floor();
    let at = |index: f32| sorted.get(index as usize).copied().unwrap_or_default();
    at(low) + (position - low) * (at(position.ceil()) - at(low))
}

fn hundredths(number: f32) -> f32 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    /// Eleven cosines from `low` to `high`, evenly.
    fn spread(grade: Grade, low: f32, high: f32) -> impl Iterator<Item = (Grade, f32)> {
        (0..=10).map(move |i| (grade, low + (high - low) * i as f32 / 10.0))
    }

    #[test]
    fn the_quantiles_of_each_grade_meet_their_targets() {
        let graded: Vec<_> = spread(Grade::Same, 0.4, 0.8)
            .chain(spread(Grade::Unrelated, -0.1, 0.1))
            .chain(spread(Grade::Related, 0.0, 0.44))
            .collect();
        let expected = [(-0.40, 0.0), (0.0, 0.40), (0.22, 0.62), (0.5, 0.78), (0.7, 0.84), (1.0, 1.0)];
        let knots = knots(&graded).unwrap();
        assert_eq!(knots.len(), expected.len());
        for (knot, (cosine, similarity)) in knots.iter().zip(expected) {
            assert!((knot.cosine - cosine).abs() < 1e-5, "{knots:?}");
            assert!((knot.similarity - similarity).abs() < 1e-5, "{knots:?}");
        }
    }

    #[test]
    fn grades_that_the_embedder_cannot_tell_apart_are_an_error() {
        let graded: Vec<_> = [Grade::Same, Grade::Related, Grade::Unrelated]
            .into_iter()
            .flat_map(|grade| spread(grade, 0.1, 0.3))
            .collect();
        assert_eq!(knots(&graded).unwrap_err().code(), "calibration-not-fitted");
    }

    #[test]
    fn too_few_pairs_and_cosines_that_are_no_numbers_are_errors() {
        assert_eq!(knots(&[]).unwrap_err().code(), "calibration-not-fitted");
        let graded: Vec<_> = [Grade::Same, Grade::Related, Grade::Unrelated]
            .into_iter()
            .flat_map(|grade| spread(grade, f32::NAN, f32::NAN))
            .collect();
        assert_eq!(knots(&graded).unwrap_err().code(), "calibration-not-fitted");
    }

    #[test]
    fn a_quantile_lies_between_its_two_nearest_numbers() {
        let sorted = [1.0, 2.0, 4.0];
        for (q, expected) in [(0.0, 1.0), (0.25, 1.5), (0.5, 2.0), (0.75, 3.0), (1.0, 4.0)] {
            assert_eq!(quantile(&sorted, q), expected, "{q}");
        }
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
