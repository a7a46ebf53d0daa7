//! Fusion, cut-offs and what a hit says of itself.

use atelier_embed::Vector;
use atelier_search::{Document, Index, IndexSettings, Query};

use crate::common::{DIMENSIONS, ids, image, index_of, settings};

/// A vector in the plane of the first two numbers, so many degrees from the first axis.
fn at(degrees: f32) -> Vector {
    let mut numbers = vec![0.0; DIMENSIONS];
    (numbers[1], numbers[0]) = degrees.to_radians().sin_cos();
    Vector::normalised(numbers).unwrap()
}

fn library(dir: &tempfile::TempDir, settings: IndexSettings) -> Index {
    let with = |id: &str, caption: &str, text: f32, look: f32| Document {
        text: Some(at(text)),
        look: Some(at(look)),
        ..image(id, caption)
    };
    let images = [
        with("both", "a harbour at dawn", 5.0, 80.0),
        with("words", "a harbour at dawn with gulls and ropes and nets", 85.0, 85.0),
        with("meaning", "ships in first light", 0.0, 89.0),
        with("look", "IMG 12", 88.0, 10.0),
        with("nothing", "a violin", 90.0, 90.0),
    ];
    index_of(dir.path(), settings, images)
}

fn query() -> Query {
    Query { text: Some(at(0.0)), look: Some(at(0.0)), ..Query::words("harbour dawn") }
}

#[test]
fn what_several_stages_vouch_for_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings();
    (settings.cut_offs.text, settings.cut_offs.look) = (0.5, 0.5);
    let index = library(&dir, settings);
    let hits = index.search(&query()).unwrap();
    assert_eq!(ids(&hits), ["both", "meaning", "words", "look"]);
    assert_eq!(hits.total, 4);
    let stages = hits.hits[0].stages;
    assert_eq!((stages.lexical.unwrap().rank, stages.text.unwrap().rank, stages.look), (1, 2, None));
    assert!((stages.text.unwrap().score - 5.0_f32.to_radians().cos()).abs() < 1e-3);
    assert!(hits.hits.is_sorted_by(|a, b| a.score >= b.score));
}

#[test]
fn below_the_cut_offs_nothing_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings();
    (settings.cut_offs.text, settings.cut_offs.look) = (0.5, 0.5);
    let index = library(&dir, settings);
    let hits =
        index.search(&Query { text: Some(at(160.0)), look: Some(at(170.0)), ..Query::words("submarine") }).unwrap();
    assert_eq!((hits.total, hits.hits.len()), (0, 0));
}

#[test]
fn a_look_that_the_own_words_of_an_image_speak_against_is_no_hit_unless_it_is_sure() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings();
    (settings.cut_offs.text, settings.cut_offs.doubted) = (0.9, 0.5);
    (settings.cut_offs.look, settings.cut_offs.look_in_doubt) = (0.5, 0.9);
    let with =
        |id: &str, text: Option<f32>, look: f32| Document { text: text.map(at), look: Some(at(look)), ..image(id, "") };
    let images = [
        with("against", Some(80.0), 40.0),
        with("sure all the same", Some(80.0), 10.0),
        with("for it", Some(40.0), 40.0),
        with("without words", None, 40.0),
    ];
    let index = index_of(dir.path(), settings, images);
    let hits = index.search(&query()).unwrap();
    let mut found = ids(&hits);
    found.sort_unstable();
    assert_eq!(found, ["for it", "sure all the same", "without words"]);
    assert_eq!(hits.nearest.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["against"]);
}

#[test]
fn one_word_of_two_is_no_hit_where_the_meaning_speaks_against_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings();
    (settings.cut_offs.text, settings.cut_offs.doubted) = (0.9, 0.5);
    let images = [
        Document { text: Some(at(80.0)), ..image("globe", "a school globe") },
        Document { text: Some(at(40.0)), ..image("children", "children on their way to school") },
    ];
    let index = index_of(dir.path(), settings, images);
    let asked = |known: &[&str]| Query {
        known: known.iter().map(|word| (*word).to_owned()).collect(),
        text: Some(at(0.0)),
        ..Query::words("school bus")
    };
    assert_eq!(ids(&index.search(&asked(&["school", "bus"])).unwrap()), ["children"]);
    let foreign = index.search(&asked(&[])).unwrap();
    assert_eq!(foreign.total, 2, "what is written in a language that nobody reads has words alone");
}

#[test]
fn a_word_that_is_known_is_not_taken_for_a_misspelling_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let index = index_of(dir.path(), settings(), [image("cane", "a striped candy cane")]);
    assert_eq!(ids(&index.search(&Query::words("canoe ")).unwrap()), ["cane"]);
    let known = Query { known: vec!["canoe".into()], ..Query::words("canoe ") };
    assert!(ids(&index.search(&known).unwrap()).is_empty());
}

#[test]
fn the_limit_cuts_hits_and_not_the_total() {
    let dir = tempfile::tempdir().unwrap();
    let index = library(&dir, settings());
    let hits = index.search(&Query { limit: 2, ..query() }).unwrap();
    assert_eq!((hits.total, hits.hits.len()), (5, 2));
    assert_eq!(index.search(&Query { limit: 0, ..query() }).unwrap().hits.len(), 0);
    assert_eq!(index.search(&Query { limit: 0, ..Query::default() }).unwrap().total, 5);
}

#[test]
fn json_has_the_documented_form() {
    let dir = tempfile::tempdir().unwrap();
    let index = library(&dir, settings());
    let hits = index.search(&Query { explain: true, ..query() }).unwrap();
    let json = serde_json::to_value(&hits).unwrap();
    assert!(json["took_ms"].is_f64());
    assert_eq!(json["total"], 5);
    let hit = &json["hits"][0];
    assert_eq!((hit["id"].as_str(), hit["filename"].as_str()), (Some("both"), Some("both.jpg")));
    assert!(hit["stages"]["lexical"]["rank"].is_u64() && hit["stages"]["text"]["score"].is_f64());
    assert_eq!(json["explanation"]["stages"][1]["stage"], "text");
    assert_eq!(json["explanation"]["words"][0]["terms"][0]["match"], "exact");
}

#[test]
fn a_search_on_several_threads_finds_the_same() {
    let images = |count: u32| {
        (0..count).map(|n| Document {
            text: Some(at((n % 360) as f32)),
            look: Some(at((n % 170) as f32)),
            palette: vec![[(n % 256) as u8, 0, 0]],
            ..image(&n.to_string(), if n % 3 == 0 { "a harbour" } else { "dawn" })
        })
    };
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let alone = index_of(one.path(), settings(), images(21_000));
    let together = index_of(two.path(), IndexSettings { threads: 3.try_into().unwrap(), ..settings() }, images(21_000));
    let query = Query { color: Some([40, 0, 0]), ..query() };
    assert_eq!(alone.search(&query).unwrap().hits, together.search(&query).unwrap().hits);
}
