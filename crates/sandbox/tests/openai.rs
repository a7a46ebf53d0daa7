//! OpenAI's wire, field by field, against fixtures that were written after its documents by hand; and that
//! quotas, faults and counts are the same as in Gemini's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use atelier_sandbox::{Hints, Sandbox, SandboxConfig};
use common::{Bench, FLASH, assert_shape, ids_of, prompt};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const EMBEDDINGS: &str = "/v1/embeddings";

async fn post(bench: &Bench, path: &str, key: &str, body: &Value) -> (u16, HeaderMap, Value) {
    let request = bench.request(path, "", body.to_string());
    let request = if key.is_empty() { request } else { request.bearer_auth(key) };
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.headers().clone(), response.json().await.unwrap())
}

async fn get(bench: &Bench, path: &str, key: &str) -> (u16, Value) {
    let request = bench.client.get(format!("{}{path}", bench.sandbox.base_url()));
    let response = request.bearer_auth(key).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn chat(text: &str) -> Value {
    json!({"model": "gpt-sandbox", "messages": [{"role": "user", "content": text}]})
}

/// A strict schema with an element for each of these ids.
fn packed(text: &str, ids: &[&str]) -> Value {
    let item = json!({
        "type": "object",
        "properties": {"id": {"type": "string", "enum": ids}, "text": {"type": "string"}},
        "required": ["id", "text"],
        "additionalProperties": false,
    });
    let list = json!({"type": "array", "minItems": ids.len(), "maxItems": ids.len(), "items": item});
    let schema = json!({
        "type": "object", "properties": {"answers": list}, "required": ["answers"], "additionalProperties": false,
    });
    let mut chat = chat(text);
    chat["response_format"] =
        json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": schema}});
    chat
}

fn text_of(answer: &Value) -> &str {
    answer["choices"][0]["message"]["content"].as_str().expect("the answer has a text")
}

/// Sends the fixture's request (twice, where it has a quota) and compares the last answer and its headers.
async fn check(fixture: &str) {
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let quotas: Vec<&str> = fixture["quota"].as_str().into_iter().collect();
    let bench = Bench::with_quotas(&quotas);
    let key = fixture["key"].as_str().unwrap_or("some-key");
    let path = fixture["path"].as_str().unwrap();
    if !quotas.is_empty() {
        assert_eq!(post(&bench, path, key, &fixture["request"]).await.0, 200);
    }
    let (status, headers, answer) = post(&bench, path, key, &fixture["request"]).await;
    assert_eq!(fixture["status"], status, "{answer}");
    assert_shape(&fixture["answer"], &answer, "answer");
    for (name, wanted) in fixture["headers"].as_object().into_iter().flatten() {
        let given = headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap();
        match wanted.as_str().unwrap() {
            "<number>" => assert!(given.parse::<u64>().is_ok_and(|number| number > 0), "{name}: {given}"),
            "<span>" => assert!(given == "1m0s" || given.starts_with("59."), "{name}: {given}"),
            wanted => assert_eq!(given, wanted, "{name}"),
        }
    }
}

macro_rules! fixtures {
    ($($test:ident: $file:literal,)*) => {
        $(#[tokio::test]
        async fn $test() {
            check(include_str!(concat!("fixtures/openai/", $file, ".json"))).await;
        })*
    };
}

fixtures! {
    words_are_answered_with_words_and_usage: "chat_text",
    an_answer_is_cut_at_the_cap_on_its_tokens: "chat_cut",
    a_refused_prompt_has_a_refusal_and_no_content: "chat_refused",
    usage_is_left_out_when_told_to_be: "chat_without_usage",
    a_text_is_embedded: "embed",
    texts_are_embedded_in_one_call: "embed_many",
    vectors_come_in_base64_when_asked_for: "embed_base64",
    a_bad_key_is_unauthorized: "error_bad_key",
    no_key_is_unauthorized: "error_no_key",
    an_unknown_model_is_not_found: "error_no_such_model",
    an_unknown_path_is_not_found: "error_no_such_path",
    a_request_without_messages_is_invalid: "error_no_messages",
    a_request_without_a_model_is_invalid: "error_no_model",
    a_strict_schema_that_is_not_strict_is_invalid: "error_not_strict",
    an_overloaded_provider_is_unavailable: "error_unavailable",
    an_internal_error_says_so: "error_internal",
    a_missed_deadline_says_so: "error_deadline",
    a_used_up_minute_says_what_is_left_and_when_to_come_back: "refusal_requests",
    used_up_tokens_are_named: "refusal_tokens",
    a_used_up_day_is_named: "refusal_day",
}

#[tokio::test]
async fn what_is_not_json_is_an_invalid_request() {
    let bench = Bench::plain();
    for body in ["", "{", "[]", "\"text\"", "{\"messages\": 7}"] {
        let response = bench.request(CHAT, "", body.to_owned()).bearer_auth("k").send().await.unwrap();
        assert_eq!(response.status(), 400, "{body:?}");
    }
    assert_eq!((bench.sandbox.stats().invalid, bench.sandbox.stats().calls), (5, 0));
}

#[tokio::test]
async fn every_answer_says_where_the_quotas_stand() {
    let bench = Bench::with_quotas(&["requests=3/60s", "input_tokens=100/60s"]);
    for left in [2, 1, 0] {
        let (status, headers, _) = post(&bench, CHAT, "k", &chat("hello you")).await;
        assert_eq!(status, 200);
        let number = |name: &str| headers[name].to_str().unwrap().parse::<u64>().unwrap();
        assert_eq!((number("x-ratelimit-limit-requests"), number("x-ratelimit-remaining-requests")), (3, left));
        assert_eq!((number("x-ratelimit-limit-tokens"), number("x-ratelimit-remaining-tokens")), (100, 91 + 3 * left));
    }
    let body = json!({"model": "text-embedding-3-small", "input": "a"});
    let (_, headers, _) = post(&bench, EMBEDDINGS, "k", &body).await;
    assert_eq!(headers["x-ratelimit-remaining-requests"], "2", "another model has a quota of its own");
}

#[tokio::test]
async fn without_quotas_there_are_no_rate_headers() {
    let bench = Bench::plain();
    let (_, headers, _) = post(&bench, CHAT, "k", &chat("hello")).await;
    assert!(headers.keys().all(|name| !name.as_str().starts_with("x-ratelimit")));
}

#[tokio::test]
async fn a_refusal_says_no_more_than_it_is_told_to() {
    for (hints, named, delayed) in
        [("full", true, true), ("quota", true, false), ("delay", false, true), ("none", false, false)]
    {
        let config = SandboxConfig {
            quotas: vec!["requests=1/60s".parse().unwrap()],
            hints: hints.parse::<Hints>().unwrap(),
            ..SandboxConfig::default()
        };
        let bench = Bench::new(config);
        let (_, first, _) = post(&bench, CHAT, "k", &chat("one")).await;
        assert_eq!(first.contains_key("x-ratelimit-limit-requests"), named, "{hints}");
        let (status, headers, answer) = post(&bench, CHAT, "k", &chat("two")).await;
        assert_eq!((status, &answer["error"]["code"]), (429, &json!("rate_limit_exceeded")));
        assert_eq!(answer["error"]["type"] == "requests", named, "{hints}");
        assert_eq!(headers.contains_key("x-ratelimit-limit-requests"), named, "{hints}");
        let waits = headers.contains_key("retry-after") && headers.contains_key("retry-after-ms");
        assert_eq!(waits, delayed, "{hints}");
    }
}

#[tokio::test]
async fn both_formats_are_served_at_once_and_count_together() {
    let models = Some(vec!["house-model".to_owned()]);
    let quotas = vec!["requests=2/60s".parse().unwrap()];
    let bench = Bench::new(SandboxConfig { models, quotas, ..SandboxConfig::default() });
    let mut body = chat("hello");
    body["model"] = json!("house-model");
    assert_eq!(post(&bench, CHAT, "k", &body).await.0, 200);
    let gemini = "/v1/models/house-model:generateContent";
    assert_eq!(bench.post(gemini, "k", &prompt("hello")).await.0, 200);
    assert_eq!(post(&bench, CHAT, "k", &body).await.0, 429, "one key and one model have one quota");
    assert_eq!(bench.post(gemini, "k", &prompt("hello")).await.0, 429);
    let stats = bench.sandbox.stats();
    assert_eq!((stats.calls, stats.refusals, stats.items_answered), (4, 2, 1), "the same prompt is the same item");
    assert_eq!(bench.post(FLASH, "k", &prompt("hello")).await.0, 404);
}

#[tokio::test]
async fn models_are_listed_in_the_form_in_which_the_key_comes() {
    let bench = Bench::plain();
    let (status, list) = get(&bench, "/v1/models", "some-key").await;
    assert_eq!((status, &list["object"]), (200, &json!("list")));
    let ids: Vec<&str> = list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"gpt-sandbox") && ids.contains(&"text-embedding-3-small"), "{ids:?}");
    let (status, model) = get(&bench, "/v1/models/gpt-x", "some-key").await;
    assert_eq!((status, &model["id"]), (200, &json!("gpt-x")));
    assert_eq!(get(&bench, "/v1/models/parrot-2", "some-key").await.0, 404);
    let (status, list) = bench.get("/v1/models", "some-key").await;
    assert!(status == 200 && list["models"].is_array(), "{list}");
}

#[tokio::test]
async fn a_packed_call_answers_every_id_and_faults_strike_their_items() {
    let bench = Bench::plain();
    let prompt = "id 901: one\nid 902: two [[sandbox:omit]]\nid 903: three";
    let (status, _, answer) = post(&bench, CHAT, "k", &packed(prompt, &["901", "902", "903"])).await;
    assert_eq!((status, ids_of(text_of(&answer))), (200, vec!["901".to_owned(), "903".to_owned()]));
    let (_, _, answer) = post(&bench, CHAT, "k", &packed(prompt, &["902"])).await;
    assert_eq!(ids_of(text_of(&answer)), ["902"]);
    assert_eq!(bench.sandbox.stats().items_answered, 3);
}

#[tokio::test]
async fn faults_without_an_answer_befall_this_format_too() {
    let bench = Bench::plain();
    for fault in ["reset", "truncate"] {
        let body = chat(&format!("[[sandbox:{fault}]]")).to_string();
        let sent = bench.request(CHAT, "", body).bearer_auth("k").send().await;
        let read = match sent {
            Ok(response) => response.bytes().await,
            Err(error) => Err(error),
        };
        assert!(read.is_err(), "{fault}");
    }
    let garbage = bench.request(CHAT, "", chat("[[sandbox:garbage]]").to_string()).bearer_auth("k");
    let response = garbage.send().await.unwrap();
    assert!(response.status() == 200 && response.text().await.unwrap().starts_with("<!doctype html>"));
    assert_eq!(bench.sandbox.stats().faults.len(), 3);
}

#[tokio::test]
async fn a_model_is_not_asked_for_what_it_can_not_do() {
    let bench = Bench::plain();
    let mut body = chat("hello");
    body["model"] = json!("text-embedding-3-small");
    assert_eq!(post(&bench, CHAT, "k", &body).await.0, 404);
    assert_eq!(post(&bench, EMBEDDINGS, "k", &json!({"model": "gpt-sandbox", "input": "a"})).await.0, 403);
    for (field, value) in [("stream", json!(true)), ("n", json!(2)), ("response_format", json!({"type": "xml"}))] {
        let mut body = chat("hello");
        body[field] = value;
        assert_eq!(post(&bench, CHAT, "k", &body).await.0, 400, "{field}");
    }
    let many = |count: usize| json!({"model": "text-embedding-3-small", "input": vec!["a"; count], "dimensions": 1});
    assert_eq!(post(&bench, EMBEDDINGS, "k", &many(2048)).await.0, 200);
    assert_eq!(post(&bench, EMBEDDINGS, "k", &many(2049)).await.0, 400);
}

#[tokio::test]
async fn the_same_text_has_the_same_vector_in_either_writing() {
    let bench = Bench::plain();
    let ask =
        |format: &str| json!({"model": "sandbox", "input": "a red boat", "dimensions": 4, "encoding_format": format});
    let (_, _, numbers) = post(&bench, EMBEDDINGS, "k", &ask("float")).await;
    let (_, _, base64) = post(&bench, EMBEDDINGS, "k", &ask("base64")).await;
    let numbers: Vec<f32> = serde_json::from_value(numbers["data"][0]["embedding"].clone()).unwrap();
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    use base64::Engine as _;
    let written = base64::engine::general_purpose::STANDARD.encode(bytes);
    assert_eq!(base64["data"][0]["embedding"], json!(written));
}

#[tokio::test]
async fn the_address_that_openais_sdk_wants_is_the_base_url_with_the_version() {
    let sandbox = Sandbox::start(SandboxConfig::default(), ([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("{}/v1/models", sandbox.base_url());
    assert_eq!(common::client().get(url).bearer_auth("k").send().await.unwrap().status(), 200);
}
