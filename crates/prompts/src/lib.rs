//! Files of prompts: reading them, asking each line, writing the answers.
//!
//! [`survey`] reads a file through before anything is sent and tells its form. [`find_or_create`] finds the job that the
//! same input and output belong to, so that asking twice for the same goes on where it stopped; [`ingest`] stores its
//! lines. [`PromptTask`] asks each line as it is, and [`AnswerFile`] writes what the journal holds: whatever is cut off,
//! the file can be made anew from there.
#![forbid(unsafe_code)]

mod error;
mod input;
mod output;
mod submit;
mod task;

pub use error::{PromptsError, PromptsResult};
pub use input::{Form, PromptLine, Survey, sample, survey};
pub use output::{AnswerFile, answered};
pub use submit::{Beginning, JOB_KIND, PromptSettings, find_or_create, ingest};
pub use task::{PromptDefaults, PromptTask};

/// Whose items all lines are: a file has one owner.
const LANE: &str = "run";
