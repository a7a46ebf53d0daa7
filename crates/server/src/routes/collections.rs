//! What gathers images of the library: tags, collections, and groups that show nearly the same.

use atelier_app::accounts::Scope;
use atelier_app::views::{DuplicatesView, NamedCountView};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Routes;
use super::library::Changed;
use crate::http::{Answer, Body};
use crate::sign_in::{Access, Caller};

pub(super) fn add(routes: Routes) -> Routes {
    let (read, write) = (Access::Scope(Scope::Read), Access::Scope(Scope::Write));
    routes
        .add(read, routes!(tags))
        .add(read, routes!(collections))
        .add(write, routes!(rename_collection))
        .add(write, routes!(remove_collection))
        .add(read, routes!(duplicates))
        .add(write, routes!(settle_duplicates))
}

/// Names, each with how many images have it.
#[derive(Debug, Serialize, ToSchema)]
struct NamedCounts {
    /// By name.
    names: Vec<NamedCountView>,
}

/// List tags
#[utoipa::path(get, path = "/library/tags", tag = "library", operation_id = "listTags",
    responses((status = 200, description = "All tags", body = NamedCounts)))]
async fn tags(caller: Caller) -> Answer<Json<NamedCounts>> {
    Ok(Json(NamedCounts { names: caller.app.tags().await? }))
}

/// List collections
#[utoipa::path(get, path = "/library/collections", tag = "library", operation_id = "listCollections",
    responses((status = 200, description = "All collections", body = NamedCounts)))]
async fn collections(caller: Caller) -> Answer<Json<NamedCounts>> {
    Ok(Json(NamedCounts { names: caller.app.collections().await? }))
}

/// Another name.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rename {
    /// The name from now on.
    #[garde(length(chars, min = 1, max = 200))]
    name: String,
}

/// Rename a collection
#[utoipa::path(patch, path = "/library/collections/{name}", tag = "library", operation_id = "renameCollection", request_body = Rename,
    params(("name" = String, Path, description = "Its name")), responses((status = 204, description = "It is renamed")))]
async fn rename_collection(caller: Caller, Path(name): Path<String>, Body(to): Body<Rename>) -> Answer<StatusCode> {
    caller.app.library()?.rename_collection(&name, &to.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a collection
///
/// Its images stay. It lies in the trash for 30 days.
#[utoipa::path(delete, path = "/library/collections/{name}", tag = "library", operation_id = "removeCollection",
    params(("name" = String, Path, description = "Its name")), responses((status = 204, description = "It is in the trash")))]
async fn remove_collection(caller: Caller, Path(name): Path<String>) -> Answer<StatusCode> {
    caller.app.library()?.remove_collection(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List images that show nearly the same
#[utoipa::path(get, path = "/library/duplicates", tag = "library", operation_id = "listDuplicates",
    responses((status = 200, description = "Groups of them", body = DuplicatesView)))]
async fn duplicates(caller: Caller) -> Answer<Json<DuplicatesView>> {
    Ok(Json(caller.app.duplicates().await?))
}

/// What is to become of groups of images that show nearly the same.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettleDuplicates {
    /// Of each group an image.
    #[garde(length(min = 1, max = 1000), inner(length(max = 200)))]
    ids: Vec<String>,
    /// What to keep.
    #[garde(skip)]
    keep: Keep,
}

/// What to keep of images that show nearly the same.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Keep {
    /// The largest; the others lie in the trash for 30 days.
    Largest,
    /// All; they are not listed any more.
    All,
}

/// Settle what becomes of images that show nearly the same
#[utoipa::path(post, path = "/library/duplicates", tag = "library", operation_id = "settleDuplicates", request_body = SettleDuplicates,
    responses((status = 200, description = "How many images went into the trash, or are kept", body = Changed)))]
async fn settle_duplicates(caller: Caller, Body(wanted): Body<SettleDuplicates>) -> Answer<Json<Changed>> {
    let changed = match wanted.keep {
        Keep::Largest => caller.app.keep_largest(&wanted.ids).await?.len() as u64,
        Keep::All => caller.app.keep_both(&wanted.ids).await?,
    };
    Ok(Json(Changed { changed }))
}
