//! Vectors for texts and pictures, without a model: each word has a direction, drawn from its hash, and a text is
//! the sum of its words. Texts that share words are near each other, and nothing else is. A picture is near the
//! names of its colours, and near pictures that have them in the same places.

use crate::hash::hash;
use crate::picture::Seen;

/// The dimensions of a vector when none are asked for.
pub(crate) const DIMENSIONS: usize = 3072;

/// The content that one vector stands for: texts, and pictures beside them.
#[derive(Debug, Default)]
pub(crate) struct VectorSource<'a> {
    pub(crate) texts: Vec<&'a str>,
    pub(crate) pictures: Vec<Seen>,
}

/// The weight of a colour in its place, where the colour's name has 1: a picture is nearer to the words for its
/// colours than to their arrangement.
const PLACE: f32 = 0.5;

/// The vector of `input`, cut to its first `dimensions` (at most 3072). With `normalised` it has length
/// 1; without, what is left of a vector that had length 1 before the cut.
pub(crate) fn embed(input: &VectorSource<'_>, dimensions: usize, normalised: bool) -> Vec<f32> {
    let dimensions = dimensions.clamp(1, DIMENSIONS);
    let length = if normalised { dimensions } else { DIMENSIONS };
    let mut sums = vec![0_f32; length];
    for text in &input.texts {
        let lower = text.to_lowercase();
        let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
        if words.peek().is_none() {
            // A text of signs alone counts as one word, so that it has a vector, too.
            add(&mut sums, lower.trim(), 1.0);
        }
        for word in words {
            add(&mut sums, word, 1.0);
        }
    }
    for (square, color) in input.pictures.iter().flat_map(Seen::colors) {
        add(&mut sums, color, 1.0);
        add(&mut sums, &format!("{color} at {square}"), PLACE);
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

/// Adds the direction of `word`, so long: one bit of its hash for each dimension decides the sign.
fn add(sums: &mut [f32], word: &str, length: f32) {
    let mut signs = fastrand::Rng::with_seed(hash(0, word.as_bytes()));
    for block in sums.chunks_mut(64) {
        let mut bits = signs.u64(..);
        for sum in block {
            *sum += if bits & 1 == 0 { -length } else { length };
            bits >>= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, dimensions: usize, normalised: bool) -> Vec<f32> {
        embed(&VectorSource { texts: vec![text], ..VectorSource::default() }, dimensions, normalised)
    }

    fn dot(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    fn cosine(a: &str, b: &str) -> f32 {
        dot(&text(a, 768, true), &text(b, 768, true))
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
        assert!((norm(&text("one two three", 3072, false)) - 1.0).abs() < 1e-3);
        assert!((norm(&text("one two three", 256, true)) - 1.0).abs() < 1e-3);
        assert!(norm(&text("one two three", 256, false)) < 0.5);
    }

    #[test]
    fn a_text_without_words_has_a_vector_too() {
        assert!((norm(&text("!!!", 128, true)) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_picture_lies_near_the_names_of_its_colours() {
        let picture = |squares: Vec<[u8; 3]>| {
            embed(&VectorSource { pictures: vec![Seen { squares }], ..VectorSource::default() }, 768, true)
        };
        let red = picture(vec![[250, 0, 0]; 16]);
        let other = picture(vec![[0, 0, 250]; 16]);
        assert!(dot(&red, &text("a red wall", 768, true)) > 0.3);
        assert!(dot(&red, &text("a blue wall", 768, true)).abs() < 0.15);
        assert!(dot(&red, &picture(vec![[240, 10, 10]; 16])) > 0.99 && dot(&red, &other).abs() < 0.15);
    }
}
