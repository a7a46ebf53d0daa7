//! Reviewers' decisions about drafts.

use atelier_engine::Timestamp;
use atelier_store::{DraftStatus, Store};

use crate::error::RepliesError;

/// A reviewer's decision about drafts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewDecision {
    /// They are wanted. Also overrules an earlier rejection, the filter's included.
    Approve,
    /// They are not wanted.
    Reject {
        /// The reason, in the reviewer's words.
        reason: Option<String>,
    },
    /// They were posted.
    Posted,
    /// They were exported and not posted.
    Skipped,
}

impl ReviewDecision {
    const fn status(&self) -> DraftStatus {
        match self {
            Self::Approve => DraftStatus::Approved,
            Self::Reject { .. } => DraftStatus::Rejected,
            Self::Posted => DraftStatus::Posted,
            Self::Skipped => DraftStatus::Skipped,
        }
    }
}

/// Applies a decision to all of these drafts or, where one of them can't take it, to none. Returns the ids
/// of those that changed; a draft that has the status already is left alone.
///
/// # Errors
/// The store's `Transition` and `NoSuchDraft`, and whatever else it reports.
pub async fn decide(
    store: &Store,
    drafts: &[String],
    decision: ReviewDecision,
    now: Timestamp,
) -> Result<Vec<String>, RepliesError> {
    let status = decision.status();
    let reason = match decision {
        ReviewDecision::Reject { reason } => reason,
        ReviewDecision::Approve | ReviewDecision::Posted | ReviewDecision::Skipped => None,
    };
    Ok(store.set_draft_status(drafts, status, reason, now).await?)
}
