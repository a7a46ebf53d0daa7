//! The library: everybody's images, their words, tags and collections.

use std::fs::File;
use std::num::NonZeroUsize;

use atelier_app::accounts::Scope;
use atelier_app::views::{ImageListView, ImageView, TrashedView};
use atelier_app::{AppError, LARGEST_SLICE, code};
use atelier_engine::Stop;
use atelier_store::ImageFilter;
use atelier_store::objects::ThumbnailSize;
use atelier_studio::library::ImageEdit;
use atelier_studio::library::decode::DecodeLimits;
use atelier_studio::library::import::{ImportOptions, ImportSource};
use axum::Json;
use axum::body::Body as RawBody;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Body, Downloads, Query, picture, receive, streamed};
use crate::sign_in::{Access, Caller};
use crate::state::Server;

pub(super) fn add(routes: Routes) -> Routes {
    let (read, write) = (Access::Scope(Scope::Read), Access::Scope(Scope::Write));
    routes
        .add(read, routes!(list))
        .add(write, routes!(import))
        .add(write, routes!(edit))
        .add(read, routes!(export))
        .add(write, routes!(remove))
        .add(read, routes!(layout))
        .add(read, routes!(slice))
        .add(read, routes!(show))
        .add(read, routes!(original))
        .add(read, routes!(thumbnail))
}

/// Which images, and which page of them.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// With all of these tags.
    #[serde(default)]
    #[garde(length(max = 20), inner(length(max = 200)))]
    tag: Vec<String>,
    /// In all of these collections.
    #[serde(default)]
    #[garde(length(max = 20), inner(length(max = 200)))]
    collection: Vec<String>,
    /// Of this category.
    #[garde(inner(length(max = 200)))]
    category: Option<String>,
    /// Of this format, such as `jpeg`.
    #[garde(inner(length(max = 20)))]
    format: Option<String>,
    /// After which place: the `next` of the page before.
    #[garde(inner(length(max = 200)))]
    after: Option<String>,
    /// How many at most; 50 if nothing is said.
    #[garde(range(min = 1, max = 500))]
    limit: Option<usize>,
}

impl Wanted {
    fn filter(&self) -> ImageFilter {
        ImageFilter {
            tags: self.tag.clone(),
            collections: self.collection.clone(),
            category: self.category.clone(),
            format: self.format.as_ref().map(|format| format.to_lowercase()),
            ..ImageFilter::default()
        }
    }
}

/// List images of the library
#[utoipa::path(get, path = "/library/images", tag = "library", operation_id = "listImages", params(Wanted),
    responses((status = 200, description = "A page of them, the newest first", body = ImageListView)))]
async fn list(caller: Caller, Query(wanted): Query<Wanted>) -> Answer<Json<ImageListView>> {
    let after = wanted.after.as_deref().map(str::parse).transpose()?;
    Ok(Json(caller.app.images(&wanted.filter(), after.as_ref(), wanted.limit.unwrap_or(50)).await?))
}

/// A file on its way into the library.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Import {
    /// What the file is called.
    #[garde(length(chars, min = 1, max = 255))]
    name: String,
    /// Collections that it goes into; those that do not exist are made.
    #[serde(default)]
    #[garde(length(max = 20), inner(length(max = 200)))]
    collection: Vec<String>,
    /// Tags that it gets.
    #[serde(default)]
    #[garde(length(max = 20), inner(length(max = 200)))]
    tag: Vec<String>,
}

/// What became of a file.
#[derive(Debug, Serialize, ToSchema)]
struct Imported {
    /// `imported`, `known` if its bytes are in the library already, or `near` if it is in now and shows nearly the same as
    /// another image.
    outcome: &'static str,
    /// The image.
    image: ImageView,
    /// The image that it is like.
    like: Option<String>,
}

/// Put a picture into the library
///
/// The body is the file. Sending it again is safe: its bytes are kept once.
#[utoipa::path(post, path = "/library/images", tag = "library", operation_id = "importImage", params(Import),
    request_body(content_type = "application/octet-stream", content = Vec<u8>, description = "The file"),
    responses((status = 201, description = "It is in the library", body = Imported), (status = 200, description = "It was there", body = Imported)))]
async fn import(
    State(server): State<Server>,
    caller: Caller,
    Query(wanted): Query<Import>,
    body: RawBody,
) -> Answer<(StatusCode, Json<Imported>)> {
    let received = receive(&server, body, DecodeLimits::default().max_bytes).await?;
    let source = ImportSource::Bytes { name: wanted.name, content: received.content };
    let options = ImportOptions {
        collections: wanted.collection,
        tags: wanted.tag,
        uploader: Some(caller.principal.user.shown.clone()),
        threads: NonZeroUsize::MIN,
        ..ImportOptions::default()
    };
    let one = caller.app.import_one(source, options, &Stop::never()).await?;
    let status = if one.outcome == "known" { StatusCode::OK } else { StatusCode::CREATED };
    let image = caller.app.image(&one.image).await?;
    Ok((status, Json(Imported { outcome: one.outcome, image, like: one.like })))
}

/// A change to images.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditImages {
    /// Which images.
    #[garde(length(min = 1, max = 1000), inner(length(max = 200)))]
    ids: Vec<String>,
    /// Another caption; an empty one takes it away.
    #[garde(inner(length(chars, max = 4000)))]
    caption: Option<String>,
    /// Another category; an empty one takes it away.
    #[garde(inner(length(chars, max = 200)))]
    category: Option<String>,
    /// Attributes to set; `null` takes one away.
    #[serde(default)]
    #[garde(skip)]
    attributes: Map<String, Value>,
    /// Tags to add.
    #[serde(default)]
    #[garde(length(max = 50), inner(length(max = 200)))]
    add_tags: Vec<String>,
    /// Tags to take away.
    #[serde(default)]
    #[garde(length(max = 50), inner(length(max = 200)))]
    remove_tags: Vec<String>,
    /// Collections to put them into; those that do not exist are made.
    #[serde(default)]
    #[garde(length(max = 50), inner(length(max = 200)))]
    add_collections: Vec<String>,
    /// Collections to take them out of.
    #[serde(default)]
    #[garde(length(max = 50), inner(length(max = 200)))]
    remove_collections: Vec<String>,
}

/// How many things were changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Changed {
    /// How many.
    pub(super) changed: u64,
}

/// Change what is said of images
#[utoipa::path(patch, path = "/library/images", tag = "library", operation_id = "editImages", request_body = EditImages,
    responses((status = 200, description = "They are changed, or none is if one does not exist", body = Changed)))]
async fn edit(caller: Caller, Body(edit): Body<EditImages>) -> Answer<Json<Changed>> {
    let unless_empty = |text: Option<String>| text.map(|text| Some(text).filter(|text| !text.trim().is_empty()));
    let change = ImageEdit {
        caption: unless_empty(edit.caption),
        category: unless_empty(edit.category),
        attributes: edit.attributes,
        add_tags: edit.add_tags,
        remove_tags: edit.remove_tags,
        add_collections: edit.add_collections,
        remove_collections: edit.remove_collections,
        ..ImageEdit::default()
    };
    let changed = caller.app.edit_images(&edit.ids, &change).await?;
    Ok(Json(Changed { changed }))
}

/// Ids of things.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ids {
    /// Which.
    #[garde(length(min = 1, max = 1000), inner(length(max = 200)))]
    pub(super) ids: Vec<String>,
}

/// Export images of the library
///
/// A ZIP file of the originals, and what is known of each in `images.json`, which an import reads.
#[utoipa::path(post, path = "/library/exports", tag = "library", operation_id = "exportImages", request_body = Ids,
    responses((status = 200, description = "The file", content_type = "application/zip", body = Vec<u8>)))]
async fn export(State(server): State<Server>, caller: Caller, Body(Ids { ids }): Body<Ids>) -> Answer<Response> {
    zipped(caller.app.zip_library(&ids, &server.stop).await?, "library.zip").await
}

/// A ZIP file that was made for this request alone.
pub(super) async fn zipped(file: File, name: &str) -> Answer<Response> {
    let sent = streamed(&HeaderMap::new(), file, "zip", name).await;
    Ok(sent.map_err(|error| AppError::new(code!("output-unwritable"), format!("the file can't be read: {error}")))?)
}

/// Remove images from the library
///
/// They lie in the trash for 30 days.
#[utoipa::path(post, path = "/library/removals", tag = "library", operation_id = "removeImages", request_body = Ids,
    responses((status = 200, description = "They are in the trash, or none is if one does not exist", body = Changed)))]
async fn remove(caller: Caller, Body(Ids { ids }): Body<Ids>) -> Answer<Json<Changed>> {
    Ok(Json(Changed { changed: caller.app.remove_images(&ids).await? }))
}

/// The shape of the library
///
/// A byte for each image, the newest first: 128 + 32 × log₂(width ÷ height). The header `Atelier-Snapshot` names what the
/// bytes are of: `GET /library/slice` gives any part of that, however much is imported meanwhile.
#[utoipa::path(get, path = "/library/layout", tag = "library", operation_id = "getLayout", params(Wanted),
    responses((status = 200, description = "A byte for each image", content_type = "application/octet-stream", body = Vec<u8>,
        headers(("atelier-snapshot" = String, description = "The id of the snapshot")))))]
async fn layout(State(server): State<Server>, caller: Caller, Query(wanted): Query<Wanted>) -> Answer<Response> {
    let layout = caller.app.layout(&server.layouts, &wanted.filter()).await?;
    let mut response = ([(header::CONTENT_TYPE, "application/octet-stream")], layout.ratios).into_response();
    if let Ok(id) = HeaderValue::from_str(&layout.snapshot) {
        response.headers_mut().insert(HeaderName::from_static("atelier-snapshot"), id);
    }
    Ok(response)
}

/// A part of a snapshot.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Slice {
    /// The snapshot's id.
    #[garde(length(max = 100))]
    snapshot: String,
    /// The first place, from 0.
    #[garde(skip)]
    from: usize,
    /// How many places.
    #[garde(range(min = 1, max = LARGEST_SLICE))]
    count: usize,
}

/// Images of a snapshot.
#[derive(Debug, Serialize, ToSchema)]
struct SliceView {
    /// Each with its place; those that are gone are left out.
    images: Vec<PlacedImage>,
}

/// An image at its place.
#[derive(Debug, Serialize, ToSchema)]
struct PlacedImage {
    /// Its place in the snapshot, from 0.
    place: usize,
    /// The image.
    #[serde(flatten)]
    image: ImageView,
}

/// A part of the library as a snapshot has it
#[utoipa::path(get, path = "/library/slice", tag = "library", operation_id = "getSlice", params(Slice),
    responses((status = 200, description = "The images at these places", body = SliceView)))]
async fn slice(State(server): State<Server>, caller: Caller, Query(wanted): Query<Slice>) -> Answer<Json<SliceView>> {
    let placed = caller.app.slice(&server.layouts, &wanted.snapshot, wanted.from, wanted.count).await?;
    let images = placed.into_iter().map(|(place, image)| PlacedImage { place, image }).collect();
    Ok(Json(SliceView { images }))
}

/// Show an image of the library
#[utoipa::path(get, path = "/library/images/{id}", tag = "library", operation_id = "getImage",
    params(("id" = String, Path, description = "Its id")), responses((status = 200, description = "What is known of it", body = ImageView)))]
async fn show(caller: Caller, Path(id): Path<String>) -> Answer<Json<ImageView>> {
    Ok(Json(caller.app.image(&id).await?))
}

/// Whether a file is to be kept under its name.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Download {
    /// Whether it is to be kept under its name.
    #[serde(default)]
    #[garde(skip)]
    pub(super) download: bool,
}

/// An image's file, as it came
#[utoipa::path(get, path = "/library/images/{id}/original", tag = "library", operation_id = "getOriginal",
    params(("id" = String, Path, description = "Its id"), Download),
    responses((status = 200, description = "The file", content_type = "*/*", body = Vec<u8>), (status = 206, description = "A part of it", content_type = "*/*", body = Vec<u8>), (status = 304, description = "It is the one you have")))]
async fn original(
    caller: Caller,
    Path(id): Path<String>,
    Query(Download { download }): Query<Download>,
    headers: HeaderMap,
) -> Answer<Response> {
    let library = caller.app.library()?;
    let image = library.show(&id).await?;
    let content = library.original(&image).await?;
    let how = if download { Downloads::Kept(&image.filename) } else { Downloads::Shown };
    Ok(picture(&headers, &image.format, &image.hash, content, &how))
}

/// Which thumbnail.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ThumbnailWanted {
    /// The long side in pixels: 256 or 512; 512 if nothing is said.
    #[garde(custom(is_size))]
    size: Option<u32>,
}

fn is_size(size: &Option<u32>, _: &()) -> garde::Result {
    match size {
        None | Some(256 | 512) => Ok(()),
        Some(_) => Err(garde::Error::new("there are thumbnails of 256 and of 512")),
    }
}

impl ThumbnailWanted {
    pub(super) fn size(&self) -> ThumbnailSize {
        if self.size == Some(256) { ThumbnailSize::Small } else { ThumbnailSize::Large }
    }
}

/// An image's thumbnail, in WebP
#[utoipa::path(get, path = "/library/images/{id}/thumbnail", tag = "library", operation_id = "getThumbnail",
    params(("id" = String, Path, description = "Its id"), ThumbnailWanted),
    responses((status = 200, description = "The thumbnail", content_type = "image/webp", body = Vec<u8>), (status = 206, description = "A part of it", content_type = "image/webp", body = Vec<u8>), (status = 304, description = "It is the one you have")))]
async fn thumbnail(
    caller: Caller,
    Path(id): Path<String>,
    Query(wanted): Query<ThumbnailWanted>,
    headers: HeaderMap,
) -> Answer<Response> {
    let library = caller.app.library()?;
    let image = library.show(&id).await?;
    let size = wanted.size();
    let content = library.thumbnail(&image, size).await?;
    let tag = format!("{}-{}", image.hash, size.long_side());
    Ok(picture(&headers, "webp", &tag, content, &Downloads::Shown))
}

/// What was put back, for the document.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Restored {
    /// What is there again.
    pub(super) restored: Vec<TrashedView>,
}
