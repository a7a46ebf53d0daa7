//! The settings and the error trait that the two HTTP clients share, the one for servers on this machine and the
//! one for all others.

use std::error::Error;
use std::time::Duration;

use hyper_util::client::legacy::Error as ClientError;

/// After this time without a connection, a server counts as unreachable.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Idle connections are closed after this time. It is shorter than the idle timeout of common servers and
/// proxies, so that no call is the one to find that its connection has gone.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// Idle connections kept for each server: as many as there may be calls in flight.
pub(crate) const IDLE_CONNECTIONS: usize = 1024;

/// The User-Agent of every request.
pub(crate) const USER_AGENT_VALUE: &str = concat!("atelier/", env!("CARGO_PKG_VERSION"));

/// An error of either client. The difference that counts is whether the request was sent: a server that can't
/// be reached has done nothing and billed nothing, one that was lost while it answered may have.
pub(crate) trait TransportError: Error + Send + Sync + 'static {
    /// `true` if no connection was made, so that nothing was sent.
    fn is_connect(&self) -> bool;

    /// `true` if the request could not be built, so that asking again is of no use.
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
