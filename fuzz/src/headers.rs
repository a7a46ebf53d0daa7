//! The headers that speak of limits and of waiting, in all their forms.

use std::time::Duration;

use atelier_engine::{Fault, FaultKind, LimitKind, Model, Reply};
use atelier_providers::{ApiKey, BaseUrl, Gemini, HttpClient, OpenAi, OpenAiSettings, Quirks};
use std::sync::LazyLock;

use crate::answer;
use crate::exchange::{Exchange, line};

const KEY: &str = "a-secret-key-of-mine";

/// In the order of the input's lines.
const NAMES: [&str; 8] = [
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-reset-tokens",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
];

static GEMINI: LazyLock<Gemini> = LazyLock::new(|| {
    let http = HttpClient::new().expect("a client");
    let endpoint = BaseUrl::parse("http://127.0.0.1:1").expect("an address");
    Gemini::new(&http, &endpoint, &ApiKey::new(KEY).expect("a key"), "gemini-test").expect("a client")
});

static OPENAI: LazyLock<OpenAi> = LazyLock::new(|| {
    let http = HttpClient::new().expect("a client");
    let endpoint = OpenAiSettings::endpoint("http://127.0.0.1:1").expect("an address");
    let settings = OpenAiSettings { endpoint, key: None, quirks: Quirks::OPENAI };
    OpenAi::new(&http, &settings, "gpt-test").expect("a client")
});

const ANSWER: &str = r#"{"choices":[{"message":{"content":"yes"}}]}"#;

/// The values of [`NAMES`], a line each.
pub fn check(input: &[u8]) {
    let (mut rest, mut head, mut values) = (input, Vec::new(), Vec::new());
    for name in NAMES {
        let (value, after) = line(rest);
        head.extend([name.as_bytes(), b": ", value, b"\n"].concat());
        values.push(std::str::from_utf8(value).unwrap_or_default().trim_matches([' ', '\t']));
        rest = after;
    }
    let exchange = |status: u16, body: &str| {
        let input = [format!("text {status}\n").as_bytes(), &head, format!("\n{body}").as_bytes()].concat();
        Exchange::read(&input)
    };
    let call = |model: &dyn Model, status: u16, body: &str| {
        let exchange = exchange(status, body);
        let result = exchange.once_with(model);
        answer::check(&exchange, KEY, &result);
        result
    };
    let answered = call(&*OPENAI, 200, ANSWER).expect("no header makes an answer unreadable");
    check_reset(values[0], &answered);
    let refused = call(&*OPENAI, 429, "{}").expect_err("a refusal");
    assert_eq!(refused.kind, FaultKind::Limited);
    check_wait(&refused, [values[4], values[3]]);
    let refused = call(&*GEMINI, 429, "{}").expect_err("a refusal");
    check_wait(&refused, ["", values[3]]);
    // The same words in a body.
    let body = serde_json::json!({"error": {"details": [{"retryDelay": format!("{}s", values[3])}]}}).to_string();
    let refused = call(&*GEMINI, 429, &body).expect_err("a refusal");
    check_wait(&refused, ["", values[3]]);
}

/// A plain number of milliseconds goes before one of seconds, and both are kept to.
fn check_wait(fault: &Fault, [millis, seconds]: [&str; 2]) {
    let plain = |text: &str| Some(text).filter(|text| text.len() <= 6).and_then(plain);
    let expected = match (plain(millis), plain(seconds)) {
        (Some(millis), _) => Some(Duration::from_millis(millis)),
        (None, Some(seconds)) if millis.is_empty() => Some(Duration::from_secs(seconds)),
        _ => return,
    };
    assert_eq!(fault.retry_after, expected, "{millis:?} {seconds:?}");
}

/// A length of time is what the same sum comes to in whole numbers.
fn check_reset(text: &str, reply: &Reply) {
    let said = reply.limits.iter().find(|limit| limit.kind == Some(LimitKind::Requests));
    let Some(nanos) = go_duration(text) else { return };
    let read = said.and_then(|limit| limit.resets_in).map(|span| span.as_nanos());
    let off = read.map(|read| read.abs_diff(nanos));
    assert!(off.is_some_and(|off| off <= 1 + nanos / 1_000_000_000), "{text}: {nanos} ns, and {read:?} was read");
}

fn plain(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text)?.parse().ok()
}

/// A length of time as Go writes it, `1h2m3.5s`, in nanoseconds; `None` for any other text, and for what
/// nobody would wait for.
fn go_duration(text: &str) -> Option<u128> {
    let (mut rest, mut total) = (text, 0);
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(unit_at);
        let unit_ends = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_ends);
        let nanos: u128 = match unit {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" | "µs" => 1000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| Some(text).filter(|text| (1..=9).contains(&text.len())).and_then(plain);
        total += u128::from(digits(whole)?) * nanos;
        total += u128::from(digits(fraction)?) * nanos / 10_u128.pow(u32::try_from(fraction.len()).ok()?);
        rest = after;
    }
    (!text.is_empty() && total <= 31 * 86_400 * 1_000_000_000).then_some(total)
}
