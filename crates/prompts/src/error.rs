//! What can go wrong with files of prompts.

use std::path::{Path, PathBuf};

use atelier_providers::{ModelRef, Provider};
use atelier_store::StoreError;

/// What the functions here return.
pub type PromptsResult<T> = Result<T, PromptsError>;

/// Why a file of prompts can't be asked, or its answers not be written.
#[derive(Debug, thiserror::Error)]
pub enum PromptsError {
    /// The input can't be read.
    #[error("{} can't be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line can't be understood.
    #[error("{}, line {number}: {reason}", path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        number: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing to ask.
    #[error("{} has no lines", .0.display())]
    Empty(PathBuf),
    /// The lines are in the form of another provider.
    #[error("the lines are in the form of {wants}, and {model} does not take it")]
    WrongForm {
        /// Whose models take it.
        wants: Provider,
        /// The model that was to answer.
        model: ModelRef,
    },
    /// The output holds something that did not come of this input.
    #[error("{} holds something else already", .0.display())]
    OutputExists(PathBuf),
    /// The answers can't be written.
    #[error("{} can't be written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The input is not what the job began with.
    #[error("{} has changed since job {job} began with it", input.display())]
    InputChanged {
        /// The file.
        input: PathBuf,
        /// The job.
        job: String,
    },
    /// The job was begun with another model.
    #[error("job {job} was begun with {before}, not with {now}")]
    ModelChanged {
        /// The job.
        job: String,
        /// The model that it was begun with.
        before: String,
        /// The model that is named now.
        now: String,
    },
    /// The job was begun with something else beside its prompts.
    #[error("job {job} was begun with another system text, temperature or cap on answers")]
    DefaultsChanged {
        /// The job.
        job: String,
    },
    /// The settings of the job that this input belongs to can't be read.
    #[error("the settings of job {job} can't be read: {message}")]
    Settings {
        /// The job.
        job: String,
        /// What is wrong with them.
        message: String,
    },
    /// A thread that was to read the file ended early.
    #[error("a background thread ended early: {0}")]
    Thread(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

atelier_engine::error_codes! {
    PromptsError {
        Self::Unreadable { .. } => "input-unreadable", "give a file of JSON Lines or CSV, or - for stdin";
        Self::BadLine { .. } => "bad-line", "correct the line; nothing was sent";
        Self::Empty(_) => "empty-input", "give a file with a prompt in each line";
        Self::WrongForm { .. } => "wrong-form",
            "name a model of that provider, or write the lines as {\"id\", \"prompt\"}";
        Self::OutputExists(_) => "output-exists", "name another file for the answers, or remove it";
        Self::Unwritable { .. } => "output-unwritable",
            "see to the disk and run the same again: every answer is kept, and none is asked for again";
        Self::InputChanged { .. } => "input-changed",
            "undo the change, or give the job up, or name another file for the answers";
        Self::DefaultsChanged { .. } => "defaults-changed", "ask for the same as then, or name another file for the answers";
        Self::ModelChanged { .. } => "model-changed", "name that model, or another file for the answers";
        Self::Settings { .. } => "job-settings-unreadable", "resume it with the version that made it";
        Self::Thread(_) => "thread-ended", "run it again; if it happens again, report it as a bug";
    }
    else {
        Self::Store(error) => error;
    }
}

impl PromptsError {
    pub(crate) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source }
    }

    pub(crate) fn unwritable(path: &Path, source: std::io::Error) -> Self {
        Self::Unwritable { path: path.to_owned(), source }
    }

    pub(crate) fn bad(path: &Path, number: u64, reason: impl Into<String>) -> Self {
        Self::BadLine { path: path.to_owned(), number, reason: reason.into() }
    }
}
