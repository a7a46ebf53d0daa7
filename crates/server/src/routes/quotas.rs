//! Limits as they stand.

use atelier_app::accounts::Scope;
use atelier_app::views::QuotaView;
use axum::Json;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Body};
use crate::sign_in::{Access, Caller};

pub(super) fn add(routes: Routes) -> Routes {
    routes.add(Access::Scope(Scope::Read), routes!(list)).add(Access::Scope(Scope::Admin), routes!(forget))
}

/// List limits
#[utoipa::path(get, path = "/quotas", tag = "quotas", operation_id = "listQuotas",
    responses((status = 200, description = "Every pool's limits, and what is used of them", body = QuotaView)))]
async fn list(caller: Caller) -> Answer<Json<QuotaView>> {
    Ok(Json(caller.app.quota().await?))
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
