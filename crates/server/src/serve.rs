//! Listening, and ending: no request is taken any more, paid calls finish, and it ends within a limit.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use atelier_app::accounts::Secret;
use atelier_app::{App, AppError, AppResult, code};
use atelier_engine::Stop;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tower::ServiceExt;

use crate::http::{Hosts, around};
use crate::routes;
use crate::state::{ServeSettings, Server};

/// Whoever does not send the head of a request by then is gone: many slow ones would take every connection.
const HEAD_BY: Duration = Duration::from_secs(15);
/// Connections at a time.
const CONNECTIONS: usize = 4096;
/// How long answers that have begun may take once it is to end.
const ANSWERS_END: Duration = Duration::from_secs(5);
/// What has ended is forgotten so often.
const TIDY_EVERY: Duration = Duration::from_secs(3600);
/// Requests that cost something are known again for so long.
const REQUESTS_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// Uploads that are not used are kept for so long.
const UPLOADS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// A server that listens.
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    /// The address that people reach it under.
    pub url: String,
    /// A link for the first administrator, while nobody can sign in.
    pub first_link: Option<String>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Waits until it has ended.
    pub async fn ended(self) {
        if let Err(error) = self.task.await {
            tracing::warn!("the server ended: {error}");
        }
    }
}

/// Listens, and works on what is submitted, until `stop` asks for the end.
///
/// # Errors
/// `unsafe-listening` if others could reach it and nobody has to sign in, or in the open; `server-address` if it can't
/// listen there; what the store reports.
pub async fn serve(app: App, settings: ServeSettings, stop: Stop) -> AppResult<Serving> {
    check_safe(&app, &settings).await?;
    let listener = TcpListener::bind(settings.address).await.map_err(|error| {
        AppError::new(code!("server-address"), format!("it can't listen at {}: {error}", settings.address))
            .hint("choose another address, or end what listens there")
    })?;
    let address = listener.local_addr().map_err(|error| AppError::new(code!("server-address"), error.to_string()))?;
    let url = settings.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let patience = settings.patience;
    let may_have_samples = settings.samples && settings.address.ip().is_loopback() && !settings.behind_proxy;
    let hosts = Hosts::new(&settings, address);
    let server = Server::new(app.clone(), settings, hosts, stop.clone(), routes::document(), url.clone())?;
    let router = around(routes::router(&server), &server)?.with_state(server.clone());
    let first_link = app.first_link().await?.map(|made| server.link(&made.secret));
    // Loaded before somebody waits for it.
    let search = app.image_search().await?;
    search.catch_up(|_| {}).await?;
    let wants_samples = may_have_samples && first_link.is_some() && app.library_is_untouched().await?;
    let task = tokio::spawn(async move {
        let jobs = tokio::spawn({
            let (app, stop) = (app.clone(), stop.clone());
            async move { app.serve_jobs(stop, patience).await }
        });
        let following = tokio::spawn(follow(app.clone(), stop.clone()));
        let tidying = tokio::spawn(tidy(app.clone(), stop.clone()));
        let samples = tokio::spawn(begin_with_samples(app.clone(), stop.clone(), wants_samples));
        accept(listener, router, stop).await;
        for task in [following, tidying, samples] {
            task.abort();
        }
        match jobs.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(code = error.code(), "the worker ended: {}", error.message()),
            Err(error) => tracing::warn!("the worker ended: {error}"),
        }
    });
    Ok(Serving { address, url, first_link, task })
}

/// Puts the samples into a library that has nothing to look at yet. Without them all else works.
async fn begin_with_samples(app: App, stop: Stop, wanted: bool) {
    if wanted && let Err(error) = app.add_samples(&stop).await {
        tracing::warn!(code = error.code(), "the samples are not in the library: {}", error.message());
    }
}

/// Refuses what would let strangers in.
async fn check_safe(app: &App, settings: &ServeSettings) -> AppResult<()> {
    if settings.address.ip().is_loopback() && !settings.behind_proxy {
        return Ok(());
    }
    let reached =
        if settings.behind_proxy { "a proxy passes on what others send" } else { "others can reach it there" };
    let refused = |message: String, hint: &str| Err(AppError::new(code!("unsafe-listening"), message).hint(hint));
    if !app.store()?.anybody_can_sign_in().await? {
        return refused(
            format!("{reached}, and nobody has to sign in"),
            "give somebody a password first: 'atelier users add NAME --role admin'",
        );
    }
    if !settings.behind_proxy {
        return refused(
            format!("{reached}, and passwords would be sent in the open"),
            "put a proxy in front that ends TLS, and say --behind-proxy with --public-url https://…",
        );
    }
    if !settings.public_url.as_deref().is_some_and(|url| url.starts_with("https://")) {
        return refused(
            "behind a proxy, the address that people reach it under has to be known".to_owned(),
            "say --public-url https://…",
        );
    }
    Ok(())
}

async fn accept(listener: TcpListener, router: axum::Router, stop: Stop) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let turn = tokio::select! {
            turn = Arc::clone(&connections).acquire_owned() => turn,
            () = stop.clone().wait() => break,
        };
        let Ok(turn) = turn else { break };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, most likely: some are given back in a moment.
                    tracing::warn!("a connection could not be taken: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stop.clone().wait() => break,
        };
        let _ = stream.set_nodelay(true);
        let service = router.clone().map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request.map(axum::body::Body::new)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_BY)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended: {error}");
            }
            drop(turn);
        });
    }
    drop(listener);
    if tokio::time::timeout(ANSWERS_END, graceful.shutdown()).await.is_err() {
        tracing::info!("answers that had begun are cut off");
    }
}

/// Makes known to the search what anybody changes in the library.
async fn follow(app: App, stop: Stop) {
    while !stop.is_requested() {
        if let Err(error) = app.index_changes().await {
            tracing::debug!(code = error.code(), "the index did not follow the library: {}", error.message());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn tidy(app: App, stop: Stop) {
    while !stop.is_requested() {
        if let Err(error) = app.tidy(REQUESTS_KEPT, UPLOADS_KEPT).await {
            tracing::warn!(code = error.code(), "what has ended was not forgotten: {}", error.message());
        }
        tokio::time::sleep(TIDY_EVERY).await;
    }
}

impl Server {
    /// The address of a one-time link. What opens it stands behind the `#`, which no browser sends and no proxy logs.
    pub(crate) fn link(&self, secret: &Secret) -> String {
        format!("{}/welcome#{}", self.url.trim_end_matches('/'), secret.reveal())
    }
}
