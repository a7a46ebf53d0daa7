//! EfficientNet-Lite0, the model for pictures that ships with Atelier.

mod concepts;
mod frame;
mod list;

use std::num::NonZeroUsize;
use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool, Value};

use self::concepts::Concepts;
use self::frame::{SIDE, frame};
use self::list::CLASSES;
pub use self::list::ConceptList;
use crate::model::{self, ModelBytes, failed};
use crate::picture::CHANNELS;
use crate::workers::Workers;
use crate::{Calibration, EmbedError, EmbedderId, Knot, Look, LookEmbedder, Picture, TextEmbedder, Vector};

/// Numbers in the layer before the logits.
const FEATURES: usize = 1280;

/// The local look embedder: EfficientNet-Lite0, a classifier of ImageNet's 1,000 classes, most of its weights
/// quantised to int8.
///
/// A picture's meaning, and a query's, is how much of each concept there is in it; concepts are the classes
/// and broader ones above them (`assets/models/efficientnet-lite0/concepts.txt`), and queries find theirs by
/// a text encoder. A picture's appearance is the 1,280 numbers of the layer before the logits.
///
/// Pictures run through the model one by one, each on one thread: 35 to 45 ms for one of 512 pixels a side,
/// on one core of a small server. A query takes the text encoder's time, about 3 to 5 ms, and 0.2 ms more.
/// Loaded, the model takes about 45 MB of memory. Larger pictures are scaled down in here, at up to a
/// millisecond a megapixel; a caller that has a smaller rendering can pass that instead.
pub struct EfficientNet {
    id: EmbedderId,
    query_id: EmbedderId,
    calibration: Calibration,
    concepts: Concepts,
    text: Arc<dyn TextEmbedder>,
    model: Model,
    nodes: EfficientNetNodes,
    workers: Workers,
}

/// The model's input and its outputs.
struct EfficientNetNodes {
    image: NodeId,
    logits: NodeId,
    embedding: NodeId,
}

/// The files of the model, from `assets/models/efficientnet-lite0`.
#[derive(Debug)]
pub struct EfficientNetFiles<'a> {
    /// Bytes of `model-int8.onnx`.
    pub model: ModelBytes,
    /// Text of `concepts.txt`.
    pub concepts: &'a str,
    /// Bytes of `vectors.bin`.
    pub vectors: &'a [u8],
}

impl EfficientNet {
    /// Name and version. The version changes with the model, the way that pictures are shown to it, the
    /// concepts, and what is made of its outputs.
    pub const ID: &str = "efficientnet-lite0-int8/1";

    /// Version of the space of concepts, in the id of queries: it changes with [`ID`](Self::ID)'s.
    const QUERY_VERSION: &str = "1";

    /// The calibrated similarity from which on a picture answers a query by its look: below, nothing is shown.
    pub const SHOWN_FROM: f32 = 0.55;

    /// The calibration's points. Of queries that no picture answers, 95 of a hundred find nothing above 0.18 among
    /// 1,169 drawings of openclipart (`examples/look_recall.rs`), but above 0.30 among 795 stamps of Tux Paint and
    /// 170 photos and drawings, which is the edge of what is shown; 0.40 is a match that even another opinion does
    /// not outweigh, and 0.6 the greatest that was seen.
    const KNOTS: [(f32, f32); 4] = [(0.0, 0.0), (0.30, Self::SHOWN_FROM), (0.40, 0.78), (0.6, 1.0)];

    /// Loads the model. It uses at most `threads` processor cores at a time for pictures, however many
    /// callers it has; queries use those of `text`, the encoder that made the concepts' vectors.
    ///
    /// # Errors
    /// [`EmbedError::ModelFile`], [`EmbedError::LookModel`] or [`EmbedError::Concepts`] if the files cannot be
    /// read, are not those of this model, or their vectors are not those of `text`.
    pub fn load(
        files: EfficientNetFiles<'_>,
        text: Arc<dyn TextEmbedder>,
        threads: NonZeroUsize,
    ) -> Result<Self, EmbedError> {
        let concepts = Concepts::load(files.concepts, files.vectors, text.id(), text.dimensions())?;
        let model = model::load(files.model, EmbedError::LookModel)?;
        let find = |name| model::node(&model, name, EmbedError::LookModel);
        Ok(Self {
            id: Self::ID.parse()?,
            query_id: format!("{}+concepts/{}", text.id().name(), Self::QUERY_VERSION).parse()?,
            calibration: Self::default_calibration()?,
            nodes: EfficientNetNodes { image: find("image")?, logits: find("logits")?, embedding: find("embedding")? },
            concepts,
            text,
            model,
            workers: Workers::new(threads),
        })
    }

    /// The calibration that [`load`](Self::load) gives it, without loading anything.
    ///
    /// # Errors
    /// None with the points as they are: they are checked like any others.
    pub fn default_calibration() -> Result<Calibration, EmbedError> {
        let knots = Self::KNOTS.map(|(cosine, similarity)| Knot { cosine, similarity });
        Calibration::new(Self::ID, knots.to_vec())
    }

    /// The vector of a query whose vector in the text encoder's space is known: the encoder does not run.
    ///
    /// # Errors
    /// [`EmbedError::DimensionsDiffer`] if it can't be one of that encoder's.
    pub fn query_of(&self, text: &Vector) -> Result<Vector, EmbedError> {
        self.concepts.of_text(text)
    }

    /// The look of one picture, worked out on `thread`.
    fn run(&self, picture: &Picture, thread: &Arc<ThreadPool>) -> Result<Look, EmbedError> {
        let (logits, features) = self.outputs(&frame(picture)?, thread)?;
        Ok(Look { meaning: self.concepts.of_logits(&logits)?, appearance: Vector::normalised(features)? })
    }

    /// Logits and features of a picture that is as large as the model reads.
    fn outputs(&self, picture: &Picture, thread: &Arc<ThreadPool>) -> Result<(Vec<f32>, Vec<f32>), EmbedError> {
        let side = SIDE as usize;
        let numbers = picture.planes(|_, byte| (f32::from(byte) - 127.0) / 128.0);
        let input = Value::from_shape([1, CHANNELS, side, side], numbers).map_err(failed)?;
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(thread)));
        let [logits, features] = self
            .model
            .run_n(vec![(self.nodes.image, input.into())], [self.nodes.logits, self.nodes.embedding], Some(options))
            .map_err(failed)?;
        let (logits_shape, logits) = logits.into_shape_vec::<f32, 2>().map_err(failed)?;
        let (shape, features) = features.into_shape_vec::<f32, 2>().map_err(failed)?;
        if (logits_shape, shape) != ([1, CLASSES], [1, FEATURES]) {
            return Err(failed(format!("it gave numbers of shapes {logits_shape:?} and {shape:?}")));
        }
        Ok((logits, features))
    }
}

impl LookEmbedder for EfficientNet {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn meaning_dimensions(&self) -> usize {
        self.concepts.dimensions()
    }

    fn appearance_dimensions(&self) -> usize {
        FEATURES
    }

    fn look(&self, pictures: &[Picture]) -> Result<Vec<Look>, EmbedError> {
        self.workers.map(pictures.iter().collect(), |picture, thread| self.run(picture, thread))
    }

    fn query_id(&self) -> &EmbedderId {
        &self.query_id
    }

    fn query(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        self.text.embed(texts)?.iter().map(|vector| self.query_of(vector)).collect()
    }

    fn calibration(&self) -> Option<&Calibration> {
        Some(&self.calibration)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::MiniLm;

    fn file(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/models").join(name)
    }

    fn load() -> EfficientNet {
        let tokenizer = std::fs::read(file("minilm/tokenizer.json")).unwrap();
        let model = ModelBytes::File(file("minilm/model-int8.onnx"));
        let text = Arc::new(MiniLm::load(model, &tokenizer, NonZeroUsize::MIN).unwrap());
        let files = EfficientNetFiles {
            model: ModelBytes::File(file("efficientnet-lite0/model-int8.onnx")),
            concepts: &std::fs::read_to_string(file("efficientnet-lite0/concepts.txt")).unwrap(),
            vectors: &std::fs::read(file("efficientnet-lite0/vectors.bin")).unwrap(),
        };
        EfficientNet::load(files, text, NonZeroUsize::MIN).unwrap()
    }

    /// The logits are those of the model in f32 in another runtime; the eight bits move them by a little.
    #[test]
    fn the_five_highest_logits_of_the_check_picture_are_those_of_the_original_model() {
        let a = |row: u32, column: u32| (row + column) % 256;
        let pixel = |row, column| [a(row, column), a(SIDE - 1 - row, column), 255 - a(row, column)].map(|n| n as u8);
        let rgb = (0..SIDE).flat_map(|row| (0..SIDE).flat_map(move |column| pixel(row, column))).collect();
        let picture = Picture::new(SIDE, SIDE, rgb).unwrap();

        let thread = Arc::new(ThreadPool::with_num_threads(1));
        let (logits, _) = load().outputs(&picture, &thread).unwrap();
        let mut highest: Vec<usize> = (0..CLASSES).collect();
        highest.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        assert_eq!(highest[..5], [818, 470, 908, 782, 437]);
        for (class, expected) in [(818, 6.8078), (470, 4.9845), (908, 4.5527), (782, 4.3809), (437, 4.2916)] {
            assert!((logits[class] - expected).abs() < 0.1, "{class}: {}, not {expected}", logits[class]);
        }
    }
}
