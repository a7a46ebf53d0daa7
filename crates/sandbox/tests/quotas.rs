//! Quotas over the wire. How they are counted in time is tested beside the code, with a clock that the test sets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use atelier_sandbox::{Hints, Pacing, Sandbox, SandboxConfig};
use common::{Bench, FLASH, prompt};
use serde_json::{Value, json};

fn quota_id(answer: &Value) -> &str {
    answer["error"]["details"][0]["violations"][0]["quotaId"].as_str().unwrap()
}

#[tokio::test]
async fn a_window_lets_in_as_many_as_it_says_and_refuses_the_next() {
    let bench = Bench::with_quotas(&["requests=15/60s"]);
    for n in 0..15 {
        assert_eq!(bench.ask(&format!("prompt {n}")).await.0, 200);
    }
    let (status, answer) = bench.ask("one more").await;
    assert_eq!((status, quota_id(&answer)), (429, "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"));
    let stats = bench.sandbox.stats();
    assert_eq!((stats.calls, stats.refusals, stats.items_answered), (16, 1, 15));
    assert_eq!((stats.arrivals_ms.len(), stats.refusals_ms.len()), (15, 1));
}

#[tokio::test]
async fn each_key_and_each_model_has_a_quota_of_its_own() {
    let bench = Bench::with_quotas(&["requests=1/60s"]);
    let body = prompt("hello");
    let other = "/v1beta/models/gemini-3.5-flash:generateContent";
    assert_eq!(bench.post(FLASH, "a", &body).await.0, 200);
    assert_eq!(bench.post(FLASH, "a", &body).await.0, 429);
    assert_eq!(bench.post(FLASH, "b", &body).await.0, 200);
    assert_eq!(bench.post(other, "a", &body).await.0, 200);
}

#[tokio::test]
async fn wrong_requests_and_counted_tokens_use_no_quota() {
    let bench = Bench::with_quotas(&["requests=1/60s"]);
    assert_eq!(bench.post(FLASH, "k", &json!({})).await.0, 400);
    let count = "/v1beta/models/gemini-3.8-flash:countTokens";
    assert_eq!(bench.post(count, "k", &prompt("hello")).await.0, 200);
    assert_eq!(bench.post(FLASH, "k", &prompt("hello")).await.0, 200);
}

#[tokio::test]
async fn even_pacing_refuses_the_second_of_a_burst_and_says_how_long_to_wait() {
    let quotas = vec!["requests=15/60s".parse().unwrap()];
    let config = SandboxConfig { quotas, pacing: Pacing::Even, ..SandboxConfig::default() };
    let bench = Bench::new(config);
    assert_eq!(bench.ask("one").await.0, 200);
    let (status, answer) = bench.ask("two").await;
    assert_eq!(status, 429);
    let delay = answer["error"]["details"][1]["retryDelay"].as_str().unwrap();
    let seconds: f64 = delay.strip_suffix('s').unwrap().parse().unwrap();
    assert!(seconds > 0.0 && seconds <= 4.0);
}

#[tokio::test]
async fn a_refusal_says_no_more_than_it_is_told_to() {
    for (hints, types) in [
        ("full", vec!["QuotaFailure", "RetryInfo"]),
        ("quota", vec!["QuotaFailure"]),
        ("delay", vec!["RetryInfo"]),
        ("none", vec![]),
    ] {
        let config = SandboxConfig {
            quotas: vec!["requests=1/60s".parse().unwrap()],
            hints: hints.parse::<Hints>().unwrap(),
            ..SandboxConfig::default()
        };
        let bench = Bench::new(config);
        bench.ask("one").await;
        let (status, answer) = bench.ask("two").await;
        assert_eq!(status, 429);
        let details = answer["error"]["details"].as_array().cloned().unwrap_or_default();
        let given: Vec<&str> =
            details.iter().map(|detail| detail["@type"].as_str().unwrap().rsplit('.').next().unwrap()).collect();
        assert_eq!(given, types);
        let message = answer["error"]["message"].as_str().unwrap();
        assert_eq!(message.contains("Please retry in"), types.contains(&"RetryInfo"));
        assert_eq!(message.contains("limit: 1"), types.contains(&"QuotaFailure"));
    }
}

#[tokio::test]
async fn calls_in_flight_are_limited_and_a_finished_call_makes_room() {
    let bench = Bench::with_quotas(&["in_flight=1"]);
    let hanging = prompt("[[sandbox:hang]]").to_string();
    let hanging = tokio::spawn(bench.request(FLASH, "k", hanging).send());
    while bench.sandbox.stats().in_flight == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.post(FLASH, "k", &prompt("hello")).await.0, 429);
    assert_eq!(bench.post(FLASH, "other", &prompt("hello")).await.0, 200);
    hanging.abort();
    while bench.sandbox.stats().in_flight > 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        assert_eq!(bench.post(FLASH, "k", &prompt("hello")).await.0, 200);
    }
}

#[test]
fn a_sandbox_outside_a_runtime_is_an_error() {
    let error = Sandbox::start(SandboxConfig::default(), ([127, 0, 0, 1], 0).into()).unwrap_err();
    assert_eq!(error.code(), "sandbox-no-runtime");
}

#[tokio::test]
async fn an_address_for_the_world_or_a_taken_one_is_an_error() {
    let error = Sandbox::start(SandboxConfig::default(), ([0, 0, 0, 0], 0).into()).unwrap_err();
    assert_eq!(error.code(), "sandbox-not-loopback");
    let first = Sandbox::start(SandboxConfig::default(), ([127, 0, 0, 1], 0).into()).unwrap();
    let error = Sandbox::start(SandboxConfig::default(), first.addr()).unwrap_err();
    assert_eq!(error.code(), "sandbox-bind");
}
