//! The settings of a sandbox, and their spelling on a command line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::SandboxError;
use crate::injected_fault::InjectedFault;

/// The behaviour of a sandbox. The default has no quotas, no latency and no faults.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SandboxConfig {
    /// The limits, each counted for every pair of key and model on its own.
    pub quotas: Vec<Quota>,
    /// The spacing that the quotas on requests demand within a window.
    pub pacing: Pacing,
    /// The parts of a refusal that say which limit was hit and when to come back, OpenAI's headers included.
    pub hints: Hints,
    /// The time from the arrival of a call to its answer, before any output.
    pub latency: Duration,
    /// The time that each token of output adds to the latency.
    pub per_output_token: Duration,
    /// Faults to draw at random, at most one a call.
    pub faults: Vec<FaultRate>,
    /// Decides the draws of the faults and the words of the answers.
    pub seed: u64,
    /// The models there are. `None`: every name that starts with `gemini-` or `sandbox`; in OpenAI's format
    /// with `gpt-`, `text-embedding-` or `sandbox`.
    pub models: Option<Vec<String>>,
}

impl SandboxConfig {
    /// Checks what no single setting can: that the fault rates add up to 1 at most.
    ///
    /// # Errors
    /// [`SandboxError::FaultRates`].
    pub fn check(&self) -> Result<(), SandboxError> {
        let total: f64 = self.faults.iter().map(|fault| fault.rate).sum();
        if total > 1.0 + 1e-9 { Err(SandboxError::FaultRates { total }) } else { Ok(()) }
    }
}

/// The quantity that a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuotaMetric {
    /// Calls, however many items they carry.
    Requests,
    /// Tokens of input, a token being four bytes of text, rounded up once a call.
    InputTokens,
    /// Images asked for, made or not.
    Images,
}

impl QuotaMetric {
    const ALL: [Self; 3] = [Self::Requests, Self::InputTokens, Self::Images];

    fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::InputTokens => "input_tokens",
            Self::Images => "images",
        }
    }
}

/// The time over which a quota is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuotaWindow {
    /// The time just past, of this length.
    Sliding(Duration),
    /// The calendar day in America/Los_Angeles, daylight saving included, whatever the format.
    Day,
}

/// One limit. Spelt `requests=15/60s`, `input_tokens=250000/60s`, `images=10/60s`,
/// `requests=1500/day` or `in_flight=8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quota {
    /// So much in a window.
    Windowed {
        /// The quantity that is counted.
        metric: QuotaMetric,
        /// The most of it that is let in within the window.
        amount: u64,
        /// The time over which it is counted.
        window: QuotaWindow,
    },
    /// So many calls at once.
    InFlight {
        /// The most calls at once.
        amount: u64,
    },
}

impl Quota {
    /// The most that is let in, in the unit of the quota.
    pub(crate) fn amount(self) -> u64 {
        match self {
            Self::Windowed { amount, .. } | Self::InFlight { amount } => amount,
        }
    }
}

const QUOTA_HINT: &str = "write KIND=N/WINDOW, such as requests=15/60s, input_tokens=250000/60s, \
                          images=10/60s, requests=1500/day, or in_flight=8";

impl FromStr for Quota {
    type Err = SandboxError;

    fn from_str(text: &str) -> Result<Self, SandboxError> {
        let wrong = |reason: String| SandboxError::setting("a quota", text, reason, QUOTA_HINT);
        let (kind, rest) = text.split_once('=').ok_or_else(|| wrong("there is no '='".into()))?;
        let amount = |digits: &str| match digits.parse::<u64>() {
            Ok(0) => Err(wrong("the amount must be at least 1".into())),
            Ok(amount) => Ok(amount),
            Err(_) => Err(wrong(format!("{digits:?} is not a whole number"))),
        };
        if kind == "in_flight" {
            if rest.contains('/') {
                return Err(wrong("calls in flight have no window".into()));
            }
            return Ok(Self::InFlight { amount: amount(rest)? });
        }
        let metric = QuotaMetric::ALL
            .into_iter()
            .find(|metric| metric.name() == kind)
            .ok_or_else(|| wrong(format!("{kind:?} is not a kind of quota")))?;
        let (digits, window) = rest.split_once('/').ok_or_else(|| wrong("there is no window".into()))?;
        let window = if window == "day" {
            QuotaWindow::Day
        } else {
            let Span(span) = window.parse().map_err(|_| wrong(format!("{window:?} is not a window")))?;
            if span.is_zero() {
                return Err(wrong("the window must be longer than 0".into()));
            }
            QuotaWindow::Sliding(span)
        };
        Ok(Self::Windowed { metric, amount: amount(digits)?, window })
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Windowed { metric, amount, window: QuotaWindow::Day } => {
                write!(f, "{}={amount}/day", metric.name())
            }
            Self::Windowed { metric, amount, window: QuotaWindow::Sliding(span) } => {
                write!(f, "{}={amount}/{}", metric.name(), Span(span))
            }
            Self::InFlight { amount } => write!(f, "in_flight={amount}"),
        }
    }
}

/// A length of time as it is spelt in settings: `60s`, `500ms`, `250us`, `1.5s`, `1m`, `1h`, or `0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(
    /// The length, to the microsecond.
    pub Duration,
);

const SPAN_HINT: &str = "write a number and a unit: 500ms, 8ms, 1s, 1.5s, 1m, 1h";
const UNITS: [(&str, f64); 5] = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

impl FromStr for Span {
    type Err = SandboxError;

    fn from_str(text: &str) -> Result<Self, SandboxError> {
        let wrong = |reason: &str| SandboxError::setting("a duration", text, reason, SPAN_HINT);
        if text == "0" {
            return Ok(Self::default());
        }
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let number: f64 = number.parse().map_err(|_| wrong("it does not start with a number"))?;
        let (_, seconds) =
            UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(|| wrong("the unit is missing"))?;
        // Rounded to whole microseconds, or 1.1s would come out as 1.100000000000000088s.
        let micros = (number * seconds * 1e6).round();
        if micros > 1e15 {
            return Err(wrong("it is longer than anyone will wait"));
        }
        Ok(Self(Duration::from_micros(micros as u64)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        if micros.is_multiple_of(1_000_000) {
            write!(f, "{}s", micros / 1_000_000)
        } else if micros.is_multiple_of(1000) {
            write!(f, "{}ms", micros / 1000)
        } else {
            write!(f, "{micros}us")
        }
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

/// The spacing of requests within a sliding window. Providers differ, and a client has to cope with both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pacing {
    /// N requests at any time within the window, all at once if they like.
    #[default]
    Burst,
    /// Each request at least a window's N-th part after the one before, as some providers have it.
    Even,
}

impl FromStr for Pacing {
    type Err = SandboxError;

    fn from_str(text: &str) -> Result<Self, SandboxError> {
        match text {
            "burst" => Ok(Self::Burst),
            "even" => Ok(Self::Even),
            _ => {
                let hint = "write burst or even";
                Err(SandboxError::setting("the pacing", text, "there is none of that name", hint))
            }
        }
    }
}

/// The hints that a refusal gives. Providers leave out either part at times. In OpenAI's format the limits stand in
/// the headers of every answer, and only where a refusal would name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hints {
    /// The limit that was hit, and the time to wait.
    #[default]
    Full,
    /// The limit that was hit, without a time to wait.
    Quota,
    /// The time to wait, without the limit.
    Delay,
    /// No hint: a client has to find out by itself.
    None,
}

impl Hints {
    pub(crate) fn name_quota(self) -> bool {
        matches!(self, Self::Full | Self::Quota)
    }

    pub(crate) fn name_delay(self) -> bool {
        matches!(self, Self::Full | Self::Delay)
    }
}

impl FromStr for Hints {
    type Err = SandboxError;

    fn from_str(text: &str) -> Result<Self, SandboxError> {
        match text {
            "full" => Ok(Self::Full),
            "quota" => Ok(Self::Quota),
            "delay" => Ok(Self::Delay),
            "none" => Ok(Self::None),
            _ => {
                let hint = "write full, quota, delay or none";
                Err(SandboxError::setting("the hints", text, "there are none of that name", hint))
            }
        }
    }
}

/// A fault and the share of the calls that it happens to. Spelt `503=0.05`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultRate {
    /// The fault that is injected.
    pub kind: InjectedFault,
    /// The share of calls, from 0 to 1.
    pub rate: f64,
}

const FAULT_HINT: &str = "write KIND=RATE with a rate from 0 to 1, such as 503=0.05; the kinds are 500, \
                          503, 504, hang, reset, truncate, garbage, refuse, omit, double, shuffle, fence \
                          and no-usage";

impl FromStr for FaultRate {
    type Err = SandboxError;

    fn from_str(text: &str) -> Result<Self, SandboxError> {
        let wrong = |reason: &str| SandboxError::setting("a fault", text, reason, FAULT_HINT);
        let (kind, rate) = text.split_once('=').ok_or_else(|| wrong("there is no '='"))?;
        let kind = InjectedFault::from_name(kind).ok_or_else(|| wrong("there is no fault of that name"))?;
        let rate: f64 = rate.parse().map_err(|_| wrong("the rate is not a number"))?;
        if !(0.0..=1.0).contains(&rate) {
            return Err(wrong("the rate is not between 0 and 1"));
        }
        Ok(Self { kind, rate })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn quotas_are_written_back_as_they_were_read() {
        for text in [
            "requests=15/60s",
            "input_tokens=250000/60s",
            "images=10/60s",
            "requests=1500/day",
            "requests=3/500ms",
            "in_flight=8",
        ] {
            assert_eq!(text.parse::<Quota>().unwrap().to_string(), text);
        }
        let minute = "requests=15/1m".parse::<Quota>().unwrap();
        assert_eq!(minute, "requests=15/60s".parse().unwrap());
    }

    #[test]
    fn a_quota_that_makes_no_sense_is_refused_with_its_spelling() {
        for text in [
            "",
            "requests",
            "requests=15",
            "requests=0/60s",
            "requests=-1/60s",
            "requests=15/",
            "requests=15/0s",
            "requests=15/60",
            "cats=3/60s",
            "in_flight=8/60s",
            "in_flight=0",
        ] {
            let error = text.parse::<Quota>().expect_err(text);
            assert_eq!(error.code(), "sandbox-setting");
            assert!(error.hint().contains("requests=15/60s"));
        }
    }

    #[test]
    fn durations_have_a_number_and_a_unit() {
        let millis = |text: &str| text.parse::<Span>().unwrap().0.as_micros();
        assert_eq!(millis("60s"), 60_000_000);
        assert_eq!(millis("500ms"), 500_000);
        assert_eq!(millis("1m"), 60_000_000);
        assert_eq!(millis("1h"), 3_600_000_000);
        assert_eq!(millis("1.5s"), 1_500_000);
        assert_eq!(millis("250us"), 250);
        assert_eq!(millis("0"), 0);
        for text in ["", "s", "5", "-1s", "1 s", "1d", "1e400s", "99999999999999h", "1.2.3s"] {
            text.parse::<Span>().expect_err(text);
        }
    }

    #[test]
    fn a_fault_has_a_known_kind_and_a_share() {
        let fault = "503=0.05".parse::<FaultRate>().unwrap();
        assert_eq!((fault.kind, fault.rate), (InjectedFault::Unavailable, 0.05));
        for text in ["503", "503=2", "503=-0.1", "503=NaN", "flood=0.1", "=0.1"] {
            text.parse::<FaultRate>().expect_err(text);
        }
    }

    #[test]
    fn faults_for_more_than_every_call_are_refused() {
        let faults = vec!["503=0.7".parse().unwrap(), "hang=0.4".parse().unwrap()];
        let config = SandboxConfig { faults, ..SandboxConfig::default() };
        assert_eq!(config.check().unwrap_err().code(), "sandbox-fault-rates");
    }
}
