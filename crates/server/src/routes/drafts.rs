//! Replies: drafted, reviewed, exported, taken back.

use atelier_app::accounts::Scope;
use atelier_app::replies::{Decision, RepliesRequest, draft_status, label};
use atelier_app::views::{DecidedView, DraftListView, DraftView, ForecastView, JobView};
use atelier_app::{AppError, Intent, RunChange, code};
use atelier_engine::{Stop, Usd};
use atelier_replies::export::{self, ExportOptions};
use atelier_replies::generate::Selection;
use atelier_replies::review_import::ReviewImport;
use atelier_store::{DraftFilter, DraftStatus};
use axum::Json;
use axum::body::Body as RawBody;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Body, Key, Query, once, receive};
use crate::sign_in::{Access, Caller};
use crate::state::Server;

/// A file of decisions is held whole while it is read.
const LARGEST_REVIEW: u64 = 64 << 20;

pub(super) fn add(routes: Routes) -> Routes {
    let (read, write, spend) = (Access::Scope(Scope::Read), Access::Scope(Scope::Write), Access::Scope(Scope::Spend));
    routes
        .add(read, routes!(forecast))
        .add(spend, routes!(draft))
        .add(read, routes!(list))
        .add(read, routes!(show))
        .add(write, routes!(change))
        .add(write, routes!(decide))
        .add(write, routes!(export_drafts))
        .add(write, routes!(import_review))
}

/// Which posts are to be answered, and how.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct DraftRequest {
    /// The model; the project's or the configured one if none.
    #[garde(inner(length(max = 200)))]
    model: Option<String>,
    /// Posted at most so many hours ago.
    #[garde(range(min = 0.0, max = 1000000.0))]
    hours_back: f64,
    /// By an author with at least so many followers.
    #[garde(skip)]
    min_followers: u64,
    /// With at least so many likes.
    #[garde(skip)]
    min_likes: u64,
    /// With at least so many views.
    #[garde(skip)]
    min_views: u64,
    /// At most so many, the newest first.
    #[garde(range(min = 1, max = 100000))]
    max_candidates: usize,
    /// Whether the gate leaves posts out.
    #[garde(skip)]
    use_gate: bool,
    /// Whether red posts are left undrafted.
    #[garde(skip)]
    skip_low_scores: bool,
    /// Whether yellow posts are left undrafted, too.
    #[garde(skip)]
    greens_only: bool,
    /// The most that it may cost, in dollars.
    #[garde(inner(range(min = 0.0, max = 1000000.0)))]
    max_cost_usd: Option<f64>,
    /// If not empty, these posts and no others, though they were answered before.
    #[garde(length(max = 1000), inner(length(max = 200)))]
    posts: Vec<String>,
    /// What is to be done better this time.
    #[garde(inner(length(chars, max = 500)))]
    hint: Option<String>,
}

impl Default for DraftRequest {
    fn default() -> Self {
        let usual = Selection::default();
        Self {
            model: None,
            hours_back: usual.hours_back,
            min_followers: usual.min_followers,
            min_likes: usual.min_likes,
            min_views: usual.min_views,
            max_candidates: usual.max_candidates,
            use_gate: usual.use_gate,
            skip_low_scores: usual.skip_low_scores,
            greens_only: usual.greens_only,
            max_cost_usd: None,
            posts: Vec::new(),
            hint: None,
        }
    }
}

impl DraftRequest {
    fn of_project(&self, project: &str, intent: Intent) -> RepliesRequest {
        let max_cost = self.max_cost_usd.and_then(Usd::from_dollars);
        RepliesRequest {
            selection: Selection {
                projects: vec![project.to_owned()],
                hours_back: self.hours_back,
                min_followers: self.min_followers,
                min_likes: self.min_likes,
                min_views: self.min_views,
                max_candidates: self.max_candidates,
                use_gate: self.use_gate,
                skip_low_scores: self.skip_low_scores,
                greens_only: self.greens_only,
                use_saved_scores: !self.posts.is_empty(),
                posts: self.posts.clone(),
                hint: self.hint.clone(),
            },
            all_projects: false,
            embedder: "local".to_owned(),
            run: RunChange { model: self.model.clone(), max_cost, ..RunChange::default() },
            at: None,
            intent,
        }
    }
}

/// Forecast what drafting replies would take
///
/// Posts are selected, gated, compared, scored and labelled; nothing is sent or kept.
#[utoipa::path(post, path = "/projects/{name}/drafting/forecast", tag = "replies", operation_id = "forecastDrafting", request_body = DraftRequest,
    params(("name" = String, Path, description = "The project's name")), responses((status = 200, description = "What it would take", body = ForecastView)))]
async fn forecast(
    caller: Caller,
    Path(name): Path<String>,
    Body(asked): Body<DraftRequest>,
) -> Answer<Json<ForecastView>> {
    let ready = caller.app.prepare_replies(&asked.of_project(&name, Intent::Forecast), &Stop::never()).await?;
    let forecast = caller.app.forecast_replies(&ready).await?;
    Ok(Json(ready.forecast_view(&forecast)))
}

/// Draft replies
///
/// Drafts come one by one: `GET /events` tells of each.
#[utoipa::path(post, path = "/projects/{name}/drafting", tag = "replies", operation_id = "draftReplies", request_body = DraftRequest,
    params(("name" = String, Path, description = "The project's name"), ("Idempotency-Key" = String, Header, description = "New for each thing you want done; the same when you send it again")),
    responses((status = 202, description = "The job that drafts them", body = JobView)))]
async fn draft(
    caller: Caller,
    Path(name): Path<String>,
    key: Key,
    Body(asked): Body<DraftRequest>,
) -> Answer<(StatusCode, Json<JobView>)> {
    let request = asked.of_project(&name, Intent::Send);
    // Comparing posts is no part of the job: it is asked for in the caller's hands, and not the request's.
    let plain = caller.app.clone();
    let request_key = key.of("drafting", &(&name, &asked));
    let job = once(&caller.app, request_key, |app| async move {
        let mut ready = plain.prepare_replies(&request, &Stop::never()).await?;
        let submitted = app.submit_replies(&mut ready).await?;
        submitted.ok_or_else(|| {
            AppError::new(code!("empty-input"), "there is no post to draft for")
                .hint("forecast it to see where they are left out")
        })
    });
    let job = job.await?;
    Ok((StatusCode::ACCEPTED, Json(caller.app.job_view_of(&job).await?)))
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of these projects; of all that you see if none.
    #[serde(default)]
    #[garde(length(max = 50), inner(length(max = 64)))]
    project: Vec<String>,
    /// In these states.
    #[serde(default)]
    #[garde(length(max = 10), inner(length(max = 20)))]
    status: Vec<String>,
    /// Of posts with this label: `green`, `yellow` or `red`.
    #[garde(inner(length(max = 20)))]
    label: Option<String>,
    /// Of these kinds.
    #[serde(default)]
    #[garde(length(max = 20), inner(length(max = 100)))]
    kind: Vec<String>,
    /// Of this job.
    #[garde(inner(length(max = 200)))]
    job: Option<String>,
    /// Those that the filter has rejected, too.
    #[serde(default)]
    #[garde(skip)]
    filtered: bool,
    /// After which place: the `next` of the page before.
    #[garde(inner(length(max = 200)))]
    after: Option<String>,
    /// How many at most; 50 if nothing is said.
    #[garde(range(min = 1, max = 5000))]
    limit: Option<usize>,
}

/// List drafts
#[utoipa::path(get, path = "/drafts", tag = "replies", operation_id = "listDrafts", params(Wanted),
    responses((status = 200, description = "A page of them, in the order in which they were saved", body = DraftListView)))]
async fn list(caller: Caller, Query(wanted): Query<Wanted>) -> Answer<Json<DraftListView>> {
    let statuses = wanted.status.iter().map(|name| draft_status(name)).collect::<Result<Vec<_>, _>>()?;
    let filter = DraftFilter {
        projects: wanted.project,
        include_filtered: wanted.filtered || statuses.contains(&DraftStatus::Rejected),
        statuses,
        label: wanted.label.as_deref().map(label).transpose()?,
        kinds: wanted.kind,
        job: wanted.job,
        after: wanted.after.as_deref().map(str::parse).transpose()?,
        limit: wanted.limit.unwrap_or(50),
        ..DraftFilter::default()
    };
    Ok(Json(caller.app.drafts(&filter).await?))
}

/// Show a draft with its post
#[utoipa::path(get, path = "/drafts/{id}", tag = "replies", operation_id = "getDraft",
    params(("id" = String, Path, description = "Its id")), responses((status = 200, description = "The draft; its version is the ETag, too", body = DraftView)))]
async fn show(caller: Caller, Path(id): Path<String>) -> Answer<Response> {
    Ok(tagged(caller.app.draft(&id).await?))
}

fn tagged(draft: DraftView) -> Response {
    ([(header::ETAG, format!("\"{}\"", draft.version))], Json(draft)).into_response()
}

/// What changes about a draft.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct DraftChange {
    /// What it says from now on.
    #[garde(inner(length(chars, min = 1, max = 20000)))]
    text: Option<String>,
    /// `approved`, `rejected`, `posted` or `skipped`; `pending` takes a decision back.
    #[garde(inner(length(max = 20)))]
    status: Option<String>,
    /// Why it is rejected.
    #[garde(inner(length(chars, max = 500)))]
    reason: Option<String>,
}

/// Change a draft
///
/// `If-Match` names the version that you have seen: if somebody has decided about it since, nothing is overwritten.
#[utoipa::path(patch, path = "/drafts/{id}", tag = "replies", operation_id = "changeDraft", request_body = DraftChange,
    params(("id" = String, Path, description = "Its id"), ("If-Match" = Option<String>, Header, description = "The version that you have seen")),
    responses((status = 200, description = "The draft as it is now", body = DraftView)))]
async fn change(
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(change): Body<DraftChange>,
) -> Answer<Response> {
    let seen = headers.get(header::IF_MATCH).and_then(|tag| tag.to_str().ok());
    let version = seen.map(|tag| tag.trim().trim_matches('"').to_owned()).filter(|tag| tag != "*");
    let decision = decision(id.clone(), version, change)?;
    let decided = caller.app.decide(std::slice::from_ref(&decision)).await?.pop();
    match decided {
        Some(DecidedView { decided: true, draft: Some(draft), .. }) => Ok(tagged(draft)),
        Some(DecidedView { problem: Some(problem), .. }) => {
            let error = AppError::new(problem.code, problem.message);
            Err(problem.hint.map_or(error.clone(), |hint| error.hint(hint)).into())
        }
        _ => Ok(tagged(caller.app.draft(&id).await?)),
    }
}

fn decision(draft: String, version: Option<String>, change: DraftChange) -> Answer<Decision> {
    let to = change.status.as_deref().map(draft_status).transpose()?;
    if change.text.is_none() && to.is_none() {
        return Err(AppError::new(code!("nothing-to-change"), "nothing is to change").into());
    }
    Ok(Decision { draft, version, text: change.text, to, reason: change.reason })
}

/// Decisions about drafts.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decisions {
    /// Each is decided by itself.
    #[garde(length(min = 1, max = 500), dive)]
    decisions: Vec<DecisionWanted>,
}

/// A decision about a draft.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecisionWanted {
    /// The draft's id.
    #[garde(length(max = 100))]
    id: String,
    /// The version that you have seen, so that you overwrite nobody else's decision.
    #[garde(inner(length(max = 40)))]
    version: Option<String>,
    /// What it says from now on.
    #[garde(inner(length(chars, min = 1, max = 20000)))]
    text: Option<String>,
    /// `approved`, `rejected`, `posted` or `skipped`.
    #[garde(inner(length(max = 20)))]
    status: Option<String>,
    /// Why it is rejected.
    #[garde(inner(length(chars, max = 500)))]
    reason: Option<String>,
}

/// What came of decisions.
#[derive(Debug, Serialize, ToSchema)]
struct Decided {
    /// In the order in which they were sent.
    decisions: Vec<DecidedView>,
}

/// Decide about many drafts
///
/// Each by itself: one that somebody else has decided about since is told with what it is now, and not overwritten.
#[utoipa::path(post, path = "/drafts/decisions", tag = "replies", operation_id = "decideDrafts", request_body = Decisions,
    responses((status = 200, description = "What came of each", body = Decided)))]
async fn decide(caller: Caller, Body(wanted): Body<Decisions>) -> Answer<Json<Decided>> {
    let mut decisions = Vec::with_capacity(wanted.decisions.len());
    for one in wanted.decisions {
        let DecisionWanted { id, version, text, status, reason } = one;
        decisions.push(decision(id, version, DraftChange { text, status, reason })?);
    }
    Ok(Json(Decided { decisions: caller.app.decide(&decisions).await? }))
}

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExportWanted {
    /// Which of their drafts: `approved` if nothing is said.
    #[garde(inner(length(max = 20)))]
    status: Option<String>,
    /// Of posts with this label.
    #[garde(inner(length(max = 20)))]
    label: Option<String>,
    /// Posted at most so many hours ago.
    #[garde(inner(range(min = 0.0, max = 1000000.0)))]
    hours_back: Option<f64>,
    /// At most so many posts.
    #[garde(inner(range(min = 1, max = 100000)))]
    limit: Option<usize>,
}

/// Export drafts as CSV
///
/// Approved drafts are exported from then on. The file comes back by `POST /drafts/review`.
#[utoipa::path(post, path = "/projects/{name}/export", tag = "replies", operation_id = "exportDrafts", request_body = ExportWanted,
    params(("name" = String, Path, description = "The project's name")),
    responses((status = 200, description = "The file", content_type = "text/csv", body = String)))]
async fn export_drafts(caller: Caller, Path(name): Path<String>, Body(wanted): Body<ExportWanted>) -> Answer<Response> {
    caller.app.check_project(&name).await?;
    let label = wanted
        .label
        .as_deref()
        .map(|name| label(name)?.parse().map_err(|error: String| AppError::new(code!("bad-label"), error)));
    let options = ExportOptions {
        projects: vec![name.clone()],
        sort_by: export::SortBy::Balanced,
        label: label.transpose()?,
        status: draft_status(wanted.status.as_deref().unwrap_or("approved"))?,
        hours_back: wanted.hours_back,
        limit: wanted.limit,
    };
    let (store, now) = (caller.app.store()?, caller.app.clock().now());
    let mut file = Vec::new();
    export::to_writer(&store, &options, &mut file, now).await.map_err(AppError::from)?;
    let disposition =
        format!("attachment; filename=\"{}.csv\"", name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, file).into_response())
}

/// Take a file back that an export gave
///
/// The body is the file, with states and texts as somebody has changed them.
#[utoipa::path(post, path = "/drafts/review", tag = "replies", operation_id = "importReview",
    request_body(content_type = "text/csv", content = String, description = "The file"),
    responses((status = 200, description = "What changed, and what could not be taken over, line by line", body = Object)))]
async fn import_review(State(server): State<Server>, caller: Caller, body: RawBody) -> Answer<Json<ReviewImport>> {
    let received = receive(&server, body, LARGEST_REVIEW).await?;
    Ok(Json(caller.app.import_review_of(&received.content).await?))
}
