//! The JSON of OpenAI's answers.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Response;
use serde::Serialize;
use serde_json::{Value, json};

use crate::connection::{AnswerBody, ConnectionState};
use crate::embedding::{VectorSource, embed};
use crate::provider::{AnswerContent, SandboxAnswer, SandboxProvider, wall_clock};
use crate::wire::{bytes_of, deliver, plain};

use super::problem::add_levels;
use super::request::VectorFormat;

#[derive(Serialize)]
struct ServedCompletion<'a> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: [ServedChoice<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<ServedUsage>,
    system_fingerprint: &'static str,
}

#[derive(Serialize)]
struct ServedChoice<'a> {
    index: u32,
    message: ServedMessage<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct ServedMessage<'a> {
    role: &'static str,
    content: Option<&'a str>,
    refusal: Option<&'static str>,
}

#[derive(Serialize)]
struct ServedUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Serialize)]
struct PromptDetails {
    cached_tokens: u64,
}

#[derive(Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

/// The answer to a `chat/completions` call. A blocked prompt is refused by the model, which says so in the field
/// `refusal`; an answer that is withheld was stopped by the content filter.
pub(super) fn completion(
    answer: SandboxAnswer,
    model: &str,
    provider: &SandboxProvider,
    state: &Arc<ConnectionState>,
) -> Response<AnswerBody> {
    let bytes = {
        let (content, refusal, finish_reason) = match &answer.content {
            AnswerContent::Text { text, cut } => (Some(text.as_str()), None, if *cut { "length" } else { "stop" }),
            AnswerContent::AnswerWithheld => (None, None, "content_filter"),
            AnswerContent::PromptBlocked
            | AnswerContent::Vectors
            | AnswerContent::Picture { .. }
            | AnswerContent::NoPicture => (None, Some("[sandbox] I'm sorry, but I can't help with that."), "stop"),
        };
        let usage = || ServedUsage {
            prompt_tokens: answer.input_tokens,
            completion_tokens: answer.output_tokens,
            total_tokens: answer.input_tokens + answer.output_tokens,
            prompt_tokens_details: PromptDetails { cached_tokens: 0 },
            completion_tokens_details: CompletionDetails { reasoning_tokens: 0 },
        };
        let message = ServedMessage { role: "assistant", content, refusal };
        bytes_of(&ServedCompletion {
            id: format!("chatcmpl-sandbox-{}", answer.number),
            object: "chat.completion",
            created: wall_clock().as_second(),
            model,
            choices: [ServedChoice { index: 0, message, logprobs: None, finish_reason }],
            usage: answer.with_usage.then(usage),
            system_fingerprint: "sandbox",
        })
    };
    with_levels(answer, provider, |answer| deliver(bytes, answer, provider, state))
}

/// The answer to an `embeddings` call.
pub(super) fn embedded(
    answer: SandboxAnswer,
    model: &str,
    texts: &[&str],
    asked: VectorFormat,
    provider: &SandboxProvider,
    state: &Arc<ConnectionState>,
) -> Response<AnswerBody> {
    #[derive(Serialize)]
    struct EmbeddingList<'a> {
        object: &'static str,
        data: Vec<EmbeddingItem>,
        model: &'a str,
        usage: EmbeddingUsage,
    }
    #[derive(Serialize)]
    struct EmbeddingItem {
        object: &'static str,
        index: usize,
        embedding: EncodedVector,
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum EncodedVector {
        Numbers(Vec<f32>),
        Base64(String),
    }
    #[derive(Serialize)]
    struct EmbeddingUsage {
        prompt_tokens: u64,
        total_tokens: u64,
    }
    let vector = |text: &str| {
        let numbers = embed(&VectorSource { texts: vec![text], ..VectorSource::default() }, asked.dimensions, true);
        if !asked.base64 {
            return EncodedVector::Numbers(numbers);
        }
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        EncodedVector::Base64(STANDARD.encode(bytes))
    };
    let items = texts.iter().enumerate();
    let bytes = bytes_of(&EmbeddingList {
        object: "list",
        data: items
            .map(|(index, text)| EmbeddingItem { object: "embedding", index, embedding: vector(text) })
            .collect(),
        model,
        usage: EmbeddingUsage { prompt_tokens: answer.input_tokens, total_tokens: answer.input_tokens },
    });
    with_levels(answer, provider, |answer| deliver(bytes, answer, provider, state))
}

/// The answer to a request for a picture.
pub(super) fn image(
    answer: SandboxAnswer,
    provider: &SandboxProvider,
    state: &Arc<ConnectionState>,
) -> Response<AnswerBody> {
    let data = match &answer.content {
        AnswerContent::Picture { file, .. } => json!([{ "b64_json": STANDARD.encode(file) }]),
        AnswerContent::PromptBlocked | AnswerContent::AnswerWithheld => return super::problem::refused(answer.call),
        _ => json!([]),
    };
    let mut body = json!({ "created": wall_clock().as_second(), "data": data, "output_format": "png" });
    if answer.with_usage {
        let (input, output) = (answer.input_tokens, answer.output_tokens);
        body["usage"] = json!({ "input_tokens": input, "output_tokens": output, "total_tokens": input + output });
    }
    let bytes = bytes_of(&body);
    with_levels(answer, provider, |answer| deliver(bytes, answer, provider, state))
}

/// Renders an answer and adds the levels of the quotas to its headers.
fn with_levels(
    mut answer: SandboxAnswer,
    provider: &SandboxProvider,
    render: impl FnOnce(SandboxAnswer) -> Response<AnswerBody>,
) -> Response<AnswerBody> {
    let levels = std::mem::take(&mut answer.levels);
    let mut response = render(answer);
    add_levels(response.headers_mut(), &levels, provider.config.hints);
    response
}

fn model_value(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": 0, "owned_by": "sandbox"})
}

/// The description of one model.
pub(super) fn model(name: &str) -> Response<AnswerBody> {
    plain(&model_value(name))
}

/// The list of models, in one page.
pub(super) fn models(names: &[&str]) -> Response<AnswerBody> {
    let data: Vec<Value> = names.iter().map(|name| model_value(name)).collect();
    plain(&json!({"object": "list", "data": data}))
}
