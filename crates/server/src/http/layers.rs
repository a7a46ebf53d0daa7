//! What stands around every route.

use std::time::Duration;

use atelier_app::{AppError, code};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use hyper::body::Body as _;
use opentelemetry::global;
use opentelemetry_http::HeaderExtractor;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::hosts::asked_host;
use super::metrics::count;
use super::problem::Problem;
use crate::state::Server;

/// By what a request is found in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// An answer that has not begun by then is given up. Work goes on without whoever asked for it: it is a job.
const TOO_SLOW: Duration = Duration::from_secs(60);
/// What the pages may do: load what this server gives, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; \
     connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Puts around all routes what every request goes through, the outermost last.
pub(crate) fn around(router: Router<Server>, server: &Server) -> Result<Router<Server>, AppError> {
    let mut csrf = CsrfLayer::new();
    if let Some(url) = &server.settings.public_url {
        csrf = csrf.add_trusted_origin(url.trim_end_matches('/')).map_err(|error| {
            AppError::new(code!("config-invalid"), format!("the public URL can't be one: {error:?}"))
                .hint("give it as https://studio.example.org")
        })?;
    }
    let router = router
        .layer(from_fn(in_time))
        .route_layer(from_fn_with_state(server.clone(), count))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(csrf)
        .layer(from_fn_with_state(server.clone(), in_turn))
        .layer(from_fn_with_state(server.clone(), by_name))
        .layer(from_fn(headers_and_log));
    Ok(router)
}

/// Gives an answer up that takes too long to begin.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TOO_SLOW, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let error = AppError::new(code!("too-slow"), "this took too long").hint("try again, or ask for less");
            Problem::from(error).into_response()
        }
    }
}

fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response<Body> {
    let error = AppError::new(code!("panicked"), "something went wrong that should not")
        .hint("please report it with the request's id");
    Problem::from(error).into_response()
}

/// Sends requests away that come while there are too many.
async fn in_turn(State(server): State<Server>, request: Request, next: Next) -> Response {
    let Ok(_turn) = server.turns.try_acquire() else {
        let error = AppError::new(code!("busy"), "the server has too much to do").hint("try again in a moment");
        return Problem { retry_after: Some(1), ..Problem::from(error) }.into_response();
    };
    next.run(request).await
}

async fn by_name(State(server): State<Server>, request: Request, next: Next) -> Response {
    match server.hosts.check(asked_host(request.uri(), request.headers())) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Gives the request an id, writes the body of a problem, adds the headers that every answer has, and notes it all. No
/// address of a request is noted beyond its path, nor any header: secrets and prompts stand there.
async fn headers_and_log(request: Request, next: Next) -> Response {
    let began = tokio::time::Instant::now();
    let id = format!("{:016x}", fastrand::u64(..));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let has_body = !request.body().is_end_stream();
    let span = traced(&request, &id);
    let response = next.run(request).instrument(span.clone()).await;
    let response = with_body(response, &id);
    let mut response = with_headers(response, &id);
    if has_body && response.status().is_client_error() {
        // It may have been refused before it was read to its end: what comes of it is no next request.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let (status, took) = (response.status().as_u16(), began.elapsed());
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
    tracing::info!(
        request = id,
        method = method.as_str(),
        path,
        status,
        milliseconds = took.as_secs_f64() * 1000.0,
        "{method} {path}: {status}"
    );
    response
}

/// The request's span, by the names of OpenTelemetry's conventions for HTTP. It goes on the trace of whoever asked, a
/// proxy say.
fn traced(request: &Request, id: &str) -> Span {
    let span = tracing::info_span!(
        "request",
        otel.name = field::Empty,
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = request.method().as_str(),
        http.route = field::Empty,
        http.response.status_code = field::Empty,
        url.path = request.uri().path(),
        atelier.request = id,
    );
    if !span.is_disabled() {
        let parent = global::get_text_map_propagator(|known| known.extract(&HeaderExtractor(request.headers())));
        // It fails where no traces are sent.
        let _ = span.set_parent(parent);
    }
    span
}

fn with_body(response: Response, id: &str) -> Response {
    let problem = match response.extensions().get::<Problem>() {
        Some(problem) => problem.clone(),
        // Answers of layers and of axum itself.
        None => match plain_problem(&response) {
            Some(problem) => problem,
            None => return response,
        },
    };
    if problem.error.class().http_status() >= 500 {
        tracing::warn!(request = id, code = problem.error.code(), "{}", problem.error.message());
    }
    let body = serde_json::to_vec(&problem.body(id)).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Some(seconds) = problem.retry_after {
        parts.headers.insert(header::RETRY_AFTER, seconds.into());
    }
    Response::from_parts(parts, Body::from(body))
}

fn plain_problem(response: &Response) -> Option<Problem> {
    let error = match response.status().as_u16() {
        403 => AppError::new(code!("cross-site"), "the request comes from another site")
            .hint("send it from a page of this server, or with a token and without an Origin"),
        404 => AppError::new(code!("no-such-route"), "there is nothing here"),
        405 => AppError::new(code!("wrong-method"), "this can't be done here"),
        _ => return None,
    };
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
        .then(|| error.into())
}

fn with_headers(mut response: Response, id: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    let constant = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in constant {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::VARY).or_insert(HeaderValue::from_static("Cookie, Authorization"));
    response
}
