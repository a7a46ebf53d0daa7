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
    /// There is no room for a file.
    #[error("{} can't be written: the disk is full, or a limit on the size of files is reached", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
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
    /// An image that shows nearly the same as no other.
    #[error("image '{0}' is like no other of the library")]
    NoDuplicates(String),
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
    /// What can't be made, whatever model is asked.
    #[error("{message}")]
    BadRequest {
        /// Which part of the request is at fault.
        fault: RequestFault,
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
    NoSuchGeneratedImage(String),
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

atelier_engine::error_codes! {
    StudioError {
        Self::EmptyQuery => "query-empty",
            "Give words, an image, a colour, or a filter.";
        Self::NothingEmbedded { .. } => "nothing-embedded",
            "Check that the model's files are whole and that the data directory's objects can be read.";
        Self::NoLook => "no-look-model", "Choose one: look = \"local\" under [search] in the configuration.";
        Self::DiskFull { .. } => "disk-full", "Make room on that disk and run it again: what was imported is kept.";
        Self::Source { .. } => "source-unreadable", "Check that the path is right and that your user may read it.";
        Self::Sidecar { .. } => "sidecar-invalid",
            "Correct it; the user guide shows the form of images.json and of its table as CSV.";
        Self::NoSuchImage(_) => "no-such-image", "List the library to see the images there are.";
        Self::NoDuplicates(_) => "no-duplicates", "List the duplicates to see those there are.";
        Self::NoSuchCollection(_) => "no-such-collection",
            "List the collections to see those there are.";
        Self::CollectionExists(_) => "collection-exists", "Choose another name, or add images to the one there is.";
        Self::Value { .. } => "image-value-invalid", "Choose another value.";
        Self::Presets(_) => "presets-unreadable", "Report this as a bug.";
        Self::NoSuchPreset { .. } => "no-such-preset",
            "List the presets of camera, lens and light.";
        Self::NoSuchGeneration(_) => "no-such-generation", "List the images to see what was made.";
        Self::NoSuchGeneratedImage(_) => "no-such-made-image", "List the images to see what was made.";
        Self::NotMade { .. } => "image-not-made",
            "Look at it to see why, or try it again.";
        Self::Plan(_) => "plan-unusable", "Make a new one.";
        Self::Contended(_) => "image-contended", "Run it again once the others are done.";
        Self::ExportExists { .. } => "export-exists", "Name a folder or file that does not exist yet.";
        Self::Export { .. } => "export-not-written", "Check that the folder exists, can be written to and has room.";
        Self::Stopped => "stopped", "Run it again.";
        Self::Thread(_) => "thread-ended", "Run it again; if it happens again, report it as a bug.";
    }
    else {
        Self::Picture(error) => error;
        Self::Store(error) => error;
        Self::Embed(error) => error;
        Self::Search(error) => error;
        Self::BadRequest { fault, .. } => fault;
        Self::Engine(error) => error;
    }
}

impl StudioError {
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

/// What is at fault in a request for images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFault {
    /// A colour is none.
    ColorInvalid,
    /// So many images can't be made.
    CountInvalid,
    /// The mask does not fit the picture, or changes nothing.
    MaskInvalid,
    /// Images are not written in this format.
    FormatInvalid,
    /// The image is no edit.
    NoEdit,
    /// There is no prompt.
    PromptEmpty,
    /// The prompt is longer than any that is sent.
    PromptTooLong,
    /// There are neither one nor two sides.
    SidesInvalid,
    /// A picture of this size can't be made.
    SizeInvalid,
    /// More references were picked than the model takes.
    TooManyReferences,
}

atelier_engine::error_codes! {
    RequestFault {
        Self::ColorInvalid => "color-invalid", "Correct that and try again: nothing was sent.";
        Self::CountInvalid => "count-invalid", "Correct that and try again: nothing was sent.";
        Self::MaskInvalid => "mask-invalid", "Correct that and try again: nothing was sent.";
        Self::FormatInvalid => "format-invalid", "Name a file that ends in .png, .jpg or .webp, or leave the end out.";
        Self::NoEdit => "no-edit", "Correct that and try again: nothing was sent.";
        Self::PromptEmpty => "prompt-empty", "Correct that and try again: nothing was sent.";
        Self::PromptTooLong => "prompt-too-long", "Correct that and try again: nothing was sent.";
        Self::SidesInvalid => "sides-invalid", "Correct that and try again: nothing was sent.";
        Self::SizeInvalid => "size-invalid", "Correct that and try again: nothing was sent.";
        Self::TooManyReferences => "too-many-references", "Correct that and try again: nothing was sent.";
    }
}
