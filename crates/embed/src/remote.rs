//! The engine's task for remote embedders: requests of texts and pictures, and vectors out of the replies.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use atelier_engine::{
    Content, EmbeddingInput, EmbeddingRequest, ImageData, Item, ItemFault, Outcome, Reply, Request, Task, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::Vector;

/// The most texts or pictures that providers take in one call.
const MOST_INPUTS: usize = 100;
/// The most characters of a text that are sent: providers embed 2,048 tokens at least.
const MOST_CHARACTERS: usize = 6_000;

/// Texts and pictures to vectors, through the engine.
#[derive(Clone, Debug)]
pub struct EmbedTask {
    /// Numbers asked for in each vector.
    pub dimensions: u32,
    /// The pictures that its items name.
    pub pictures: Arc<HashMap<String, ImageData>>,
}

/// The payload of an item: a JSON string is a text, an object names a picture.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Payload {
    Text(String),
    Picture { picture: String },
}

impl EmbedTask {
    /// A task for texts alone.
    #[must_use]
    pub fn texts(dimensions: u32) -> Self {
        Self { dimensions, pictures: Arc::default() }
    }

    /// The payload of an item that is this text, or the beginning of it if it is longer than embedders read.
    #[must_use]
    pub fn text(text: &str) -> Arc<str> {
        serde_json::json!(text.chars().take(MOST_CHARACTERS).collect::<String>()).to_string().into()
    }

    /// The payload of an item that is the picture of this name among the task's pictures.
    #[must_use]
    pub fn picture(name: &str) -> Arc<str> {
        serde_json::json!({ "picture": name }).to_string().into()
    }

    /// The name of the picture that an item's payload asks for; none if it asks for a text.
    #[must_use]
    pub fn named_picture(payload: &str) -> Option<String> {
        match serde_json::from_str(payload).ok()? {
            Payload::Picture { picture } => Some(picture),
            Payload::Text(_) => None,
        }
    }

    /// The vector that an item's result holds; none if it holds none.
    #[must_use]
    pub fn vector(result: &str) -> Option<Vector> {
        let text = serde_json::from_str::<String>(result).ok()?;
        Vector::from_bytes(&unhex(&text)?).ok()
    }

    fn input(&self, payload: &str) -> Result<EmbeddingInput, String> {
        match serde_json::from_str(payload) {
            Ok(Payload::Text(text)) => Ok(EmbeddingInput::Text(text)),
            Ok(Payload::Picture { picture }) => {
                let data = self.pictures.get(&picture).cloned();
                data.map(EmbeddingInput::Image).ok_or_else(|| format!("the picture {picture} is not there any more"))
            }
            Err(error) => Err(format!("it can't be read from the job: {error}")),
        }
    }
}

impl Task for EmbedTask {
    fn compose(&self, items: &[Item]) -> Result<Request, ItemFault> {
        let input = |(index, item): (usize, &Item)| {
            let fault = |message| ItemFault { index, code: "item-unreadable", message };
            self.input(&item.payload).map_err(fault)
        };
        let inputs = items.iter().enumerate().map(input).collect::<Result<_, _>>()?;
        Ok(Request::Embedding(EmbeddingRequest { inputs, dimensions: Some(self.dimensions) }))
    }

    /// A vector belongs to the item at its place in the reply, so with one too many or too few none is used.
    fn parse(&self, reply: &Reply, items: &[Item]) -> Vec<Outcome> {
        let Content::Vectors(vectors) = &reply.content else { return Vec::new() };
        if vectors.len() != items.len() {
            return Vec::new();
        }
        let outcome = |(item, numbers): (&Item, &Vec<f32>)| {
            let vector = Vector::normalised(numbers.clone()).ok()?;
            let whole = u32::try_from(vector.dimensions()).is_ok_and(|dimensions| dimensions == self.dimensions);
            let result = serde_json::to_string(&hex(&vector.to_bytes())).ok()?;
            whole.then(|| Outcome { seq: item.seq, verdict: Verdict::Done { result: result.into() } })
        };
        items.iter().zip(vectors).filter_map(outcome).collect()
    }

    fn pack_limit(&self) -> usize {
        MOST_INPUTS
    }

    fn name(&self) -> &'static str {
        "embeddings"
    }

    fn output_tokens_per_item(&self) -> u64 {
        0
    }
}

/// Lower-case hexadecimal: an outcome holds text, and a vector is stored bit for bit.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use atelier_engine::{Ending, Usage};

    use super::*;

    fn items(payloads: impl IntoIterator<Item = Arc<str>>) -> Vec<Item> {
        let item = |(seq, payload)| Item { seq: seq as u64, lane: "embedding".into(), payload };
        payloads.into_iter().enumerate().map(item).collect()
    }

    fn texts(texts: &[&str]) -> Vec<Item> {
        items(texts.iter().map(|text| EmbedTask::text(text)))
    }

    fn outcomes(vectors: Vec<Vec<f32>>, asked: &[&str]) -> Vec<Outcome> {
        let reply = Reply {
            content: Content::Vectors(vectors),
            ending: Ending::Complete,
            usage: Usage::default(),
            limits: Vec::new(),
        };
        EmbedTask::texts(2).parse(&reply, &texts(asked))
    }

    fn seqs(vectors: Vec<Vec<f32>>, asked: &[&str]) -> Vec<u64> {
        outcomes(vectors, asked).iter().map(|outcome| outcome.seq).collect()
    }

    #[test]
    fn texts_and_pictures_are_sent_in_their_order_with_the_dimensions() {
        let picture = ImageData { mime: "image/png".into(), bytes: b"a".as_slice().into() };
        let pictures = Arc::new(HashMap::from([("p".to_owned(), picture.clone())]));
        let task = EmbedTask { dimensions: 768, pictures };
        let asked = items([EmbedTask::text("\"b\n"), EmbedTask::picture("p")]);
        let Request::Embedding(request) = task.compose(&asked).unwrap() else { panic!() };
        assert_eq!(request.inputs, [EmbeddingInput::Text("\"b\n".into()), EmbeddingInput::Image(picture)]);
        assert_eq!(request.dimensions, Some(768));
    }

    #[test]
    fn a_picture_that_is_gone_is_named_and_nothing_is_sent() {
        let fault = EmbedTask::texts(8).compose(&items([EmbedTask::text("a"), EmbedTask::picture("p")])).unwrap_err();
        assert_eq!((fault.index, fault.message.as_str()), (1, "the picture p is not there any more"));
    }

    #[test]
    fn a_vector_for_each_item_is_an_outcome_for_each() {
        let outcomes = outcomes(vec![vec![3.0, 4.0], vec![1.0, 0.0]], &["a", "b"]);
        assert_eq!(outcomes.iter().map(|outcome| outcome.seq).collect::<Vec<_>>(), [0, 1]);
        let Verdict::Done { result } = &outcomes[0].verdict else { panic!() };
        assert_eq!(EmbedTask::vector(result).unwrap(), Vector::normalised(vec![3.0, 4.0]).unwrap());
    }

    #[test]
    fn with_the_wrong_number_of_vectors_none_is_trusted() {
        assert_eq!(seqs(vec![vec![1.0, 0.0]], &["a", "b"]), Vec::<u64>::new());
        assert_eq!(seqs(vec![vec![1.0, 0.0]; 3], &["a", "b"]), Vec::<u64>::new());
    }

    #[test]
    fn a_vector_that_is_none_is_asked_for_again() {
        assert_eq!(seqs(vec![vec![0.0, 0.0], vec![1.0, 0.0], vec![1.0]], &["a", "b", "c"]), [1]);
    }

    #[test]
    fn bytes_survive_as_text() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&bytes)).unwrap(), bytes);
        assert_eq!(unhex("abc"), None);
        assert_eq!(unhex("zz"), None);
    }
}
