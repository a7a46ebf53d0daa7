//! OpenAI's wire format: its paths, its keys, and the course of each method.

mod images;
mod problem;
mod reply;
mod request;
mod strict;

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use hyper::http::request::Parts;
use hyper::{Method, Response};
use image::ImageFormat;

use crate::connection::{AnswerBody, ConnectionState};
use crate::drawing::{Kept, PictureRecipe};
use crate::hash::hash;
use crate::prompt::ReceivedPrompt;
use crate::provider::{NoAnswer, SandboxProvider};
use crate::wire::{BreakOff, garbage};

use images::ImagesRequest;
use problem::OpenAiProblem;
use request::{ChatRequest, EmbeddingsRequest};

/// The models that are listed where the configuration names none. Any other of their families answers too.
const LISTED: [&str; 5] = ["sandbox", "gpt-sandbox", "gpt-image-2", "text-embedding-3-small", "text-embedding-3-large"];

/// The beginnings of the names of this format's models.
const FAMILIES: [&str; 3] = ["gpt-", "text-embedding-", "sandbox"];

/// The meaning of a path.
#[derive(Debug, PartialEq, Eq)]
enum OpenAiRoute<'a> {
    List,
    Get(&'a str),
    Chat,
    Embeddings,
    Generations,
    Edits,
}

/// `true` if a request is in this format. Gemini's paths below `/v1` name a model and a method,
/// `/v1/models/NAME:METHOD`; the list of models is told apart by how its key is sent.
pub(crate) fn speaks(head: &Parts) -> bool {
    match head.uri.path().strip_prefix("/v1/") {
        None => false,
        Some(rest) if rest == "models" || rest.starts_with("models/") => {
            head.method == Method::GET && head.headers.contains_key(AUTHORIZATION)
        }
        Some(_) => true,
    }
}

fn route<'a>(method: &Method, path: &'a str) -> Option<OpenAiRoute<'a>> {
    let rest = path.strip_prefix("/v1/")?;
    match (method, rest) {
        (&Method::POST, "chat/completions") => Some(OpenAiRoute::Chat),
        (&Method::POST, "embeddings") => Some(OpenAiRoute::Embeddings),
        (&Method::POST, "images/generations") => Some(OpenAiRoute::Generations),
        (&Method::POST, "images/edits") => Some(OpenAiRoute::Edits),
        (&Method::GET, "models") => Some(OpenAiRoute::List),
        (&Method::GET, _) => rest.strip_prefix("models/").map(OpenAiRoute::Get),
        _ => None,
    }
}

/// The key of a request.
fn key(headers: &HeaderMap) -> Option<&str> {
    let key = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?.trim();
    (!key.is_empty()).then_some(key)
}

/// Two flags: a model of this name makes vectors; it makes anything else.
fn embeds(model: &str) -> (bool, bool) {
    let only = model.contains("embedding");
    (only || !model.starts_with("gpt-"), !only)
}

/// Answers one request whose body has been read.
pub(crate) async fn answer(
    provider: &Arc<SandboxProvider>,
    state: &Arc<ConnectionState>,
    head: &Parts,
    body: &Bytes,
) -> Result<Response<AnswerBody>, BreakOff> {
    let outcome = OpenAiExchange { provider, state }.answer(head, body).await;
    outcome.or_else(|failure| match failure {
        OpenAiFailure::Problem(problem) => {
            provider.recorder.invalid();
            Ok(problem.response())
        }
        OpenAiFailure::NoAnswer(model, NoAnswer::Refused(refusal)) => {
            Ok(problem::refusal(&refusal, &model, provider.config.hints))
        }
        OpenAiFailure::NoAnswer(_, NoAnswer::Failed(kind, call)) => Ok(problem::failure(kind, call)),
        OpenAiFailure::NoAnswer(_, NoAnswer::Garbage(call)) => Ok(garbage(call)),
        OpenAiFailure::NoAnswer(_, NoAnswer::Schema(fault)) => {
            provider.recorder.invalid();
            Ok(OpenAiProblem::invalid("response_format", format!("Invalid schema for response_format: {fault}."))
                .response())
        }
        OpenAiFailure::NoAnswer(_, NoAnswer::Reset) => {
            state.reset();
            Err(BreakOff)
        }
    })
}

/// The reason why a request gets no 200 with an answer.
enum OpenAiFailure {
    Problem(OpenAiProblem),
    /// From the model of this name.
    NoAnswer(String, NoAnswer),
}

impl From<OpenAiProblem> for OpenAiFailure {
    fn from(problem: OpenAiProblem) -> Self {
        Self::Problem(problem)
    }
}

struct OpenAiExchange<'a> {
    provider: &'a Arc<SandboxProvider>,
    state: &'a Arc<ConnectionState>,
}

impl OpenAiExchange<'_> {
    async fn answer(&self, head: &Parts, body: &Bytes) -> Result<Response<AnswerBody>, OpenAiFailure> {
        let path = head.uri.path();
        let route = route(&head.method, path).ok_or_else(|| OpenAiProblem::no_such_path(&head.method, path))?;
        let key = key(&head.headers).ok_or_else(OpenAiProblem::no_key)?;
        if key.starts_with("invalid") {
            return Err(OpenAiProblem::bad_key().into());
        }
        match route {
            OpenAiRoute::List => {
                let configured = self.provider.config.models.as_ref();
                let names =
                    configured.map_or_else(|| LISTED.to_vec(), |models| models.iter().map(String::as_str).collect());
                Ok(reply::models(&names))
            }
            OpenAiRoute::Get(model) if self.provider.knows(model, &FAMILIES) => Ok(reply::model(model)),
            OpenAiRoute::Get(model) => Err(OpenAiProblem::no_such_model(model).into()),
            OpenAiRoute::Chat => self.chat(key, body).await,
            OpenAiRoute::Embeddings => self.embeddings(key, body).await,
            OpenAiRoute::Generations => self.picture(key, read(body)?).await,
            OpenAiRoute::Edits => {
                let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
                self.picture(key, ImagesRequest::of_form(kind, body).await?).await
            }
        }
    }

    async fn chat(&self, key: &str, body: &[u8]) -> Result<Response<AnswerBody>, OpenAiFailure> {
        let request: ChatRequest<'_> = read(body)?;
        let model = request.model.as_ref();
        self.check_model(model)?;
        if !embeds(model).1 {
            return Err(OpenAiProblem::no_chat(model).into());
        }
        request.check()?;
        let form = request.form()?;
        let prompt = ReceivedPrompt { key, model, texts: request.texts(), ..ReceivedPrompt::default() };
        let answer = self.provider.generate(&prompt, form, request.cap()).await;
        let answer = answer.map_err(|reason| OpenAiFailure::NoAnswer(model.to_owned(), reason))?;
        Ok(reply::completion(answer, model, self.provider, self.state))
    }

    async fn embeddings(&self, key: &str, body: &[u8]) -> Result<Response<AnswerBody>, OpenAiFailure> {
        let request: EmbeddingsRequest<'_> = read(body)?;
        let model = request.model.as_ref();
        self.check_model(model)?;
        if !embeds(model).0 {
            return Err(OpenAiProblem::no_embeddings(model).into());
        }
        let (texts, asked) = (request.texts()?, request.asked()?);
        let prompt = ReceivedPrompt { key, model, texts: texts.clone(), ..ReceivedPrompt::default() };
        let answer = self.provider.embed(&prompt).await;
        let answer = answer.map_err(|reason| OpenAiFailure::NoAnswer(model.to_owned(), reason))?;
        Ok(reply::embedded(answer, model, &texts, asked, self.provider, self.state))
    }

    async fn picture(&self, key: &str, request: ImagesRequest) -> Result<Response<AnswerBody>, OpenAiFailure> {
        let model = request.model.as_str();
        self.check_model(model)?;
        let (width, height) = request.check()?;
        let shown = request.shown()?;
        let pictures = request.files.iter().chain(&request.mask).map(|file| hash(0, file)).collect();
        let texts = vec![request.prompt.as_str()];
        let prompt = ReceivedPrompt { key, model, texts, pictures, images: 1, seed: None };
        let (words, files, mask) = (request.prompt.clone(), request.files.clone(), request.mask.clone());
        let draw = move |seed| {
            let kept = files.first().zip(mask.as_deref());
            let kept = kept.map(|(picture, mask)| Kept { picture, mask: Some(mask) });
            PictureRecipe { prompt: &words, seed, shown: &shown, width, height }.file(kept.as_ref(), ImageFormat::Png)
        };
        let answer = self.provider.draw(&prompt, draw).await;
        let answer = answer.map_err(|reason| OpenAiFailure::NoAnswer(model.to_owned(), reason))?;
        Ok(reply::image(answer, self.provider, self.state))
    }

    fn check_model(&self, model: &str) -> Result<(), OpenAiProblem> {
        match model {
            "" => Err(OpenAiProblem::invalid("model", "you must provide a model parameter")),
            model if self.provider.knows(model, &FAMILIES) => Ok(()),
            model => Err(OpenAiProblem::no_such_model(model)),
        }
    }
}

fn read<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, OpenAiProblem> {
    serde_json::from_slice(body).map_err(|error| {
        OpenAiProblem::unnamed(format!(
            "We could not parse the JSON body of your request. (The sandbox says: {error}.)"
        ))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn spoken(method: Method, path: &str, authorized: bool) -> bool {
        let mut request = hyper::Request::builder().method(method).uri(path);
        if authorized {
            request = request.header("authorization", "Bearer k");
        }
        speaks(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn the_formats_are_told_apart_by_their_paths() {
        assert!(spoken(Method::POST, "/v1/chat/completions", false));
        assert!(spoken(Method::POST, "/v1/embeddings", true));
        assert!(spoken(Method::POST, "/v1/responses", true));
        for path in ["/v1beta/models", "/v1beta/models/m:generateContent", "/v1/models/m:generateContent", "/v1", "/"] {
            assert!(!spoken(Method::POST, path, true), "{path}");
        }
        for path in ["/v1/models", "/v1/models/gpt-x"] {
            assert!(spoken(Method::GET, path, true) && !spoken(Method::GET, path, false));
        }
    }

    #[test]
    fn paths_name_a_method() {
        assert_eq!(route(&Method::POST, "/v1/chat/completions"), Some(OpenAiRoute::Chat));
        assert_eq!(route(&Method::GET, "/v1/models/gpt-x"), Some(OpenAiRoute::Get("gpt-x")));
        assert_eq!(route(&Method::GET, "/v1/chat/completions"), None);
        assert_eq!(route(&Method::POST, "/v1/models"), None);
    }
}
