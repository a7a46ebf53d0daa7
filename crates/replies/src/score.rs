//! The score of a post: how much it deserves an answer, and why.
//!
//! ```text
//! velocity       = 1 / (1 + e^(-6x)),  x = (likes + 2 replies + 1.5 reposts) / max(1, minutes) / log10(max(100, followers))
//! relevance      = 0.8 best + 0.2 max(0, best - second)
//! openness       = min(1, 0.05 + 0.25 ends with "?" + 0.25 starts with a question word + 0.15 has a hedge)
//! author_quality = 0 blacklisted, 0.9 whitelisted, 0.6 otherwise
//! total          = weighted sum
//! ```
//! Every term is kept beside the total, so that a score can be explained and checked.

use std::fmt;
use std::str::FromStr;

use atelier_engine::Timestamp;
use atelier_store::Post;
use serde::{Deserialize, Serialize};

use crate::finder::{AuthorStanding, Finder, Thresholds, Weights};

/// A post's score with all its terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Engagement by age and reach.
    pub velocity: Velocity,
    /// Fit with the taxonomy.
    pub relevance: Relevance,
    /// Signs that it invites an answer.
    pub openness: Openness,
    /// The author's standing.
    pub author: AuthorQuality,
    /// The weighted sum, not scaled where the weights don't sum to 1.
    pub total: f64,
    /// Its colour under the project's thresholds.
    pub label: Label,
}

/// The pace at which a post gathers engagement, measured by its author's reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Velocity {
    /// Likes, twice the replies, and one and a half times the reposts.
    pub engagement: f64,
    /// Minutes since it was posted, fractions included, at least 1.
    pub minutes: f64,
    /// Decimal logarithm of its author's followers, at least of 100.
    pub reach: f64,
    /// Engagement by minutes and reach.
    pub x: f64,
    /// The term: 0.5 where there is no engagement, up to 1.
    pub value: f64,
}

impl Velocity {
    /// From the counts and the age in minutes.
    #[must_use]
    pub fn new(likes: u64, replies: u64, reposts: u64, minutes: f64, followers: u64) -> Self {
        let engagement = float(likes) + 2.0 * float(replies) + 1.5 * float(reposts);
        let minutes = minutes.max(1.0);
        let reach = float(followers.max(100)).log10();
        let x = engagement / minutes / reach;
        Self { engagement, minutes, reach, x, value: 1.0 / (1.0 + (-6.0 * x).exp()) }
    }
}

/// The fit of a post with the taxonomy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relevance {
    /// Similarity with the node that fits best, 0 to 1.
    pub best: f64,
    /// Similarity with the node that fits second best, 0 to 1; 0 where there is but one.
    pub second: f64,
    /// By how much the best is ahead.
    pub margin: f64,
    /// The term: 0.8 best + 0.2 margin.
    pub value: f64,
}

impl Relevance {
    /// From the similarities with the two nodes that fit best; negative ones count as 0.
    #[must_use]
    pub fn new(best: f64, second: f64) -> Self {
        let (best, second) = (best.clamp(0.0, 1.0), second.clamp(0.0, 1.0));
        let margin = (best - second).max(0.0);
        Self { best, second, margin, value: 0.8 * best + 0.2 * margin }
    }
}

/// The signs in a post's text that it invites an answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Openness {
    /// 0.05, which any post has.
    pub base: f64,
    /// 0.25 if it ends with a question mark, white space aside.
    pub question_mark: f64,
    /// 0.25 if its first word is a question word.
    pub question_word: f64,
    /// 0.15 if it has a hedge, once however many.
    pub hedge: f64,
    /// The term: their sum, at most 1.
    pub value: f64,
}

const QUESTION_WORDS: [&str; 8] = ["what", "why", "how", "when", "where", "who", "which", "whose"];
const HEDGES: [&str; 14] = [
    "maybe", "perhaps", "possibly", "might", "could", "seem", "seems", "appear", "appears", "probably", "wonder",
    "think", "feel", "believe",
];

impl Openness {
    /// Looks for the signs in a text. Words count whole, in capitals or not.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        // A question word behind a quotation mark is not at the start.
        let first = words(text).next();
        let starts = text.starts_with(is_word_character) && first.is_some_and(|word| QUESTION_WORDS.contains(&&*word));
        let hedges = words(text).any(|word| HEDGES.contains(&&*word));
        let base: f64 = 0.05;
        let question_mark = if text.ends_with('?') { 0.25 } else { 0.0 };
        let question_word = if starts { 0.25 } else { 0.0 };
        let hedge = if hedges { 0.15 } else { 0.0 };
        let value = (base + question_mark + question_word + hedge).min(1.0);
        Self { base, question_mark, question_word, hedge, value }
    }
}

/// The maximal runs of letters, digits and underscores, in small letters.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c| !is_word_character(c)).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The term for a post's author.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorQuality {
    /// The author's standing with the project.
    pub standing: AuthorStanding,
    /// The term: 0.9 whitelisted, 0.6 neutral, 0 blacklisted.
    pub value: f64,
}

impl AuthorQuality {
    /// The term for an author of this standing.
    #[must_use]
    pub fn new(standing: AuthorStanding) -> Self {
        let value = match standing {
            AuthorStanding::Blacklisted => 0.0,
            AuthorStanding::Whitelisted => 0.9,
            AuthorStanding::Neutral => 0.6,
        };
        Self { standing, value }
    }
}

/// The colour of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// From `green_min` on: to be answered.
    Green,
    /// From `yellow_min` on: worth a look.
    Yellow,
    /// Below both: to be left.
    Red,
}

impl Label {
    /// The colour of a total.
    #[must_use]
    pub fn of(total: f64, thresholds: &Thresholds) -> Self {
        if total >= thresholds.green_min {
            Self::Green
        } else if total >= thresholds.yellow_min {
            Self::Yellow
        } else {
            Self::Red
        }
    }

    /// Its name, as it is stored and exported.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Green, Self::Yellow, Self::Red]
            .into_iter()
            .find(|label| label.name() == text)
            .ok_or_else(|| format!("'{text}' is not a label; there are green, yellow and red"))
    }
}

/// The four terms' values, weighted and added up.
#[must_use]
pub fn total(weights: &Weights, velocity: f64, relevance: f64, openness: f64, author_quality: f64) -> f64 {
    weights.velocity * velocity
        + weights.relevance * relevance
        + weights.openness * openness
        + weights.author_quality * author_quality
}

/// The score of a post at the moment `now`. A post from the future counts as one minute old.
#[must_use]
pub fn score(finder: &Finder, post: &Post, relevance: Relevance, now: Timestamp) -> Score {
    let minutes = now.since(post.posted_at).as_secs_f64() / 60.0;
    let velocity = Velocity::new(post.likes, post.replies, post.reposts, minutes, post.followers);
    let openness = Openness::new(&post.text);
    let author = AuthorQuality::new(finder.sources.standing(&post.author));
    let total = total(&finder.weights, velocity.value, relevance.value, openness.value, author.value);
    Score { velocity, relevance, openness, author, total, label: Label::of(total, &finder.thresholds) }
}

/// Counts are far below 2^53 wherever they matter.
#[allow(clippy::cast_precision_loss)]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn velocity_starts_at_a_half_and_never_passes_one() {
        assert_eq!(Velocity::new(0, 0, 0, 0.0, 0).value, 0.5);
        assert_eq!(Velocity::new(u64::MAX, u64::MAX, u64::MAX, 0.0, 0).value, 1.0);
        assert!(Velocity::new(1, 0, 0, f64::MAX, u64::MAX).value >= 0.5);
    }

    #[test]
    fn a_word_that_only_begins_like_a_question_word_is_none() {
        assert_eq!(Openness::new("Whatever works").value, 0.05);
        assert_eq!(Openness::new("What's up").value, 0.3);
    }

    #[test]
    fn openness_is_never_over_one() {
        let most = Openness::new("Why could it be, perhaps?");
        assert!((most.value - 0.7).abs() < 1e-12);
    }

    #[test]
    fn labels_have_their_thresholds_inside() {
        let thresholds = Thresholds { green_min: 0.7, yellow_min: 0.5 };
        let label = |total| Label::of(total, &thresholds);
        assert_eq!((label(0.7), label(0.5), label(0.4999)), (Label::Green, Label::Yellow, Label::Red));
        assert_eq!("yellow".parse::<Label>().unwrap(), Label::Yellow);
        assert!("blue".parse::<Label>().is_err());
    }
}
