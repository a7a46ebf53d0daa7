//! The bench of the sandbox's tests: a sandbox, a client that speaks raw JSON, and a comparison of answers with
//! fixtures.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use atelier_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

pub(crate) const FLASH: &str = "/v1beta/models/gemini-3.8-flash:generateContent";

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: reqwest::Client,
}

impl Bench {
    pub(crate) fn new(config: SandboxConfig) -> Self {
        let sandbox = Sandbox::start(config, ([127, 0, 0, 1], 0).into()).unwrap();
        Self { sandbox, client: client() }
    }

    pub(crate) fn plain() -> Self {
        Self::new(SandboxConfig::default())
    }

    pub(crate) fn with_quotas(quotas: &[&str]) -> Self {
        let quotas = quotas.iter().map(|text| text.parse().unwrap()).collect();
        Self::new(SandboxConfig { quotas, ..SandboxConfig::default() })
    }

    pub(crate) fn request(&self, path: &str, key: &str, body: String) -> reqwest::RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.sandbox.base_url()));
        let request = if key.is_empty() { request } else { request.header("x-goog-api-key", key) };
        request.header("content-type", "application/json").body(body)
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let response = self.request(path, key, body.to_string()).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> (u16, Value) {
        let request = self.client.get(format!("{}{path}", self.sandbox.base_url()));
        let response = request.header("x-goog-api-key", key).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Asks for words, and gives the whole answer.
    pub(crate) async fn ask(&self, text: &str) -> (u16, Value) {
        self.post(FLASH, "some-key", &prompt(text)).await
    }

    /// Asks for JSON by a schema of Gemini's kind, and gives the text of the answer.
    pub(crate) async fn ask_json(&self, text: &str, schema: &Value) -> String {
        let (status, answer) = self.post(FLASH, "some-key", &json_prompt(text, schema)).await;
        assert_eq!(status, 200, "{answer}");
        text_of(&answer).to_owned()
    }
}

/// A client with a new connection for every exchange, so that a broken one harms no other.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy().build().unwrap()
}

pub(crate) fn prompt(text: &str) -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
}

pub(crate) fn json_prompt(text: &str, schema: &Value) -> Value {
    let mut prompt = prompt(text);
    prompt["generationConfig"] = json!({"responseMimeType": "application/json", "responseSchema": schema});
    prompt
}

pub(crate) fn text_of(answer: &Value) -> &str {
    answer["candidates"][0]["content"]["parts"][0]["text"].as_str().expect("the answer has a text")
}

/// The schema of a packed call: for every id five drafts, one of each kind.
pub(crate) fn packed_schema(ids: &[&str]) -> Value {
    let kinds = ["add_value", "ask_question", "funny", "debate", "relate"];
    json!({"type": "OBJECT", "required": ["answers"], "properties": {"answers": {
        "type": "ARRAY", "minItems": ids.len(), "maxItems": ids.len(),
        "items": {"type": "OBJECT", "required": ["id", "drafts"], "propertyOrdering": ["id", "drafts"], "properties": {
            "id": {"type": "STRING", "enum": ids},
            "drafts": {"type": "ARRAY", "minItems": 5, "maxItems": 5, "items": {
                "type": "OBJECT", "required": ["kind", "text"], "properties": {
                    "kind": {"type": "STRING", "enum": kinds},
                    "text": {"type": "STRING"}}}}
        }}
    }}})
}

/// The ids in a packed answer, in order.
pub(crate) fn ids_of(text: &str) -> Vec<String> {
    let answer: Value = serde_json::from_str(text).expect("the text is JSON");
    let answers = answer["answers"].as_array().expect("there are answers");
    answers.iter().map(|answer| answer["id"].as_str().expect("an id is a string").to_owned()).collect()
}

/// Asserts that `actual` is `expected` to the last field, where `"<string A..B>"` stands for any text of
/// that many bytes, `"<number>"` for any number, `"<N numbers>"` for a list of them, and `"<delay>"` for
/// seconds as `"38.6s"`.
pub(crate) fn assert_shape(expected: &Value, actual: &Value, at: &str) {
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(given)) => {
            let names = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(wanted), names(given), "the fields of {at}");
            for (name, value) in wanted {
                assert_shape(value, &given[name], &format!("{at}.{name}"));
            }
        }
        (Value::Array(wanted), Value::Array(given)) => {
            assert_eq!(wanted.len(), given.len(), "the elements of {at}");
            for (place, (wanted, given)) in wanted.iter().zip(given).enumerate() {
                assert_shape(wanted, given, &format!("{at}[{place}]"));
            }
        }
        (Value::String(wanted), given) => assert_placeholder(wanted, given, at),
        _ => assert_eq!(expected, actual, "{at}"),
    }
}

fn assert_placeholder(wanted: &str, given: &Value, at: &str) {
    let inner = wanted.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    match inner {
        None => assert_eq!(given.as_str(), Some(wanted), "{at}"),
        Some("number") => assert!(given.is_number(), "{at}: {given}"),
        Some("delay") => {
            let seconds = given.as_str().and_then(|text| text.strip_suffix('s')).expect("a delay ends in s");
            let seconds: f64 = seconds.parse().unwrap();
            assert!(seconds > 0.0 && seconds <= 60.0, "{at}: {given}");
        }
        Some(inner) => {
            if let Some(count) = inner.strip_suffix(" numbers") {
                let numbers = given.as_array().expect("a list of numbers");
                assert_eq!(numbers.len(), count.parse::<usize>().unwrap(), "{at}");
                assert!(numbers.iter().all(Value::is_f64), "{at}");
                return;
            }
            let range = inner.strip_prefix("string ").expect("a known placeholder");
            let (least, most) = range.split_once("..").unwrap();
            let length = given.as_str().expect("a string").len();
            assert!((least.parse().unwrap()..=most.parse().unwrap()).contains(&length), "{at}: {given}");
        }
    }
}
