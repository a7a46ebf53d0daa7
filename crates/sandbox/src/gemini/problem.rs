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

/// A quota's metric and id on the wire. Clients tell limits apart by the id; a sliding window of another length
/// than a minute has the minute's, because the wire has no other.
fn names_of(quota: Quota) -> (&'static str, &'static str) {
    match quota {
        Quota::Windowed { metric: QuotaMetric::Requests, window: QuotaWindow::Sliding(_), .. } => (
            "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
        ),
        Quota::Windowed { metric: QuotaMetric::Requests, window: QuotaWindow::Day, .. } => (
            "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
        ),
        Quota::Windowed { metric: QuotaMetric::InputTokens, window: QuotaWindow::Sliding(_), .. } => (
            "generativelanguage.googleapis.com/generate_content_free_tier_input_token_count",
            "GenerateContentInputTokensPerModelPerMinute-FreeTier",
        ),
        Quota::Windowed { metric: QuotaMetric::InputTokens, window: QuotaWindow::Day, .. } => (
            "generativelanguage.googleapis.com/generate_content_free_tier_input_token_count",
            "GenerateContentInputTokensPerModelPerDay-FreeTier",
        ),
        Quota::Windowed { metric: QuotaMetric::Images, window: QuotaWindow::Sliding(_), .. } => (
            "generativelanguage.googleapis.com/generate_content_free_tier_images",
            "GenerateImagesPerMinutePerProjectPerModel-FreeTier",
        ),
        Quota::Windowed { metric: QuotaMetric::Images, window: QuotaWindow::Day, .. } => (
            "generativelanguage.googleapis.com/generate_content_free_tier_images",
            "GenerateImagesPerDayPerProjectPerModel-FreeTier",
        ),
        Quota::InFlight { .. } => (
            "generativelanguage.googleapis.com/generate_content_concurrent_requests",
            "GenerateConcurrentRequestsPerProjectPerModel-FreeTier",
        ),
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
}
