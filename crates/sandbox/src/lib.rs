//! A local provider: it speaks the real wire formats and enforces real quotas, and calls no model.
//!
//! It is an HTTP server on loopback, for trying things out without a key, and for testing clients
//! against limits, latency and faults on demand. Its answers have the form that was asked for and can't be
//! taken for a model's: every text begins with `[sandbox]`.
//!
//! # Paths
//! Gemini's: `POST /v1beta/models/{model}:generateContent`, `:embedContent`, `:batchEmbedContents`,
//! `:countTokens`; `GET /v1beta/models` and `/v1beta/models/{model}`; the same below `/v1`.
//! OpenAI's: `POST /v1/chat/completions` and `/v1/embeddings`; `GET /v1/models` and `/v1/models/{model}`, told
//! from Gemini's by the key's being in the `Authorization` header.
//! Any key is good but one that begins with `invalid`. `GET /stats` gives the counts ([`Stats`]) and
//! `POST /stats/reset` has them begin again; neither wants a key.
//!
//! # What counts
//! A token is four bytes of text, rounded up once: of the instruction and the contents for the input
//! (the schema and pictures do not count), of the answer for the output. Quotas are kept for each pair
//! of key and model, and count a call at the moment its request has been read. A batch of embeddings is
//! one request, and a call whose answer may hold images counts as one image. A refused call counts
//! towards nothing and is answered at once. OpenAI's answers say in their `x-ratelimit-…` headers where the
//! quotas on requests and on tokens stand; `reset` there is when all of it will be left again, and a window that
//! is no minute follows the amount, `15;w=10`.
//!
//! An *item* is what a call answers: each id of a packed call, or else the prompt. A call is packed when
//! its schema has a list whose elements have a string property, named `id`, `key` or `…_id`, with an
//! enum of the ids; or an object with a property for each id that the prompt names. Every id is answered
//! exactly once, in the order of the schema. Items are told apart by model and id, or by model and
//! prompt.
//!
//! # Faults
//! Drawn by rate ([`FaultRate`]), or aimed by a marker in the text of a prompt: `[[sandbox:KIND]]`, with
//! any of the names of [`InjectedFault`]. `[[sandbox:refuse]]` blocks every call whose text holds it, which in
//! OpenAI's format is a refusal by the model; `[[sandbox:omit]]` leaves its item out of a packed answer, the
//! first time; `[[sandbox:KIND:once]]` works the first time only, for any kind. In a packed call a marker
//! belongs to the item whose id stands before it in the same line, or else after it in that line, or else before
//! it in the text. Faults happen only to calls that were let in. One that leaves no answer comes after the
//! latency, but without that of any output.
//!
//! # Layout
//! Only `gemini` and `openai` and their children know a wire format; `wire` has what both share, and `server`
//! tells them apart by path. `prompt` is the content of a call, and `provider` takes it from arrival to
//! answer; `quota` counts, `fault` decides what goes wrong, `packed`, `schema`, `answer` and `words` make texts,
//! `embedding` vectors, `drawing` pictures, `stats` and `connection` count what was really written.

#![forbid(unsafe_code)]

mod answer;
mod config;
mod connection;
mod drawing;
mod embedding;
mod error;
mod fault;
mod gemini;
mod hash;
mod injected_fault;
mod openai;
mod packed;
mod picture;
mod prompt;
mod provider;
mod quota;
mod schema;
mod server;
mod stats;
mod wire;
mod words;

pub use config::{FaultRate, Hints, Pacing, Quota, QuotaMetric, QuotaWindow, SandboxConfig, Span};
pub use error::SandboxError;
pub use injected_fault::InjectedFault;
pub use server::{Sandbox, serve};
pub use stats::Stats;

/// The notice for everyone who reads the sandbox's answers.
pub const SANDBOX_NOTICE: &str =
    "Sandbox: these answers are made up on this machine. No model was called and nothing was paid.";
