//! Drafts that nobody needs to see: too short, too long, generic, saying only what the post says, or what they should not
//! know: another post of the call, or the instructions.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::score::words;

/// The fewest characters of a draft.
pub const MIN_CHARACTERS: usize = 40;
/// The most characters of a draft.
pub const MAX_CHARACTERS: usize = 200;
/// Fewer other letters and digits than this beside a stock phrase make a draft generic.
const LEAST_BESIDE_PHRASES: usize = 20;

/// Why a draft was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FilterFault {
    /// It has fewer than 40 characters.
    TooShort,
    /// It has more than 200 characters.
    TooLong,
    /// A stock phrase, and hardly anything beside it.
    Generic,
    /// More than half of its words are the post's.
    Circular,
    /// It repeats another post that was in the same call.
    Neighbour,
    /// It repeats the instructions.
    Instructions,
}

impl fmt::Display for FilterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "too short",
            Self::TooLong => "too long",
            Self::Generic => "generic",
            Self::Circular => "circular",
            Self::Neighbour => "repeats another post",
            Self::Instructions => "repeats the instructions",
        })
    }
}

/// So much of a text in one piece is no coincidence: 36 letters, some seven words, or twelve characters of a script that
/// writes words with one or two.
const REPEATED: usize = 36;

/// Pieces of texts that a draft should not repeat.
#[derive(Clone, Debug, Default)]
pub struct Pieces(HashSet<String>);

impl Pieces {
    /// The pieces of these texts.
    #[must_use]
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self(texts.into_iter().flat_map(pieces).collect())
    }

    /// Whether a draft repeats a piece that is not the post's own.
    #[must_use]
    pub fn stand_in(&self, draft: &str, post: &str) -> bool {
        let own: HashSet<String> = pieces(post).into_iter().collect();
        pieces(draft).iter().any(|piece| self.0.contains(piece) && !own.contains(piece))
    }
}

/// Every run of letters and digits that is so long that it counts as repeated, without regard to case and to what stands
/// between words.
fn pieces(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    // Ideographs, kana and syllables of Hangul say as much as three letters.
    let weight = |c: &char| if *c >= '\u{2e80}' { 3 } else { 1 };
    let mut found = Vec::new();
    let (mut end, mut heavy) = (0, 0);
    for start in 0..letters.len() {
        while end < letters.len() && heavy < REPEATED {
            heavy += letters.get(end).map_or(0, weight);
            end += 1;
        }
        if heavy < REPEATED {
            break;
        }
        found.extend(letters.get(start..end).map(|piece| piece.iter().collect::<String>()));
        heavy -= letters.get(start).map_or(0, weight);
    }
    found
}

/// Phrases that fit any post. A longer one stands before its own beginning, which would leave its end behind.
const PHRASES: [&str; 28] = [
    "thanks for sharing this",
    "thank you for sharing",
    "thanks for sharing",
    "thanks for posting",
    "couldn't agree more",
    "could not agree more",
    "i totally agree",
    "i completely agree",
    "totally agree",
    "absolutely agree",
    "love this post",
    "love this",
    "great post",
    "great point",
    "great question",
    "great thread",
    "good point",
    "good question",
    "nice post",
    "amazing post",
    "interesting post",
    "so true",
    "well said",
    "this is so important",
    "keep it up",
    "keep up the good work",
    "looking forward to more",
    "100% this",
];

/// Words that say nothing about a text's subject, and the pieces of contractions, which [`words`] splits.
const STOP_WORDS: [&str; 117] = [
    "a", "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because",
    "been", "before", "being", "but", "by", "can", "could", "d", "did", "do", "does", "doing", "don", "down", "for",
    "from", "get", "go", "had", "has", "have", "having", "he", "her", "here", "him", "his", "how", "i", "if", "in",
    "into", "is", "it", "its", "just", "ll", "m", "me", "more", "most", "my", "no", "not", "now", "of", "off", "on",
    "one", "only", "or", "other", "our", "out", "over", "own", "re", "s", "same", "she", "should", "so", "some",
    "such", "t", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "through",
    "to", "too", "up", "us", "ve", "very", "was", "we", "were", "what", "when", "where", "which", "while", "who",
    "whom", "why", "will", "with", "would", "yes", "yet", "you", "your", "yours",
];

/// The first fault of a draft for a post: its length, then stock phrases, then words that are the post's.
#[must_use]
pub fn fault(draft: &str, post: &str) -> Option<FilterFault> {
    let characters = draft.trim().chars().count();
    if characters < MIN_CHARACTERS {
        return Some(FilterFault::TooShort);
    }
    if characters > MAX_CHARACTERS {
        return Some(FilterFault::TooLong);
    }
    if is_generic(draft) {
        return Some(FilterFault::Generic);
    }
    is_circular(draft, post).then_some(FilterFault::Circular)
}

fn is_generic(draft: &str) -> bool {
    // The phrases are written with the straight apostrophe; drafts use both.
    let mut rest = draft.to_lowercase().replace('\u{2019}', "'");
    let mut found = false;
    for phrase in PHRASES {
        found |= rest.contains(phrase);
        rest = rest.replace(phrase, " ");
    }
    found && rest.chars().filter(|c| c.is_alphanumeric()).count() < LEAST_BESIDE_PHRASES
}

/// True if over half of the draft's words, stop words aside, are the post's.
fn is_circular(draft: &str, post: &str) -> bool {
    let of_post: HashSet<String> = words(post).collect();
    let of_draft: Vec<String> = words(draft).filter(|word| !STOP_WORDS.contains(&&**word)).collect();
    let shared = of_draft.iter().filter(|word| of_post.contains(*word)).count();
    2 * shared > of_draft.len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const POST: &str = "The bottom bracket of my old steel bike creaks whenever I climb a hill.";

    #[test]
    fn a_draft_has_forty_to_two_hundred_characters() {
        assert_eq!(fault(&"x".repeat(39), POST), Some(FilterFault::TooShort));
        assert_eq!(fault(&"ü".repeat(40), POST), None);
        assert_eq!(fault(&"ü".repeat(200), POST), None);
        assert_eq!(fault(&"x".repeat(201), POST), Some(FilterFault::TooLong));
        assert_eq!(fault(&format!("short{}", " ".repeat(60)), POST), Some(FilterFault::TooShort));
    }

    #[test]
    fn stock_phrases_with_hardly_anything_else_are_generic() {
        assert_eq!(fault("Great post! Thanks for sharing. So true, my friend!", POST), Some(FilterFault::Generic));
        assert_eq!(fault("GREAT POINT and I couldn\u{2019}t agree more, well said!", POST), Some(FilterFault::Generic));
        let useful = "Great post! Grease the seat clamp first: half of those noises start there.";
        assert_eq!(fault(useful, POST), None);
    }

    #[test]
    fn a_draft_that_says_what_the_post_says_is_circular() {
        let echo = "Your old steel bike creaks on every climb, so it is the bottom bracket then.";
        assert_eq!(fault(echo, POST), Some(FilterFault::Circular));
        let half = "Bracket and bike: try grease, try torque, then listen again from below.";
        assert_eq!(fault(half, POST), None);
    }

    #[test]
    fn what_stands_in_another_post_or_in_the_instructions_is_not_repeated() {
        let neighbour = "My landlord at 14 Mill Lane raised the rent, and my daughter Ida is ill.";
        let pieces = Pieces::of([neighbour]);
        let leaks = "Sorry to hear that. MY landlord at 14 Mill Lane -- raised the rent, and it hurts!";
        assert!(pieces.stand_in(leaks, POST));
        assert!(!pieces.stand_in("Sorry to hear that your landlord raised it again.", POST));
        // What the post itself says may be said.
        assert!(!pieces.stand_in(leaks, neighbour));
        let korean = Pieces::of(["우리 집주인이 올해 또 월세를 크게 올렸어요"]);
        assert!(korean.stand_in("집주인이 올해 또 월세를 크게 올렸다니 속상하겠어요", "다른 글"));
        assert!(!korean.stand_in("월세가 올라서 속상하겠어요, 힘내세요", "다른 글"));
    }

    #[test]
    fn half_of_the_words_is_not_over_half() {
        let post = "alpha bravo charlie delta";
        assert_eq!(fault("alphax bravo charlie deltaxx and some more of the", post), None);
        assert_eq!(fault("alpha bravo charlie deltaxx and some more of the", post), Some(FilterFault::Circular));
    }

    #[test]
    fn a_draft_of_stop_words_only_is_not_circular() {
        assert_eq!(fault("so it is, and that is that, and it is what it is", "it is what it is"), None);
    }
}
