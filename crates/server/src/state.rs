//! What all requests share.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use atelier_app::{App, AppResult, Layouts};
use atelier_engine::Stop;
use tokio::sync::Semaphore;

use crate::events::Hub;
use crate::http::{Hosts, Metrics};
use crate::sign_in::{Attempts, Oidc};

/// Requests that are worked on at the same time; beyond, they are sent away and may come again.
const AT_ONCE: usize = 1024;

/// Searches and previews that are worked on at the same time. They wait for the processor: more at a time would end no
/// sooner, and each holds what it has found so far in memory.
const QUESTIONS: usize = 16;

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct ServeSettings {
    /// Where it listens.
    pub address: SocketAddr,
    /// The address that people reach it under, if that is another: `https://studio.example.org`.
    pub public_url: Option<String>,
    /// Whether a proxy in front of it ends TLS.
    pub behind_proxy: bool,
    /// Addresses of proxies whose word about where a request comes from is taken.
    pub trusted_proxies: Vec<IpAddr>,
    /// Names under which it may be asked, beside that of [`public_url`](Self::public_url) and its own.
    pub hosts: Vec<String>,
    /// How long paid calls may take to finish once it is to end.
    pub patience: Duration,
    /// Whether a library that never had an image gets the samples, where nobody but whoever is at this machine can come in.
    pub samples: bool,
}

/// What all requests share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Server {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) app: App,
    pub(crate) settings: ServeSettings,
    pub(crate) hosts: Hosts,
    pub(crate) layouts: Layouts,
    pub(crate) attempts: Attempts,
    pub(crate) oidc: Oidc,
    pub(crate) hub: Hub,
    pub(crate) metrics: Metrics,
    pub(crate) turns: Semaphore,
    pub(crate) questions: Semaphore,
    pub(crate) stop: Stop,
    /// The document of the API.
    pub(crate) document: String,
    /// The address that people reach it under.
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn new(
        app: App,
        settings: ServeSettings,
        hosts: Hosts,
        stop: Stop,
        document: String,
        url: String,
    ) -> AppResult<Self> {
        let inner = Inner {
            hub: Hub::new(app.clone()),
            metrics: Metrics::new()?,
            oidc: Oidc::new(&app, &url)?,
            app,
            settings,
            hosts,
            layouts: Layouts::default(),
            attempts: Attempts::default(),
            turns: Semaphore::new(AT_ONCE),
            questions: Semaphore::new(QUESTIONS),
            stop,
            document,
            url,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether it is reached by TLS, so that cookies are kept to that.
    pub(crate) fn is_secure(&self) -> bool {
        self.inner.settings.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }
}

impl std::ops::Deref for Server {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}
