//! all-MiniLM-L6-v2, the text model that ships with Atelier.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use rten::{Model, NodeId, RunOptions, ThreadPool, Value};
use tokenizers::{Tokenizer, TruncationParams};

use crate::model::{self, ModelBytes, failed};
use crate::workers::Workers;
use crate::{Calibration, EmbedError, EmbedderId, Knot, TextEmbedder, Vector};

/// Tokens of a text that the model reads, its two marks of begin and end included; the rest is left out.
pub const MAX_TOKENS: usize = 256;

/// Characters of a text that the tokenizer reads, so that a text of megabytes costs no more than a long one.
/// It cuts something that the model would have read only where a token covers over 128 characters on average:
/// in words of such length, or in long runs of spaces.
pub const MAX_CHARACTERS: usize = 32_768;

const DIMENSIONS: usize = 384;

/// The vectors of so many texts are kept in memory: 4 MB at most.
const RECENT: NonZeroUsize = NonZeroUsize::new(2048).unwrap();

/// A longer text, in bytes, is no query: it is not asked for again so soon.
const REMEMBERED: usize = 400;

/// The local text embedder: a MiniLM sentence encoder of 384 dimensions, its weights quantised to int8.
///
/// A text's vector is the mean of its tokens' last hidden states, L2-normalised. Marks such as `[SEP]` that a
/// text contains are read as plain text.
///
/// Texts run through the model one by one, without padding, each on one thread: that way neither a text's
/// neighbours nor the number of threads can touch the rounding of its vector. It costs nothing: with the
/// weights packed at load, one text a thread is as fast as batches of 8 to 16 of equal length. Loaded, the
/// model takes about 130 MB of memory.
pub struct MiniLm {
    id: EmbedderId,
    calibration: Calibration,
    tokenizer: Tokenizer,
    model: Model,
    nodes: MiniLmNodes,
    workers: Workers,
    /// Vectors of the texts that were asked for last: a query is compared with words and with looks, and whoever types
    /// goes back and forth.
    recent: Mutex<LruCache<String, Vector>>,
}

/// The model's inputs and its output.
struct MiniLmNodes {
    input_ids: NodeId,
    attention_mask: NodeId,
    token_type_ids: NodeId,
    last_hidden_state: NodeId,
}

impl MiniLm {
    /// Name and version. The version changes with the model, the tokenizer, the pooling and the two limits.
    pub const ID: &str = "minilm-l6-v2-int8/1";

    /// The calibration's points: cosines at the quantiles of `assets/calibration/pairs.jsonl` on the left, the
    /// common scale on the right, as [`fit`](crate::fit) explains. `cargo run --example fit_calibration`
    /// prints them.
    const KNOTS: [(f32, f32); 6] =
        [(-0.30, 0.00), (0.01, 0.40), (0.18, 0.62), (0.29, 0.78), (0.44, 0.84), (1.00, 1.00)];

    /// Loads the model. It uses at most `threads` processor cores at a time, however many callers it has.
    ///
    /// # Errors
    /// [`EmbedError::ModelFile`], [`EmbedError::Model`] or [`EmbedError::Tokenizer`] if the files cannot be
    /// read or are not those of this model.
    pub fn load(model: ModelBytes, tokenizer: &[u8], threads: NonZeroUsize) -> Result<Self, EmbedError> {
        let model = model::load(model, EmbedError::Model)?;
        Ok(Self {
            id: Self::ID.parse()?,
            calibration: Self::default_calibration()?,
            tokenizer: load_tokenizer(tokenizer)?,
            nodes: find_nodes(&model)?,
            model,
            workers: Workers::new(threads),
            recent: Mutex::new(LruCache::new(RECENT)),
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

    /// Token ids of a text, begin and end marks included, at most [`MAX_TOKENS`].
    fn tokens(&self, text: &str) -> Result<Vec<i32>, EmbedError> {
        let end = text.char_indices().nth(MAX_CHARACTERS).map_or(text.len(), |(end, _)| end);
        let encoding =
            self.tokenizer.encode_fast(&text[..end], true).map_err(|error| EmbedError::Tokenize(error.to_string()))?;
        let tokens: Result<Vec<i32>, _> = encoding.get_ids().iter().map(|&id| i32::try_from(id)).collect();
        tokens.map_err(|error| EmbedError::Tokenize(error.to_string()))
    }

    fn recent(&self, text: &str) -> Option<Vector> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).get(text).cloned()
    }

    fn remember<'a>(&self, vectors: impl Iterator<Item = (&'a String, &'a Vector)>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        for (text, vector) in vectors.filter(|(text, _)| text.len() <= REMEMBERED) {
            recent.put(text.clone(), vector.clone());
        }
    }

    /// Vector of one text's tokens, worked out on `thread`.
    fn run(&self, tokens: Vec<i32>, thread: &Arc<ThreadPool>) -> Result<Vector, EmbedError> {
        let length = tokens.len();
        let tensor = |values| Value::from_shape([1, length], values).map_err(failed);
        let inputs = vec![
            (self.nodes.input_ids, tensor(tokens)?.into()),
            (self.nodes.attention_mask, tensor(vec![1; length])?.into()),
            (self.nodes.token_type_ids, tensor(vec![0; length])?.into()),
        ];
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(thread)));
        let [states] = self.model.run_n(inputs, [self.nodes.last_hidden_state], Some(options)).map_err(failed)?;
        let (shape, states) = states.into_shape_vec::<f32, 3>().map_err(failed)?;
        if shape != [1, length, DIMENSIONS] {
            return Err(EmbedError::Inference(format!(
                "it gave numbers of shape {shape:?} for {length} tokens, not [1, {length}, {DIMENSIONS}]"
            )));
        }
        // The sum over the tokens points where their mean does.
        let mut sum = vec![0.0_f32; DIMENSIONS];
        for state in states.chunks_exact(DIMENSIONS) {
            for (total, number) in sum.iter_mut().zip(state) {
                *total += number;
            }
        }
        Vector::normalised(sum)
    }
}

impl TextEmbedder for MiniLm {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        let mut done: Vec<(usize, Vector)> = Vec::with_capacity(texts.len());
        let mut queue: Vec<(usize, Vec<i32>)> = Vec::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            match self.recent(text) {
                Some(vector) => done.push((place, vector)),
                None => queue.push((place, self.tokens(text)?)),
            }
        }
        // The longest first, so that no thread begins a long text when the others are about to finish.
        queue.sort_by_key(|(_, tokens)| std::cmp::Reverse(tokens.len()));

        let run = self.workers.map(queue, |(place, tokens), thread| Ok((place, self.run(tokens, thread)?)))?;
        self.remember(run.iter().map(|(place, vector)| (&texts[*place], vector)));
        done.extend(run);
        done.sort_unstable_by_key(|(place, _)| *place);
        Ok(done.into_iter().map(|(_, vector)| vector).collect())
    }

    fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// A word that the vocabulary holds whole: that of BERT has the 30,000 most frequent words and parts of words.
    fn knows(&self, word: &str) -> bool {
        self.tokenizer.token_to_id(&word.to_lowercase()).is_some()
    }
}

/// Reads the tokenizer and sets what is ours to set: no padding, our length, and marks in a text (`[SEP]`,
/// `[MASK]` …) are text.
fn load_tokenizer(bytes: &[u8]) -> Result<Tokenizer, EmbedError> {
    let failed = |error: tokenizers::Error| EmbedError::Tokenizer(error.to_string());
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(failed)?;
    let truncation = TruncationParams { max_length: MAX_TOKENS, ..TruncationParams::default() };
    tokenizer.with_padding(None).with_truncation(Some(truncation)).map_err(failed)?;
    tokenizer.set_encode_special_tokens(true);
    Ok(tokenizer)
}

/// Finds the model's inputs and its output by name.
fn find_nodes(model: &Model) -> Result<MiniLmNodes, EmbedError> {
    let find = |name| model::node(model, name, EmbedError::Model);
    Ok(MiniLmNodes {
        input_ids: find("input_ids")?,
        attention_mask: find("attention_mask")?,
        token_type_ids: find("token_type_ids")?,
        last_hidden_state: find("last_hidden_state")?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn minilm() -> MiniLm {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/models/minilm");
        let tokenizer = std::fs::read(folder.join("tokenizer.json")).unwrap();
        MiniLm::load(ModelBytes::File(folder.join("model-int8.onnx")), &tokenizer, NonZeroUsize::MIN).unwrap()
    }

    /// The ids are those of the reference implementation of WordPiece.
    #[test]
    fn texts_become_the_token_ids_that_the_model_was_trained_on() {
        let minilm = minilm();
        let cases: [(&str, &[i32]); 12] = [
            ("", &[101, 102]),
            ("Hello, world!", &[101, 7592, 1010, 2088, 999, 102]),
            ("e\u{301}clair", &[101, 14925, 19771, 2099, 102]),
            ("\u{e9}clair", &[101, 14925, 19771, 2099, 102]),
            ("中文测试", &[101, 1746, 1861, 100, 100, 102]),
            ("mixed中文and English", &[101, 3816, 1746, 1861, 1998, 2394, 102]),
            ("a\u{0}b", &[101, 11113, 102]),
            ("\u{7}bell", &[101, 4330, 102]),
            ("\u{fffd}\u{fffd}broken", &[101, 3714, 102]),
            ("\u{e000}private", &[101, 2797, 102]),
            ("foo✨ bar", &[101, 100, 3347, 102]),
            ("zero\u{200b}width", &[101, 5717, 9148, 11927, 2232, 102]),
        ];
        for (text, expected) in cases {
            assert_eq!(minilm.tokens(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn marks_within_a_text_are_plain_text() {
        let tokens = minilm().tokens("[CLS] hi [SEP]").unwrap();
        let marks = |mark: i32| tokens.iter().filter(|&&token| token == mark).count();
        assert_eq!((marks(101), marks(102)), (1, 1), "{tokens:?}");
    }

    #[test]
    fn a_long_text_is_cut_and_keeps_its_end_mark() {
        let tokens = minilm().tokens(&"word ".repeat(2000)).unwrap();
        assert_eq!(tokens.len(), MAX_TOKENS);
        assert_eq!((tokens[0], tokens[1], tokens[MAX_TOKENS - 1]), (101, 2773, 102));
    }

    #[test]
    fn a_text_of_megabytes_is_read_no_further_than_the_limit() {
        let minilm = minilm();
        let spaces = " ".repeat(MAX_CHARACTERS - 2);
        assert_eq!(minilm.tokens(&format!("{spaces}é")).unwrap().len(), 3);
        assert_eq!(minilm.tokens(&format!("{spaces}é  word")).unwrap().len(), 3);
    }
}
