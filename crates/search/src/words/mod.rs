//! From text to words, for the index and for queries alike.
//!
//! Scripts that put spaces between words give words. Scripts that do not (Chinese, Japanese, Thai, Lao,
//! Khmer, Burmese) and Korean, whose words carry particles, give pairs of neighbouring characters, which
//! needs no dictionary and finds every part of a run.

mod fold;

pub(crate) use fold::fold_value;
use fold::{fold, stem};
use unicode_normalization::char::is_combining_mark;

/// Longer words are cut: nobody types them, and they would only fill the index.
const MAX_CHARACTERS: usize = 64;

/// A piece of text, folded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Piece {
    /// A word of a script with spaces, or a number.
    Word(String),
    /// Neighbouring characters of scripts that are cut into pairs.
    Run(Vec<char>),
}

/// The pieces of a text, in their order.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let folded = fold(text);
    let mut pieces = Vec::new();
    let mut word = String::new();
    let mut run = Vec::new();
    let mut characters = folded.chars().peekable();
    while let Some(c) = characters.next() {
        if is_dense(c) {
            end_word(&mut word, &mut pieces);
            run.push(c);
            continue;
        }
        end_run(&mut run, &mut pieces);
        if c.is_alphanumeric() || (is_combining_mark(c) && !word.is_empty()) {
            word.push(c);
        } else if is_apostrophe(c) && !word.is_empty() {
            // "dog's" is a form of "dog"; "l'arbre" and "o'clock" are two words each.
            if characters.peek() == Some(&'s') {
                characters.next();
                if characters.peek().is_some_and(|next| next.is_alphanumeric()) {
                    end_word(&mut word, &mut pieces);
                    word.push('s');
                }
            } else {
                end_word(&mut word, &mut pieces);
            }
        } else {
            end_word(&mut word, &mut pieces);
        }
    }
    end_word(&mut word, &mut pieces);
    end_run(&mut run, &mut pieces);
    pieces
}

fn end_word(word: &mut String, pieces: &mut Vec<Piece>) {
    if !word.is_empty() {
        let word = std::mem::take(word);
        let end = word.char_indices().nth(MAX_CHARACTERS).map_or(word.len(), |(end, _)| end);
        pieces.push(Piece::Word(word[..end].to_owned()));
    }
}

fn end_run(run: &mut Vec<char>, pieces: &mut Vec<Piece>) {
    if !run.is_empty() {
        pieces.push(Piece::Run(std::mem::take(run)));
    }
}

/// The terms under which a text is indexed, each as often as it occurs.
pub(crate) fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Word(word) => terms.push(stem(&word)),
            // Single characters too, so that a query of one finds them.
            Piece::Run(run) => {
                terms.extend(run.iter().map(char::to_string));
                terms.extend(pairs(&run));
            }
        }
    }
    terms
}

/// The terms of a file's name: its extension is left out, and words that are set apart by capitals or digits
/// alone are found both ways: `BeachSunset2.jpg` by "beachsunset2", "beach", "sunset" and "2".
pub(crate) fn filename_terms(filename: &str) -> Vec<String> {
    let stem_of_file = match filename.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && extension.len() <= 5 => stem,
        _ => filename,
    };
    let mut apart = String::with_capacity(stem_of_file.len() + 8);
    let mut last: Option<char> = None;
    for c in stem_of_file.chars() {
        if last.is_some_and(|last| is_border(last, c)) {
            apart.push(' ');
        }
        apart.push(c);
        last = Some(c);
    }
    let whole = terms(stem_of_file);
    let mut all = terms(&apart);
    all.extend(whole.into_iter().filter(|term| !is_dense_term(term)));
    all.sort_unstable();
    all.dedup();
    all
}

fn is_border(last: char, next: char) -> bool {
    (last.is_lowercase() && next.is_uppercase())
        || (last.is_alphabetic() && next.is_ascii_digit())
        || (last.is_ascii_digit() && next.is_alphabetic())
}

fn is_dense_term(term: &str) -> bool {
    term.chars().next().is_some_and(is_dense)
}

/// The term of a folded word.
pub(crate) fn term(word: &str) -> String {
    stem(word)
}

/// Each character of a run with its neighbour.
pub(crate) fn pairs(run: &[char]) -> impl Iterator<Item = String> + '_ {
    run.windows(2).map(|pair| pair.iter().collect())
}

/// True for scripts whose characters are cut into pairs.
fn is_dense(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}'     // Thai, Lao
        | '\u{1000}'..='\u{109f}'   // Burmese
        | '\u{1100}'..='\u{11ff}'   // Hangul letters
        | '\u{1780}'..='\u{17ff}'   // Khmer
        | '\u{3005}'..='\u{3007}'   // 々 〆 〇
        | '\u{3041}'..='\u{309f}'   // Hiragana
        | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' // Katakana
        | '\u{3131}'..='\u{318e}'   // Hangul letters
        | '\u{31f0}'..='\u{31ff}'   // Katakana
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' // Han
        | '\u{ac00}'..='\u{d7a3}'   // Hangul syllables
        | '\u{20000}'..='\u{323af}' // Han
    )
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2bc}')
}

/// Whether a query has no word that says anything: only fillers, or no word at all.
pub(crate) fn says_nothing(query: &str) -> bool {
    pieces(query).iter().all(|piece| matches!(piece, Piece::Word(word) if is_filler(word)))
}

/// True for English words that say nothing about an image: grammar, and what every query may say of an image
/// ("a photo of ..."). They count for nothing.
pub(crate) fn is_filler(word: &str) -> bool {
    // In alphabetical order, for the binary search.
    const FILLERS: [&str; 57] = [
        "a",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "do",
        "find",
        "for",
        "from",
        "get",
        "give",
        "has",
        "have",
        "i",
        "image",
        "img",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "my",
        "of",
        "on",
        "or",
        "our",
        "photo",
        "photograph",
        "pic",
        "picture",
        "please",
        "search",
        "shot",
        "show",
        "some",
        "that",
        "the",
        "their",
        "there",
        "these",
        "this",
        "those",
        "to",
        "was",
        "we",
        "were",
        "where",
        "which",
        "who",
        "with",
        "you",
    ];
    FILLERS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_gives_terms_that_are_neither_empty_nor_endless(text in "\\PC{0,80}") {
            for term in terms(&text).into_iter().chain(filename_terms(&text)) {
                prop_assert!((1..=MAX_CHARACTERS).contains(&term.chars().count()), "{:?} of {:?}", term, text);
            }
        }
    }

    fn joined(text: &str) -> String {
        terms(text).join(" ")
    }

    #[test]
    fn latin_text_gives_words_in_one_form() {
        assert_eq!(joined("Two Dogs' bowls, the dog's café — 4K!"), "two dog bowl the dog cafe 4k");
        assert_eq!(joined("l'arbre o'clock it's"), "l arbre o clock it");
    }

    #[test]
    fn chinese_japanese_and_korean_give_characters_and_pairs() {
        assert_eq!(joined("海边日落"), "海 边 日 落 海边 边日 日落");
        assert_eq!(joined("夕日のビーチ"), "夕 日 の ビ ー チ 夕日 日の のビ ビー ーチ");
        assert_eq!(joined("고양이가 자요"), "고 양 이 가 고양 양이 이가 자 요 자요");
    }

    #[test]
    fn scripts_are_told_apart_within_a_word() {
        assert_eq!(joined("iPhone15用ケース"), "iphone15 用 ケ ー ス 用ケ ケー ース");
    }

    #[test]
    fn words_of_scripts_with_vowel_signs_stay_whole() {
        assert_eq!(joined("हिन्दी भाषा"), "हिन्दी भाषा");
    }

    #[test]
    fn a_file_name_is_found_by_its_words_and_whole() {
        assert_eq!(filename_terms("BeachSunset2.jpg"), ["2", "beach", "beachsunset2", "sunset"]);
        assert_eq!(filename_terms("IMG_0042.jpeg"), ["0042", "img"]);
        assert_eq!(filename_terms(".hidden"), ["hidden"]);
        assert_eq!(filename_terms(""), Vec::<String>::new());
    }

    #[test]
    fn a_word_without_end_is_cut() {
        assert_eq!(terms(&"x".repeat(1000)), ["x".repeat(MAX_CHARACTERS)]);
    }

    #[test]
    fn fillers_are_found_by_binary_search() {
        assert!(["a", "photo", "you", "the"].iter().all(|word| is_filler(word)));
        assert!(!is_filler("sunset"));
    }
}
