//! The pages beside the API: its document, and the built web studio.

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::state::Server;

pub(super) fn routes(_: &Server) -> Router<Server> {
    Router::new().route("/api/v1/openapi.json", get(document)).route("/", get(start))
}

/// The document says what the API takes and gives, and nothing of what is behind it.
async fn document(State(server): State<Server>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], server.document.clone())
}

async fn start() -> impl IntoResponse {
    let page = "<!doctype html><html lang=en><meta charset=utf-8><title>Atelier</title><body><h1>Atelier</h1>\
        <p>The API is at <a href=\"/api/v1/openapi.json\">/api/v1</a>. The web studio is not part of this build.</p>";
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page)
}
