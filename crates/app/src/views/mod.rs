//! What is shown of things, as types: printed as JSON, returned by an API, read by a studio.
//!
//! A cost that is not known is `null`, which is not zero; moments are RFC 3339 in UTC; money is dollars.

mod cost;
mod drafts;
mod duplicates;
mod events;
mod generations;
mod jobs;
mod library;
mod posts;
mod prices;
mod quota;
mod search;
mod trash;

pub use cost::{CostBy, CostRowView, CostView};
pub use drafts::{DraftListView, DraftView};
pub use duplicates::{DuplicateView, DuplicatesView};
pub use events::{ChangeView, EventView, ItemView};
pub use generations::{
    GeneratedImageListView, GeneratedImageView, GenerationRunView, GenerationView, ImagesForecastView, PlanView,
    PromotedView, SideForecastView,
};
pub use jobs::{ForecastView, JobDetailView, JobListView, JobView, PromptsForecastView, PromptsSummaryView};
pub use library::{ImageListView, ImageView, NamedCountView};
pub use posts::{BadRowView, PostListView, PostView, PostsImportView, ProjectView};
pub use prices::{PriceListView, PriceRowView, PricesImportView};
pub use quota::{LimitAmount, LimitView, PoolView, QuotaView};
pub use search::{HitView, SearchView};
pub use trash::{TrashListView, TrashedView};
