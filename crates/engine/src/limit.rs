//! Limits as a user writes them and a provider enforces them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::usage::Usd;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Calls.
    Requests,
    /// Tokens of prompts.
    InputTokens,
    /// Images asked for.
    Images,
    /// Money, in billionths of a dollar.
    Usd,
    /// Calls sent and not yet answered; has no window.
    InFlight,
}

impl LimitKind {
    /// The name that a user writes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::InputTokens => "input_tokens",
            Self::Images => "images",
            Self::Usd => "usd",
            Self::InFlight => "in_flight",
        }
    }
}

/// Over what time a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// Any stretch of this length.
    Sliding(Duration),
    /// A calendar day in the provider's time zone.
    Day,
    /// The present moment: calls in flight.
    Now,
}

/// So much of one kind in one window, written `KIND=N/WINDOW`: `requests=15/60s`,
/// `input_tokens=250000/60s`, `usd=5/day`, `in_flight=8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Limit {
    /// What is counted.
    pub kind: LimitKind,
    /// How much of it is allowed; billionths of a dollar for [`LimitKind::Usd`].
    pub amount: u64,
    /// Over what time.
    pub window: Window,
}

impl Limit {
    /// A limit on requests in a sliding window.
    pub const fn requests(amount: u64, window: Duration) -> Self {
        Self { kind: LimitKind::Requests, amount, window: Window::Sliding(window) }
    }

    /// What is limited, without the amount: two limits with the same scope differ only in how much.
    pub const fn scope(&self) -> (LimitKind, Window) {
        (self.kind, self.window)
    }
}

/// Why a text is not a limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a limit: {reason}")]
pub struct LimitError {
    text: String,
    reason: &'static str,
}

impl LimitError {
    /// A stable name for this error.
    pub const fn code(&self) -> &'static str {
        "bad-limit"
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        "write KIND=N/WINDOW, such as requests=15/60s, input_tokens=250000/1m, requests=1500/day, usd=5/day or in_flight=8"
    }
}

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let error = |reason| LimitError { text: text.to_owned(), reason };
        let (kind, rest) = text.trim().split_once('=').ok_or_else(|| error("it has no '='"))?;
        let kind = match kind.trim() {
            "requests" => LimitKind::Requests,
            "input_tokens" => LimitKind::InputTokens,
            "images" => LimitKind::Images,
            "usd" => LimitKind::Usd,
            "in_flight" => LimitKind::InFlight,
            _ => return Err(error("its kind is none of requests, input_tokens, images, usd and in_flight")),
        };
        let (amount, window) = match (kind, rest.split_once('/')) {
            (LimitKind::InFlight, None) => (rest, Window::Now),
            (LimitKind::InFlight, Some(_)) => return Err(error("in_flight has no window")),
            (_, None) => return Err(error("it has no window")),
            (_, Some((amount, "day" | "1d" | "d"))) => (amount, Window::Day),
            (_, Some((amount, window))) => {
                let window = parse_duration(window).ok_or_else(|| error("its window is not a time such as 60s"))?;
                (amount, Window::Sliding(window))
            }
        };
        let amount = if kind == LimitKind::Usd {
            let usd: Usd = amount.parse().map_err(|_| error("its amount is not a number of dollars"))?;
            u64::try_from(usd.as_nanos()).unwrap_or(0)
        } else {
            amount.trim().replace('_', "").parse().map_err(|_| error("its amount is not a whole number"))?
        };
        if amount == 0 {
            return Err(error("its amount is zero, so nothing could ever be sent"));
        }
        Ok(Self { kind, amount, window })
    }
}

impl TryFrom<String> for Limit {
    type Error = LimitError;
    fn try_from(text: String) -> Result<Self, LimitError> {
        text.parse()
    }
}

impl From<Limit> for String {
    fn from(limit: Limit) -> Self {
        limit.to_string()
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.kind.name())?;
        if self.kind == LimitKind::Usd {
            let nanos = i64::try_from(self.amount).unwrap_or(i64::MAX);
            write!(f, "{}", Usd::from_nanos(nanos).as_dollars())?;
        } else {
            write!(f, "{}", self.amount)?;
        }
        match self.window {
            Window::Now => Ok(()),
            Window::Day => f.write_str("/day"),
            Window::Sliding(window) => write!(f, "/{}", DisplayDuration(window)),
        }
    }
}

/// A duration as a user writes it: `250ms`, `90s`, `10m`, `1h`; `None` if it is not one, or zero.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    } * number.parse::<f64>().ok()?;
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    (!duration.is_zero()).then_some(duration)
}

/// Shows a duration the way [`parse_duration`] reads it.
#[derive(Clone, Copy, Debug)]
pub struct DisplayDuration(pub Duration);

impl fmt::Display for DisplayDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        if millis.is_multiple_of(1000) { write!(f, "{}s", millis / 1000) } else { write!(f, "{millis}ms") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_as_it_is_written() {
        for text in [
            "requests=15/60s",
            "input_tokens=250000/60s",
            "images=10/500ms",
            "requests=1500/day",
            "usd=5/day",
            "in_flight=8",
        ] {
            assert_eq!(text.parse::<Limit>().unwrap().to_string(), text);
        }
        assert_eq!("requests=15/1m".parse::<Limit>().unwrap(), Limit::requests(15, Duration::from_secs(60)));
    }

    #[test]
    fn what_is_not_a_limit_says_why() {
        for (text, why) in [
            ("15/60s", "no '='"),
            ("calls=15/60s", "its kind"),
            ("requests=15", "no window"),
            ("requests=0/60s", "zero"),
            ("requests=x/60s", "whole number"),
            ("requests=5/soon", "not a time"),
            ("requests=5/0s", "not a time"),
            ("in_flight=5/60s", "no window"),
            ("usd=-1/day", "dollars"),
        ] {
            let error = text.parse::<Limit>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
