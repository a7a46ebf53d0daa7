//! The local look model from outside: what it makes of pictures and of words, and of files that are not its own.
//! The pictures are from the Open Clip Art Library, in the public domain.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use atelier_embed::{
    ConceptList, EfficientNet, EfficientNetFiles, EmbedError, EmbedderId, Look, LookEmbedder, MiniLm, ModelBytes,
    Picture, TextEmbedder, Vector,
};

static MINILM: LazyLock<Arc<MiniLm>> = LazyLock::new(|| {
    let tokenizer = std::fs::read(model("minilm/tokenizer.json")).unwrap();
    let bytes = ModelBytes::File(model("minilm/model-int8.onnx"));
    Arc::new(MiniLm::load(bytes, &tokenizer, NonZeroUsize::new(2).unwrap()).unwrap())
});

static LOOKS: LazyLock<EfficientNet> = LazyLock::new(|| load(2));

/// Every picture with words that mean it.
const MEANT: [(&str, &str); 9] = [
    ("guitar", "an acoustic guitar"),
    ("padlock", "a lock"),
    ("puppy", "a young dog"),
    ("teacup", "a cup of tea"),
    ("aircraft", "passenger plane in the sky"),
    ("strawberry", "ripe strawberries"),
    ("penguin", "a penguin on the ice"),
    ("racket", "tennis"),
    ("bicycle", "someone riding a bike"),
];

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models").join(name)
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(model("efficientnet-lite0").join(name)).unwrap()
}

fn concepts() -> String {
    String::from_utf8(file("concepts.txt")).unwrap()
}

fn load(threads: usize) -> EfficientNet {
    load_with(&concepts(), &file("vectors.bin"), file("model-int8.onnx"), threads).unwrap()
}

fn load_with(concepts: &str, vectors: &[u8], model: Vec<u8>, threads: usize) -> Result<EfficientNet, EmbedError> {
    let files = EfficientNetFiles { model: ModelBytes::Owned(model), concepts, vectors };
    EfficientNet::load(files, Arc::clone(&*MINILM) as Arc<dyn TextEmbedder>, NonZeroUsize::new(threads).unwrap())
}

/// Reads a PPM of eight bits a channel.
fn picture(name: &str) -> Picture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures").join(name).with_extension("ppm");
    let bytes = std::fs::read(path).unwrap();
    let mut head = bytes.splitn(4, u8::is_ascii_whitespace);
    let mut next = || std::str::from_utf8(head.next().unwrap()).unwrap();
    assert_eq!(next(), "P6");
    let (width, height) = (next().parse().unwrap(), next().parse().unwrap());
    let rgb = head.next().unwrap().strip_prefix(b"255\n").unwrap();
    Picture::new(width, height, rgb.to_vec()).unwrap()
}

fn pictures() -> Vec<Picture> {
    MEANT.iter().map(|(name, _)| picture(name)).collect()
}

fn query(text: &str) -> Vector {
    LOOKS.query(&[text.to_owned()]).unwrap().remove(0)
}

/// Names of the pictures, the best first, with their cosines.
fn found(text: &str) -> Vec<(&'static str, f32)> {
    static SEEN: LazyLock<Vec<Look>> = LazyLock::new(|| LOOKS.look(&pictures()).unwrap());
    let query = query(text);
    let cosine = |look: &Look| look.meaning.cosine(&query).unwrap();
    let mut found: Vec<_> = MEANT.iter().zip(&*SEEN).map(|((name, _), look)| (*name, cosine(look))).collect();
    found.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    found
}

#[test]
fn words_find_the_picture_that_shows_what_they_mean() {
    for (name, words) in MEANT {
        let found = found(words);
        assert_eq!(found[0].0, name, "{words}: {found:?}");
    }
}

#[test]
fn a_broader_word_finds_what_is_below_it() {
    for (word, names) in [
        ("a musical instrument", &["guitar"][..]),
        ("fruit", &["strawberry"]),
        ("animals", &["puppy", "penguin"]),
        ("a vehicle", &["aircraft", "bicycle"]),
    ] {
        let found = found(word);
        assert!(names.contains(&found[0].0), "{word}: {found:?}");
    }
}

#[test]
fn what_is_in_no_picture_stays_below_the_cut_off_and_what_is_there_above() {
    let calibration = LOOKS.calibration().unwrap();
    for words in [
        "fgzkwbl qwrtz",
        "quarterly earnings forecast",
        "terms and conditions",
        "a proof by induction",
        "zebra",
        "steam locomotive",
        "a plate of spaghetti",
    ] {
        let best = found(words)[0];
        assert!(calibration.apply(best.1) < 0.55, "{words}: {best:?}");
    }
    for words in ["an acoustic guitar", "a lock", "a young dog", "passenger plane in the sky", "ripe strawberries"] {
        let best = found(words)[0];
        assert!(calibration.apply(best.1) > 0.55, "{words}: {best:?}");
    }
}

#[test]
fn a_picture_looks_most_like_itself_at_another_size_and_place() {
    let looks = LOOKS.look(&pictures()).unwrap();
    for (name, _) in MEANT {
        // Twice as large, and farther to the right on a wide white ground.
        let original = picture(name);
        let (width, height) = (original.width() as usize, original.height() as usize);
        let pixel = |x: usize, y: usize| {
            let place = (x >= width).then(|| (y / 2 * width + (x - width) / 2) * 3);
            place.map_or([255; 3], |place| [0, 1, 2].map(|channel| original.rgb()[place + channel]))
        };
        let rgb = (0..2 * height).flat_map(|y| (0..3 * width).flat_map(move |x| pixel(x, y))).collect();
        let other = Picture::new(original.width() * 3, original.height() * 2, rgb).unwrap();
        let look = LOOKS.look(&[other]).unwrap().remove(0);
        let cosines: Vec<f32> = looks.iter().map(|l| l.appearance.cosine(&look.appearance).unwrap()).collect();
        let best = (0..cosines.len()).max_by(|&a, &b| cosines[a].total_cmp(&cosines[b])).unwrap();
        assert_eq!(MEANT[best].0, name, "{cosines:?}");
    }
}

#[test]
fn looks_do_not_depend_on_neighbours_order_or_threads() {
    let all = pictures();
    let together = LOOKS.look(&all).unwrap();
    assert_eq!(load(1).look(&all).unwrap(), together);
    let backwards: Vec<Picture> = all.iter().rev().cloned().collect();
    let mut reversed = load(3).look(&backwards).unwrap();
    reversed.reverse();
    assert_eq!(reversed, together);
    assert_eq!(LOOKS.look(&all[2..3]).unwrap()[0], together[2]);
}

#[test]
fn lengths_are_what_they_are_said_to_be() {
    let looks: &dyn LookEmbedder = &*LOOKS;
    let look = looks.look(&[picture("teacup")]).unwrap().remove(0);
    assert_eq!(look.meaning.dimensions(), looks.meaning_dimensions());
    assert_eq!(look.appearance.dimensions(), looks.appearance_dimensions());
    assert_eq!(query("tea").dimensions(), looks.meaning_dimensions());
    assert!(looks.look(&[]).unwrap().is_empty());
    assert!(looks.query(&[]).unwrap().is_empty());
}

#[test]
fn pictures_of_any_shape_have_a_look() {
    let odd = |width: u32, height: u32, byte: fn(usize) -> u8| {
        Picture::new(width, height, (0..width as usize * height as usize * 3).map(byte).collect()).unwrap()
    };
    let pictures = [
        odd(1, 1, |_| 0),
        odd(1, 1000, |n| (n % 251) as u8),
        odd(3000, 2, |n| (n % 7 * 30) as u8),
        odd(224, 224, |_| 255),
        odd(300, 200, |n| (n.wrapping_mul(2_654_435_761) >> 13) as u8),
    ];
    assert_eq!(LOOKS.look(&pictures).unwrap().len(), pictures.len());
}

#[test]
fn a_query_by_the_vector_of_its_text_is_the_query_by_the_text() {
    let text = MINILM.embed(&["a red bicycle".to_owned()]).unwrap();
    assert_eq!(LOOKS.query_of(&text[0]).unwrap(), query("a red bicycle"));
    let short = Vector::normalised(vec![1.0, 2.0]).unwrap();
    assert_eq!(LOOKS.query_of(&short).unwrap_err().code(), "vector-dimensions-differ");
}

#[test]
fn it_says_who_it_is() {
    assert_eq!(LOOKS.id().to_string(), "efficientnet-lite0-int8/1");
    assert_eq!(LOOKS.query_id().to_string(), "minilm-l6-v2-int8+concepts/1");
    assert_eq!(LOOKS.calibration().unwrap().name(), "efficientnet-lite0-int8/1");
}

/// It fails after a change of the list or the text model, until the vectors are derived again.
#[test]
fn the_committed_vectors_are_those_that_the_text_model_gives_now() {
    let list = concepts();
    let list = ConceptList::read(&list).unwrap();
    let sample: Vec<usize> = (0..list.names().len()).step_by(97).collect();
    let texts: Vec<String> = sample.iter().map(|&place| list.names()[place].clone()).collect();
    let bytes = file("vectors.bin");
    let length = 4 + MINILM.dimensions();
    let vectors = &bytes[bytes.len() - list.names().len() * length..];
    for (place, vector) in sample.iter().zip(MINILM.embed(&texts).unwrap()) {
        let (scale, codes) = vectors[place * length..][..length].split_first_chunk().unwrap();
        let numbers = codes.iter().map(|&code| f32::from(code as i8) * f32::from_le_bytes(*scale)).collect();
        let cosine = vector.cosine(&Vector::normalised(numbers).unwrap()).unwrap();
        assert!(cosine > 0.9995, "{:?}: {cosine}", list.names()[*place]);
    }
}

#[test]
fn the_classes_are_those_of_the_model_in_its_order() {
    let labels = String::from_utf8(file("imagenet-labels.txt")).unwrap();
    let list = ConceptList::read(&concepts()).unwrap();
    for (class, label) in labels.lines().enumerate() {
        assert_eq!(list.names_of(class)[0], label);
    }
    assert_eq!(labels.lines().count(), 1000);
}

#[test]
fn files_that_are_not_of_this_model_are_clear_errors() {
    let code = |result: Result<EfficientNet, EmbedError>| match result {
        Ok(_) => panic!("it loaded"),
        Err(error) => error.code(),
    };
    let (list, vectors, model) = (concepts(), file("vectors.bin"), file("model-int8.onnx"));
    assert_eq!(code(load_with("", &vectors, model.clone(), 1)), "concepts-invalid");
    assert_eq!(code(load_with(&list, &vectors[..5000], model.clone(), 1)), "concepts-invalid");
    let changed = list.replacen("tench", "trout", 1);
    assert_eq!(code(load_with(&changed, &vectors, model.clone(), 1)), "concepts-invalid");
    assert_eq!(code(load_with(&list, &vectors, b"not a model".to_vec(), 1)), "look-model-invalid");
    let text_model = std::fs::read(self::model("minilm/model-int8.onnx")).unwrap();
    assert_eq!(code(load_with(&list, &vectors, text_model, 1)), "look-model-invalid");

    struct Other(EmbedderId);
    impl TextEmbedder for Other {
        fn id(&self) -> &EmbedderId {
            &self.0
        }
        fn dimensions(&self) -> usize {
            MINILM.dimensions()
        }
        fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
            MINILM.embed(texts)
        }
        fn calibration(&self) -> &atelier_embed::Calibration {
            MINILM.calibration()
        }
    }
    let other = Arc::new(Other("another/1".parse().unwrap()));
    let files = EfficientNetFiles { model: ModelBytes::Owned(model), concepts: &list, vectors: &vectors };
    assert_eq!(code(EfficientNet::load(files, other, NonZeroUsize::MIN)), "concepts-invalid");
}
