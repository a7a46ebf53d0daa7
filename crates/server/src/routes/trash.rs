//! The trash.

use atelier_app::accounts::Scope;
use atelier_app::views::TrashListView;
use axum::Json;
use utoipa_axum::routes;

use super::Routes;
use super::library::{Ids, Restored};
use crate::http::{Answer, Body, Page, Query};
use crate::sign_in::{Access, Caller};

pub(super) fn add(routes: Routes) -> Routes {
    routes.add(Access::Scope(Scope::Read), routes!(list)).add(Access::Scope(Scope::Write), routes!(restore))
}

/// List what was deleted
#[utoipa::path(get, path = "/trash", tag = "trash", operation_id = "listTrash", params(Page),
    responses((status = 200, description = "What you deleted, and what was removed from the library", body = TrashListView)))]
async fn list(caller: Caller, Query(page): Query<Page>) -> Answer<Json<TrashListView>> {
    Ok(Json(caller.app.trash(page.cursor()?.as_ref(), page.limit()).await?))
}

/// Put back what was deleted
#[utoipa::path(post, path = "/trash/restorations", tag = "trash", operation_id = "restore", request_body = Ids,
    responses((status = 200, description = "It is there again", body = Restored)))]
async fn restore(caller: Caller, Body(Ids { ids }): Body<Ids>) -> Answer<Json<Restored>> {
    Ok(Json(Restored { restored: caller.app.restore(&ids).await? }))
}
