//! Generations: previewed, planned, made, tried again, given up.

use atelier_app::accounts::Scope;
use atelier_app::images::{Classify, MakeImages, choice, sides, size};
use atelier_app::views::{GenerationRunView, GenerationView, ImagesForecastView, PlanView};
use atelier_app::{App, AppError, code};
use atelier_engine::Usd;
use atelier_store::Preference;
use atelier_studio::generate::{Camera, GenerationRequest, Mode, Plan, SideRequest, Which};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Body, Key, once};
use crate::sign_in::{Access, Caller};
use crate::state::Server;

pub(super) fn add(routes: Routes) -> Routes {
    let (read, write, spend) = (Access::Scope(Scope::Read), Access::Scope(Scope::Write), Access::Scope(Scope::Spend));
    routes
        .add(read, routes!(preview))
        .add(write, routes!(plan))
        .add(spend, routes!(make))
        .add(read, routes!(show))
        .add(read, routes!(progress))
        .add(write, routes!(share))
        .add(write, routes!(prefer))
        .add(spend, routes!(again))
        .add(spend, routes!(retry))
        .add(write, routes!(cancel))
}

/// What is to be made.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MakeRequest {
    /// What is to be seen.
    #[garde(length(chars, min = 1, max = 20000))]
    prompt: String,
    /// The project that it is for.
    #[serde(default = "studio")]
    #[garde(length(chars, min = 1, max = 64))]
    project: String,
    /// How many images on each side.
    #[serde(default = "four")]
    #[garde(range(min = 1, max = 8))]
    count: u32,
    /// The first side, and perhaps another to compare it with.
    #[garde(length(min = 1, max = 2), dive)]
    sides: Vec<Side>,
    /// Your own picks, in the order in which they are sent.
    #[serde(default)]
    #[garde(length(max = 14), dive)]
    references: Vec<PickWanted>,
    /// The collection that references are drawn from; all of the library if none.
    #[garde(inner(length(max = 200)))]
    collection: Option<String>,
    /// The category of tone, if you set it.
    #[garde(inner(length(max = 200)))]
    category: Option<String>,
    /// Camera, lens and light, by the names of presets.
    #[serde(default)]
    #[garde(skip)]
    camera: Camera,
    /// Colours, such as `#a0c4ff`.
    #[serde(default)]
    #[garde(length(max = 12), inner(length(max = 9)))]
    palette: Vec<String>,
    /// `1536x1024`, or a shape such as `3:2`; a square if nothing is said.
    #[serde(default = "square")]
    #[garde(length(max = 20))]
    size: String,
    /// The seed of the images; drawn if none.
    #[garde(inner(range(max = 2147483647)))]
    seed: Option<u32>,
    /// The seed of the choice of references; that of the images if none.
    #[garde(inner(range(max = 2147483647)))]
    reference_seed: Option<u32>,
}

fn studio() -> String {
    "studio".to_owned()
}

const fn four() -> u32 {
    4
}

fn square() -> String {
    "1:1".to_owned()
}

/// A side: who makes it, and how references are chosen.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Side {
    /// The model; the configured one if none.
    #[garde(inner(length(max = 200)))]
    model: Option<String>,
    /// How references are used.
    #[serde(default)]
    #[garde(skip)]
    references: Mode,
    /// The tone reference: `off`, an image of the library, or drawn if nothing is said.
    #[garde(inner(length(max = 200)))]
    tone: Option<String>,
    /// The angle reference: `off`, an image of the library, or drawn if nothing is said.
    #[garde(inner(length(max = 200)))]
    angle: Option<String>,
}

/// A picture that is to be used: one of these.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PickWanted {
    /// An image of the library.
    #[garde(inner(length(max = 200)))]
    pub(super) image: Option<String>,
    /// An image that was made.
    #[garde(inner(length(max = 200)))]
    pub(super) made: Option<String>,
    /// A picture that you uploaded.
    #[garde(inner(length(max = 200)))]
    pub(super) upload: Option<String>,
}

/// What is wanted, as the studio takes it. Every id is looked up in the caller's hands.
async fn wanted(app: &App, wanted: &MakeRequest) -> Answer<GenerationRequest> {
    let mut picks = Vec::with_capacity(wanted.references.len());
    for pick in &wanted.references {
        picks.push(app.pick_of(pick.image.as_deref(), pick.made.as_deref(), pick.upload.as_deref()).await?);
    }
    let mut requested = Vec::with_capacity(wanted.sides.len());
    for side in &wanted.sides {
        requested.push(SideRequest {
            model: app.image_model(side.model.as_deref())?,
            mode: side.references,
            tone: choice(side.tone.as_deref()),
            angle: choice(side.angle.as_deref()),
        });
    }
    Ok(GenerationRequest {
        prompt: wanted.prompt.clone(),
        project: wanted.project.clone(),
        count: wanted.count,
        sides: requested,
        picks,
        collection: wanted.collection.clone(),
        category: wanted.category.clone(),
        camera: wanted.camera.clone(),
        palette: wanted.palette.iter().map(|color| color.trim().to_owned()).collect(),
        size: size(&wanted.size)?,
        seed: wanted.seed.map(u64::from),
        reference_seed: wanted.reference_seed.map(u64::from),
    })
}

/// What would be sent, and what that would take.
#[derive(Debug, Serialize, ToSchema)]
struct PreviewView {
    /// What would be sent, whole.
    plan: Plan,
    /// What that would take.
    forecast: ImagesForecastView,
}

/// Preview what would be sent
///
/// Nothing is sent, kept or paid for: quick enough to follow typing.
#[utoipa::path(post, path = "/generations/preview", tag = "generations", operation_id = "previewGeneration", request_body = MakeRequest,
    responses((status = 200, description = "What would be sent, and what that would take", body = PreviewView)))]
async fn preview(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<MakeRequest>,
) -> Answer<Json<PreviewView>> {
    let _turn = server.questions.acquire().await;
    let request = wanted(&caller.app, &asked).await?;
    let (plan, forecast) = caller.app.preview_images(&request).await?;
    Ok(Json(PreviewView { plan, forecast }))
}

/// Keep what would be sent as a plan
///
/// It is made byte for byte by `POST /generations` with its id.
#[utoipa::path(post, path = "/plans", tag = "generations", operation_id = "keepPlan", request_body = MakeRequest,
    responses((status = 201, description = "The plan, and what it would take", body = PlanView)))]
async fn plan(caller: Caller, Body(asked): Body<MakeRequest>) -> Answer<(StatusCode, Json<PlanView>)> {
    let request = wanted(&caller.app, &asked).await?;
    let kept = caller.app.plan_images(&request, &Classify::No, &Default::default()).await?;
    let forecast = caller.app.forecast_images(&kept.plan, &Default::default()).await?;
    Ok((StatusCode::CREATED, Json(PlanView { plan: kept.id, content: kept.plan, forecast })))
}

/// What is to be made: a plan that was kept, or what is wanted.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Make {
    /// The id of a plan that was kept.
    #[garde(inner(length(max = 200)))]
    plan: Option<String>,
    /// What is wanted.
    #[garde(dive)]
    request: Option<MakeRequest>,
    /// The most that it may cost, in dollars.
    #[garde(inner(range(min = 0.0, max = 1000000.0)))]
    max_cost_usd: Option<f64>,
}

/// Make images
///
/// The images come one by one: `GET /events` tells of each.
#[utoipa::path(post, path = "/generations", tag = "generations", operation_id = "makeImages", request_body = Make,
    params(("Idempotency-Key" = String, Header, description = "New for each thing you want done; the same when you send it again")),
    responses((status = 202, description = "It is being made", body = GenerationView)))]
async fn make(caller: Caller, key: Key, Body(asked): Body<Make>) -> Answer<(StatusCode, Json<GenerationView>)> {
    let make = making(asked.max_cost_usd);
    let request = match (&asked.plan, &asked.request) {
        (Some(_), None) => None,
        (None, Some(request)) => Some(wanted(&caller.app, request).await?),
        _ => return Err(plan_or_request().into()),
    };
    let plan = asked.plan.clone();
    let request_key = key.of("generations", &asked);
    let job = once(&caller.app, request_key, |app| async move {
        match (plan, request) {
            (Some(plan), _) => app.submit_images(&plan, &make).await,
            (None, Some(request)) => app.make_images(&request, &make).await,
            (None, None) => Err(plan_or_request()),
        }
    });
    let job = job.await?;
    Ok((StatusCode::ACCEPTED, Json(caller.app.generation(&job).await?)))
}

fn plan_or_request() -> AppError {
    AppError::new(code!("request-invalid"), "name a plan that was kept, or say what is wanted: one of the two")
}

/// How images are made: somebody waits for them.
pub(super) fn making(max_cost_usd: Option<f64>) -> MakeImages {
    let max_cost = max_cost_usd.and_then(Usd::from_dollars);
    let run = atelier_app::RunChange { max_cost, interactive: true, ..Default::default() };
    MakeImages { run, ..MakeImages::default() }
}

/// Show a generation
#[utoipa::path(get, path = "/generations/{id}", tag = "generations", operation_id = "getGeneration",
    params(("id" = String, Path, description = "Its id")), responses((status = 200, description = "Its plan and its images", body = GenerationView)))]
async fn show(caller: Caller, Path(id): Path<String>) -> Answer<Json<GenerationView>> {
    Ok(Json(caller.app.generation(&id).await?))
}

/// Show what has come of a generation
#[utoipa::path(get, path = "/generations/{id}/progress", tag = "generations", operation_id = "getGenerationProgress",
    params(("id" = String, Path, description = "Its id")), responses((status = 200, description = "Its images by state", body = GenerationRunView)))]
async fn progress(caller: Caller, Path(id): Path<String>) -> Answer<Json<GenerationRunView>> {
    caller.app.generation(&id).await?;
    Ok(Json(caller.app.generation_run(&id).await?))
}

/// Who may look.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Share {
    /// Whether others may look at it.
    #[garde(skip)]
    pub(super) shared: bool,
}

/// Let others look at a generation, or no more
#[utoipa::path(patch, path = "/generations/{id}", tag = "generations", operation_id = "shareGeneration", request_body = Share,
    params(("id" = String, Path, description = "Its id")), responses((status = 204, description = "Done")))]
async fn share(caller: Caller, Path(id): Path<String>, Body(Share { shared }): Body<Share>) -> Answer<StatusCode> {
    caller.app.share_generation(&id, shared).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which image of a pair is preferred.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PreferenceWanted {
    /// The pair: the images of this place on either side, from 1.
    #[garde(range(min = 1, max = 8))]
    place: u32,
    /// `a` or `b`; neither if nothing is said.
    #[garde(inner(length(max = 10)))]
    side: Option<String>,
    /// Whether the sides were hidden until then.
    #[serde(default)]
    #[garde(skip)]
    blind: bool,
}

/// Say which image of a pair you prefer
#[utoipa::path(put, path = "/generations/{id}/preference", tag = "generations", operation_id = "preferImage", request_body = PreferenceWanted,
    params(("id" = String, Path, description = "Its id")), responses((status = 204, description = "Noted, in the place of what you said before")))]
async fn prefer(caller: Caller, Path(id): Path<String>, Body(said): Body<PreferenceWanted>) -> Answer<StatusCode> {
    let preference = Preference { place: said.place, side: said.side, blind: said.blind };
    caller.app.prefer(&id, &preference).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How a generation is made again.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Again {
    /// The seed of the images; drawn if none.
    #[garde(inner(range(max = 2147483647)))]
    seed: Option<u32>,
    /// The most that it may cost, in dollars.
    #[garde(inner(range(min = 0.0, max = 1000000.0)))]
    max_cost_usd: Option<f64>,
}

/// Make the same once more
///
/// With the same references and prompts, and other seeds.
#[utoipa::path(post, path = "/generations/{id}/again", tag = "generations", operation_id = "makeAgain", request_body = Again,
    params(("id" = String, Path, description = "Its id"), ("Idempotency-Key" = String, Header, description = "New for each thing you want done")),
    responses((status = 202, description = "It is being made", body = GenerationView)))]
async fn again(
    caller: Caller,
    Path(id): Path<String>,
    key: Key,
    Body(asked): Body<Again>,
) -> Answer<(StatusCode, Json<GenerationView>)> {
    let (make, seed) = (making(asked.max_cost_usd), asked.seed.map(u64::from));
    let request_key = key.of("again", &(&id, &asked));
    let job = once(&caller.app, request_key, |app| async move { app.make_again(&id, seed, &make).await });
    let job = job.await?;
    Ok((StatusCode::ACCEPTED, Json(caller.app.generation(&job).await?)))
}

/// What is tried again.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Retry {
    /// One image; all that were blocked, failed or given up if none is named.
    #[garde(inner(length(max = 200)))]
    image: Option<String>,
    /// One side: `a` or `b`.
    #[garde(inner(length(max = 10)))]
    side: Option<String>,
    /// Another prompt for them.
    #[garde(inner(length(chars, min = 1, max = 20000)))]
    prompt: Option<String>,
    /// The most that the whole may cost, in dollars.
    #[garde(inner(range(min = 0.0, max = 1000000.0)))]
    max_cost_usd: Option<f64>,
}

/// Try images again that were blocked, failed or given up
#[utoipa::path(post, path = "/generations/{id}/retry", tag = "generations", operation_id = "retryImages", request_body = Retry,
    params(("id" = String, Path, description = "Its id"), ("Idempotency-Key" = String, Header, description = "New for each thing you want done")),
    responses((status = 202, description = "They are being made", body = GenerationView)))]
async fn retry(
    caller: Caller,
    Path(id): Path<String>,
    key: Key,
    Body(asked): Body<Retry>,
) -> Answer<(StatusCode, Json<GenerationView>)> {
    caller.app.own_generation(&id).await?;
    let which = match (&asked.image, &asked.side) {
        (Some(image), None) => {
            caller.app.own_image(image).await?;
            Which::One(image.clone())
        }
        (None, Some(side)) => Which::Side(side.clone()),
        (None, None) => Which::All,
        (Some(_), Some(_)) => {
            return Err(AppError::new(code!("side-of-image"), "an image has no sides: name one or the other").into());
        }
    };
    let (make, prompt, generation) = (making(asked.max_cost_usd), asked.prompt.clone(), id.clone());
    let request_key = key.of("retry", &(&id, &asked));
    let job = once(&caller.app, request_key, |app| async move {
        let tried = app.retry_images(&generation, &which, prompt.as_deref(), &make).await?;
        tried
            .map(|(job, _)| job)
            .ok_or_else(|| AppError::new(code!("nothing-to-change"), "no image there was blocked, failed or given up"))
    });
    job.await?;
    Ok((StatusCode::ACCEPTED, Json(caller.app.generation(&id).await?)))
}

/// Give up what is not made yet
///
/// What came stays.
#[utoipa::path(post, path = "/generations/{id}/cancel", tag = "generations", operation_id = "cancelGeneration",
    params(("id" = String, Path, description = "Its id")), responses((status = 202, description = "It is being given up", body = GenerationView)))]
async fn cancel(caller: Caller, Path(id): Path<String>) -> Answer<(StatusCode, Json<GenerationView>)> {
    caller.app.want_generation_cancelled(&id).await?;
    Ok((StatusCode::ACCEPTED, Json(caller.app.generation(&id).await?)))
}

/// Two sides of one request, for edits.
pub(super) fn both_sides(model: String, other: Option<String>) -> Vec<SideRequest> {
    let first = SideRequest { model, mode: Mode::Off, tone: Default::default(), angle: Default::default() };
    sides(first, other, None)
}
