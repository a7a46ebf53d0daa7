//! Signing in by a provider of OpenID Connect.

use atelier_app::accounts::Secret;
use atelier_app::{AppError, code};
use axum::extract::{Path, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Routes;
use super::sign_in::Asked;
use crate::http::{Answer, Query};
use crate::sign_in::{Access, binding_of, session_of, setting, setting_binding};
use crate::state::Server;

pub(super) fn add(routes: Routes) -> Routes {
    routes.add(Access::Open, routes!(depart)).add(Access::Open, routes!(arrive))
}

/// Where to go afterwards.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Depart {
    /// A path of this server that the browser comes back to.
    #[serde(rename = "return")]
    #[garde(inner(length(max = 500)))]
    return_to: Option<String>,
}

/// Go to a provider to sign in
#[utoipa::path(get, path = "/sign-in/oidc/{name}", tag = "sign-in", operation_id = "departToProvider",
    params(("name" = String, Path, description = "The provider, as the configuration calls it"), Depart),
    responses((status = 303, description = "To the provider")))]
async fn depart(
    State(server): State<Server>,
    asked: Asked,
    Path(name): Path<String>,
    Query(wanted): Query<Depart>,
) -> Answer<Response> {
    server.oidc.settings(&name)?;
    server.attempts.count_place(asked.origin.address.as_deref())?;
    let begun = server.app.begin_foreign_sign_in().await?;
    let departure = server.oidc.depart(&name, begun.state.reveal()).await?;
    let return_to = wanted.return_to.as_deref().unwrap_or("/");
    let kept = server.app.keep_foreign_sign_in(&begun, &name, &departure.nonce, &departure.verifier, return_to);
    kept.await?;
    Ok(to(&departure.url, setting_binding(&server, &begun.binding)))
}

/// What a provider sends back with the browser. Providers add parameters of their own, which say nothing here.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
struct Arrival {
    /// What stands for the person.
    #[garde(inner(length(max = 4096)))]
    code: Option<String>,
    /// What was given along.
    #[garde(length(max = 200))]
    state: String,
    /// Why nobody signs in.
    #[garde(inner(length(max = 1000)))]
    error: Option<String>,
}

/// Come back from a provider
#[utoipa::path(get, path = "/sign-in/oidc/{name}/callback", tag = "sign-in", operation_id = "arriveFromProvider",
    params(("name" = String, Path, description = "The provider, as the configuration calls it"), Arrival),
    responses((status = 303, description = "Signed in: the cookie is set, and the browser goes where it wanted to")))]
async fn arrive(
    State(server): State<Server>,
    asked: Asked,
    Path(name): Path<String>,
    headers: HeaderMap,
    Query(arrival): Query<Arrival>,
) -> Answer<Response> {
    let settings = server.oidc.settings(&name)?;
    let (state, binding) = (Secret::given(&arrival.state), binding_of(&server, &headers));
    let pending = server.app.take_foreign_sign_in(&name, &state, binding.as_ref()).await?;
    let Some(code) = arrival.code.as_deref().filter(|_| arrival.error.is_none()) else {
        return Err(AppError::new(code!("sign-in-failed"), "the provider let nobody in").hint("begin again").into());
    };
    let person = server.oidc.arrive(&name, code, &pending.nonce, &pending.verifier).await?;
    let earlier = session_of(&server, &headers);
    let signed_in = server.app.sign_in_foreign(&person, settings, earlier.as_ref(), &asked.origin).await;
    let (secret, _) = signed_in?;
    Ok(to(&pending.return_to, setting(&server, &secret)))
}

fn to(url: &str, cookie: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    if let Ok(url) = HeaderValue::from_str(url) {
        headers.insert(LOCATION, url);
    }
    if let Some(cookie) = cookie {
        headers.insert(SET_COOKIE, cookie);
    }
    response
}
