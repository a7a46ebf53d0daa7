//! How an image came about, as it is kept beside it.

use atelier_engine::{Usage, Usd};
use serde::{Deserialize, Serialize};

use super::camera::Camera;
use super::plan::{CategoryChoice, Edit, Reference};

/// A size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// All that led to an image. What earlier versions did not keep is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The prompt as it was written.
    pub prompt: String,
    /// The prompt as it was sent.
    pub sent: String,
    /// Who made it, as the user calls it.
    pub model: String,
    /// Whether no real model did.
    #[serde(default)]
    pub sandbox: bool,
    /// The references, in the order in which they were sent.
    #[serde(default)]
    pub references: Vec<Reference>,
    /// The category of tone.
    #[serde(default)]
    pub category: Option<CategoryChoice>,
    /// Camera, lens and light.
    #[serde(default)]
    pub camera: Camera,
    /// What was edited, if it is an edit.
    #[serde(default)]
    pub edit: Option<Edit>,
    /// The seed that was sent, if one was.
    pub seed: Option<i64>,
    /// The size that was wanted.
    pub asked: Size,
    /// The size of the file.
    pub given: Option<Size>,
    /// Attempts that it took.
    pub attempts: u32,
    /// What the provider reported.
    #[serde(default)]
    pub usage: Usage,
    /// What its call cost, in dollars; unknown if the model has no price.
    pub cost_usd: Option<f64>,
    /// Whether that is an estimate.
    #[serde(default)]
    pub cost_estimated: bool,
    /// From the beginning of the work to the image, in seconds.
    pub seconds: f64,
    /// The job that made it.
    pub job: String,
    /// When it was made.
    pub made_at: String,
    /// The generated image that an image of the library was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

impl Provenance {
    /// What its call cost, if that is known.
    #[must_use]
    pub fn cost(&self) -> Option<Usd> {
        self.cost_usd.and_then(Usd::from_dollars)
    }
}
