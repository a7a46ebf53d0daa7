//! What was spent.

use atelier_engine::Usd;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a row of spending stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CostBy {
    /// A job.
    Job,
    /// A model.
    #[default]
    Model,
    /// A project, or whoever's items they were.
    Project,
    /// A user.
    Owner,
    /// A day, UTC.
    Day,
}

impl CostBy {
    /// The name of a row's first field.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Model => "model",
            Self::Project => "project",
            Self::Owner => "owner",
            Self::Day => "day",
        }
    }
}

/// What one row of spending stands for, under the name of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CostOf {
    /// A job's id.
    Job(String),
    /// A model.
    Model(String),
    /// A project, or whoever's items they were.
    Project(String),
    /// A user's id.
    Owner(String),
    /// A day, UTC.
    Day(String),
}

impl CostOf {
    pub(crate) const fn new(by: CostBy, name: String) -> Self {
        match by {
            CostBy::Job => Self::Job(name),
            CostBy::Model => Self::Model(name),
            CostBy::Project => Self::Project(name),
            CostBy::Owner => Self::Owner(name),
            CostBy::Day => Self::Day(name),
        }
    }

    /// Which job, model, project, user or day.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Job(name) | Self::Model(name) | Self::Project(name) | Self::Owner(name) | Self::Day(name) => name,
        }
    }
}

/// One row of spending.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CostRowView {
    /// What it stands for.
    #[serde(flatten)]
    pub of: CostOf,
    /// Calls that were sent.
    pub calls: u64,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// What they cost; `None` if one of the models has no price.
    pub cost_usd: Option<f64>,
    /// The same, to be put in words.
    #[serde(skip)]
    pub cost: Option<Usd>,
    /// Whether some of that is an estimate.
    pub estimated: bool,
}

/// What was spent from one day to another. What the sandbox was priced at is no spending.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CostView {
    /// The first day.
    pub from: String,
    /// The last day.
    pub until: String,
    /// By what was asked for.
    pub rows: Vec<CostRowView>,
    /// All of it; `None` if one of the models has no price.
    pub total_usd: Option<f64>,
    /// What is known of it: the whole, if all prices are known.
    pub known_usd: f64,
    /// The same two, to be put in words.
    #[serde(skip)]
    pub total: Option<Usd>,
    /// See [`CostView::total`].
    #[serde(skip)]
    pub known: Usd,
    /// Calls that the sandbox answered.
    pub sandbox_calls: u64,
}
