//! Providers and their keys, for administrators: written, tried, and never read.

use atelier_app::accounts::{Scope, Secret};
use atelier_app::views::{ProviderListView, ProviderView, TriedView};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Body};
use crate::sign_in::{Access, Caller};

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add(Access::Person(Scope::Admin), routes!(list))
        .add(Access::Person(Scope::Admin), routes!(write))
        .add(Access::Person(Scope::Admin), routes!(forget))
        .add(Access::Person(Scope::Admin), routes!(try_it))
}

/// List providers' accounts
#[utoipa::path(get, path = "/providers", tag = "settings", operation_id = "listProviders",
    responses((status = 200, description = "Each with where its key comes from", body = ProviderListView)))]
async fn list(caller: Caller) -> Answer<Json<ProviderListView>> {
    Ok(Json(caller.app.providers().await?))
}

/// A key to be kept.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyRequest {
    /// The key. It is sealed, and no answer ever has it.
    #[garde(length(min = 1, max = 4096))]
    #[schema(write_only)]
    key: String,
}

/// Write a provider's key
///
/// It is for the address that the account has now, and forgotten when that changes.
#[utoipa::path(put, path = "/providers/{provider}/{account}/key", tag = "settings", operation_id = "writeProviderKey",
    params(("provider" = String, Path, description = "Whose wire it speaks"), ("account" = String, Path, description = "The account's name")),
    request_body = KeyRequest, responses((status = 200, description = "The account", body = ProviderView)))]
async fn write(
    caller: Caller,
    Path((provider, account)): Path<(String, String)>,
    Body(wanted): Body<KeyRequest>,
) -> Answer<Json<ProviderView>> {
    let key = Secret::given(&wanted.key);
    Ok(Json(caller.app.write_provider_key(&id(&provider, &account), &key, &caller.origin).await?))
}

/// Forget a provider's key
#[utoipa::path(delete, path = "/providers/{provider}/{account}/key", tag = "settings", operation_id = "forgetProviderKey",
    params(("provider" = String, Path, description = "Whose wire it speaks"), ("account" = String, Path, description = "The account's name")),
    responses((status = 204, description = "It is gone")))]
async fn forget(caller: Caller, Path((provider, account)): Path<(String, String)>) -> Answer<StatusCode> {
    caller.app.forget_provider_key(&id(&provider, &account), &caller.origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Try a provider's key
///
/// By a call that costs nothing: the list of models.
#[utoipa::path(post, path = "/providers/{provider}/{account}/try", tag = "settings", operation_id = "tryProvider",
    params(("provider" = String, Path, description = "Whose wire it speaks"), ("account" = String, Path, description = "The account's name")),
    responses((status = 200, description = "The provider takes it", body = TriedView)))]
async fn try_it(caller: Caller, Path((provider, account)): Path<(String, String)>) -> Answer<Json<TriedView>> {
    Ok(Json(caller.app.try_provider(&id(&provider, &account)).await?))
}

fn id(provider: &str, account: &str) -> String {
    format!("{provider}/{account}")
}
