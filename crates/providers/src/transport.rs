//! What the two HTTP clients have in common, the one for servers on this machine and the one for all others:
//! timeouts, how many connections are kept, and how their errors are told apart.

use std::error::Error;
use std::time::Duration;

use hyper_util::client::legacy::Error as ClientError;

/// A server that does not take a connection within this time is unreachable.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Shorter than the idle timeout of common servers and proxies: a call should not be the one to find out
/// that its connection has gone.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// Idle connections kept for each server: as many as there may be calls in flight.
pub(crate) const IDLE_CONNECTIONS: usize = 1024;

/// The User-Agent of every request.
pub(crate) const USER_AGENT_VALUE: &str = concat!("atelier/", env!("CARGO_PKG_VERSION"));

/// What of an error tells a server that can't be reached from one that was lost.
pub(crate) trait TransportError: Error + Send + Sync + 'static {
    /// Whether no connection came about.
    fn is_connect(&self) -> bool;

    /// Whether the request could not even be made.
    fn is_builder(&self) -> bool {
        false
    }
}

impl TransportError for ClientError {
    fn is_connect(&self) -> bool {
        Self::is_connect(self)
    }
}

impl TransportError for reqwest::Error {
    fn is_connect(&self) -> bool {
        Self::is_connect(self)
    }

    fn is_builder(&self) -> bool {
        Self::is_builder(self)
    }
}
