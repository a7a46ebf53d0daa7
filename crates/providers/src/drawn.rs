//! A picture of an answer: in it, or at an address that it names.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use atelier_engine::{Content, Ending, Fault, FaultKind, ImageData, Reply, ReportedLimit, Usage};
use reqwest::Url;

use crate::http::{BaseUrl, HttpAnswer, HttpClient, TOO_LONG};
use crate::secret::clean;
use crate::wire::{billed, file, picture};

/// How long after a failed try the next one follows; after the last a picture is given up. It was paid for already.
const PAUSES: [Duration; 4] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(15)];
/// A server that asks for a longer pause is waited for no longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How many redirects are followed, each to an address that is checked anew.
const REDIRECTS: u32 = 5;
/// How long one try may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(60);

/// What an answer to a request for a picture holds.
#[derive(Debug)]
pub(crate) struct ImageAnswer {
    pub(crate) picture: Picture,
    pub(crate) usage: Usage,
    pub(crate) limits: Vec<ReportedLimit>,
}

/// A picture, or where it is.
#[derive(Debug, PartialEq)]
pub(crate) enum Picture {
    /// In the answer, if it can be read.
    Inline(Result<ImageData, Fault>),
    /// At this address, or at this path of the provider's.
    At(String),
}

impl Picture {
    /// From the data of an answer, or else from the address that it names. `said` is the type that it is said to have.
    pub(crate) fn of(said: &str, data: Option<String>, address: Option<String>) -> Option<Self> {
        let given = |text: &String| !text.trim().is_empty();
        let begins = |text: &str, scheme: &str| {
            text.trim_start().get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
        };
        let is_address = |text: &str| begins(text, "http://") || begins(text, "https://");
        let inline = match data.filter(given) {
            Some(data) if is_address(&data) => return Some(Self::At(data.trim().to_owned())),
            data => data.map(|data| picture(said, &data)),
        };
        match (inline, address.filter(given)) {
            (Some(Ok(image)), _) => Some(Self::Inline(Ok(image))),
            (_, Some(address)) if begins(&address, "data:") => Some(Self::Inline(picture(said, &address))),
            (_, Some(address)) => Some(Self::At(address.trim().to_owned())),
            (inline, None) => inline.map(Self::Inline),
        }
    }
}

impl ImageAnswer {
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
    // A path alone is one of the provider's own.
    let url = Url::options().base_url(Some(provider.url())).parse(address);
    let url =
        url.map_err(|_| Fault::new(FaultKind::BadRequest, "the image was made, and lies at what is no address"))?;
    let mut pauses = PAUSES.into_iter();
    loop {
        let tried = tokio::time::timeout(FETCH_TIMEOUT, fetch(http, provider, &url)).await;
        let failed = match tried {
            Ok(Ok(answer)) => {
                let kind = answer.content_type.unwrap_or_default();
                // A page that says what is wrong is no picture.
                if ["text/", "application/json", "application/xml"].iter().any(|begin| kind.starts_with(begin)) {
                    return Err(not_fetched(&url, &format!("{} lies there", clean(&kind))));
                }
                return file(&kind, answer.body)
                    .map_err(|_| not_fetched(&url, &format!("{} lies there", clean(&kind))));
            }
            Ok(Err(failed)) => failed,
            Err(_) => NotFetched { reason: "it takes too long".into(), again_in: Some(Duration::ZERO) },
        };
        match (failed.again_in, pauses.next()) {
            (Some(asked), Some(pause)) => tokio::time::sleep(pause.max(asked.min(LONGEST_PAUSE))).await,
            _ => return Err(not_fetched(&url, &failed.reason)),
        }
    }
}

fn not_fetched(url: &Url, reason: &str) -> Fault {
    // A user is a secret, and a query may be a signature, which is as good as a key.
    let shown = clean(&format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path()));
    let message = format!("the image was made and lies at {shown}, but can't be fetched from there: {reason}");
    Fault::new(FaultKind::BadRequest, message)
}

struct NotFetched {
    reason: String,
    /// The least time until another try, if that makes sense.
    again_in: Option<Duration>,
}

impl NotFetched {
    fn for_good(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again_in: None }
    }

    fn for_now(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again_in: Some(Duration::ZERO) }
    }
}

/// Fetches a file without any key, from an address that was checked.
async fn fetch(http: &HttpClient, provider: &BaseUrl, from: &Url) -> Result<HttpAnswer, NotFetched> {
    let mut url = from.clone();
    for _ in 0..=REDIRECTS {
        let at = checked(&url, provider).await?;
        let answer = http.fetch(&url, &at).await.map_err(|fault| NotFetched::for_now(fault.message))?;
        match answer.status {
            200..=299 => match answer.cut.as_deref() {
                Some(TOO_LONG) => return Err(NotFetched::for_good(TOO_LONG)),
                Some(reason) => return Err(NotFetched::for_now(reason)),
                None if answer.body.is_empty() => return Err(NotFetched::for_now("it is empty")),
                None => return Ok(answer),
            },
            300..=399 => {
                let to = answer.headers.get(reqwest::header::LOCATION).and_then(|to| to.to_str().ok());
                let to = to.and_then(|to| url.join(to).ok());
                url = to.ok_or_else(|| NotFetched::for_good("it is moved, and not said where to"))?;
            }
            status @ (408 | 425 | 429 | 500..=599) => {
                let again_in = Some(answer.retry_after.unwrap_or_default());
                return Err(NotFetched { reason: format!("the server answers {status}"), again_in });
            }
            status => return Err(NotFetched::for_good(format!("the server answers {status}"))),
        }
    }
    Err(NotFetched::for_good("it is moved too often"))
}

/// The addresses that a host has, of those that may be asked: none of a private network, unless the provider is in one
/// itself; and none of a link alone, where clouds keep their secrets, unless it is the provider's.
async fn checked(url: &Url, provider: &BaseUrl) -> Result<Vec<SocketAddr>, NotFetched> {
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err(NotFetched::for_good("that is no plain http:// or https:// address"));
    }
    let addresses = resolve(url).await.ok_or_else(|| NotFetched::for_now("its host is not known"))?;
    let home: Vec<IpAddr> = resolve(provider.url()).await.unwrap_or_default().iter().map(SocketAddr::ip).collect();
    let provider_is_private = home.iter().any(|ip| is_private(*ip));
    let may_be_asked = |at: &SocketAddr| {
        let ip = at.ip();
        home.contains(&ip) || !is_private(ip) || (provider_is_private && !is_of_a_link(ip))
    };
    let open: Vec<SocketAddr> = addresses.into_iter().filter(may_be_asked).collect();
    if open.is_empty() {
        return Err(NotFetched::for_good("it is in a private network, and the provider is not"));
    }
    Ok(open)
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

/// Whether an address holds on one link alone.
fn is_of_a_link(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => {
            (ip.segments()[0] & 0xffc0) == 0xfe80 || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_link_local())
        }
    }
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
            let [first, second, third, ..] = ip.segments();
            let within = ip.to_ipv4().or_else(|| {
                // 6to4, NAT64 and SIIT hold an address of version 4.
                let octets = ip.octets();
                match (first, second) {
                    (0x2002, _) => Some([octets[2], octets[3], octets[4], octets[5]].into()),
                    (0x64, 0xff9b) | (0, 0) => Some([octets[12], octets[13], octets[14], octets[15]].into()),
                    _ => None,
                }
            });
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || (first & 0xfe00) == 0xfc00
                || (first & 0xffc0) == 0xfe80
                || (first & 0xffc0) == 0xfec0
                || (first == 0x64 && second == 0xff9b && third != 0)
                // Teredo and other protocols; addresses for documents.
                || (first == 0x2001 && (second < 0x200 || second == 0xdb8))
                || (first == 0x3fff && second < 0x1000)
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
            "64:ff9b:1::808:808",
            "::ffff:0:10.0.0.1",
            "2001:0:1::1",
            "3fff::1",
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
        let near = Url::parse("http://192.168.0.10/one.png").unwrap();
        assert!(checked(&near, &open).await.is_err_and(|no| no.again_in.is_none() && no.reason.contains("private")));
        assert!(checked(&near, &home).await.is_ok());
        let secrets = Url::parse("http://169.254.169.254/latest/meta-data").unwrap();
        assert!(checked(&secrets, &home).await.is_err());
        let file = Url::parse("file:///etc/passwd").unwrap();
        assert!(checked(&file, &home).await.is_err());
    }
}
