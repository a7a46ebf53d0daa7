//! What was spent.

use atelier_app::accounts::Scope;
use atelier_app::views::{CostBy, CostView, LikedCostsView};
use atelier_app::{AppError, code};
use axum::Json;
use garde::Validate;
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Query};
use crate::sign_in::{Access, Caller};

pub(super) fn add(routes: Routes) -> Routes {
    routes.add(Access::Scope(Scope::Read), routes!(list)).add(Access::Scope(Scope::Read), routes!(liked))
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// By what it is summed up; by model if nothing is said.
    #[serde(default)]
    #[garde(skip)]
    by: CostBy,
    /// The first day, such as `2026-11-01`, UTC; 30 days ago if nothing is said.
    #[garde(inner(length(max = 20)))]
    from: Option<String>,
    /// The last day; today if nothing is said.
    #[garde(inner(length(max = 20)))]
    until: Option<String>,
    /// Everybody's: for administrators.
    #[serde(default)]
    #[garde(skip)]
    everybody: bool,
}

/// See what was spent
#[utoipa::path(get, path = "/costs", tag = "costs", operation_id = "listCosts", params(Wanted),
    responses((status = 200, description = "What your jobs cost, or everybody's", body = CostView)))]
async fn list(caller: Caller, Query(wanted): Query<Wanted>) -> Answer<Json<CostView>> {
    let day = |text: Option<&str>| {
        text.map(|text| {
            text.parse::<Date>()
                .map_err(|_| AppError::new(code!("date-invalid"), "this is no day").hint("give it as YYYY-MM-DD"))
        })
        .transpose()
    };
    let (from, until) = (day(wanted.from.as_deref())?, day(wanted.until.as_deref())?);
    let everybody = wanted.everybody && caller.principal.may(Scope::Admin);
    let app = if everybody { caller.app.seeing_all() } else { caller.app };
    Ok(Json(app.cost(wanted.by, from, until).await?))
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// Everybody's: for administrators.
    #[serde(default)]
    #[garde(skip)]
    everybody: bool,
}

/// See what a liked image costs, by model
#[utoipa::path(get, path = "/costs/liked", tag = "costs", operation_id = "listLikedCosts", params(Whose),
    responses((status = 200, description = "Of your images, or of everybody's", body = LikedCostsView)))]
async fn liked(caller: Caller, Query(Whose { everybody }): Query<Whose>) -> Answer<Json<LikedCostsView>> {
    let app = if everybody && caller.principal.may(Scope::Admin) { caller.app.seeing_all() } else { caller.app };
    Ok(Json(app.liked_costs().await?))
}
