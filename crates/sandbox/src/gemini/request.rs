//! Gemini's requests, as far as the sandbox reads them. Fields are known by both of their names
//! (`maxOutputTokens`, `max_output_tokens`), as on Google's servers; unknown ones are ignored. `expecting` has
//! errors call a type what the wire calls it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Value;

use crate::embedding::{DIMENSIONS, VectorSource};
use crate::hash::hash;
use crate::picture::Seen;
use crate::prompt::AnswerForm;

use super::problem::GeminiProblem;

/// The most pictures that one vector is made of.
const PICTURES: usize = 6;

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct GenerateRequest<'a> {
    #[serde(borrow, alias = "system_instruction")]
    system_instruction: Option<ReceivedContent<'a>>,
    #[serde(borrow)]
    contents: Vec<ReceivedContent<'a>>,
    #[serde(alias = "generation_config")]
    pub(super) generation_config: ReceivedGenerationConfig,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default, expecting = "struct Content")]
pub(super) struct ReceivedContent<'a> {
    #[serde(borrow)]
    parts: Vec<ReceivedPart<'a>>,
}

/// A part that is not a text has an empty one.
#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default, expecting = "struct Part")]
struct ReceivedPart<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow, alias = "inline_data")]
    inline_data: Option<ReceivedInlineData<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "struct InlineData")]
struct ReceivedInlineData<'a> {
    #[serde(borrow, alias = "mime_type")]
    mime_type: Cow<'a, str>,
    #[serde(borrow)]
    data: Cow<'a, str>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default, expecting = "struct GenerationConfig")]
pub(super) struct ReceivedGenerationConfig {
    #[serde(alias = "max_output_tokens", deserialize_with = "whole")]
    pub(super) max_output_tokens: Option<u64>,
    #[serde(alias = "response_mime_type")]
    response_mime_type: Option<String>,
    #[serde(alias = "response_schema")]
    response_schema: Option<Value>,
    #[serde(alias = "response_json_schema", alias = "_responseJsonSchema")]
    response_json_schema: Option<Value>,
    #[serde(alias = "response_modalities")]
    response_modalities: Option<Vec<String>>,
    #[serde(alias = "image_config")]
    image_config: ReceivedImageConfig,
    pub(super) seed: Option<i64>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default, expecting = "struct ImageConfig")]
struct ReceivedImageConfig {
    #[serde(alias = "aspect_ratio")]
    aspect_ratio: Option<String>,
    #[serde(alias = "image_size")]
    image_size: Option<String>,
}

/// The shapes of pictures, with their sides at 1K.
const ASPECTS: [(&str, u32, u32); 10] = [
    ("1:1", 1024, 1024),
    ("2:3", 832, 1248),
    ("3:2", 1248, 832),
    ("3:4", 864, 1184),
    ("4:3", 1184, 864),
    ("4:5", 896, 1152),
    ("5:4", 1152, 896),
    ("9:16", 768, 1344),
    ("16:9", 1344, 768),
    ("21:9", 1536, 672),
];

/// The sizes of pictures, by how many times the sides are those at 1K.
const SIZES: [(&str, u32); 3] = [("1K", 1), ("2K", 2), ("4K", 4)];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmbedRequest<'a> {
    #[serde(borrow)]
    content: ReceivedContent<'a>,
    #[serde(default, alias = "output_dimensionality", deserialize_with = "whole")]
    output_dimensionality: Option<u64>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct BatchEmbedRequest<'a> {
    #[serde(borrow)]
    pub(super) requests: Vec<EmbedRequest<'a>>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CountRequest<'a> {
    #[serde(borrow)]
    pub(super) contents: Vec<ReceivedContent<'a>>,
    #[serde(borrow, alias = "generate_content_request")]
    pub(super) generate_content_request: Option<GenerateRequest<'a>>,
}

/// A whole number, which this wire also writes as a string.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => text.parse().map(Some).map_err(|_| D::Error::custom("not a whole number")),
        value => value.as_u64().map(Some).ok_or_else(|| D::Error::custom("not a whole number")),
    }
}

impl<'a> ReceivedContent<'a> {
    /// The texts of all the parts.
    pub(super) fn texts<'b>(contents: &'b [ReceivedContent<'a>]) -> Vec<&'b str> {
        let parts = contents.iter().flat_map(|content| &content.parts);
        parts.map(|part| part.text.as_ref()).filter(|text| !text.is_empty()).collect()
    }

    /// The files of all the parts that are pictures.
    fn pictures(contents: &[ReceivedContent<'a>]) -> Result<Vec<Vec<u8>>, GeminiProblem> {
        let parts = contents.iter().flat_map(|content| &content.parts);
        parts.filter_map(|part| part.inline_data.as_ref()).map(ReceivedInlineData::file).collect()
    }
}

impl ReceivedInlineData<'_> {
    fn file(&self) -> Result<Vec<u8>, GeminiProblem> {
        if !self.mime_type.starts_with("image/") {
            return Err(GeminiProblem::invalid(format!("Unsupported MIME type: {}", self.mime_type)));
        }
        STANDARD.decode(self.data.as_bytes()).map_err(|error| {
            GeminiProblem::invalid(format!(
                "Invalid value at 'inline_data.data' (TYPE_BYTES), Base64 decoding failed: {error}"
            ))
        })
    }
}

impl GenerateRequest<'_> {
    /// The texts, those of the instruction first.
    pub(super) fn texts(&self) -> Vec<&str> {
        let instruction = self.system_instruction.as_slice();
        let mut texts = ReceivedContent::texts(instruction);
        texts.append(&mut ReceivedContent::texts(&self.contents));
        texts
    }

    /// The files of the pictures.
    pub(super) fn pictures(&self) -> Result<Vec<Vec<u8>>, GeminiProblem> {
        ReceivedContent::pictures(&self.contents)
    }

    pub(super) fn check(&self) -> Result<(), GeminiProblem> {
        if self.contents.is_empty() {
            return Err(GeminiProblem::invalid("* GenerateContentRequest.contents: contents is not specified"));
        }
        if self.contents.iter().any(|content| content.parts.is_empty()) {
            return Err(GeminiProblem::invalid("* GenerateContentRequest.contents: contents.parts must not be empty."));
        }
        Ok(())
    }
}

/// The colours of pictures that were sent.
pub(super) fn shown(files: &[Vec<u8>]) -> Result<Vec<Seen>, GeminiProblem> {
    let unreadable = || GeminiProblem::invalid("Unable to process input image. Please retry with a PNG or JPEG image.");
    files.iter().map(|file| Seen::of(file).ok_or_else(unreadable)).collect()
}

impl ReceivedGenerationConfig {
    /// The form that the answer is to have.
    pub(super) fn form(&self) -> Result<AnswerForm<'_>, GeminiProblem> {
        let schema = self.response_json_schema.as_ref().or(self.response_schema.as_ref());
        match (self.response_mime_type.as_deref(), schema) {
            (Some("application/json"), Some(schema)) => Ok(AnswerForm::Schema(schema)),
            (Some("application/json"), None) => Ok(AnswerForm::Json),
            (Some("text/x.enum"), Some(schema)) => Ok(AnswerForm::Choice(schema)),
            (_, Some(_)) => Err(GeminiProblem::invalid(
                "* GenerateContentRequest.generation_config.response_mime_type: a response schema needs \
                 response_mime_type application/json or text/x.enum",
            )),
            (None | Some("" | "text/plain"), None) => Ok(AnswerForm::Text),
            (Some(other), None) => Err(GeminiProblem::invalid(format!(
                "* GenerateContentRequest.generation_config.response_mime_type: {other:?} is not one of \
                 text/plain, application/json, text/x.enum"
            ))),
        }
    }

    /// The sides of the picture that is asked for.
    pub(super) fn size(&self) -> Result<(u32, u32), GeminiProblem> {
        let invalid = |what: &str, value: &str| {
            GeminiProblem::invalid(format!(
                "* GenerateContentRequest.generation_config.image_config.{what}: {value:?} is not supported"
            ))
        };
        let aspect = self.image_config.aspect_ratio.as_deref().unwrap_or("1:1");
        let size = self.image_config.image_size.as_deref().unwrap_or("1K");
        let (_, width, height) =
            ASPECTS.iter().find(|known| known.0 == aspect).ok_or_else(|| invalid("aspect_ratio", aspect))?;
        let (_, times) = SIZES.iter().find(|known| known.0 == size).ok_or_else(|| invalid("image_size", size))?;
        Ok((width * times, height * times))
    }

    pub(super) fn wants_images(&self) -> bool {
        let modalities = self.response_modalities.iter().flatten();
        modalities.into_iter().any(|modality| modality.eq_ignore_ascii_case("image"))
    }
}

impl EmbedRequest<'_> {
    /// The content to embed; the hashes of its pictures are added to `hashes`. Where `sees` is false, a picture is
    /// refused.
    pub(super) fn input(&self, sees: bool, hashes: &mut Vec<u64>) -> Result<VectorSource<'_>, GeminiProblem> {
        let content = std::slice::from_ref(&self.content);
        let (texts, files) = (ReceivedContent::texts(content), ReceivedContent::pictures(content)?);
        if texts.is_empty() && files.is_empty() {
            return Err(GeminiProblem::invalid("* EmbedContentRequest.content: content contains an empty Part"));
        }
        if !sees && !files.is_empty() {
            return Err(GeminiProblem::invalid("* EmbedContentRequest.content: this model embeds text only"));
        }
        if files.len() > PICTURES {
            let message = format!("* EmbedContentRequest.content: at most {PICTURES} images can be in one content");
            return Err(GeminiProblem::invalid(message));
        }
        let pictures = shown(&files)?;
        hashes.extend(files.iter().map(|file| hash(0, file)));
        Ok(VectorSource { texts, pictures })
    }

    pub(super) fn dimensions(&self) -> Result<usize, GeminiProblem> {
        let dimensions = self.output_dimensionality.unwrap_or(DIMENSIONS as u64);
        usize::try_from(dimensions).ok().filter(|count| (1..=DIMENSIONS).contains(count)).ok_or_else(|| {
            GeminiProblem::invalid(format!(
                "* EmbedContentRequest.output_dimensionality: must be between 1 and {DIMENSIONS}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn both_spellings_of_a_name_are_read_and_unknown_names_passed_over() {
        for body in [
            r#"{"systemInstruction":{"parts":[{"text":"be"}]},"contents":[{"parts":[{"text":"brief"}]}],
                "generationConfig":{"maxOutputTokens":9,"thinkingConfig":{"thinkingBudget":0},"odd":[1]}}"#,
            r#"{"system_instruction":{"parts":[{"text":"be"}]},"contents":[{"parts":[{"text":"brief"}]}],
                "generation_config":{"max_output_tokens":"9"},"odd":{}}"#,
        ] {
            let request: GenerateRequest<'_> = serde_json::from_str(body).unwrap();
            assert_eq!(request.texts(), ["be", "brief"]);
            assert_eq!(request.generation_config.max_output_tokens, Some(9));
        }
    }

    #[test]
    fn parts_without_a_text_are_passed_over() {
        let body =
            r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}},{"text":"a \"b\""}]}]}"#;
        let request: GenerateRequest<'_> = serde_json::from_str(body).unwrap();
        assert_eq!(request.texts(), ["a \"b\""]);
    }

    #[test]
    fn a_schema_needs_a_type_of_answer_that_can_have_one() {
        let form = |config: &str| {
            let config: ReceivedGenerationConfig = serde_json::from_str(config).unwrap();
            config.form().map(|_| ()).is_ok()
        };
        assert!(form(r#"{"responseMimeType":"application/json","responseSchema":{"type":"STRING"}}"#));
        assert!(form(r#"{"responseMimeType":"text/x.enum","responseSchema":{"enum":["a"]}}"#));
        assert!(form("{}"));
        assert!(!form(r#"{"responseSchema":{"type":"STRING"}}"#));
        assert!(!form(r#"{"responseMimeType":"text/xml"}"#));
    }
}
