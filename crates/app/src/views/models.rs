//! Models.

use serde::Serialize;
use utoipa::ToSchema;

/// Models that one can choose among.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ModelListView {
    /// The sandbox first, then by name.
    pub models: Vec<ModelView>,
}

/// A model.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ModelView {
    /// What a user calls it.
    pub model: String,
    /// Whether it makes images.
    pub makes_images: bool,
    /// Whether a key for it is there.
    pub ready: bool,
    /// Whether no real model answers: nothing is paid.
    pub sandbox: bool,
}
