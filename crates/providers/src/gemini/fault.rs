//! Gemini's errors as faults. Everything is decided by status codes and by names of the wire, never by the
//! words of a message.

use std::time::Duration;

use atelier_engine::{Fault, FaultKind, LimitKind, ReportedLimit, Window};
use serde_json::Value;

use crate::error_body::ErrorBody;
use crate::http::{HttpAnswer, plausible};
use crate::secret::ApiKey;
use crate::wire::in_words;

/// Gemini's spend limit counts over a rolling ten minutes, by its documents; a violation may not say so.
const SPEND_WINDOW: Duration = Duration::from_secs(600);

/// The fault for an error with `status`.
pub(super) fn of(answer: &HttpAnswer, error: &ErrorBody, status: u16, model: &str, key: &ApiKey) -> Fault {
    let violations: Vec<ReportedLimit> = error.violations().filter_map(violation).collect();
    let kind = kind(status, error, &violations);
    let words = in_words(kind, status, model);
    let theirs = key.clean(&error.reason());
    let mut fault = Fault::new(kind, if theirs.is_empty() { words } else { format!("{words}: {theirs}") });
    fault.retry_after = error.retry_delay().or(answer.retry_after);
    fault.limit = violations.into_iter().reduce(|a, b| if rank(b.window) > rank(a.window) { b } else { a });
    fault
}

/// Which fault a status is. Later arms take what no earlier one names.
fn kind(status: u16, error: &ErrorBody, violations: &[ReportedLimit]) -> FaultKind {
    // A name is more exact than a 4xx. A 5xx is the server's failure, whatever name stands beside it.
    let named = error.named().filter(|_| (400..=499).contains(&status) && status != 429);
    match status {
        _ if named.is_some() => named.unwrap_or(FaultKind::BadRequest),
        401 | 403 => FaultKind::Credentials,
        402 => FaultKind::AccountBlocked,
        404 => FaultKind::NoSuchModel,
        408 | 504 => FaultKind::Timeout,
        // A quota of zero is no limit that could be waited for: the account may not use this model.
        429 if violations.iter().any(|violation| violation.amount == Some(0)) => FaultKind::AccountBlocked,
        429 => FaultKind::Limited,
        503 | 529 => FaultKind::Overloaded,
        500..=599 => FaultKind::ServerError,
        // 400, 413, every other 4xx, and redirections, which are not followed.
        _ => FaultKind::BadRequest,
    }
}

/// The length of a window, by which the limit to wait for is chosen: of several, the one with the longest.
fn rank(window: Option<Window>) -> Duration {
    match window {
        None => Duration::ZERO,
        Some(Window::Now) => Duration::from_nanos(1),
        Some(Window::Sliding(window)) => window,
        Some(Window::Day) => Duration::from_secs(86_400),
    }
}

/// The limit that a violation describes; `None` if no part of it is understood.
fn violation(violation: &Value) -> Option<ReportedLimit> {
    let field = |name: &str| violation.get(name).and_then(Value::as_str).unwrap_or_default();
    let (id, metric) = (plain(field("quotaId")), plain(field("quotaMetric")));
    let kind = limit_kind(&id).or_else(|| limit_kind(&metric));
    let window = window(&id)
        .or_else(|| window(&metric))
        .or((kind == Some(LimitKind::Usd)).then_some(Window::Sliding(SPEND_WINDOW)));
    let amount = match violation.get("quotaValue") {
        // In what unit a spend limit is given is not documented, and a wrong one would be worse than none.
        _ if kind == Some(LimitKind::Usd) => None,
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(Value::Number(number)) => number.as_u64(),
        _ => None,
    };
    if kind.is_none() {
        tracing::warn!(quota_id = %id, quota_metric = %metric, "Gemini named a limit that is not known here");
    }
    (kind.is_some() || window.is_some() || amount.is_some()).then_some(ReportedLimit {
        kind,
        window,
        amount,
        ..ReportedLimit::default()
    })
}

/// A name's letters and digits in lower case, so that `InputTokens` and `input_tokens` are one.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).take(200).collect()
}

fn limit_kind(name: &str) -> Option<LimitKind> {
    // The more telling first: an id of a token limit may speak of requests as well.
    [
        ("outputtoken", None),
        ("inputtoken", Some(LimitKind::InputTokens)),
        ("image", Some(LimitKind::Images)),
        ("spend", Some(LimitKind::Usd)),
        ("request", Some(LimitKind::Requests)),
    ]
    .into_iter()
    .find(|(word, _)| name.contains(word))
    .and_then(|(_, kind)| kind)
}

/// The window in a name such as `GenerateRequestsPerMinutePerProject` or `SpendPer10Minutes`: of several
/// the first, as `PerProject` and `PerModel` are none.
fn window(name: &str) -> Option<Window> {
    name.match_indices("per").find_map(|(at, word)| {
        let rest = &name[at + word.len()..];
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = &rest[..rest.len() - unit.len()];
        let times: u32 = if number.is_empty() { 1 } else { number.parse().ok()? };
        let seconds = [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400)]
            .into_iter()
            .find_map(|(name, seconds)| unit.starts_with(name).then_some(seconds))?;
        match (seconds, times) {
            (_, 0) => None,
            (86_400, 1) => Some(Window::Day),
            _ => plausible(Duration::from_secs(seconds) * times).map(Window::Sliding),
        }
    })
}

#[cfg(test)]
mod tests;
