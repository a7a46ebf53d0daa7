//! Images that show nearly the same.

use atelier_store::Image;
use serde::Serialize;
use utoipa::ToSchema;

/// Groups of images that show nearly the same.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DuplicatesView {
    /// Each with its largest image first.
    pub groups: Vec<Vec<DuplicateView>>,
}

/// An image of such a group.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DuplicateView {
    /// Its id.
    pub id: String,
    /// Its file's name.
    pub filename: String,
    /// Where it was imported from.
    pub path: Option<String>,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Its file's size.
    pub bytes: u64,
    /// What is to be seen.
    pub caption: Option<String>,
}

impl From<Image> for DuplicateView {
    fn from(image: Image) -> Self {
        let Image { id, filename, source: path, width, height, bytes, caption, .. } = image;
        Self { id, filename, path, width, height, bytes, caption }
    }
}
