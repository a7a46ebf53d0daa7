//! The gate: posts that are left out before anything is spent on them, each for one stated reason.

use atelier_store::Post;
use serde::{Deserialize, Serialize};

use crate::finder::{AuthorStanding, Sources};

/// Fewer letters, digits and spaces than this beside a link make a post link spam.
const LEAST_BESIDE_A_LINK: usize = 50;

/// Why a post was left out. The reasons are tried in this order, and the first one counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum GateRefusal {
    /// It says that it is in a language that the project doesn't take.
    Language {
        /// The post's language tag.
        lang: String,
    },
    /// It has a blacklisted keyword.
    Keyword {
        /// The keyword, as the project lists it.
        keyword: String,
    },
    /// Its author is blacklisted.
    Author {
        /// The author's handle.
        author: String,
    },
    /// A link with hardly any words, and nobody has replied.
    LinkSpam {
        /// Letters, digits and spaces once links, mentions and hashtags are removed.
        characters: usize,
    },
}

impl GateRefusal {
    /// A stable name, for counting.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Language { .. } => "language",
            Self::Keyword { .. } => "keyword",
            Self::Author { .. } => "author",
            Self::LinkSpam { .. } => "link-spam",
        }
    }
}

impl std::fmt::Display for GateRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Language { lang } => write!(f, "it is in the language '{lang}'"),
            Self::Keyword { keyword } => write!(f, "it has the blacklisted keyword '{keyword}'"),
            Self::Author { author } => write!(f, "its author @{author} is blacklisted"),
            Self::LinkSpam { characters } => {
                write!(f, "link spam: a link, {characters} letters, digits and spaces beside it, and no replies")
            }
        }
    }
}

/// The reason to leave a post out; none if it passes.
#[must_use]
pub fn gate(sources: &Sources, post: &Post) -> Option<GateRefusal> {
    if let Some(lang) = post.lang.as_deref().filter(|lang| !takes_language(sources, lang)) {
        return Some(GateRefusal::Language { lang: lang.to_owned() });
    }
    let text = post.text.to_lowercase();
    if let Some(keyword) = sources.blacklist_keywords.iter().find(|k| text.contains(&k.trim().to_lowercase())) {
        return Some(GateRefusal::Keyword { keyword: keyword.clone() });
    }
    if sources.standing(&post.author) == AuthorStanding::Blacklisted {
        return Some(GateRefusal::Author { author: post.author.clone() });
    }
    if post.replies == 0 && post.text.split_whitespace().any(is_link) {
        let characters = characters_beside_links(&post.text);
        if characters < LEAST_BESIDE_A_LINK {
            return Some(GateRefusal::LinkSpam { characters });
        }
    }
    None
}

/// True for a language that the project takes. Regions make no difference (`en-GB` is `en`); X's marks for
/// texts without language (`und`, `zxx`, and `q..`) pass.
fn takes_language(sources: &Sources, lang: &str) -> bool {
    let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().trim().to_lowercase();
    let lang = primary(lang);
    let says_nothing = matches!(&*lang, "" | "und" | "zxx") || (lang.len() == 3 && lang.starts_with('q'));
    says_nothing || sources.languages.is_empty() || sources.languages.iter().any(|taken| primary(taken) == lang)
}

/// A word with a link in it; a bracket or a quotation mark may stand before the link.
fn is_link(word: &str) -> bool {
    link_start(word).is_some()
}

/// Where in a word a link starts.
fn link_start(word: &str) -> Option<usize> {
    let lower = word.to_ascii_lowercase();
    let with_scheme = ["http://", "https://"].iter().filter_map(|scheme| lower.find(scheme)).min();
    with_scheme.or_else(|| {
        let bare = lower.trim_start_matches(|c: char| !c.is_alphanumeric());
        bare.starts_with("www.").then(|| lower.len() - bare.len())
    })
}

/// Letters, digits and spaces that remain once links, mentions and hashtags are removed.
fn characters_beside_links(text: &str) -> usize {
    let mut count = 0;
    for part in text.split_inclusive(char::is_whitespace) {
        let word = part.trim_end();
        let space = part.chars().count() - word.chars().count();
        let word = link_start(word).and_then(|start| word.get(..start)).unwrap_or(word);
        count += space + characters_beside_tags(word);
    }
    count
}

/// Letters and digits of a word without its `@mentions` and `#hashtags`.
fn characters_beside_tags(word: &str) -> usize {
    let mut in_tag = false;
    let mut count = 0;
    for c in word.chars() {
        match c {
            '@' | '#' => in_tag = true,
            c if c.is_alphanumeric() || c == '_' => count += usize::from(!in_tag && c != '_'),
            _ => in_tag = false,
        }
    }
    count
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::testing::post;

    fn sources() -> Sources {
        Sources {
            whitelist_handles: vec!["friend".into()],
            blacklist_handles: vec!["@Bot".into()],
            blacklist_keywords: vec!["Casino".into(), "promo code".into()],
            languages: vec!["en".into()],
        }
    }

    fn code(post: &Post) -> Option<&'static str> {
        gate(&sources(), post).map(|refusal| refusal.code())
    }

    #[test]
    fn a_post_that_says_another_language_is_left_out() {
        let said = |lang: &str| code(&Post { lang: Some(lang.into()), ..post("1", "Hello there") });
        assert_eq!(said("de"), Some("language"));
        assert_eq!(said("en-GB"), None);
        assert_eq!(said("EN"), None);
        assert_eq!(said("und"), None);
        assert_eq!(said("qme"), None);
        assert_eq!(code(&post("1", "Guten Tag")), None, "a post that says nothing of its language passes");
    }

    #[test]
    fn without_languages_there_is_no_language_gate() {
        let post = Post { lang: Some("de".into()), ..post("1", "Guten Tag") };
        assert_eq!(gate(&Sources::default(), &post), None);
    }

    #[test]
    fn a_keyword_counts_in_capitals_and_inside_words() {
        assert_eq!(code(&post("1", "the CASINOS are open")), Some("keyword"));
        assert_eq!(code(&post("1", "use my Promo Code now")), Some("keyword"));
        assert_eq!(code(&post("1", "promo, code")), None);
    }

    #[test]
    fn a_blacklisted_author_is_left_out_and_only_that_one() {
        assert_eq!(code(&Post { author: "bot".into(), ..post("1", "hello") }), Some("author"));
        assert_eq!(code(&Post { author: "stranger".into(), ..post("1", "hello") }), None);
    }

    #[test]
    fn the_first_reason_counts() {
        let all = Post { lang: Some("de".into()), author: "bot".into(), ..post("1", "casino https://x.example") };
        assert_eq!(code(&all), Some("language"));
        assert_eq!(code(&Post { lang: None, ..all.clone() }), Some("keyword"));
        assert_eq!(code(&Post { lang: None, text: "https://x.example".into(), ..all }), Some("author"));
    }

    #[test]
    fn a_link_with_few_words_and_no_replies_is_spam() {
        let spam = post("1", "Look at this! https://example.com/a-very-long-path-with-many-words-in-it #bikes @anna");
        assert_eq!(code(&spam), Some("link-spam"));
        assert_eq!(code(&Post { replies: 1, ..spam.clone() }), None);
        let long =
            post("1", "A link with a fair number of words beside it, so that it says something https://e.example");
        assert_eq!(code(&long), None);
        assert_eq!(code(&post("1", "short, but no link")), None);
        assert_eq!(code(&post("1", "(www.example.com)")), Some("link-spam"));
    }

    #[test]
    fn the_line_is_drawn_at_fifty_letters_digits_and_spaces() {
        let with = |n: usize| post("1", &format!("{} https://e.example #tag @who", "a".repeat(n)));
        // The spaces around the link and the tags count too: three of them.
        assert_eq!(gate(&sources(), &with(46)), Some(GateRefusal::LinkSpam { characters: 49 }));
        assert_eq!(gate(&sources(), &with(47)), None);
    }

    #[test]
    fn letters_of_any_script_count() {
        let text = format!("{} https://e.example", "д".repeat(50));
        assert_eq!(code(&post("1", &text)), None);
    }
}
