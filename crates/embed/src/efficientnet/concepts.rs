//! Texts and pictures in one space: how much of each concept there is.

use super::list::{CLASSES, ConceptList};
use crate::model::failed;
use crate::{EmbedError, EmbedderId, Vector};

/// By what the logits are divided before they become probabilities. The model was trained to be sure of
/// itself on photos of its classes; what it thinks second and third is what finds anything else.
const TEMPERATURE: f32 = 2.5;

/// Slope of a concept's share of a query over the cosine of their texts: the share grows with exp(20 · cosine).
const STEEPNESS: f32 = 20.0;

/// The most concepts of a query: with more, vague queries would find vague pictures.
const MOST: usize = 20;

/// The cosine at which a concept counts as much as "none of these".
const NONE_AT: f32 = 0.6;

/// The space of concepts: a number for each, and one for "none of these".
///
/// # Why
/// The sum of the class names' vectors, each times its probability, lies in the text encoder's space, where a
/// query could be compared with it at once. But there all sums lie near each other, and a query's cosine with
/// each is a sum over a thousand classes, most of which have nothing to do with it. So a query is first asked
/// which concepts it means, and is then compared with what the picture shows of these.
///
/// # How
/// - A picture has the model's probabilities at a temperature of 2.5, and for each broader concept the sum over
///   the classes below it. Of each counts what goes beyond its share of an even spread, so that a picture of
///   which the model knows nothing is not two fifths an animal. The square roots, scaled to length 1, are its
///   vector.
/// - A text's nearness to a concept is the greatest cosine with any of its names. The 20 nearest have shares
///   in proportion to exp(20 · nearness), beside exp(20 · 0.6) for "none of these"; together they are 1, and
///   their square roots are its vector.
///
/// The cosine of the two is a Bhattacharyya coefficient, the overlap of two distributions: 0 if the picture
/// shows nothing that the text may mean. No picture is "none of these", so what no concept is near to finds
/// nothing.
pub(super) struct Concepts {
    list: ConceptList,
    /// The names' vectors, one after the other.
    vectors: Box<[f32]>,
    dimensions: usize,
    /// The share of each concept when all classes are equally probable.
    even: Box<[f32]>,
}

impl Concepts {
    /// Reads the list and the vectors of its names, which `embedder` must have made.
    pub(super) fn load(
        list: &str,
        vectors: &[u8],
        embedder: &EmbedderId,
        dimensions: usize,
    ) -> Result<Self, EmbedError> {
        let list = ConceptList::read(list)?;
        let vectors = list.decode(embedder, dimensions, vectors)?;
        let even = with_broader(vec![1.0 / CLASSES as f32; CLASSES], &list).into_boxed_slice();
        Ok(Self { list, vectors, dimensions, even })
    }

    /// Numbers in a vector of this space.
    pub(super) fn dimensions(&self) -> usize {
        self.list.count() + 1
    }

    /// The vector of a picture for which the model gave these logits, one a class.
    pub(super) fn of_logits(&self, logits: &[f32]) -> Result<Vector, EmbedError> {
        if logits.len() != CLASSES {
            return Err(failed(format!("it gave {} logits, not {CLASSES}", logits.len())));
        }
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f32> = logits.iter().map(|logit| ((logit - largest) / TEMPERATURE).exp()).collect();
        let total: f32 = weights.iter().sum();
        let shares = with_broader(weights.iter().map(|weight| weight / total).collect(), &self.list);
        let beyond = shares.iter().zip(&self.even).map(|(share, even)| ((share - even) / (1.0 - even)).max(0.0));
        Vector::normalised(beyond.map(f32::sqrt).chain([0.0]).collect())
    }

    /// The vector of a text that has this one in the encoder's space.
    pub(super) fn of_text(&self, text: &Vector) -> Result<Vector, EmbedError> {
        if text.dimensions() != self.dimensions {
            return Err(EmbedError::DimensionsDiffer { left: text.dimensions(), right: self.dimensions });
        }
        let mut nearest: Vec<(usize, f32)> = self.nearness(text.as_slice()).into_iter().enumerate().collect();
        nearest.select_nth_unstable_by(MOST - 1, |(_, a), (_, b)| b.total_cmp(a));
        let mut shares = vec![0.0; self.dimensions()];
        for &(concept, nearness) in &nearest[..MOST] {
            shares[concept] = (STEEPNESS * (nearness - NONE_AT)).exp();
        }
        if let Some(none) = shares.last_mut() {
            *none = 1.0;
        }
        Vector::normalised(shares.into_iter().map(f32::sqrt).collect())
    }

    /// Of each concept, the greatest cosine of the text with one of its names.
    fn nearness(&self, text: &[f32]) -> Vec<f32> {
        let cosines: Vec<f32> = self.vectors.chunks_exact(self.dimensions).map(|name| dot(name, text)).collect();
        let names = self.list.starts().windows(2).map(|ends| &cosines[ends[0]..ends[1]]);
        names.map(|cosines| cosines.iter().copied().fold(-1.0, f32::max)).collect()
    }
}

/// The classes' shares, and after them those of the broader concepts.
fn with_broader(mut shares: Vec<f32>, list: &ConceptList) -> Vec<f32> {
    shares.resize(list.count(), 0.0);
    let (classes, broader) = shares.split_at_mut(CLASSES);
    for (share, above) in classes.iter().zip(list.above()) {
        for &place in above {
            broader[place] += share;
        }
    }
    shares
}

/// The dot product, in eight sums so that it can be done eight at a time.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (lefts, left) = left.as_chunks::<8>();
    let (rights, right) = right.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (left, right) in lefts.iter().zip(rights) {
        for lane in 0..8 {
            sums[lane] += left[lane] * right[lane];
        }
    }
    sums.iter().sum::<f32>() + left.iter().zip(right).map(|(a, b)| a * b).sum::<f32>()
}
