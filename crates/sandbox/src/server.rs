//! The server: its connections, the reading of requests, and the paths for statistics.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use crate::config::SandboxConfig;
use crate::connection::{AnswerBody, Connection, ConnectionState};
use crate::error::SandboxError;
use crate::provider::SandboxProvider;
use crate::stats::Stats;
use crate::wire::{BreakOff, plain};
use crate::{gemini, openai};

/// The most bytes of a request: above what Gemini takes inline.
const LARGEST: u64 = 64 << 20;

/// The pause before another attempt when the system has no more sockets to give.
const EXHAUSTED: Duration = Duration::from_millis(10);

/// A sandbox that is being served. It stops when it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    addr: SocketAddr,
    provider: Arc<SandboxProvider>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts to serve on `addr`, where port 0 means any that is free. It serves in the tokio runtime
    /// that this is called from, and can be connected to as soon as this returns.
    ///
    /// # Errors
    /// [`SandboxError`]: the configuration contradicts itself, the address is not a loopback address or
    /// can't be listened on, or there is no runtime.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), atelier_sandbox::SandboxError> {
    /// use atelier_sandbox::{Sandbox, SandboxConfig};
    ///
    /// let mut config = SandboxConfig::default();
    /// config.quotas.push("requests=15/60s".parse()?);
    /// let sandbox = Sandbox::start(config, ([127, 0, 0, 1], 0).into())?;
    /// assert!(sandbox.base_url().starts_with("http://127.0.0.1:"));
    /// assert_eq!(sandbox.stats().calls, 0);
    /// sandbox.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn start(config: SandboxConfig, addr: SocketAddr) -> Result<Self, SandboxError> {
        if !addr.ip().is_loopback() {
            return Err(SandboxError::NotLoopback { addr });
        }
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| SandboxError::NoRuntime)?;
        let provider = Arc::new(SandboxProvider::new(config)?);
        let bind = |source| SandboxError::Bind { addr, source };
        let listener = listen(addr).map_err(bind)?;
        let addr = listener.local_addr().map_err(bind)?;
        let (stop, stopped) = oneshot::channel();
        let serving = runtime.spawn(accept(listener, Arc::clone(&provider), stopped));
        Ok(Self { addr, provider, stop: Some(stop), serving: Some(serving) })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The value for `GOOGLE_GEMINI_BASE_URL`: scheme, address and port, without a path. The one for
    /// `OPENAI_BASE_URL` is this with `/v1` after it.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The counts since the start or the last reset.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.provider.recorder.stats(Instant::now())
    }

    /// Stops, breaking off what is in flight, and returns when every connection is closed.
    pub async fn shutdown(mut self) {
        self.stop.take();
        if let Some(serving) = self.serving.take() {
            // A task that was cancelled has stopped as well.
            let _ = serving.await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

/// Serves on `addr` until `until` completes, and gives the counts of the run. `ready` is called with the
/// sandbox as soon as it can be connected to.
///
/// # Errors
/// As [`Sandbox::start`].
pub async fn serve(
    config: SandboxConfig,
    addr: SocketAddr,
    ready: impl FnOnce(&Sandbox),
    until: impl Future<Output = ()>,
) -> Result<Stats, SandboxError> {
    let sandbox = Sandbox::start(config, addr)?;
    ready(&sandbox);
    until.await;
    let stats = sandbox.stats();
    sandbox.shutdown().await;
    Ok(stats)
}

/// Listens with a backlog for many clients that connect at once.
fn listen(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(addr);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}

async fn accept(listener: TcpListener, provider: Arc<SandboxProvider>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&provider)));
                }
                Err(_) => tokio::time::sleep(EXHAUSTED).await,
            },
            Some(_) = connections.join_next() => {}
            _ = &mut stopped => break,
        }
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, provider: Arc<SandboxProvider>) {
    // Or small answers would wait for the client's acknowledgements. It fails on no live connection.
    let _ = stream.set_nodelay(true);
    let state = Arc::new(ConnectionState::default());
    let socket = Connection::new(stream, Arc::clone(&state));
    let service = service_fn(move |request| exchange(Arc::clone(&provider), Arc::clone(&state), request));
    // An error means that the client has gone or that a fault was injected, and nobody is left to report it to.
    let _ = http1::Builder::new().serve_connection(socket, service).await;
}

async fn exchange(
    provider: Arc<SandboxProvider>,
    state: Arc<ConnectionState>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, BreakOff> {
    let (head, body) = request.into_parts();
    let body = read(body).await.ok_or(BreakOff)?;
    let now = Instant::now();
    match (&head.method, head.uri.path()) {
        (&Method::GET, "/stats") => Ok(plain(&provider.recorder.stats(now))),
        (&Method::POST, "/stats/reset") => {
            provider.recorder.reset(now);
            Ok(plain(&provider.recorder.stats(now)))
        }
        _ if openai::speaks(&head) => openai::answer(&provider, &state, &head, &body).await,
        _ => gemini::answer(&provider, &state, &head.method, &head.uri, &head.headers, &body).await,
    }
}

/// The whole body, without a copy where it came in one piece. `None`: the client went, or sent too much.
async fn read(mut body: Incoming) -> Option<Bytes> {
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if first.is_empty() {
            first = data;
            continue;
        }
        let whole = rest.get_or_insert_with(|| {
            let expected = usize::try_from(body.size_hint().lower().min(LARGEST)).unwrap_or(0);
            let mut whole = BytesMut::with_capacity(first.len() + data.len() + expected);
            whole.extend_from_slice(&first);
            whole
        });
        whole.extend_from_slice(&data);
        if whole.len() as u64 > LARGEST {
            return None;
        }
    }
    Some(rest.map_or(first, BytesMut::freeze))
}
