//! Jobs: the trait by which work is added, what a job keeps, and the one worker.

mod control;
mod kind;
mod settings;
mod worker;

pub use control::{Cancelled, JobState, Retried};
pub use kind::{Applied, AtHand, JobKind, Purpose};
pub use settings::JobSettings;
pub(crate) use settings::{models_of, run_of, title_of};
pub use worker::{WorkEvent, Worked};
