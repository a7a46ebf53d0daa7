//! What costs money is done once, however often it is asked for.

use atelier_app::{App, AppError, AppResult, code};
use atelier_engine::JobId;
use atelier_store::RequestKey;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Serialize;

use super::problem::{Answer, Problem};
use crate::state::Server;

/// No key is longer.
const LONGEST: usize = 255;

/// The key by which a request is known when it comes again: whoever asks makes one up, such as a UUID, for each thing that
/// they want done.
pub(crate) struct Key(String);

impl FromRequestParts<Server> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Problem> {
        let given = parts.headers.get("idempotency-key").map(|key| key.to_str().unwrap_or_default().trim());
        match given {
            Some(key) if !key.is_empty() && key.len() <= LONGEST => Ok(Self(key.to_owned())),
            Some(_) => {
                let message = format!("an Idempotency-Key has 1 to {LONGEST} visible characters of ASCII");
                Err(AppError::new(code!("key-missing"), message).into())
            }
            None => {
                let message = "what costs money is asked for with an Idempotency-Key";
                Err(AppError::new(code!("key-missing"), message)
                    .hint("send one that is new for each thing you want done, such as a UUID, and the same when you send it again")
                    .into())
            }
        }
    }
}

impl Key {
    /// The request that it stands for: `what` names the route, `body` is what is asked for.
    pub(crate) fn of(self, what: &str, body: &impl Serialize) -> RequestKey {
        let content = serde_json::to_vec(&(what, body)).unwrap_or_default();
        RequestKey { key: self.0, body: blake3::hash(&content).to_hex().to_string() }
    }
}

/// Submits a job, or finds the one that the same request was answered with.
pub(crate) async fn once<F>(app: &App, request: RequestKey, submit: impl FnOnce(App) -> F) -> Answer<JobId>
where
    F: Future<Output = AppResult<JobId>>,
{
    if let Some(job) = answered(app, &request).await? {
        return Ok(job);
    }
    match submit(app.on_request(request.clone())).await {
        Ok(job) => {
            app.wake_queue();
            Ok(job)
        }
        // Somebody was quicker: the same person, in another tab or by another click.
        Err(error) if error.code() == "request-repeated" => {
            answered(app, &request).await?.ok_or_else(|| Problem::from(error))
        }
        Err(error) => Err(error.into()),
    }
}

async fn answered(app: &App, request: &RequestKey) -> Answer<Option<JobId>> {
    match app.store()?.answered_request(&request.key).await? {
        None => Ok(None),
        Some(known) if known.body == request.body => Ok(Some(known.job)),
        Some(_) => {
            let message = "this Idempotency-Key was sent with something else before";
            Err(AppError::new(code!("key-reused"), message).hint("make up another key for another thing").into())
        }
    }
}
