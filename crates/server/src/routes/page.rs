//! The pages beside the API: its document, to be read and to be browsed.

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::state::Server;

/// RapiDoc (assets/web/SOURCES.md), packed as browsers take it.
static BROWSER: &[u8] = include_bytes!("../../../../assets/web/rapidoc-min.js.gz");
const PAGE: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
    <title>Atelier's API</title><script type=module src=/api/v1/docs/rapidoc.js></script>\
    <rapi-doc spec-url=/api/v1/openapi.json render-style=read show-header=false allow-server-selection=false \
    allow-spec-file-load=false allow-spec-url-load=false load-fonts=false theme=light primary-color=#c2410c \
    regular-font=system-ui mono-font=monospace></rapi-doc>";
/// RapiDoc styles its elements in their attributes. Nothing else may do so, and it loads nothing from elsewhere.
const BROWSER_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn routes(_: &Server) -> Router<Server> {
    Router::new()
        .route("/api/v1/openapi.json", get(document))
        .route("/api/v1/docs", get(browse))
        .route("/api/v1/docs/rapidoc.js", get(browser))
}

/// The document says what the API takes and gives, and nothing of what is behind it.
async fn document(State(server): State<Server>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], server.document.clone())
}

async fn browse() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, BROWSER_POLICY)], PAGE)
}

async fn browser() -> impl IntoResponse {
    let headers =
        [(CONTENT_TYPE, "text/javascript"), (CONTENT_ENCODING, "gzip"), (CACHE_CONTROL, "public, max-age=86400")];
    (headers, BROWSER)
}
