//! Images that were made: listed, shown, liked, noted on, taken into the library, deleted.

use atelier_app::accounts::Scope;
use atelier_app::views::{GeneratedImageListView, GeneratedImageView, PromotedView};
use atelier_app::{AppError, AppResult, code};
use atelier_engine::Timestamp;
use atelier_store::{GeneratedFilter, GeneratedState};
use atelier_studio::generate::extension;
use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::Routes;
use super::library::{Changed, Download, Ids, ThumbnailWanted, zipped};
use crate::http::{Answer, Body, Downloads, Query, picture};
use crate::sign_in::{Access, Caller};

pub(super) fn add(routes: Routes) -> Routes {
    let (read, write) = (Access::Scope(Scope::Read), Access::Scope(Scope::Write));
    routes
        .add(read, routes!(list))
        .add(read, routes!(show))
        .add(read, routes!(file))
        .add(read, routes!(thumbnail))
        .add(read, routes!(beside))
        .add(write, routes!(change))
        .add(write, routes!(promote))
        .add(read, routes!(export))
        .add(write, routes!(delete))
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Whose prompt has all of these words in it.
    #[serde(default)]
    #[garde(length(max = 20), inner(length(max = 200)))]
    word: Vec<String>,
    /// By this model.
    #[garde(inner(length(max = 200)))]
    model: Option<String>,
    /// For this project.
    #[garde(inner(length(max = 200)))]
    project: Option<String>,
    /// Of this generation.
    #[garde(inner(length(max = 200)))]
    generation: Option<String>,
    /// Liked ones only.
    #[serde(default)]
    #[garde(skip)]
    liked: bool,
    /// Others' that they share, too.
    #[serde(default)]
    #[garde(skip)]
    shared: bool,
    /// `pending`, `done`, `blocked`, `failed` or `cancelled`.
    #[garde(inner(length(max = 20)))]
    state: Option<String>,
    /// Asked for at this moment or later, such as `2026-11-01T00:00:00Z`.
    #[garde(inner(length(max = 40)))]
    from: Option<String>,
    /// Asked for before this moment.
    #[garde(inner(length(max = 40)))]
    before: Option<String>,
    /// After which place: the `next` of the page before.
    #[garde(inner(length(max = 200)))]
    after: Option<String>,
    /// How many at most; 50 if nothing is said.
    #[garde(range(min = 1, max = 500))]
    limit: Option<usize>,
}

/// List images that were made
#[utoipa::path(get, path = "/images", tag = "images", operation_id = "listMadeImages", params(Wanted),
    responses((status = 200, description = "A page of them, the newest first", body = GeneratedImageListView)))]
async fn list(caller: Caller, Query(wanted): Query<Wanted>) -> Answer<Json<GeneratedImageListView>> {
    let state = wanted.state.as_deref().map(|name| {
        GeneratedState::from_name(name).map_err(|_| {
            AppError::new(code!("bad-status"), "there is no such state of an image")
                .hint("write pending, done, blocked, failed or cancelled")
        })
    });
    let filter = GeneratedFilter {
        words: wanted.word,
        model: wanted.model,
        project: wanted.project,
        generation: wanted.generation,
        liked: wanted.liked,
        shared: wanted.shared,
        state: state.transpose()?,
        from: moment(wanted.from.as_deref())?,
        before: moment(wanted.before.as_deref())?,
    };
    let after = wanted.after.as_deref().map(str::parse).transpose()?;
    Ok(Json(caller.app.generated_images(&filter, after.as_ref(), wanted.limit.unwrap_or(50)).await?))
}

fn moment(text: Option<&str>) -> AppResult<Option<Timestamp>> {
    let read = |text: &str| {
        let moment: jiff::Timestamp = text.parse().map_err(|_| {
            AppError::new(code!("date-invalid"), "this is no moment").hint("give it as 2026-11-01T00:00:00Z")
        })?;
        Ok(Timestamp::from_micros(moment.as_microsecond()))
    };
    text.map(read).transpose()
}

/// Show an image that was made
#[utoipa::path(get, path = "/images/{id}", tag = "images", operation_id = "getMadeImage",
    params(("id" = String, Path, description = "Its id")), responses((status = 200, description = "All that is known of it", body = GeneratedImageView)))]
async fn show(caller: Caller, Path(id): Path<String>) -> Answer<Json<GeneratedImageView>> {
    Ok(Json(caller.app.made_image(&id).await?))
}

/// The file of an image that was made
#[utoipa::path(get, path = "/images/{id}/file", tag = "images", operation_id = "getMadeFile",
    params(("id" = String, Path, description = "Its id"), Download),
    responses((status = 200, description = "The file, with how it came about in it", content_type = "*/*", body = Vec<u8>), (status = 206, description = "A part of it", content_type = "*/*", body = Vec<u8>), (status = 304, description = "It is the one you have")))]
async fn file(
    caller: Caller,
    Path(id): Path<String>,
    Query(Download { download }): Query<Download>,
    headers: HeaderMap,
) -> Answer<Response> {
    let studio = caller.app.studio()?;
    let image = studio.image(&id).await?;
    let (result, content) = studio.file(&image).await?;
    let name = format!("{id}.{}", extension(&result.format));
    let how = if download { Downloads::Kept(&name) } else { Downloads::Shown };
    Ok(picture(&headers, &result.format, &result.hash, content, &how))
}

/// The thumbnail of an image that was made, in WebP
#[utoipa::path(get, path = "/images/{id}/thumbnail", tag = "images", operation_id = "getMadeThumbnail",
    params(("id" = String, Path, description = "Its id"), ThumbnailWanted),
    responses((status = 200, description = "The thumbnail", content_type = "image/webp", body = Vec<u8>), (status = 206, description = "A part of it", content_type = "image/webp", body = Vec<u8>), (status = 304, description = "It is the one you have")))]
async fn thumbnail(
    caller: Caller,
    Path(id): Path<String>,
    Query(wanted): Query<ThumbnailWanted>,
    headers: HeaderMap,
) -> Answer<Response> {
    let studio = caller.app.studio()?;
    let image = studio.image(&id).await?;
    let size = wanted.size();
    let content = studio.thumbnail(&image, size).await?;
    let hash = image.result.map(|result| result.hash).unwrap_or_default();
    Ok(picture(&headers, "webp", &format!("{hash}-{}", size.long_side()), content, &Downloads::Shown))
}

/// An edit and what it was made of beside each other, in PNG
#[utoipa::path(get, path = "/images/{id}/beside", tag = "images", operation_id = "getBeside",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The picture before, and after", content_type = "image/png", body = Vec<u8>), (status = 206, description = "A part of it", content_type = "image/png", body = Vec<u8>), (status = 304, description = "It is the one you have")))]
async fn beside(caller: Caller, Path(id): Path<String>, headers: HeaderMap) -> Answer<Response> {
    let studio = caller.app.studio()?;
    let image = studio.image(&id).await?;
    let content = studio.beside(&image).await?;
    let hash = image.result.map(|result| result.hash).unwrap_or_default();
    Ok(picture(&headers, "png", &format!("{hash}-beside"), content, &Downloads::Shown))
}

/// What somebody thinks of an image.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Opinion {
    /// Whether they like it.
    #[garde(skip)]
    liked: Option<bool>,
    /// What they note; an empty note takes it away.
    #[garde(inner(length(chars, max = 2000)))]
    note: Option<String>,
}

/// Like an image, or note something on it
#[utoipa::path(patch, path = "/images/{id}", tag = "images", operation_id = "changeMadeImage", request_body = Opinion,
    params(("id" = String, Path, description = "Its id")), responses((status = 200, description = "As it is now", body = GeneratedImageView)))]
async fn change(
    caller: Caller,
    Path(id): Path<String>,
    Body(opinion): Body<Opinion>,
) -> Answer<Json<GeneratedImageView>> {
    caller.app.own_image(&id).await?;
    if let Some(liked) = opinion.liked {
        caller.app.like_images(std::slice::from_ref(&id), liked).await?;
    }
    if let Some(note) = &opinion.note {
        caller.app.note_image(&id, Some(note.trim()).filter(|note| !note.is_empty())).await?;
    }
    Ok(Json(caller.app.made_image(&id).await?))
}

/// Images that go into the library.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Promote {
    /// Which.
    #[garde(length(min = 1, max = 100), inner(length(max = 200)))]
    ids: Vec<String>,
    /// Collections that they go into; those that do not exist are made.
    #[serde(default)]
    #[garde(length(max = 20), inner(length(max = 200)))]
    collections: Vec<String>,
}

/// What images have become in the library.
#[derive(Debug, Serialize, ToSchema)]
struct Promoted {
    /// Each with its image of the library.
    promoted: Vec<PromotedView>,
}

/// Take images into the library
///
/// Everybody sees them there.
#[utoipa::path(post, path = "/images/promotions", tag = "images", operation_id = "promoteImages", request_body = Promote,
    responses((status = 200, description = "They are in the library", body = Promoted)))]
async fn promote(caller: Caller, Body(wanted): Body<Promote>) -> Answer<Json<Promoted>> {
    for id in &wanted.ids {
        caller.app.own_image(id).await?;
    }
    let promoted = caller.app.promote_images(&wanted.ids, &wanted.collections).await?;
    Ok(Json(Promoted { promoted }))
}

/// Export images that were made
///
/// A ZIP file of them, and what is known of each in `images.json`.
#[utoipa::path(post, path = "/images/exports", tag = "images", operation_id = "exportMadeImages", request_body = Ids,
    responses((status = 200, description = "The file", content_type = "application/zip", body = Vec<u8>)))]
async fn export(caller: Caller, Body(Ids { ids }): Body<Ids>) -> Answer<Response> {
    zipped(caller.app.zip_made(&ids).await?, "images.zip").await
}

/// Delete images that were made
///
/// They lie in the trash for 30 days.
#[utoipa::path(post, path = "/images/removals", tag = "images", operation_id = "deleteMadeImages", request_body = Ids,
    responses((status = 200, description = "They are in the trash, or none is if one does not exist", body = Changed)))]
async fn delete(caller: Caller, Body(Ids { ids }): Body<Ids>) -> Answer<(StatusCode, Json<Changed>)> {
    for id in &ids {
        caller.app.own_image(id).await?;
    }
    let changed = caller.app.studio()?.delete(&ids).await?;
    Ok((StatusCode::OK, Json(Changed { changed })))
}
