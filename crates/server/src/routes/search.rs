//! Search over the library: by words, by a picture, by what is like an image, by colour.

use atelier_app::accounts::Scope as May;
use atelier_app::views::SearchView;
use atelier_app::{AppError, code};
use atelier_search::{parse_filters, rgb};
use atelier_studio::search::{Scope, SearchRequest};
use axum::Json;
use axum::extract::State;
use garde::Validate;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Query};
use crate::sign_in::{Access, Caller};
use crate::state::Server;

pub(super) fn add(routes: Routes) -> Routes {
    routes.add(Access::Scope(May::Read), routes!(search))
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Words.
    #[garde(inner(length(chars, max = 1000)))]
    q: Option<String>,
    /// The id of an image to find others like.
    #[garde(inner(length(max = 200)))]
    like: Option<String>,
    /// The id of an uploaded picture to find others like.
    #[garde(inner(length(max = 200)))]
    upload: Option<String>,
    /// A colour, such as `#a0c4ff`.
    #[garde(inner(length(max = 20)))]
    color: Option<String>,
    /// `KEY=VALUE` or `KEY!=VALUE`; values of one key add up.
    #[serde(default)]
    #[garde(length(max = 30), inner(length(max = 400)))]
    filter: Vec<String>,
    /// In any of these collections.
    #[serde(default)]
    #[garde(length(max = 30), inner(length(max = 200)))]
    collection: Vec<String>,
    /// With what of images words are compared.
    #[serde(default)]
    #[garde(skip)]
    fields: Fields,
    /// How many at most; 50 if nothing is said.
    #[garde(range(min = 1, max = 500))]
    limit: Option<usize>,
    /// Whether to explain how the answer came about.
    #[serde(default)]
    #[garde(skip)]
    explain: bool,
}

/// With what of images words are compared.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fields {
    /// With all.
    #[default]
    All,
    /// With their words.
    Lexical,
    /// With what their words mean.
    Text,
    /// With their look.
    Look,
}

/// Search the library
#[utoipa::path(get, path = "/search", tag = "library", operation_id = "search", params(Wanted),
    responses((status = 200, description = "Images that match, the best first, and the nearest that do not", body = SearchView)))]
async fn search(
    State(server): State<Server>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answer<Json<SearchView>> {
    let began = caller.app.clock().now();
    let _turn = server.questions.acquire().await;
    let color = wanted.color.as_deref().map(|text| {
        rgb(text).ok_or_else(|| {
            AppError::new(code!("color-invalid"), "this is no colour")
                .hint("give six hexadecimal digits, such as #a0c4ff")
        })
    });
    let picture = match &wanted.upload {
        Some(upload) => Some(caller.app.upload_content(upload).await?.1),
        None => None,
    };
    let request = SearchRequest {
        words: wanted.q,
        picture,
        like: wanted.like,
        color: color.transpose()?,
        filters: parse_filters(&wanted.filter, &wanted.collection).map_err(AppError::from)?,
        scope: match wanted.fields {
            Fields::All => Scope::All,
            Fields::Lexical => Scope::Lexical,
            Fields::Text => Scope::Text,
            Fields::Look => Scope::Look,
        },
        limit: wanted.limit.unwrap_or(50),
        explain: wanted.explain,
    };
    request.check().map_err(AppError::from)?;
    let search = caller.app.image_search().await?;
    let found = caller.app.search(&search, request, began).await?;
    if found.hits.is_empty() {
        caller.app.check_collections(&wanted.collection).await?;
    }
    Ok(Json(found))
}
