//! The clients that the suite is run on.

use std::sync::Arc;

use atelier_engine::{Model, Request, TextRequest};
use atelier_providers::{ApiKey, BaseUrl, Gemini, HttpClient};
use serde_json::json;

/// A key as long and as odd as real ones. Nothing may ever show it.
pub(crate) const KEY: &str = "AQ.test-key_0123456789-abcdefghijklmnop";

/// The model that all fixtures name.
pub(crate) const MODEL: &str = "gemini-2.5-flash";

/// A provider's client, and what the suite must know of its wire.
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

/// All of them.
pub(crate) fn all() -> Vec<Box<dyn Subject>> {
    vec![Box::new(GeminiSubject)]
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
