//! The description of an image in a sidecar.

use serde_json::{Map, Value};

/// The description of an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// The id for the image.
    pub id: Option<String>,
    /// The caption; `Some(None)` for none, whatever the metadata of the file says.
    pub caption: Option<Option<String>>,
    /// The tags, instead of those in the metadata of the file; `None` leaves those.
    pub labels: Option<Vec<String>>,
    /// The category.
    pub category: Option<String>,
    /// The score as a reference for tone, 0 to 1.
    pub tone_score: Option<f64>,
    /// The score as a reference for angle, 0 to 1.
    pub angle_score: Option<f64>,
    /// The collections for the image.
    pub collections: Vec<String>,
    /// Everything else, by name.
    pub attributes: Map<String, Value>,
}

/// A description that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadDescription {
    /// The place of the description, such as `images.json, image 3` or `images.csv, line 7`.
    pub place: String,
    /// The reason for which it can't be used.
    pub reason: String,
}
