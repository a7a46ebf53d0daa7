//! Pictures that somebody gives to make something of: nobody else sees them.

use atelier_app::accounts::Scope;
use atelier_app::views::UploadView;
use atelier_studio::library::decode::DecodeLimits;
use axum::Json;
use axum::body::Body as RawBody;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Downloads, Query, picture, receive};
use crate::sign_in::{Access, Caller};
use crate::state::Server;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add(Access::Scope(Scope::Write), routes!(upload))
        .add(Access::Scope(Scope::Read), routes!(show))
        .add(Access::Scope(Scope::Read), routes!(content))
}

/// A file that is sent.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Named {
    /// What it is called.
    #[garde(length(chars, min = 1, max = 255))]
    pub(super) name: String,
}

/// Upload a picture
///
/// To be used as a reference, a mask, or something to be edited or searched by. The body is the file. It is kept for as long
/// as it is used, and for 30 days at least; the same bytes sent twice are one upload.
#[utoipa::path(post, path = "/uploads", tag = "uploads", operation_id = "uploadPicture", params(Named),
    request_body(content_type = "application/octet-stream", content = Vec<u8>, description = "The file"),
    responses((status = 201, description = "It is kept", body = UploadView)))]
async fn upload(
    State(server): State<Server>,
    caller: Caller,
    Query(named): Query<Named>,
    body: RawBody,
) -> Answer<(StatusCode, Json<UploadView>)> {
    let received = receive(&server, body, DecodeLimits::default().max_bytes).await?;
    let upload = caller.app.upload_picture(&named.name, received.content).await?;
    Ok((StatusCode::CREATED, Json(upload)))
}

/// Show an upload
#[utoipa::path(get, path = "/uploads/{id}", tag = "uploads", operation_id = "getUpload",
    params(("id" = String, Path, description = "Its id")), responses((status = 200, description = "What is known of it", body = UploadView)))]
async fn show(caller: Caller, Path(id): Path<String>) -> Answer<Json<UploadView>> {
    Ok(Json(caller.app.upload(&id).await?))
}

/// The file of an upload
#[utoipa::path(get, path = "/uploads/{id}/content", tag = "uploads", operation_id = "getUploadContent",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The file", content_type = "*/*", body = Vec<u8>), (status = 206, description = "A part of it", content_type = "*/*", body = Vec<u8>), (status = 304, description = "It is the one you have")))]
async fn content(caller: Caller, Path(id): Path<String>, headers: HeaderMap) -> Answer<Response> {
    let (upload, content) = caller.app.upload_content(&id).await?;
    Ok(picture(&headers, &upload.format, &upload.hash, content, &Downloads::Kept(&upload.name)))
}
