//! Projects of replies: finder.yml, posts, who sees them.

use atelier_app::accounts::Scope;
use atelier_app::replies::label;
use atelier_app::views::{FunnelView, PostListView, PostsImportView, ProjectView, ScoresView};
use axum::Json;
use axum::body::Body as RawBody;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::Routes;
use super::generations::Share;
use super::library::{Changed, Ids};
use crate::http::{Answer, Body, Query, receive};
use crate::sign_in::{Access, Caller};
use crate::state::Server;

/// A file of posts is held whole while it is read.
const LARGEST_POSTS: u64 = 64 << 20;

pub(super) fn add(routes: Routes) -> Routes {
    let (read, write) = (Access::Scope(Scope::Read), Access::Scope(Scope::Write));
    routes
        .add(read, routes!(list))
        .add(write, routes!(create))
        .add(read, routes!(show))
        .add(write, routes!(update))
        .add(write, routes!(share))
        .add(write, routes!(remove))
        .add(read, routes!(check))
        .add(read, routes!(funnel))
        .add(read, routes!(scores))
        .add(read, routes!(posts))
        .add(write, routes!(import))
        .add(write, routes!(remove_posts))
}

/// Projects.
#[derive(Debug, Serialize, ToSchema)]
struct Projects {
    /// By name.
    projects: Vec<ProjectView>,
}

/// List projects
#[utoipa::path(get, path = "/projects", tag = "replies", operation_id = "listProjects",
    responses((status = 200, description = "Yours, and those that are shared", body = Projects)))]
async fn list(caller: Caller) -> Answer<Json<Projects>> {
    Ok(Json(Projects { projects: caller.app.projects().await? }))
}

/// A project to be added.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProject {
    /// Its name.
    #[garde(length(min = 1, max = 64))]
    name: String,
    /// Its finder.yml.
    #[garde(length(max = 500000))]
    finder: String,
    /// Whether others see it.
    #[serde(default)]
    #[garde(skip)]
    shared: bool,
}

/// Add a project
#[utoipa::path(post, path = "/projects", tag = "replies", operation_id = "addProject", request_body = NewProject,
    responses((status = 201, description = "It is there", body = ProjectView)))]
async fn create(caller: Caller, Body(new): Body<NewProject>) -> Answer<(StatusCode, Json<ProjectView>)> {
    let mut project = caller.app.add_project_of(&new.name, &new.finder).await?;
    if new.shared != project.shared {
        project = caller.app.share_project(&new.name, new.shared).await?;
    }
    Ok((StatusCode::CREATED, Json(project)))
}

/// Show a project with its finder.yml
#[utoipa::path(get, path = "/projects/{name}", tag = "replies", operation_id = "getProject",
    params(("name" = String, Path, description = "Its name")), responses((status = 200, description = "The project", body = ProjectView)))]
async fn show(caller: Caller, Path(name): Path<String>) -> Answer<Json<ProjectView>> {
    Ok(Json(caller.app.project(&name).await?))
}

/// Another finder.yml.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct FinderText {
    /// Its text.
    #[garde(length(max = 500000))]
    finder: String,
}

/// Replace a project's finder.yml
#[utoipa::path(put, path = "/projects/{name}/finder", tag = "replies", operation_id = "updateProject", request_body = FinderText,
    params(("name" = String, Path, description = "Its name")), responses((status = 200, description = "The project as it is now", body = ProjectView)))]
async fn update(caller: Caller, Path(name): Path<String>, Body(file): Body<FinderText>) -> Answer<Json<ProjectView>> {
    Ok(Json(caller.app.update_project_to(&name, &file.finder).await?))
}

/// Let others see a project, or no more
#[utoipa::path(patch, path = "/projects/{name}", tag = "replies", operation_id = "shareProject", request_body = Share,
    params(("name" = String, Path, description = "Its name")), responses((status = 200, description = "The project as it is now", body = ProjectView)))]
async fn share(caller: Caller, Path(name): Path<String>, Body(share): Body<Share>) -> Answer<Json<ProjectView>> {
    Ok(Json(caller.app.share_project(&name, share.shared).await?))
}

/// Remove a project with its posts and drafts
///
/// It lies in the trash for 30 days.
#[utoipa::path(delete, path = "/projects/{name}", tag = "replies", operation_id = "removeProject",
    params(("name" = String, Path, description = "Its name")), responses((status = 204, description = "It is in the trash")))]
async fn remove(caller: Caller, Path(name): Path<String>) -> Answer<StatusCode> {
    caller.app.remove_project(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Check a finder.yml, which is kept nowhere
///
/// What is wrong with it is the answer's problem.
#[utoipa::path(post, path = "/finder/check", tag = "replies", operation_id = "checkFinder", request_body = FinderText,
    responses((status = 204, description = "It is sound")))]
async fn check(caller: Caller, Body(file): Body<FinderText>) -> Answer<StatusCode> {
    caller.app.check_finder(&file.finder)?;
    Ok(StatusCode::NO_CONTENT)
}

/// How far a project's posts have come
#[utoipa::path(get, path = "/projects/{name}/funnel", tag = "replies", operation_id = "getFunnel",
    params(("name" = String, Path, description = "Its name")), responses((status = 200, description = "How many there are at each stage", body = FunnelView)))]
async fn funnel(caller: Caller, Path(name): Path<String>) -> Answer<Json<FunnelView>> {
    Ok(Json(caller.app.funnel(&name).await?))
}

/// See how a project's posts were scored
#[utoipa::path(get, path = "/projects/{name}/scores", tag = "replies", operation_id = "getScores",
    params(("name" = String, Path, description = "Its name")), responses((status = 200, description = "How many posts have which score", body = ScoresView)))]
async fn scores(caller: Caller, Path(name): Path<String>) -> Answer<Json<ScoresView>> {
    Ok(Json(caller.app.scores(&name).await?))
}

/// Which posts, and which page of them.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PostsWanted {
    /// Those with this label: `green`, `yellow` or `red`.
    #[garde(inner(length(max = 20)))]
    label: Option<String>,
    /// After which place it begins: the `next` of the page before.
    #[garde(inner(length(max = 200)))]
    after: Option<String>,
    /// How many at most; 50 if nothing is said.
    #[garde(range(min = 1, max = 500))]
    limit: Option<usize>,
}

/// List a project's posts
#[utoipa::path(get, path = "/projects/{name}/posts", tag = "replies", operation_id = "listPosts",
    params(("name" = String, Path, description = "Its name"), PostsWanted), responses((status = 200, description = "A page of them, the newest first", body = PostListView)))]
async fn posts(
    caller: Caller,
    Path(name): Path<String>,
    Query(wanted): Query<PostsWanted>,
) -> Answer<Json<PostListView>> {
    let label = wanted.label.as_deref().map(label).transpose()?;
    let after = wanted.after.as_deref().map(str::parse).transpose()?;
    Ok(Json(caller.app.posts(&name, label.as_deref(), after, wanted.limit.unwrap_or(50)).await?))
}

/// A file of posts on its way.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Import {
    /// What the file is called: its ending says what it is.
    #[garde(inner(length(chars, min = 1, max = 255)))]
    file: Option<String>,
    /// Whether nothing is imported if a row can't be read.
    #[serde(default)]
    #[garde(skip)]
    strict: bool,
}

/// Import posts
///
/// The body is the file: CSV, JSON, JSON Lines, or what the X API gives.
#[utoipa::path(post, path = "/projects/{name}/posts", tag = "replies", operation_id = "importPosts",
    params(("name" = String, Path, description = "The project's name"), Import),
    request_body(content_type = "application/octet-stream", content = Vec<u8>, description = "The file"),
    responses((status = 200, description = "What came of it, and the rows that can't be read", body = PostsImportView)))]
async fn import(
    State(server): State<Server>,
    caller: Caller,
    Path(name): Path<String>,
    Query(wanted): Query<Import>,
    body: RawBody,
) -> Answer<Json<PostsImportView>> {
    let received = receive(&server, body, LARGEST_POSTS).await?;
    let file = wanted.file.as_deref();
    Ok(Json(caller.app.import_posts_of(file, &received.content, &name, wanted.strict, |_| {}).await?))
}

/// Remove posts with their drafts
///
/// They lie in the trash for 30 days.
#[utoipa::path(post, path = "/projects/{name}/posts/removals", tag = "replies", operation_id = "removePosts", request_body = Ids,
    params(("name" = String, Path, description = "The project's name")), responses((status = 200, description = "How many there were", body = Changed)))]
async fn remove_posts(caller: Caller, Path(name): Path<String>, Body(Ids { ids }): Body<Ids>) -> Answer<Json<Changed>> {
    caller.app.check_project(&name).await?;
    let changed = caller.app.store()?.remove_posts(&name, &ids).await?;
    Ok(Json(Changed { changed }))
}
