//! Google's Gemini API: text, embeddings, images, and `generateContent` bodies as they are.

mod answer;
mod fault;
mod forms;
mod image;
mod request;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use atelier_engine::{Fault, FaultKind, Model, Reply, Request};
use futures_util::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::error::ProviderError;
use crate::error_body::{ErrorBody, located};
use crate::http::{BaseUrl, Endpoint, HttpAnswer, HttpClient};
use crate::listing;
use crate::model_name::check_name;
use crate::secret::ApiKey;

pub use settings::GeminiSettings;

/// The time zone in which Gemini counts its days, daylight saving included.
pub const DAY_ZONE: &str = "America/Los_Angeles";

/// The version of the API, which follows whatever address is configured.
const VERSION: &str = "/v1beta";

const KEY_HEADER: HeaderName = HeaderName::from_static("x-goog-api-key");

/// One model, at one endpoint, with one key.
#[derive(Clone, Debug)]
pub struct Gemini {
    http: HttpClient,
    base: BaseUrl,
    urls: Arc<GeminiUrls>,
    headers: HeaderMap,
    key: ApiKey,
    model: Arc<str>,
}

#[derive(Debug)]
struct GeminiUrls {
    generate: Endpoint,
    embed: Endpoint,
    embed_batch: Endpoint,
}

impl Gemini {
    /// A client for `model` at `endpoint`, which is the server's address as `GOOGLE_GEMINI_BASE_URL` gives
    /// it: `/v1beta` is appended, unless it is there already.
    ///
    /// # Errors
    /// A model's name that can't stand in a path, or an `https://` endpoint on a machine without root
    /// certificates.
    pub fn new(http: &HttpClient, endpoint: &BaseUrl, key: &ApiKey, model: &str) -> Result<Self, ProviderError> {
        let model = model.strip_prefix("models/").unwrap_or(model);
        check_name(model)?;
        http.check(endpoint)?;
        let versioned = endpoint.path().trim_end_matches('/').ends_with(VERSION);
        let base = if versioned { endpoint.clone() } else { endpoint.join(VERSION)? };
        let url = |method: &str| base.join(&format!("/models/{model}:{method}")).map(BaseUrl::into_endpoint);
        let urls = GeminiUrls {
            generate: url("generateContent")?,
            embed: url("embedContent")?,
            embed_batch: url("batchEmbedContents")?,
        };
        let headers = HeaderMap::from_iter([
            (KEY_HEADER, key.header()?),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        Ok(Self { http: http.clone(), base, urls: Arc::new(urls), headers, key: key.clone(), model: model.into() })
    }

    /// Opens connections before they are needed, and says how long the quickest took; see
    /// [`HttpClient::warm_up`].
    ///
    /// # Errors
    /// A [`Fault`] if the endpoint can't be reached.
    pub async fn warm_up(&self, connections: usize) -> Result<Duration, Fault> {
        self.http.warm_up(&self.base, connections).await
    }

    /// The names of the models that the key opens, the first page of them: it costs nothing, and shows that the key works.
    ///
    /// # Errors
    /// The [`Fault`] that the provider, or the way to it, reports.
    pub async fn models(&self) -> Result<Vec<String>, Fault> {
        let hide = |fault| self.key.hide_in(fault);
        let url =
            self.base.join(listing::PATH).map_err(|error| Fault::new(FaultKind::BadRequest, error.to_string()))?;
        let url = url.into_endpoint();
        let answer = self.http.get(&url, self.headers.clone()).await.map_err(hide)?;
        if !(200..300).contains(&answer.status) {
            let fault = fault::of(&answer, &ErrorBody::of(&answer), answer.status, &self.model, &self.key);
            return Err(hide(located(fault, answer.status, &url)));
        }
        listing::names(&answer, "models", "name")
    }

    async fn exchange(&self, request: Request) -> Result<Reply, Fault> {
        match request {
            Request::Text(text) => {
                let body = request::text(&text)?;
                self.post(&self.urls.generate, body, answer::text).await
            }
            Request::Embedding(embedding) => match embedding.inputs.as_slice() {
                [input] => {
                    let body = request::embedding(&self.model, input, embedding.dimensions)?;
                    self.post(&self.urls.embed, body, answer::vector).await
                }
                inputs => {
                    let body = request::embeddings(&self.model, inputs, embedding.dimensions)?;
                    self.post(&self.urls.embed_batch, body, |answer| answer::vectors(answer, inputs.len())).await
                }
            },
            Request::Image(image) => {
                let body = image::request(&image)?;
                let drawn = self.post(&self.urls.generate, body, image::answer).await?;
                drawn.into_reply(&self.http, &self.base).await
            }
            Request::Raw(raw) => {
                let body = request::raw(&raw.body)?;
                self.post(&self.urls.generate, body, answer::raw).await
            }
        }
    }

    /// Makes one exchange. `read` turns a 2xx into what was asked for.
    async fn post<T>(
        &self,
        url: &Endpoint,
        body: Vec<u8>,
        read: impl Fn(&HttpAnswer) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let answer = self.http.post(url, self.headers.clone(), body).await?;
        let fault = |status, error: &ErrorBody| {
            located(fault::of(&answer, error, status, &self.model, &self.key), answer.status, url)
        };
        if !(200..300).contains(&answer.status) {
            return Err(fault(answer.status, &ErrorBody::of(&answer)));
        }
        // A gateway may report an error in a 200, which says more than that the answer can't be read.
        read(&answer).map_err(|unread| match (unread.kind, answer::WIRE_FORMAT.error(&answer)) {
            (FaultKind::Empty | FaultKind::Unreadable, Some(error)) => {
                Fault { usage: unread.usage, ..fault(error.status(), &error) }
            }
            _ => unread,
        })
    }
}

impl Model for Gemini {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Reply, Fault>> {
        Box::pin(async move { self.exchange(request).await.map_err(|fault| self.key.hide_in(fault)) })
    }
}
