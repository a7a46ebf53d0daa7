//! Edits: a picture changed inside a mask, and nowhere else.

use atelier_app::accounts::Scope;
use atelier_app::views::GenerationView;
use atelier_studio::generate::{EditRequest, GenerationRequest};
use axum::Json;
use axum::http::StatusCode;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Routes;
use super::generations::{PickWanted, both_sides, making};
use crate::http::{Answer, Body, Key, once};
use crate::sign_in::{Access, Caller};

pub(super) fn add(routes: Routes) -> Routes {
    routes.add(Access::Scope(Scope::Spend), routes!(edit))
}

/// What is to be changed, and how.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditWanted {
    /// What is to be seen there.
    #[garde(length(chars, min = 1, max = 20000))]
    prompt: String,
    /// The picture that is changed.
    #[garde(dive)]
    picture: PickWanted,
    /// The upload of the mask: a picture of the same shape that says where, by transparency or, without any, by white.
    #[garde(length(max = 200))]
    mask: String,
    /// A picture of what is to be put in.
    #[garde(dive)]
    replacement: Option<PickWanted>,
    /// Whether the model may change all of it, and not only what the mask says.
    #[serde(default)]
    #[garde(skip)]
    whole: bool,
    /// How many images on each side.
    #[serde(default = "one")]
    #[garde(range(min = 1, max = 8))]
    count: u32,
    /// The model; the configured one if none.
    #[garde(inner(length(max = 200)))]
    model: Option<String>,
    /// Another model to compare it with.
    #[garde(inner(length(max = 200)))]
    compare: Option<String>,
    /// The most that it may cost, in dollars.
    #[garde(inner(range(min = 0.0, max = 1000000.0)))]
    max_cost_usd: Option<f64>,
}

const fn one() -> u32 {
    1
}

/// Change a picture
///
/// Nothing outside the mask changes, whatever the model returns, unless `whole` says so.
#[utoipa::path(post, path = "/edits", tag = "generations", operation_id = "editPicture", request_body = EditWanted,
    params(("Idempotency-Key" = String, Header, description = "New for each thing you want done; the same when you send it again")),
    responses((status = 202, description = "It is being made", body = GenerationView)))]
async fn edit(caller: Caller, key: Key, Body(asked): Body<EditWanted>) -> Answer<(StatusCode, Json<GenerationView>)> {
    let app = &caller.app;
    let picture = &asked.picture;
    let named = app.picture_of(picture.image.as_deref(), picture.made.as_deref(), picture.upload.as_deref()).await?;
    let mask = app.upload_content(&asked.mask).await?.1;
    let replacement = match &asked.replacement {
        Some(pick) => Some(app.pick_of(pick.image.as_deref(), pick.made.as_deref(), pick.upload.as_deref()).await?),
        None => None,
    };
    let edit = EditRequest {
        of: picture.made.clone(),
        name: named.name,
        whole: asked.whole,
        picture: named.content,
        mask,
        replacement,
    };
    let request = GenerationRequest {
        prompt: asked.prompt.clone(),
        project: "studio".to_owned(),
        count: asked.count,
        sides: both_sides(app.image_model(asked.model.as_deref())?, asked.compare.clone()),
        picks: Vec::new(),
        collection: None,
        category: None,
        camera: Default::default(),
        palette: Vec::new(),
        size: (1024, 1024),
        seed: None,
        reference_seed: None,
    };
    let make = making(asked.max_cost_usd);
    let request_key = key.of("edits", &asked);
    let job = once(app, request_key, |app| async move { app.make_edit(&request, &edit, &make).await });
    let job = job.await?;
    Ok((StatusCode::ACCEPTED, Json(caller.app.generation(&job).await?)))
}
