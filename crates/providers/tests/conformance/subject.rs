//! The clients that the suite is run on.

use std::sync::Arc;

use atelier_engine::{Model, Request, TextRequest};
use atelier_providers::{ApiKey, BaseUrl, Gemini, HttpClient, OpenAi, OpenAiSettings, Quirks};
use serde_json::json;

/// A key as long and as odd as real ones. Nothing may ever show it.
pub(crate) const KEY: &str = "AQ.test-key_0123456789-abcdefghijklmnop";

/// The model that Gemini's fixtures name.
pub(crate) const MODEL: &str = "gemini-2.5-flash";

/// The model that OpenAI's fixtures name.
const GPT: &str = "gpt-test";

/// A provider's client, and the parts of its wire that the suite needs. Every test is written once against this
/// trait, so that a new provider is held to all that the others have shown.
pub(crate) trait Subject {
    /// The folder of its fixtures.
    fn name(&self) -> &'static str;

    /// A client for the server at `base` with [`KEY`], and what `Debug` shows of it.
    fn connect(&self, base: &str) -> (Arc<dyn Model>, String);

    /// The header that carries the key.
    fn key_header(&self) -> (&'static str, String);

    /// The body of a whole answer that says `text`.
    fn answer_saying(&self, text: &str) -> String;

    /// The body of a whole answer that ends for a reason nobody has heard of.
    fn answer_ending_oddly(&self) -> String;

    /// The body of an error that says `message`.
    fn error_saying(&self, message: &str) -> String;
}

/// Every subject of the suite.
pub(crate) fn all() -> Vec<Box<dyn Subject>> {
    vec![Box::new(GeminiSubject), Box::new(OpenAiSubject)]
}

/// A request that any of them can send.
pub(crate) fn a_request() -> Request {
    Request::Text(TextRequest { prompt: "Say yes.".into(), ..TextRequest::default() })
}

struct GeminiSubject;

impl Subject for GeminiSubject {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn connect(&self, base: &str) -> (Arc<dyn Model>, String) {
        let http = HttpClient::new().unwrap();
        let key = ApiKey::new(KEY).unwrap();
        let client = Gemini::new(&http, &BaseUrl::parse(base).unwrap(), &key, MODEL).unwrap();
        let shown = format!("{client:?} {key:?} {http:?}");
        (Arc::new(client), shown)
    }

    fn key_header(&self) -> (&'static str, String) {
        ("x-goog-api-key", KEY.to_owned())
    }

    fn answer_saying(&self, text: &str) -> String {
        json!({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": "STOP"}]})
            .to_string()
    }

    fn answer_ending_oddly(&self) -> String {
        json!({"candidates": [{"content": {"parts": [{"text": "yes"}]}, "finishReason": "TIRED"}]}).to_string()
    }

    fn error_saying(&self, message: &str) -> String {
        json!({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}).to_string()
    }
}

struct OpenAiSubject;

impl Subject for OpenAiSubject {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn connect(&self, base: &str) -> (Arc<dyn Model>, String) {
        let http = HttpClient::new().unwrap();
        let endpoint = OpenAiSettings::endpoint(base).unwrap();
        let settings = OpenAiSettings { endpoint, key: Some(ApiKey::new(KEY).unwrap()), quirks: Quirks::OPENAI };
        let client = OpenAi::new(&http, &settings, GPT).unwrap();
        let shown = format!("{client:?} {settings:?} {http:?}");
        (Arc::new(client), shown)
    }

    fn key_header(&self) -> (&'static str, String) {
        ("authorization", format!("Bearer {KEY}"))
    }

    fn answer_saying(&self, text: &str) -> String {
        json!({"choices": [{"message": {"content": text, "role": "assistant"}, "finish_reason": "stop"}]}).to_string()
    }

    fn answer_ending_oddly(&self) -> String {
        json!({"choices": [{"message": {"content": "yes"}, "finish_reason": "TIRED"}]}).to_string()
    }

    fn error_saying(&self, message: &str) -> String {
        json!({"error": {"message": message, "type": "some_error", "param": null, "code": null}}).to_string()
    }
}
