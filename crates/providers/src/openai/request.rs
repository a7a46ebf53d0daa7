//! Neutral requests in OpenAI's format.

use std::borrow::Cow;

use atelier_engine::{EmbeddingInput, EmbeddingRequest, Fault, ImageData, TextRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::wire::{bad, check_inputs, check_temperature, encode};

use super::quirks::{Quirks, Schemas};
use super::strict::strict;

/// The most texts of one `embeddings` call.
const MAX_EMBEDDINGS: usize = 2048;

/// The name of an answer's schema: the wire wants one, and shows it to the model.
const SCHEMA_NAME: &str = "answer";

/// The endpoint that a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Chat,
    Embeddings,
    /// A picture from words alone.
    Generations,
    /// A picture from words and other pictures.
    Edits,
}

impl Method {
    /// The path below the base URL.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Embeddings => "/embeddings",
            Self::Generations => "/images/generations",
            Self::Edits => "/images/edits",
        }
    }
}

#[derive(Serialize)]
struct Chat<'a> {
    model: &'a str,
    messages: Vec<OpenAiMessage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    /// The cap on output tokens, under the name that the server knows.
    #[serde(flatten)]
    cap: Map<String, Value>,
}

#[derive(Serialize)]
struct OpenAiMessage<'a> {
    role: &'static str,
    content: OpenAiContent<'a>,
}

/// Words alone are sent as servers of every kind take them; parts only where there are pictures.
#[derive(Serialize)]
#[serde(untagged)]
enum OpenAiContent<'a> {
    Words(Cow<'a, str>),
    Parts(Vec<OpenAiContentPart<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum OpenAiContentPart<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: OpenAiImageUrl },
}

#[derive(Serialize)]
struct OpenAiImageUrl {
    url: String,
}

#[derive(Serialize)]
struct OpenAiEmbedRequest<'a> {
    model: &'a str,
    input: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u32>,
}

/// The body of a `chat/completions` call.
pub(super) fn text(model: &str, request: &TextRequest, quirks: &Quirks) -> Result<Vec<u8>, Fault> {
    check_temperature(request.temperature)?;
    let (response_format, in_words) = match &request.schema {
        None => (None, None),
        Some(schema) => format(schema, quirks.schemas),
    };
    let system = match (request.system.as_deref(), in_words) {
        (system, None) => system.map(Cow::Borrowed),
        (None, Some(words)) => Some(Cow::Owned(words)),
        (Some(system), Some(words)) => Some(Cow::Owned(format!("{system}\n\n{words}"))),
    };
    let system = system.map(|words| OpenAiMessage { role: "system", content: OpenAiContent::Words(words) });
    let user = OpenAiMessage { role: "user", content: content(request) };
    let cap = request.max_output_tokens.map(|cap| (quirks.cap_field.to_owned(), cap.into()));
    encode(&Chat {
        model,
        messages: system.into_iter().chain([user]).collect(),
        temperature: request.temperature,
        seed: request.seed,
        response_format,
        cap: cap.into_iter().collect(),
    })
}

/// What the user says: the prompt, and the pictures before it.
fn content(request: &TextRequest) -> OpenAiContent<'_> {
    if request.images.is_empty() {
        return OpenAiContent::Words(Cow::Borrowed(&request.prompt));
    }
    let picture = |image: &ImageData| {
        let url = format!("data:{};base64,{}", image.mime, STANDARD.encode(&image.bytes));
        OpenAiContentPart::ImageUrl { image_url: OpenAiImageUrl { url } }
    };
    let words = OpenAiContentPart::Text { text: &request.prompt };
    OpenAiContent::Parts(request.images.iter().map(picture).chain([words]).collect())
}

/// The `response_format` for a schema, and the words that go into the instructions where it can't carry it.
fn format(schema: &Value, schemas: Schemas) -> (Option<Value>, Option<String>) {
    match (schemas, strict(schema)) {
        (Schemas::Strict, Some(narrowed)) => {
            let named = json!({"name": SCHEMA_NAME, "strict": true, "schema": narrowed});
            (Some(json!({"type": "json_schema", "json_schema": named})), None)
        }
        (Schemas::Strict | Schemas::AsTheyAre, _) => {
            let named = json!({"name": SCHEMA_NAME, "schema": schema});
            (Some(json!({"type": "json_schema", "json_schema": named})), None)
        }
        (Schemas::InWords, _) => {
            let words = format!("Answer with JSON alone, by this JSON Schema:\n{schema}");
            (Some(json!({"type": "json_object"})), Some(words))
        }
    }
}

/// The body of an `embeddings` call.
pub(super) fn embedding(model: &str, request: &EmbeddingRequest, quirks: &Quirks) -> Result<Vec<u8>, Fault> {
    check_inputs(request.inputs.len(), MAX_EMBEDDINGS)?;
    let texts = request.inputs.iter().map(|input| match input {
        EmbeddingInput::Text(text) => Ok(text.as_str()),
        EmbeddingInput::Image(_) => Err(bad("embeddings are of texts here: this format has none of pictures")),
    });
    let input = texts.collect::<Result<_, _>>()?;
    let dimensions = request.dimensions.filter(|_| quirks.dimensions);
    encode(&OpenAiEmbedRequest { model, input, dimensions })
}

/// A body that is passed through, and where to. It is a body of `chat/completions` or, if it has an `input`
/// and no messages, of `embeddings`; or it is a line of a batch, whose `url` says which its `body` is. A
/// body that names no model gets `model`.
pub(super) fn raw(model: &str, raw: &Value) -> Result<(Method, Vec<u8>), Fault> {
    let object = || bad("a raw request is a JSON object, as chat/completions or embeddings takes it");
    let fields = raw.as_object().ok_or_else(object)?;
    let (method, body) = match (fields.get("url"), fields.get("body")) {
        (Some(url), Some(body)) => (by_url(url)?, body.as_object().ok_or_else(object)?),
        _ if fields.contains_key("input") && !fields.contains_key("messages") => (Method::Embeddings, fields),
        _ => (Method::Chat, fields),
    };
    if body.get("stream") == Some(&Value::Bool(true)) {
        return Err(bad("a raw request with \"stream\": true can't be answered here: leave it out"));
    }
    if body.contains_key("model") {
        return Ok((method, encode(body)?));
    }
    let mut named = body.clone();
    named.insert("model".to_owned(), model.into());
    Ok((method, encode(&named)?))
}

fn by_url(url: &Value) -> Result<Method, Fault> {
    let path = url.as_str().unwrap_or_default().trim_end_matches('/');
    [Method::Chat, Method::Embeddings].into_iter().find(|method| path.ends_with(method.path())).ok_or_else(|| {
        bad("a raw request's url is /v1/chat/completions or /v1/embeddings: nothing else can be asked for here")
    })
}

#[cfg(test)]
mod tests {
    use atelier_engine::FaultKind;

    use atelier_engine::ImageData;
    use bytes::Bytes;

    use super::*;

    fn body(request: &TextRequest, quirks: &Quirks) -> Value {
        serde_json::from_slice(&text("m", request, quirks).unwrap()).unwrap()
    }

    fn with_schema(schema: Value) -> TextRequest {
        TextRequest {
            system: Some("Be brief.".into()),
            prompt: "Hello.".into(),
            schema: Some(schema),
            max_output_tokens: Some(9),
            ..TextRequest::default()
        }
    }

    #[test]
    fn each_server_is_told_the_cap_and_the_schema_in_its_way() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string", "minLength": 1}}});
        let request = with_schema(schema.clone());
        for quirks in Quirks::ALL {
            let body = body(&request, &quirks);
            assert_eq!(body[quirks.cap_field], 9, "{}", quirks.name);
            assert_eq!(body.get("max_tokens").is_some(), quirks != Quirks::OPENAI);
            let format = &body["response_format"];
            match quirks.schemas {
                Schemas::Strict => {
                    assert_eq!(format["json_schema"]["strict"], true);
                    assert_eq!(format["json_schema"]["schema"]["required"], json!(["a"]));
                }
                Schemas::AsTheyAre => assert_eq!(format["json_schema"], json!({"name": "answer", "schema": schema})),
                Schemas::InWords => {
                    assert_eq!(*format, json!({"type": "json_object"}));
                    let system = body["messages"][0]["content"].as_str().unwrap();
                    assert!(system.starts_with("Be brief.\n\n") && system.ends_with(&schema.to_string()), "{system}");
                }
            }
        }
    }

    #[test]
    fn a_schema_that_cant_be_strict_is_sent_as_it_is() {
        let schema = json!({"type": "object", "additionalProperties": {"type": "string"}});
        let body = body(&with_schema(schema.clone()), &Quirks::OPENAI);
        assert_eq!(body["response_format"]["json_schema"], json!({"name": "answer", "schema": schema}));
    }

    #[test]
    fn dimensions_are_left_out_where_they_would_be_an_error() {
        let request = EmbeddingRequest { inputs: vec![EmbeddingInput::Text("a".into())], dimensions: Some(8) };
        for quirks in Quirks::ALL {
            let body: Value = serde_json::from_slice(&embedding("m", &request, &quirks).unwrap()).unwrap();
            assert_eq!(body.get("dimensions").is_some(), quirks.dimensions);
        }
    }

    #[test]
    fn a_raw_request_goes_where_it_says() {
        let chat = json!({"model": "n", "messages": []});
        let embed = json!({"model": "n", "input": "a"});
        let line = |url: &str, body: &Value| json!({"custom_id": "1", "method": "POST", "url": url, "body": body});
        for (request, method, sent) in [
            (chat.clone(), Method::Chat, &chat),
            (embed.clone(), Method::Embeddings, &embed),
            (line("/v1/chat/completions", &chat), Method::Chat, &chat),
            (line("/v1/embeddings", &embed), Method::Embeddings, &embed),
            (json!({"messages": []}), Method::Chat, &json!({"model": "m", "messages": []})),
        ] {
            let (to, body) = raw("m", &request).unwrap();
            assert_eq!((to, &serde_json::from_slice::<Value>(&body).unwrap()), (method, sent));
        }
    }

    #[test]
    fn a_request_that_cant_be_right_is_not_sent() {
        let texts =
            |count| EmbeddingRequest { inputs: vec![EmbeddingInput::Text(String::new()); count], dimensions: None };
        let image = ImageData { mime: "image/png".into(), bytes: Bytes::new() };
        let picture = EmbeddingRequest { inputs: vec![EmbeddingInput::Image(image)], dimensions: None };
        let nan = TextRequest { temperature: Some(f64::NAN), ..TextRequest::default() };
        for fault in [
            embedding("m", &texts(0), &Quirks::OPENAI).unwrap_err(),
            embedding("m", &texts(2049), &Quirks::OPENAI).unwrap_err(),
            embedding("m", &picture, &Quirks::OPENAI).unwrap_err(),
            text("m", &nan, &Quirks::OPENAI).unwrap_err(),
            raw("m", &json!([])).unwrap_err(),
            raw("m", &json!({"url": "/v1/responses", "body": {}})).unwrap_err(),
            raw("m", &json!({"url": "/v1/embeddings", "body": []})).unwrap_err(),
            raw("m", &json!({"messages": [], "stream": true})).unwrap_err(),
        ] {
            assert_eq!(fault.kind, FaultKind::BadRequest, "{fault}");
        }
        assert!(embedding("m", &texts(2048), &Quirks::OPENAI).is_ok());
    }
}
