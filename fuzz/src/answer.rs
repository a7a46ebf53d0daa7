//! What holds of everything that a client makes of an answer, whoever answered and whatever it was.

use std::time::Duration;

use atelier_engine::{Content, Fault, FaultKind, Limit, LimitKind, Remedy, Reply, ReportedLimit, Usage, Window};
use serde_json::Value;

use crate::exchange::{Ask, Exchange};

/// No wait and no window is longer: what says so is a mistake.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);

/// Windows are read as floats, which hold so much of them to the billionth.
const LONGEST_EXACT: Duration = Duration::from_secs(86_400);

/// No call uses more of anything: sums of this fit wherever counts are added up.
const MOST: u64 = u32::MAX as u64;

/// Checks what came of an exchange with a client that has `key`.
pub(crate) fn check(exchange: &Exchange, key: &str, result: &Result<Reply, Fault>) {
    match result {
        Ok(reply) => {
            assert!(exchange.is_whole_success(), "a reply of an answer with status {}", exchange.status);
            check_reply(exchange, reply);
        }
        Err(fault) => check_fault(exchange, key, fault),
    }
}

fn check_reply(exchange: &Exchange, reply: &Reply) {
    match (&reply.content, exchange.ask) {
        (Content::Text(text), Ask::Text) => assert!(!text.trim().is_empty(), "a reply without text"),
        (Content::Vectors(vectors), Ask::Vectors(count)) => {
            assert_eq!(vectors.len(), count);
            assert!(vectors.iter().all(|vector| !vector.is_empty() && vector.iter().all(|x| x.is_finite())));
        }
        (Content::Image(image), Ask::Image) => assert!(!image.bytes.is_empty(), "an image without a file"),
        (Content::Raw(body), Ask::Raw | Ask::RawVectors) => {
            assert_eq!(serde_json::from_slice::<Value>(&exchange.body).ok().as_ref(), Some(body));
        }
        (content, ask) => panic!("{ask:?} was asked and {content:?} came"),
    }
    check_usage(&reply.usage);
    reply.limits.iter().for_each(check_limit);
}

fn check_fault(exchange: &Exchange, key: &str, fault: &Fault) {
    let Fault { kind, message, retry_after, limit, usage } = fault;
    assert!(!message.trim().is_empty() && message.chars().count() <= 500, "{message:?}");
    assert!(!message.chars().any(char::is_control), "{message:?}");
    assert!(!message.contains(key), "a message holds the key: {message}");
    assert!(retry_after.is_none_or(|wait| wait <= LONGEST), "{retry_after:?}");
    limit.iter().for_each(check_limit);
    usage.iter().for_each(check_usage);
    if *kind == FaultKind::Limited {
        // It would be waited for without end.
        assert_ne!(limit.and_then(|limit| limit.amount), Some(0), "a limit of nothing is waited for");
    }
    assert!(
        !matches!(kind, FaultKind::Unreachable | FaultKind::ConnectionLost),
        "an answer came, and the fault is {kind:?}"
    );
    let remedy = kind.remedy();
    match exchange.status {
        200..=299 if exchange.cut => assert_eq!(*kind, FaultKind::Unreadable),
        200..=299 => {}
        // Theirs: it may work the next time, and says nothing against the item or the account.
        500..=599 => assert_eq!(remedy, Remedy::Retry, "{kind:?}"),
        429 => assert_ne!(remedy, Remedy::Retry, "a refusal by a limit uses up attempts: {kind:?}"),
        _ => assert!(!matches!(kind, FaultKind::Unreadable | FaultKind::Empty), "{kind:?}"),
    }
}

fn check_usage(usage: &Usage) {
    for count in [usage.input_tokens, usage.output_tokens, usage.images].into_iter().flatten() {
        // Thoughts and answer may come to twice of it.
        assert!(count <= 2 * MOST, "{usage:?}");
    }
}

/// What is learnt of a limit is written down in words and read again, in every later run.
fn check_limit(said: &ReportedLimit) {
    assert!(said.resets_in.is_none_or(|wait| wait <= LONGEST), "{said:?}");
    if let Some(Window::Sliding(window)) = said.window {
        assert!(!window.is_zero() && window <= LONGEST, "{said:?}");
    }
    let exact = !matches!(said.window, Some(Window::Sliding(window)) if window > LONGEST_EXACT);
    if let (Some(window), Some(amount @ 1..), true) = (said.window, said.amount, exact) {
        let limit = Limit { kind: said.kind.unwrap_or(LimitKind::Requests), amount, window };
        if limit.kind != LimitKind::Usd {
            assert_eq!(limit.to_string().parse(), Ok(limit), "{said:?}");
        }
    }
}

/// A count as the wires write it: a number, or one in quotation marks.
pub(crate) fn count(value: Option<&Value>) -> Option<u64> {
    let count = match value? {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    (count <= MOST).then_some(count)
}

/// What an answer with a status of success used is known, whatever else is wrong with it.
/// `read` finds the tokens of prompt and answer in the usage that stands under `name`.
pub(crate) fn check_that_usage_is_kept(
    exchange: &Exchange,
    result: &Result<Reply, Fault>,
    name: &str,
    read: impl Fn(&Value) -> (Option<u64>, Option<u64>),
) {
    if !exchange.is_whole_success() {
        return;
    }
    let Ok(body) = serde_json::from_slice::<Value>(&exchange.body) else { return };
    let Some(said) = body.get(name) else { return };
    let usage = match result {
        Ok(reply) => reply.usage,
        Err(fault) => fault.usage.unwrap_or_default(),
    };
    let (input, output) = read(said);
    assert_eq!(usage.input_tokens, input, "tokens of the prompt, in {result:?}");
    match exchange.ask {
        Ask::Text | Ask::Raw => assert_eq!(usage.output_tokens, output, "tokens of the answer, in {result:?}"),
        Ask::Vectors(_) | Ask::RawVectors => assert!(usage.output_tokens.is_none_or(|output| output == 0)),
    }
}
