//! Nearest vectors, beside a comparison with all of them.

use std::collections::BTreeSet;

use atelier_embed::Vector;
use atelier_search::{Change, Document, Filter, Index, IndexSettings, Query, Space};
use proptest::prelude::*;

use crate::common::{ids, image, index_of, put, settings, vector};

fn with_vectors(id: &str, random: &mut fastrand::Rng) -> Document {
    Document {
        text: Some(vector(random)),
        look: Some(vector(random)),
        appearance: Some(vector(random)),
        ..image(id, "")
    }
}

fn query(space: Space, vector: Vector, limit: usize) -> Query {
    let mut query = Query { limit, ..Query::default() };
    match space {
        Space::Text => query.text = Some(vector),
        Space::Look => query.look = Some(vector),
        Space::Appearance => query.appearance = Some(vector),
    }
    query
}

/// The nearest images of a library, by comparing all.
fn exact<'a>(
    library: impl Iterator<Item = &'a Document>,
    space: Space,
    to: &Vector,
    limit: usize,
) -> Vec<(String, f32)> {
    let cosine = |image: &Document| Some((image.id.clone(), image.vector(space)?.cosine(to).unwrap()));
    let mut all: Vec<(String, f32)> = library.filter_map(cosine).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all.truncate(limit);
    all
}

fn overlap(found: &[&str], exact: &[(String, f32)]) -> usize {
    let exact: BTreeSet<&str> = exact.iter().map(|(id, _)| id.as_str()).collect();
    found.iter().filter(|id| exact.contains(**id)).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_small_library_is_searched_exactly_whatever_was_changed_in_it(
        seed in any::<u64>(),
        steps in prop::collection::vec((0_u32..60, 0_u8..4), 1..120),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut random = fastrand::Rng::with_seed(seed);
        let index = Index::open(dir.path(), settings()).unwrap();
        let mut library: std::collections::BTreeMap<String, Document> = Default::default();
        for (number, (id, step)) in (1..).zip(steps) {
            let id = id.to_string();
            if step == 0 {
                index.apply(&[Change::Remove(id.clone())], number).unwrap();
                library.remove(&id);
            } else {
                let mut image = with_vectors(&id, &mut random);
                image.tags = vec![if step == 1 { "odd" } else { "even" }.into()];
                if step == 2 {
                    image.look = None;
                }
                index.apply(&[put(image.clone())], number).unwrap();
                library.insert(id, image);
            }
            if random.u8(..4) == 0 {
                index.commit().unwrap();
            }
            if random.u8(..20) == 0 {
                index.maintain().unwrap();
            }
        }
        index.commit().unwrap();
        prop_assert_eq!(index.images(), library.len());
        let filter = Filter::Tag("even".into());
        for space in Space::ALL {
            let to = vector(&mut random);
            for filters in [vec![], vec![filter.clone()]] {
                let kept = library.values().filter(|image| filters.is_empty() || image.tags == ["even"]);
                let expected = exact(kept, space, &to, 10);
                let hits = index.search(&Query { filters, ..query(space, to.clone(), 10) }).unwrap();
                prop_assert_eq!(hits.hits.len(), expected.len());
                // Vectors of appearance are kept with eight bits, so that equals may change places.
                for (hit, (_, cosine)) in hits.hits.iter().zip(&expected) {
                    let stages = [hit.stages.text, hit.stages.look, hit.stages.appearance];
                    let score = stages[space as usize].unwrap().score;
                    prop_assert!((score - cosine).abs() < 0.02, "{score} for {cosine}");
                }
            }
        }
    }
}

/// Images in clumps, as libraries are: many takes of each motif.
fn clumped(count: usize, random: &mut fastrand::Rng) -> Vec<Document> {
    let motifs: Vec<Vector> = (0..count / 40).map(|_| vector(random)).collect();
    let take = |number: usize, random: &mut fastrand::Rng| {
        let motif = motifs[random.usize(..motifs.len())].as_slice();
        let mut near = || Vector::normalised(motif.iter().map(|n| n + (random.f32() - 0.5) * 0.3).collect()).unwrap();
        let vectors = [near(), near(), near()];
        let [text, look, appearance] = vectors.map(Some);
        // So that filters keep one in a hundred, ten in a hundred, half.
        let tags = [(100, "hundredth"), (10, "tenth"), (2, "half")];
        let tags = tags.iter().filter(|(every, _)| random.usize(..*every) == 0).map(|(_, tag)| (*tag).to_owned());
        Document { tags: tags.collect(), text, look, appearance, ..image(&number.to_string(), "") }
    };
    (0..count).map(|number| take(number, random)).collect()
}

#[test]
fn a_large_library_is_searched_in_part_and_hardly_misses_anything_under_any_filter() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let library = clumped(6_000, &mut random);
    let few = IndexSettings { scanned: 1_000, ..settings() };
    let index = index_of(dir.path(), few, library.clone());
    index.maintain().unwrap();
    for (tag, fewest) in [(None, 0.95), (Some("half"), 0.95), (Some("tenth"), 1.0), (Some("hundredth"), 1.0)] {
        let kept = |image: &&Document| tag.is_none_or(|tag| image.tags.iter().any(|other| other == tag));
        for space in Space::ALL {
            let (mut right, mut all, mut scanned) = (0, 0, 0);
            for _ in 0..40 {
                let to = library[random.usize(..library.len())].vector(space).unwrap().clone();
                let expected = exact(library.iter().filter(kept), space, &to, 10);
                let filters = tag.map(|tag| Filter::Tag(tag.into())).into_iter().collect();
                let hits = index.search(&Query { filters, explain: true, ..query(space, to, 10) }).unwrap();
                right += overlap(&ids(&hits), &expected);
                all += expected.len();
                scanned += hits.explanation.unwrap().stages[0].scanned.unwrap();
            }
            // Eight bits alone may swap the tenth and the eleventh.
            let fewest: f64 = if space == Space::Appearance { 0.93 } else { fewest };
            let recall = right as f64 / f64::from(all as u32);
            assert!(recall >= fewest, "{space}, {tag:?}: recall {recall}");
            let average = scanned / 40;
            if tag.is_none() {
                assert!((1_000..3_000).contains(&average), "{average} of 6000 were compared");
            }
        }
    }
}

#[test]
fn more_like_this_leaves_out_the_image_itself() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(3);
    let library = clumped(400, &mut random);
    let index = index_of(dir.path(), settings(), library.clone());
    for original in library.iter().take(20) {
        let expected = exact(
            library.iter().filter(|image| image.id != original.id),
            Space::Appearance,
            original.appearance.as_ref().unwrap(),
            3,
        );
        let hits = index.search(&Query { like: Some(original.id.clone()), limit: 3, ..Query::default() }).unwrap();
        assert!(!ids(&hits).contains(&original.id.as_str()));
        let by_look = query(Space::Appearance, original.appearance.clone().unwrap(), 4);
        let by_look = index.search(&by_look).unwrap();
        assert_eq!(ids(&by_look)[0], original.id);
        assert!(overlap(&ids(&by_look)[1..], &expected) >= 2);
    }
}

#[test]
fn what_can_not_be_compared_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let index = index_of(dir.path(), settings(), [image("bare", "no vector")]);
    let code = |query: &Query| index.search(query).unwrap_err().code();
    let short = Vector::normalised(vec![1.0, 2.0]).unwrap();
    assert_eq!(code(&query(Space::Text, short.clone(), 1)), "index-dimensions-differ");
    assert_eq!(code(&Query { like: Some("nobody".into()), ..Query::default() }), "no-such-image");
    assert_eq!(code(&Query { like: Some("bare".into()), ..Query::default() }), "image-without-vector");
    let wrong = Document { text: Some(short.clone()), ..image("wrong", "") };
    assert_eq!(index.apply(&[put(wrong)], 2).unwrap_err().code(), "index-dimensions-differ");

    let dir = tempfile::tempdir().unwrap();
    let index = index_of(dir.path(), IndexSettings::default(), [image("bare", "")]);
    assert_eq!(index.search(&query(Space::Text, short, 1)).unwrap_err().code(), "index-no-such-space");
}
