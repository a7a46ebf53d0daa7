//! Filters do what a check of every image would do.

use std::collections::BTreeSet;

use atelier_search::{Document, Filter, Index, IndexSettings, Orientation, Query};
use proptest::prelude::*;

use crate::common::{ids, image, index_of, put};

/// What an image must fulfil, said once more and without an index.
fn fulfils(image: &Document, filter: &Filter) -> bool {
    let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
    match filter {
        Filter::Category(value) => image.category.as_deref().is_some_and(|category| same(category, value)),
        Filter::Tag(value) => image.tags.iter().any(|tag| same(tag, value)),
        Filter::Attribute(name, value) => image.attributes.iter().any(|(n, v)| same(n, name) && same(v, value)),
        Filter::Orientation(orientation) => image.orientation() == Some(*orientation),
        Filter::Uploader(value) => image.uploader.as_deref().is_some_and(|uploader| same(uploader, value)),
        Filter::Collection(value) => image.collections.iter().any(|collection| same(collection, value)),
        Filter::Width(range) => range.contains(&image.width),
        Filter::Height(range) => range.contains(&image.height),
        Filter::Date(range) => range.contains(&image.taken_or_added_at),
        Filter::Any(filters) => filters.iter().any(|filter| fulfils(image, filter)),
        Filter::All(filters) => filters.iter().all(|filter| fulfils(image, filter)),
        Filter::Not(filter) => !fulfils(image, filter),
        other => panic!("{other:?} is not checked here"),
    }
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["sea", "Sea", "café", "CAFÉ ", "a=b", "바다", ""]).prop_map(str::to_owned)
}

fn document() -> impl Strategy<Value = Document> {
    let side = prop::sample::select(vec![0_u32, 1, 99, 100, 1000, u32::MAX]);
    let date = prop::sample::select(vec![i64::MIN, -1, 0, 1, 1_700_000_000_000_000, i64::MAX]);
    let words = (prop::option::of(name()), prop::collection::vec(name(), 0..3), prop::option::of((name(), name())));
    let people = (prop::option::of(name()), prop::collection::vec(name(), 0..3));
    (words, people, side.clone(), side, date).prop_map(
        |((category, tags, attribute), (uploader, collections), width, height, date)| Document {
            category,
            tags,
            attributes: attribute.into_iter().collect(),
            uploader,
            collections,
            width,
            height,
            taken_or_added_at: date,
            ..Document::default()
        },
    )
}

fn filter() -> impl Strategy<Value = Filter> {
    let side = prop::sample::select(vec![0_u32, 1, 100, 500, u32::MAX]);
    let range = (side.clone(), side).prop_map(|(a, b)| a..=b);
    let date = prop::sample::select(vec![i64::MIN, -5, 0, 1, i64::MAX]);
    let orientation = prop::sample::select(vec![Orientation::Landscape, Orientation::Portrait, Orientation::Square]);
    let leaf = prop_oneof![
        name().prop_map(Filter::Category),
        name().prop_map(Filter::Tag),
        (name(), name()).prop_map(|(name, value)| Filter::Attribute(name, value)),
        orientation.prop_map(Filter::Orientation),
        name().prop_map(Filter::Uploader),
        name().prop_map(Filter::Collection),
        range.clone().prop_map(Filter::Width),
        range.prop_map(Filter::Height),
        (date.clone(), date).prop_map(|(a, b)| Filter::Date(a..=b)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Any),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::All),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn listed(index: &Index, filters: Vec<Filter>) -> BTreeSet<String> {
    let hits = index.search(&Query { filters, limit: 1000, ..Query::default() }).unwrap();
    assert_eq!(hits.total, hits.hits.len());
    hits.hits.into_iter().map(|hit| hit.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_filter_keeps_what_a_check_of_every_image_keeps(
        documents in prop::collection::vec(document(), 1..40),
        replaced in prop::collection::vec((0_usize..40, document()), 0..10),
        filters in prop::collection::vec(filter(), 8),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut library: Vec<Document> = documents;
        for (number, document) in library.iter_mut().enumerate() {
            document.id = number.to_string();
        }
        let index = index_of(dir.path(), IndexSettings::default(), library.clone());
        for (number, document) in replaced.into_iter().filter(|(number, _)| *number < library.len()).collect::<Vec<_>>() {
            library[number] = Document { id: number.to_string(), ..document };
            index.apply(&[put(library[number].clone())], 1000).unwrap();
        }
        index.commit().unwrap();
        for pair in filters.windows(2) {
            let kept = library.iter().filter(|image| pair.iter().all(|filter| fulfils(image, filter)));
            let expected: BTreeSet<String> = kept.map(|image| image.id.clone()).collect();
            prop_assert_eq!(listed(&index, pair.to_vec()), expected, "{:?}", pair);
        }
    }
}

#[test]
fn filters_alone_list_the_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let dated = |id: &str, date| Document { taken_or_added_at: date, ..image(id, "") };
    let images = (0..300).map(|n| dated(&n.to_string(), (n * 7919) % 300));
    let index = index_of(dir.path(), IndexSettings::default(), images);
    let hits = index.search(&Query { limit: 5, ..Query::default() }).unwrap();
    let mut expected: Vec<i64> = (0..300).collect();
    expected.sort_by_key(|n| std::cmp::Reverse((n * 7919) % 300));
    let expected: Vec<String> = expected.iter().take(5).map(i64::to_string).collect();
    assert_eq!(ids(&hits), expected);
    assert_eq!(hits.total, 300);
}

#[test]
fn a_filter_holds_for_every_stage() {
    let dir = tempfile::tempdir().unwrap();
    let image = |id: &str, tag: &str| Document {
        tags: vec![tag.into()],
        palette: vec![[200, 0, 0]],
        ..image(id, "a red door")
    };
    let index = index_of(dir.path(), IndexSettings::default(), [image("kept", "a"), image("dropped", "b")]);
    let query = Query { color: Some([200, 0, 0]), filters: vec![Filter::Tag("A".into())], ..Query::words("red door") };
    let hits = index.search(&query).unwrap();
    assert_eq!(ids(&hits), ["kept"]);
    assert!(hits.hits[0].stages.lexical.is_some() && hits.hits[0].stages.color.is_some());
}

#[test]
fn a_colour_is_found_among_the_palettes_and_filtered_by_distance() {
    let dir = tempfile::tempdir().unwrap();
    let colored = |id: &str, palette: &[[u8; 3]]| Document { palette: palette.to_vec(), ..image(id, "") };
    let images = [
        colored("red", &[[10, 10, 10], [250, 5, 5]]),
        colored("orange", &[[250, 120, 10]]),
        colored("blue", &[[5, 5, 250]]),
        image("none", ""),
    ];
    let index = index_of(dir.path(), IndexSettings::default(), images);
    let hits = index.search(&Query { color: Some([255, 0, 0]), ..Query::default() }).unwrap();
    assert_eq!(ids(&hits), ["red"]);
    assert!(hits.hits[0].stages.color.unwrap().score > 0.95);
    let near = |distance| listed(&index, vec![Filter::Color([255, 0, 0], distance)]);
    assert_eq!(near(5.0), BTreeSet::from(["red".into()]));
    assert_eq!(near(60.0), BTreeSet::from(["red".into(), "orange".into()]));
    assert_eq!(near(300.0).len(), 3);
    assert_eq!(near(-1.0).len(), 0);
}
