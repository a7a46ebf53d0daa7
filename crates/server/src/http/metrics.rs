//! Figures for whoever watches the server, in Prometheus' text form.
//!
//! The recorder belongs to one server, and not to the process: two servers of one process count apart. A route is named by
//! its pattern: an id would make a series of its own.

use std::time::Duration;

use atelier_app::accounts::Scope;
use atelier_app::{AppError, AppResult, code};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::{Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tracing::Span;

use super::hosts::is_local;
use super::problem::{Answer, Problem};
use crate::state::Server;

/// Seconds: what a click should take, and what it should not.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
const ABOUT: Metadata<'static> = Metadata::new("atelier", Level::INFO, None);
const REQUESTS: &str = "atelier_http_requests_total";
const SECONDS: &str = "atelier_http_request_seconds";

/// What is counted.
pub(crate) struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Metrics {
    pub(crate) fn new() -> AppResult<Self> {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS);
        let builder = builder.map_err(|error| AppError::new(code!("runtime"), error.to_string()))?;
        let recorder = builder.build_recorder();
        recorder.describe_counter(REQUESTS.into(), None, "Requests that were answered".into());
        recorder.describe_histogram(SECONDS.into(), None, "Seconds until an answer began".into());
        let handle = recorder.handle();
        Ok(Self { recorder, handle })
    }

    fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let label = |name: &'static str, value: String| Label::new(name, value);
        let (method, route) = (label("method", method.to_owned()), label("route", route.to_owned()));
        let counted = vec![method.clone(), route.clone(), label("status", status.to_string())];
        self.recorder.register_counter(&Key::from_parts(REQUESTS, counted), &ABOUT).increment(1);
        let timed = Key::from_parts(SECONDS, vec![method, route]);
        self.recorder.register_histogram(&timed, &ABOUT).record(took.as_secs_f64());
    }

    fn gauge(&self, name: &'static str, labels: Vec<Label>, value: f64) {
        self.recorder.register_gauge(&Key::from_parts(name, labels), &ABOUT).set(value);
    }
}

/// Counts a request.
pub(super) async fn count(State(server): State<Server>, request: Request, next: Next) -> Response {
    let began = tokio::time::Instant::now();
    let method = request.method().as_str().to_owned();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    if let Some(route) = &route {
        let span = Span::current();
        span.record("http.route", route);
        span.record("otel.name", format!("{method} {route}"));
    }
    let response = next.run(request).await;
    // What no route matches is one series, whatever strangers try.
    let route = route.as_deref().unwrap_or("none");
    server.metrics.request(&method, route, response.status().as_u16(), began.elapsed());
    response
}

/// Gives the figures to whoever may have them: this machine itself, or a token of an administrator.
pub(crate) async fn scrape(State(server): State<Server>, request: Request) -> Answer<Response> {
    let (parts, _) = request.into_parts();
    if !is_local(&server, &parts) {
        let token = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let token = token.map(atelier_app::accounts::Secret::given);
        let principal = match &token {
            Some(token) => server.app.principal(token).await?,
            None => None,
        };
        if !principal.is_some_and(|principal| principal.may(Scope::Admin)) {
            let error = AppError::new(code!("not-signed-in"), "it is not known who asks")
                .hint("send a token of an administrator that has the scope admin");
            return Err(Problem::from(error));
        }
    }
    gather(&server).await?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], server.metrics.handle.render()).into_response())
}

/// What stands in the store, as of now.
async fn gather(server: &Server) -> AppResult<()> {
    let metrics = &server.metrics;
    metrics.handle.run_upkeep();
    for (state, jobs) in server.app.jobs_by_state().await? {
        metrics.gauge("atelier_jobs", vec![Label::new("state", state)], jobs as f64);
    }
    for pool in server.app.quota().await?.pools {
        for limit in pool.limits {
            let labels = || vec![Label::new("pool", pool.pool.clone()), Label::new("limit", limit.limit.clone())];
            metrics.gauge("atelier_limit_amount", labels(), limit.amount.as_number());
            metrics.gauge("atelier_limit_used", labels(), limit.used.as_number());
        }
    }
    metrics.gauge("atelier_event_streams", Vec::new(), server.hub.listeners() as f64);
    Ok(())
}
