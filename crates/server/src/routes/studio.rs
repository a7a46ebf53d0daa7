//! The web studio: files that are inside the binary, and one page for all of its addresses.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::files::FILES;
use crate::http::Problem;
use crate::state::Server;

/// Where people are in the studio. What an address of it shows is the page's own affair.
const PLACES: [&str; 7] =
    ["/", "/replies", "/replies/{project}", "/review/{project}", "/work", "/settings", "/welcome"];
/// Their names change with what is in them.
const NAMED_BY_CONTENT: &str = "assets/";

pub(super) fn routes() -> Router<Server> {
    let mut routes = Router::new().route("/assets/{*file}", get(asset));
    for place in PLACES {
        routes = routes.route(place, get(page));
    }
    for (name, _) in FILES.iter().filter(|(name, _)| is_beside_the_page(name)) {
        routes = routes.route(&format!("/{name}"), get(beside));
    }
    routes
}

fn is_beside_the_page(name: &str) -> bool {
    !name.contains('/') && !name.ends_with(".gz") && name != "index.html"
}

async fn page(headers: HeaderMap) -> Response {
    found("index.html", &headers).unwrap_or_else(|| not_built().into_response())
}

async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    let none =
        || Problem::from(atelier_app::AppError::new(atelier_app::code!("no-such-route"), "there is nothing here"));
    found(&format!("{NAMED_BY_CONTENT}{file}"), &headers).unwrap_or_else(|| none().into_response())
}

async fn beside(request: Request) -> Response {
    let name = request.uri().path().trim_start_matches('/').to_owned();
    found(&name, request.headers()).unwrap_or_else(|| not_built().into_response())
}

/// A file of the studio, packed for whoever takes it so.
fn found(name: &str, asked: &HeaderMap) -> Option<Response> {
    let whole = content(name)?;
    let takes_gzip = asked
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|one| one.trim().split(';').next() == Some("gzip")));
    let packed = content(&format!("{name}.gz")).filter(|_| takes_gzip);
    let kept = if name.starts_with(NAMED_BY_CONTENT) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = format!("\"{}\"", &blake3::hash(whole).to_hex()[..16]);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(type_of(name)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    let is_known = asked.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    headers.extend(HeaderValue::from_str(&tag).ok().map(|tag| (ETAG, tag)));
    if is_known {
        return Some((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    if packed.is_some() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some((headers, Body::from(packed.unwrap_or(whole))).into_response())
}

fn content(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, content)| *content)
}

fn type_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("webp") => "image/webp",
        _ => "application/octet-stream",
    }
}

fn not_built() -> impl IntoResponse {
    let page = "<!doctype html><html lang=en><meta charset=utf-8><title>Atelier</title><h1>Atelier</h1>\
        <p>This binary was built without the web studio. <code>make build</code> builds it with the studio, which takes \
        Node 20 or newer. <a href=/api/v1/docs>The API</a> has everything that the command line does.</p>";
    ([(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")], page)
}
