//! What can go wrong, as any face reports it: a stable code, plain words, a hint, and what follows from the code.

mod table;

use atelier_embed::EmbedError;
use atelier_engine::{EngineError, JobId};
use atelier_prompts::PromptsError;
use atelier_providers::ProviderError;
use atelier_replies::RepliesError;
use atelier_sandbox::SandboxError;
use atelier_search::SearchError;
use atelier_store::StoreError;
use atelier_studio::StudioError;

pub use table::{ErrorClass, TABLE, class_of};

/// What the application's functions return.
pub type AppResult<T> = Result<T, AppError>;

/// An error of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppError {
    code: &'static str,
    message: String,
    hint: Option<String>,
    job: Option<JobId>,
}

impl AppError {
    /// An error with a code of the table, which [`code!`](crate::code) checks when it is compiled.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, job: None }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same, of a job that can go on once it is mended.
    #[must_use]
    pub fn of_job(self, job: &JobId) -> Self {
        Self { job: Some(JobId::clone(job)), ..self }
    }

    /// The same, where nobody would go on with the job.
    #[must_use]
    pub fn of_no_job(self) -> Self {
        Self { job: None, ..self }
    }

    /// The same with the place that it is in before the message, such as a file.
    #[must_use]
    pub fn in_place(self, place: impl std::fmt::Display) -> Self {
        Self { message: format!("{place}: {}", self.message), ..self }
    }

    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// What kind of error it is; from it follow exit code and HTTP status.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        class_of(self.code).unwrap_or(ErrorClass::Defect)
    }

    /// In plain words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, in passing: no capital, no full stop. A face may know better how.
    #[must_use]
    pub fn what_to_do(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The job that can go on once it is mended, if there is one.
    #[must_use]
    pub const fn job(&self) -> Option<&JobId> {
        self.job.as_ref()
    }
}

/// The beginning of a text that a user gave, as a message may repeat it: control characters are escaped.
pub(crate) fn excerpt(text: &str, characters: usize) -> String {
    let beginning: String = text.chars().take(characters).collect();
    beginning.escape_debug().to_string()
}

/// A hint follows other words, and other words may follow it: no capital, no full stop.
fn in_passing(hint: &str) -> String {
    let hint = hint.trim_end_matches('.');
    let mut letters = hint.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() => {
            first.to_lowercase().chain([second]).chain(letters).collect()
        }
        _ => hint.to_owned(),
    }
}

macro_rules! from_error {
    ($($error:ty),*) => {$(
        impl From<$error> for AppError {
            fn from(error: $error) -> Self {
                let hint = in_passing(&error.hint());
                let hint = Some(hint).filter(|hint| !hint.is_empty());
                Self { code: error.code(), message: error.to_string(), hint, job: None }
            }
        }
    )*};
}

from_error!(
    StoreError,
    EngineError,
    ProviderError,
    RepliesError,
    EmbedError,
    PromptsError,
    SandboxError,
    SearchError,
    StudioError
);
