//! Calibration: from an embedder's cosines to one common scale.

use serde::{Deserialize, Serialize};

use crate::EmbedError;

/// One point of a calibration: this cosine means this similarity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knot {
    /// Cosine as the embedder gives it, from -1 to 1.
    pub cosine: f32,
    /// Similarity on the common scale, from 0 to 1.
    pub similarity: f32,
}

/// A monotone, piecewise linear curve from an embedder's cosines to similarities from 0 to 1.
///
/// # Why
/// Embedders differ in their cosines: for a post that fits its topic well, Gemini's gives 0.78 to 0.84,
/// MiniLM's about 0.5. Thresholds and weights are set once, on Gemini's scale (green from 0.72, yellow from
/// 0.55, of the weighted total), and each embedder carries the curve that brings its cosines there. Order is
/// never changed: a higher cosine never means a lower similarity.
///
/// # How
/// Between two knots the curve is the straight line; left of the first knot and right of the last it is
/// level. The name says which fit it is and is shown beside the score; it changes when a knot changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Calibration {
    name: String,
    knots: Box<[Knot]>,
}

/// The serialised form, not yet known to be monotone.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    name: String,
    knots: Vec<Knot>,
}

impl Calibration {
    /// A curve through these knots. `name` is for people, such as `minilm-l6-v2-int8/1`.
    ///
    /// # Errors
    /// [`EmbedError::Calibration`] unless there are at least two knots, cosines rise strictly within -1 to 1
    /// and similarities never fall within 0 to 1.
    pub fn new(name: impl Into<String>, knots: Vec<Knot>) -> Result<Self, EmbedError> {
        let name = name.into();
        match fault(&knots) {
            Some(reason) => Err(EmbedError::Calibration { name, reason: reason.to_owned() }),
            None => Ok(Self { name, knots: knots.into_boxed_slice() }),
        }
    }

    /// The curve of an embedder whose cosines are the common scale already; below 0 it is 0.
    #[must_use]
    pub fn identity(name: impl Into<String>) -> Self {
        let knots = [Knot { cosine: 0.0, similarity: 0.0 }, Knot { cosine: 1.0, similarity: 1.0 }];
        Self { name: name.into(), knots: Box::new(knots) }
    }

    /// The curve of Gemini's text embedders (gemini-embedding-001), whose scale is the common one.
    #[must_use]
    pub fn gemini() -> Self {
        Self::identity("gemini-identity/1")
    }

    /// The name of this fit, such as `minilm-l6-v2-int8/1`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The points that the curve goes through, by rising cosine.
    #[must_use]
    pub fn knots(&self) -> &[Knot] {
        &self.knots
    }

    /// The similarity that a cosine means, from 0 to 1. Not a number means 0.
    #[must_use]
    pub fn apply(&self, cosine: f32) -> f32 {
        let right = self.knots.partition_point(|knot| knot.cosine < cosine);
        let similarity = match (right.checked_sub(1).and_then(|left| self.knots.get(left)), self.knots.get(right)) {
            (Some(left), Some(right)) => {
                let share = (cosine - left.cosine) / (right.cosine - left.cosine);
                left.similarity + share * (right.similarity - left.similarity)
            }
            (None, Some(first)) if !cosine.is_nan() => first.similarity,
            (Some(last), None) => last.similarity,
            _ => 0.0,
        };
        similarity.clamp(0.0, 1.0)
    }

    /// The smallest cosine that means this similarity; none if no cosine means as much.
    #[must_use]
    pub fn cosine_of(&self, similarity: f32) -> Option<f32> {
        let right = self.knots.iter().position(|knot| knot.similarity >= similarity)?;
        let (right, left) = (self.knots[right], right.checked_sub(1).map(|left| self.knots[left]));
        Some(left.map_or(right.cosine, |left| {
            let share = (similarity - left.similarity) / (right.similarity - left.similarity);
            left.cosine + share * (right.cosine - left.cosine)
        }))
    }
}

/// Why these knots make no calibration, if they don't.
fn fault(knots: &[Knot]) -> Option<&'static str> {
    if knots.len() < 2 {
        return Some("it has fewer than two knots");
    }
    // Ranges hold no NaN, so both comparisons below are between numbers.
    if !knots.iter().all(|k| (-1.0..=1.0).contains(&k.cosine) && (0.0..=1.0).contains(&k.similarity)) {
        return Some("a knot lies outside cosines -1 to 1 or similarities 0 to 1");
    }
    if !knots.is_sorted_by(|a, b| a.cosine < b.cosine) {
        return Some("its cosines do not rise from knot to knot");
    }
    if !knots.is_sorted_by(|a, b| a.similarity <= b.similarity) {
        return Some("its similarities fall between two knots");
    }
    None
}

impl TryFrom<Unchecked> for Calibration {
    type Error = EmbedError;

    fn try_from(unchecked: Unchecked) -> Result<Self, EmbedError> {
        Self::new(unchecked.name, unchecked.knots)
    }
}

impl From<Calibration> for Unchecked {
    fn from(calibration: Calibration) -> Self {
        Self { name: calibration.name, knots: calibration.knots.into_vec() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn curve(points: &[(f32, f32)]) -> Result<Calibration, EmbedError> {
        let knots = points.iter().map(|&(cosine, similarity)| Knot { cosine, similarity }).collect();
        Calibration::new("test/1", knots)
    }

    #[test]
    fn a_cosine_between_two_knots_lies_on_the_line_between_them() {
        let curve = curve(&[(0.0, 0.4), (0.5, 0.8), (1.0, 1.0)]).unwrap();
        for (cosine, similarity) in [(0.0, 0.4), (0.25, 0.6), (0.5, 0.8), (0.75, 0.9), (1.0, 1.0)] {
            assert!((curve.apply(cosine) - similarity).abs() < 1e-6, "{cosine}");
        }
    }

    #[test]
    fn the_curve_is_level_outside_its_knots() {
        let curve = curve(&[(0.1, 0.3), (0.6, 0.9)]).unwrap();
        assert_eq!((curve.apply(-0.7), curve.apply(f32::NEG_INFINITY)), (0.3, 0.3));
        assert_eq!((curve.apply(0.95), curve.apply(f32::INFINITY)), (0.9, 0.9));
    }

    #[test]
    fn a_similarity_leads_back_to_the_smallest_cosine_that_means_it() {
        let curve = curve(&[(0.0, 0.4), (0.5, 0.8), (0.7, 0.8), (1.0, 0.9)]).unwrap();
        for (similarity, cosine) in [(0.1, 0.0), (0.4, 0.0), (0.6, 0.25), (0.8, 0.5), (0.85, 0.85), (0.9, 1.0)] {
            assert!((curve.cosine_of(similarity).unwrap() - cosine).abs() < 1e-6, "{similarity}");
        }
        assert_eq!(curve.cosine_of(0.95), None);
        assert_eq!(curve.cosine_of(f32::NAN), None);
    }

    #[test]
    fn what_is_no_number_is_not_similar_to_anything() {
        assert_eq!(Calibration::gemini().apply(f32::NAN), 0.0);
    }

    #[test]
    fn the_calibration_of_gemini_changes_nothing_but_negative_cosines() {
        let gemini = Calibration::gemini();
        for cosine in [0.0, 0.31, 0.55, 0.81, 1.0] {
            assert!((gemini.apply(cosine) - cosine).abs() < 1e-7);
        }
        assert_eq!(gemini.apply(-0.2), 0.0);
        assert_eq!(gemini.apply(1.0001), 1.0);
    }

    #[test]
    fn knots_that_are_not_monotone_are_refused() {
        let refused: [&[(f32, f32)]; 7] = [
            &[],
            &[(0.0, 0.0)],
            &[(0.0, 0.0), (0.0, 1.0)],
            &[(0.5, 0.0), (0.1, 1.0)],
            &[(0.0, 0.9), (1.0, 0.1)],
            &[(0.0, 0.0), (1.0, 1.5)],
            &[(0.0, f32::NAN), (1.0, 1.0)],
        ];
        for points in refused {
            assert_eq!(curve(points).unwrap_err().code(), "calibration-invalid", "{points:?}");
        }
    }

    #[test]
    fn json_is_checked_on_the_way_in() {
        let curve = curve(&[(0.0, 0.25), (1.0, 1.0)]).unwrap();
        let json = serde_json::to_string(&curve).unwrap();
        let text = r#"{"name":"test/1","knots":[{"cosine":0.0,"similarity":0.25},{"cosine":1.0,"similarity":1.0}]}"#;
        assert_eq!(json, text);
        assert_eq!(serde_json::from_str::<Calibration>(&json).unwrap(), curve);
        assert!(serde_json::from_str::<Calibration>(&json.replace("0.25", "2.5")).is_err());
    }

    proptest! {
        #[test]
        fn a_higher_cosine_never_means_less(
            mut cosines in prop::collection::vec(-1.0_f32..=1.0, 2..8),
            mut similarities in prop::collection::vec(0.0_f32..=1.0, 8),
            a in -1.5_f32..1.5,
            b in -1.5_f32..1.5,
        ) {
            cosines.sort_by(f32::total_cmp);
            cosines.dedup();
            prop_assume!(cosines.len() > 1);
            similarities.sort_by(f32::total_cmp);
            let points: Vec<_> = cosines.into_iter().zip(similarities).collect();
            let curve = curve(&points).unwrap();
            let (low, high) = (curve.apply(a.min(b)), curve.apply(a.max(b)));
            // Rounding on a segment may cost the last bit.
            prop_assert!(low <= high + 1e-6, "{low} {high}");
            prop_assert!((0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high));
        }
    }
}
