//! Limits as they stand.

use atelier_app::accounts::Scope;
use atelier_app::views::{PoolView, QuotaView};
use axum::Json;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Body};
use crate::sign_in::{Access, Caller};

pub(super) fn add(routes: Routes) -> Routes {
    let admin = Access::Scope(Scope::Admin);
    routes.add(Access::Scope(Scope::Read), routes!(list)).add(admin, routes!(set)).add(admin, routes!(forget))
}

/// List limits
#[utoipa::path(get, path = "/quotas", tag = "quotas", operation_id = "listQuotas",
    responses((status = 200, description = "Every pool's limits, and what is used of them", body = QuotaView)))]
async fn list(caller: Caller) -> Answer<Json<QuotaView>> {
    Ok(Json(caller.app.quota().await?))
}

/// What a pool's limits are to be.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Limits {
    /// The pool, as it is listed.
    #[garde(length(min = 1, max = 400))]
    pool: String,
    /// All of its limits, such as `requests=15/60s`, `input_tokens=250000/1m`, `usd=5/day` or `in_flight=8`. None at all:
    /// those of the configuration count again.
    #[garde(length(max = 20), inner(length(max = 100)))]
    limits: Vec<String>,
}

/// Set a pool's limits
///
/// They stand in the place of those that the configuration has for it, for work that is begun or gone on with from now on.
#[utoipa::path(put, path = "/quotas", tag = "quotas", operation_id = "setLimits", request_body = Limits,
    responses((status = 200, description = "The pool with its limits", body = PoolView)))]
async fn set(caller: Caller, Body(asked): Body<Limits>) -> Answer<Json<PoolView>> {
    Ok(Json(caller.app.set_limits(&asked.pool, &asked.limits, &caller.origin).await?))
}

/// Which limits are forgotten.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Forget {
    /// Of this pool; of all if none.
    #[garde(inner(length(max = 400)))]
    pool: Option<String>,
}

/// How many limits were forgotten.
#[derive(Debug, Serialize, ToSchema)]
struct Forgotten {
    /// How many.
    limits: u64,
}

/// Forget the limits that refusals have taught
#[utoipa::path(post, path = "/quotas/forget", tag = "quotas", operation_id = "forgetLimits", request_body = Forget,
    responses((status = 200, description = "How many", body = Forgotten)))]
async fn forget(caller: Caller, Body(asked): Body<Forget>) -> Answer<Json<Forgotten>> {
    Ok(Json(Forgotten { limits: caller.app.forget_limits(asked.pool).await? }))
}
