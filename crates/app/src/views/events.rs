//! Changes.

use atelier_engine::Verdict;
use atelier_store::OutcomeRecord;
use serde::Serialize;
use utoipa::ToSchema;

use super::{DraftView, GeneratedImageView, ImageView, JobView, PoolView};

/// A change, with the row as it is since.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventView {
    /// Its number: changes are numbered in the order in which they became durable.
    pub number: u64,
    /// What changed.
    #[serde(flatten)]
    pub change: ChangeView,
}

/// What changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(tag = "topic", rename_all = "lowercase")]
pub enum ChangeView {
    /// A job was submitted, or stands elsewhere.
    Job {
        /// Its id.
        id: String,
        /// The job.
        job: Option<Box<JobView>>,
    },
    /// Items of a job have ended, or are to be asked for again.
    Items {
        /// The job.
        job: String,
        /// The items.
        items: Vec<ItemView>,
    },
    /// A generated image was asked for, was made, was noted on, or is gone.
    Image {
        /// Its id.
        id: String,
        /// The image; `None` if it is gone.
        image: Option<Box<GeneratedImageView>>,
    },
    /// A draft was saved, was decided about, or is gone.
    Draft {
        /// Its id.
        id: String,
        /// The draft; `None` if it is gone.
        draft: Option<Box<DraftView>>,
    },
    /// What is used or known of a pool's limits changed.
    Quota {
        /// The pool.
        pool: PoolView,
    },
    /// An image of the library came in, changed, or is gone.
    Library {
        /// Its id.
        id: String,
        /// The image; `None` if it is gone.
        image: Option<Box<ImageView>>,
    },
}

/// An item of a job.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ItemView {
    /// Its place in the job, from 0.
    pub seq: u64,
    /// What a person knows it by; `None` while it has no outcome.
    pub key: Option<String>,
    /// `done`, `blocked`, `failed`, or `open` while it has no outcome.
    pub status: &'static str,
    /// The kind of fault, where it failed.
    pub fault: Option<String>,
    /// Why it failed or was refused.
    pub message: Option<String>,
    /// Attempts that it took.
    pub attempts: u32,
}

impl ItemView {
    pub(crate) const fn open(seq: u64) -> Self {
        Self { seq, key: None, status: "open", fault: None, message: None, attempts: 0 }
    }

    pub(crate) fn ended(outcome: &OutcomeRecord) -> Self {
        let (fault, message) = match &outcome.verdict {
            Verdict::Done { .. } => (None, None),
            Verdict::Blocked { reason } => (None, Some(reason.clone())),
            Verdict::Failed { kind, message } => (Some(kind.clone()), Some(message.clone())),
        };
        Self {
            seq: outcome.seq,
            key: Some(outcome.key.clone()),
            status: outcome.verdict.status(),
            fault,
            message,
            attempts: outcome.attempts,
        }
    }
}
