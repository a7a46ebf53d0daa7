//! Gemini's errors: of wrong requests, of injected faults, and of quotas.

use std::time::Duration;

use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::config::{Hints, Quota, QuotaMetric, QuotaWindow};
use crate::connection::AnswerBody;
use crate::injected_fault::InjectedFault;
use crate::provider::AdmittedCall;
use crate::quota::QuotaRefusal;

use crate::wire::{JSON, bytes_of, respond};

/// The error for a request that is wrong in itself.
#[derive(Debug)]
pub(super) struct GeminiProblem {
    status: StatusCode,
    name: &'static str,
    message: String,
    details: Vec<Value>,
}

impl GeminiProblem {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status: StatusCode::BAD_REQUEST, name: "INVALID_ARGUMENT", message, details: Vec::new() }
    }

    pub(super) fn no_key() -> Self {
        let message = "Method doesn't allow unregistered callers (callers without established identity). \
                       Please use API Key or other form of API consumer identity to call this API.";
        let message = message.to_owned();
        Self { status: StatusCode::FORBIDDEN, name: "PERMISSION_DENIED", message, details: Vec::new() }
    }

    pub(super) fn bad_key() -> Self {
        let message = "API key not valid. Please pass a valid API key.";
        let mut problem = Self::invalid(message);
        problem.details = vec![
            json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"}
            }),
            json!({
                "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                "locale": "en-US",
                "message": message
            }),
        ];
        problem
    }

    fn not_found(message: String) -> Self {
        Self { status: StatusCode::NOT_FOUND, name: "NOT_FOUND", message, details: Vec::new() }
    }

    pub(super) fn no_such_model(model: &str, method: &str) -> Self {
        Self::not_found(format!(
            "models/{model} is not found for API version v1beta, or is not supported for {method}. Call \
             ListModels to see the list of available models and their supported methods."
        ))
    }

    pub(super) fn no_such_path(method: &Method, path: &str) -> Self {
        Self::not_found(format!("The sandbox has nothing at {method} {path}."))
    }

    pub(super) fn response(self) -> Response<AnswerBody> {
        error(self.status, self.name, &self.message, &self.details, None)
    }
}

fn error(
    status: StatusCode,
    name: &str,
    message: &str,
    details: &[Value],
    call: Option<AdmittedCall>,
) -> Response<AnswerBody> {
    let mut body = json!({"error": {"code": status.as_u16(), "message": message, "status": name}});
    if !details.is_empty() {
        body["error"]["details"] = details.into();
    }
    respond(status, JSON, AnswerBody::whole(bytes_of(&body), call, None))
}

/// The error for one of the faults that have a status.
pub(super) fn failure(kind: InjectedFault, call: AdmittedCall) -> Response<AnswerBody> {
    let (status, name, message) = match kind {
        InjectedFault::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "The model is overloaded. Please try again later.")
        }
        InjectedFault::Deadline => {
            (StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED", "The request timed out. Please try again.")
        }
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "An internal error has occurred. Please retry or report in \
             https://developers.generativeai.google/guide/troubleshooting",
        ),
    };
    error(status, name, message, &[], Some(call))
}

/// A quota's metric and id on the wire, where clients tell limits apart by the id. Gemini's own limits count minutes and
/// days; a window of another length is written in the way of Google's other limits, such as `SpendPer10Minutes`.
fn names_of(quota: Quota) -> (&'static str, String) {
    match quota {
        Quota::Windowed { metric: QuotaMetric::Requests, window, .. } => (
            "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            format!("GenerateRequests{}PerProjectPerModel-FreeTier", per(window)),
        ),
        Quota::Windowed { metric: QuotaMetric::InputTokens, window, .. } => (
            "generativelanguage.googleapis.com/generate_content_free_tier_input_token_count",
            format!("GenerateContentInputTokensPerModel{}-FreeTier", per(window)),
        ),
        Quota::Windowed { metric: QuotaMetric::Images, window, .. } => (
            "generativelanguage.googleapis.com/generate_content_free_tier_images",
            format!("GenerateImages{}PerProjectPerModel-FreeTier", per(window)),
        ),
        Quota::InFlight { .. } => (
            "generativelanguage.googleapis.com/generate_content_concurrent_requests",
            "GenerateConcurrentRequestsPerProjectPerModel-FreeTier".to_owned(),
        ),
    }
}

/// `PerMinute`, `PerDay`, `Per10Seconds`. A window of no whole seconds has the minute's name: there is no other.
fn per(window: QuotaWindow) -> String {
    let QuotaWindow::Sliding(window) = window else { return "PerDay".to_owned() };
    match window.as_secs() {
        _ if window.subsec_nanos() > 0 => "PerMinute".to_owned(),
        1 => "PerSecond".to_owned(),
        60 => "PerMinute".to_owned(),
        3600 => "PerHour".to_owned(),
        seconds if seconds % 60 == 0 => format!("Per{}Minutes", seconds / 60),
        seconds => format!("Per{seconds}Seconds"),
    }
}

/// A length of time as the wire writes it, in seconds: `38.6s`. It is rounded up to the millisecond, so that a
/// client that waits that long has waited long enough.
fn seconds(span: Duration) -> String {
    let millis = span.as_nanos().div_ceil(1_000_000).max(1);
    let fraction = format!("{:03}", millis % 1000);
    match fraction.trim_end_matches('0') {
        "" => format!("{}s", millis / 1000),
        fraction => format!("{}.{fraction}s", millis / 1000),
    }
}

/// The 429 of a quota, with as much detail as `hints` allow.
pub(super) fn refusal(refusal: &QuotaRefusal, model: &str, hints: Hints) -> Response<AnswerBody> {
    let mut message = "You exceeded your current quota, please check your plan and billing details. (This \
                       is the sandbox: the quota is the one that it was started with.)"
        .to_owned();
    let mut details = Vec::new();
    if hints.name_quota() {
        let mut violations = Vec::with_capacity(refusal.violated.len());
        for &quota in &refusal.violated {
            let (metric, id) = names_of(quota);
            let amount = quota.amount();
            message += &format!("\n* Quota exceeded for metric: {metric}, limit: {amount}, model: {model}");
            violations.push(json!({
                "quotaMetric": metric,
                "quotaId": id,
                "quotaDimensions": {"location": "global", "model": model},
                "quotaValue": amount.to_string()
            }));
        }
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": violations
        }));
    }
    if hints.name_delay() {
        let delay = seconds(refusal.retry_after);
        message += &format!("\nPlease retry in {delay}.");
        details.push(json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}));
    }
    error(StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED", &message, &details, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_written_in_seconds_and_never_too_short() {
        let written = |micros| seconds(Duration::from_micros(micros));
        assert_eq!(written(38_600_000), "38.6s");
        assert_eq!(written(60_000_000), "60s");
        assert_eq!(written(1_234_001), "1.235s");
        assert_eq!(written(50_000), "0.05s");
        assert_eq!(written(0), "0.001s");
    }

    #[test]
    fn a_limit_is_called_by_its_window() {
        for (quota, id) in [
            ("requests=15/60s", "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
            ("requests=15/10s", "GenerateRequestsPer10SecondsPerProjectPerModel-FreeTier"),
            ("requests=15/120s", "GenerateRequestsPer2MinutesPerProjectPerModel-FreeTier"),
            ("input_tokens=9/500ms", "GenerateContentInputTokensPerModelPerMinute-FreeTier"),
            ("requests=1500/day", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
        ] {
            assert_eq!(quota.parse().map(names_of).unwrap().1, id);
        }
    }
}
