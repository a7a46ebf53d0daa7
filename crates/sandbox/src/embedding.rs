//! Vectors for texts, without a model: each word has a direction of its own, drawn from its hash, and a
//! text lies where its words sum up to. Texts that share words are near each other, and nothing else is.

use crate::hash::hash;

/// The dimensions of a vector when none are asked for.
pub(crate) const DIMENSIONS: usize = 3072;

/// The vector of `text`, cut to its first `dimensions` (at most 3072). With `normalised` it has length
/// 1; without, what is left of a vector that had length 1 before the cut.
pub(crate) fn embed(text: &str, dimensions: usize, normalised: bool) -> Vec<f32> {
    let dimensions = dimensions.clamp(1, DIMENSIONS);
    let length = if normalised { dimensions } else { DIMENSIONS };
    let mut sums = vec![0_f32; length];
    let lower = text.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    if words.peek().is_none() {
        // Only signs: the text as a whole is its one word.
        add(&mut sums, lower.trim());
    }
    for word in words {
        add(&mut sums, word);
    }
    let norm = sums.iter().map(|sum| sum * sum).sum::<f32>().sqrt();
    sums.truncate(dimensions);
    if norm > 0.0 {
        for sum in &mut sums {
            *sum /= norm;
        }
    }
    sums
}

/// Adds the direction of `word`: one bit of its hash for each dimension decides the sign.
fn add(sums: &mut [f32], word: &str) {
    let mut signs = fastrand::Rng::with_seed(hash(0, word.as_bytes()));
    for block in sums.chunks_mut(64) {
        let mut bits = signs.u64(..);
        for sum in block {
            *sum += if bits & 1 == 0 { -1.0 } else { 1.0 };
            bits >>= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(a: &str, b: &str) -> f32 {
        embed(a, 768, true).iter().zip(embed(b, 768, true)).map(|(a, b)| a * b).sum()
    }

    fn norm(vector: &[f32]) -> f32 {
        vector.iter().map(|value| value * value).sum::<f32>().sqrt()
    }

    #[test]
    fn texts_that_share_words_are_nearer_than_texts_that_do_not() {
        let near = cosine("a red boat on the lake", "the red boat in the lake");
        let far = cosine("a red boat on the lake", "quarterly tax filings explained");
        assert!(near > 0.5 && far.abs() < 0.2, "{near} {far}");
        assert!(cosine("Boat!", "boat") > 0.999);
    }

    #[test]
    fn a_cut_vector_has_length_one_only_where_it_is_normalised() {
        assert!((norm(&embed("one two three", 3072, false)) - 1.0).abs() < 1e-3);
        assert!((norm(&embed("one two three", 256, true)) - 1.0).abs() < 1e-3);
        assert!(norm(&embed("one two three", 256, false)) < 0.5);
    }

    #[test]
    fn a_text_without_words_has_a_vector_too() {
        assert!((norm(&embed("!!!", 128, true)) - 1.0).abs() < 1e-3);
    }
}
