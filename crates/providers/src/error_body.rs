//! What an error says, in whatever shape it comes.

use std::time::Duration;

use atelier_engine::{Fault, FaultKind};
use serde_json::Value;

use crate::http::{Endpoint, HttpAnswer, seconds};
use crate::lenient;

/// The fault for each name of an error. The first that an error has counts.
pub(crate) const NAMES: [(&str, FaultKind); 32] = [
    ("insufficient_quota", FaultKind::AccountBlocked),
    ("billing_hard_limit_reached", FaultKind::AccountBlocked),
    ("billing_not_active", FaultKind::AccountBlocked),
    ("account_deactivated", FaultKind::AccountBlocked),
    ("unsupported_country_region_territory", FaultKind::AccountBlocked),
    ("BILLING_DISABLED", FaultKind::AccountBlocked),
    ("CONSUMER_SUSPENDED", FaultKind::AccountBlocked),
    ("FAILED_PRECONDITION", FaultKind::AccountBlocked),
    ("content_policy_violation", FaultKind::Refused),
    ("moderation_blocked", FaultKind::Refused),
    ("content_filter", FaultKind::Refused),
    ("image_generation_user_error", FaultKind::Refused),
    ("invalid_api_key", FaultKind::Credentials),
    ("invalid_organization", FaultKind::Credentials),
    ("authentication_error", FaultKind::Credentials),
    ("permission_error", FaultKind::Credentials),
    ("API_KEY_INVALID", FaultKind::Credentials),
    ("API_KEY_SERVICE_BLOCKED", FaultKind::Credentials),
    ("API_KEY_HTTP_REFERRER_BLOCKED", FaultKind::Credentials),
    ("API_KEY_IP_ADDRESS_BLOCKED", FaultKind::Credentials),
    ("ACCESS_TOKEN_EXPIRED", FaultKind::Credentials),
    ("SERVICE_DISABLED", FaultKind::Credentials),
    ("UNAUTHENTICATED", FaultKind::Credentials),
    ("PERMISSION_DENIED", FaultKind::Credentials),
    ("model_not_found", FaultKind::NoSuchModel),
    ("context_length_exceeded", FaultKind::BadRequest),
    ("rate_limit_exceeded", FaultKind::Limited),
    ("rate_limit_error", FaultKind::Limited),
    ("RATE_LIMIT_EXCEEDED", FaultKind::Limited),
    ("RESOURCE_EXHAUSTED", FaultKind::Limited),
    ("UNAVAILABLE", FaultKind::Overloaded),
    ("overloaded_error", FaultKind::Overloaded),
];

/// Parts of names that speak of the server and not of the request, and the status that they stand for.
const OF_THE_SERVER: [(&str, u16); 20] = [
    ("rate_limit", 429),
    ("rate-limit", 429),
    ("ratelimit", 429),
    ("too_many", 429),
    ("throttl", 429),
    ("exhausted", 429),
    ("overload", 503),
    ("unavailable", 503),
    ("capacity", 503),
    ("busy", 503),
    ("timeout", 504),
    ("deadline", 504),
    ("server", 500),
    ("internal", 500),
    ("api_error", 500),
    ("gateway", 502),
    ("upstream", 502),
    ("connection", 502),
    ("network", 502),
    ("temporar", 503),
];

/// What numbers below 400 stand for: the codes of gRPC that speak of the server.
const GRPC: [(u64, u16); 6] = [(2, 500), (4, 504), (8, 429), (10, 503), (13, 500), (14, 503)];

/// How deep a reason is looked for, and how many reasons of a list are shown.
const DEPTH: u32 = 6;
const REASONS: usize = 3;

/// The fault with the address that was called, where that may be what is wrong.
pub(crate) fn located(mut fault: Fault, status: u16, url: &Endpoint) -> Fault {
    let about_the_address = fault.kind == FaultKind::BadRequest && matches!(status, 200..=299 | 405);
    if about_the_address || fault.kind == FaultKind::NoSuchModel {
        fault.message = format!("{} [{url}]", fault.message);
    }
    fault
}

/// The error of a body: what stands under `error`, or the body itself where its fields stand at the top.
pub(crate) struct ErrorBody(Value);

impl ErrorBody {
    pub(crate) fn of(answer: &HttpAnswer) -> Self {
        match lenient::body(answer) {
            Some(lenient::Body::Whole(value)) => Self::in_value(value),
            Some(lenient::Body::Stream { pieces, .. }) => {
                let error = pieces.iter().find(|piece| error_in(piece).is_some()).cloned();
                Self::in_value(error.unwrap_or(Value::Array(pieces)))
            }
            // Words alone, if they are no page of somebody's.
            None => {
                let text = String::from_utf8_lossy(&answer.body);
                let text = text.trim();
                Self(if text.starts_with('<') { Value::Null } else { Value::from(text) })
            }
        }
    }

    /// The error of a body that is read already.
    pub(crate) fn in_value(mut body: Value) -> Self {
        // Some of Google's endpoints wrap the object in an array.
        while let Value::Array(elements) = body {
            body = elements.into_iter().find(|element| !element.is_null()).unwrap_or_default();
        }
        match body.get_mut("error") {
            Some(Value::Array(errors)) if !errors.is_empty() => Self::in_value(Value::Array(std::mem::take(errors))),
            Some(error @ Value::Object(_)) => Self(error.take()),
            // A word or a mark, with the rest beside it.
            _ => Self(body),
        }
    }

    /// Why, in the provider's words; nothing if it has none.
    pub(crate) fn reason(&self) -> String {
        reason(&self.0, DEPTH)
    }

    /// The fault that its names stand for, if they stand for one.
    pub(crate) fn named(&self) -> Option<FaultKind> {
        let named = |name: &str| NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        // A detail says more than the status above it.
        self.details().find_map(named).or_else(|| self.names().find_map(named))
    }

    /// The status that it stands for where it came with a 200. Where neither a code nor a name speaks of a failure of the
    /// server, it is about the request: asking the same again would lead to the same.
    pub(crate) fn status(&self) -> u16 {
        if self.named().is_some_and(|kind| kind != FaultKind::Limited && kind != FaultKind::Overloaded) {
            return 400;
        }
        let codes = || {
            let number = |name: &str| match self.0.get(name)? {
                Value::Number(number) => number.as_u64(),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            };
            ["code", "status", "statusCode", "status_code"].into_iter().filter_map(number)
        };
        let status = codes().find(|code| (400..600).contains(code)).and_then(|code| u16::try_from(code).ok());
        let of_the_server = |name: &str| {
            let name = name.to_ascii_lowercase();
            OF_THE_SERVER.iter().find(|(part, _)| name.contains(part)).map(|(_, status)| *status)
        };
        let grpc = |code: u64| GRPC.iter().find(|(known, _)| *known == code).map(|(_, status)| *status);
        status
            .or_else(|| self.names().chain(self.details()).find_map(of_the_server))
            .or_else(|| codes().find_map(grpc))
            .unwrap_or(400)
    }

    /// A text field of the error.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The wait that Google's `RetryInfo` asks for.
    pub(crate) fn retry_delay(&self) -> Option<Duration> {
        self.detail_objects().find_map(|detail| seconds(detail.get("retryDelay")?.as_str()?))
    }

    /// What Google's `QuotaFailure` says of limits.
    pub(crate) fn violations(&self) -> impl Iterator<Item = &Value> {
        self.detail_objects().filter_map(|detail| detail.get("violations")?.as_array()).flatten()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let fields = ["code", "type", "status", "error"].into_iter().map(|name| self.field(name));
        fields.filter(|name| !name.is_empty() && !name.contains(char::is_whitespace))
    }

    fn details(&self) -> impl Iterator<Item = &str> {
        self.detail_objects().filter_map(|detail| detail.get("reason")?.as_str())
    }

    fn detail_objects(&self) -> impl Iterator<Item = &Value> {
        ["details", "errors"].into_iter().filter_map(|name| self.0.get(name)?.as_array()).flatten()
    }
}

/// What stands under `error` in a body or a part of one, unless that says that there is none.
pub(crate) fn error_in(body: &Value) -> Option<&Value> {
    body.get("error").filter(|error| is_error(error))
}

/// Whether a value under the name of an error is one: some servers always write the field.
pub(crate) fn is_error(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(errors) => !errors.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

fn reason(value: &Value, depth: u32) -> String {
    let Some(depth) = depth.checked_sub(1) else { return String::new() };
    match value {
        Value::String(text) => {
            let inner = text.trim_start().starts_with(['{', '[']).then(|| lenient::value(text)).flatten();
            match inner.map(|inner| reason(&inner, depth)) {
                Some(inner) if !inner.is_empty() => inner,
                _ => text.trim().to_owned(),
            }
        }
        Value::Array(elements) => {
            let reasons: Vec<String> =
                elements.iter().map(|one| reason(one, depth)).filter(|one| !one.is_empty()).take(REASONS).collect();
            reasons.join("; ")
        }
        Value::Object(object) => {
            const FIELDS: [&str; 13] = [
                "message",
                "detail",
                "error",
                "errors",
                "msg",
                "error_description",
                "error_message",
                "description",
                "title",
                "fieldViolations",
                "reason",
                "text",
                "raw",
            ];
            let found = FIELDS
                .iter()
                .find_map(|name| Some(reason(object.get(*name)?, depth)).filter(|reason| !reason.is_empty()));
            let found = found.unwrap_or_default();
            // A gateway's own words, and behind them those of the provider that it asked.
            let behind = object.get("metadata").map(|behind| reason(behind, depth)).unwrap_or_default();
            let place = place(object.get("loc"));
            match (place.is_empty(), found.is_empty(), behind.is_empty() || found.contains(&behind)) {
                (_, true, _) => behind,
                (false, false, _) => format!("{place}: {found}"),
                (true, false, true) => found,
                (true, false, false) => format!("{found}: {behind}"),
            }
        }
        _ => String::new(),
    }
}

/// The place of a field that is wrong, as `body.messages.0`.
fn place(loc: Option<&Value>) -> String {
    let parts = loc.and_then(Value::as_array).into_iter().flatten().filter_map(|part| match part {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reason_is_found_in_every_shape() {
        for (body, said) in [
            (json!({"error": {"message": "no"}}), "no"),
            (json!({"error": "no"}), "no"),
            (json!({"message": "no"}), "no"),
            (json!("no"), "no"),
            (json!([{"error": {"message": "no"}}]), "no"),
            (json!({"detail": "no"}), "no"),
            (json!({"errors": [{"message": "one"}, {"message": "two"}]}), "one; two"),
            (
                json!({"detail": [{"loc": ["body", "n", 0], "msg": "too many", "input": "hidden"}]}),
                "body.n.0: too many",
            ),
            (json!({"object": "error", "message": {"detail": [{"loc": ["body"], "msg": "no"}]}}), "body: no"),
            (json!({"error": {"message": "{\"error\": {\"message\": \"within\"}}"}}), "within"),
            (
                json!({"error": {"message": "Provider error", "metadata": {"raw": "the true one"}}}),
                "Provider error: the true one",
            ),
            (json!({"statusCode": 400, "error": "Bad Request", "message": "n is no number"}), "n is no number"),
            (json!({"error": true, "message": "no"}), "no"),
            (json!({"error": {"code": 5}}), ""),
            (json!(null), ""),
        ] {
            assert_eq!(ErrorBody::in_value(body.clone()).reason(), said, "{body}");
        }
    }

    #[test]
    fn a_detail_says_more_than_the_status_above_it() {
        let error = json!({"error": {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}});
        assert_eq!(ErrorBody::in_value(json!([error])).named(), Some(FaultKind::Credentials));
    }

    #[test]
    fn an_error_in_a_200_stands_for_its_own_status_and_else_for_a_bad_request() {
        for (error, status) in [
            (json!({"code": 429, "message": "slow down"}), 429),
            (json!({"code": "502"}), 502),
            (json!({"code": "overloaded"}), 503),
            (json!({"type": "server_error"}), 500),
            (json!({"status": "RESOURCE_EXHAUSTED"}), 429),
            (json!({"code": 7, "status": "PERMISSION_DENIED"}), 400),
            (json!({"code": 14}), 503),
            (json!({"code": 1211}), 400),
            (json!({"code": null, "status": 503}), 503),
            (json!({"type": "upstream_error", "code": "do_request_failed"}), 502),
            (json!({"type": "image_generate_failed"}), 400),
            (json!({"code": "invalid_api_key"}), 400),
            (json!({"code": "unsupported_parameter"}), 400),
            (json!({"message": "no code"}), 400),
            (json!("Unexpected endpoint or method."), 400),
        ] {
            assert_eq!(ErrorBody::in_value(json!({"error": error})).status(), status, "{error}");
        }
    }
}
