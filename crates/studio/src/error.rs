//! What can go wrong with images.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use atelier_embed::EmbedError;
use atelier_engine::EngineError;
use atelier_search::SearchError;
use atelier_store::StoreError;

use crate::library::decode::PictureError;

/// What the methods here return.
pub type StudioResult<T> = Result<T, StudioError>;

/// Why something with images could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudioError {
    /// A file that is no picture that can be kept.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An embedder failed.
    #[error("a picture or its words could not be embedded: {0}")]
    Embed(#[from] EmbedError),
    /// None of many images could be embedded, which is not the images' fault.
    #[error("none of {images} images could be embedded: {reason}")]
    NothingEmbedded {
        /// How many were tried.
        images: usize,
        /// Why one of them could not.
        reason: String,
    },
    /// The search index failed.
    #[error(transparent)]
    Search(SearchError),
    /// A search that asks for nothing.
    #[error("nothing is searched for")]
    EmptyQuery,
    /// A picture is to be compared with others, and no model for pictures is there.
    #[error("pictures can't be compared by their look: no model for pictures is chosen")]
    NoLook,
    /// There is no room for an image's files.
    #[error("{} can't be written: the disk is full, or a limit on the size of files is reached", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// A file of an image can't be written, read or deleted.
    #[error("{} can't be used: {source}", path.display())]
    Object {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// What was to be imported can't be read.
    #[error("{} can't be read: {source}", path.display())]
    Source {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file that describes images can't be used.
    #[error("{} can't be used: {message}", path.display())]
    Sidecar {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// There is no such image.
    #[error("there is no image '{0}'")]
    NoSuchImage(String),
    /// There is no such collection.
    #[error("there is no collection '{0}'")]
    NoSuchCollection(String),
    /// There is such a collection already.
    #[error("there is a collection '{0}' already")]
    CollectionExists(String),
    /// A value that an image can't have.
    #[error("{what} can't be {value:?}: {reason}")]
    Value {
        /// What it is a value of.
        what: &'static str,
        /// The value.
        value: String,
        /// Why not.
        reason: &'static str,
    },
    /// What can't be made, whatever it is asked of.
    #[error("{message}")]
    Wish {
        /// A stable name for the reason.
        code: &'static str,
        /// The reason.
        message: String,
    },
    /// The presets that the program was built with can't be read.
    #[error("the presets of camera and lens can't be read: {0}")]
    Presets(String),
    /// There is no such preset, or category.
    #[error("there is no {kind} '{name}', but {known}")]
    NoSuchPreset {
        /// What it would be.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// There is no such generation.
    #[error("there is no generation '{0}'")]
    NoSuchGeneration(String),
    /// There is no such image among those that were made.
    #[error("there is no image '{0}' among those that were made")]
    NoSuchMade(String),
    /// An image that was asked for is not there.
    #[error("image '{image}' is {state}: there is no file of it")]
    NotMade {
        /// The image.
        image: String,
        /// Its state.
        state: &'static str,
    },
    /// A plan can't be used.
    #[error("the plan can't be used: {0}")]
    Plan(String),
    /// The engine could not run the job.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Others changed an image again and again while it was to be changed.
    #[error("image '{0}' is being changed by others")]
    Contended(String),
    /// An export would overwrite something.
    #[error("{} exists already, and an export overwrites nothing", path.display())]
    ExportExists {
        /// The file or folder.
        path: PathBuf,
    },
    /// An export could not be written.
    #[error("{} can't be written: {source}", path.display())]
    Export {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// It was stopped, and what it had done was taken back.
    #[error("it was stopped before its end")]
    Stopped,
    /// A thread that was to do blocking work ended early.
    #[error("a background thread ended early: {0}")]
    Thread(String),
}

impl StudioError {
    /// A stable name for the error, for logs and machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Picture(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Embed(error) => error.code(),
            Self::Search(error) => error.code(),
            Self::EmptyQuery => "query-empty",
            Self::NothingEmbedded { .. } => "nothing-embedded",
            Self::NoLook => "no-look-model",
            Self::DiskFull { .. } => "disk-full",
            Self::Object { .. } => "object-unusable",
            Self::Source { .. } => "source-unreadable",
            Self::Sidecar { .. } => "sidecar-invalid",
            Self::NoSuchImage(_) => "no-such-image",
            Self::NoSuchCollection(_) => "no-such-collection",
            Self::CollectionExists(_) => "collection-exists",
            Self::Value { .. } => "image-value-invalid",
            Self::Wish { code, .. } => code,
            Self::Presets(_) => "presets-unreadable",
            Self::NoSuchPreset { .. } => "no-such-preset",
            Self::NoSuchGeneration(_) => "no-such-generation",
            Self::NoSuchMade(_) => "no-such-made-image",
            Self::NotMade { .. } => "image-not-made",
            Self::Plan(_) => "plan-unusable",
            Self::Engine(error) => error.code(),
            Self::Contended(_) => "image-contended",
            Self::ExportExists { .. } => "export-exists",
            Self::Export { .. } => "export-not-written",
            Self::Stopped => "stopped",
            Self::Thread(_) => "thread-ended",
        }
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Picture(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Embed(error) => error.hint(),
            Self::Search(error) => error.hint(),
            Self::EmptyQuery => "Give words, an image, a colour, or a filter: --image, --like, --color, --filter.",
            Self::NothingEmbedded { .. } => {
                "Check that the model's files are whole and that the data directory's objects can be read."
            }
            Self::NoLook => "Choose one: look = \"local\" under [search] in the configuration.",
            Self::DiskFull { .. } => "Make room on that disk and run it again: what was imported is kept.",
            Self::Object { .. } => "Check the disk and your rights there, then run it again: what was done is kept.",
            Self::Source { .. } => "Check that the path is right and that your user may read it.",
            Self::Sidecar { .. } => "Correct it; the user guide shows the form of images.json and of its table as CSV.",
            Self::NoSuchImage(_) => "'atelier library list' shows the images there are.",
            Self::NoSuchCollection(_) => "'atelier library collections' shows the collections there are.",
            Self::CollectionExists(_) => "Choose another name, or add images to the one there is.",
            Self::Value { .. } => "Choose another value.",
            Self::Wish { .. } => "Correct that and run it again: nothing was sent.",
            Self::Presets(_) => "Report this as a bug.",
            Self::NoSuchPreset { .. } => "'atelier images presets' lists those of camera, lens and light.",
            Self::NoSuchGeneration(_) | Self::NoSuchMade(_) => "'atelier images list' shows what was made.",
            Self::NotMade { .. } => "'atelier images show' says why; 'atelier images retry' tries again.",
            Self::Plan(_) => "Make a new one: 'atelier images preview'.",
            Self::Engine(error) => error.hint(),
            Self::Contended(_) => "Run it again once the others are done.",
            Self::ExportExists { .. } => "Name a folder or file that does not exist yet.",
            Self::Export { .. } => "Check that the folder exists, can be written to and has room.",
            Self::Stopped => "Run it again.",
            Self::Thread(_) => "Run it again; if it happens again, report it as a bug.",
        }
    }

    /// What an error with an image's file means.
    pub(crate) fn object(path: &Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::DiskFull { path },
            _ => Self::Object { path, source },
        }
    }

    /// What an error with an exported file means.
    pub(crate) fn export(path: &Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::DiskFull { path },
            ErrorKind::AlreadyExists => Self::ExportExists { path },
            _ => Self::Export { path, source },
        }
    }
}
