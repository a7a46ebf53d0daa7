//! What can go wrong in a command: a stable code, plain words, a hint, and the exit code that follows.

use std::borrow::Cow;

use atelier_embed::EmbedError;
use atelier_engine::{EngineError, Fault, FaultKind};
use atelier_providers::ProviderError;
use atelier_replies::RepliesError;
use atelier_sandbox::SandboxError;
use atelier_search::SearchError;
use atelier_store::StoreError;
use atelier_studio::StudioError;

use crate::exit::Exit;

/// An error as a user sees it.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) exit: Exit,
}

/// What commands return.
pub(crate) type CliResult<T> = Result<T, CliError>;

impl CliError {
    pub(crate) fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), hint: None, exit }
    }

    pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, code, message)
    }

    pub(crate) fn configuration(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Exit::Configuration, code, message)
    }

    pub(crate) fn local(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Exit::LocalState, code, message)
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The fault that closed every pool of a job.
    pub(crate) fn closed(fault: &Fault, job: &str) -> Self {
        let act = match fault.kind {
            FaultKind::Credentials => "check the key and what it may use",
            FaultKind::NoSuchModel => {
                // The job keeps the model that it was submitted with.
                let hint = format!("check the model's name; then 'atelier jobs cancel {job}' and submit anew");
                return Self::configuration(fault.kind.code(), fault.message.clone()).hint(hint);
            }
            _ => "see to the account at the provider",
        };
        Self::configuration(fault.kind.code(), fault.message.clone())
            .hint(format!("{act}; nothing is lost: then run 'atelier jobs resume {job}'"))
    }
}

/// The one table from error codes to exit codes. What is not in it is a matter of the command line.
pub(crate) const EXITS: [(&str, Exit); 70] = [
    ("below-baseline", Exit::ItemsFailed),
    ("embedder-slow", Exit::ItemsFailed),
    ("embedding-incomplete", Exit::ItemsFailed),
    ("account-blocked", Exit::Configuration),
    ("bad-base-url", Exit::Configuration),
    ("bad-key", Exit::Configuration),
    ("bad-prices", Exit::Configuration),
    ("calibration-invalid", Exit::Configuration),
    ("clip-file-missing", Exit::Configuration),
    ("clip-model-invalid", Exit::Configuration),
    ("clip-setting-invalid", Exit::Configuration),
    ("config-invalid", Exit::Configuration),
    ("config-unreadable", Exit::Configuration),
    ("credentials", Exit::Configuration),
    ("embedder-absent", Exit::Configuration),
    ("finder-invalid", Exit::Configuration),
    ("finder-too-large", Exit::Configuration),
    ("finder-unreadable", Exit::Configuration),
    ("http-client", Exit::Configuration),
    ("missing-key", Exit::Configuration),
    ("model-file-unreadable", Exit::Configuration),
    ("no-data-dir", Exit::Configuration),
    ("no-look-model", Exit::Configuration),
    ("no-pool", Exit::Configuration),
    ("no-root-certificates", Exit::Configuration),
    ("no-such-model", Exit::Configuration),
    ("price-unknown", Exit::Configuration),
    ("unknown-quirks", Exit::Configuration),
    ("concepts-invalid", Exit::LocalState),
    ("database-corrupt", Exit::LocalState),
    ("database-forbidden", Exit::LocalState),
    ("database-io", Exit::LocalState),
    ("database-locked", Exit::LocalState),
    ("database-newer", Exit::LocalState),
    ("database-refused", Exit::LocalState),
    ("database-unexpected", Exit::LocalState),
    ("disk-full", Exit::LocalState),
    ("export-not-written", Exit::LocalState),
    ("image-contended", Exit::LocalState),
    ("image-file-gone", Exit::LocalState),
    ("index-closed", Exit::LocalState),
    ("index-damaged", Exit::LocalState),
    ("index-full", Exit::LocalState),
    ("index-io", Exit::LocalState),
    ("index-lexical", Exit::LocalState),
    ("index-missing", Exit::LocalState),
    ("index-owned", Exit::LocalState),
    ("index-settings-differ", Exit::LocalState),
    ("inference-failed", Exit::LocalState),
    ("job-held", Exit::LocalState),
    ("job-settings-unreadable", Exit::LocalState),
    ("look-model-invalid", Exit::LocalState),
    ("model-invalid", Exit::LocalState),
    ("nothing-embedded", Exit::LocalState),
    ("object-unusable", Exit::LocalState),
    ("output", Exit::LocalState),
    ("output-unwritable", Exit::LocalState),
    ("port-file", Exit::LocalState),
    ("runtime", Exit::LocalState),
    ("sandbox-bind", Exit::LocalState),
    ("sandbox-no-runtime", Exit::LocalState),
    ("sandbox-time-zone", Exit::LocalState),
    ("signals", Exit::LocalState),
    ("store-closed", Exit::LocalState),
    ("text-not-tokenized", Exit::LocalState),
    ("thread-ended", Exit::LocalState),
    ("tokenizer-invalid", Exit::LocalState),
    ("vector-damaged", Exit::LocalState),
    ("over-budget", Exit::OverBudget),
    ("parked", Exit::Parked),
];

fn exit_for(code: &str) -> Exit {
    EXITS.iter().find(|(name, _)| *name == code).map_or(Exit::Usage, |(_, exit)| *exit)
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
        impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                let code = error.code();
                Self {
                    exit: exit_for(code),
                    hint: Some(in_passing(&error.hint())).filter(|hint| !hint.is_empty()),
                    message: error.to_string(),
                    code: code.into(),
                }
            }
        }
    )*};
}

from_error!(StoreError, EngineError, ProviderError, RepliesError, EmbedError, SandboxError, SearchError, StudioError);
