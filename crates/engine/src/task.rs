//! The first of the three traits: what is asked, and what counts as an answer.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Reply, Request};

/// The unit of result: one post to answer, one image, one line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its place in the job, from 0. With the job's id it names the item for good.
    pub seq: u64,
    /// Whose share of the quota it takes: a user or a project. Also what may be packed together: a
    /// call never mixes lanes.
    pub lane: Arc<str>,
    /// What the task needs to know of it, as JSON.
    pub payload: Arc<str>,
}

/// What knows how to turn items into a request, and a reply into outcomes.
///
/// Both methods are pure: the same items give the same request, whenever and however often.
pub trait Task: Send + Sync {
    /// The one request that answers all of `items` (at least one, all of one lane).
    ///
    /// # Errors
    /// An [`ItemFault`] names an item that can't be asked for. It fails, the others go on.
    fn compose(&self, items: &[Item]) -> Result<Request, ItemFault>;

    /// What the reply says of each item. An item that is left out, because the reply leaves it out or
    /// what it says of it is no use, is asked for again.
    fn parse(&self, reply: &Reply, items: &[Item]) -> Vec<Outcome>;

    /// The model that has to answer the item, as the job's pools name it in [`Pool::serves`](crate::Pool::serves); `None`
    /// if any of them may. Items of different models never share a call.
    ///
    /// It is how one job has two sides, made by two models under one budget and one cap.
    fn model(&self, item: &Item) -> Option<Arc<str>> {
        let _ = item;
        None
    }

    /// How many items one call may carry at most.
    fn pack_limit(&self) -> usize {
        1
    }

    /// What it is called, to tell its answers from those of other tasks on the same model: how long they are is learnt
    /// under this name.
    fn name(&self) -> &'static str {
        "task"
    }

    /// About how many output tokens one item takes, to plan by until answers have shown it.
    fn output_tokens_per_item(&self) -> u64 {
        200
    }
}

/// An item that can't be composed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ItemFault {
    /// Which, by its place among the items given.
    pub index: usize,
    /// A stable name for the reason.
    pub code: &'static str,
    /// The reason in plain words.
    pub message: String,
}

/// How an item ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The item's place in the job.
    pub seq: u64,
    /// How it ended.
    pub verdict: Verdict,
}

/// The three ways for an item to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Verdict {
    /// Answered. The result is the task's own, as JSON.
    Done {
        /// The result.
        result: Arc<str>,
    },
    /// The provider refused the content.
    Blocked {
        /// What it said.
        reason: String,
    },
    /// It will not be answered.
    Failed {
        /// A stable name for the reason.
        kind: String,
        /// The reason in plain words.
        message: String,
    },
}

impl Verdict {
    /// `done`, `blocked` or `failed`.
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Blocked { .. } => "blocked",
            Self::Failed { .. } => "failed",
        }
    }
}
