//! The error of this crate, each case with a stable code and a hint.

use std::path::{Path, PathBuf};

use crate::settings::Space;

/// Result of this crate's functions.
pub type SearchResult<T> = Result<T, SearchError>;

/// Why the index could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// Another process owns the index.
    #[error("the search index in {} is owned by another process{}", dir.display(), by.map_or_else(String::new, |pid| format!(", {pid}")))]
    Owned {
        /// Folder of the index.
        dir: PathBuf,
        /// The number of that process, if it could be read.
        by: Option<u32>,
    },
    /// There is no index to read.
    #[error("there is no search index in {}", dir.display())]
    NotThere {
        /// Folder in which it was looked for.
        dir: PathBuf,
    },
    /// A file is not what was written.
    #[error("the search index is damaged: {file}: {detail}")]
    Damaged {
        /// The file, within the index's folder.
        file: String,
        /// The mismatch, as a sentence.
        detail: String,
    },
    /// The index was built with other settings than it is opened with.
    #[error("the search index was built with other settings: {detail}")]
    OtherSettings {
        /// The settings that differ.
        detail: String,
    },
    /// The index was opened to read only.
    #[error("the search index was opened to read only")]
    ReadOnly,
    /// An earlier failure could not be undone.
    #[error("the search index can't be written any more: {detail}")]
    Closed {
        /// The failure that could not be undone.
        detail: String,
    },
    /// A vector has not as many numbers as its space.
    #[error("a vector of {found} numbers does not belong to the space of {space}, which has {expected}")]
    Dimensions {
        /// Space that the vector was given for.
        space: Space,
        /// Dimensions of the space.
        expected: usize,
        /// Dimensions of the vector.
        found: usize,
    },
    /// A vector was given for a space that the index does not have.
    #[error("the search index has no space of {space}")]
    NoSpace {
        /// Space that the vector was given for.
        space: Space,
    },
    /// A setting is out of its range.
    #[error("{name} is {value}, which is not {expected}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// Value of the setting.
        value: String,
        /// The range that it must be in, in words.
        expected: &'static str,
    },
    /// There is no such image.
    #[error("there is no image {id} in the search index")]
    NoSuchImage {
        /// Id that was asked for.
        id: String,
    },
    /// There is nothing of that image to compare others with.
    #[error("image {id} has no vector to find others like it by")]
    NoVector {
        /// Id that was asked for.
        id: String,
    },
    /// An id that is empty or too long.
    #[error("an image's id has {bytes} bytes, which is not 1 to 512")]
    Id {
        /// Length of the id in bytes.
        bytes: usize,
    },
    /// The changes' number runs backwards.
    #[error("the change numbered {up_to} comes after number {applied}")]
    Backwards {
        /// Number that was given.
        up_to: u64,
        /// The number that was applied before.
        applied: u64,
    },
    /// All row numbers are used up.
    #[error("the search index has used up its row numbers")]
    Full,
    /// The disk or the system failed.
    #[error("{} can't be used: {detail}", path.display())]
    Io {
        /// Path of the file or folder.
        path: PathBuf,
        /// Message of the operating system.
        detail: String,
    },
    /// Tantivy failed, other than by damaged data.
    #[error("the lexical index failed: {0}")]
    Lexical(String),
    /// A filter can't be understood.
    #[error("the filter {text} can't be understood: it is {expected}")]
    Filter {
        /// As it was written.
        text: String,
        /// What its value may be.
        expected: &'static str,
    },
    /// A judged query can't be read.
    #[error("line {line} of the judged queries: {detail}")]
    Queries {
        /// Number of the line, from 1.
        line: usize,
        /// The rule that the line breaks.
        detail: String,
    },
    /// A baseline can't be read or compared with.
    #[error("the baseline can't be compared with: {0}")]
    Baseline(String),
}

atelier_engine::error_codes! {
    SearchError {
        Self::Owned { .. } => "index-owned", "open it to read only, or let that process apply the changes";
        Self::NotThere { .. } => "index-missing",
            "import images, or name the data directory that has some";
        Self::Damaged { .. } => "index-damaged",
            "it holds nothing that the library does not: open it to write, and it is rebuilt";
        Self::OtherSettings { .. } => "index-settings-differ",
            "open it to write, and it is rebuilt with these; or choose the embedder that it was built with";
        Self::ReadOnly => "index-read-only", "only the process that owns the index applies changes";
        Self::Closed { .. } => "index-closed", "open it again: it goes on from the last commit";
        Self::Dimensions { .. } => "index-dimensions-differ",
            "vectors come from the embedder that the index was opened with";
        Self::NoSpace { .. } => "index-no-such-space",
            "leave that vector out, or open the index with an embedder for it";
        Self::Setting { .. } => "index-setting-invalid", "correct the setting";
        Self::NoSuchImage { .. } => "no-such-image",
            "give its id, which may differ from its file's name; a new one is found once its import is committed";
        Self::NoVector { .. } => "image-without-vector", "images get their vectors soon after their import";
        Self::Id { .. } => "image-id-invalid", "give each image a short id";
        Self::Backwards { .. } => "index-change-backwards", "changes are applied in the order of the library's log";
        Self::Full => "index-full", "remove the index's folder: it is rebuilt from the library";
        Self::Io { .. } => "index-io", "check the disk and the path, then try again";
        Self::Lexical(_) => "index-lexical",
            "open the index again; if it fails again, remove its folder, and it is rebuilt";
        Self::Filter { .. } => "filter-invalid", "write it as the message says";
        Self::Queries { .. } => "judged-queries-invalid",
            "each line is {\"query\": \"...\", \"relevant\": [\"id\", ...]} or {..., \"relevant\": {\"id\": grade}}";
        Self::Baseline(_) => "baseline-invalid", "save a new baseline with the same queries";
    }
}

impl SearchError {
    /// Whether the index itself is broken, so that it has to be built anew.
    #[must_use]
    pub const fn wants_rebuild(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::OtherSettings { .. } | Self::Full)
    }

    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), detail: error.to_string() }
    }

    pub(crate) fn damaged(file: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Damaged { file: file.into(), detail: detail.into() }
    }
}

impl From<tantivy::TantivyError> for SearchError {
    fn from(error: tantivy::TantivyError) -> Self {
        match error {
            tantivy::TantivyError::DataCorruption(detail) => Self::damaged("words", format!("{detail:?}")),
            other => Self::Lexical(other.to_string()),
        }
    }
}

impl From<std::io::Error> for SearchError {
    fn from(error: std::io::Error) -> Self {
        Self::Lexical(error.to_string())
    }
}
