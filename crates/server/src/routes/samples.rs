//! The sample pictures that ship with the program.

use atelier_app::accounts::Scope;
use atelier_app::views::SamplesView;
use axum::Json;
use axum::extract::State;
use utoipa_axum::routes;

use super::Routes;
use super::library::Changed;
use crate::http::Answer;
use crate::sign_in::{Access, Caller};
use crate::state::Server;

pub(super) fn add(routes: Routes) -> Routes {
    let (read, write) = (Access::Scope(Scope::Read), Access::Scope(Scope::Write));
    routes.add(read, routes!(show)).add(write, routes!(import)).add(write, routes!(remove))
}

/// Tell of the samples
#[utoipa::path(get, path = "/library/samples", tag = "library", operation_id = "getSamples",
    responses((status = 200, description = "How many there are, and how many of them are in the library", body = SamplesView)))]
async fn show(caller: Caller) -> Answer<Json<SamplesView>> {
    Ok(Json(caller.app.samples().await?))
}

/// Put the samples into the library
///
/// With the vectors that ship with them, so that they are found at once. Doing it again is safe.
#[utoipa::path(post, path = "/library/samples", tag = "library", operation_id = "addSamples",
    responses((status = 200, description = "How many are new", body = Changed)))]
async fn import(State(server): State<Server>, caller: Caller) -> Answer<Json<Changed>> {
    Ok(Json(Changed { changed: caller.app.add_samples(&server.stop).await? }))
}

/// Remove the samples from the library
///
/// They lie in the trash for 30 days.
#[utoipa::path(delete, path = "/library/samples", tag = "library", operation_id = "removeSamples",
    responses((status = 200, description = "How many are in the trash now", body = Changed)))]
async fn remove(caller: Caller) -> Answer<Json<Changed>> {
    Ok(Json(Changed { changed: caller.app.remove_samples().await? }))
}
