//! OpenAI's errors: of wrong requests, of injected faults, and of quotas, with the headers on limits.

use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::config::{Hints, Quota, QuotaMetric, QuotaWindow};
use crate::connection::AnswerBody;
use crate::injected_fault::InjectedFault;
use crate::provider::AdmittedCall;
use crate::quota::{Level, QuotaRefusal};
use crate::wire::{JSON, bytes_of, respond};

/// The error for a request that is wrong in itself.
#[derive(Debug)]
pub(super) struct OpenAiProblem {
    status: StatusCode,
    code: Option<&'static str>,
    param: Option<&'static str>,
    pub(super) message: String,
}

impl OpenAiProblem {
    /// A parameter that is wrong.
    pub(super) fn invalid(param: &'static str, message: impl Into<String>) -> Self {
        Self { param: Some(param), ..Self::unnamed(message) }
    }

    /// A request that is wrong as a whole.
    pub(super) fn unnamed(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: None, param: None, message: message.into() }
    }

    pub(super) fn no_key() -> Self {
        let message = "You didn't provide an API key. You need to provide your API key in an Authorization header \
                       using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).";
        Self { status: StatusCode::UNAUTHORIZED, ..Self::unnamed(message) }
    }

    pub(super) fn bad_key() -> Self {
        let message = "Incorrect API key provided. (The sandbox takes any that does not begin with 'invalid'.)";
        Self { status: StatusCode::UNAUTHORIZED, code: Some("invalid_api_key"), ..Self::unnamed(message) }
    }

    pub(super) fn no_such_model(model: &str) -> Self {
        let message = format!("The model `{model}` does not exist or you do not have access to it.");
        Self { status: StatusCode::NOT_FOUND, code: Some("model_not_found"), ..Self::unnamed(message) }
    }

    pub(super) fn no_chat(model: &str) -> Self {
        let message =
            format!("{model} is not a chat model and thus not supported in the v1/chat/completions endpoint.");
        Self { status: StatusCode::NOT_FOUND, param: Some("model"), ..Self::unnamed(message) }
    }

    pub(super) fn no_embeddings(model: &str) -> Self {
        let message = format!("You are not allowed to generate embeddings from this model: {model}.");
        Self { status: StatusCode::FORBIDDEN, ..Self::unnamed(message) }
    }

    pub(super) fn no_such_path(method: &Method, path: &str) -> Self {
        let message = format!("Invalid URL ({method} {path}): the sandbox has nothing there.");
        Self { status: StatusCode::NOT_FOUND, ..Self::unnamed(message) }
    }

    pub(super) fn response(self) -> Response<AnswerBody> {
        error(self.status, &self.message, "invalid_request_error", self.param, self.code, None)
    }
}

fn error(
    status: StatusCode,
    message: &str,
    kind: &str,
    param: Option<&str>,
    code: Option<&str>,
    call: Option<AdmittedCall>,
) -> Response<AnswerBody> {
    let body: Value = json!({"error": {"message": message, "type": kind, "param": param, "code": code}});
    respond(status, JSON, AnswerBody::whole(bytes_of(&body), call, None))
}

/// A prompt for a picture that is refused.
pub(super) fn refused(call: AdmittedCall) -> Response<AnswerBody> {
    let message = "Your request was rejected by the safety system.";
    let (kind, code) = ("image_generation_user_error", Some("moderation_blocked"));
    error(StatusCode::BAD_REQUEST, message, kind, None, code, Some(call))
}

/// The error for one of the faults that have a status.
pub(super) fn failure(kind: InjectedFault, call: AdmittedCall) -> Response<AnswerBody> {
    let (status, message) = match kind {
        InjectedFault::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "The engine is currently overloaded, please try again later.")
        }
        InjectedFault::Deadline => (StatusCode::GATEWAY_TIMEOUT, "The request timed out. Please try again."),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The server had an error while processing your request. Sorry about that!",
        ),
    };
    error(status, message, "server_error", None, None, Some(call))
}

/// A quota on the wire: the type of the error, and the words of its message.
fn names_of(quota: Quota) -> (&'static str, &'static str) {
    match quota {
        Quota::Windowed { metric: QuotaMetric::Requests, window: QuotaWindow::Sliding(_), .. } => {
            ("requests", "requests per min (RPM)")
        }
        Quota::Windowed { metric: QuotaMetric::Requests, window: QuotaWindow::Day, .. } => {
            ("requests", "requests per day (RPD)")
        }
        Quota::Windowed { metric: QuotaMetric::InputTokens, window: QuotaWindow::Sliding(_), .. } => {
            ("tokens", "tokens per min (TPM)")
        }
        Quota::Windowed { metric: QuotaMetric::InputTokens, window: QuotaWindow::Day, .. } => {
            ("tokens", "tokens per day (TPD)")
        }
        Quota::Windowed { metric: QuotaMetric::Images, .. } => ("images", "images per min (IPM)"),
        Quota::InFlight { .. } => ("concurrent_requests", "concurrent requests"),
    }
}

fn is_day(quota: Quota) -> bool {
    matches!(quota, Quota::Windowed { window: QuotaWindow::Day, .. })
}

/// The 429 of a quota, with as much detail as `hints` allow.
pub(super) fn refusal(refusal: &QuotaRefusal, model: &str, hints: Hints) -> Response<AnswerBody> {
    let mut kind = "rate_limit_error";
    let mut message = format!("Rate limit reached for {model} in organization org-sandbox");
    // The wire has room for one. A day's goes first, because it takes the longest.
    let longest = refusal.violated.iter().rev().max_by_key(|quota| is_day(**quota));
    if let Some(&quota) = longest.filter(|_| hints.name_quota()) {
        let (name, words) = names_of(quota);
        kind = name;
        message += &format!(" on {words}: Limit {}", quota.amount());
    }
    message += ". (This is the sandbox: the quota is the one that it was started with.)";
    if hints.name_delay() {
        message += &format!(" Please try again in {}.", span(refusal.retry_after));
    }
    let code = Some("rate_limit_exceeded");
    let mut response = error(StatusCode::TOO_MANY_REQUESTS, &message, kind, None, code, None);
    let headers = response.headers_mut();
    add_levels(headers, &refusal.levels, hints);
    if hints.name_delay() {
        let millis = millis(refusal.retry_after).max(1);
        headers.insert(RETRY_AFTER, millis.div_ceil(1000).into());
        headers.insert(HeaderName::from_static("retry-after-ms"), millis.into());
    }
    response
}

/// The headers of one limit: how much is allowed, how much is left, and when all of it will be again.
type LimitHeaders = [HeaderName; 3];

const REQUESTS: LimitHeaders = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];

const TOKENS: LimitHeaders = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// Adds the levels of the quotas, if refusals may name them. The wire has room for one limit on requests and one
/// on tokens: of several, the one with the least left, and of equals a day's.
pub(super) fn add_levels(headers: &mut HeaderMap, levels: &[Level], hints: Hints) {
    if !hints.name_quota() {
        return;
    }
    for (wanted, names) in [(QuotaMetric::Requests, REQUESTS), (QuotaMetric::InputTokens, TOKENS)] {
        let of_kind = |level: &&Level| matches!(level.quota, Quota::Windowed { metric, .. } if metric == wanted);
        let Some(level) = levels.iter().filter(of_kind).min_by_key(|level| (level.remaining, !is_day(level.quota)))
        else {
            continue;
        };
        let [limit, remaining, reset] = names;
        if let Ok(amount) = HeaderValue::from_str(&amount(level.quota)) {
            headers.insert(limit, amount);
        }
        headers.insert(remaining, level.remaining.into());
        if let Ok(span) = HeaderValue::from_str(&span(level.resets_in)) {
            headers.insert(reset, span);
        }
    }
}

/// The amount, and the window in seconds where it is not a minute: `15`, `15;w=10`. OpenAI's own limits count
/// minutes and do not say so; gateways with other windows write them this way. No header names a day.
fn amount(quota: Quota) -> String {
    match quota {
        Quota::Windowed { amount, window: QuotaWindow::Sliding(window), .. } if window != Duration::from_secs(60) => {
            format!("{amount};w={}", window.as_secs_f64())
        }
        quota => quota.amount().to_string(),
    }
}

/// Milliseconds, rounded up, so that a client that waits that long has waited long enough.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// A length of time as the wire writes it: `120ms`, `1.5s`, `6m0s`, `13h59m0s`.
fn span(span: Duration) -> String {
    let millis = millis(span);
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let fraction = format!("{:03}", rest % 1000);
    let seconds = match fraction.trim_end_matches('0') {
        "" => format!("{}s", rest / 1000),
        fraction => format!("{}.{fraction}s", rest / 1000),
    };
    match (minutes / 60, minutes % 60) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_written_where_it_is_no_minute() {
        for (quota, written) in [
            ("requests=15/60s", "15"),
            ("requests=15/10s", "15;w=10"),
            ("input_tokens=9/500ms", "9;w=0.5"),
            ("requests=1500/day", "1500"),
        ] {
            assert_eq!(quota.parse().map(amount).unwrap(), written);
        }
    }

    #[test]
    fn a_span_is_written_in_the_wires_way_and_never_too_short() {
        let written = |micros| span(Duration::from_micros(micros));
        assert_eq!(written(0), "0ms");
        assert_eq!(written(119_001), "120ms");
        assert_eq!(written(1_500_000), "1.5s");
        assert_eq!(written(60_000_000), "1m0s");
        assert_eq!(written(360_000_000), "6m0s");
        assert_eq!(written(50_340_250_000), "13h59m0.25s");
    }
}
