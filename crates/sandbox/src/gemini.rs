//! Gemini's wire format: its paths, its keys, and the course of each method.

mod problem;
mod reply;
mod request;

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::HeaderMap;
use hyper::{Method, Response, Uri};
use image::ImageFormat;

use crate::connection::{AnswerBody, ConnectionState};
use crate::drawing::PictureRecipe;
use crate::hash::hash;
use crate::prompt::ReceivedPrompt;
use crate::provider::{NoAnswer, SandboxProvider};
use crate::wire::{BreakOff, garbage};

use problem::GeminiProblem;
use request::{BatchEmbedRequest, CountRequest, EmbedRequest, GenerateRequest, ReceivedContent, shown};

/// The models that are listed where the configuration names none. Any other `gemini-…` answers too.
const LISTED: [&str; 6] = [
    "sandbox",
    "gemini-3.8-flash",
    "gemini-3.5-flash",
    "gemini-3.5-flash-lite",
    "gemini-embedding-001",
    "gemini-embedding-2",
];

/// The beginnings of the names of this format's models.
const FAMILIES: [&str; 2] = ["gemini-", "sandbox"];

/// The most texts of one `batchEmbedContents`.
const BATCH: usize = 100;

/// The meaning of a path.
#[derive(Debug, PartialEq, Eq)]
enum GeminiRoute<'a> {
    List,
    Get(&'a str),
    Call(&'a str, Verb),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Generate,
    Embed,
    BatchEmbed,
    CountTokens,
}

impl Verb {
    const ALL: [Self; 4] = [Self::Generate, Self::Embed, Self::BatchEmbed, Self::CountTokens];

    fn name(self) -> &'static str {
        match self {
            Self::Generate => "generateContent",
            Self::Embed => "embedContent",
            Self::BatchEmbed => "batchEmbedContents",
            Self::CountTokens => "countTokens",
        }
    }

    /// `true` if a model of this name has the method. The one called `sandbox` has them all.
    fn suits(self, model: &str) -> bool {
        let embeds = model.contains("embedding");
        match self {
            Self::Generate => !embeds,
            Self::Embed | Self::BatchEmbed => embeds || model.starts_with("sandbox"),
            Self::CountTokens => true,
        }
    }
}

/// `true` if a model for embeddings takes pictures, too.
fn sees(model: &str) -> bool {
    !model.contains("embedding-001")
}

/// Parses a path, such as `/v1beta/models/gemini-3.8-flash:generateContent`; `None` if there is nothing there.
fn route<'a>(method: &Method, path: &'a str) -> Option<GeminiRoute<'a>> {
    let rest = path.strip_prefix("/v1beta/models").or_else(|| path.strip_prefix("/v1/models"))?;
    if rest.is_empty() || rest == "/" {
        return (method == Method::GET).then_some(GeminiRoute::List);
    }
    let name = rest.strip_prefix('/')?;
    match name.rsplit_once(':') {
        None if method == Method::GET => Some(GeminiRoute::Get(name)),
        Some((model, verb)) if method == Method::POST => {
            let verb = Verb::ALL.into_iter().find(|known| known.name() == verb)?;
            Some(GeminiRoute::Call(model, verb))
        }
        _ => None,
    }
}

/// The key of a request: from its header, or else from its URL, as Google allows.
fn key<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let header = headers.get("x-goog-api-key").and_then(|value| value.to_str().ok());
    let key = header.or_else(|| uri.query()?.split('&').find_map(|pair| pair.strip_prefix("key=")))?;
    let key = key.trim();
    (!key.is_empty()).then_some(key)
}

/// Answers one request whose body has been read.
pub(crate) async fn answer(
    provider: &Arc<SandboxProvider>,
    state: &Arc<ConnectionState>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response<AnswerBody>, BreakOff> {
    let exchange = GeminiExchange { provider, state };
    let outcome = exchange.answer(method, uri, headers, body).await;
    outcome.or_else(|failure| match failure {
        GeminiFailure::Problem(problem) => {
            provider.recorder.invalid();
            Ok(problem.response())
        }
        GeminiFailure::NoAnswer(model, NoAnswer::Refused(refusal)) => {
            Ok(problem::refusal(&refusal, &model, provider.config.hints))
        }
        GeminiFailure::NoAnswer(_, NoAnswer::Failed(kind, call)) => Ok(problem::failure(kind, call)),
        GeminiFailure::NoAnswer(_, NoAnswer::Garbage(call)) => Ok(garbage(call)),
        GeminiFailure::NoAnswer(_, NoAnswer::Schema(fault)) => {
            provider.recorder.invalid();
            Ok(GeminiProblem::invalid(format!("Invalid response schema: {fault}.")).response())
        }
        GeminiFailure::NoAnswer(_, NoAnswer::Reset) => {
            state.reset();
            Err(BreakOff)
        }
    })
}

/// The reason why a request gets no 200 with an answer.
enum GeminiFailure {
    Problem(GeminiProblem),
    /// From the model of this name.
    NoAnswer(String, NoAnswer),
}

impl From<GeminiProblem> for GeminiFailure {
    fn from(problem: GeminiProblem) -> Self {
        Self::Problem(problem)
    }
}

struct GeminiExchange<'a> {
    provider: &'a Arc<SandboxProvider>,
    state: &'a Arc<ConnectionState>,
}

impl GeminiExchange<'_> {
    async fn answer(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<AnswerBody>, GeminiFailure> {
        let route = route(method, uri.path()).ok_or_else(|| GeminiProblem::no_such_path(method, uri.path()))?;
        let key = key(headers, uri).ok_or_else(GeminiProblem::no_key)?;
        if key.starts_with("invalid") {
            return Err(GeminiProblem::bad_key().into());
        }
        match route {
            GeminiRoute::List => {
                let configured = self.provider.config.models.as_ref();
                let names =
                    configured.map_or_else(|| LISTED.to_vec(), |models| models.iter().map(String::as_str).collect());
                Ok(reply::models(&names))
            }
            GeminiRoute::Get(model) if self.provider.knows(model, &FAMILIES) => Ok(reply::model(model)),
            GeminiRoute::Get(model) => Err(GeminiProblem::no_such_model(model, "getModel").into()),
            GeminiRoute::Call(model, verb) if !self.provider.knows(model, &FAMILIES) || !verb.suits(model) => {
                Err(GeminiProblem::no_such_model(model, verb.name()).into())
            }
            GeminiRoute::Call(model, Verb::Generate) => self.generate(key, model, body).await,
            GeminiRoute::Call(model, Verb::Embed) => self.embed(key, model, body).await,
            GeminiRoute::Call(model, Verb::BatchEmbed) => self.batch_embed(key, model, body).await,
            GeminiRoute::Call(_, Verb::CountTokens) => Ok(count_tokens(body)?),
        }
    }

    async fn generate(&self, key: &str, model: &str, body: &[u8]) -> Result<Response<AnswerBody>, GeminiFailure> {
        let request: GenerateRequest<'_> = read(body)?;
        request.check()?;
        let config = &request.generation_config;
        let form = config.form()?;
        let (texts, files) = (request.texts(), request.pictures()?);
        let pictures = files.iter().map(|picture| hash(0, picture)).collect();
        if config.wants_images() {
            let (width, height) = config.size()?;
            let prompt = ReceivedPrompt { key, model, texts, pictures, images: 1, seed: config.seed };
            let shown = shown(&files)?;
            let words = prompt.texts.join("\n");
            let draw = move |seed| {
                PictureRecipe { prompt: &words, seed, shown: &shown, width, height }.file(None, ImageFormat::Png)
            };
            let answer = self.provider.draw(&prompt, draw).await;
            let answer = answer.map_err(|reason| GeminiFailure::NoAnswer(model.to_owned(), reason))?;
            return Ok(reply::generated(answer, self.provider, self.state));
        }
        let prompt = ReceivedPrompt { key, model, texts, pictures, images: 0, seed: config.seed };
        let answer = self.provider.generate(&prompt, form, config.max_output_tokens).await;
        let answer = answer.map_err(|reason| GeminiFailure::NoAnswer(model.to_owned(), reason))?;
        Ok(reply::generated(answer, self.provider, self.state))
    }

    async fn embed(&self, key: &str, model: &str, body: &[u8]) -> Result<Response<AnswerBody>, GeminiFailure> {
        let request: EmbedRequest<'_> = read(body)?;
        self.vectors(key, model, &[request], false).await
    }

    async fn batch_embed(&self, key: &str, model: &str, body: &[u8]) -> Result<Response<AnswerBody>, GeminiFailure> {
        let request: BatchEmbedRequest<'_> = read(body)?;
        let count = request.requests.len();
        if count == 0 {
            return Err(
                GeminiProblem::invalid("* BatchEmbedContentsRequest.requests: requests is not specified").into()
            );
        }
        if count > BATCH {
            let message = format!("* BatchEmbedContentsRequest.requests: at most {BATCH} requests can be in one batch");
            return Err(GeminiProblem::invalid(message).into());
        }
        self.vectors(key, model, &request.requests, true).await
    }

    async fn vectors(
        &self,
        key: &str,
        model: &str,
        requests: &[EmbedRequest<'_>],
        batch: bool,
    ) -> Result<Response<AnswerBody>, GeminiFailure> {
        let mut asked = Vec::with_capacity(requests.len());
        let (mut texts, mut pictures) = (Vec::with_capacity(requests.len()), Vec::new());
        for request in requests {
            let input = request.input(sees(model), &mut pictures)?;
            texts.extend_from_slice(&input.texts);
            asked.push((input, request.dimensions()?));
        }
        let prompt = ReceivedPrompt { key, model, texts, pictures, ..ReceivedPrompt::default() };
        let answer = self.provider.embed(&prompt).await;
        let answer = answer.map_err(|reason| GeminiFailure::NoAnswer(model.to_owned(), reason))?;
        Ok(reply::embedded(answer, model, &asked, batch, self.provider, self.state))
    }
}

fn count_tokens(body: &[u8]) -> Result<Response<AnswerBody>, GeminiProblem> {
    let request: CountRequest<'_> = read(body)?;
    let texts = match &request.generate_content_request {
        Some(inner) => inner.texts(),
        None => ReceivedContent::texts(&request.contents),
    };
    if texts.is_empty() {
        return Err(GeminiProblem::invalid("* CountTokensRequest.contents: contents is not specified"));
    }
    let tokens = ReceivedPrompt { texts, ..ReceivedPrompt::default() }.tokens();
    Ok(reply::token_count(tokens))
}

fn read<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, GeminiProblem> {
    serde_json::from_slice(body)
        .map_err(|error| GeminiProblem::invalid(format!("Invalid JSON payload received. {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_a_model_and_a_method() {
        let post = |path| route(&Method::POST, path);
        let flash = "/v1beta/models/gemini-3.8-flash:generateContent";
        assert_eq!(post(flash), Some(GeminiRoute::Call("gemini-3.8-flash", Verb::Generate)));
        assert_eq!(post("/v1/models/m:countTokens"), Some(GeminiRoute::Call("m", Verb::CountTokens)));
        assert_eq!(post("/v1beta/models/m:streamGenerateContent"), None);
        assert_eq!(post("/v1beta/models"), None);
        assert_eq!(route(&Method::GET, "/v1beta/models"), Some(GeminiRoute::List));
        assert_eq!(route(&Method::GET, "/v1beta/models/m"), Some(GeminiRoute::Get("m")));
        assert_eq!(route(&Method::GET, "/v1beta/modelsm"), None);
        assert_eq!(route(&Method::GET, flash), None);
    }

    #[test]
    fn a_key_is_taken_from_the_header_before_the_url() {
        let uri: Uri = Uri::from_static("/v1beta/models?alt=json&key=fromurl");
        let mut headers = HeaderMap::new();
        assert_eq!(key(&headers, &uri), Some("fromurl"));
        headers.insert("x-goog-api-key", hyper::header::HeaderValue::from_static("fromheader"));
        assert_eq!(key(&headers, &uri), Some("fromheader"));
        assert_eq!(key(&HeaderMap::new(), &Uri::from_static("/v1beta/models?key=")), None);
    }
}
