//! What is shown of things, as types: printed as JSON, returned by an API, read by a studio.
//!
//! A cost that is not known is `null`, which is not zero; moments are RFC 3339 in UTC; money is dollars.

mod accounts;
mod cost;
mod drafts;
mod duplicates;
mod events;
mod generations;
mod jobs;
mod library;
mod models;
mod posts;
mod prices;
mod providers;
mod quota;
mod search;
mod setup;
mod trash;
mod uploads;

pub use accounts::{AuditListView, AuditView, CredentialView, UserView};
pub use cost::{CostBy, CostOf, CostRowView, CostView};
pub use drafts::{DecidedView, DraftListView, DraftView, ProblemView};
pub use duplicates::{DuplicateView, DuplicatesView};
pub use events::{ChangeView, EventView, ItemView};
pub use generations::{
    GeneratedImageListView, GeneratedImageView, GenerationRunView, GenerationView, ImagesForecastView, LikedCostView,
    LikedCostsView, PlanView, PreferenceView, PromotedView, SideForecastView,
};
pub use jobs::{ForecastView, JobDetailView, JobListView, JobView, PromptsForecastView, PromptsSummaryView};
pub use library::{ImageListView, ImageView, NamedCountView, SamplesView};
pub use models::{ModelListView, ModelView};
pub use posts::{BadRowView, FunnelView, PostListView, PostView, PostsImportView, ProjectView, ScoresView};
pub use prices::{PriceListView, PriceRowView, PricesImportView};
pub use providers::{KeySource, ProviderListView, ProviderView, TriedView};
pub use quota::{LimitAmount, LimitView, PoolView, QuotaView};
pub use search::{HitView, SearchView};
pub use setup::{LibrarySetupView, SetupView, SignInSetupView};
pub use trash::{TrashListView, TrashedView};
pub use uploads::UploadView;
