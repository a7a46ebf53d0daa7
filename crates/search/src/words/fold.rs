//! One form for all ways of writing a word: width, case, accents, English plurals.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// Text in composed form (NFKC: full-width letters, ligatures and decomposed syllables become the usual
/// ones), in lower case, without the accents of Latin and Greek letters.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkc().flat_map(char::to_lowercase) {
        fold_char(c, &mut folded);
    }
    folded
}

/// Text as filters compare it: composed, in lower case, without space around it; accents stay.
pub(crate) fn fold_value(text: &str) -> String {
    text.trim().nfkc().flat_map(char::to_lowercase).collect()
}

fn fold_char(c: char, folded: &mut String) {
    match c {
        '\0'..='\x7f' => folded.push(c),
        'ß' => folded.push_str("ss"),
        'æ' => folded.push_str("ae"),
        'œ' => folded.push_str("oe"),
        'ø' => folded.push('o'),
        'đ' | 'ð' => folded.push('d'),
        'ł' => folded.push('l'),
        'ħ' => folded.push('h'),
        'ı' => folded.push('i'),
        'þ' => folded.push_str("th"),
        'ё' => folded.push('е'),
        // What is left of an accent that has no composed letter, such as the dot of a lower-cased İ.
        '\u{300}'..='\u{36f}' => {}
        // Latin with accents, Greek.
        '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{3ff}' | '\u{1e00}'..='\u{1fff}' => {
            decompose_canonical(c, |part| match part {
                _ if is_combining_mark(part) => {}
                _ if part == c => folded.push(part),
                // What was under the accent may be a letter of the list above, as in ǽ.
                _ => fold_char(part, folded),
            });
        }
        _ => folded.push(c),
    }
}

/// The form of a folded word that is indexed and looked up: an English plural becomes its singular, and
/// nothing else is joined. It is the S-stemmer of D. Harman ("How effective is suffixing?", 1991), with the
/// endings -ches, -shes, -sses, -xes and -oes added, which it gets wrong. Words of other scripts, and short
/// ones, stay as they are.
pub(crate) fn stem(word: &str) -> String {
    let length = word.len();
    let without = |end: usize| word[..length - end].to_owned();
    if length < 4 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let ends = |ending: &str| word.ends_with(ending);
    if length > 4 && ends("ies") {
        without(3) + "y"
    } else if length > 4 && ends("ie") {
        // So that "movie" and "movies" meet.
        without(2) + "y"
    } else if ["ches", "shes", "sses", "xes"].into_iter().any(ends) || (length > 4 && ends("oes")) {
        without(2)
    } else if ends("oe") || (ends("s") && !["us", "ss", "is"].into_iter().any(ends)) {
        without(1)
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn width_case_and_accents_make_no_difference() {
        let cases = [
            ("Café", "cafe"),
            ("Cafe\u{301}", "cafe"),
            ("ＳＥＡ", "sea"),
            ("Straße", "strasse"),
            ("İstanbul", "istanbul"),
            ("Øresund", "oresund"),
            ("Ǽ ǿ", "ae o"),
            ("Αθήνα", "αθηνα"),
            ("ёлка", "елка"),
            ("ｶﾌｪ", "カフェ"),
            ("\u{1100}\u{1169}\u{110b}\u{1163}\u{11bc}\u{110b}\u{1175}", "고양이"),
        ];
        for (text, expected) in cases {
            assert_eq!(fold(text), expected, "{text}");
        }
    }

    #[test]
    fn marks_that_are_part_of_a_letter_stay() {
        for text in ["が", "й", "हिन्दी", "ไทย"] {
            assert_eq!(fold(text), text);
        }
    }

    #[test]
    fn a_plural_meets_its_singular() {
        let pairs = [
            ("boats", "boat"),
            ("berries", "berry"),
            ("movies", "movie"),
            ("horses", "horse"),
            ("trees", "tree"),
            ("beaches", "beach"),
            ("dishes", "dish"),
            ("glasses", "glass"),
            ("boxes", "box"),
            ("shoes", "shoe"),
            ("potatoes", "potato"),
            ("toes", "toe"),
        ];
        for (plural, singular) in pairs {
            assert_eq!(stem(plural), stem(singular), "{plural}");
        }
    }

    #[test]
    fn what_is_no_plural_stays_as_it_is() {
        for word in ["glass", "bus", "campus", "tennis", "running", "123s", "gas", "été", "городs"] {
            assert_eq!(stem(word), word);
        }
    }

    #[test]
    fn a_filters_value_keeps_its_accents() {
        assert_eq!(fold_value("  Café Noir "), "café noir");
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in ".{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
