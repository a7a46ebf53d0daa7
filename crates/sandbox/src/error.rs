//! The errors of a sandbox itself. Those that it answers with over the wire are none of them.

use std::io;
use std::net::SocketAddr;

/// A setting that could not be read, or a server that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A setting is not spelt as it should be.
    #[error("{what} can't be read: {text:?} ({reason})")]
    Setting {
        /// Which setting, in words: "a quota", "a duration".
        what: &'static str,
        /// The text of the setting, as given.
        text: String,
        /// The defect, as a clause.
        reason: String,
        /// The right spelling, with an example.
        hint: &'static str,
    },
    /// The rates of the faults add up to more than every call.
    #[error("the rates of the faults add up to {total}, which is more than 1")]
    FaultRates {
        /// The sum of the rates.
        total: f64,
    },
    /// The address is reachable from other machines.
    #[error("{addr} is not a loopback address")]
    NotLoopback {
        /// The address that was refused.
        addr: SocketAddr,
    },
    /// The address could not be bound.
    #[error("can't listen on {addr}: {source}")]
    Bind {
        /// The address that was asked for.
        addr: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// There is no tokio runtime to serve in.
    #[error("the sandbox was started outside a tokio runtime")]
    NoRuntime,
    /// The time zone by which a provider's day is counted is not known here.
    #[error("the time zone America/Los_Angeles is not known: {reason}")]
    TimeZone {
        /// The time zone database's own message.
        reason: String,
    },
}

impl SandboxError {
    /// Every code that there is.
    pub const CODES: &'static [&'static str] = &[
        "sandbox-setting",
        "sandbox-fault-rates",
        "sandbox-not-loopback",
        "sandbox-bind",
        "sandbox-no-runtime",
        "sandbox-time-zone",
    ];

    pub(crate) fn setting(what: &'static str, text: &str, reason: impl Into<String>, hint: &'static str) -> Self {
        Self::Setting { what, text: text.to_owned(), reason: reason.into(), hint }
    }

    /// A stable name for the kind of error, in kebab case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "sandbox-setting",
            Self::FaultRates { .. } => "sandbox-fault-rates",
            Self::NotLoopback { .. } => "sandbox-not-loopback",
            Self::Bind { .. } => "sandbox-bind",
            Self::NoRuntime => "sandbox-no-runtime",
            Self::TimeZone { .. } => "sandbox-time-zone",
        }
    }

    /// The user's next step, as an imperative clause without a full stop.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Setting { hint, .. } => hint,
            Self::FaultRates { .. } => "lower the rates until they add up to 1 or less",
            Self::NotLoopback { .. } => "listen on 127.0.0.1: the sandbox serves this machine only",
            Self::Bind { .. } => "choose another port, or port 0 for any that is free",
            Self::NoRuntime => "start it from async code that runs in tokio",
            Self::TimeZone { .. } => "build with the bundled time zone database, or install tzdata",
        }
    }
}
