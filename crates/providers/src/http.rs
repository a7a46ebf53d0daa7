//! The HTTP client of every provider: its connections, one exchange, and the faults of the transport.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use atelier_engine::{Fault, FaultKind};
use bytes::{Bytes, BytesMut};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use hyper::{Method, Response, Uri};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

use crate::error::ProviderError;
use crate::local::LocalClient;
use crate::secret;
use crate::transport::{CONNECT_TIMEOUT, IDLE_CONNECTIONS, IDLE_TIMEOUT, TransportError, USER_AGENT_VALUE};

/// The longest answer that is read. The largest real ones, images of 4K as base64, are near 30 MiB.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// The longest delay or window that is believed. A longer one is a date or a mistake, and a pool would wait
/// for it.
const LONGEST_SPAN: Duration = Duration::from_secs(31 * 86_400);

/// The address that a provider's paths are appended to.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Reads an `http://` or `https://` address, with a path or without.
    ///
    /// # Errors
    /// [`ProviderError::BadBaseUrl`] for anything else, and for an address that carries a user, a password,
    /// a query or a fragment: what is secret belongs in no URL.
    pub fn parse(text: &str) -> Result<Self, ProviderError> {
        let text = text.trim();
        let bad = |reason: &str| ProviderError::BadBaseUrl { url: shown(text), reason: reason.into() };
        let url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it starts neither with https:// nor with http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("it holds a user or a password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("it has a query or a fragment"));
        }
        Ok(Self(url))
    }

    /// This address with a path appended, which must be made of characters that need no escaping.
    pub(crate) fn join(&self, path: &str) -> Result<Self, ProviderError> {
        Self::parse(&format!("{}{path}", self.to_string().trim_end_matches('/')))
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.0
    }

    pub(crate) fn path(&self) -> &str {
        self.0.path()
    }

    /// The address in the forms in which it is called, parsed once.
    pub(crate) fn into_endpoint(self) -> Endpoint {
        let local = self.0.scheme() == "http" && Self::is_loopback(&self.0);
        // Fuzzing answers in the place of the remote client, so every call has to take that way.
        let local = local && cfg!(not(fuzzing));
        Endpoint { local: if local { self.0.as_str().parse().ok() } else { None }, url: self.0 }
    }

    fn is_loopback(url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

/// An address with its path, parsed once for all calls. It is shown as it is called: no secret is in it.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    url: Url,
    /// The same for [`LocalClient`], if the server is on this machine.
    local: Option<Uri>,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

/// The part of a rejected address that can be shown: a password may stand before an `@`, and a key in a query.
/// It cuts the text and not a parsed URL, because a parser takes the user of `user:password@host` for a scheme.
fn shown(text: &str) -> String {
    let (cut, at) = (text.find(['?', '#']), text.rfind('@'));
    let end = cut.unwrap_or(text.len());
    secret::clean(&match at {
        None => text[..end].to_owned(),
        Some(at) if at < end => format!("…{}", &text[at..end]),
        Some(_) => "…".to_owned(),
    })
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({self})")
    }
}

/// The connections to all providers: make one, clone it freely.
///
/// It reuses connections, follows no redirect (a key must not travel), retries nothing, and sets no
/// deadline for an answer: the engine retries, and ends a call by dropping it.
#[derive(Clone, Debug)]
pub struct HttpClient {
    local: LocalClient,
    remote: reqwest::Client,
    /// The reason why no https:// address can be called, if there is one.
    no_https: Option<Arc<str>>,
}

impl HttpClient {
    /// A client that trusts the machine's root certificates and uses the proxies of the environment
    /// (`HTTPS_PROXY`, `NO_PROXY`), but never for servers on this machine. Without root certificates it works
    /// for `http://` alone.
    ///
    /// # Errors
    /// [`ProviderError::HttpClient`] if the HTTP library can't start.
    pub fn new() -> Result<Self, ProviderError> {
        // rustls takes its cryptography from the process. If the program has chosen one already, that stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self::with_remote(builder().build())
    }

    fn with_remote(remote: reqwest::Result<reqwest::Client>) -> Result<Self, ProviderError> {
        let failed = |error: reqwest::Error| ProviderError::HttpClient { reason: innermost(&error) };
        let local = LocalClient::new();
        match remote {
            Ok(remote) => Ok(Self { local, remote, no_https: None }),
            // As on a machine without root certificates: http:// works there all the same, and the reason is
            // reported once an https:// address is to be called.
            Err(error) => {
                let remote = builder().tls_certs_only([]).build().map_err(failed)?;
                Ok(Self { local, remote, no_https: Some(innermost(&error).into()) })
            }
        }
    }

    /// Checks that this address can be called at all.
    ///
    /// # Errors
    /// [`ProviderError::NoRootCertificates`] for `https://` on a machine that has none.
    pub fn check(&self, base: &BaseUrl) -> Result<(), ProviderError> {
        match &self.no_https {
            Some(reason) if base.0.scheme() == "https" => {
                Err(ProviderError::NoRootCertificates { reason: reason.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// Opens this many connections (at least one) before they are needed, and returns the time that the quickest
    /// took: the time that the others took beyond it, they spent waiting for this machine. It includes the
    /// answer to one empty request without a key, so it is a little more than the time to connect.
    ///
    /// # Errors
    /// A [`Fault`] of kind `Unreachable` or `ConnectionLost`.
    pub async fn warm_up(&self, base: &BaseUrl, connections: usize) -> Result<Duration, Fault> {
        let mut root = base.clone();
        root.0.set_path("/");
        let root = root.into_endpoint();
        let open = || async {
            let started = Instant::now();
            match &root.local {
                Some(uri) => {
                    let sent = self.local.send(Method::HEAD, uri.clone(), HeaderMap::new(), Vec::new()).await;
                    sent.map(drop).map_err(|error| transport_fault(&error, &root.url))
                }
                None => {
                    let sent = self.remote.head(root.url.clone()).send().await;
                    sent.map(drop).map_err(|error| transport_fault(&error, &root.url))
                }
            }
            .map(|()| started.elapsed())
        };
        let mut quickest = Duration::MAX;
        for opened in join_all((0..connections.max(1)).map(|_| open())).await {
            quickest = quickest.min(opened?);
        }
        Ok(quickest)
    }

    /// Makes one exchange: sends the body, and reads the answer to its end.
    pub(crate) async fn post(&self, to: &Endpoint, headers: HeaderMap, body: Vec<u8>) -> Result<HttpAnswer, Fault> {
        self.exchange(Method::POST, to, headers, body).await
    }

    /// The same where there is nothing to send.
    pub(crate) async fn get(&self, from: &Endpoint, headers: HeaderMap) -> Result<HttpAnswer, Fault> {
        self.exchange(Method::GET, from, headers, Vec::new()).await
    }

    async fn exchange(
        &self,
        method: Method,
        to: &Endpoint,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<HttpAnswer, Fault> {
        if let Some(uri) = &to.local {
            let sent = self.local.send(method, uri.clone(), headers, body).await;
            return Ok(read(sent.map_err(|error| transport_fault(&error, &to.url))?).await);
        }
        let request = self.remote.request(method, to.url.clone()).headers(headers).body(body);
        #[cfg(not(fuzzing))]
        let sent = request.send().await;
        #[cfg(fuzzing)]
        let sent = crate::fuzz::send(request);
        let response: Response<reqwest::Body> = sent.map_err(|error| transport_fault(&error, &to.url))?.into();
        Ok(read(response).await)
    }
}

impl HttpClient {
    /// Fetches a file from the host of `url`, which is at one of these addresses: without a key, a proxy or a redirect.
    pub(crate) async fn fetch(&self, url: &Url, addresses: &[SocketAddr]) -> Result<HttpAnswer, Fault> {
        let host = url.host_str().unwrap_or_default();
        let broken = |error: &reqwest::Error| transport_fault(error, url);
        // For these addresses alone: the shared client would ask for the host's again, and might get others.
        let builder = builder().no_proxy().resolve_to_addrs(host, addresses);
        let builder = if url.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
        let client = builder.build().map_err(|error| broken(&error))?;
        let sent = client.get(url.clone()).send().await.map_err(|error| broken(&error))?;
        let response: Response<reqwest::Body> = sent.into();
        Ok(read(response).await)
    }
}

/// Reads an answer to its end, or as far as it comes. A body that breaks off is no error here, because the
/// status counts first: a 429 is a limit, whatever became of its body.
async fn read<B>(mut response: Response<B>) -> HttpAnswer
where
    B: Body<Data = Bytes, Error: Error + 'static> + Unpin,
{
    let headers = std::mem::take(response.headers_mut());
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let mut answer = HttpAnswer {
        status: response.status().as_u16(),
        content_type: header(CONTENT_TYPE).map(str::to_owned),
        retry_after: header(RETRY_AFTER).and_then(seconds),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        cut: None,
    };
    answer.headers = headers;
    let mut incoming = response.into_body();
    let announced = incoming.size_hint().exact().map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced > MAX_ANSWER_BYTES {
        answer.cut = Some(TOO_LONG.to_owned());
        return answer;
    }
    let mut body = BytesMut::new();
    loop {
        match incoming.frame().await.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(chunk))) if body.len() + chunk.len() > MAX_ANSWER_BYTES => {
                answer.cut = Some(TOO_LONG.to_owned());
                break;
            }
            // Most answers come in one piece, which is kept without a copy.
            Some(Ok(Ok(chunk))) if chunk.len() == announced => {
                answer.body = chunk;
                return answer;
            }
            Some(Ok(Ok(chunk))) => {
                if body.is_empty() {
                    body.reserve(announced.max(chunk.len()));
                }
                body.extend_from_slice(&chunk);
            }
            // Trailers say nothing that is read.
            Some(Ok(Err(_))) => {}
            None => break,
            Some(Err(error)) => {
                answer.cut = Some(format!("the answer stops half-way: {}", innermost(&error)));
                break;
            }
        }
    }
    answer.body = body.freeze();
    answer
}

pub(crate) const TOO_LONG: &str = "the answer is longer than 64 MiB";

/// The answer of an exchange, whatever its status.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    /// The Retry-After header, where it is in seconds.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The reason why the body is not whole, if it is not.
    pub(crate) cut: Option<String>,
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT_VALUE)
        .http1_only()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
}

/// A number of seconds, with or without an `s` after it; `None` if it is not one, or is longer than a month.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    Duration::try_from_secs_f64(text.strip_suffix('s').unwrap_or(text).parse().ok()?).ok().and_then(plausible)
}

/// `None` for a time longer than [`LONGEST_SPAN`].
pub(crate) fn plausible(span: Duration) -> Option<Duration> {
    (span <= LONGEST_SPAN).then_some(span)
}

fn transport_fault(error: &impl TransportError, url: &Url) -> Fault {
    let (host, cause) = (url.host_str().unwrap_or("the provider"), innermost(error));
    if error.is_connect() {
        Fault::new(FaultKind::Unreachable, format!("{host} can't be reached: {cause}"))
    } else if error.is_builder() {
        Fault::new(FaultKind::BadRequest, format!("the request can't be sent: {cause}"))
    } else {
        Fault::new(
            FaultKind::ConnectionLost,
            format!("the connection to {host} was lost after the request was sent: {cause}"),
        )
    }
}

/// The cause at the bottom, which says the most and, unlike the top, names no URL.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let text = if cause.is::<reqwest::Error>() { "no cause is given".to_owned() } else { cause.to_string() };
    secret::clean(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_with_and_without_a_path() {
        assert_eq!(BaseUrl::parse("http://localhost:8080/").unwrap().to_string(), "http://localhost:8080");
        let joined = BaseUrl::parse(" https://proxy.example/gemini/ ").unwrap().join("/v1beta").unwrap();
        assert_eq!(joined.to_string(), "https://proxy.example/gemini/v1beta");
    }

    #[test]
    fn an_address_that_cant_be_called_says_why_and_gives_no_secret_away() {
        for (text, why) in [
            ("", "relative URL"),
            ("generativelanguage.googleapis.com", "relative URL"),
            ("ftp://example.org", "https://"),
            ("localhost:8080", "https://"),
            ("https://user:hidden@example.org", "password"),
            ("https://user:hidden@exa mple.org", "invalid"),
            ("https://example.org/?key=hidden", "query"),
            ("https://example.org/#hidden", "fragment"),
            ("user:hidden@example.org", "https://"),
            ("https://exa mple.org/?key=hidden", "invalid"),
            ("https://user:hid?hidden@example.org", "invalid"),
        ] {
            let error = BaseUrl::parse(text).unwrap_err();
            assert!(error.to_string().contains(why), "{text}: {error}");
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }

    #[test]
    fn a_server_on_this_machine_is_known_as_such() {
        for (url, loopback) in [
            ("http://127.0.0.1:80/", true),
            ("http://[::1]:80/", true),
            ("http://localhost/", true),
            ("http://localhost.example.org/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(BaseUrl::is_loopback(&Url::parse(url).unwrap()), loopback, "{url}");
        }
    }

    #[test]
    fn without_root_certificates_http_works_and_https_says_what_is_missing() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let broken = builder().user_agent("not\na header").build();
        let http = HttpClient::with_remote(broken).unwrap();
        assert_eq!(http.check(&BaseUrl::parse("http://example.org").unwrap()), Ok(()));
        let error = http.check(&BaseUrl::parse("https://example.org").unwrap()).unwrap_err();
        assert_eq!(error.code(), "no-root-certificates");
        assert!(error.hint().contains("ca-certificates"));
    }

    #[test]
    fn seconds_are_read_and_what_is_not_seconds_is_not() {
        assert_eq!(seconds("38.6s"), Some(Duration::from_millis(38_600)));
        assert_eq!(seconds(" 7 "), Some(Duration::from_secs(7)));
        for text in ["", "s", "-1s", "NaN", "inf", "1e300", "1795219200", "Fri, 31 Dec 2027 23:59:59 GMT"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
