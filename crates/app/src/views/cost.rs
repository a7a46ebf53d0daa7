//! What was spent.

use atelier_engine::Usd;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// What a row of spending stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostBy {
    /// A job.
    Job,
    /// A model.
    Model,
    /// A project, or whoever's items they were.
    Project,
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
            Self::Day => "day",
        }
    }
}

/// One row of spending.
#[derive(Clone, Debug)]
pub struct CostRowView {
    /// What it stands for.
    pub by: CostBy,
    /// Which of those.
    pub name: String,
    /// Calls that were sent.
    pub calls: u64,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// What they cost; `None` if one of the models has no price.
    pub cost: Option<Usd>,
    /// Whether some of that is an estimate.
    pub estimated: bool,
}

impl Serialize for CostRowView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(Some(6))?;
        row.serialize_entry(self.by.name(), &self.name)?;
        row.serialize_entry("calls", &self.calls)?;
        row.serialize_entry("input_tokens", &self.input_tokens)?;
        row.serialize_entry("output_tokens", &self.output_tokens)?;
        row.serialize_entry("cost_usd", &self.cost.map(Usd::as_dollars))?;
        row.serialize_entry("estimated", &self.estimated)?;
        row.end()
    }
}

/// What was spent from one day to another. What the sandbox was priced at is no spending.
#[derive(Clone, Debug, Serialize)]
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
