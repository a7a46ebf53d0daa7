//! Reading what Gemini answers with 200.
//!
//! An answer may have been paid for, so whatever of it is of use is kept: unknown fields and values are
//! ignored, and a number that is not one counts as not reported.

use atelier_engine::{Content, Ending, Fault, FaultKind, Reply, Usage};
use serde::Deserialize;
use serde_json::Value;

use crate::error_body::is_error;
use crate::finish::{Finish, cut_by, ending, finish, without_content};
use crate::http::HttpAnswer;
use crate::thoughts;
use crate::wire::{self, WireFormat, billed, count, flag, name, or_absent, or_default, usage_of_vectors, word};

use super::forms;

/// How this wire's answers are read.
pub(super) const WIRE_FORMAT: WireFormat =
    WireFormat { canonical: forms::canonical, usage: "usageMetadata", canonical_usage: forms::usage };

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct GeminiGeneration {
    #[serde(deserialize_with = "or_default")]
    candidates: Vec<GeminiCandidate>,
    #[serde(deserialize_with = "or_absent")]
    prompt_feedback: Feedback,
    #[serde(deserialize_with = "or_absent")]
    usage_metadata: UsageMetadata,
    error: Value,
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
    #[serde(deserialize_with = "flag")]
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
    #[serde(deserialize_with = "count")]
    cached_content_token_count: Option<u64>,
    #[serde(deserialize_with = "or_default")]
    prompt_tokens_details: Vec<OfModality>,
    #[serde(deserialize_with = "or_default")]
    candidates_tokens_details: Vec<OfModality>,
}

/// The tokens of one kind of content.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OfModality {
    #[serde(deserialize_with = "word")]
    modality: Option<String>,
    #[serde(deserialize_with = "count")]
    token_count: Option<u64>,
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

/// An answer to a request for text.
pub(super) fn text(answer: &HttpAnswer) -> Result<Reply, Fault> {
    let generated: GeminiGeneration = decode(answer, GeminiGeneration::is_plain, UsageMetadata::of_text)?;
    let (candidate, ending) = judge(&generated)?;
    let text = candidate.text();
    let text = thoughts::without(&text);
    if text.trim().is_empty() {
        return Err(billed(Fault::new(FaultKind::Empty, "the answer holds no text"), generated.usage()));
    }
    Ok(reply(Content::Text(text.into_owned()), ending, generated.usage()))
}

/// An answer to a body that was passed through.
pub(super) fn raw(answer: &HttpAnswer) -> Result<Reply, Fault> {
    let read = WIRE_FORMAT.read_raw::<GeminiGeneration>(answer);
    let (body, generated) = read.map_err(|fault| billed(fault, UsageMetadata::of_text(&WIRE_FORMAT.usage(answer))))?;
    let (_, ending) = judge(&generated)?;
    Ok(reply(Content::Raw(body), ending, generated.usage()))
}

/// An answer to a request for one vector.
pub(super) fn vector(answer: &HttpAnswer) -> Result<Reply, Fault> {
    vectors(answer, 1)
}

/// An answer to a request for so many vectors; one alone may stand under the other's name.
pub(super) fn vectors(answer: &HttpAnswer, asked: usize) -> Result<Reply, Fault> {
    let is_plain = |embedded: &GeminiEmbeddings| embedded.vectors() == asked;
    let embedded: GeminiEmbeddings = decode(answer, is_plain, UsageMetadata::of_vectors)?;
    let vectors = embedded.embedding.into_iter().chain(embedded.embeddings.unwrap_or_default());
    let vectors = vectors.map(|vector| vector.values).collect();
    wire::vectors(vectors, asked, embedded.usage_metadata.prompt_token_count)
}

/// The body of an answer; where it can't be read, a fault with what it used as far as that can be read.
pub(super) fn decode<T: for<'de> Deserialize<'de>>(
    answer: &HttpAnswer,
    is_plain: impl Fn(&T) -> bool,
    of: fn(&UsageMetadata) -> Usage,
) -> Result<T, Fault> {
    WIRE_FORMAT.read(answer, is_plain).map_err(|fault| billed(fault, of(&WIRE_FORMAT.usage(answer))))
}

fn reply(content: Content, ending: Ending, usage: Usage) -> Reply {
    // Gemini says nothing of its limits until one is hit.
    Reply { content, ending, usage, limits: Vec::new() }
}

/// The candidate to take and how it ended, or the fault that the answer amounts to.
pub(super) fn judge(generated: &GeminiGeneration) -> Result<(&GeminiCandidate, Ending), Fault> {
    let candidates = &generated.candidates;
    let billed = |fault| billed(fault, generated.usage());
    if let Some(candidate) = candidates.iter().find(|candidate| candidate.has_content()) {
        // What a picture is beside it, no text says.
        let text = if candidate.has_files() { String::new() } else { candidate.text() };
        let reason = candidate.finish_reason.as_deref();
        if is_error(&generated.error) && !matches!(finish(reason), Finish::Complete | Finish::Cap) {
            return Err(billed(cut_by(&generated.error)));
        }
        let ending = ending(reason, &text);
        return Ok((candidate, ending.map_err(billed)?));
    }
    Err(billed(match &generated.prompt_feedback.block_reason {
        Some(block) => Fault::new(FaultKind::Refused, format!("the provider refused the prompt ({})", name(block))),
        None => without_content(candidates.first().and_then(|candidate| candidate.finish_reason.as_deref())),
    }))
}

impl GeminiGeneration {
    /// Whether it is as the documents have it, so that nothing more is to be found in its body.
    pub(super) fn is_plain(&self) -> bool {
        let plain = |candidate: &GeminiCandidate| {
            candidate.has_content() && finish(candidate.finish_reason.as_deref()) != Finish::Unknown
        };
        self.candidates.first().is_some_and(plain) && self.usage_metadata.prompt_token_count.is_some()
    }

    pub(super) fn usage(&self) -> Usage {
        let images = self.candidates.iter().flat_map(|c| &c.content.parts).filter(|p| p.inline_data.is_some()).count();
        Usage { images: (images > 0).then_some(images as u64), ..self.usage_metadata.of_text() }
    }
}

impl GeminiAnswerPart {
    const fn is_file(&self) -> bool {
        self.inline_data.is_some() || self.file_data.is_some()
    }
}

impl GeminiEmbeddings {
    fn vectors(&self) -> usize {
        usize::from(self.embedding.is_some()) + self.embeddings.as_ref().map_or(0, Vec::len)
    }
}

impl GeminiCandidate {
    fn has_content(&self) -> bool {
        self.content.parts.iter().any(|part| {
            let text = part.text.as_ref().is_some_and(|text| !text.trim().is_empty());
            !part.thought && (text || part.is_file() || part.function_call.is_some())
        })
    }

    fn has_files(&self) -> bool {
        self.content.parts.iter().any(GeminiAnswerPart::is_file)
    }

    pub(super) fn text(&self) -> String {
        self.content.parts.iter().filter(|part| !part.thought).filter_map(|part| part.text.as_deref()).collect()
    }
}

impl UsageMetadata {
    pub(super) fn of_text(&self) -> Usage {
        let of_images = |details: &[OfModality]| {
            let images = details.iter().filter(|one| one.modality.as_deref() == Some("IMAGE"));
            images.filter_map(|one| one.token_count).reduce(u64::saturating_add)
        };
        Usage {
            cached_tokens: self.cached_content_token_count.filter(|cached| *cached > 0),
            image_input_tokens: of_images(&self.prompt_tokens_details),
            image_output_tokens: of_images(&self.candidates_tokens_details),
            ..Usage::of_tokens(self.prompt_token_count, self.output())
        }
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
