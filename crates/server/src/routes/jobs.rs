//! Jobs of any kind: shown, paused, resumed, given up, tried again.

use atelier_app::RunChange;
use atelier_app::accounts::{Role, Scope};
use atelier_app::views::{JobDetailView, JobListView, JobView};
use atelier_engine::Usd;
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Body, Query};
use crate::sign_in::{Access, Caller};

pub(super) fn add(routes: Routes) -> Routes {
    let (read, write, spend) = (Access::Scope(Scope::Read), Access::Scope(Scope::Write), Access::Scope(Scope::Spend));
    routes
        .add(read, routes!(list))
        .add(read, routes!(show))
        .add(write, routes!(pause))
        .add(spend, routes!(resume))
        .add(write, routes!(cancel))
        .add(spend, routes!(retry))
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Everybody's: for administrators, who see what jobs use and cost, and not what is in them.
    #[serde(default)]
    #[garde(skip)]
    everybody: bool,
    /// After which place: the `next` of the page before.
    #[garde(inner(length(max = 200)))]
    after: Option<String>,
    /// How many at most; 50 if nothing is said.
    #[garde(range(min = 1, max = 500))]
    limit: Option<usize>,
}

/// List jobs
#[utoipa::path(get, path = "/jobs", tag = "jobs", operation_id = "listJobs", params(Wanted),
    responses((status = 200, description = "A page of them, the newest first", body = JobListView)))]
async fn list(caller: Caller, Query(wanted): Query<Wanted>) -> Answer<Json<JobListView>> {
    let after = wanted.after.as_deref().map(str::parse).transpose()?;
    let limit = wanted.limit.unwrap_or(50);
    let everybody = wanted.everybody && caller.principal.may(Scope::Admin) && caller.principal.user.role == Role::Admin;
    let app = if everybody { caller.app.owned_by(&caller.principal.user.id).seeing_all() } else { caller.app };
    Ok(Json(app.jobs(after, limit).await?))
}

/// Show a job
#[utoipa::path(get, path = "/jobs/{id}", tag = "jobs", operation_id = "getJob",
    params(("id" = String, Path, description = "Its id")), responses((status = 200, description = "The job, with what it was submitted with", body = JobDetailView)))]
async fn show(caller: Caller, Path(id): Path<String>) -> Answer<Json<JobDetailView>> {
    Ok(Json(caller.app.job_detail(&id).await?))
}

/// Pause a job
///
/// What is in flight is finished and kept; nothing more is asked for until it is resumed.
#[utoipa::path(post, path = "/jobs/{id}/pause", tag = "jobs", operation_id = "pauseJob",
    params(("id" = String, Path, description = "Its id")), responses((status = 202, description = "It is being paused", body = JobView)))]
async fn pause(caller: Caller, Path(id): Path<String>) -> Answer<(StatusCode, Json<JobView>)> {
    Ok((StatusCode::ACCEPTED, Json(caller.app.pause_job(&id).await?)))
}

/// How a job goes on.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Resume {
    /// The most that the whole job may cost from now on, in dollars.
    #[garde(inner(range(min = 0.0, max = 1000000.0)))]
    max_cost_usd: Option<f64>,
}

/// Resume a job
#[utoipa::path(post, path = "/jobs/{id}/resume", tag = "jobs", operation_id = "resumeJob", request_body = Resume,
    params(("id" = String, Path, description = "Its id")), responses((status = 202, description = "It goes on", body = JobView)))]
async fn resume(
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<Resume>,
) -> Answer<(StatusCode, Json<JobView>)> {
    let max_cost = asked.max_cost_usd.and_then(Usd::from_dollars);
    let change = RunChange { max_cost, ..RunChange::default() };
    Ok((StatusCode::ACCEPTED, Json(caller.app.resume_job(&id, &change).await?)))
}

/// Give a job up
///
/// What was answered is kept.
#[utoipa::path(post, path = "/jobs/{id}/cancel", tag = "jobs", operation_id = "cancelJob",
    params(("id" = String, Path, description = "Its id")), responses((status = 202, description = "It is being given up", body = JobView)))]
async fn cancel(caller: Caller, Path(id): Path<String>) -> Answer<(StatusCode, Json<JobView>)> {
    Ok((StatusCode::ACCEPTED, Json(caller.app.want_job_cancelled(&id).await?)))
}

/// What is tried again.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct RetryJob {
    /// Whether what the provider refused is asked for again, too.
    #[garde(skip)]
    blocked: bool,
}

/// What came of trying again.
#[derive(Debug, Serialize, ToSchema)]
struct RetriedView {
    /// Items that are asked for again.
    items: u64,
    /// The job.
    job: JobView,
}

/// Try again what failed
#[utoipa::path(post, path = "/jobs/{id}/retry", tag = "jobs", operation_id = "retryJob", request_body = RetryJob,
    params(("id" = String, Path, description = "Its id")), responses((status = 202, description = "It goes on with what failed", body = RetriedView)))]
async fn retry(
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<RetryJob>,
) -> Answer<(StatusCode, Json<RetriedView>)> {
    let (retried, job) = caller.app.retry_job(&id, asked.blocked).await?;
    Ok((StatusCode::ACCEPTED, Json(RetriedView { items: retried.0, job })))
}
