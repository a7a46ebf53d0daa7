//! Files that somebody gave.

use atelier_store::Upload;
use serde::Serialize;
use utoipa::ToSchema;

/// A file that somebody gave.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UploadView {
    /// Its id.
    pub id: String,
    /// What it was called.
    pub name: String,
    /// `picture` or `prompts`.
    pub kind: String,
    /// Its format, found by reading it.
    pub format: String,
    /// Pixels in a row, of a picture.
    pub width: Option<u32>,
    /// Rows.
    pub height: Option<u32>,
    /// Its size.
    pub bytes: u64,
    /// The BLAKE3 hash of its bytes.
    pub hash: String,
    /// When it was given.
    pub created_at: String,
}

impl From<Upload> for UploadView {
    fn from(upload: Upload) -> Self {
        let Upload { id, name, kind, format, width, height, bytes, hash, created_at, .. } = upload;
        Self { id, name, kind, format, width, height, bytes, hash, created_at: created_at.to_string() }
    }
}
