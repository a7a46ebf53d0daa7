//! Faults to order, as a client meets them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::error::Error as _;
use std::io::ErrorKind;
use std::time::Duration;

use atelier_sandbox::SandboxConfig;
use common::{Bench, FLASH, ids_of, packed_schema, prompt, text_of};
use serde_json::Value;

const IDS: [&str; 4] = ["901", "902", "903", "904"];

fn posts(third: &str) -> String {
    format!("id 901: one\nid 902: two\nid 903: three {third}\nid 904: four")
}

fn with_fault(fault: &str) -> Bench {
    Bench::new(SandboxConfig { faults: vec![fault.parse().unwrap()], ..SandboxConfig::default() })
}

/// `true` if an input or output error of this kind is at the bottom of `error`.
fn is_io(error: &reqwest::Error, kind: ErrorKind) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == kind) {
            return true;
        }
        source = error.source();
    }
    false
}

#[tokio::test]
async fn a_marked_item_is_left_out_once_and_then_answered() {
    let bench = Bench::plain();
    let text = bench.ask_json(&posts("[[sandbox:omit]]"), &packed_schema(&IDS)).await;
    assert_eq!(ids_of(&text), ["901", "902", "904"]);
    let text = bench.ask_json("id 903: three [[sandbox:omit]]", &packed_schema(&["903"])).await;
    assert_eq!(ids_of(&text), ["903"]);
    let stats = bench.sandbox.stats();
    assert_eq!((stats.items_answered, stats.items_answered_more_than_once), (4, 0));
    assert_eq!(stats.faults["omit"], 1);
}

#[tokio::test]
async fn a_marked_item_is_given_twice_or_the_items_in_another_order() {
    let bench = Bench::plain();
    let doubled = ids_of(&bench.ask_json(&posts("[[sandbox:double]]"), &packed_schema(&IDS)).await);
    assert_eq!(doubled, ["901", "902", "903", "904", "903"]);
    let many: Vec<String> = (100..140).map(|id| id.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut shuffled = ids_of(&bench.ask_json("[[sandbox:shuffle]]", &packed_schema(&many)).await);
    assert_ne!(shuffled, many);
    shuffled.sort();
    assert_eq!(shuffled, many);
    assert_eq!(bench.sandbox.stats().items_answered_more_than_once, 0);
}

#[tokio::test]
async fn a_refused_item_blocks_every_pack_that_holds_it_and_no_other() {
    let bench = Bench::plain();
    for _ in 0..2 {
        let body = common::json_prompt(&posts("[[sandbox:refuse]]"), &packed_schema(&IDS));
        let (status, answer) = bench.post(FLASH, "k", &body).await;
        assert_eq!(status, 200);
        assert!(answer["promptFeedback"]["blockReason"].is_string() && answer.get("candidates").is_none());
    }
    assert_eq!(ids_of(&bench.ask_json("id 901: one", &packed_schema(&["901"])).await), ["901"]);
    assert_eq!(bench.sandbox.stats().items_answered, 1);
}

#[tokio::test]
async fn refusals_by_rate_are_of_the_prompt_or_of_the_answer() {
    let bench = with_fault("refuse=1");
    let mut prompts = 0;
    for _ in 0..4 {
        let (_, answer) = bench.ask("hello").await;
        if answer["promptFeedback"].is_object() {
            prompts += 1;
        } else {
            assert_eq!(answer["candidates"][0]["finishReason"], "SAFETY");
            assert!(answer["candidates"][0].get("content").is_none());
        }
    }
    assert_eq!(prompts, 2);
    assert_eq!(bench.sandbox.stats().items_answered, 0);
}

#[tokio::test]
async fn json_can_come_in_a_fence_with_words_before_it() {
    let bench = Bench::plain();
    let text = bench.ask_json(&posts("[[sandbox:fence]]"), &packed_schema(&IDS)).await;
    let (before, rest) = text.split_once("```json\n").unwrap();
    assert!(!before.is_empty());
    assert_eq!(ids_of(rest.split_once("\n```").unwrap().0), IDS);
}

#[tokio::test]
async fn an_answer_can_leave_out_what_it_used() {
    let bench = Bench::plain();
    let (status, answer) = bench.ask("[[sandbox:no-usage]]").await;
    assert_eq!(status, 200);
    assert!(answer.get("usageMetadata").is_none());
    assert!(text_of(&answer).starts_with("[sandbox]"));
}

#[tokio::test]
async fn a_truncated_answer_announces_more_than_it_gives_and_does_not_count() {
    let bench = Bench::plain();
    let response = bench.request(FLASH, "k", prompt("[[sandbox:truncate]]").to_string()).send().await;
    let mut response = response.unwrap();
    assert_eq!(response.status(), 200);
    let announced = response.content_length().unwrap();
    let first = response.chunk().await.unwrap().expect("the first half arrives");
    assert_eq!(first.len() as u64, announced / 2);
    assert!(response.chunk().await.is_err());
    let stats = bench.sandbox.stats();
    assert_eq!((stats.items_answered, stats.faults["truncate"]), (0, 1));
}

#[tokio::test]
async fn a_reset_connection_says_nothing_after_the_request_was_read() {
    let bench = Bench::plain();
    let sent = bench.request(FLASH, "k", prompt("[[sandbox:reset]]").to_string()).send().await;
    let error = sent.unwrap_err();
    assert!(is_io(&error, ErrorKind::ConnectionReset), "{error:?}");
    let stats = bench.sandbox.stats();
    assert_eq!((stats.calls, stats.items_answered, stats.faults["reset"]), (1, 0, 1));
}

#[tokio::test]
async fn a_fault_for_once_is_gone_the_next_time() {
    let bench = Bench::plain();
    assert_eq!(bench.ask("[[sandbox:503:once]]").await.0, 503);
    assert_eq!(bench.ask("[[sandbox:503:once]]").await.0, 200);
}

#[tokio::test]
async fn garbage_is_a_good_status_with_a_page() {
    let bench = with_fault("garbage=1");
    let response = bench.request(FLASH, "k", prompt("hello").to_string()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let text = response.text().await.unwrap();
    assert!(text.starts_with("<!doctype html>"));
    assert!(serde_json::from_str::<Value>(&text).is_err());
    assert_eq!(bench.sandbox.stats().items_answered, 0);
}

#[tokio::test]
async fn a_call_that_hangs_is_in_flight_until_its_client_goes() {
    let bench = with_fault("hang=1");
    let waiting = tokio::spawn(bench.request(FLASH, "k", prompt("hello").to_string()).send());
    until(|| bench.sandbox.stats().in_flight == 1).await;
    assert!(!waiting.is_finished());
    waiting.abort();
    until(|| bench.sandbox.stats().in_flight == 0).await;
    assert_eq!(bench.sandbox.stats().peak_in_flight, 1);
}

#[tokio::test]
async fn a_call_that_hangs_ends_with_the_sandbox() {
    let bench = with_fault("hang=1");
    let waiting = tokio::spawn(bench.request(FLASH, "k", prompt("hello").to_string()).send());
    until(|| bench.sandbox.stats().in_flight == 1).await;
    bench.sandbox.shutdown().await;
    assert!(waiting.await.unwrap().is_err());
}

#[tokio::test]
async fn a_dropped_sandbox_stops() {
    let bench = Bench::plain();
    let addr = bench.sandbox.addr();
    drop(bench);
    until(|| std::net::TcpStream::connect(addr).is_err()).await;
}

#[tokio::test]
async fn an_omission_by_rate_leaves_out_a_quarter_and_does_nothing_to_words() {
    let bench = with_fault("omit=1");
    let ids = ids_of(&bench.ask_json(&posts(""), &packed_schema(&IDS)).await);
    assert_eq!(ids.len(), 3);
    let (_, answer) = bench.ask("hello").await;
    assert!(text_of(&answer).starts_with("[sandbox]"));
    assert_eq!(bench.sandbox.stats().faults["omit"], 1);
}

#[tokio::test]
async fn an_answer_takes_its_latency_and_that_of_each_token() {
    let config = SandboxConfig {
        latency: Duration::from_millis(2),
        per_output_token: Duration::from_micros(100),
        ..SandboxConfig::default()
    };
    let bench = Bench::new(config);
    let start = tokio::time::Instant::now();
    let (_, answer) = bench.ask("hello").await;
    let tokens = answer["usageMetadata"]["candidatesTokenCount"].as_u64().unwrap();
    assert!(tokens >= 20);
    assert!(start.elapsed() >= Duration::from_micros(2000 + 100 * tokens));
}

/// Yields to the sandbox until `done`.
async fn until(done: impl Fn() -> bool) {
    let start = tokio::time::Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never came to pass");
        tokio::task::yield_now().await;
    }
}
