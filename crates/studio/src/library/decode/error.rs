//! Why a file is no picture that can be kept.

/// Why a file could not be read as a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// Nothing is in the file.
    #[error("it is empty")]
    Empty,
    /// Its bytes are of no format that is known here.
    #[error("it is not a picture: its content is of no known format")]
    NotAPicture,
    /// Its format, or what it makes of it, can't be read here.
    #[error("{0} can't be read")]
    Unsupported(String),
    /// The file is larger than any that is read.
    #[error("the file has {bytes} bytes; at most {limit} are read")]
    TooManyBytes {
        /// Its size.
        bytes: u64,
        /// The most that is read.
        limit: u64,
    },
    /// It says that it has more pixels than any picture that is read.
    #[error("it says that it is {width} x {height} pixels; at most {limit} pixels are read")]
    TooLarge {
        /// Its width.
        width: u64,
        /// Its height.
        height: u64,
        /// The most that is read.
        limit: u64,
    },
    /// To decode it would take more memory than any picture may.
    #[error("to decode it would take {} MB of memory; at most {} are given to a picture", bytes / 1_000_000, limit / 1_000_000)]
    NeedsMemory {
        /// What it would take, in bytes.
        bytes: u64,
        /// The most that is given.
        limit: u64,
    },
    /// To draw it would take too much memory or time.
    #[error("to draw it would take too long: {0}")]
    TooComplex(String),
    /// The file ends before the picture does.
    #[error("it is cut short: the file ends before the picture does")]
    Truncated,
    /// What the file holds contradicts its format.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

impl PictureError {
    /// A stable name for the reason.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "picture-empty",
            Self::NotAPicture => "picture-unknown",
            Self::Unsupported(_) => "picture-unsupported",
            Self::TooManyBytes { .. } => "picture-file-too-large",
            Self::TooLarge { .. } => "picture-too-large",
            Self::NeedsMemory { .. } => "picture-needs-memory",
            Self::TooComplex(_) => "picture-too-complex",
            Self::Truncated => "picture-truncated",
            Self::Damaged(_) => "picture-damaged",
        }
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Empty | Self::Truncated => "Copy or export the file again: this copy of it is not whole.",
            Self::NotAPicture | Self::Unsupported(_) => {
                "Save it as JPEG, PNG, WebP, GIF, AVIF, HEIC or SVG, then import that."
            }
            Self::TooManyBytes { .. } | Self::TooLarge { .. } | Self::NeedsMemory { .. } => {
                "Save a smaller version of it, then import that."
            }
            Self::TooComplex(_) => "Export it as PNG, then import that.",
            Self::Damaged(_) => "Open it in a picture editor and save it anew, then import that.",
        }
    }
}
