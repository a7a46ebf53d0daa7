//! Limits, durations and dollars as users write them.

use std::time::Duration;

use atelier_engine::{DisplayDuration, Limit, LimitKind, Usd, Window, parse_duration};

/// Durations are read as floats, which hold so much of them to the billionth.
const LONGEST_EXACT: Duration = Duration::from_secs(86_400);

/// Dollars are shown as floats, which hold so many billionths exactly.
const EXACT_NANOS: u64 = 1 << 53;

/// A text that may be a limit, a duration or an amount.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match text.parse::<Limit>() {
        Ok(limit) => check_limit(limit),
        Err(error) => {
            assert_eq!(error.code(), "bad-limit");
            assert!(error.to_string().contains(&*text) && !error.hint().is_empty());
        }
    }
    if let Some(duration) = parse_duration(&text) {
        assert!(!duration.is_zero());
        if is_exact(duration) {
            assert_eq!(parse_duration(&DisplayDuration(duration).to_string()), Some(duration));
        }
    }
    if let Ok(dollars) = text.parse::<Usd>() {
        assert!(dollars >= Usd::ZERO);
        let _ = dollars.to_string();
    }
}

/// Durations are shown in milliseconds.
fn is_exact(duration: Duration) -> bool {
    duration.subsec_nanos() % 1_000_000 == 0 && duration <= LONGEST_EXACT
}

fn check_limit(limit: Limit) {
    assert!(limit.amount > 0, "a limit of nothing is waited for without end");
    assert_eq!(limit.window == Window::Now, limit.kind == LimitKind::InFlight);
    let exact = match limit.window {
        Window::Sliding(window) => {
            assert!(!window.is_zero());
            is_exact(window)
        }
        Window::Day | Window::Now => true,
    };
    if exact && (limit.kind != LimitKind::Usd || limit.amount <= EXACT_NANOS) {
        assert_eq!(limit.to_string().parse(), Ok(limit), "{limit}");
    }
}
