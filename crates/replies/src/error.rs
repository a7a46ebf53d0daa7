//! What can go wrong between a post and its replies.

use std::path::PathBuf;

use atelier_embed::{EmbedError, NoAnswer};
use atelier_engine::EngineError;
use atelier_store::StoreError;

/// Why something in the posts domain could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepliesError {
    /// A finder.yml that can't be used.
    #[error("finder.yml, line {line}: {message}")]
    Finder {
        /// The line, from 1.
        line: u64,
        /// What is wrong there, naming the key.
        message: String,
    },
    /// A finder.yml that is far larger than any real one.
    #[error("finder.yml has {bytes} bytes; at most {limit} are read")]
    FinderTooLarge {
        /// Its size.
        bytes: usize,
        /// The most that is read.
        limit: usize,
    },
    /// A file of posts that can't be read as a whole.
    #[error("the file of posts can't be imported: {0}")]
    Import(String),
    /// A file of decisions that can't be read as a whole.
    #[error("the file is no export that could be taken back: {0}")]
    Review(String),
    /// A strict import with bad rows.
    #[error("{bad} of {rows} rows are bad, so nothing was imported")]
    StrictImport {
        /// How many rows are bad.
        bad: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// There is no such project.
    #[error("there is no project '{0}'")]
    NoSuchProject(String),
    /// None of the projects has a post of this id.
    #[error("there is no post '{0}'")]
    NoSuchPost(String),
    /// No project was named.
    #[error("no project was named")]
    NoProject,
    /// The embedder failed.
    #[error("posts could not be compared with the topics: {0}")]
    Embed(#[from] EmbedError),
    /// A remote embedder gave up on some of its texts.
    #[error("{failed} of {texts} texts could not be embedded: {message}")]
    EmbedIncomplete {
        /// How many have no vector.
        failed: usize,
        /// How many there are.
        texts: usize,
        /// The first reason.
        message: String,
    },
    /// A remote embedder was stopped before all texts were embedded.
    #[error("{missing} of {texts} texts are not embedded: {message}")]
    EmbedStopped {
        /// How many have no vector.
        missing: usize,
        /// How many there are.
        texts: usize,
        /// Why.
        reason: NoAnswer,
        /// The reason.
        message: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine could not run the job.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The exported file could not be written.
    #[error("{} can't be written: {source}", path.display())]
    Export {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A thread that was to do blocking work ended early.
    #[error("a background thread ended early: {0}")]
    Thread(String),
}

atelier_engine::error_codes! {
    RepliesError {
        Self::Finder { .. } => "finder-invalid",
            "Correct that line; the user guide shows every key of finder.yml with its default.";
        Self::FinderTooLarge { .. } => "finder-too-large",
            "Check that this is the right file: a finder.yml has a few kilobytes.";
        Self::Import(_) => "import-unreadable",
            "Give a UTF-8 file of posts as CSV, JSON, JSON Lines or as the X API answered it.";
        Self::Review(_) => "review-unreadable",
            "Give a CSV file that 'replies export' wrote, with its columns of ids.";
        Self::StrictImport { .. } => "import-bad-rows", "Correct the rows, or skip them.";
        Self::NoSuchPost(_) => "no-such-post", "List the posts of the project to see their ids.";
        Self::NoSuchProject(_) => "no-such-project", "List the projects, or add this one with its finder.yml.";
        Self::NoProject => "no-project", "Name at least one project, or take all of them.";
        Self::EmbedIncomplete { .. } => "embedding-incomplete",
            "Run it again: what was embedded is kept. Or use the local embedder.";
        Self::Export { .. } => "export-not-written",
            "Check that the folder exists, can be written to and has room; nothing was marked as exported.";
        Self::Thread(_) => "thread-ended", "Run it again; if it happens again, report it as a bug.";
    }
    else {
        Self::Embed(error) => error;
        Self::EmbedStopped { reason, .. } => reason;
        Self::Store(error) => error;
        Self::Engine(error) => error;
    }
}
