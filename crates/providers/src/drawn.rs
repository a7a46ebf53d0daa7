//! A picture of an answer: in it, or at an address that it names.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use atelier_engine::{Content, Ending, Fault, FaultKind, ImageData, Reply, ReportedLimit, Usage};
use reqwest::Url;

use crate::http::{BaseUrl, HttpAnswer, HttpClient};
use crate::wire::{billed, file, picture};

/// How often a picture is fetched before it is given up: it was paid for already.
const TRIES: u32 = 3;
/// How many redirects are followed, each to an address that is checked anew.
const REDIRECTS: u32 = 5;
/// How long one try may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(60);

/// What an answer to a request for a picture holds.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) picture: Picture,
    pub(crate) usage: Usage,
    pub(crate) limits: Vec<ReportedLimit>,
}

/// A picture, or where it is.
#[derive(Debug, PartialEq)]
pub(crate) enum Picture {
    /// In the answer, if it can be read.
    Inline(Result<ImageData, Fault>),
    /// At this address.
    At(String),
}

impl Picture {
    /// From the data of an answer, or else from the address that it names. `said` is the type that it is said to have.
    pub(crate) fn of(said: &str, data: Option<String>, address: Option<String>) -> Option<Self> {
        let data = data.filter(|data| !data.trim().is_empty());
        let data = match (data, address) {
            (Some(data), _) => data,
            (None, Some(address)) => address,
            (None, None) => return None,
        };
        let is_address = ["http://", "https://"].iter().any(|scheme| {
            data.trim_start().get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
        });
        Some(if is_address { Self::At(data.trim().to_owned()) } else { Self::Inline(picture(said, &data)) })
    }
}

impl Drawn {
    /// The reply, with the picture fetched if the answer only says where it is. `provider` is who said so.
    ///
    /// # Errors
    /// What is wrong with the picture, with what the answer used. A picture that can't be had from its address is
    /// [`FaultKind::BadRequest`]: to ask for another would be paid for again, and end the same.
    pub(crate) async fn into_reply(self, http: &HttpClient, provider: &BaseUrl) -> Result<Reply, Fault> {
        let image = match self.picture {
            Picture::Inline(image) => image,
            Picture::At(address) => fetched(http, provider, &address).await,
        };
        let image = image.map_err(|fault| billed(fault, self.usage))?;
        Ok(Reply { content: Content::Image(image), ending: Ending::Complete, usage: self.usage, limits: self.limits })
    }
}

async fn fetched(http: &HttpClient, provider: &BaseUrl, address: &str) -> Result<ImageData, Fault> {
    let mut tries = 0;
    loop {
        tries += 1;
        match tokio::time::timeout(FETCH_TIMEOUT, fetch(http, provider, address)).await {
            Ok(Err(NotFetched { again: true, .. })) | Err(_) if tries < TRIES => {}
            Ok(Ok(answer)) => return file(answer.content_type.as_deref().unwrap_or_default(), answer.body),
            Ok(Err(NotFetched { reason, .. })) => return Err(not_fetched(address, &reason)),
            Err(_) => return Err(not_fetched(address, "it takes too long")),
        }
    }
}

fn not_fetched(address: &str, reason: &str) -> Fault {
    // A query may be a signature, which is as good as a key.
    let shown = address.split(['?', '#']).next().unwrap_or_default();
    let message = format!("the image was made and lies at {shown}, but can't be fetched from there: {reason}");
    Fault::new(FaultKind::BadRequest, message)
}

struct NotFetched {
    reason: String,
    again: bool,
}

/// Fetches a file without any key, from an address that was checked.
async fn fetch(http: &HttpClient, provider: &BaseUrl, address: &str) -> Result<HttpAnswer, NotFetched> {
    let no = |reason: &str| NotFetched { reason: reason.to_owned(), again: false };
    let again = |reason: String| NotFetched { reason, again: true };
    let mut url = Url::parse(address).map_err(|_| no("that is no address"))?;
    for _ in 0..=REDIRECTS {
        let at = checked(&url, provider).await?;
        let answer = http.get(&url, at).await.map_err(|fault| again(fault.message))?;
        match answer.status {
            200..=299 if answer.body.is_empty() => return Err(again("it is empty".into())),
            200..=299 => match answer.cut {
                None => return Ok(answer),
                Some(reason) => return Err(again(reason)),
            },
            300..=399 => {
                let to = answer.headers.get(reqwest::header::LOCATION).and_then(|to| to.to_str().ok());
                url = to.and_then(|to| url.join(to).ok()).ok_or_else(|| no("it is moved, and not said where to"))?;
            }
            status @ (408 | 425 | 429 | 500..=599) => return Err(again(format!("the server answers {status}"))),
            status => return Err(no(&format!("the server answers {status}"))),
        }
    }
    Err(no("it is moved too often"))
}

/// The address that a host has, if it may be asked: none of a private network, unless the provider is in one itself.
async fn checked(url: &Url, provider: &BaseUrl) -> Result<SocketAddr, NotFetched> {
    let no = |reason: &str, again| NotFetched { reason: reason.to_owned(), again };
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err(no("that is no plain http:// or https:// address", false));
    }
    let addresses = resolve(url).await.ok_or_else(|| no("its host is not known", true))?;
    let home = provider.url();
    let provider_is_private =
        resolve(home).await.is_some_and(|addresses| addresses.iter().any(|at| is_private(at.ip())));
    let open = |at: &&SocketAddr| provider_is_private || !is_private(at.ip());
    let refused = || no("it is in a private network, and the provider is not", false);
    addresses.iter().find(open).copied().ok_or_else(refused)
}

async fn resolve(url: &Url) -> Option<Vec<SocketAddr>> {
    let port = url.port_or_known_default()?;
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Some(vec![SocketAddr::new(ip, port)]);
    }
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await.ok()?.collect();
    Some(found).filter(|found| !found.is_empty())
}

/// Whether an address is no one's on the open network: this machine, a private network, or one for special uses.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19))
        }
        IpAddr::V6(ip) => {
            let [first, second, ..] = ip.segments();
            let within = ip.to_ipv4().or_else(|| {
                // 6to4 and NAT64 hold an address of version 4.
                let octets = ip.octets();
                match (first, second) {
                    (0x2002, _) => Some([octets[2], octets[3], octets[4], octets[5]].into()),
                    (0x64, 0xff9b) => Some([octets[12], octets[13], octets[14], octets[15]].into()),
                    _ => None,
                }
            });
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || (first & 0xfe00) == 0xfc00
                || (first & 0xffc0) == 0xfe80
                || (first & 0xffc0) == 0xfec0
                || (first == 0x2001 && second == 0xdb8)
                || within.is_some_and(|ip| is_private(IpAddr::V4(ip)))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_nobodys_on_the_open_network_are_known() {
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "198.18.0.1",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "2002:0a00:0001::1",
            "64:ff9b::7f00:1",
            "ff02::1",
        ] {
            assert!(is_private(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(!is_private(ip.parse().unwrap()), "{ip}");
        }
    }

    #[tokio::test]
    async fn a_private_address_is_fetched_for_a_private_provider_alone() {
        let open = BaseUrl::parse("https://8.8.8.8/v1").unwrap();
        let home = BaseUrl::parse("http://192.168.0.9/v1").unwrap();
        let at = Url::parse("http://169.254.169.254/latest/meta-data").unwrap();
        assert!(checked(&at, &open).await.is_err_and(|no| !no.again && no.reason.contains("private")));
        assert!(checked(&at, &home).await.is_ok());
        let file = Url::parse("file:///etc/passwd").unwrap();
        assert!(checked(&file, &home).await.is_err());
    }
}
