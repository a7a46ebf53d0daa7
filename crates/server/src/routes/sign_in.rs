//! Signing in and out.

use atelier_app::accounts::{LinkKind, Role, Secret};
use atelier_app::views::UserView;
use atelier_app::{AppError, code};
use atelier_store::LOCAL_OWNER;
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Body, Problem, is_local, origin_of};
use crate::sign_in::{Access, clearing, session_of, setting};
use crate::state::Server;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add(Access::Open, routes!(ways))
        .add(Access::Open, routes!(sign_in))
        .add(Access::Open, routes!(sign_in_here))
        .add(Access::Open, routes!(sign_out))
        .add(Access::Open, routes!(look_at_link))
        .add(Access::Open, routes!(follow_link))
}

/// From where a request comes, for routes without a rule.
pub(super) struct Asked {
    pub(super) origin: atelier_app::accounts::Origin,
    local: bool,
}

impl FromRequestParts<Server> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        Ok(Self { origin: origin_of(server, parts), local: is_local(server, parts) })
    }
}

/// How somebody can sign in.
#[derive(Debug, Serialize, ToSchema)]
struct SignInWays {
    /// By name and password.
    password: bool,
    /// At once: this machine has no users yet, and is asked from here.
    here: bool,
    /// By a provider of OpenID Connect: a browser goes to `/sign-in/oidc/NAME`.
    providers: Vec<ProviderWay>,
}

/// A provider of OpenID Connect.
#[derive(Debug, Serialize, ToSchema)]
struct ProviderWay {
    /// Its name in addresses.
    name: String,
    /// What people see.
    title: String,
}

/// See how to sign in
#[utoipa::path(get, path = "/sign-in", tag = "sign-in", operation_id = "getSignInWays",
    responses((status = 200, description = "The ways there are", body = SignInWays)))]
async fn ways(State(server): State<Server>, asked: Asked) -> Answer<Json<SignInWays>> {
    let password = server.app.store()?.anybody_can_sign_in().await?;
    let way = |(name, title): (&str, &str)| ProviderWay { name: name.to_owned(), title: title.to_owned() };
    let providers = server.oidc.titles().map(way).collect();
    Ok(Json(SignInWays { password, here: !password && asked.local, providers }))
}

/// A name and a password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The name.
    #[garde(length(chars, min = 1, max = 200))]
    name: String,
    /// The password.
    #[garde(length(min = 1, max = 1024))]
    password: String,
}

/// Who has signed in.
#[derive(Debug, Serialize, ToSchema)]
struct SignedIn {
    /// The user.
    user: UserView,
}

/// Sign in by name and password
#[utoipa::path(post, path = "/sessions", tag = "sign-in", operation_id = "signIn", request_body = SignIn,
    responses((status = 201, description = "Signed in: the cookie is set", body = SignedIn)))]
async fn sign_in(
    State(server): State<Server>,
    asked: Asked,
    headers: HeaderMap,
    Body(given): Body<SignIn>,
) -> Answer<Response> {
    server.attempts.count(&given.name, asked.origin.address.as_deref())?;
    let earlier = session_of(&server, &headers);
    let password = Secret::given(&given.password);
    let (secret, principal) = server.app.sign_in(&given.name, &password, earlier.as_ref(), &asked.origin).await?;
    Ok(signed_in(&server, &secret, UserView::from(&principal.user)))
}

/// Sign in on a machine that has no users yet
///
/// Works only as long as nobody has a password, from this machine, under one of its own names, and with nobody between.
#[utoipa::path(post, path = "/sessions/here", tag = "sign-in", operation_id = "signInHere",
    responses((status = 201, description = "Signed in as its administrator: the cookie is set", body = SignedIn)))]
async fn sign_in_here(State(server): State<Server>, asked: Asked, headers: HeaderMap) -> Answer<Response> {
    if !asked.local || server.app.store()?.anybody_can_sign_in().await? {
        return Err(AppError::new(code!("sign-in-failed"), "a name and a password are wanted here").into());
    }
    let user = server.app.user(LOCAL_OWNER).await?;
    let earlier = session_of(&server, &headers);
    let begun = server.app.begin_session(user, earlier.as_ref(), "signed-in-here", &asked.origin).await;
    let (secret, principal) = begun?;
    Ok(signed_in(&server, &secret, UserView::from(&principal.user)))
}

fn signed_in(server: &Server, secret: &Secret, user: UserView) -> Response {
    let mut response = (StatusCode::CREATED, Json(SignedIn { user })).into_response();
    if let Some(cookie) = setting(server, secret) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// Sign out
///
/// Ends the session that the browser's cookie opens; without one nothing happens.
#[utoipa::path(delete, path = "/sessions/current", tag = "sign-in", operation_id = "signOut",
    responses((status = 204, description = "Signed out: the cookie is gone")))]
async fn sign_out(State(server): State<Server>, asked: Asked, headers: HeaderMap) -> Answer<Response> {
    if let Some(secret) = session_of(&server, &headers)
        && let Some(principal) = server.app.principal(&secret).await?
    {
        let app = server.app.seen_by(&principal.user.id);
        app.revoke(&principal.user.id, &principal.credential.id, &asked.origin).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = clearing(&server) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// What a link carries.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct LinkGiven {
    /// What follows the `#` in it.
    #[garde(length(min = 1, max = 200))]
    secret: String,
}

/// What a link is for.
#[derive(Debug, Serialize, ToSchema)]
struct LinkView {
    /// `first`, `invite` or `reset`.
    kind: &'static str,
    /// What whoever follows it will be.
    role: &'static str,
    /// Whether a name is to be chosen, and not only a password.
    wants_name: bool,
}

/// See what a one-time link is for
#[utoipa::path(post, path = "/links/look", tag = "sign-in", operation_id = "lookAtLink", request_body = LinkGiven,
    responses((status = 200, description = "What it is for", body = LinkView)))]
async fn look_at_link(
    State(server): State<Server>,
    asked: Asked,
    Body(given): Body<LinkGiven>,
) -> Answer<Json<LinkView>> {
    server.attempts.count_place(asked.origin.address.as_deref())?;
    let about = server.app.link(&Secret::given(&given.secret)).await?;
    let (kind, wants_name) = (about.kind.name(), about.kind != LinkKind::Reset);
    Ok(Json(LinkView { kind, role: Role::name(about.role), wants_name }))
}

/// What somebody who follows a link gives.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct FollowLink {
    /// What follows the `#` in the link.
    #[garde(length(min = 1, max = 200))]
    secret: String,
    /// The name to sign in with, unless it is for another password.
    #[garde(inner(length(chars, min = 1, max = 64)))]
    name: Option<String>,
    /// What others see; the name if nothing is said.
    #[garde(inner(length(chars, min = 1, max = 64)))]
    shown: Option<String>,
    /// The password.
    #[garde(length(min = 1, max = 1024))]
    password: String,
}

/// Follow a one-time link
///
/// Uses it up, and signs in whoever follows it.
#[utoipa::path(post, path = "/links/follow", tag = "sign-in", operation_id = "followLink", request_body = FollowLink,
    responses((status = 201, description = "Signed in: the cookie is set", body = SignedIn)))]
async fn follow_link(State(server): State<Server>, asked: Asked, Body(given): Body<FollowLink>) -> Answer<Response> {
    server.attempts.count_place(asked.origin.address.as_deref())?;
    let (secret, password) = (Secret::given(&given.secret), Secret::given(&given.password));
    let name = given.name.as_deref();
    let followed = server.app.follow_link(&secret, name, given.shown, &password, &asked.origin).await;
    let (secret, principal) = followed?;
    Ok(signed_in(&server, &secret, UserView::from(&principal.user)))
}
