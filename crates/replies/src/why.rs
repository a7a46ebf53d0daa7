//! Why a post is worth an answer, in a few words for the person who reviews.

use atelier_store::Post;

use crate::score::Score;

/// The most characters of the whole text.
const MAX: usize = 100;
/// The fewest likes an hour that are mentioned.
const LIKES_AN_HOUR: f64 = 100.0;
/// The fewest followers that are mentioned.
const FOLLOWERS: u64 = 1_000;
/// Each term is mentioned over its value here.
const RELEVANT: f64 = 0.7;
const TRENDING: f64 = 0.7;
const OPEN: f64 = 0.5;
/// The most characters of a topic's name.
const TOPIC: usize = 40;

/// At most 100 characters: likes an hour, followers, topic and match, trending, open question, as far as
/// they stand out; else the score.
#[must_use]
pub fn why(post: &Post, score: &Score, topic: &str) -> String {
    let mut reasons = Vec::new();
    let likes_an_hour = post.likes as f64 / (score.velocity.minutes / 60.0);
    if likes_an_hour >= LIKES_AN_HOUR {
        reasons.push(format!("{} likes/hour", short(likes_an_hour)));
    }
    if post.followers >= FOLLOWERS {
        reasons.push(format!("{} followers", short(post.followers as f64)));
    }
    if score.relevance.value > RELEVANT {
        let topic: String = topic.chars().take(TOPIC).collect();
        reasons.push(format!("{topic} {:.0}% match", score.relevance.value * 100.0));
    }
    if score.velocity.value > TRENDING {
        reasons.push("trending".into());
    }
    if score.openness.value > OPEN {
        reasons.push("open question".into());
    }
    let mut text = String::new();
    for reason in reasons {
        // One that has no room is left out; a shorter one after it may still fit.
        let comma = if text.is_empty() { "" } else { ", " };
        if text.chars().count() + comma.len() + reason.chars().count() <= MAX {
            text.push_str(comma);
            text.push_str(&reason);
        }
    }
    if text.is_empty() { format!("score {:.2}", score.total) } else { text }
}

/// A number to be read at a glance: 950, 1.2K, 34K, 5.6M.
fn short(number: f64) -> String {
    let (value, unit) = match number {
        n if n < 999.5 => (n, ""),
        n if n < 999_500.0 => (n / 1e3, "K"),
        n => (n / 1e6, "M"),
    };
    if unit.is_empty() || value >= 9.95 { format!("{value:.0}{unit}") } else { format!("{value:.1}{unit}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::finder::Finder;
    use crate::score::{Relevance, score};
    use crate::testing::post;

    fn explain(post: &Post, relevance: f64, minutes: i64, topic: &str) -> String {
        let now = atelier_engine::Timestamp::from_micros(post.posted_at.as_micros() + minutes * 60_000_000);
        why(post, &score(&Finder::default(), post, Relevance::new(relevance, 0.0), now), topic)
    }

    #[test]
    fn everything_that_stands_out_is_said() {
        let post = Post { likes: 3_000, followers: 12_345, ..post("1", "Why could it creak, maybe?") };
        let why = explain(&post, 0.84, 120, "diagnosis");
        assert_eq!(why, "1.5K likes/hour, 12K followers, diagnosis 84% match, trending, open question");
    }

    #[test]
    fn where_nothing_stands_out_the_score_is_said() {
        let post = Post { likes: 0, reposts: 0, followers: 999, ..post("1", "It creaks.") };
        assert_eq!(explain(&post, 0.2, 60, "diagnosis"), "score 0.32");
    }

    #[test]
    fn it_never_has_more_than_a_hundred_characters() {
        let post = Post { likes: 1 << 40, followers: 1 << 40, ..post("1", "Why could it creak, maybe?") };
        let why = explain(&post, 1.0, 1, &"ü".repeat(500));
        assert!(why.chars().count() <= 100, "{why}");
        assert!(why.contains("followers"));
    }

    #[test]
    fn numbers_are_short() {
        let texts = [100.0, 999.4, 999.6, 1_249.0, 9_949.0, 9_960.0, 34_499.0, 999_600.0, 5_600_000.0].map(short);
        assert_eq!(texts, ["100", "999", "1.0K", "1.2K", "9.9K", "10K", "34K", "1.0M", "5.6M"]);
    }
}
