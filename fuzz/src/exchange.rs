//! An exchange as a fuzzer writes it: what is asked, and what the server answers.
//!
//! ```text
//! text 429 cut             what is asked, the status, and other words
//! retry-after: 5           headers, as they are sent
//!
//! {"error": {}}            the body
//! ```
//! What is not understood is passed over, so that every input is an exchange.

use std::pin::Pin;
use std::task::{Context, Poll};

use atelier_engine::{EmbeddingInput, EmbeddingRequest, Fault, ImageRequest, Model, RawRequest, Reply, Request, TextRequest};
use atelier_providers::fuzz;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Frame, SizeHint};
use serde_json::json;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A text for a text.
    Text,
    /// So many vectors.
    Vectors(usize),
    /// A body as it is.
    Raw,
    /// A body for vectors as it is.
    RawVectors,
    /// A text for a picture.
    Image,
}

/// One exchange.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) ask: Ask,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the connection breaks after the body.
    pub(crate) cut: bool,
    /// Whether the key that is used has a space in it.
    pub(crate) spaced_key: bool,
    /// The body arrives in pieces of so many bytes.
    piece: usize,
    /// Whether the length of the body is announced.
    sized: bool,
}

impl Exchange {
    pub(crate) fn read(input: &[u8]) -> Self {
        let mut exchange = Self {
            ask: Ask::Text,
            status: 200,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            cut: false,
            spaced_key: false,
            piece: usize::MAX,
            sized: false,
        };
        let (first, mut rest) = line(input);
        for word in first.split(|byte| *byte == b' ').filter_map(|word| std::str::from_utf8(word).ok()) {
            exchange.word(word);
        }
        while !rest.is_empty() {
            let (header, after) = line(rest);
            rest = after;
            if header.is_empty() {
                break;
            }
            if let Some(colon) = header.iter().position(|byte| *byte == b':')
                && let Ok(name) = HeaderName::from_bytes(&header[..colon])
                && let Ok(value) = HeaderValue::from_bytes(header[colon + 1..].trim_ascii())
            {
                exchange.headers.append(name, value);
            }
        }
        exchange.body = Bytes::copy_from_slice(rest);
        exchange
    }

    fn word(&mut self, word: &str) {
        match word {
            "text" => self.ask = Ask::Text,
            "embed" => self.ask = Ask::Vectors(1),
            "embed2" => self.ask = Ask::Vectors(2),
            "embed3" => self.ask = Ask::Vectors(3),
            "raw" => self.ask = Ask::Raw,
            "raw-embed" => self.ask = Ask::RawVectors,
            "image" => self.ask = Ask::Image,
            "cut" => self.cut = true,
            "sized" => self.sized = true,
            "pieces" => self.piece = 7,
            "spaced" => self.spaced_key = true,
            number => {
                if let Some(status) = number.parse().ok().filter(|status| (100..=999).contains(status)) {
                    self.status = status;
                }
            }
        }
    }

    /// Whether a whole answer came with a status of success.
    pub(crate) fn is_whole_success(&self) -> bool {
        (200..300).contains(&self.status) && !self.cut
    }

    fn request(&self) -> Request {
        match self.ask {
            Ask::Text => Request::Text(TextRequest { prompt: "a prompt".into(), ..TextRequest::default() }),
            Ask::Vectors(count) => {
                let inputs = vec![EmbeddingInput::Text("a text".to_owned()); count];
                Request::Embedding(EmbeddingRequest { inputs, dimensions: None })
            }
            Ask::Raw => Request::Raw(RawRequest { body: json!({"contents": []}) }),
            Ask::Image => Request::Image(ImageRequest { prompt: "a prompt".into(), ..ImageRequest::default() }),
            Ask::RawVectors => Request::Raw(RawRequest { body: json!({"input": ["a text"]}) }),
        }
    }

    fn response(&self) -> reqwest::Response {
        let pieces = Pieces { rest: self.body.clone(), piece: self.piece, sized: self.sized, cut: self.cut };
        let mut response = http::Response::new(reqwest::Body::wrap(pieces));
        *response.headers_mut() = self.headers.clone();
        if let Ok(status) = http::StatusCode::from_u16(self.status) {
            *response.status_mut() = status;
        }
        response.into()
    }

    /// What `model` makes of it.
    pub(crate) fn once_with(&self, model: &dyn Model) -> Result<Reply, Fault> {
        fuzz::answer_with(self.response());
        model.call(self.request()).now_or_never().expect("without a network nothing is waited for")
    }

    /// What `model` makes of it, twice over: the same answer is read in the same way.
    pub(crate) fn with(&self, model: &dyn Model) -> Result<Reply, Fault> {
        let result = self.once_with(model);
        assert_eq!(result, self.once_with(model), "the same answer was read in two ways");
        result
    }
}

/// A body that arrives in pieces, and may break off.
struct Pieces {
    rest: Bytes,
    piece: usize,
    sized: bool,
    cut: bool,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if self.rest.is_empty() {
            let cut = std::mem::take(&mut self.cut);
            return Poll::Ready(cut.then_some(Err(Broken)));
        }
        let length = self.piece.min(self.rest.len());
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn size_hint(&self) -> SizeHint {
        if self.sized { SizeHint::with_exact(self.rest.len() as u64) } else { SizeHint::default() }
    }
}

/// The connection was lost.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection reset by peer")
    }
}

impl std::error::Error for Broken {}

/// The first line, without its end, and what follows it.
pub(crate) fn line(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let first = &input[..end];
    (first.strip_suffix(b"\r").unwrap_or(first), input.get(end + 1..).unwrap_or_default())
}
