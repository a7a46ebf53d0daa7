//! The reasons for which a file is refused as a picture.

/// The reason for which a file could not be read as a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file is empty.
    #[error("it is empty")]
    Empty,
    /// The file begins as no format that is known here.
    #[error("it is not a picture: its content is of no known format")]
    NotAPicture,
    /// The format, or a feature of it that the file uses, is known and not read here.
    #[error("{0} can't be read")]
    Unsupported(String),
    /// The file is larger than any that is read.
    #[error("the file has {bytes} bytes; at most {limit} are read")]
    TooManyBytes {
        /// The size of the file in bytes.
        bytes: u64,
        /// The largest size in bytes that is read.
        limit: u64,
    },
    /// The file claims to have more pixels than are read.
    #[error("it says that it is {width} x {height} pixels; at most {limit} pixels are read")]
    TooLarge {
        /// The claimed width in pixels.
        width: u64,
        /// The claimed height in pixels.
        height: u64,
        /// The most pixels that are read.
        limit: u64,
    },
    /// Decoding the file would take more memory than one picture may have.
    #[error("to decode it would take {} MB of memory; at most {} are given to a picture", bytes / 1_000_000, limit / 1_000_000)]
    NeedsMemory {
        /// The memory that decoding would take, in bytes.
        bytes: u64,
        /// The most that one picture may have, in bytes.
        limit: u64,
    },
    /// Drawing the file would take too much memory or time.
    #[error("to draw it would take too long: {0}")]
    TooComplex(String),
    /// The file ends before the picture does.
    #[error("it is cut short: the file ends before the picture does")]
    Truncated,
    /// The content contradicts the format.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

atelier_engine::error_codes! {
    PictureError {
        Self::Empty => "picture-empty", "Copy or export the file again: this copy of it is not whole.";
        Self::NotAPicture => "picture-unknown",
            "Save it as JPEG, PNG, WebP, GIF, AVIF, HEIC or SVG, then import that.";
        Self::Unsupported(_) => "picture-unsupported",
            "Save it as JPEG, PNG, WebP, GIF, AVIF, HEIC or SVG, then import that.";
        Self::TooManyBytes { .. } => "picture-file-too-large", "Save a smaller version of it, then import that.";
        Self::TooLarge { .. } => "picture-too-large", "Save a smaller version of it, then import that.";
        Self::NeedsMemory { .. } => "picture-needs-memory", "Save a smaller version of it, then import that.";
        Self::TooComplex(_) => "picture-too-complex", "Export it as PNG, then import that.";
        Self::Truncated => "picture-truncated", "Copy or export the file again: this copy of it is not whole.";
        Self::Damaged(_) => "picture-damaged", "Open it in a picture editor and save it anew, then import that.";
    }
}
