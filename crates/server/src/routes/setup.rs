//! How this place is set up.

use atelier_app::accounts::Scope;
use atelier_app::views::SetupView;
use axum::Json;
use utoipa_axum::routes;

use super::Routes;
use crate::http::Answer;
use crate::sign_in::{Access, Caller};

pub(super) fn add(routes: Routes) -> Routes {
    routes.add(Access::Scope(Scope::Admin), routes!(show))
}

/// See how this place is set up
///
/// The models of the library with what they have still to do, and how people sign in. It holds no secret.
#[utoipa::path(get, path = "/setup", tag = "settings", operation_id = "getSetup",
    responses((status = 200, description = "How it is set up", body = SetupView)))]
async fn show(caller: Caller) -> Answer<Json<SetupView>> {
    Ok(Json(caller.app.setup().await?))
}
