//! The wire, field by field, against fixtures that were written after Gemini's documents by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Bench, FLASH, assert_shape, text_of};
use serde_json::{Value, json};

/// Sends the fixture's request (twice, where it has a quota) and compares the last answer.
async fn check(fixture: &str) {
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let quotas: Vec<&str> = fixture["quota"].as_str().into_iter().collect();
    let bench = Bench::with_quotas(&quotas);
    let key = fixture["key"].as_str().unwrap_or("some-key");
    let path = fixture["path"].as_str().unwrap();
    if !quotas.is_empty() {
        assert_eq!(bench.post(path, key, &fixture["request"]).await.0, 200);
    }
    let (status, answer) = bench.post(path, key, &fixture["request"]).await;
    assert_eq!(fixture["status"], status, "{answer}");
    assert_shape(&fixture["answer"], &answer, "answer");
}

macro_rules! fixtures {
    ($($test:ident: $file:literal,)*) => {
        $(#[tokio::test]
        async fn $test() {
            check(include_str!(concat!("fixtures/", $file, ".json"))).await;
        })*
    };
}

fixtures! {
    words_are_answered_with_words_and_usage: "generate_text",
    a_refused_prompt_has_feedback_and_no_candidates: "generate_blocked_prompt",
    a_text_is_embedded: "embed",
    texts_are_embedded_in_one_batch: "batch_embed",
    tokens_are_counted_without_a_call: "count_tokens",
    a_bad_key_is_an_invalid_argument_with_its_reason: "error_bad_key",
    no_key_is_a_denied_permission: "error_no_key",
    an_unknown_model_is_not_found: "error_no_such_model",
    a_request_without_contents_is_invalid: "error_no_contents",
    an_overloaded_provider_is_unavailable: "error_unavailable",
    an_internal_error_says_so: "error_internal",
    a_missed_deadline_says_so: "error_deadline",
    a_used_up_minute_names_its_quota: "refusal_requests",
    used_up_tokens_name_their_quota: "refusal_tokens",
    a_used_up_day_names_its_quota: "refusal_day",
    used_up_images_name_their_quota: "refusal_images",
}

#[tokio::test]
async fn what_is_not_json_is_an_invalid_argument() {
    let bench = Bench::plain();
    for body in ["", "{", "[]", "\"text\"", "{\"contents\": 7}", "\u{0}"] {
        let response = bench.request(FLASH, "some-key", body.to_owned()).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body:?}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["error"]["status"], "INVALID_ARGUMENT", "{body:?}");
    }
    assert_eq!(bench.sandbox.stats().invalid, 6);
    assert_eq!(bench.sandbox.stats().calls, 0);
}

#[tokio::test]
async fn a_key_in_the_url_is_taken_as_google_takes_it() {
    let bench = Bench::plain();
    let body = common::prompt("hello");
    assert_eq!(bench.post(&format!("{FLASH}?key=abc"), "", &body).await.0, 200);
    assert_eq!(bench.post(&format!("{FLASH}?key=invalid"), "", &body).await.0, 400);
    assert_eq!(bench.post(&format!("{FLASH}?key="), "", &body).await.0, 403);
}

#[tokio::test]
async fn models_are_listed_and_described_with_what_they_can_do() {
    let bench = Bench::plain();
    let (status, list) = bench.get("/v1beta/models", "some-key").await;
    assert_eq!(status, 200);
    let names: Vec<&str> =
        list["models"].as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"models/gemini-3.8-flash") && names.contains(&"models/gemini-embedding-001"));
    let (status, model) = bench.get("/v1beta/models/gemini-embedding-001", "some-key").await;
    assert_eq!((status, &model["name"]), (200, &json!("models/gemini-embedding-001")));
    assert_eq!(model["supportedGenerationMethods"], json!(["embedContent", "batchEmbedContents", "countTokens"]));
    assert_eq!(bench.get("/v1beta/models/parrot-2", "some-key").await.0, 404);
    assert_eq!(bench.get("/v1beta/models", "invalid").await.0, 400);
}

#[tokio::test]
async fn only_the_configured_models_are_known_where_there_are_any() {
    let models = Some(vec!["house-model".to_owned()]);
    let bench = Bench::new(atelier_sandbox::SandboxConfig { models, ..Default::default() });
    let body = common::prompt("hello");
    assert_eq!(bench.post("/v1beta/models/house-model:generateContent", "k", &body).await.0, 200);
    assert_eq!(bench.post(FLASH, "k", &body).await.0, 404);
}

#[tokio::test]
async fn a_model_is_not_found_for_what_it_can_not_do() {
    let bench = Bench::plain();
    let body = common::prompt("hello");
    assert_eq!(bench.post("/v1beta/models/gemini-embedding-001:generateContent", "k", &body).await.0, 404);
    let body = json!({"content": {"parts": [{"text": "hello"}]}});
    assert_eq!(bench.post("/v1beta/models/gemini-3.8-flash:embedContent", "k", &body).await.0, 404);
    assert_eq!(bench.post("/v1beta/models/gemini-3.8-flash:sing", "k", &body).await.0, 404);
}

#[tokio::test]
async fn an_answer_is_cut_at_the_cap_on_its_tokens() {
    let bench = Bench::plain();
    let mut body = common::json_prompt("post 1: a", &common::packed_schema(&["1"]));
    body["generationConfig"]["maxOutputTokens"] = json!(20);
    let (_, answer) = bench.post(FLASH, "k", &body).await;
    assert_eq!(answer["candidates"][0]["finishReason"], "MAX_TOKENS");
    assert_eq!(answer["usageMetadata"]["candidatesTokenCount"], 20);
    assert_eq!(text_of(&answer).len(), 80);
    assert!(serde_json::from_str::<Value>(text_of(&answer)).is_err());
    let stats = bench.sandbox.stats();
    assert_eq!((stats.items_answered, stats.output_tokens), (0, 20));
}

#[tokio::test]
async fn usage_adds_up_and_counts_four_bytes_a_token() {
    let bench = Bench::plain();
    let (_, answer) = bench.ask("four bytes a token, rounded up").await;
    let usage = &answer["usageMetadata"];
    let output = text_of(&answer).len().div_ceil(4);
    assert_eq!(usage["promptTokenCount"], 8);
    assert_eq!(usage["candidatesTokenCount"], output);
    assert_eq!(usage["totalTokenCount"], 8 + output);
    let stats = bench.sandbox.stats();
    assert_eq!((stats.input_tokens, stats.output_tokens), (8, output as u64));
}

#[tokio::test]
async fn batches_of_embeddings_have_a_limit() {
    let bench = Bench::plain();
    let batch = |count: usize| {
        let one = json!({"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 8});
        json!({"requests": vec![one; count]})
    };
    let path = "/v1beta/models/gemini-embedding-2:batchEmbedContents";
    assert_eq!(bench.post(path, "k", &batch(100)).await.0, 200);
    assert_eq!(bench.post(path, "k", &batch(101)).await.0, 400);
    assert_eq!(bench.post(path, "k", &batch(0)).await.0, 400);
}

/// A request for a picture.
fn drawing(seed: u64, aspect: &str) -> Value {
    let mut body = common::prompt("a boat at dawn");
    body["generationConfig"] =
        json!({"responseModalities": ["TEXT", "IMAGE"], "seed": seed, "imageConfig": {"aspectRatio": aspect}});
    body
}

fn drawn(answer: &Value) -> String {
    let data = &answer["candidates"][0]["content"]["parts"][0]["inlineData"];
    assert_eq!(data["mimeType"], "image/png");
    data["data"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_image_is_drawn_from_the_prompt_the_seed_and_what_is_shown() {
    let bench = Bench::plain();
    let (status, first) = bench.post(FLASH, "k", &drawing(1, "3:2")).await;
    assert_eq!((status, &first["usageMetadata"]["candidatesTokenCount"]), (200, &json!(1290)));
    let first = drawn(&first);
    assert!(first.starts_with("iVBORw0KGgo"), "it is a PNG");
    assert_eq!(drawn(&bench.post(FLASH, "k", &drawing(1, "3:2")).await.1), first);
    assert_ne!(drawn(&bench.post(FLASH, "k", &drawing(2, "3:2")).await.1), first);
    let mut shown = drawing(1, "3:2");
    let parts = shown["contents"][0]["parts"].as_array_mut().unwrap();
    parts.push(json!({"inlineData": {"mimeType": "image/png", "data": first}}));
    assert_ne!(drawn(&bench.post(FLASH, "k", &shown).await.1), first);
    assert_eq!(bench.post(FLASH, "k", &drawing(1, "7:1")).await.0, 400);
}

#[tokio::test]
async fn a_picture_is_embedded_by_the_model_that_sees() {
    let bench = Bench::plain();
    let picture = drawn(&bench.post(FLASH, "k", &drawing(1, "1:1")).await.1);
    let embed = |data: &str| json!({"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": data}}]}, "outputDimensionality": 64});
    let (status, answer) = bench.post("/v1beta/models/gemini-embedding-2:embedContent", "k", &embed(&picture)).await;
    assert_eq!((status, answer["embedding"]["values"].as_array().unwrap().len()), (200, 64));
    for (model, data) in
        [("gemini-embedding-001", picture.as_str()), ("gemini-embedding-2", "AAAA"), ("gemini-embedding-2", "%")]
    {
        let path = format!("/v1beta/models/{model}:embedContent");
        assert_eq!(bench.post(&path, "k", &embed(data)).await.0, 400, "{model}");
    }
}
