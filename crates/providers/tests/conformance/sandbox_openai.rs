//! OpenAI's client against the sandbox, as Gemini's is in its own file.

use std::time::Duration;

use atelier_engine::{
    Content, EmbeddingInput, EmbeddingRequest, Ending, FaultKind, LimitKind, Model, RawRequest, Request, TextRequest,
    Usage, Window,
};
use atelier_providers::{ApiKey, HttpClient, OpenAi, OpenAiSettings, Quirks};
use atelier_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::server::within;

const MODEL: &str = "gpt-sandbox";

fn sandbox(quotas: &[&str]) -> Sandbox {
    let quotas = quotas.iter().map(|quota| quota.parse().unwrap()).collect();
    Sandbox::start(SandboxConfig { quotas, ..SandboxConfig::default() }, ([127, 0, 0, 1], 0).into()).unwrap()
}

fn client_with(sandbox: &Sandbox, key: &str, model: &str, quirks: Quirks) -> OpenAi {
    let endpoint = OpenAiSettings::endpoint(&sandbox.base_url()).unwrap();
    let settings = OpenAiSettings { endpoint, key: Some(ApiKey::new(key).unwrap()), quirks };
    OpenAi::new(&HttpClient::new().unwrap(), &settings, model).unwrap()
}

fn client(sandbox: &Sandbox, model: &str) -> OpenAi {
    client_with(sandbox, "sandbox-key", model, Quirks::OPENAI)
}

fn prompt(prompt: &str) -> Request {
    Request::Text(TextRequest { prompt: prompt.into(), ..TextRequest::default() })
}

#[tokio::test]
async fn a_schema_is_narrowed_to_what_strict_mode_takes_and_answered_by_it() {
    let sandbox = sandbox(&[]);
    let client = client(&sandbox, MODEL);
    let draft = json!({"type": "string", "minLength": 80, "maxLength": 150});
    let request = Request::Text(TextRequest {
        system: Some("You draft replies.".into()),
        prompt: "id 11: one\nid 22: two".into(),
        schema: Some(json!({
            "type": "object",
            "properties": {"replies": {"type": "array", "minItems": 2, "maxItems": 2, "items": {
                "type": "object",
                "properties": {"id": {"type": "string", "enum": ["11", "22"]}, "funny": draft},
                "required": ["id"],
            }}},
        })),
        temperature: Some(0.2),
        max_output_tokens: Some(1100),
        images: Vec::new(),
        seed: Some(7),
    });
    let reply = within(client.call(request)).await.unwrap();
    let Content::Text(text) = reply.content else { panic!("{:?}", reply.content) };
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&answer["replies"][0]["id"], &answer["replies"][1]["id"]), (&json!("11"), &json!("22")));
    assert!(answer["replies"][1]["funny"].is_string(), "what could be left out is required now");
    let stats = sandbox.stats();
    assert_eq!((stats.calls, stats.invalid, stats.items_answered), (1, 0, 2));
    let (input, output) = (Some(stats.input_tokens), Some(stats.output_tokens));
    assert_eq!(reply.usage, Usage::of_tokens(input, output));
}

#[tokio::test]
async fn a_schema_is_answered_whatever_the_servers_quirks() {
    let sandbox = sandbox(&[]);
    for quirks in Quirks::ALL {
        let client = client_with(&sandbox, "sandbox-key", MODEL, quirks);
        let request = TextRequest {
            prompt: "Go on.".into(),
            schema: Some(json!({"type": "object", "properties": {"a": {"type": "string"}}})),
            max_output_tokens: Some(500),
            ..TextRequest::default()
        };
        let reply = within(client.call(Request::Text(request.clone()))).await.unwrap();
        let Content::Text(text) = reply.content else { panic!("{:?}", reply.content) };
        assert!(serde_json::from_str::<Value>(&text).unwrap().is_object(), "{}", quirks.name);
        let capped = TextRequest { max_output_tokens: Some(3), ..request };
        let reply = within(client.call(Request::Text(capped))).await.unwrap();
        assert_eq!((reply.ending, reply.usage.output_tokens), (Ending::Cut, Some(3)), "{}", quirks.name);
    }
    assert_eq!(sandbox.stats().invalid, 0);
}

#[tokio::test]
async fn every_answer_reports_the_limits_and_a_refusal_the_one_that_was_hit() {
    let sandbox = sandbox(&["requests=2/60s", "input_tokens=100/60s"]);
    let client = client(&sandbox, MODEL);
    let minute = Some(Window::Sliding(Duration::from_secs(60)));
    for left in [1, 0] {
        let limits = within(client.call(prompt("Say yes."))).await.unwrap().limits;
        let said: Vec<_> = limits.iter().map(|limit| (limit.kind, limit.amount, limit.remaining)).collect();
        let tokens = (Some(LimitKind::InputTokens), Some(100), Some(96 + 2 * left));
        assert_eq!(said, [(Some(LimitKind::Requests), Some(2), Some(left)), tokens]);
        assert!(limits.iter().all(|limit| limit.window == minute && limit.resets_in <= Some(Duration::from_secs(60))));
    }
    let fault = within(client.call(prompt("Say yes."))).await.unwrap_err();
    let limit = fault.limit.unwrap();
    assert_eq!((fault.kind, limit.kind, limit.amount), (FaultKind::Limited, Some(LimitKind::Requests), Some(2)));
    assert!(fault.retry_after.is_some_and(|wait| wait <= Duration::from_secs(60)), "{fault:?}");
    assert_eq!(sandbox.stats().refusals, 1);
}

#[tokio::test]
async fn tokens_that_are_used_up_are_told_from_requests() {
    let sandbox = sandbox(&["requests=9/60s", "input_tokens=3/60s"]);
    let client = client(&sandbox, MODEL);
    assert!(within(client.call(prompt("Say yes."))).await.is_ok());
    let limit = within(client.call(prompt("Say yes."))).await.unwrap_err().limit.unwrap();
    assert_eq!((limit.kind, limit.amount, limit.remaining), (Some(LimitKind::InputTokens), Some(3), Some(1)));
}

#[tokio::test]
async fn a_window_that_is_no_minutes_is_known() {
    let sandbox = sandbox(&["requests=3/10s"]);
    let limits = within(client(&sandbox, MODEL).call(prompt("Say yes."))).await.unwrap().limits;
    assert_eq!((limits[0].amount, limits[0].window), (Some(3), Some(Window::Sliding(Duration::from_secs(10)))));
}

#[tokio::test]
async fn a_bad_key_and_an_unknown_model_are_told_apart() {
    let sandbox = sandbox(&[]);
    for (key, model, kind) in [
        ("invalid-key", MODEL, FaultKind::Credentials),
        ("sandbox-key", "nobody/knows:it", FaultKind::NoSuchModel),
        ("sandbox-key", "text-embedding-3-small", FaultKind::NoSuchModel),
    ] {
        let client = client_with(&sandbox, key, model, Quirks::OPENAI);
        let fault = within(client.call(prompt("Say yes."))).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{fault}");
    }
    assert_eq!(sandbox.stats().invalid, 3);
}

#[tokio::test]
async fn each_fault_to_order_is_the_fault_that_it_stands_for() {
    let sandbox = sandbox(&[]);
    let client = client(&sandbox, MODEL);
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
async fn answers_that_are_withheld_are_refused_like_prompts() {
    let faults = vec!["refuse=1".parse().unwrap()];
    let config = SandboxConfig { faults, ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config, ([127, 0, 0, 1], 0).into()).unwrap();
    let client = client(&sandbox, MODEL);
    let mut said = Vec::new();
    for _ in 0..2 {
        let fault = within(client.call(prompt("Say yes."))).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused);
        said.push(fault.message);
    }
    assert_ne!(said[0], said[1], "the model refuses one and the filter the other");
}

#[tokio::test]
async fn texts_come_back_as_vectors_in_their_order_and_raw_bodies_as_they_are() {
    let sandbox = sandbox(&[]);
    let client = client(&sandbox, "text-embedding-3-small");
    let text = |text: &str| EmbeddingInput::Text(text.to_owned());
    let inputs = vec![text("a red bicycle"), text("the stock market")];
    let request = EmbeddingRequest { inputs, dimensions: Some(256) };
    let Content::Vectors(together) = within(client.call(Request::Embedding(request))).await.unwrap().content else {
        panic!("no vectors");
    };
    assert!(together.len() == 2 && together[0] != together[1] && together.iter().all(|vector| vector.len() == 256));
    let raw = Request::Raw(RawRequest { body: json!({"input": "the stock market", "dimensions": 256}) });
    let reply = within(client.call(raw)).await.unwrap();
    let Content::Raw(body) = reply.content else { panic!("{:?}", reply.content) };
    let vector: Vec<f32> = serde_json::from_value(body["data"][0]["embedding"].clone()).unwrap();
    assert_eq!(vector, together[1]);
    assert_eq!(reply.usage, Usage::of_tokens(Some(4), Some(0)));
}

#[tokio::test]
async fn opening_connections_counts_as_no_call() {
    let sandbox = sandbox(&["requests=1/60s"]);
    let client = client(&sandbox, MODEL);
    within(client.warm_up(4)).await.unwrap();
    assert!(within(client.call(prompt("Say yes."))).await.is_ok());
    assert_eq!((sandbox.stats().calls, sandbox.stats().refusals), (1, 0));
}
