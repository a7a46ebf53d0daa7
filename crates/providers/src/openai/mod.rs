//! OpenAI's API, and every server that speaks it: chat completions, embeddings, and bodies of either as
//! they are.
//!
//! [`Quirks`] say where a server differs. A key is optional: local servers often have none.

mod answer;
mod fault;
mod forms;
mod image;
mod limits;
mod quirks;
mod request;
mod settings;
mod strict;

use std::sync::Arc;
use std::time::Duration;

use atelier_engine::{Fault, FaultKind, Model, Reply, Request};
use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::error::ProviderError;
use crate::error_body::{ErrorBody, located};
use crate::http::{BaseUrl, Endpoint, HttpAnswer, HttpClient};
use crate::listing;
use crate::model_name::check_free_name;
use crate::secret::ApiKey;

use request::Method;

pub use quirks::Quirks;
pub use settings::OpenAiSettings;

/// The time zone in which OpenAI counts its days.
pub const DAY_ZONE: &str = "UTC";

/// One model, at one endpoint, with one key or none.
#[derive(Clone, Debug)]
pub struct OpenAi {
    http: HttpClient,
    base: BaseUrl,
    urls: Arc<OpenAiUrls>,
    headers: HeaderMap,
    key: Option<ApiKey>,
    model: Arc<str>,
    quirks: Quirks,
}

#[derive(Debug)]
struct OpenAiUrls {
    chat: Endpoint,
    embeddings: Endpoint,
    generations: Endpoint,
    edits: Endpoint,
}

impl OpenAi {
    /// A client for the model and the server of `settings`. The endpoint has the API's version in it, as
    /// `OPENAI_BASE_URL` does: `https://api.openai.com/v1`.
    ///
    /// # Errors
    /// A model's name that can't be one, or an `https://` endpoint on a machine without root certificates.
    pub fn new(http: &HttpClient, settings: &OpenAiSettings, model: &str) -> Result<Self, ProviderError> {
        check_free_name(model)?;
        let base = settings.endpoint.clone();
        http.check(&base)?;
        let url = |method: Method| base.join(method.path()).map(BaseUrl::into_endpoint);
        let urls = OpenAiUrls {
            chat: url(Method::Chat)?,
            embeddings: url(Method::Embeddings)?,
            generations: url(Method::Generations)?,
            edits: url(Method::Edits)?,
        };
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        if let Some(key) = &settings.key {
            headers.insert(AUTHORIZATION, key.header_after("Bearer ")?);
        }
        let (http, key, quirks) = (http.clone(), settings.key.clone(), settings.quirks);
        Ok(Self { http, base, urls: Arc::new(urls), headers, key, model: model.into(), quirks })
    }

    /// Opens connections before they are needed, and says how long the quickest took; see
    /// [`HttpClient::warm_up`].
    ///
    /// # Errors
    /// A [`Fault`] if the endpoint can't be reached.
    pub async fn warm_up(&self, connections: usize) -> Result<Duration, Fault> {
        self.http.warm_up(&self.base, connections).await
    }

    async fn exchange(&self, request: Request) -> Result<Reply, Fault> {
        match request {
            Request::Text(text) => {
                let body = request::text(&self.model, &text, &self.quirks)?;
                self.post(Method::Chat, body, answer::text).await
            }
            Request::Embedding(embedding) => {
                let body = request::embedding(&self.model, &embedding, &self.quirks)?;
                self.post(Method::Embeddings, body, |answer| answer::vectors(answer, embedding.inputs.len())).await
            }
            Request::Image(image) if image.images.is_empty() => {
                let body = image::generation(&self.model, &image)?;
                let drawn = self.post(Method::Generations, body, image::answer).await?;
                drawn.into_reply(&self.http, &self.base).await
            }
            Request::Image(image) => {
                let (kind, body) = image::edit(&self.model, &image)?;
                let drawn = self.post_as(Method::Edits, Some(kind), body, image::answer).await?;
                drawn.into_reply(&self.http, &self.base).await
            }
            Request::Raw(raw) => {
                let (method, body) = request::raw(&self.model, &raw.body)?;
                let read = if method == Method::Embeddings { answer::raw_vectors } else { answer::raw };
                self.post(method, body, read).await
            }
        }
    }

    /// The names of the models that the key opens: it costs nothing, and shows that the key works.
    ///
    /// # Errors
    /// The [`Fault`] that the provider, or the way to it, reports.
    pub async fn models(&self) -> Result<Vec<String>, Fault> {
        let hide = |fault| match &self.key {
            Some(key) => key.hide_in(fault),
            None => fault,
        };
        let url =
            self.base.join(listing::PATH).map_err(|error| Fault::new(FaultKind::BadRequest, error.to_string()))?;
        let url = url.into_endpoint();
        let answer = self.http.get(&url, self.headers.clone()).await.map_err(hide)?;
        if !(200..300).contains(&answer.status) {
            let error = ErrorBody::of(&answer);
            let fault = fault::of(&answer, &error, answer.status, &self.model, self.key.as_ref());
            return Err(hide(located(fault, answer.status, &url)));
        }
        listing::names(&answer, "data", "id")
    }

    /// Makes one exchange. `read` turns a 2xx with a whole body into a reply.
    async fn post<T>(
        &self,
        method: Method,
        body: Vec<u8>,
        read: impl Fn(&HttpAnswer) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.post_as(method, None, body, read).await
    }

    /// The same, with a body that is not JSON but of this content type.
    async fn post_as<T>(
        &self,
        method: Method,
        kind: Option<HeaderValue>,
        body: Vec<u8>,
        read: impl Fn(&HttpAnswer) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let url = match method {
            Method::Chat => &self.urls.chat,
            Method::Embeddings => &self.urls.embeddings,
            Method::Generations => &self.urls.generations,
            Method::Edits => &self.urls.edits,
        };
        let mut headers = self.headers.clone();
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, kind);
        }
        let answer = self.http.post(url, headers, body).await?;
        let fault = |status, error: &ErrorBody| {
            let fault = fault::of(&answer, error, status, &self.model, self.key.as_ref());
            located(fault, answer.status, url)
        };
        if !(200..300).contains(&answer.status) {
            return Err(fault(answer.status, &ErrorBody::of(&answer)));
        }
        // Some gateways report an error in a 200, and it says more than that the answer can't be read. The usage
        // is kept either way: it was paid for.
        read(&answer).map_err(|unread| match (unread.kind, answer::WIRE_FORMAT.error(&answer)) {
            (FaultKind::Empty | FaultKind::Unreadable, Some(error)) => {
                Fault { usage: unread.usage, ..fault(error.status(), &error) }
            }
            _ => unread,
        })
    }
}

impl Model for OpenAi {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Reply, Fault>> {
        let hide = |fault| match &self.key {
            Some(key) => key.hide_in(fault),
            None => fault,
        };
        Box::pin(async move { self.exchange(request).await.map_err(hide) })
    }
}
