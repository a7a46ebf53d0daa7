//! Errors as answers: `application/problem+json` (RFC 9457), with the code, message and hint that every face shows.

use atelier_app::{AppError, code};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// What a handler returns.
pub(crate) type Answer<T> = Result<T, Problem>;

/// An error on its way to whoever asked. The request's id is added on the way out.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) error: AppError,
    /// Each thing that is wrong with what was sent.
    pub(crate) errors: Vec<FieldProblem>,
    /// After how many seconds it may be tried again.
    pub(crate) retry_after: Option<u64>,
}

/// The body of an answer that reports an error.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// What kind of problem: `urn:atelier:` and the code.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The kind of error in two words.
    pub(crate) title: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// A stable code.
    pub(crate) code: &'static str,
    /// What is wrong, in plain words.
    pub(crate) detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// By what the request is found in the log.
    pub(crate) request_id: String,
    /// Each thing that is wrong with what was sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<FieldProblem>,
}

/// One thing that is wrong with what was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// Where: a JSON pointer into the body (RFC 6901), or `?name` of a parameter.
    pub(crate) pointer: String,
    /// What.
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn of_fields(errors: Vec<FieldProblem>) -> Self {
        let message = match errors.as_slice() {
            [one] if one.pointer.is_empty() => one.message.clone(),
            [one] => format!("{}: {}", one.pointer, one.message),
            many => format!("{} things are wrong with what was sent", many.len()),
        };
        Self { errors, ..Self::from(AppError::new(code!("request-invalid"), message)) }
    }

    pub(crate) fn body(&self, request_id: &str) -> ProblemBody {
        let class = self.error.class();
        ProblemBody {
            kind: format!("urn:atelier:{}", self.error.code()),
            title: class.name(),
            status: class.http_status(),
            code: self.error.code(),
            detail: self.error.message().to_owned(),
            hint: self.error.what_to_do().map(str::to_owned),
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
        }
    }
}

impl<E: Into<AppError>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self { error: error.into(), errors: Vec::new(), retry_after: None }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = axum::http::StatusCode::from_u16(self.error.class().http_status());
        let mut response = status.unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
