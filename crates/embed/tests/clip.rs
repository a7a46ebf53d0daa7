//! Exported CLIP and SigLIP models from outside: that their vectors are those of transformers, and what is said
//! of a folder that is not what it should be. `scripts/models/clip_fixtures.py` made the fixtures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use atelier_embed::{Clip, EmbedError, LookEmbedder, Picture, Vector};
use serde::Deserialize;

/// What transformers makes of pictures of these sizes and of these texts.
#[derive(Deserialize)]
struct Expected {
    sizes: Vec<(u32, u32)>,
    pictures: Vec<Vec<f32>>,
    texts: Vec<String>,
    vectors: Vec<Vec<f32>>,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn expected(name: &str) -> Expected {
    serde_json::from_str(&std::fs::read_to_string(fixture(name).join("expected.json")).unwrap()).unwrap()
}

fn load(folder: &Path, threads: usize) -> Result<Clip, EmbedError> {
    Clip::load(folder, NonZeroUsize::new(threads).unwrap())
}

/// The same as in the script that made the fixtures.
fn picture(width: u32, height: u32) -> Picture {
    let pixel = |x: u32, y: u32| {
        [(x * 5 + y * 3) % 256, (x * y) % 256, if (x / 7 + y / 5).is_multiple_of(2) { 230 } else { 25 }]
            .map(|n| n as u8)
    };
    let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
    Picture::new(width, height, rgb).unwrap()
}

/// The greatest difference of two numbers.
fn apart(vector: &Vector, expected: &[f32]) -> f32 {
    assert_eq!(vector.dimensions(), expected.len());
    vector.as_slice().iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// A copy of a fixture, to break something in it.
fn copy_of(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "preprocessor_config.json", "tokenizer.json"] {
        std::fs::copy(fixture(name).join(file), folder.path().join(file)).unwrap();
    }
    for model in ["vision_model.onnx", "text_model.onnx"] {
        std::fs::copy(fixture(name).join("onnx").join(model), folder.path().join(model)).unwrap();
    }
    folder
}

fn error_of(folder: &Path) -> EmbedError {
    match load(folder, 1) {
        Ok(_) => panic!("it loaded"),
        Err(error) => error,
    }
}

#[test]
fn vectors_are_those_of_transformers_from_pixels_and_text_on() {
    for name in ["clip-tiny", "siglip-tiny"] {
        let (clip, expected) = (load(&fixture(name), 2).unwrap(), expected(name));
        let pictures: Vec<Picture> = expected.sizes.iter().map(|&(width, height)| picture(width, height)).collect();
        for ((look, vector), size) in clip.look(&pictures).unwrap().iter().zip(&expected.pictures).zip(&expected.sizes)
        {
            let apart = apart(&look.meaning, vector);
            assert!(apart < 1e-4, "{name} {size:?}: {apart}");
            assert_eq!(look.meaning, look.appearance);
        }
        for ((query, vector), text) in
            clip.query(&expected.texts).unwrap().iter().zip(&expected.vectors).zip(&expected.texts)
        {
            let apart = apart(query, vector);
            assert!(apart < 1e-4, "{name} {text:?}: {apart}");
        }
    }
}

#[test]
fn the_number_of_threads_and_neighbours_change_no_vector() {
    for name in ["clip-tiny", "siglip-tiny"] {
        let pictures: Vec<Picture> = [(50, 40), (33, 90), (64, 64)].map(|(w, h)| picture(w, h)).to_vec();
        let (one, three) = (load(&fixture(name), 1).unwrap(), load(&fixture(name), 3).unwrap());
        assert_eq!(one.look(&pictures).unwrap(), three.look(&pictures).unwrap());
        assert_eq!(one.look(&pictures[1..2]).unwrap()[0], three.look(&pictures).unwrap()[1]);
        let texts = ["a cat".to_owned(), "cat ".repeat(500)];
        assert_eq!(one.query(&texts).unwrap(), three.query(&texts).unwrap());
    }
}

#[test]
fn the_id_is_the_folder_and_its_content() {
    let (clip, siglip) = (load(&fixture("clip-tiny"), 1).unwrap(), load(&fixture("siglip-tiny"), 1).unwrap());
    assert_eq!((clip.id().name(), siglip.id().name()), ("clip-tiny", "siglip-tiny"));
    assert_ne!(clip.id().version(), siglip.id().version());
    assert_eq!(clip.id(), clip.query_id());
    assert_eq!((clip.meaning_dimensions(), siglip.appearance_dimensions()), (16, 24));

    let folder = copy_of("clip-tiny");
    let named = folder.path().join("my clip");
    std::fs::create_dir(&named).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).filter(|p| p.is_file()) {
        std::fs::copy(&file, named.join(file.file_name().unwrap())).unwrap();
    }
    let copy = load(&named, 1).unwrap();
    assert_eq!((copy.id().name(), copy.id().version()), ("my-clip", clip.id().version()));
    let settings = std::fs::read_to_string(named.join("preprocessor_config.json")).unwrap();
    std::fs::write(named.join("preprocessor_config.json"), settings.replace("0.48145466", "0.5")).unwrap();
    assert_ne!(load(&named, 1).unwrap().id().version(), clip.id().version());
}

#[test]
fn there_is_a_calibration_only_where_someone_put_one() {
    let folder = copy_of("siglip-tiny");
    assert!(load(folder.path(), 1).unwrap().calibration().is_none());
    let file = folder.path().join("calibration.json");
    std::fs::write(
        &file,
        r#"{"name": "mine/1", "knots": [{"cosine": 0, "similarity": 0}, {"cosine": 1, "similarity": 1}]}"#,
    )
    .unwrap();
    assert_eq!(load(folder.path(), 1).unwrap().calibration().unwrap().name(), "mine/1");
    std::fs::write(&file, r#"{"name": "mine/1", "knots": []}"#).unwrap();
    assert_eq!(error_of(folder.path()).code(), "clip-setting-invalid");
}

#[test]
fn a_folder_that_lacks_a_file_is_said_to_lack_it() {
    for file in ["config.json", "preprocessor_config.json", "tokenizer.json", "vision_model.onnx", "text_model.onnx"] {
        let folder = copy_of("clip-tiny");
        std::fs::remove_file(folder.path().join(file)).unwrap();
        let error = error_of(folder.path());
        assert_eq!(error.code(), "clip-file-missing", "{file}");
        assert!(error.to_string().contains(&format!("has no {file}")), "{error}");
        assert!(error.hint().contains(file), "{}", error.hint());
    }
    assert_eq!(error_of(Path::new("/does/not/exist")).code(), "clip-file-missing");
}

#[test]
fn settings_that_are_not_supported_are_named() {
    for (file, from, to, said) in [
        ("config.json", "\"clip\"", "\"blip\"", "\"blip\""),
        ("config.json", "{", "[", "config.json cannot be used"),
        ("preprocessor_config.json", "\"resample\": 3", "\"resample\": 0", "resample is 0"),
        ("tokenizer.json", "BPE", "XYZ", "tokenizer.json cannot be used"),
    ] {
        let folder = copy_of("clip-tiny");
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} {from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = error_of(folder.path());
        assert_eq!(error.code(), "clip-setting-invalid", "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn models_that_are_none_or_have_other_tensors_or_shapes_are_named() {
    let broken = |change: &dyn Fn(&Path)| {
        let folder = copy_of("clip-tiny");
        change(folder.path());
        let error = error_of(folder.path());
        assert_eq!(error.code(), "clip-model-invalid", "{error}");
        error.to_string()
    };
    let cut = |folder: &Path| {
        let bytes = std::fs::read(folder.join("vision_model.onnx")).unwrap();
        std::fs::write(folder.join("vision_model.onnx"), &bytes[..bytes.len() / 2]).unwrap();
    };
    assert!(broken(&cut).contains("vision_model.onnx is not the model that is needed"));

    let swapped = |folder: &Path| {
        std::fs::copy(folder.join("text_model.onnx"), folder.join("vision_model.onnx")).unwrap();
    };
    assert!(broken(&swapped).contains("it has no input \"pixel_values\", but input_ids"));

    // SigLIP's half has the right input, and an output of another name.
    let other = |folder: &Path| {
        std::fs::copy(fixture("siglip-tiny/onnx/vision_model.onnx"), folder.join("vision_model.onnx")).unwrap();
    };
    assert!(broken(&other).contains("it has no output \"image_embeds\", but last_hidden_state, pooler_output"));

    let larger = |folder: &Path| {
        let path = folder.join("preprocessor_config.json");
        let text = std::fs::read_to_string(&path).unwrap().replace(": 32", ": 48");
        std::fs::write(path, text).unwrap();
    };
    assert!(broken(&larger).contains("the model failed"));

    let folder = copy_of("siglip-tiny");
    std::fs::copy(fixture("clip-tiny/onnx/vision_model.onnx"), folder.path().join("vision_model.onnx")).unwrap();
    let error = error_of(folder.path()).to_string();
    assert!(error.contains("vectors of different lengths, [16, 24]"), "{error}");
}
