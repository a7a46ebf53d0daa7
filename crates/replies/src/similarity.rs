//! Which topic a post fits, and which posts are the same.

use atelier_embed::{Calibration, Vector};
use serde::{Deserialize, Serialize};

use crate::error::RepliesError;
use crate::score::Relevance;

/// From this uncalibrated cosine on, two posts of a project count as the same.
pub const SAME_POST: f32 = 0.95;

/// The topic of a post: the node of a taxonomy that fits best, and how well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// Index of the node that fits best: the post's topic.
    pub best_node: usize,
    /// Cosine with it, as the embedder gave it.
    pub best_cosine: f32,
    /// Cosine with the node that fits second best, if there is one.
    pub second_cosine: Option<f32>,
    /// The term of the score, from the calibrated similarities.
    pub relevance: Relevance,
}

/// Compares a post with every node of a taxonomy. Of two nodes that fit equally well the first is the best.
///
/// # Errors
/// [`RepliesError::Embed`] if the vectors are of different spaces, or there is no node.
pub fn fit(post: &Vector, nodes: &[Vector], calibration: &Calibration) -> Result<Fit, RepliesError> {
    let mut best: Option<(usize, f32)> = None;
    let mut second: Option<f32> = None;
    for (index, node) in nodes.iter().enumerate() {
        let cosine = post.cosine(node)?;
        match best {
            Some((_, leader)) if cosine <= leader => second = Some(second.map_or(cosine, |s| s.max(cosine))),
            _ => {
                second = best.map(|(_, leader)| leader);
                best = Some((index, cosine));
            }
        }
    }
    let (best_node, best_cosine) = best.ok_or(atelier_embed::EmbedError::EmptyVector)?;
    let calibrated = |cosine| f64::from(calibration.apply(cosine));
    let relevance = Relevance::new(calibrated(best_cosine), second.map_or(0.0, calibrated));
    Ok(Fit { best_node, best_cosine, second_cosine: second, relevance })
}

/// A post that says the same as an earlier one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Duplicate {
    /// Index of the post in the list that was compared.
    pub post: usize,
    /// Id of the post that it repeats.
    pub of: String,
    /// Uncalibrated cosine of the two.
    pub cosine: f32,
}

/// The posts that repeat an earlier one of the list, or one that was answered before. A post that repeats
/// a duplicate repeats what that one repeats, if it is near enough to it.
///
/// # Errors
/// [`RepliesError::Embed`] if the vectors are of different spaces.
pub fn duplicates(posts: &[(&str, &Vector)], answered: &[(&str, &Vector)]) -> Result<Vec<Duplicate>, RepliesError> {
    let mut found = Vec::new();
    let mut kept: Vec<(&str, &Vector)> = Vec::new();
    for (index, (id, vector)) in posts.iter().enumerate() {
        let mut nearest: Option<(&str, f32)> = None;
        for (other, other_vector) in answered.iter().chain(&kept).filter(|(other, _)| other != id) {
            let cosine = vector.cosine(other_vector)?;
            if cosine >= SAME_POST && nearest.is_none_or(|(_, nearest)| cosine > nearest) {
                nearest = Some((other, cosine));
            }
        }
        match nearest {
            Some((of, cosine)) => found.push(Duplicate { post: index, of: of.to_owned(), cosine }),
            None => kept.push((id, vector)),
        }
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    /// A vector at so many degrees from the first axis.
    fn at(degrees: f32) -> Vector {
        Vector::normalised(vec![degrees.to_radians().cos(), degrees.to_radians().sin()]).unwrap()
    }

    fn identity() -> Calibration {
        Calibration::identity("test/1")
    }

    #[test]
    fn the_best_node_is_the_topic_and_the_second_is_subtracted() {
        let fit = fit(&at(0.0), &[at(60.0), at(10.0), at(30.0)], &identity()).unwrap();
        assert_eq!(fit.best_node, 1);
        assert!((fit.best_cosine - 0.984_807_8).abs() < 1e-6);
        assert!((fit.second_cosine.unwrap() - 0.866_025_4).abs() < 1e-6);
        assert!((fit.relevance.value - (0.8 * 0.984_807_8 + 0.2 * (0.984_807_8 - 0.866_025_4))).abs() < 1e-6);
    }

    #[test]
    fn with_one_node_the_second_is_zero() {
        let fit = fit(&at(0.0), &[at(60.0)], &identity()).unwrap();
        assert_eq!((fit.second_cosine, fit.relevance.second), (None, 0.0));
        assert!((fit.relevance.value - 0.5).abs() < 1e-6);
    }

    #[test]
    fn of_equal_nodes_the_first_is_the_topic() {
        let fit = fit(&at(0.0), &[at(20.0), at(20.0)], &identity()).unwrap();
        assert_eq!((fit.best_node, fit.relevance.margin), (0, 0.0));
    }

    #[test]
    fn cosines_are_calibrated_before_they_count() {
        let knots = vec![
            atelier_embed::Knot { cosine: 0.0, similarity: 0.0 },
            atelier_embed::Knot { cosine: 0.5, similarity: 0.8 },
        ];
        let calibration = Calibration::new("steep/1", knots).unwrap();
        let fit = fit(&at(0.0), &[at(60.0), at(95.0)], &calibration).unwrap();
        assert!((fit.relevance.best - 0.8).abs() < 1e-5);
        assert!((fit.best_cosine - 0.5).abs() < 1e-6, "the cosine itself is kept as it was");
        assert_eq!(fit.relevance.second, 0.0);
    }

    #[test]
    fn a_post_that_repeats_an_earlier_one_is_a_duplicate() {
        let (a, b, c) = (at(0.0), at(10.0), at(40.0));
        let found = duplicates(&[("a", &a), ("b", &b), ("c", &c)], &[]).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].post, &*found[0].of), (1, "a"));
    }

    #[test]
    fn a_post_that_repeats_one_answered_before_is_a_duplicate() {
        let (a, old) = (at(0.0), at(5.0));
        let found = duplicates(&[("a", &a)], &[("old", &old)]).unwrap();
        assert_eq!((found[0].post, &*found[0].of), (0, "old"));
    }

    #[test]
    fn a_chain_of_posts_each_near_the_next_is_not_all_one_post() {
        let chain: Vec<Vector> = [0.0, 15.0, 30.0, 45.0].map(at).to_vec();
        let named: Vec<(&str, &Vector)> = ["a", "b", "c", "d"].into_iter().zip(&chain).collect();
        let found: Vec<usize> = duplicates(&named, &[]).unwrap().iter().map(|duplicate| duplicate.post).collect();
        assert_eq!(found, [1, 3], "c is near b only, which is left out, and stands for itself");
    }

    #[test]
    fn the_line_is_drawn_at_a_cosine_of_0_95() {
        let (a, near, far) = (at(0.0), at(18.19), at(18.20));
        assert_eq!(duplicates(&[("a", &a), ("near", &near)], &[]).unwrap().len(), 1);
        assert_eq!(duplicates(&[("a", &a), ("far", &far)], &[]).unwrap().len(), 0);
    }
}
