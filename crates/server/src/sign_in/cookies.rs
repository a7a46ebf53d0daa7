//! The cookie that a browser is signed in by.

use std::time::Duration;

use atelier_app::accounts::Secret;
use axum::http::{HeaderMap, HeaderValue, header};

use crate::state::Server;

/// How long a browser keeps it; the session itself may end before.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long a browser may be at a provider.
const AT_PROVIDER: Duration = Duration::from_secs(600);

/// By TLS the browser sees to it that the cookie is this host's alone, and never sent in the open.
fn name(server: &Server) -> &'static str {
    if server.is_secure() { "__Host-atelier" } else { "atelier" }
}

/// The same for what a browser keeps while it is at a provider.
fn binding_name(server: &Server) -> &'static str {
    if server.is_secure() { "__Host-atelier-sign-in" } else { "atelier-sign-in" }
}

/// The session that a browser brings.
pub(crate) fn session_of(server: &Server, headers: &HeaderMap) -> Option<Secret> {
    value_of(name(server), headers)
}

/// What a browser brings that was at a provider.
pub(crate) fn binding_of(server: &Server, headers: &HeaderMap) -> Option<Secret> {
    value_of(binding_name(server), headers)
}

fn value_of(name: &str, headers: &HeaderMap) -> Option<Secret> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| Secret::given(value))
}

/// The header that signs a browser in.
pub(crate) fn setting(server: &Server, secret: &Secret) -> Option<HeaderValue> {
    cookie(server, name(server), secret.reveal(), KEPT)
}

/// The header by which a browser is known when it comes back from a provider.
pub(crate) fn setting_binding(server: &Server, secret: &Secret) -> Option<HeaderValue> {
    cookie(server, binding_name(server), secret.reveal(), AT_PROVIDER)
}

/// The header that has a browser forget its session.
pub(crate) fn clearing(server: &Server) -> Option<HeaderValue> {
    cookie(server, name(server), "", Duration::ZERO)
}

fn cookie(server: &Server, name: &str, value: &str, kept: Duration) -> Option<HeaderValue> {
    let secure = if server.is_secure() { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", kept.as_secs());
    HeaderValue::from_str(&text).ok()
}
