//! What Gemini, or whatever stands in its place, answers.

use std::sync::LazyLock;

use atelier_engine::{Content, Ending};
use atelier_providers::{ApiKey, BaseUrl, Gemini, HttpClient};
use serde_json::Value;

use crate::answer::{self, count};
use crate::exchange::{Ask, Exchange};

const KEY: &str = "a-secret-key-of-mine";
const SPACED_KEY: &str = "two words";

static CLIENT: LazyLock<Gemini> = LazyLock::new(|| client(KEY));
static SPACED_CLIENT: LazyLock<Gemini> = LazyLock::new(|| client(SPACED_KEY));

fn client(key: &str) -> Gemini {
    let http = HttpClient::new().expect("a client");
    let endpoint = BaseUrl::parse("http://127.0.0.1:1").expect("an address");
    Gemini::new(&http, &endpoint, &ApiKey::new(key).expect("a key"), "gemini-test").expect("a client")
}

/// An [`Exchange`].
pub fn check(input: &[u8]) {
    let mut exchange = Exchange::read(input);
    if exchange.ask == Ask::RawVectors {
        exchange.ask = Ask::Raw;
    }
    let (key, client) = if exchange.spaced_key { (SPACED_KEY, &SPACED_CLIENT) } else { (KEY, &CLIENT) };
    let result = exchange.with(&**client);
    answer::check(&exchange, key, &result);
    answer::check_that_usage_is_kept(&exchange, &result, "usageMetadata", |usage| {
        let count = |name: &str| count(usage.get(name));
        let input = count("promptTokenCount");
        let output = match (count("candidatesTokenCount"), count("thoughtsTokenCount")) {
            (None, None) => count("totalTokenCount").zip(input).and_then(|(total, input)| total.checked_sub(input)),
            (answer, thoughts) => Some(answer.unwrap_or(0) + thoughts.unwrap_or(0)),
        };
        (input, output)
    });
    if let (Ok(reply), Ask::Text) = (&result, exchange.ask)
        && let Some(expected) = serde_json::from_slice(&exchange.body).ok().as_ref().and_then(text)
    {
        assert_eq!(reply.content, Content::Text(expected));
    }
    // A reply of a body is one that holds something, or else nobody would look at it.
    if let Ok(reply) = &result {
        assert!(matches!(reply.ending, Ending::Complete | Ending::Cut | Ending::Filtered));
        assert!(reply.limits.is_empty(), "Gemini says nothing of its limits beside an answer");
    }
}

/// The text of the first candidate that has some, read in another way than the client does. `None` where it
/// does not stand where the documents put it.
fn text(body: &Value) -> Option<String> {
    let candidates = body.get("candidates")?.as_array()?;
    candidates.iter().find_map(|candidate| {
        let parts = candidate.get("content")?.get("parts")?.as_array()?;
        let of = |part: &Value, name: &str| part.get(name).is_some_and(|value| !value.is_null());
        let answers = || parts.iter().filter(|part| part.get("thought") != Some(&Value::Bool(true)));
        let texts = answers().filter_map(|part| part.get("text")?.as_str());
        let has_text = texts.clone().any(|text| !text.trim().is_empty());
        let has_other =
            answers().any(|part| ["inlineData", "fileData", "functionCall"].iter().any(|name| of(part, name)));
        (has_text || has_other).then(|| texts.collect())
    })
}
