//! Words in many languages, spelt well and badly, finished and not.

use atelier_search::{Document, Index, IndexSettings, Match, Query};

use crate::common::{found, ids, image, index_of};

fn library(dir: &tempfile::TempDir) -> Index {
    let tagged = |id: &str, caption: &str, tags: &[&str]| Document {
        tags: tags.iter().map(|&tag| tag.into()).collect(),
        ..image(id, caption)
    };
    let mut photo = image("file", "");
    photo.filename = "BrandKit_HarbourView-2024.PNG".into();
    let mut attributes = image("attributes", "");
    attributes.attributes.insert("camera".into(), "Hasselblad 500C".into());
    attributes.category = Some("Architecture".into());
    index_of(
        dir.path(),
        IndexSettings::default(),
        [
            tagged("boat", "A wooden boat at a pier before sunrise", &["lake"]),
            tagged("boats", "Two sailing boats and a lighthouse", &["sea", "summer"]),
            tagged("mountain", "Snow on a mountain ridge", &["alps"]),
            tagged("cafe", "A café terrace with striped chairs", &["Zürich"]),
            tagged("korean", "바다에서 노는 고양이 두 마리", &["여름"]),
            tagged("japanese", "夕日のビーチを歩く二人", &["海辺"]),
            tagged("chinese", "日落时的海边小镇", &["风景"]),
            tagged("thai", "ชายหาดยามเย็น", &[]),
            tagged("russian", "Ёлка в снегу", &[]),
            photo,
            attributes,
        ],
    )
}

#[test]
fn a_word_is_found_wherever_it_stands_and_however_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let index = library(&dir);
    let cases = [
        ("boat", vec!["boat", "boats"]),
        ("BOATS", vec!["boat", "boats"]),
        ("lighthouses", vec!["boats"]),
        ("cafe", vec!["cafe"]),
        ("CAFÉ", vec!["cafe"]),
        ("zurich", vec!["cafe"]),
        ("ｌａｋｅ", vec!["boat"]),
        ("harbour view", vec!["file"]),
        ("harbourview", vec!["file"]),
        ("2024", vec!["file"]),
        ("hasselblad", vec!["attributes"]),
        ("architecture", vec!["attributes"]),
        ("елка", vec!["russian"]),
        ("снегу", vec!["russian"]),
    ];
    for (words, expected) in cases {
        assert_eq!(found(&index, &format!("{words} ")), expected, "{words}");
    }
}

#[test]
fn korean_japanese_chinese_and_thai_are_found_by_any_part() {
    let dir = tempfile::tempdir().unwrap();
    let index = library(&dir);
    let cases = [
        ("고양이", "korean"),
        ("바다", "korean"),
        ("여름 바다", "korean"),
        ("두", "korean"),
        ("夕日", "japanese"),
        ("ビーチ", "japanese"),
        ("ﾋﾞｰﾁ", "japanese"),
        ("海辺の夕日", "japanese"),
        ("海边", "chinese"),
        ("海边日落", "chinese"),
        ("小镇风景", "chinese"),
        ("镇", "chinese"),
        ("ชายหาด", "thai"),
    ];
    for (words, expected) in cases {
        assert_eq!(found(&index, words), [expected], "{words}");
    }
    // Decomposed syllables, as some systems write file names.
    let decomposed = "\u{1100}\u{1169}\u{110b}\u{1163}\u{11bc}\u{110b}\u{1175}";
    assert_eq!(found(&index, decomposed), ["korean"]);
    assert_eq!(found(&index, "강아지"), Vec::<String>::new());
    assert_eq!(found(&index, "山火"), Vec::<String>::new());
}

#[test]
fn a_misspelt_word_finds_what_was_meant() {
    let dir = tempfile::tempdir().unwrap();
    let index = library(&dir);
    for words in ["mountian ", "montain ", "mountainn ", "moumtain ", "muontian ", "ridje mountain "] {
        assert_eq!(found(&index, words), ["mountain"], "{words}");
    }
    for words in ["moumtein hose ", "baot ", "xqzvwk "] {
        assert_eq!(found(&index, words), Vec::<String>::new(), "{words}");
    }
}

#[test]
fn the_last_word_may_be_unfinished() {
    let dir = tempfile::tempdir().unwrap();
    let index = library(&dir);
    assert_eq!(found(&index, "light"), ["boats"]);
    assert_eq!(found(&index, "sailing light"), ["boats"]);
    assert_eq!(found(&index, "light "), Vec::<String>::new(), "a space ends the word");
    assert_eq!(found(&index, "light sailing"), ["boats"], "half of what was asked for");
}

#[test]
fn the_very_word_ranks_before_what_begins_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let images =
        [image("card", "A greeting card on a desk"), image("car", "A car on a road"), image("other", "A desk")];
    let index = index_of(dir.path(), IndexSettings::default(), images);
    assert_eq!(found(&index, "car"), ["car"]);
    assert_eq!(found(&index, "ca"), ["car", "card"]);
}

#[test]
fn a_word_counts_more_in_a_tag_than_in_a_caption() {
    let dir = tempfile::tempdir().unwrap();
    let mut tagged = image("tagged", "Somewhere on a walk in the hills");
    tagged.tags = vec!["forest".into()];
    let images = [image("caption", "Somewhere in a forest in the hills"), tagged];
    let index = index_of(dir.path(), IndexSettings::default(), images);
    assert_eq!(ids(&index.search(&Query::words("forest")).unwrap()), ["tagged", "caption"]);
}

#[test]
fn what_shares_too_little_with_the_query_is_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let index = library(&dir);
    assert_eq!(found(&index, "wooden violin concert hall"), ["boat"], "the only word of it that there is");
    assert_eq!(found(&index, "wooden mountain lighthouse terrace"), Vec::<String>::new(), "a word of each");
    assert_eq!(found(&index, "a photo of a mountain"), ["mountain"], "what every query may say is no word of it");
    for fillers in ["the", "has", "the of and"] {
        assert_eq!(found(&index, fillers), Vec::<String>::new(), "{fillers}");
    }
    for nothing in ["", "   ", "?!", "…"] {
        let hits = index.search(&Query { words: Some(nothing.into()), ..Query::default() }).unwrap();
        assert_ne!(nothing.trim().is_empty(), hits.hits.is_empty(), "{nothing:?}: {hits:?}");
    }
}

#[test]
fn a_rare_word_is_enough_beside_words_that_occur_nowhere_and_a_common_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let colored = (0..10).map(|n| image(&format!("yellow-{n}"), "A yellow thing"));
    let rare = ["one", "two"].map(|id| image(id, "A kangaroo at rest"));
    let others = (0..40).map(|n| image(&format!("other-{n}"), "Somewhere"));
    let index = index_of(dir.path(), IndexSettings::default(), colored.chain(rare).chain(others));
    assert_eq!(found(&index, "kangaroo jumping over fences "), ["one", "two"]);
    assert_eq!(found(&index, "a yellow submarine "), Vec::<String>::new());
    assert_eq!(found(&index, "a yellow thing ").len(), 10);
}

#[test]
fn any_text_is_a_query() {
    let dir = tempfile::tempdir().unwrap();
    let index = library(&dir);
    let long = "boat ".repeat(5_000);
    for words in
        ["\u{0}", "\u{1f}a\u{1f}b", "a:b AND (c", "\"boat", "boat~2 *", "\u{202e}boat", "é\u{301}\u{301}", &long]
    {
        index.search(&Query::words(words)).unwrap();
    }
    assert_eq!(found(&index, &long), ["boat", "boats"]);
}

#[test]
fn the_explanation_says_how_each_word_was_understood() {
    let dir = tempfile::tempdir().unwrap();
    let index = library(&dir);
    let query = Query { explain: true, ..Query::words("boats mountian ligh") };
    let explanation = index.search(&query).unwrap().explanation.unwrap();
    let words: Vec<_> = explanation
        .words
        .iter()
        .map(|word| (word.word.as_str(), word.terms.first().map(|term| (term.term.as_str(), term.matches))))
        .collect();
    assert_eq!(
        words,
        [
            ("boats", Some(("boat", Match::Exact))),
            ("mountian", Some(("mountain", Match::Typo))),
            ("ligh", Some(("lighthouse", Match::Prefix))),
        ]
    );
    assert_eq!((explanation.images, explanation.filtered), (11, 11));
    assert_eq!(explanation.stages[0].stage, "lexical");
}
