//! Limits, from the headers of an answer.

use std::time::Duration;

use atelier_engine::{LimitKind, ReportedLimit, Window};
use reqwest::header::HeaderMap;

use crate::http::{plausible, seconds};

/// The window of a limit whose headers name none: the limits of this wire count minutes.
const MINUTE: Duration = Duration::from_secs(60);

/// The limits that are reported, by the last part of their headers' names.
const LIMITS: [(&str, LimitKind); 2] = [("requests", LimitKind::Requests), ("tokens", LimitKind::InputTokens)];

/// The limits of the headers `x-ratelimit-limit-…`, `-remaining-…` and `-reset-…`; none for a kind that they
/// leave out.
pub(super) fn reported(headers: &HeaderMap) -> Vec<ReportedLimit> {
    LIMITS.into_iter().filter_map(|(name, kind)| limit(headers, name, kind)).collect()
}

/// The wait that `retry-after-ms` or `retry-after` asks for. The first is the more exact, so it goes first.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let millis = text(headers, "retry-after-ms").and_then(|text| text.parse::<f64>().ok());
    let millis = millis.and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).ok());
    millis.and_then(plausible).or_else(|| seconds(text(headers, "retry-after")?))
}

/// What the words of a refusal say of the limit and of the wait, in the form that OpenAI writes them:
/// `… on tokens per min (TPM): Limit 80000, Used 79883, Requested 1075. Please try again in 718ms.` Servers without
/// headers say it only so.
pub(super) fn in_words(message: &str) -> (Option<ReportedLimit>, Option<Duration>) {
    let message = message.to_ascii_lowercase();
    let after = |words: &str| message.split_once(words).map(|(_, rest)| rest.trim_start_matches([':', ' ']));
    // "Rate limit reached" is no amount: the first with a number behind it counts.
    let number = |word: &str| {
        message.match_indices(word).find_map(|(at, _)| {
            let rest = message[at + word.len()..].trim_start_matches([':', ' ']);
            let digits = rest.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',');
            digits.collect::<String>().parse::<u64>().ok()
        })
    };
    let kind = [
        ("tokens per ", LimitKind::InputTokens),
        ("images per ", LimitKind::Images),
        ("requests per ", LimitKind::Requests),
    ]
    .into_iter()
    .find_map(|(words, kind)| Some((kind, after(words)?)));
    let window = kind.and_then(|(_, unit)| {
        let windows = [("sec", 1), ("min", 60), ("hour", 3600), ("day", 86_400)];
        windows.into_iter().find_map(|(word, seconds)| unit.starts_with(word).then_some(seconds))
    });
    let amount = number("limit").filter(|amount| *amount > 0);
    let remaining = amount.zip(number("used")).map(|(amount, used)| amount.saturating_sub(used));
    let wait = after("try again in ").or_else(|| after("retry after ")).and_then(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(rest.len());
        span(rest[..end].trim_end_matches('.'))
    });
    let window = match (window, wait) {
        // What frees up again before the day ends is no limit of a calendar day, and how long its window is isn't said.
        (Some(86_400), Some(_)) => None,
        (Some(86_400), None) => Some(Window::Day),
        (seconds, _) => seconds.map(|seconds| Window::Sliding(Duration::from_secs(seconds))),
    };
    let limit = kind.map(|(kind, _)| ReportedLimit { kind: Some(kind), window, amount, remaining, resets_in: wait });
    (limit, wait)
}

fn limit(headers: &HeaderMap, name: &str, kind: LimitKind) -> Option<ReportedLimit> {
    let header = |part: &str| text(headers, &format!("x-ratelimit-{part}-{name}"));
    let (amount, stated) = header("limit").map_or((None, None), amount);
    let remaining = header("remaining").and_then(whole);
    let resets_in = header("reset").and_then(span);
    // What takes longer than a minute to reset is no limit of a minute, and whose it is isn't said.
    let usual = resets_in.is_none_or(|span| span <= MINUTE).then_some(MINUTE);
    let window = stated.or(usual).map(Window::Sliding);
    let said = amount.is_some() || remaining.is_some() || resets_in.is_some();
    said.then_some(ReportedLimit { kind: Some(kind), window, amount, remaining, resets_in })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // As UTF-8 and not as ASCII, for a `µs` may be among it.
    std::str::from_utf8(headers.get(name)?.as_bytes()).ok().map(str::trim)
}

/// An amount, with the window in seconds that some gateways add: `100`, `100;w=3600`.
fn amount(text: &str) -> (Option<u64>, Option<Duration>) {
    let mut parts = text.split([';', ',']).map(str::trim);
    let amount = parts.next().and_then(whole).filter(|amount| *amount > 0);
    let window = parts.find_map(|part| seconds(part.strip_prefix("w=")?)).and_then(to_millis);
    (amount, window)
}

/// A window to the millisecond, as limits are written down; a finer one is nobody's.
fn to_millis(window: Duration) -> Option<Duration> {
    let millis = u64::try_from(window.as_millis()).ok().filter(|millis| *millis > 0)?;
    Some(Duration::from_millis(millis))
}

/// A whole number, also one that is written with a fraction of zero.
fn whole(text: &str) -> Option<u64> {
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        (number.fract() == 0.0 && (0.0..1e15).contains(&number)).then_some(number as u64)
    })
}

/// A length of time such as `1s`, `6m0s`, `120ms` or `1h2m3.5s`; a number alone is in seconds.
fn span(text: &str) -> Option<Duration> {
    if let Some(seconds) = seconds(text) {
        return Some(seconds);
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit = &after[..after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len())];
        let seconds =
            [("d", 86_400.0), ("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6)]
                .into_iter()
                .find_map(|(known, seconds)| (known == unit).then_some(seconds))?;
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = &after[unit.len()..];
    }
    Some(total).filter(|_| !text.is_empty()).and_then(plausible)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn spans_are_read_as_they_are_written() {
        for (text, millis) in [
            ("1s", 1000),
            ("6m0s", 360_000),
            ("120ms", 120),
            ("1h2m3.5s", 3_723_500),
            ("17.5ms", 17),
            ("2m59.56s", 179_560),
            ("1d2h", 93_600_000),
            ("0", 0),
            ("7.5", 7500),
        ] {
            assert_eq!(span(text).unwrap().as_millis(), millis, "{text}");
        }
        for text in ["", "s", "1x", "-1s", "1s2", "1.2.3m", "9e9d", "2026-11-21T00:00:00Z", "1795219200", "9000000h"] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn a_limit_is_read_from_words_where_they_are_all_there_is() {
        let minute = Some(Window::Sliding(MINUTE));
        for (message, kind, window, amount, wait) in [
            (
                "Rate limit reached for m in organization o on tokens per min (TPM): Limit 80000, Used 79883, \
                 Requested 1075. Please try again in 718ms.",
                LimitKind::InputTokens,
                minute,
                Some(80_000),
                Some(718),
            ),
            (
                "Rate limit reached on requests per day (RPD): Limit: 10,000. Please try again in 1m26.4s. Contact us.",
                LimitKind::Requests,
                None,
                Some(10_000),
                Some(86_400),
            ),
            ("on requests per day (RPD): Limit 200", LimitKind::Requests, Some(Window::Day), Some(200), None),
            ("on requests per min. limit 3 / min", LimitKind::Requests, minute, Some(3), None),
        ] {
            let (limit, told) = in_words(message);
            let limit = limit.unwrap();
            assert_eq!((limit.kind, limit.window, limit.amount), (Some(kind), window, amount), "{message}");
            assert_eq!(told.map(|wait| wait.as_millis()), wait, "{message}");
        }
        assert_eq!(in_words("slow down"), (None, None));
    }

    #[test]
    fn requests_and_tokens_are_told_apart_and_have_a_minutes_window() {
        let limits = reported(&headers(&[
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "59"),
            ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-limit-tokens", "150000"),
            ("x-ratelimit-remaining-tokens", "149984"),
            ("x-ratelimit-reset-tokens", "6ms"),
        ]));
        let minute = Some(Window::Sliding(MINUTE));
        let requests = ReportedLimit {
            kind: Some(LimitKind::Requests),
            window: minute,
            amount: Some(60),
            remaining: Some(59),
            resets_in: Some(Duration::from_secs(1)),
        };
        let tokens = ReportedLimit {
            kind: Some(LimitKind::InputTokens),
            window: minute,
            amount: Some(150_000),
            remaining: Some(149_984),
            resets_in: Some(Duration::from_millis(6)),
        };
        assert_eq!(limits, [requests, tokens]);
    }

    #[test]
    fn a_window_is_taken_from_the_header_and_a_long_reset_is_no_minutes() {
        let window = |limit: &str, reset: &str| {
            let headers = headers(&[("x-ratelimit-limit-requests", limit), ("x-ratelimit-reset-requests", reset)]);
            reported(&headers)[0].window
        };
        assert_eq!(window("200", "60s"), Some(Window::Sliding(MINUTE)));
        assert_eq!(window("200", "7m12s"), None);
        assert_eq!(window("200;w=3600", "7m12s"), Some(Window::Sliding(Duration::from_secs(3600))));
        assert_eq!(window("200, 200;w=0.5", "0s"), Some(Window::Sliding(Duration::from_millis(500))));
        assert_eq!(window("200;w=0", "1s"), Some(Window::Sliding(MINUTE)));
        // What is learnt is written down to the millisecond, and has to be read again.
        assert_eq!(window("200;w=0.0004", "1s"), Some(Window::Sliding(MINUTE)));
        assert_eq!(window("200;w=1.0005", "1s"), Some(Window::Sliding(Duration::from_secs(1))));
        assert_eq!(window("200;w=18000000000000000000", "1s"), Some(Window::Sliding(MINUTE)));
    }

    #[test]
    fn headers_that_say_nothing_report_nothing() {
        assert_eq!(reported(&HeaderMap::new()), []);
        for junk in ["", "-1", "none", "0"] {
            assert_eq!(reported(&headers(&[("x-ratelimit-limit-requests", junk)])), [], "{junk}");
        }
        let remaining = &reported(&headers(&[("x-ratelimit-remaining-tokens", "0.0")]))[0];
        assert_eq!((remaining.amount, remaining.remaining), (None, Some(0)));
    }

    #[test]
    fn a_span_in_microseconds_gets_through_a_header() {
        let value = HeaderValue::from_bytes("500µs".as_bytes()).unwrap();
        let headers = HeaderMap::from_iter([(HeaderName::from_static("x-ratelimit-reset-requests"), value)]);
        assert_eq!(reported(&headers)[0].resets_in, Some(Duration::from_micros(500)));
    }

    #[test]
    fn the_more_exact_wait_goes_first() {
        let both = [("retry-after", "7"), ("retry-after-ms", "6120")];
        assert_eq!(retry_after(&headers(&both)), Some(Duration::from_millis(6120)));
        assert_eq!(retry_after(&headers(&both[..1])), Some(Duration::from_secs(7)));
        for (seconds, millis) in [("Fri, 31 Dec 2027 23:59:59 GMT", "-1"), ("1795219200", "1795219200000")] {
            assert_eq!(retry_after(&headers(&[("retry-after", seconds), ("retry-after-ms", millis)])), None);
        }
    }

    proptest! {
        #[test]
        fn no_header_is_too_odd(value in "[ -~]{0,40}") {
            let headers = headers(&[
                ("x-ratelimit-limit-requests", &value),
                ("x-ratelimit-remaining-tokens", &value),
                ("x-ratelimit-reset-tokens", &value),
                ("retry-after-ms", &value),
                ("retry-after", &value),
            ]);
            let _ = (reported(&headers), retry_after(&headers));
        }
    }
}
