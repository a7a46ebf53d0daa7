//! Files of prompts: uploaded, forecast, run, their answers downloaded.

use std::fs::File;
use std::io::ErrorKind;

use atelier_app::accounts::Scope;
use atelier_app::views::{JobView, PromptsForecastView, UploadView};
use atelier_app::{AppError, Intent, PromptDefaults, RunChange, code};
use atelier_engine::Usd;
use axum::Json;
use axum::body::Body as RawBody;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Routes;
use super::uploads::Named;
use crate::http::{Answer, Body, Key, Query, once, receive, streamed};
use crate::sign_in::{Access, Caller};
use crate::state::Server;

/// A file of a million prompts.
const LARGEST: u64 = 512 << 20;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add(Access::Scope(Scope::Write), routes!(upload))
        .add(Access::Scope(Scope::Read), routes!(forecast))
        .add(Access::Scope(Scope::Spend), routes!(run))
        .add(Access::Scope(Scope::Read), routes!(answers))
}

/// Upload a file of prompts
///
/// The body is the file: JSON Lines, or CSV if its name ends so.
#[utoipa::path(post, path = "/prompts", tag = "prompts", operation_id = "uploadPrompts", params(Named),
    request_body(content_type = "application/octet-stream", content = Vec<u8>, description = "The file"),
    responses((status = 201, description = "It is kept", body = UploadView)))]
async fn upload(
    State(server): State<Server>,
    caller: Caller,
    Query(named): Query<Named>,
    body: RawBody,
) -> Answer<(StatusCode, Json<UploadView>)> {
    let received = receive(&server, body, LARGEST).await?;
    Ok((StatusCode::CREATED, Json(caller.app.upload_prompts(&named.name, received.content).await?)))
}

/// How a file of prompts is run.
#[derive(Debug, Default, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct RunWanted {
    /// The model; the configured one if none.
    #[garde(inner(length(max = 200)))]
    model: Option<String>,
    /// Instructions that go before each prompt.
    #[garde(inner(length(chars, max = 100000)))]
    system: Option<String>,
    /// How free the answers are.
    #[garde(inner(range(min = 0.0, max = 2.0)))]
    temperature: Option<f64>,
    /// The most tokens of an answer.
    #[garde(inner(range(min = 1, max = 1000000)))]
    max_output_tokens: Option<u64>,
    /// Whether answers keep the order of the prompts.
    #[garde(skip)]
    ordered: bool,
    /// The most that it may cost, in dollars.
    #[garde(inner(range(min = 0.0, max = 1000000.0)))]
    max_cost_usd: Option<f64>,
}

impl RunWanted {
    fn change(&self) -> RunChange {
        let max_cost = self.max_cost_usd.and_then(Usd::from_dollars);
        RunChange { model: self.model.clone(), max_cost, ..RunChange::default() }
    }

    fn defaults(&self) -> PromptDefaults {
        PromptDefaults {
            system: self.system.clone(),
            temperature: self.temperature,
            max_output_tokens: self.max_output_tokens,
        }
    }
}

/// Forecast what running a file of prompts would take
#[utoipa::path(post, path = "/prompts/{id}/forecast", tag = "prompts", operation_id = "forecastPrompts", request_body = RunWanted,
    params(("id" = String, Path, description = "The upload's id")), responses((status = 200, description = "What it would take", body = PromptsForecastView)))]
async fn forecast(
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<RunWanted>,
) -> Answer<Json<PromptsForecastView>> {
    let (change, defaults) = (asked.change(), asked.defaults());
    let read = caller.app.read_uploaded_prompts(&id, &change, defaults, Intent::Forecast).await?;
    Ok(Json(caller.app.forecast_prompts(&read).await?))
}

/// Run a file of prompts
///
/// `GET /jobs/{id}/answers` gives the answers, those that are there already while it runs.
#[utoipa::path(post, path = "/prompts/{id}/run", tag = "prompts", operation_id = "runPrompts", request_body = RunWanted,
    params(("id" = String, Path, description = "The upload's id"), ("Idempotency-Key" = String, Header, description = "New for each thing you want done; the same when you send it again")),
    responses((status = 202, description = "The job that runs it", body = JobView)))]
async fn run(
    caller: Caller,
    Path(id): Path<String>,
    key: Key,
    Body(asked): Body<RunWanted>,
) -> Answer<(StatusCode, Json<JobView>)> {
    let (change, defaults, ordered) = (asked.change(), asked.defaults(), asked.ordered);
    let request_key = key.of("prompts", &(&id, &asked));
    let job = once(&caller.app, request_key, |app| async move {
        let read = app.read_uploaded_prompts(&id, &change, defaults, Intent::Send).await?;
        app.submit_uploaded_prompts(read, ordered).await
    });
    let job = job.await?;
    Ok((StatusCode::ACCEPTED, Json(caller.app.job_view_of(&job).await?)))
}

/// The answers of a job of prompts
///
/// JSON Lines; those that are there already while it runs.
#[utoipa::path(get, path = "/jobs/{id}/answers", tag = "prompts", operation_id = "getAnswers",
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The file", content_type = "application/x-ndjson", body = String), (status = 206, description = "A part of it", content_type = "application/x-ndjson", body = String), (status = 304, description = "It is the one you have")))]
async fn answers(caller: Caller, Path(id): Path<String>, headers: HeaderMap) -> Answer<Response> {
    let path = caller.app.prompts_output(&id).await?;
    let file = match File::open(path) {
        // Nothing was answered yet.
        Err(error) if error.kind() == ErrorKind::NotFound => tempfile::tempfile(),
        opened => opened,
    };
    let unreadable = |error| AppError::new(code!("output-unwritable"), format!("the answers can't be read: {error}"));
    let answer = streamed(&headers, file.map_err(unreadable)?, "jsonl", &format!("{id}.jsonl")).await;
    Ok(answer.map_err(unreadable)?)
}
