//! Images of the library.

use atelier_store::Image;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// An image of the library: all that is known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImageView {
    /// Its id.
    pub id: String,
    /// Its file's name.
    pub filename: String,
    /// What is to be seen.
    pub caption: Option<String>,
    /// Its tags, under the name that images.json has for them.
    pub labels: Vec<String>,
    /// Its category.
    pub category: Option<String>,
    /// The collections that it is in.
    pub collections: Vec<String>,
    /// How well it serves as a reference for tone, from 0 to 1.
    pub tone_score: Option<f64>,
    /// The same for angle.
    pub angle_score: Option<f64>,
    /// What else is said of it.
    pub attributes: Map<String, Value>,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Its file's format.
    pub format: String,
    /// Its file's size.
    pub bytes: u64,
    /// Its main colours.
    pub palette: Vec<String>,
    /// The BLAKE3 hash of its file.
    pub hash: String,
    /// Its perceptual hash, in hexadecimal.
    pub phash: String,
    /// When it was taken.
    pub taken_at: Option<String>,
    /// When it was imported.
    pub added_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// Who brought it, as they called themselves.
    pub uploader: Option<String>,
    /// Who owns it.
    pub owner: String,
    /// Where it was imported from.
    pub source: Option<String>,
    /// How it came about, if it was made here.
    pub provenance: Option<Value>,
}

impl From<&Image> for ImageView {
    fn from(image: &Image) -> Self {
        Self {
            id: image.id.clone(),
            filename: image.filename.clone(),
            caption: image.caption.clone(),
            labels: image.tags.clone(),
            category: image.category.clone(),
            collections: image.collections.clone(),
            tone_score: image.tone_score,
            angle_score: image.angle_score,
            attributes: image.attributes.clone(),
            width: image.width,
            height: image.height,
            format: image.format.clone(),
            bytes: image.bytes,
            palette: image.palette.clone(),
            hash: image.hash.clone(),
            phash: format!("{:016x}", image.phash),
            taken_at: image.taken_at.map(|at| at.to_string()),
            added_at: image.added_at.to_string(),
            updated_at: image.updated_at.to_string(),
            uploader: image.uploader.clone(),
            owner: image.owner.clone(),
            source: image.source.clone(),
            provenance: image.provenance.clone(),
        }
    }
}

/// A page of the library.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImageListView {
    /// How many pass the filter in all.
    pub total: u64,
    /// The newest first.
    pub images: Vec<ImageView>,
    /// After which place the next page begins.
    pub next: Option<String>,
}

/// A tag or a collection.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NamedCountView {
    /// Its name.
    pub name: String,
    /// How many images have it.
    pub images: u64,
}

/// The samples that ship with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SamplesView {
    /// How many there are.
    pub samples: u64,
    /// How many of them are in the library.
    pub there: u64,
    /// How many other images the library has.
    pub others: u64,
}
