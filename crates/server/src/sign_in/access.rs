//! The rule of each route, and who has passed it.

use atelier_app::accounts::{Origin, Principal, Scope, Secret};
use atelier_app::{App, AppError, code};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::cookies::session_of;
use crate::http::{Problem, origin_of};
use crate::state::Server;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody: what has to be there before somebody has signed in.
    Open,
    /// Whoever has this scope, by a session or a token.
    Scope(Scope),
    /// A person who has this scope: no program in their name makes or widens what opens doors.
    Person(Scope),
}

impl Access {
    /// As the API's document names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Scope(scope) | Self::Person(scope) => scope.name(),
        }
    }
}

/// Whoever has passed a route's rule. It can be asked for in a route with a rule only: elsewhere there is none, and the
/// request fails.
#[derive(Clone)]
pub(crate) struct Caller {
    /// Who.
    pub(crate) principal: Principal,
    /// From where.
    pub(crate) origin: Origin,
    /// The application in their hands.
    pub(crate) app: App,
    /// By what they were let in, to be asked again while a stream lasts.
    pub(crate) secret: Secret,
}

impl FromRequestParts<Server> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Problem> {
        let passed = parts.extensions.get::<Self>().cloned();
        passed.ok_or_else(|| AppError::new(code!("not-signed-in"), "nobody has passed this route's rule").into())
    }
}

/// Lets a request through that its route's rule allows.
pub(crate) async fn guard(State((server, access)): State<(Server, Access)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match caller(&server, access, &parts).await {
        Ok(caller) => {
            if let Some(caller) = caller {
                parts.extensions.insert(caller);
            }
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn caller(server: &Server, access: Access, parts: &Parts) -> Result<Option<Caller>, Problem> {
    let (scope, persons_only) = match access {
        Access::Open => return Ok(None),
        Access::Scope(scope) => (scope, false),
        Access::Person(scope) => (scope, true),
    };
    let secret = credential_of(server, parts).ok_or_else(|| not_signed_in("sign in first"))?;
    let found = server.app.principal(&secret).await?;
    let principal = found.ok_or_else(|| not_signed_in("the session or token has ended; sign in again"))?;
    if persons_only && !principal.is_person() {
        let message = "this is done by people who have signed in, and not by tokens";
        return Err(AppError::new(code!("not-allowed"), message).into());
    }
    if !principal.may(scope) {
        let message = format!("this needs '{}', which {} does not have", scope.name(), what(&principal));
        return Err(AppError::new(code!("not-allowed"), message).hint("ask an administrator").into());
    }
    let app = server.app.seen_by(&principal.user.id);
    Ok(Some(Caller { origin: origin_of(server, parts), app, secret, principal }))
}

fn what(principal: &Principal) -> String {
    if principal.is_person() { format!("a {}", principal.user.role.name()) } else { "this token".to_owned() }
}

/// What the request brings to be let in by: a token, or else the browser's session. Not both: whoever names a token means it.
fn credential_of(server: &Server, parts: &Parts) -> Option<Secret> {
    match parts.headers.get(AUTHORIZATION) {
        Some(value) => {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| Secret::given(token.trim()))
        }
        None => session_of(server, &parts.headers),
    }
}

fn not_signed_in(hint: &str) -> Problem {
    AppError::new(code!("not-signed-in"), "it is not known who asks").hint(hint).into()
}
