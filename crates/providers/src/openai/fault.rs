//! OpenAI's errors as faults, and those of servers like it. The kind of fault is decided by status codes and by names of
//! the wire, never by the words of a message; a limit's amount and wait are read from them where nothing else says it.

use atelier_engine::{Fault, FaultKind, LimitKind, ReportedLimit};

use crate::error_body::ErrorBody;
use crate::http::HttpAnswer;
use crate::secret::{ApiKey, clean};
use crate::wire::in_words;

use super::limits;

/// The fault for an error with `status`.
pub(super) fn of(answer: &HttpAnswer, error: &ErrorBody, status: u16, model: &str, key: Option<&ApiKey>) -> Fault {
    let kind = kind(status, error);
    let words = in_words(kind, status, model);
    let reason = error.reason();
    let theirs = key.map_or_else(|| clean(&reason), |key| key.clean(&reason));
    let mut fault = Fault::new(kind, if theirs.is_empty() { words } else { format!("{words}: {theirs}") });
    fault.retry_after = limits::retry_after(&answer.headers).or_else(|| error.retry_delay());
    if kind == FaultKind::Limited {
        let (limit, wait) = limits::in_words(&reason);
        fault.limit = limit_hit(answer, error, limit);
        fault.retry_after = fault.retry_after.or(wait);
    }
    fault
}

/// Which fault a status is. Later arms take what no earlier one names.
fn kind(status: u16, error: &ErrorBody) -> FaultKind {
    // A name is more exact than a 4xx. A 5xx is the server's failure, whatever name stands beside it.
    if let (400..=499, Some(kind)) = (status, error.named()) {
        return kind;
    }
    match status {
        401 | 403 => FaultKind::Credentials,
        402 => FaultKind::AccountBlocked,
        404 => FaultKind::NoSuchModel,
        408 | 504 => FaultKind::Timeout,
        // Two requests got in each other's way, and asking again is enough: that is what a ServerError leads to.
        409 => FaultKind::ServerError,
        429 => FaultKind::Limited,
        503 | 529 => FaultKind::Overloaded,
        500..=599 => FaultKind::ServerError,
        // 400, 413, 422, every other 4xx, and redirections, which are not followed.
        _ => FaultKind::BadRequest,
    }
}

/// The limit that was hit: of those in the headers the one that the error names or that has nothing left, and where
/// there are no headers the one that its words speak of. Of several, the last to reset is the one to wait for.
fn limit_hit(answer: &HttpAnswer, error: &ErrorBody, in_words: Option<ReportedLimit>) -> Option<ReportedLimit> {
    let named = match error.field("type") {
        "requests" => Some(LimitKind::Requests),
        "tokens" | "input_tokens" => Some(LimitKind::InputTokens),
        _ => None,
    };
    let reported = limits::reported(&answer.headers).into_iter();
    let hit = reported.filter(|limit| match named {
        Some(_) => limit.kind == named,
        None => limit.remaining == Some(0),
    });
    let alone = named.map(|kind| ReportedLimit { kind: Some(kind), ..ReportedLimit::default() });
    hit.max_by_key(|limit| limit.resets_in).or(in_words).or(alone)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use atelier_engine::Window;
    use bytes::Bytes;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
    use serde_json::{Value, json};

    use super::*;

    fn read(status: u16, body: &Value, headers: &[(&'static str, &'static str)]) -> Fault {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let headers: HeaderMap = headers.iter().map(pair).collect();
        let answer = HttpAnswer { status, body: Bytes::from(body.to_string()), headers, ..HttpAnswer::default() };
        of(&answer, &ErrorBody::of(&answer), status, "gpt-test", Some(&ApiKey::new("a-secret-key").unwrap()))
    }

    #[test]
    fn every_status_has_its_fault() {
        for (status, kind) in [
            (301, FaultKind::BadRequest),
            (400, FaultKind::BadRequest),
            (401, FaultKind::Credentials),
            (402, FaultKind::AccountBlocked),
            (403, FaultKind::Credentials),
            (404, FaultKind::NoSuchModel),
            (408, FaultKind::Timeout),
            (409, FaultKind::ServerError),
            (413, FaultKind::BadRequest),
            (422, FaultKind::BadRequest),
            (429, FaultKind::Limited),
            (500, FaultKind::ServerError),
            (502, FaultKind::ServerError),
            (503, FaultKind::Overloaded),
            (504, FaultKind::Timeout),
            (520, FaultKind::ServerError),
            (529, FaultKind::Overloaded),
        ] {
            for body in [json!({"error": {"message": "no"}}), json!({"error": "no"}), json!({"message": "no"})] {
                let fault = read(status, &body, &[]);
                assert_eq!(fault.kind, kind, "{status}");
                assert!(fault.message.ends_with(": no"), "{fault}");
            }
            assert_eq!(read(status, &json!("x"), &[]).kind, kind);
        }
    }

    #[test]
    fn a_name_says_more_than_a_status_of_the_request_and_nothing_of_a_broken_server() {
        for (name, kind) in crate::error_body::NAMES {
            for place in ["code", "type"] {
                for status in [400, 403, 429] {
                    assert_eq!(read(status, &json!({"error": {place: name}}), &[]).kind, kind, "{name}");
                }
                assert_eq!(read(500, &json!({"error": {place: name}}), &[]).kind, FaultKind::ServerError);
            }
        }
    }

    #[test]
    fn the_limit_is_the_one_that_the_error_names_or_that_has_nothing_left() {
        let headers = [
            ("x-ratelimit-limit-requests", "500"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "120ms"),
            ("x-ratelimit-limit-tokens", "30000"),
            ("x-ratelimit-remaining-tokens", "12"),
            ("x-ratelimit-reset-tokens", "59.9s"),
            ("retry-after", "1"),
        ];
        let window = Some(Window::Sliding(Duration::from_secs(60)));
        let requests = ReportedLimit {
            kind: Some(LimitKind::Requests),
            window,
            amount: Some(500),
            remaining: Some(0),
            resets_in: Some(Duration::from_millis(120)),
        };
        let tokens = ReportedLimit {
            kind: Some(LimitKind::InputTokens),
            window,
            amount: Some(30_000),
            remaining: Some(12),
            resets_in: Some(Duration::from_millis(59_900)),
        };
        for (named, limit) in [("requests", requests), ("tokens", tokens), ("rate_limit_error", requests)] {
            let body = json!({"error": {"type": named, "code": "rate_limit_exceeded"}});
            let fault = read(429, &body, &headers);
            assert_eq!((fault.limit, fault.retry_after), (Some(limit), Some(Duration::from_secs(1))), "{named}");
        }
        let alone = ReportedLimit { kind: Some(LimitKind::InputTokens), ..ReportedLimit::default() };
        assert_eq!(read(429, &json!({"error": {"type": "tokens"}}), &[]).limit, Some(alone));
        assert_eq!(read(500, &json!({}), &headers).limit, None);
    }
}
