//! The JSON of Gemini's answers.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Response;
use serde::Serialize;
use serde_json::{Value, json};

use crate::connection::{AnswerBody, ConnectionState};
use crate::embedding::{DIMENSIONS, VectorSource, embed};
use crate::provider::{AnswerContent, SandboxAnswer, SandboxProvider};
use crate::wire::{bytes_of, deliver, plain};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServedGeneration<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates: Option<[ServedCandidate<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_feedback: Option<PromptFeedback>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_metadata: Option<ServedUsageMetadata>,
    model_version: &'static str,
    response_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServedCandidate<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Parts<'a>>,
    finish_reason: &'static str,
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    safety_ratings: Option<[SafetyRating; 1]>,
}

#[derive(Serialize)]
struct Parts<'a> {
    parts: [ServedPart<'a>; 1],
    role: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum ServedPart<'a> {
    Text(&'a str),
    InlineData(ServedInlineData),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServedInlineData {
    mime_type: &'static str,
    data: String,
}

#[derive(Serialize)]
struct SafetyRating {
    category: &'static str,
    probability: &'static str,
    blocked: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServedUsageMetadata {
    prompt_token_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates_token_count: Option<u64>,
    total_token_count: u64,
    prompt_tokens_details: [ModalityTokens; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModalityTokens {
    modality: &'static str,
    token_count: u64,
}

/// The answer to a `generateContent` call, whatever is in it.
pub(super) fn generated(
    answer: SandboxAnswer,
    provider: &SandboxProvider,
    state: &Arc<ConnectionState>,
) -> Response<AnswerBody> {
    let bytes = {
        let candidate = |content, finish_reason, safety_ratings| {
            Some([ServedCandidate { content, finish_reason, index: 0, safety_ratings }])
        };
        let (candidates, prompt_feedback) = match &answer.content {
            AnswerContent::Text { text, cut } => {
                let finish = if *cut { "MAX_TOKENS" } else { "STOP" };
                (candidate(Some(Parts { parts: [ServedPart::Text(text)], role: "model" }), finish, None), None)
            }
            AnswerContent::Picture { mime, file } => {
                let part = ServedPart::InlineData(ServedInlineData { mime_type: mime, data: STANDARD.encode(file) });
                (candidate(Some(Parts { parts: [part], role: "model" }), "STOP", None), None)
            }
            AnswerContent::NoPicture => (candidate(None, "NO_IMAGE", None), None),
            AnswerContent::AnswerWithheld => {
                let category = "HARM_CATEGORY_DANGEROUS_CONTENT";
                let rating = SafetyRating { category, probability: "HIGH", blocked: true };
                (candidate(None, "SAFETY", Some([rating])), None)
            }
            AnswerContent::PromptBlocked | AnswerContent::Vectors => {
                (None, Some(PromptFeedback { block_reason: "PROHIBITED_CONTENT" }))
            }
        };
        let usage = || ServedUsageMetadata {
            prompt_token_count: answer.input_tokens,
            candidates_token_count: matches!(
                answer.content,
                AnswerContent::Text { .. } | AnswerContent::Picture { .. }
            )
            .then_some(answer.output_tokens),
            total_token_count: answer.input_tokens + answer.output_tokens,
            prompt_tokens_details: [ModalityTokens { modality: "TEXT", token_count: answer.input_tokens }],
        };
        bytes_of(&ServedGeneration {
            candidates,
            prompt_feedback,
            usage_metadata: answer.with_usage.then(usage),
            model_version: "sandbox",
            response_id: format!("sandbox-{}", answer.number),
        })
    };
    deliver(bytes, answer, provider, state)
}

/// The answer to `embedContent`, or to `batchEmbedContents`.
pub(super) fn embedded(
    answer: SandboxAnswer,
    model: &str,
    asked: &[(VectorSource<'_>, usize)],
    batch: bool,
    provider: &SandboxProvider,
    state: &Arc<ConnectionState>,
) -> Response<AnswerBody> {
    #[derive(Serialize)]
    struct ServedVector {
        values: Vec<f32>,
    }
    let vectors = asked.iter().map(|(input, dimensions)| {
        // By Google's documents, this model leaves the normalising of shorter vectors to its users.
        let normalised = *dimensions == DIMENSIONS || model != "gemini-embedding-001";
        ServedVector { values: embed(input, *dimensions, normalised) }
    });
    let bytes = if batch {
        #[derive(Serialize)]
        struct Batch {
            embeddings: Vec<ServedVector>,
        }
        bytes_of(&Batch { embeddings: vectors.collect() })
    } else {
        #[derive(Serialize)]
        struct One {
            embedding: Option<ServedVector>,
        }
        bytes_of(&One { embedding: vectors.into_iter().next() })
    };
    deliver(bytes, answer, provider, state)
}

/// The answer to a `countTokens` call.
pub(super) fn token_count(tokens: u64) -> Response<AnswerBody> {
    plain(&json!({
        "totalTokens": tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]
    }))
}

fn model_value(name: &str) -> Value {
    let methods: Vec<&str> =
        super::Verb::ALL.into_iter().filter(|verb| verb.suits(name)).map(super::Verb::name).collect();
    json!({
        "name": format!("models/{name}"),
        "version": "sandbox",
        "displayName": format!("{name} (sandbox)"),
        "description": crate::SANDBOX_NOTICE,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": methods
    })
}

/// The description of one model.
pub(super) fn model(name: &str) -> Response<AnswerBody> {
    plain(&model_value(name))
}

/// The list of models, in one page.
pub(super) fn models(names: &[&str]) -> Response<AnswerBody> {
    let models: Vec<Value> = names.iter().map(|name| model_value(name)).collect();
    plain(&json!({ "models": models }))
}
