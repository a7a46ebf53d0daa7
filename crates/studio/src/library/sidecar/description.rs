//! What a sidecar says of an image.

use serde_json::{Map, Value};

/// What is said of an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// The id that the image is to have.
    pub id: Option<String>,
    /// What is to be seen; `Some(None)` if it says that there is no caption, whatever stands in the file.
    pub caption: Option<Option<String>>,
    /// Its tags, in the place of those that stand in the file; `None` if it says nothing of them.
    pub labels: Option<Vec<String>>,
    /// The category that it is in.
    pub category: Option<String>,
    /// How well it serves as a reference for tone.
    pub tone_score: Option<f64>,
    /// How well it serves as a reference for angle.
    pub angle_score: Option<f64>,
    /// The collections that it is in.
    pub collections: Vec<String>,
    /// What else is said of it.
    pub attributes: Map<String, Value>,
}

/// A description that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadDescription {
    /// Where it stands, such as `images.json, image 3` or `images.csv, line 7`.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}
