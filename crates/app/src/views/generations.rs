//! Generations and their images.

use atelier_engine::Usd;
use atelier_store::{GeneratedImage, Generation, LikedCost, Preference};
use atelier_studio::generate::{Plan, Provenance};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// An image that was asked for: all that is known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GeneratedImageView {
    /// Its id.
    pub id: String,
    /// The generation that it is part of.
    pub generation: String,
    /// Its side: `a` or `b`.
    pub side: String,
    /// Its place on that side, from 1.
    pub place: u32,
    /// Who owns it.
    pub owner: String,
    /// The project.
    pub project: String,
    /// The prompt as it was written.
    pub prompt: String,
    /// Who makes it.
    pub model: String,
    /// Where it stands: `running` while somebody makes it.
    pub state: String,
    /// Why it is blocked or failed: a stable name.
    pub kind: Option<String>,
    /// The same in words.
    pub message: Option<String>,
    /// Attempts of the latest try.
    pub attempts: u32,
    /// Its file's name, where it was exported.
    pub filename: Option<String>,
    /// The BLAKE3 hash of its file.
    pub hash: Option<String>,
    /// Its file's format.
    pub format: Option<String>,
    /// Pixels in a row.
    pub width: Option<u32>,
    /// Rows.
    pub height: Option<u32>,
    /// Its file's size.
    pub bytes: Option<u64>,
    /// What its call cost; `None` if the model has no price, or there is no image.
    pub cost_usd: Option<f64>,
    /// Whether that is an estimate.
    pub cost_estimated: bool,
    /// Whether somebody likes it.
    pub liked: bool,
    /// What somebody noted.
    pub note: Option<String>,
    /// The image of the library that it became.
    pub library_image: Option<String>,
    /// When it was asked for.
    pub created_at: String,
    /// How it came about.
    pub provenance: Option<Value>,
}

impl GeneratedImageView {
    /// The image in this state, under this name if it has a file.
    #[must_use]
    pub fn new(image: &GeneratedImage, state: &str, filename: Option<&str>) -> Self {
        let result = image.result.as_ref();
        Self {
            id: image.id.clone(),
            generation: image.generation.clone(),
            side: image.side.clone(),
            place: image.place,
            owner: image.owner.clone(),
            project: image.project.clone(),
            prompt: image.prompt.clone(),
            model: image.model.clone(),
            state: state.to_owned(),
            kind: image.kind.clone(),
            message: image.message.clone(),
            attempts: image.attempts,
            filename: filename.map(str::to_owned),
            hash: result.map(|result| result.hash.clone()),
            format: result.map(|result| result.format.clone()),
            width: result.map(|result| result.width),
            height: result.map(|result| result.height),
            bytes: result.map(|result| result.bytes),
            cost_usd: result.and_then(|result| result.cost).map(Usd::as_dollars),
            cost_estimated: result.is_some_and(|result| result.cost_estimated),
            liked: image.liked,
            note: image.note.clone(),
            library_image: image.promoted.clone(),
            created_at: image.created_at.to_string(),
            provenance: result.map(|result| result.provenance.clone()),
        }
    }

    /// How it came about, as a type; `None` if there is no image, or it was kept in a form that can't be read.
    #[must_use]
    pub fn came_about(&self) -> Option<Provenance> {
        serde_json::from_value(self.provenance.clone()?).ok()
    }
}

/// A page of images.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GeneratedImageListView {
    /// The newest first.
    pub images: Vec<GeneratedImageView>,
    /// After which place the next page begins.
    pub next: Option<String>,
}

/// A generation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GenerationView {
    /// Its id, which is its job's, too.
    pub generation: String,
    /// Who owns it.
    pub owner: String,
    /// The project.
    pub project: String,
    /// The prompt as it was written.
    pub prompt: String,
    /// Whether others may look at it.
    pub shared: bool,
    /// When it was planned.
    pub created_at: String,
    /// When it was submitted, if it was.
    pub submitted_at: Option<String>,
    /// What is sent.
    pub plan: Plan,
    /// Its images, by side and place.
    pub images: Vec<GeneratedImageView>,
    /// Which image of each pair you prefer, as far as you said.
    pub preferences: Vec<PreferenceView>,
}

impl GenerationView {
    pub(crate) fn new(
        generation: Generation,
        plan: Plan,
        images: Vec<GeneratedImageView>,
        preferences: Vec<Preference>,
    ) -> Self {
        Self {
            generation: generation.id,
            owner: generation.owner,
            project: generation.project,
            prompt: generation.prompt,
            created_at: generation.created_at.to_string(),
            submitted_at: generation.submitted_at.map(|at| at.to_string()),
            plan,
            images,
            shared: generation.shared,
            preferences: preferences.into_iter().map(PreferenceView::from).collect(),
        }
    }
}

/// Which image of a pair somebody prefers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PreferenceView {
    /// The pair: the images of this place on either side.
    pub place: u32,
    /// The side; `null` if neither is preferred.
    pub side: Option<String>,
    /// Whether the sides were hidden until then.
    pub blind: bool,
}

impl From<Preference> for PreferenceView {
    fn from(Preference { place, side, blind }: Preference) -> Self {
        Self { place, side, blind }
    }
}

/// What liked images cost.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LikedCostsView {
    /// By model; the sandbox is left out.
    pub models: Vec<LikedCostView>,
}

/// What a liked image of a model costs.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LikedCostView {
    /// The model.
    pub model: String,
    /// Images that were made.
    pub images: u64,
    /// Those that are liked.
    pub liked: u64,
    /// What all of them cost; `null` if a price is not known.
    pub cost_usd: Option<f64>,
    /// What that is for each that is liked; `null` if none is.
    pub cost_of_liked_usd: Option<f64>,
}

impl From<LikedCost> for LikedCostView {
    fn from(LikedCost { model, images, liked, cost }: LikedCost) -> Self {
        let cost_usd = cost.map(Usd::as_dollars);
        let cost_of_liked_usd = cost_usd.filter(|_| liked > 0).map(|cost| cost / liked as f64);
        Self { model, images, liked, cost_usd, cost_of_liked_usd }
    }
}

/// A plan that was kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlanView {
    /// Its id.
    pub plan: String,
    /// What would be sent.
    pub content: Plan,
    /// What that would take.
    pub forecast: ImagesForecastView,
}

/// What the images of a plan would take.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImagesForecastView {
    /// Side by side.
    pub sides: Vec<SideForecastView>,
    /// All images.
    pub images: u64,
    /// What they cost; `None` if a price is not known.
    pub cost_usd: Option<f64>,
    /// The most that they can cost, each made at the first attempt.
    pub worst_cost_usd: Option<f64>,
    /// How long they take; `None` if a limit is too small.
    pub seconds: Option<f64>,
    /// Whether no real model answers: nothing would be paid.
    pub sandbox: bool,
}

/// What one side would take.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SideForecastView {
    /// The side: `a` or `b`.
    pub side: String,
    /// Who makes it.
    pub model: String,
    /// Its images.
    pub images: u64,
    /// What they cost; `None` if the price is not known.
    pub cost_usd: Option<f64>,
    /// The most that they can cost.
    pub worst_cost_usd: Option<f64>,
    /// How long they take; `None` if a limit is too small.
    pub seconds: Option<f64>,
}

/// What came of making a generation's images.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GenerationRunView {
    /// The generation.
    pub generation: String,
    /// Images that are there.
    pub done: u64,
    /// Images that the provider refused.
    pub blocked: u64,
    /// Images that could not be made.
    pub failed: u64,
    /// Images that came, and can't be shown.
    pub broken: u64,
    /// Images that are to be made still.
    pub pending: u64,
    /// All of them, by side and place.
    pub images: Vec<GeneratedImageView>,
}

/// An image that was taken into the library.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PromotedView {
    /// The image.
    pub image: String,
    /// What it is called there.
    pub library_image: String,
}
