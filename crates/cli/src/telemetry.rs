//! What the program tells of its doings: a log on stderr, and traces for a collector of OpenTelemetry's where the
//! environment names one.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::out::Out;

/// Either of them names a collector.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
/// What says how a collector is spoken to.
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
/// The one way that is spoken here.
const PROTOCOL: &str = "http/protobuf";
/// A collector that takes longer for a batch has lost it: the specification's own limit.
const ANSWERS_BY: Duration = Duration::from_secs(10);
/// The program's end waits so long for what is left to be sent.
const ENDS_BY: Duration = Duration::from_secs(2);

/// The log and the traces of this process.
pub(crate) struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Starts both. Logs are warnings, or what `RUST_LOG` or the number of `-v` asks for. Traces are sent if
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` names a collector; the other variables of
    /// OpenTelemetry's specification mean what they mean elsewhere. Only spans are sent, no lines of the log: they hold
    /// no prompt, no answer and no key.
    pub(crate) fn start(verbose: u8, runtime: &Handle) -> Self {
        let (traces, trouble) = match traces(runtime) {
            Ok(traces) => (traces, None),
            Err(trouble) => (None, Some(trouble)),
        };
        let spans = traces.as_ref().map(|traces| {
            global::set_text_map_propagator(TraceContextPropagator::new());
            let ours = filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("atelier"));
            let layer = tracing_opentelemetry::layer().with_tracer(traces.tracer("atelier"));
            let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
            layer.with_filter(ours.with_max_level_hint(LevelFilter::INFO))
        });
        let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).without_time();
        let started = tracing_subscriber::registry().with(log.with_filter(filter(verbose))).with(spans).try_init();
        if started.is_err() {
            Out::new(false).note("the log could not be started");
        }
        if let Some(trouble) = trouble {
            tracing::warn!("no traces are sent: {trouble}");
        }
        Self { traces }
    }

    /// Sends what is left, and gives up soon where nobody takes it.
    pub(crate) fn end(self) {
        if let Some(traces) = self.traces {
            // What went wrong was said when it did.
            let _ = traces.shutdown_with_timeout(ENDS_BY);
        }
    }
}

fn filter(verbose: u8) -> EnvFilter {
    let level = ["warn", "info", "debug", "trace"][usize::from(verbose.min(3))];
    EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(format!("warn,atelier={level},atelier_app={level},atelier_prompts={level},atelier_server={level},atelier_engine={level},atelier_providers={level},atelier_store={level},atelier_replies={level},atelier_studio={level},atelier_search={level},atelier_embed={level}")))
}

/// Who sends spans, if they are wanted.
fn traces(runtime: &Handle) -> Result<Option<SdkTracerProvider>, String> {
    if !wanted() {
        return Ok(None);
    }
    if let Some(other) = PROTOCOLS.into_iter().find_map(set).filter(|protocol| protocol != PROTOCOL) {
        return Err(format!("OTEL_EXPORTER_OTLP_PROTOCOL asks for {other}, and only {PROTOCOL} is spoken here"));
    }
    let client = Collector::new(runtime.clone()).map_err(|error| error.to_string())?;
    let exporter = SpanExporter::builder().with_http().with_http_client(client).build();
    let exporter = exporter.map_err(|error| error.to_string())?;
    let resource = Resource::builder();
    // What the environment calls the service goes before the program's name.
    let resource = if set("OTEL_SERVICE_NAME").is_some()
        || set("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|attributes| attributes.contains("service.name="))
    {
        resource
    } else {
        resource.with_service_name("atelier")
    };
    Ok(Some(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build()))
}

fn wanted() -> bool {
    let off = set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || set("OTEL_TRACES_EXPORTER").is_some_and(|exporter| exporter != "otlp");
    !off && ENDPOINTS.into_iter().any(|endpoint| set(endpoint).is_some())
}

/// A variable's value; an empty one counts as not set, as the specification has it.
fn set(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.trim().is_empty())
}

/// Sends batches of spans over HTTP.
#[derive(Debug)]
struct Collector {
    http: reqwest::Client,
    /// Batches come from a thread of OpenTelemetry's own, where no connection could be driven.
    runtime: Handle,
    told: AtomicBool,
}

impl Collector {
    fn new(runtime: Handle) -> reqwest::Result<Self> {
        // The program may have chosen already: that stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let limit = set("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT").or_else(|| set("OTEL_EXPORTER_OTLP_TIMEOUT"));
        let limit = limit.and_then(|milliseconds| milliseconds.parse().ok()).map_or(ANSWERS_BY, Duration::from_millis);
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(limit).build()?;
        Ok(Self { http, runtime, told: AtomicBool::new(false) })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request.map(reqwest::Body::from))?;
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move {
            let answer = http.execute(request).await?;
            let status = answer.status();
            answer.bytes().await.map(|body| (status, body))
        });
        let (status, body) = sent.await??;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Ok(response)
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.send(request).await;
        let trouble = match &sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("the collector answered {}", response.status())),
            Err(error) => Some(error.to_string()),
        };
        if let Some(trouble) = trouble
            && !self.told.swap(true, Ordering::Relaxed)
        {
            tracing::warn!("traces can't be sent: {trouble}; this is said once");
        }
        sent
    }
}
