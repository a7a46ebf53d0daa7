//! The sample data, with the embedder that ships: what becomes of each post is known beforehand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::num::NonZeroUsize;
use std::sync::Arc;

use atelier_embed::{MiniLm, ModelBytes};
use atelier_engine::Timestamp;
use atelier_replies::embedding::LocalEmbedding;
use atelier_replies::generate::{Counts, Selection, prepare};
use atelier_replies::import;
use atelier_store::Store;

const ASSETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets");

fn sample(name: &str) -> import::Imported {
    let bytes = std::fs::read(format!("{ASSETS}/samples/{name}")).unwrap();
    import::read("bench-pigeon", Some(name), &bytes).unwrap()
}

#[test]
fn every_sample_file_is_read() {
    let good = |name| {
        let imported = sample(name);
        assert_eq!(imported.bad, [], "{name}");
        imported.posts.len()
    };
    assert_eq!(good("posts.csv"), 192);
    assert_eq!(good("posts-x-api.json"), 5);
    assert_eq!(good("posts-old-names.csv"), 5);
    assert_eq!(good("posts.jsonl"), 5);
}

#[test]
fn the_malformed_sample_has_its_bad_rows_on_these_lines() {
    let imported = sample("posts-malformed.csv");
    assert_eq!(imported.posts.len(), 3);
    assert_eq!(imported.bad.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 4, 5, 8, 9]);
}

#[tokio::test]
async fn the_sample_posts_are_sorted_out_as_their_description_says() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let now: Timestamp = "2026-11-20T12:00:00Z".parse::<jiff::Timestamp>().unwrap().into();
    let finder = std::fs::read_to_string(format!("{ASSETS}/samples/finder.yml")).unwrap();
    store.add_project("bench-pigeon", &finder, now).await.unwrap();
    import::save(&store, "bench-pigeon", sample("posts.csv"), true, now).await.unwrap();

    let model = ModelBytes::File(format!("{ASSETS}/models/minilm/model-int8.onnx").into());
    let tokenizer = std::fs::read(format!("{ASSETS}/models/minilm/tokenizer.json")).unwrap();
    let threads = NonZeroUsize::new(2).unwrap();
    let embedding = LocalEmbedding::new(Arc::new(MiniLm::load(model, &tokenizer, threads).unwrap()));
    let selection = Selection { projects: vec!["bench-pigeon".into()], max_candidates: 200, ..Selection::default() };
    let prepared = prepare(&store, &selection, now, &embedding).await.unwrap();
    let expected = Counts { selected: 184, gated: 26, duplicates: 12, green: 39, yellow: 61, red: 46 };
    assert_eq!(prepared.counts(), expected);
    assert_eq!(prepared.to_draft(), 100);
}
