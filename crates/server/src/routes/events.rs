//! What changes, as it changes.

use atelier_app::accounts::Scope;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Query};
use crate::sign_in::{Access, Caller};
use crate::state::Server;

pub(super) fn add(routes: Routes) -> Routes {
    routes.add(Access::Scope(Scope::Read), routes!(events))
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct From {
    /// The number of the last change that is known; from now on if nothing is said. `Last-Event-ID` goes before it.
    #[garde(skip)]
    after: Option<u64>,
}

/// Stream what changes
///
/// Server-sent events. `begin` comes first and says the number that the stream starts from; then `job`, `items`, `image`,
/// `draft`, `quota` and `library` with the row as it is since, each with the change's number as its id; of a row that
/// changes quickly the last state is sent. `reset` says that what came before is not kept any more: read again what you
/// show. The stream ends when whoever listens signs out or may do less.
#[utoipa::path(get, path = "/events", tag = "events", operation_id = "streamEvents", params(From, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received")),
    responses((status = 200, description = "Changes, for as long as the connection lasts", content_type = "text/event-stream", body = String)))]
async fn events(
    State(server): State<Server>,
    caller: Caller,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Answer<Response> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.trim().parse().ok());
    crate::events::stream(&server, caller, last.or(from.after))
}
