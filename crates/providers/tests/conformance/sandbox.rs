//! Gemini's client against the sandbox, which was written after the same documents by itself: what the two
//! disagree on is a misreading.

use atelier_engine::{
    Content, EmbeddingInput, EmbeddingRequest, Ending, Fault, FaultKind, LimitKind, Model, Reply, ReportedLimit,
    Request, TextRequest, Usage, Window,
};
use atelier_providers::{ApiKey, BaseUrl, Gemini, HttpClient};
use atelier_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use std::time::Duration;

use crate::server::within;

fn sandbox(quotas: &[&str]) -> Sandbox {
    let quotas = quotas.iter().map(|quota| quota.parse().unwrap()).collect();
    Sandbox::start(SandboxConfig { quotas, ..SandboxConfig::default() }, ([127, 0, 0, 1], 0).into()).unwrap()
}

fn client(sandbox: &Sandbox, key: &str, model: &str) -> Gemini {
    let base = BaseUrl::parse(&sandbox.base_url()).unwrap();
    Gemini::new(&HttpClient::new().unwrap(), &base, &ApiKey::new(key).unwrap(), model).unwrap()
}

fn prompt(prompt: &str) -> Request {
    Request::Text(TextRequest { prompt: prompt.into(), ..TextRequest::default() })
}

async fn embed(client: &Gemini, texts: &[&str]) -> Result<Vec<Vec<f32>>, Fault> {
    let inputs = texts.iter().map(|&text| EmbeddingInput::Text(text.to_owned())).collect();
    let request = Request::Embedding(EmbeddingRequest { inputs, dimensions: Some(256) });
    match within(client.call(request)).await?.content {
        Content::Vectors(vectors) => Ok(vectors),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_with_a_schema_is_answered_by_it_and_says_what_it_used() {
    let sandbox = sandbox(&[]);
    let client = client(&sandbox, "sandbox-key", "gemini-2.5-flash");
    let request = Request::Text(TextRequest {
        system: Some("You draft replies.".into()),
        prompt: "One reply, please.".into(),
        schema: Some(json!({
            "type": "object",
            "properties": {"reply": {"type": "string"}},
            "required": ["reply"],
            "additionalProperties": false,
        })),
        temperature: Some(0.2),
        max_output_tokens: Some(1100),
        images: Vec::new(),
        seed: Some(7),
    });
    let Reply { content, ending, usage, .. } = within(client.call(request)).await.unwrap();
    let Content::Text(text) = content else { panic!("{content:?}") };
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert!(answer["reply"].as_str().unwrap().starts_with("[sandbox]"), "{answer}");
    assert_eq!(ending, Ending::Complete);
    let stats = sandbox.stats();
    assert_eq!((stats.calls, stats.invalid), (1, 0));
    let counted = Usage::of_tokens(Some(stats.input_tokens), Some(stats.output_tokens));
    assert_eq!(usage, counted);
}

#[tokio::test]
async fn an_answer_that_comes_to_its_cap_is_cut() {
    let sandbox = sandbox(&[]);
    let client = client(&sandbox, "sandbox-key", "gemini-2.5-flash");
    let request = TextRequest { prompt: "Go on.".into(), max_output_tokens: Some(3), ..TextRequest::default() };
    let reply = within(client.call(Request::Text(request))).await.unwrap();
    assert_eq!((reply.ending, reply.usage.output_tokens), (Ending::Cut, Some(3)));
}

#[tokio::test]
async fn a_limit_that_is_hit_is_known_by_kind_window_and_amount() {
    for (quota, kind, window, amount) in [
        ("requests=1/60s", LimitKind::Requests, Window::Sliding(Duration::from_secs(60)), 1),
        ("requests=1/day", LimitKind::Requests, Window::Day, 1),
        ("input_tokens=3/60s", LimitKind::InputTokens, Window::Sliding(Duration::from_secs(60)), 3),
    ] {
        let sandbox = sandbox(&[quota]);
        let client = client(&sandbox, "sandbox-key", "gemini-2.5-flash");
        assert!(within(client.call(prompt("Say yes."))).await.is_ok(), "{quota}");
        let fault = within(client.call(prompt("Say yes."))).await.unwrap_err();
        let limit =
            ReportedLimit { kind: Some(kind), window: Some(window), amount: Some(amount), ..ReportedLimit::default() };
        assert_eq!((fault.kind, fault.limit), (FaultKind::Limited, Some(limit)), "{quota}");
        assert!(fault.retry_after.is_some(), "{quota}");
        assert_eq!(sandbox.stats().refusals, 1);
    }
}

#[tokio::test]
async fn a_bad_key_and_an_unknown_model_are_told_apart() {
    let sandbox = sandbox(&[]);
    for (key, model, kind) in [
        ("invalid-key", "gemini-2.5-flash", FaultKind::Credentials),
        ("sandbox-key", "nobody-knows", FaultKind::NoSuchModel),
    ] {
        let fault = within(client(&sandbox, key, model).call(prompt("Say yes."))).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{fault}");
    }
    assert_eq!(sandbox.stats().invalid, 2);
}

#[tokio::test]
async fn each_fault_to_order_is_the_fault_that_it_stands_for() {
    let sandbox = sandbox(&[]);
    let client = client(&sandbox, "sandbox-key", "gemini-2.5-flash");
    for (name, kind) in [
        ("500", FaultKind::ServerError),
        ("503", FaultKind::Overloaded),
        ("504", FaultKind::Timeout),
        ("reset", FaultKind::ConnectionLost),
        ("truncate", FaultKind::Unreadable),
        ("garbage", FaultKind::Unreadable),
        ("refuse", FaultKind::Refused),
    ] {
        let fault = within(client.call(prompt(&format!("Say yes. [[sandbox:{name}]]")))).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{name}: {fault}");
    }
    let reply = within(client.call(prompt("Say yes. [[sandbox:no-usage]]"))).await.unwrap();
    assert_eq!(reply.usage, Usage::default());
}

#[tokio::test]
async fn texts_come_back_as_vectors_in_their_order_alone_and_together() {
    let sandbox = sandbox(&[]);
    let client = client(&sandbox, "sandbox-key", "gemini-embedding-001");
    let together = embed(&client, &["a red bicycle", "the stock market"]).await.unwrap();
    for (text, vector) in ["a red bicycle", "the stock market"].into_iter().zip(&together) {
        assert_eq!(vector.len(), 256);
        assert_eq!(embed(&client, &[text]).await.unwrap(), std::slice::from_ref(vector), "{text}");
    }
    assert_ne!(together[0], together[1]);
    assert_eq!(embed(&client, &["x"; 100]).await.unwrap().len(), 100);
    let calls = sandbox.stats().calls;
    assert_eq!(embed(&client, &["x"; 101]).await.unwrap_err().kind, FaultKind::BadRequest);
    assert_eq!(sandbox.stats().calls, calls, "what can't be right is not sent");
}

#[tokio::test]
async fn opening_connections_counts_as_no_call() {
    let sandbox = sandbox(&["requests=1/60s"]);
    let client = client(&sandbox, "sandbox-key", "gemini-2.5-flash");
    within(client.warm_up(4)).await.unwrap();
    assert!(within(client.call(prompt("Say yes."))).await.is_ok());
    assert_eq!((sandbox.stats().calls, sandbox.stats().refusals), (1, 0));
}
