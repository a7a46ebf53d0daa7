//! OpenAI's requests, as far as the sandbox reads them. Unknown fields are ignored. `expecting` has errors call a
//! type what the wire calls it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::embedding::DIMENSIONS;
use crate::prompt::AnswerForm;

use super::problem::OpenAiProblem;
use super::strict;

/// The most texts of one `embeddings` call.
const TEXTS: usize = 2048;

/// The dimensions of the small models, where a request asks for none.
const SMALL: usize = 1536;

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct ChatRequest<'a> {
    #[serde(borrow)]
    pub(super) model: Cow<'a, str>,
    #[serde(borrow)]
    messages: Vec<ReceivedMessage<'a>>,
    response_format: Option<ResponseFormat>,
    max_completion_tokens: Option<u64>,
    max_tokens: Option<u64>,
    n: Option<u64>,
    stream: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "struct Message")]
struct ReceivedMessage<'a> {
    #[serde(borrow, default)]
    content: Option<MessageContent<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "data did not match any variant of untagged enum Content")]
enum MessageContent<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Parts(#[serde(borrow)] Vec<MessagePart<'a>>),
}

/// A part that is not a text has an empty one.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct MessagePart<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
struct ResponseFormat {
    #[serde(rename = "type")]
    kind: String,
    json_schema: Option<JsonSchema>,
}

#[derive(Debug, Deserialize)]
struct JsonSchema {
    #[serde(default)]
    name: String,
    strict: Option<bool>,
    schema: Option<Value>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct EmbeddingsRequest<'a> {
    #[serde(borrow)]
    pub(super) model: Cow<'a, str>,
    #[serde(borrow)]
    input: Option<ReceivedInput<'a>>,
    dimensions: Option<u64>,
    encoding_format: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ReceivedInput<'a> {
    One(#[serde(borrow)] Cow<'a, str>),
    Many(#[serde(borrow)] Vec<Cow<'a, str>>),
    /// Tokens, which only a model's own tokenizer could read.
    Other(serde::de::IgnoredAny),
}

/// The form in which vectors are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct VectorFormat {
    pub(super) dimensions: usize,
    /// `true`: base64 of little-endian 32-bit floats; `false`: numbers.
    pub(super) base64: bool,
}

impl ChatRequest<'_> {
    /// The texts of all the messages, in order.
    pub(super) fn texts(&self) -> Vec<&str> {
        let mut texts = Vec::with_capacity(self.messages.len());
        for message in &self.messages {
            match &message.content {
                Some(MessageContent::Text(text)) => texts.push(text.as_ref()),
                Some(MessageContent::Parts(parts)) => texts.extend(parts.iter().map(|part| part.text.as_ref())),
                None => {}
            }
        }
        texts.retain(|text| !text.is_empty());
        texts
    }

    pub(super) fn check(&self) -> Result<(), OpenAiProblem> {
        if self.messages.is_empty() {
            return Err(OpenAiProblem::invalid(
                "messages",
                "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array \
                 instead.",
            ));
        }
        if self.stream == Some(true) {
            return Err(OpenAiProblem::invalid("stream", "The sandbox answers whole, and does not stream."));
        }
        if self.n.is_some_and(|n| n != 1) {
            return Err(OpenAiProblem::invalid("n", "The sandbox gives one choice an answer."));
        }
        if self.max_tokens.is_some() && self.max_completion_tokens.is_some() {
            let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
            return Err(OpenAiProblem::invalid("max_tokens", message));
        }
        Ok(())
    }

    pub(super) fn cap(&self) -> Option<u64> {
        self.max_completion_tokens.or(self.max_tokens)
    }

    /// The form that the answer is to have.
    pub(super) fn form(&self) -> Result<AnswerForm<'_>, OpenAiProblem> {
        let Some(format) = &self.response_format else { return Ok(AnswerForm::Text) };
        match (format.kind.as_str(), &format.json_schema) {
            ("text", _) => Ok(AnswerForm::Text),
            ("json_object", _) => Ok(AnswerForm::Json),
            ("json_schema", Some(JsonSchema { name, strict, schema: Some(schema) })) => {
                let named = (1..=64).contains(&name.len())
                    && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
                if !named {
                    let message = "Invalid 'response_format.json_schema.name': a name has 1 to 64 letters, digits, \
                                   '_' and '-'.";
                    return Err(OpenAiProblem::invalid("response_format.json_schema.name", message));
                }
                if *strict == Some(true) {
                    strict::check(name, schema)?;
                }
                Ok(AnswerForm::Schema(schema))
            }
            ("json_schema", _) => Err(OpenAiProblem::invalid(
                "response_format.json_schema",
                "Missing required parameter: 'response_format.json_schema.schema'.",
            )),
            (other, _) => Err(OpenAiProblem::invalid(
                "response_format.type",
                format!("Invalid value: '{other}'. Supported values are: 'json_object', 'json_schema', and 'text'."),
            )),
        }
    }
}

impl EmbeddingsRequest<'_> {
    pub(super) fn texts(&self) -> Result<Vec<&str>, OpenAiProblem> {
        let texts: Vec<&str> = match &self.input {
            Some(ReceivedInput::One(text)) => vec![text.as_ref()],
            Some(ReceivedInput::Many(texts)) => texts.iter().map(AsRef::as_ref).collect(),
            Some(ReceivedInput::Other(_)) => {
                return Err(OpenAiProblem::invalid(
                    "input",
                    "The sandbox embeds texts, and does not know what tokens say.",
                ));
            }
            None => return Err(OpenAiProblem::invalid("input", "Missing required parameter: 'input'.")),
        };
        if !(1..=TEXTS).contains(&texts.len()) || texts.iter().any(|text| text.is_empty()) {
            let message = "'$.input' is invalid. Please check the API reference: \
                           https://platform.openai.com/docs/api-reference.";
            return Err(OpenAiProblem::invalid("input", message));
        }
        Ok(texts)
    }

    pub(super) fn asked(&self) -> Result<VectorFormat, OpenAiProblem> {
        let whole = if self.model.contains("small") { SMALL } else { DIMENSIONS };
        let dimensions = self.dimensions.map_or(Some(whole), |dimensions| usize::try_from(dimensions).ok());
        let dimensions = dimensions.filter(|count| (1..=whole).contains(count)).ok_or_else(|| {
            OpenAiProblem::invalid(
                "dimensions",
                format!("Invalid value for 'dimensions': must be between 1 and {whole}."),
            )
        })?;
        let base64 = match self.encoding_format.as_deref() {
            None | Some("float") => false,
            Some("base64") => true,
            Some(other) => {
                let message = format!("Invalid value: '{other}'. Supported values are: 'float' and 'base64'.");
                return Err(OpenAiProblem::invalid("encoding_format", message));
            }
        };
        Ok(VectorFormat { dimensions, base64 })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn texts_are_read_from_words_and_from_parts() {
        let body = r#"{"model":"m","messages":[{"role":"system","content":"be"},{"role":"assistant","content":null},
            {"role":"user","content":[{"type":"text","text":"a \"b\""},{"type":"image_url","image_url":{"url":"x"}}]}]}"#;
        let request: ChatRequest<'_> = serde_json::from_str(body).unwrap();
        assert_eq!(request.texts(), ["be", "a \"b\""]);
    }

    #[test]
    fn a_form_that_there_is_not_is_refused() {
        let form = |format: &str| {
            let body = format!(r#"{{"model":"m","response_format":{format}}}"#);
            let request: ChatRequest<'_> = serde_json::from_str(&body).unwrap();
            request.form().map(|_| ()).is_ok()
        };
        assert!(form("null") && form(r#"{"type":"text"}"#) && form(r#"{"type":"json_object"}"#));
        assert!(form(r#"{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"}}}"#));
        assert!(!form(r#"{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{"type":"object"}}}"#));
        assert!(!form(r#"{"type":"json_schema","json_schema":{"schema":{"type":"object"}}}"#));
        assert!(!form(r#"{"type":"json_schema"}"#) && !form(r#"{"type":"grammar"}"#));
    }

    #[test]
    fn what_cant_be_embedded_is_refused() {
        let texts = |input: &str| {
            let body = format!(r#"{{"model":"m","input":{input}}}"#);
            let request: EmbeddingsRequest<'_> = serde_json::from_str(&body).unwrap();
            request.texts().map(|texts| texts.len()).ok()
        };
        assert_eq!((texts(r#""a""#), texts(r#"["a","b"]"#)), (Some(1), Some(2)));
        for input in ["null", "[]", r#""""#, r#"["a",""]"#, "[1,2]", "{}"] {
            assert_eq!(texts(input), None, "{input}");
        }
    }
}
