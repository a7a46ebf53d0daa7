//! Oneself, one's sessions and tokens; people, for administrators.

use std::time::Duration;

use atelier_app::accounts::{NewToken, PersonChange, Scope, Secret, role};
use atelier_app::views::{AuditListView, CredentialView, UserView};
use atelier_engine::Usd;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::Routes;
use crate::http::{Answer, Body, Query};
use crate::sign_in::{Access, Caller};
use crate::state::Server;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add(Access::Scope(Scope::Read), routes!(me))
        .add(Access::Person(Scope::Read), routes!(change_me))
        .add(Access::Person(Scope::Read), routes!(credentials))
        .add(Access::Person(Scope::Read), routes!(make_token))
        .add(Access::Person(Scope::Read), routes!(revoke))
        .add(Access::Person(Scope::Admin), routes!(users))
        .add(Access::Person(Scope::Admin), routes!(invite))
        .add(Access::Person(Scope::Admin), routes!(change_user))
        .add(Access::Person(Scope::Admin), routes!(reset_password))
        .add(Access::Person(Scope::Admin), routes!(audit))
}

/// Whoever asks, and what they may do.
#[derive(Debug, Serialize, ToSchema)]
struct MeView {
    /// The user.
    user: UserView,
    /// What they may do with what they were let in by.
    scopes: Vec<Scope>,
    /// The session or token.
    credential: CredentialView,
}

/// See who you are
#[utoipa::path(get, path = "/me", tag = "me", operation_id = "getMe", responses((status = 200, description = "You", body = MeView)))]
async fn me(caller: Caller) -> Json<MeView> {
    let principal = &caller.principal;
    Json(MeView {
        user: UserView::from(&principal.user),
        scopes: principal.scopes.clone(),
        credential: CredentialView::from(&principal.credential),
    })
}

/// What changes about oneself.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeMe {
    /// What others see.
    #[garde(inner(length(chars, min = 1, max = 64)))]
    shown: Option<String>,
    /// Another password; every session ends, this one too.
    #[garde(inner(length(min = 1, max = 1024)))]
    password: Option<String>,
    /// The password until now, with another one.
    #[garde(inner(length(min = 1, max = 1024)))]
    current_password: Option<String>,
}

/// Change your name or password
#[utoipa::path(patch, path = "/me", tag = "me", operation_id = "changeMe", request_body = ChangeMe,
    responses((status = 200, description = "You, as you are now", body = UserView)))]
async fn change_me(
    State(server): State<Server>,
    caller: Caller,
    Body(change): Body<ChangeMe>,
) -> Answer<Json<UserView>> {
    let user = &caller.principal.user;
    let password = match &change.password {
        Some(password) => {
            server.attempts.count(&user.name, caller.origin.address.as_deref())?;
            let current = Secret::given(change.current_password.as_deref().unwrap_or_default());
            caller.app.check_password(user, &current).await?;
            Some(Secret::given(password))
        }
        None => None,
    };
    let change = PersonChange { shown: change.shown, password, ..PersonChange::default() };
    Ok(Json(caller.app.change_user(&user.id, &change, &caller.origin).await?))
}

/// Sessions and tokens.
#[derive(Debug, Serialize, ToSchema)]
struct CredentialList {
    /// The latest first.
    credentials: Vec<CredentialView>,
}

/// List your sessions and tokens
#[utoipa::path(get, path = "/credentials", tag = "me", operation_id = "listCredentials",
    responses((status = 200, description = "Yours", body = CredentialList)))]
async fn credentials(caller: Caller) -> Answer<Json<CredentialList>> {
    let credentials = caller.app.credentials_of(&caller.principal.user.id).await?;
    Ok(Json(CredentialList { credentials }))
}

/// A token to be made.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    /// What it is for.
    #[garde(length(chars, min = 1, max = 80))]
    name: String,
    /// What it may be used for; no more than your role allows.
    #[garde(length(min = 1, max = 4))]
    scopes: Vec<Scope>,
    /// After how many days it ends; never if nothing is said.
    #[garde(inner(range(min = 1, max = 3650)))]
    days: Option<u32>,
}

/// A token, in the one moment in which it is shown.
#[derive(Serialize, ToSchema)]
struct TokenMade {
    /// What a program sends: it is shown this once.
    token: String,
    /// What is known of it.
    credential: CredentialView,
}

/// Make a token for a program
#[utoipa::path(post, path = "/tokens", tag = "me", operation_id = "makeToken", request_body = TokenRequest,
    responses((status = 201, description = "The token, this once", body = TokenMade)))]
async fn make_token(caller: Caller, Body(wanted): Body<TokenRequest>) -> Answer<(StatusCode, Json<TokenMade>)> {
    let lasts = wanted.days.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600));
    let new = NewToken { name: wanted.name, scopes: wanted.scopes, lasts };
    let made = caller.app.make_token(&caller.principal.user, &new, &caller.origin).await?;
    Ok((StatusCode::CREATED, Json(TokenMade { token: made.secret.reveal().to_owned(), credential: made.token })))
}

/// End a session or a token of yours
#[utoipa::path(delete, path = "/credentials/{id}", tag = "me", operation_id = "revokeCredential",
    params(("id" = String, Path, description = "Its id")), responses((status = 204, description = "It opens nothing any more")))]
async fn revoke(caller: Caller, Path(id): Path<String>) -> Answer<StatusCode> {
    caller.app.revoke(&caller.principal.user.id, &id, &caller.origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// People.
#[derive(Debug, Serialize, ToSchema)]
struct UserList {
    /// By name.
    users: Vec<UserView>,
}

/// List people
#[utoipa::path(get, path = "/users", tag = "users", operation_id = "listUsers",
    responses((status = 200, description = "All of them", body = UserList)))]
async fn users(caller: Caller) -> Answer<Json<UserList>> {
    Ok(Json(UserList { users: caller.app.users().await? }))
}

/// Somebody to be invited.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Invitation {
    /// `admin`, `member` or `viewer`.
    #[garde(length(max = 20))]
    role: String,
}

/// A link that works once, in the one moment in which it is shown.
#[derive(Serialize, ToSchema)]
struct LinkMade {
    /// The link, to be sent to whoever it is for.
    url: String,
    /// When it ends.
    expires_at: String,
}

/// Invite somebody
#[utoipa::path(post, path = "/users/invitations", tag = "users", operation_id = "invite", request_body = Invitation,
    responses((status = 201, description = "The link, this once", body = LinkMade)))]
async fn invite(
    State(server): State<Server>,
    caller: Caller,
    Body(wanted): Body<Invitation>,
) -> Answer<(StatusCode, Json<LinkMade>)> {
    let made = caller.app.invite(role(&wanted.role)?, &caller.origin).await?;
    let url = server.link(&made.secret);
    Ok((StatusCode::CREATED, Json(LinkMade { url, expires_at: made.expires_at })))
}

/// What changes about somebody.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeUser {
    /// What others see.
    #[garde(inner(length(chars, min = 1, max = 64)))]
    shown: Option<String>,
    /// `admin`, `member` or `viewer`; they are signed out.
    #[garde(inner(length(max = 20)))]
    role: Option<String>,
    /// Whether they may not come in; they are signed out, and their tokens end.
    #[garde(skip)]
    disabled: Option<bool>,
    /// The most that their work may cost in a day, in dollars; `null` lifts it.
    #[garde(skip)]
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<f64>)]
    day_budget_usd: Option<Option<f64>>,
}

/// Tells `null` from what was left out.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<f64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Change what somebody may do
#[utoipa::path(patch, path = "/users/{id}", tag = "users", operation_id = "changeUser", request_body = ChangeUser,
    params(("id" = String, Path, description = "Their id")), responses((status = 200, description = "As they are now", body = UserView)))]
async fn change_user(caller: Caller, Path(id): Path<String>, Body(change): Body<ChangeUser>) -> Answer<Json<UserView>> {
    let role = change.role.as_deref().map(role).transpose()?;
    let budget = |dollars: f64| Usd::from_nanos((dollars.max(0.0) * 1e9).round() as i64);
    let day_budget = change.day_budget_usd.map(|budgeted| budgeted.map(budget));
    let change = PersonChange { shown: change.shown, role, password: None, day_budget, disabled: change.disabled };
    Ok(Json(caller.app.change_user(&id, &change, &caller.origin).await?))
}

/// Make a link by which somebody sets another password
#[utoipa::path(post, path = "/users/{id}/password-link", tag = "users", operation_id = "resetPassword",
    params(("id" = String, Path, description = "Their id")), responses((status = 201, description = "The link, this once", body = LinkMade)))]
async fn reset_password(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<(StatusCode, Json<LinkMade>)> {
    let user = caller.app.user(&id).await?;
    let made = caller.app.reset_link(&user, &caller.origin).await?;
    let url = server.link(&made.secret);
    Ok((StatusCode::CREATED, Json(LinkMade { url, expires_at: made.expires_at })))
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditPage {
    /// Before which number: the `next` of the page before.
    #[garde(skip)]
    before: Option<u64>,
    /// How many at most; 50 if nothing is said.
    #[garde(range(min = 1, max = 500))]
    limit: Option<usize>,
}

/// Read the audit log
#[utoipa::path(get, path = "/audit", tag = "users", operation_id = "readAudit", params(AuditPage),
    responses((status = 200, description = "What was done to people and to what opens doors", body = AuditListView)))]
async fn audit(caller: Caller, Query(page): Query<AuditPage>) -> Answer<Json<AuditListView>> {
    Ok(Json(caller.app.audit(page.before, page.limit.unwrap_or(50)).await?))
}
