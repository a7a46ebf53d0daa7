//! What OpenAI answers, and servers like it.

use std::sync::LazyLock;

use atelier_engine::{Content, FaultKind};
use atelier_providers::{ApiKey, HttpClient, OpenAi, OpenAiSettings, Quirks};
use serde_json::Value;

use crate::answer::{self, count};
use crate::exchange::{Ask, Exchange};

const KEY: &str = "a-secret-key-of-mine";
const SPACED_KEY: &str = "two words";

/// A client for each kind of server, with the one key and with the other.
static CLIENTS: LazyLock<Vec<[OpenAi; 2]>> =
    LazyLock::new(|| Quirks::ALL.iter().map(|quirks| [KEY, SPACED_KEY].map(|key| client(key, *quirks))).collect());

fn client(key: &str, quirks: Quirks) -> OpenAi {
    let http = HttpClient::new().expect("a client");
    let endpoint = OpenAiSettings::endpoint("http://127.0.0.1:1").expect("an address");
    let settings = OpenAiSettings { endpoint, key: Some(ApiKey::new(key).expect("a key")), quirks };
    OpenAi::new(&http, &settings, "gpt-test").expect("a client")
}

/// An [`Exchange`].
pub fn check(input: &[u8]) {
    let exchange = Exchange::read(input);
    let clients = &CLIENTS[exchange.body.len() % CLIENTS.len()];
    let (key, client) = if exchange.spaced_key { (SPACED_KEY, &clients[1]) } else { (KEY, &clients[0]) };
    let result = exchange.with(client);
    answer::check(&exchange, key, &result);
    answer::check_that_usage_is_kept(&exchange, &result, "usage", |usage| {
        (count(usage.get("prompt_tokens")), count(usage.get("completion_tokens")))
    });
    let body: Option<Value> = serde_json::from_slice(&exchange.body).ok();
    if let (Ok(reply), Ask::Text) = (&result, exchange.ask)
        && let Some(expected) = body.as_ref().and_then(text)
    {
        assert_eq!(reply.content, Content::Text(expected));
    }
    // Only an error that stands in it makes more of an answer with 200 than that it is of no use.
    if let Err(fault) = &result
        && exchange.is_whole_success()
        && body.as_ref().is_some_and(|body| body.get("error").is_none_or(Value::is_null))
    {
        let kinds = [FaultKind::Unreadable, FaultKind::Empty, FaultKind::Refused];
        assert!(kinds.contains(&fault.kind), "{fault:?}");
    }
}

/// The text of the first choice that has some, read in another way than the client does.
fn text(body: &Value) -> Option<String> {
    let choices = body.get("choices")?.as_array()?;
    choices.iter().find_map(|choice| {
        let message = choice.get("message")?;
        let text = match message.get("content")? {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts.iter().filter_map(|part| part.get("text")?.as_str()).collect(),
            _ => return None,
        };
        let calls = message.get("tool_calls").and_then(Value::as_array).is_some_and(|calls| !calls.is_empty())
            || message.get("function_call").is_some_and(|call| !call.is_null());
        (!text.trim().is_empty() || calls).then_some(text)
    })
}
