//! The second of the three traits: who answers a call.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limit::{LimitKind, Window};
use crate::usage::{Demand, Usage};

/// A model behind a provider's wire.
///
/// One `call` is exactly one exchange: no retry, no waiting for a limit and no sleep inside, for the
/// engine can only keep its promises about what it sees. Dropping the future abandons the exchange.
pub trait Model: Send + Sync {
    /// Sends the request and returns the answer, or the fault that came instead.
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Reply, Fault>>;
}

/// What is asked of a model, in no provider's words.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Text for text.
    Text(TextRequest),
    /// Texts and pictures for vectors.
    Embedding(EmbeddingRequest),
    /// A prompt, and pictures beside it, for a picture.
    Image(ImageRequest),
    /// A body in the provider's own form, passed through as it is.
    Raw(RawRequest),
}

/// A request for text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextRequest {
    /// Standing instructions, apart from the prompt.
    pub system: Option<String>,
    /// What is asked.
    pub prompt: String,
    /// Pictures that it speaks of, in their order.
    pub images: Vec<ImageData>,
    /// A JSON Schema (draft 2020-12) that the answer must satisfy; the answer is then JSON.
    pub schema: Option<Value>,
    /// Randomness, 0 to 2.
    pub temperature: Option<f64>,
    /// The most tokens to answer with.
    pub max_output_tokens: Option<u64>,
    /// A seed, for models that take one.
    pub seed: Option<i64>,
}

/// A request for vectors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbeddingRequest {
    /// One vector is answered for each.
    pub inputs: Vec<EmbeddingInput>,
    /// Numbers in each vector; the model's own number if absent.
    pub dimensions: Option<u32>,
}

/// What a vector is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum EmbeddingInput {
    /// What a text says.
    Text(String),
    /// What a picture shows, by models that see.
    Image(ImageData),
}

/// A picture as a file.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageData {
    /// What kind of file it is, such as `image/png`.
    pub mime: Cow<'static, str>,
    /// The file.
    pub bytes: Bytes,
}

impl fmt::Debug for ImageData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.mime, self.bytes.len())
    }
}

/// A request for a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageRequest {
    /// What is asked, sent as it is.
    pub prompt: String,
    /// Pictures that it speaks of, in their order.
    pub images: Vec<ImageData>,
    /// A picture of the size of the first: where it is transparent, the first is to be drawn anew.
    pub mask: Option<ImageData>,
    /// Pixels in a row, as wanted: the nearest that the model makes is made.
    pub width: u32,
    /// Rows, as wanted.
    pub height: u32,
    /// A seed, for models that take one.
    pub seed: Option<i64>,
}

/// A request that is sent as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct RawRequest {
    /// The body.
    pub body: Value,
}

impl Request {
    /// What the request may use. Tokens are taken as a quarter of the bytes, which providers state as
    /// a rule of thumb for English; the engine corrects it by what they report.
    pub fn demand(&self) -> Demand {
        match self {
            Self::Text(text) => {
                let bytes = text.prompt.len() + text.system.as_ref().map_or(0, String::len);
                let schema = text.schema.as_ref().map_or(0, |schema| schema.to_string().len());
                let images = text.images.len() as u64;
                Demand {
                    input_tokens: tokens(bytes) + images * IMAGE_TOKENS,
                    input_bytes: (bytes + schema) as u64 + images * IMAGE_TOKENS_AT_MOST,
                    output_cap: text.max_output_tokens,
                    images: 0,
                }
            }
            Self::Embedding(request) => {
                let of = |text: fn(&str) -> u64, image: u64| {
                    let each = request.inputs.iter().map(|input| match input {
                        EmbeddingInput::Text(words) => text(words),
                        EmbeddingInput::Image(_) => image,
                    });
                    each.sum()
                };
                Demand {
                    input_tokens: of(|text| tokens(text.len()), IMAGE_TOKENS),
                    input_bytes: of(|text| text.len() as u64, IMAGE_TOKENS_AT_MOST),
                    output_cap: Some(0),
                    images: 0,
                }
            }
            Self::Image(request) => {
                let images = (request.images.len() + usize::from(request.mask.is_some())) as u64;
                Demand {
                    input_tokens: tokens(request.prompt.len()) + images * IMAGE_TOKENS,
                    input_bytes: request.prompt.len() as u64 + images * IMAGE_TOKENS_AT_MOST,
                    output_cap: None,
                    images: 1,
                }
            }
            Self::Raw(raw) => {
                let bytes = raw.body.to_string().len();
                Demand { input_tokens: tokens(bytes), input_bytes: bytes as u64, output_cap: None, images: 0 }
            }
        }
    }
}

/// What a picture that is sent counts for, and the most that it may: Gemini takes 258 tokens a tile and 1,120 at
/// its finest, OpenAI some 6,000 for a picture at high fidelity. The engine corrects the first by what is reported.
const IMAGE_TOKENS: u64 = 1_120;
const IMAGE_TOKENS_AT_MOST: u64 = 6_240;

fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4)
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// What was answered.
    pub content: Content,
    /// Whether the answer ends where the model meant it to.
    pub ending: Ending,
    /// What the provider says it used.
    pub usage: Usage,
    /// What the provider says of its limits.
    pub limits: Vec<ReportedLimit>,
}

/// What a reply holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Text, as the model gave it: JSON asked for by schema may still be wrapped or cut.
    Text(String),
    /// One vector for each input of an [`EmbeddingRequest`], in its order, as the provider gave them.
    Vectors(Vec<Vec<f32>>),
    /// The picture, for an [`ImageRequest`].
    Image(ImageData),
    /// The body, for a [`RawRequest`].
    Raw(Value),
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Complete.
    Complete,
    /// Cut at the cap on output tokens.
    Cut,
    /// Cut short by the provider's content filter, after some content.
    Filtered,
}

/// What a provider said about one of its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportedLimit {
    /// What is counted, if it said.
    pub kind: Option<LimitKind>,
    /// Over what time, if it said.
    pub window: Option<Window>,
    /// How much is allowed, if it said.
    pub amount: Option<u64>,
    /// How much is left, if it said.
    pub remaining: Option<u64>,
    /// When it frees up, if it said.
    pub resets_in: Option<Duration>,
}

/// What came instead of an answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Which fault.
    pub kind: FaultKind,
    /// In plain words; holds no key, prompt or answer.
    pub message: String,
    /// How long the provider asked to wait.
    pub retry_after: Option<Duration>,
    /// The limit that was hit, as far as the provider said.
    pub limit: Option<ReportedLimit>,
    /// What was used all the same, if the provider said.
    pub usage: Option<Usage>,
}

impl Fault {
    /// A fault of which nothing more is known.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None, limit: None, usage: None }
    }
}

/// Every way for a call to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A limit was hit. Not a failure: the call goes back to the queue.
    Limited,
    /// The provider is overloaded or down (503).
    Overloaded,
    /// The provider failed (500, 502).
    ServerError,
    /// No answer within the deadline, the provider's (504, 408) or ours.
    Timeout,
    /// The connection could not be made: nothing was sent.
    Unreachable,
    /// The connection was lost after the request was sent: it may have been paid for.
    ConnectionLost,
    /// An answer came that can't be read: cut short, or not in the provider's form.
    Unreadable,
    /// An answer came without the content that was asked for, and without a refusal.
    Empty,
    /// Words came where a picture was asked for.
    WordsInstead,
    /// A file came that is not of the type that was asked for.
    WrongType,
    /// The provider refused the content.
    Refused,
    /// The provider can't accept this request (400).
    BadRequest,
    /// The key is missing, wrong, or may not do this (401, 403).
    Credentials,
    /// There is no such model (404).
    NoSuchModel,
    /// The account can't be served until someone acts: billing, region, spent credit.
    AccountBlocked,
}

/// What the engine does about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Try again after a pause; uses up an attempt.
    Retry,
    /// Wait for the limit; uses up nothing.
    WaitForLimit,
    /// The content was refused: the item is blocked, once it stands alone.
    Refuse,
    /// It will never work for this request: the item has failed, once it stands alone.
    GiveUp,
    /// It will never work for any request until a person acts: the pool is closed, its items are kept.
    ClosePool,
}

impl FaultKind {
    /// Every kind, for tables and for tests.
    pub const ALL: [Self; 15] = [
        Self::Limited,
        Self::Overloaded,
        Self::ServerError,
        Self::Timeout,
        Self::Unreachable,
        Self::ConnectionLost,
        Self::Unreadable,
        Self::Empty,
        Self::WordsInstead,
        Self::WrongType,
        Self::Refused,
        Self::BadRequest,
        Self::Credentials,
        Self::NoSuchModel,
        Self::AccountBlocked,
    ];

    /// What is done about it. This table is the whole of the engine's judgement of faults.
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::Limited => Remedy::WaitForLimit,
            Self::Overloaded
            | Self::ServerError
            | Self::Timeout
            | Self::Unreachable
            | Self::ConnectionLost
            | Self::Unreadable
            | Self::Empty
            | Self::WordsInstead
            | Self::WrongType => Remedy::Retry,
            Self::Refused => Remedy::Refuse,
            Self::BadRequest => Remedy::GiveUp,
            Self::Credentials | Self::NoSuchModel | Self::AccountBlocked => Remedy::ClosePool,
        }
    }

    /// Whether the provider may have counted and charged the call.
    pub const fn may_have_counted(self) -> bool {
        !matches!(self, Self::Unreachable | Self::Limited)
    }

    /// Whether an answer may have been made, and paid for, that did not arrive.
    pub const fn loses_answer(self) -> bool {
        matches!(self, Self::Timeout | Self::ConnectionLost | Self::Unreadable)
    }

    /// Whether the fault speaks of the provider as a whole and not of this call.
    pub const fn is_outage(self) -> bool {
        matches!(self, Self::Overloaded | Self::ServerError | Self::Timeout | Self::Unreachable | Self::ConnectionLost)
    }

    /// What a person can do about it.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Limited => "wait until the limit resets",
            Self::Overloaded | Self::ServerError | Self::Timeout | Self::Unreachable | Self::ConnectionLost => {
                "try again later: what was answered is kept"
            }
            Self::Unreadable | Self::Empty | Self::WordsInstead | Self::WrongType => "try again, or ask another model",
            Self::Refused | Self::BadRequest => "change what is asked for",
            Self::Credentials => "check the key and what it may use",
            Self::NoSuchModel => "check the model's name",
            Self::AccountBlocked => "see to the account at the provider",
        }
    }

    /// A stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Limited => "limited",
            Self::Overloaded => "overloaded",
            Self::ServerError => "server-error",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::ConnectionLost => "connection-lost",
            Self::Unreadable => "unreadable",
            Self::Empty => "empty",
            Self::WordsInstead => "words-instead",
            Self::WrongType => "wrong-type",
            Self::Refused => "refused",
            Self::BadRequest => "bad-request",
            Self::Credentials => "credentials",
            Self::NoSuchModel => "no-such-model",
            Self::AccountBlocked => "account-blocked",
        }
    }
}
