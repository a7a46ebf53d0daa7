//! Under which names the server may be asked, and from where somebody asks.
//!
//! That a request comes from this machine proves nothing: a proxy on it passes on what anybody sends, and a page on any
//! site can have its own name resolve to 127.0.0.1. So the name that is asked for is on a list, and nothing is granted
//! to whoever is near.

use std::net::{IpAddr, SocketAddr};

use atelier_app::accounts::Origin;
use atelier_app::{AppError, code};
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};

use super::problem::Problem;
use crate::state::{ServeSettings, Server};

/// What a proxy adds to a request that it passes on.
const FORWARDING: [&str; 7] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-server", "x-real-ip"];

/// The names under which the server may be asked.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    names: Vec<String>,
}

/// Where a connection comes from.
pub(crate) type Peer = ConnectInfo<SocketAddr>;

impl Hosts {
    pub(crate) fn new(settings: &ServeSettings, listening: SocketAddr) -> Self {
        let mut names: Vec<String> = ["localhost", "127.0.0.1", "[::1]"].into_iter().map(str::to_owned).collect();
        names.push(match listening.ip() {
            IpAddr::V6(ip) => format!("[{ip}]"),
            IpAddr::V4(ip) => ip.to_string(),
        });
        names.extend(settings.public_url.as_deref().and_then(host_of_url));
        names.extend(settings.hosts.iter().map(|name| name.to_ascii_lowercase()));
        Self { names }
    }

    /// An error if the request names a host that this server is not.
    pub(crate) fn check(&self, asked: Option<&str>) -> Result<(), Problem> {
        let name = asked.map(without_port).unwrap_or_default().to_ascii_lowercase();
        if self.names.contains(&name) {
            return Ok(());
        }
        let message = "this server is not asked under that name".to_owned();
        Err(AppError::new(code!("wrong-host"), message)
            .hint("name it as a host or as the public URL where the server is started")
            .into())
    }
}

/// The host that a request asks for.
pub(crate) fn asked_host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let of_uri = uri.authority().map(Authority::as_str);
    of_uri.or_else(|| headers.get(header::HOST)?.to_str().ok())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

fn host_of_url(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(without_port(authority).to_ascii_lowercase())
}

/// Whether the request was passed on by somebody.
pub(crate) fn was_forwarded(headers: &HeaderMap) -> bool {
    FORWARDING.iter().any(|name| headers.contains_key(*name))
}

/// Whether a request was surely made on this machine, by its user: it came from here, asked for a name of this machine,
/// and nobody passed it on.
pub(crate) fn is_local(server: &Server, parts: &Parts) -> bool {
    let peer = parts.extensions.get::<Peer>().is_some_and(|peer| peer.0.ip().is_loopback());
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(without_port);
    let named =
        host.is_some_and(|host| matches!(host.to_ascii_lowercase().as_str(), "localhost" | "127.0.0.1" | "[::1]"));
    peer && named && !server.settings.behind_proxy && !was_forwarded(&parts.headers)
}

/// From where a request comes: the connection's address, or what a proxy says that is named as one.
pub(crate) fn origin_of(server: &Server, parts: &Parts) -> Origin {
    let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
    let trusted = |ip: IpAddr| server.settings.trusted_proxies.contains(&ip);
    let forwarded = || {
        let values = parts.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<IpAddr> =
            values.flat_map(|value| value.split(',')).filter_map(|hop| hop.trim().parse().ok()).collect();
        // The last hop that no proxy of ours is.
        hops.into_iter().rev().find(|hop| !trusted(*hop))
    };
    let address = match peer {
        Some(peer) if trusted(peer) => forwarded().or(Some(peer)),
        other => other,
    };
    let browser = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).map(str::to_owned);
    Origin { address: address.map(|ip| ip.to_string()), browser }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_on_the_list_are_answered() {
        let settings = ServeSettings {
            address: ([127, 0, 0, 1], 8787).into(),
            public_url: Some("https://studio.example.org/".into()),
            behind_proxy: true,
            trusted_proxies: Vec::new(),
            hosts: vec!["Intern".into()],
            patience: std::time::Duration::ZERO,
            samples: false,
        };
        let hosts = Hosts::new(&settings, settings.address);
        for fine in ["localhost:8787", "127.0.0.1:8787", "[::1]:1", "studio.example.org", "intern:80"] {
            assert!(hosts.check(Some(fine)).is_ok(), "{fine}");
        }
        for strange in [Some("evil.example"), Some("127.0.0.1.evil.example:8787"), Some(""), None] {
            assert!(hosts.check(strange).is_err(), "{strange:?}");
        }
    }
}
