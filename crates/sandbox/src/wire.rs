//! The parts that both wire formats share: the way in which an answer leaves, whatever is in it.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, SERVER};
use hyper::{Response, StatusCode};
use serde::Serialize;

use crate::connection::{AnswerBody, ConnectionState};
use crate::provider::{AdmittedCall, SandboxAnswer, SandboxProvider};
use crate::stats::Delivery;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=UTF-8");
const NAME: HeaderValue = HeaderValue::from_static("atelier-sandbox");

/// The connection is to be broken off.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox breaks off this connection, as it was told to")]
pub(crate) struct BreakOff;

pub(crate) fn respond(status: StatusCode, content_type: HeaderValue, body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.headers_mut().insert(SERVER, NAME);
    response
}

/// A 200 with this value.
pub(crate) fn plain(value: &impl Serialize) -> Response<AnswerBody> {
    respond(StatusCode::OK, JSON, AnswerBody::whole(bytes_of(value), None, None))
}

pub(crate) fn bytes_of(value: &impl Serialize) -> Bytes {
    // Nothing rendered here has keys that are not strings, which is all that could fail.
    serde_json::to_vec(value).unwrap_or_default().into()
}

/// Sends an answer whose body is `bytes`, and counts it once it is written.
pub(crate) fn deliver(
    bytes: Bytes,
    answer: SandboxAnswer,
    provider: &SandboxProvider,
    state: &Arc<ConnectionState>,
) -> Response<AnswerBody> {
    if answer.truncated {
        return respond(StatusCode::OK, JSON, AnswerBody::cut(&bytes, Some(answer.call)));
    }
    let delivery = Delivery {
        recorder: Arc::clone(&provider.recorder),
        items: answer.items,
        input_tokens: answer.input_tokens,
        output_tokens: answer.output_tokens,
    };
    let body = AnswerBody::whole(bytes, Some(answer.call), Some((delivery, Arc::clone(state))));
    respond(StatusCode::OK, JSON, body)
}

/// A 200 that some machine in between might have made.
pub(crate) fn garbage(call: AdmittedCall) -> Response<AnswerBody> {
    let body = Bytes::from_static(
        b"<!doctype html>\n<html><head><title>[sandbox] Welcome</title></head>\
          <body><p>[sandbox] This is not the answer you are looking for.</p></body></html>\n",
    );
    respond(StatusCode::OK, HTML, AnswerBody::whole(body, Some(call), None))
}
