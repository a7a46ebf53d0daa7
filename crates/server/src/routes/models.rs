//! Models and what they cost; presets.

use std::collections::BTreeMap;

use atelier_app::accounts::Scope;
use atelier_app::views::{ModelListView, PriceListView};
use axum::Json;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Query};
use crate::sign_in::{Access, Caller};

pub(super) fn add(routes: Routes) -> Routes {
    let read = Access::Scope(Scope::Read);
    routes.add(read, routes!(models)).add(read, routes!(prices)).add(read, routes!(presets))
}

/// List models
///
/// Those that there are prices or a configuration for, and whether a key is there for each.
#[utoipa::path(get, path = "/models", tag = "models", operation_id = "listModels",
    responses((status = 200, description = "The models", body = ModelListView)))]
async fn models(caller: Caller) -> Answer<Json<ModelListView>> {
    Ok(Json(caller.app.models().await?))
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of this model; of all if none.
    #[garde(inner(length(max = 200)))]
    model: Option<String>,
}

/// List prices
#[utoipa::path(get, path = "/prices", tag = "models", operation_id = "listPrices", params(Wanted),
    responses((status = 200, description = "A row for each price of each model", body = PriceListView)))]
async fn prices(caller: Caller, Query(wanted): Query<Wanted>) -> Answer<Json<PriceListView>> {
    Ok(Json(caller.app.price_list(wanted.model.as_deref())?))
}

/// A preset of a camera.
#[derive(Debug, Serialize, ToSchema)]
struct PresetView {
    /// What a user calls it.
    name: String,
    /// What the prompt says of it.
    words: String,
}

/// Presets by kind.
#[derive(Debug, Serialize, ToSchema)]
struct PresetsView {
    /// `shot`, `view`, `lens` and `light`.
    presets: BTreeMap<String, Vec<PresetView>>,
    /// Categories of tone, each with what it is like.
    categories: BTreeMap<String, String>,
}

/// List presets
#[utoipa::path(get, path = "/presets", tag = "models", operation_id = "listPresets",
    responses((status = 200, description = "Presets of camera, lens and light, and categories of tone", body = PresetsView)))]
async fn presets(caller: Caller) -> Answer<Json<PresetsView>> {
    let (presets, categories) = caller.app.presets()?;
    let view = |(kind, presets): (String, Vec<(String, String)>)| {
        (kind, presets.into_iter().map(|(name, words)| PresetView { name, words }).collect())
    };
    Ok(Json(PresetsView { presets: presets.into_iter().map(view).collect(), categories }))
}
