//! Reading what Gemini answers with 200.
//!
//! An answer may have been paid for, so whatever of it is of use is kept: unknown fields and values are
//! ignored, and a number that is not one counts as not reported.

use atelier_engine::{Content, Ending, Fault, FaultKind, Reply, Usage};
use serde::Deserialize;
use serde_json::Value;

use crate::http::HttpAnswer;
use crate::wire::{self, billed, count, name, or_absent, or_default, unreadable, usage_of_vectors, usage_under, word};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct GeminiGeneration {
    #[serde(deserialize_with = "or_default")]
    candidates: Vec<GeminiCandidate>,
    #[serde(deserialize_with = "or_absent")]
    prompt_feedback: Feedback,
    #[serde(deserialize_with = "or_absent")]
    usage_metadata: UsageMetadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct GeminiCandidate {
    #[serde(deserialize_with = "or_default")]
    content: CandidateContent,
    #[serde(deserialize_with = "word")]
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CandidateContent {
    #[serde(deserialize_with = "or_default")]
    parts: Vec<GeminiAnswerPart>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GeminiAnswerPart {
    #[serde(deserialize_with = "word")]
    text: Option<String>,
    #[serde(deserialize_with = "or_default")]
    thought: bool,
    inline_data: Option<serde::de::IgnoredAny>,
    file_data: Option<serde::de::IgnoredAny>,
    function_call: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Feedback {
    #[serde(deserialize_with = "word")]
    block_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UsageMetadata {
    #[serde(deserialize_with = "count")]
    prompt_token_count: Option<u64>,
    #[serde(deserialize_with = "count")]
    candidates_token_count: Option<u64>,
    #[serde(deserialize_with = "count")]
    thoughts_token_count: Option<u64>,
    #[serde(deserialize_with = "count")]
    total_token_count: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GeminiEmbeddings {
    embedding: Option<GeminiVector>,
    embeddings: Option<Vec<GeminiVector>>,
    #[serde(deserialize_with = "or_absent")]
    usage_metadata: UsageMetadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GeminiVector {
    values: Vec<f32>,
}

/// The meaning of a `finishReason`, as far as an answer is judged by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GeminiFinish {
    /// The model ended where it meant to.
    Complete,
    /// It came to the cap on output tokens.
    Cap,
    /// The provider refused the content.
    Refused,
    /// Unknown or no verdict: the content is taken, and the task that asked judges it.
    Other,
}

/// Every reason that the documents name. One that is not here is [`GeminiFinish::Other`].
const FINISH_REASONS: [(&str, GeminiFinish); 18] = [
    ("STOP", GeminiFinish::Complete),
    ("FINISH_REASON_UNSPECIFIED", GeminiFinish::Other),
    ("MAX_TOKENS", GeminiFinish::Cap),
    ("SAFETY", GeminiFinish::Refused),
    ("RECITATION", GeminiFinish::Refused),
    ("BLOCKLIST", GeminiFinish::Refused),
    ("PROHIBITED_CONTENT", GeminiFinish::Refused),
    ("SPII", GeminiFinish::Refused),
    ("IMAGE_SAFETY", GeminiFinish::Refused),
    ("IMAGE_PROHIBITED_CONTENT", GeminiFinish::Refused),
    ("IMAGE_RECITATION", GeminiFinish::Refused),
    ("NO_IMAGE", GeminiFinish::Other),
    ("IMAGE_OTHER", GeminiFinish::Other),
    ("LANGUAGE", GeminiFinish::Other),
    ("OTHER", GeminiFinish::Other),
    ("MALFORMED_FUNCTION_CALL", GeminiFinish::Other),
    ("UNEXPECTED_TOOL_CALL", GeminiFinish::Other),
    ("TOO_MANY_TOOL_CALLS", GeminiFinish::Other),
];

fn finish(reason: Option<&str>) -> GeminiFinish {
    let Some(reason) = reason else { return GeminiFinish::Other };
    match FINISH_REASONS.iter().find(|(known, _)| *known == reason) {
        Some((_, finish)) => *finish,
        None => {
            tracing::warn!(finish_reason = %name(reason), "Gemini ended an answer for a reason that is not known here");
            GeminiFinish::Other
        }
    }
}

/// An answer to a request for text.
pub(super) fn text(answer: &HttpAnswer) -> Result<Reply, Fault> {
    let generated: GeminiGeneration = decode(answer, UsageMetadata::of_text)?;
    let (candidate, ending) = judge(&generated)?;
    let text = candidate.text();
    if text.trim().is_empty() {
        return Err(billed(Fault::new(FaultKind::Empty, "the answer holds no text"), generated.usage()));
    }
    Ok(reply(Content::Text(text), ending, generated.usage()))
}

/// An answer to a body that was passed through.
pub(super) fn raw(answer: &HttpAnswer) -> Result<Reply, Fault> {
    let body: Value = decode(answer, UsageMetadata::of_text)?;
    let unreadable = |error| billed(unreadable(answer, &error), UsageMetadata::of_text(&usage(answer)));
    let generated = GeminiGeneration::deserialize(&body).map_err(unreadable)?;
    let (_, ending) = judge(&generated)?;
    Ok(reply(Content::Raw(body), ending, generated.usage()))
}

/// An answer to a request for one vector.
pub(super) fn vector(answer: &HttpAnswer) -> Result<Reply, Fault> {
    let embedded: GeminiEmbeddings = decode(answer, UsageMetadata::of_vectors)?;
    let vectors = embedded.embedding.into_iter().map(|vector| vector.values).collect();
    wire::vectors(vectors, 1, embedded.usage_metadata.prompt_token_count)
}

/// An answer to a request for so many vectors.
pub(super) fn vectors(answer: &HttpAnswer, asked: usize) -> Result<Reply, Fault> {
    let embedded: GeminiEmbeddings = decode(answer, UsageMetadata::of_vectors)?;
    let vectors = embedded.embeddings.unwrap_or_default().into_iter().map(|vector| vector.values).collect();
    wire::vectors(vectors, asked, embedded.usage_metadata.prompt_token_count)
}

/// The body of an answer; where it can't be read, a fault with what it used as far as that can be read.
pub(super) fn decode<T: for<'de> Deserialize<'de>>(
    answer: &HttpAnswer,
    of: fn(&UsageMetadata) -> Usage,
) -> Result<T, Fault> {
    wire::decode(answer).map_err(|fault| billed(fault, of(&usage(answer))))
}

fn usage(answer: &HttpAnswer) -> UsageMetadata {
    usage_under("usageMetadata", answer)
}

fn reply(content: Content, ending: Ending, usage: Usage) -> Reply {
    // Gemini says nothing of its limits until one is hit.
    Reply { content, ending, usage, limits: Vec::new() }
}

/// The candidate to take and how it ended, or the fault that the answer amounts to.
pub(super) fn judge(generated: &GeminiGeneration) -> Result<(&GeminiCandidate, Ending), Fault> {
    let candidates = &generated.candidates;
    if let Some(candidate) = candidates.iter().find(|candidate| candidate.has_content()) {
        let ending = match finish(candidate.finish_reason.as_deref()) {
            GeminiFinish::Complete | GeminiFinish::Other => Ending::Complete,
            GeminiFinish::Cap => Ending::Cut,
            GeminiFinish::Refused => Ending::Filtered,
        };
        return Ok((candidate, ending));
    }
    let reason = candidates.first().and_then(|candidate| candidate.finish_reason.as_deref());
    let fault = match (&generated.prompt_feedback.block_reason, finish(reason)) {
        (Some(block), _) => {
            Fault::new(FaultKind::Refused, format!("the provider refused the prompt ({})", name(block)))
        }
        (None, GeminiFinish::Refused) => {
            let reason = name(reason.unwrap_or_default());
            Fault::new(FaultKind::Refused, format!("the provider refused the answer ({reason})"))
        }
        (None, GeminiFinish::Cap) => {
            let message =
                "the answer came to the cap on output tokens before any text: thinking used it up; raise the cap";
            Fault::new(FaultKind::Empty, message)
        }
        (None, GeminiFinish::Complete | GeminiFinish::Other) => {
            let because = reason.map_or_else(String::new, |reason| format!(" ({})", name(reason)));
            Fault::new(FaultKind::Empty, format!("the provider answered without content{because}"))
        }
    };
    Err(billed(fault, generated.usage()))
}

impl GeminiGeneration {
    pub(super) fn usage(&self) -> Usage {
        let images = self.candidates.iter().flat_map(|c| &c.content.parts).filter(|p| p.inline_data.is_some()).count();
        Usage { images: (images > 0).then_some(images as u64), ..self.usage_metadata.of_text() }
    }
}

impl GeminiCandidate {
    fn has_content(&self) -> bool {
        self.content.parts.iter().any(|part| {
            let text = part.text.as_ref().is_some_and(|text| !text.trim().is_empty());
            let other = part.inline_data.is_some() || part.file_data.is_some() || part.function_call.is_some();
            !part.thought && (text || other)
        })
    }

    pub(super) fn text(&self) -> String {
        self.content.parts.iter().filter(|part| !part.thought).filter_map(|part| part.text.as_deref()).collect()
    }
}

impl UsageMetadata {
    pub(super) fn of_text(&self) -> Usage {
        Usage { input_tokens: self.prompt_token_count, output_tokens: self.output(), images: None }
    }

    fn of_vectors(&self) -> Usage {
        usage_of_vectors(self.prompt_token_count)
    }

    /// Answer and thoughts together. The wire leaves out a count that is zero, so where neither is given
    /// it follows from the total.
    fn output(&self) -> Option<u64> {
        match (self.candidates_token_count, self.thoughts_token_count) {
            (None, None) => self.total_token_count?.checked_sub(self.prompt_token_count?),
            (answer, thoughts) => Some(answer.unwrap_or(0).saturating_add(thoughts.unwrap_or(0))),
        }
    }
}

#[cfg(test)]
mod tests;
