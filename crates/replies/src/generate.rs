//! From posts to drafts: select → gate → embed → near-duplicates → score → label → draft → filter → save.
//!
//! [`prepare`] does all that costs nothing, counts it and explains it; [`submit`] makes a job of what is to
//! be drafted; [`run`] runs the job, now or after a crash, through the engine with the task that
//! [`task_for`] gives, and [`harvest`]s the drafts that came of it. Each step can be done again: nothing is
//! drafted twice, and nothing saved is lost.

mod advice;
mod harvest;
mod prepare;
mod run;
mod submit;

use serde::{Deserialize, Serialize};

pub use advice::{Distribution, why_nothing};
pub use harvest::{Harvested, Summary, harvest};
pub use prepare::{DuplicatePost, Explanation, GatedPost, Prepared, PreparedProject, ScoredPost, Selection, prepare};
pub use run::{Ran, Run, run};
pub use submit::{JobSettings, NewReplies, items, save_scores, settings_for, submit, task, task_for};

/// The kind under which jobs of this crate are stored.
pub const JOB_KIND: &str = "replies";

/// How many posts there are of which sort. `selected` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
