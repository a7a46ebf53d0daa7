//! The client for servers on this machine: HTTP alone, without the remote client's layers for proxies, TLS,
//! redirects and cookies, which take a quarter of the client's time of a call to a quick server.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, Uri};
use hyper_util::client::legacy::{Client, Error as ClientError, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::transport::{CONNECT_TIMEOUT, IDLE_CONNECTIONS, IDLE_TIMEOUT, USER_AGENT_VALUE};

/// Connections to servers on this machine.
#[derive(Clone, Debug)]
pub(crate) struct LocalClient(Client<HttpConnector, Full<Bytes>>);

impl LocalClient {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector);
        Self(client)
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        uri: Uri,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, ClientError> {
        headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        self.0.request(request).await
    }
}
