//! From posts to drafts: select → gate → embed → near-duplicates → score → label → draft → filter → save.
//!
//! [`prepare`] does all that costs nothing, counts it and explains it; [`submit`] makes a job of what is to
//! be drafted, with the settings that give its task back whenever it is worked on; [`save_drafts`] saves what
//! comes of it, as it comes. Each step can be done again: nothing is drafted twice, and nothing saved is lost.

mod advice;
mod harvest;
mod prepare;
mod submit;

use serde::{Deserialize, Serialize};

pub use advice::{Distribution, LiftedRule, why_nothing};
pub use harvest::{Harvested, Summary, harvest_of, save_drafts};
pub use prepare::{DuplicatePost, Explanation, GatedPost, Prepared, PreparedProject, ScoredPost, Selection, prepare};
pub use submit::{DraftSettings, items, save_scores, submit, task};

/// The kind under which jobs of this crate are stored.
pub const JOB_KIND: &str = "replies";

/// How many posts there are of which sort. `selected` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SelectionCounts)]
pub struct Counts {
    /// Posts that were considered.
    pub selected: u64,
    /// Left out by the gate.
    pub gated: u64,
    /// Left out for saying the same as another.
    pub duplicates: u64,
    /// Labelled green.
    pub green: u64,
    /// Labelled yellow.
    pub yellow: u64,
    /// Labelled red.
    pub red: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.selected += other.selected;
        self.gated += other.gated;
        self.duplicates += other.duplicates;
        self.green += other.green;
        self.yellow += other.yellow;
        self.red += other.red;
    }
}
