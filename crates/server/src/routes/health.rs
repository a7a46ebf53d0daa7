//! Whether the server lives, and whether it can do something: for whoever watches it. Nothing of what it holds is said.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::http::scrape;
use crate::state::Server;

pub(super) fn routes() -> Router<Server> {
    Router::new().route("/health", get(health)).route("/ready", get(ready)).route("/metrics", get(scrape))
}

/// It answers: whatever else is wrong, starting it again would not help.
async fn health() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// Its database can be read and written.
async fn ready(State(server): State<Server>) -> (StatusCode, Json<Value>) {
    let ready = async { server.app.store()?.last_change().await.map_err(atelier_app::AppError::from) };
    match ready.await {
        Ok(_) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Err(error) => {
            tracing::warn!(code = error.code(), "not ready: {}", error.message());
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "not ready", "code": error.code() })))
        }
    }
}
