//! Neutral requests in Gemini's format.

use atelier_engine::{EmbeddingInput, Fault, ImageData, TextRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;

use crate::wire::{bad, check_inputs, check_temperature, encode};

/// The most texts or pictures that one `batchEmbedContents` takes.
const MAX_EMBEDDINGS: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiTextRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<GeminiContent<'a>>,
    contents: [GeminiContent<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_config: Option<GeminiGenerationConfig<'a>>,
}

#[derive(Serialize)]
struct GeminiContent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<GeminiPart<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum GeminiPart<'a> {
    Text(&'a str),
    InlineData(GeminiInlineData<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GeminiInlineData<'a> {
    mime_type: &'a str,
    data: String,
}

#[derive(Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiGenerationConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<&'a Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiEmbedRequest<'a> {
    model: &'a str,
    content: GeminiContent<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u32>,
}

#[derive(Serialize)]
struct EmbedBatch<'a> {
    requests: Vec<GeminiEmbedRequest<'a>>,
}

/// The body of a `generateContent` call for text.
pub(super) fn text(request: &TextRequest) -> Result<Vec<u8>, Fault> {
    check_temperature(request.temperature)?;
    let config = GeminiGenerationConfig {
        temperature: request.temperature,
        max_output_tokens: request.max_output_tokens,
        seed: request.seed,
        response_mime_type: request.schema.as_ref().map(|_| "application/json"),
        response_json_schema: request.schema.as_ref(),
    };
    // Pictures before the words that speak of them, as Gemini's guide to images advises.
    let pictures = request.images.iter().map(|image| GeminiPart::InlineData(inline(image)));
    let body = GeminiTextRequest {
        system_instruction: request.system.as_deref().map(|text| content(None, text)),
        contents: [GeminiContent {
            role: Some("user"),
            parts: pictures.chain([GeminiPart::Text(&request.prompt)]).collect(),
        }],
        generation_config: (config != GeminiGenerationConfig::default()).then_some(config),
    };
    encode(&body)
}

/// The body of an `embedContent` call, which takes one input.
pub(super) fn embedding(model: &str, input: &EmbeddingInput, dimensions: Option<u32>) -> Result<Vec<u8>, Fault> {
    encode(&embed(&format!("models/{model}"), input, dimensions))
}

/// The body of a `batchEmbedContents` call, which takes 1 to 100 inputs.
pub(super) fn embeddings(model: &str, inputs: &[EmbeddingInput], dimensions: Option<u32>) -> Result<Vec<u8>, Fault> {
    check_inputs(inputs.len(), MAX_EMBEDDINGS)?;
    let model = format!("models/{model}");
    encode(&EmbedBatch { requests: inputs.iter().map(|input| embed(&model, input, dimensions)).collect() })
}

/// The body of a raw request, passed through as it is.
pub(super) fn raw(body: &Value) -> Result<Vec<u8>, Fault> {
    if !body.is_object() {
        return Err(bad("a raw request is a JSON object, as generateContent takes it"));
    }
    encode(body)
}

fn embed<'a>(model: &'a str, input: &'a EmbeddingInput, dimensions: Option<u32>) -> GeminiEmbedRequest<'a> {
    let part = match input {
        EmbeddingInput::Text(text) => GeminiPart::Text(text),
        EmbeddingInput::Image(image) => GeminiPart::InlineData(inline(image)),
    };
    GeminiEmbedRequest {
        model,
        content: GeminiContent { role: None, parts: vec![part] },
        output_dimensionality: dimensions,
    }
}

pub(super) fn inline(image: &ImageData) -> GeminiInlineData<'_> {
    GeminiInlineData { mime_type: &image.mime, data: STANDARD.encode(&image.bytes) }
}

fn content<'a>(role: Option<&'static str>, text: &'a str) -> GeminiContent<'a> {
    GeminiContent { role, parts: vec![GeminiPart::Text(text)] }
}

#[cfg(test)]
mod tests {
    use atelier_engine::FaultKind;

    use super::*;

    #[test]
    fn a_request_that_cant_be_right_is_not_sent() {
        let texts = vec![EmbeddingInput::Text(String::new()); 101];
        let nan = TextRequest { temperature: Some(f64::NAN), ..TextRequest::default() };
        for fault in [
            embeddings("m", &[], None).unwrap_err(),
            embeddings("m", &texts, None).unwrap_err(),
            raw(&Value::from(1)).unwrap_err(),
            text(&nan).unwrap_err(),
        ] {
            assert_eq!(fault.kind, FaultKind::BadRequest, "{fault}");
        }
        assert!(embeddings("m", &texts[..100], None).is_ok());
    }

    #[test]
    fn a_picture_is_sent_beside_its_type() {
        let picture = ImageData { mime: "image/jpeg".into(), bytes: b"\xff\xd8\xff".as_slice().into() };
        let body = embedding("gemini-embedding-2", &EmbeddingInput::Image(picture), Some(768)).unwrap();
        let expected = serde_json::json!({
            "model": "models/gemini-embedding-2",
            "content": {"parts": [{"inlineData": {"mimeType": "image/jpeg", "data": "/9j/"}}]},
            "outputDimensionality": 768,
        });
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
    }
}
