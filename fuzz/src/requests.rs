//! What is sent: bodies that are passed through, and schemas.
//!
//! ```text
//! ollama raw                the server, and what is asked: raw, schema or embed
//! {"messages": []}          the body, the schema, or the texts, a line each
//! ```

use std::sync::LazyLock;

use atelier_engine::{EmbeddingInput, EmbeddingRequest, FaultKind, ImageRequest, Model, RawRequest, Request, TextRequest};
use atelier_providers::{ApiKey, BaseUrl, Gemini, HttpClient, OpenAi, OpenAiSettings, Quirks, fuzz};
use futures_util::FutureExt;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::Value;

use crate::exchange::line;

const KEY: &str = "a-secret-key-of-mine";
const BASE: &str = "http://127.0.0.1:1/base";

struct Clients {
    gemini: Gemini,
    openai: Vec<OpenAi>,
}

static CLIENTS: LazyLock<Clients> = LazyLock::new(|| {
    let http = HttpClient::new().expect("a client");
    let endpoint = BaseUrl::parse(BASE).expect("an address");
    let key = ApiKey::new(KEY).expect("a key");
    let openai = |quirks: &Quirks| {
        let settings = OpenAiSettings { endpoint: endpoint.clone(), key: Some(key.clone()), quirks: *quirks };
        OpenAi::new(&http, &settings, "test-model").expect("a client")
    };
    Clients {
        gemini: Gemini::new(&http, &endpoint, &key, "test-model").expect("a client"),
        openai: Quirks::ALL.iter().map(openai).collect(),
    }
});

/// A server, what is asked of it, and the rest of it.
pub fn check(input: &[u8]) {
    let (first, rest) = line(input);
    let words: Vec<&[u8]> = first.split(|byte| *byte == b' ').collect();
    let is = |word: &str| words.contains(&word.as_bytes());
    let text = String::from_utf8_lossy(rest);
    let request = if is("embed") {
        let inputs = text.lines().map(|line| EmbeddingInput::Text(line.to_owned())).collect();
        Request::Embedding(EmbeddingRequest { inputs, dimensions: Some(8) })
    } else if is("image") {
        Request::Image(ImageRequest { prompt: text.into_owned(), width: 9, height: 5, ..ImageRequest::default() })
    } else {
        let Ok(body) = serde_json::from_str::<Value>(&text) else { return };
        if is("schema") {
            Request::Text(TextRequest { prompt: "a prompt".into(), schema: Some(body), ..TextRequest::default() })
        } else {
            Request::Raw(RawRequest { body })
        }
    };
    // Amounts are made from this before it is sent.
    let demand = request.demand();
    assert!(demand.input_tokens <= demand.input_bytes.max(demand.input_tokens));
    match Quirks::ALL.iter().position(|quirks| is(quirks.name)) {
        None => check_gemini(&request),
        Some(server) => check_openai(server, &request),
    }
}

/// What was sent of it: where to, and the body. `None` if it was refused before.
fn sent(model: &dyn Model, request: &Request) -> Option<(reqwest::Request, Value)> {
    fuzz::answer_with(http::Response::new("{}").into());
    let result = model.call(request.clone()).now_or_never().expect("without a network nothing is waited for");
    let fault = result.expect_err("nothing was answered");
    let Some(sent) = fuzz::sent() else {
        assert_eq!(fault.kind, FaultKind::BadRequest, "it was not sent: {fault}");
        return None;
    };
    assert!(sent.url().as_str().starts_with(BASE), "{}", sent.url());
    assert!(!sent.url().as_str().contains(KEY), "the key stands in the address: {}", sent.url());
    assert!(sent.headers().values().filter(|value| has_key(value)).all(HeaderValue::is_sensitive));
    assert!(sent.headers().values().any(has_key), "it was sent without the key");
    let body = sent.body().and_then(reqwest::Body::as_bytes).expect("a body");
    let body = serde_json::from_slice(body).expect("a body that is JSON");
    Some((sent, body))
}

fn has_key(value: &HeaderValue) -> bool {
    value.as_bytes().windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes())
}

fn check_gemini(request: &Request) {
    let Some((_, body)) = sent(&CLIENTS.gemini, request) else { return };
    match request {
        Request::Raw(raw) => assert_eq!(body, raw.body),
        Request::Text(text) => {
            assert_eq!(body.pointer("/generationConfig/responseJsonSchema"), text.schema.as_ref());
        }
        Request::Embedding(embedding) => {
            let texts = body.get("requests").and_then(Value::as_array).map_or(1, Vec::len);
            assert_eq!(texts, embedding.inputs.len());
        }
        Request::Image(image) => {
            assert_eq!(body.pointer("/contents/0/parts/0/text").and_then(Value::as_str), Some(image.prompt.as_str()));
        }
    }
}

fn check_openai(server: usize, request: &Request) {
    let client = &CLIENTS.openai[server];
    let Some((sent_to, body)) = sent(client, request) else { return };
    assert!(sent_to.headers().contains_key(AUTHORIZATION));
    assert!(body.get("model").is_some(), "{body}");
    assert_ne!(body.get("stream"), Some(&Value::Bool(true)), "a stream can't be read");
    let Request::Text(text) = request else { return };
    let Some(format) = body.pointer("/response_format/json_schema") else { return };
    let schema = format.get("schema").expect("a schema");
    if format.get("strict") == Some(&Value::Bool(true)) {
        check_closed(schema, true);
        let again = Request::Text(TextRequest { schema: Some(schema.clone()), ..text.clone() });
        let (_, again) = sent(client, &again).expect("it was sent before");
        let again = again.pointer("/response_format/json_schema");
        assert_eq!(again.map(unordered), Some(unordered(format)), "what is strict is strict already");
    } else {
        assert_eq!(Some(schema), text.schema.as_ref());
    }
}

/// In which order properties are required is nothing to go by.
fn unordered(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let mut value = unordered(value);
                if let (true, Some(names)) = (name == "required", value.as_array_mut()) {
                    names.sort_by_key(ToString::to_string);
                }
                (name.clone(), value)
            })
            .collect(),
        Value::Array(values) => values.iter().map(unordered).collect(),
        other => other.clone(),
    }
}

/// Strict mode refuses a request one of whose objects is open or has a property that may be left out.
fn check_closed(schema: &Value, top: bool) {
    let fields = schema.as_object().expect("a schema is an object");
    let is_object = fields.get("type").is_some_and(|kind| match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| kind == "object"),
        kind => kind == "object",
    });
    assert!(is_object || !top, "the top is an object");
    if is_object {
        assert_eq!(fields.get("additionalProperties"), Some(&Value::Bool(false)), "{schema}");
        let properties = fields.get("properties").and_then(Value::as_object).expect("properties");
        let required = fields.get("required").and_then(Value::as_array).expect("what is required");
        assert_eq!(properties.len(), required.len(), "{schema}");
        properties.values().for_each(|property| check_closed(property, false));
    }
    for name in ["$defs", "definitions"] {
        let definitions = fields.get(name).and_then(Value::as_object);
        definitions.into_iter().flat_map(|map| map.values()).for_each(|schema| check_closed(schema, false));
    }
    fields.get("items").into_iter().for_each(|schema| check_closed(schema, false));
    let choices = fields.get("anyOf").and_then(Value::as_array);
    choices.into_iter().flatten().for_each(|schema| check_closed(schema, false));
}
