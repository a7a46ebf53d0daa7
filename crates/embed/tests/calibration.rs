//! The calibration of the local model against the sample pairs that it was fitted to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use atelier_embed::fit::{self, Grade, SamplePair};
use atelier_embed::{MiniLm, ModelBytes, TextEmbedder, Vector};

/// Grade and cosine of every sample pair.
static GRADED: LazyLock<Vec<(Grade, f32)>> = LazyLock::new(grade);

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets")
}

fn pairs() -> Vec<SamplePair> {
    let text = std::fs::read_to_string(assets().join("calibration/pairs.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn grade() -> Vec<(Grade, f32)> {
    let tokenizer = std::fs::read(assets().join("models/minilm/tokenizer.json")).unwrap();
    let model = ModelBytes::File(assets().join("models/minilm/model-int8.onnx"));
    let minilm = MiniLm::load(model, &tokenizer, NonZeroUsize::new(2).unwrap()).unwrap();

    let pairs = pairs();
    let texts: BTreeSet<&String> = pairs.iter().flat_map(|pair| [&pair.topic, &pair.post]).collect();
    let texts: Vec<String> = texts.into_iter().cloned().collect();
    let vectors: BTreeMap<&String, Vector> = texts.iter().zip(minilm.embed(&texts).unwrap()).collect();
    let cosine = |pair: &SamplePair| vectors[&pair.topic].cosine(&vectors[&pair.post]).unwrap();
    pairs.iter().map(|pair| (pair.grade, cosine(pair))).collect()
}

#[test]
fn there_are_pairs_of_every_grade_for_every_topic_and_none_twice() {
    let pairs = pairs();
    assert!(pairs.len() >= 60);
    let mut topics: BTreeMap<&str, Vec<Grade>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for pair in &pairs {
        topics.entry(&pair.topic).or_default().push(pair.grade);
        assert!(seen.insert((&pair.topic, &pair.post)), "twice: {}", pair.post);
    }
    for (topic, grades) in topics {
        for grade in [Grade::Same, Grade::Related, Grade::Unrelated] {
            assert!(grades.iter().filter(|g| **g == grade).count() >= 2, "{grade:?}: {topic}");
        }
    }
}

/// Processors round differently, which may move a knot by a hundredth and no more.
#[test]
fn the_committed_knots_are_those_that_the_fit_gives() {
    let committed = MiniLm::default_calibration().unwrap();
    let fitted = fit::knots(&GRADED).unwrap();
    assert_eq!(committed.knots().len(), fitted.len());
    for (committed, fitted) in committed.knots().iter().zip(&fitted) {
        assert!((committed.cosine - fitted.cosine).abs() < 0.011, "{committed:?}, {fitted:?}");
        assert_eq!(committed.similarity, fitted.similarity);
    }
}

#[test]
fn calibrated_medians_lie_where_the_common_scale_wants_them() {
    let calibration = MiniLm::default_calibration().unwrap();
    for (grade, low, high) in [(Grade::Same, 0.78, 0.84), (Grade::Related, 0.60, 0.64), (Grade::Unrelated, 0.38, 0.42)]
    {
        let mut similarities: Vec<f32> =
            GRADED.iter().filter(|(g, _)| *g == grade).map(|(_, cosine)| calibration.apply(*cosine)).collect();
        similarities.sort_by(f32::total_cmp);
        let median = fit::quantile(&similarities, 0.5);
        assert!((low..=high).contains(&median), "{grade:?}: {median}");
    }
}

#[test]
fn no_post_of_its_topic_falls_among_the_typical_unrelated_ones() {
    let calibration = MiniLm::default_calibration().unwrap();
    for (grade, cosine) in GRADED.iter() {
        let similarity = calibration.apply(*cosine);
        match grade {
            Grade::Same => assert!(similarity > 0.5, "{cosine}: {similarity}"),
            Grade::Related => {}
            Grade::Unrelated => assert!(similarity < 0.7, "{cosine}: {similarity}"),
        }
    }
}
