//! The records of drafts and answers.

use atelier_engine::{JobId, Timestamp};

use crate::cursor::Cursor;
use crate::error::{StoreError, StoreResult};
use crate::posts::Post;
use crate::scores::ScoreRecord;

/// Where a draft stands: pending → approved or rejected → exported → posted or skipped. A pending one may
/// be exported at once, an approved one rejected and a rejected one approved; and one that
/// was exported may come back approved or rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DraftStatus {
    /// Nobody has decided yet.
    Pending,
    /// A person wants it.
    Approved,
    /// A filter or a person does not want it.
    Rejected,
    /// It was handed out.
    Exported,
    /// It was posted.
    Posted,
    /// It was handed out and not posted.
    Skipped,
}

impl DraftStatus {
    /// All of them, in the order of a draft's life.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Approved, Self::Rejected, Self::Exported, Self::Posted, Self::Skipped];

    /// Its name: in the database, in lists, and as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Exported => "exported",
            Self::Posted => "posted",
            Self::Skipped => "skipped",
        }
    }

    /// The status of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// From which statuses a draft can get to this one.
    pub const fn comes_from(self) -> &'static [Self] {
        match self {
            // A decision may be taken back.
            Self::Pending => &[Self::Approved, Self::Rejected],
            // What was handed out may come back with a decision.
            Self::Approved => &[Self::Pending, Self::Rejected, Self::Exported],
            Self::Rejected => &[Self::Pending, Self::Approved, Self::Exported],
            Self::Exported => &[Self::Pending, Self::Approved],
            Self::Posted | Self::Skipped => &[Self::Approved, Self::Exported],
        }
    }
}

/// The source of a rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectedBy {
    /// A rule, before anyone saw it.
    Filter,
    /// A reviewer.
    Review,
}

impl RejectedBy {
    /// Its name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Review => "review",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Filter, Self::Review].into_iter().find(|by| by.name() == name)
    }
}

/// A suggested answer to a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its id, such as `d17`.
    pub id: String,
    /// Name of its project.
    pub project: String,
    /// Id of the post that it answers.
    pub post: String,
    /// The job that made it.
    pub job: JobId,
    /// Its manner, such as `add_value`.
    pub kind: String,
    /// Its place among the post's drafts, from 1.
    pub rank: u32,
    /// The text of the reply.
    pub text: String,
    /// Its place in a draft's life.
    pub status: DraftStatus,
    /// Who rejected it, if it is rejected.
    pub rejected_by: Option<RejectedBy>,
    /// The reason for its status, in plain words.
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
}

/// The outcome of answering a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnswerStatus {
    /// It has drafts, even if the filter kept none.
    Drafted,
    /// The provider refused it.
    Blocked,
    /// It failed, and may be tried again.
    Failed,
}

impl AnswerStatus {
    /// Its name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drafted => "drafted",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
        }
    }
}

/// The answer to a post, to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostAnswer {
    /// Name of the project.
    pub project: String,
    /// Id of the post.
    pub post: String,
    /// The outcome.
    pub status: AnswerStatus,
    /// Why, in plain words, if it was blocked or failed.
    pub detail: Option<String>,
    /// Its drafts, one of a kind.
    pub drafts: Vec<NewDraft>,
}

/// A draft to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDraft {
    /// Its manner, such as `add_value`.
    pub kind: String,
    /// Its place among the post's drafts, from 1.
    pub rank: u32,
    /// The text of the reply.
    pub text: String,
    /// Pending, or rejected by the filter.
    pub status: DraftStatus,
    /// Who rejected it, if it is rejected.
    pub rejected_by: Option<RejectedBy>,
    /// Why it was rejected, in plain words.
    pub reason: Option<String>,
}

/// A filter on drafts, and a page of what passes it. Empty lists mean all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftFilter {
    /// Of these projects.
    pub projects: Vec<String>,
    /// Of these statuses.
    pub statuses: Vec<DraftStatus>,
    /// Of these kinds.
    pub kinds: Vec<String>,
    /// Made by this job.
    pub job: Option<String>,
    /// Of posts with this label.
    pub label: Option<String>,
    /// Of posts posted at that moment or later.
    pub posted_from: Option<Timestamp>,
    /// Those that the filter rejected as well.
    pub include_filtered: bool,
    /// After which place; from the oldest on if absent.
    pub after: Option<Cursor>,
    /// The most drafts of the page.
    pub limit: usize,
}

/// A draft with its post and the post's score.
#[derive(Clone, Debug, PartialEq)]
pub struct DraftRow {
    /// The draft.
    pub draft: Draft,
    /// The post that it answers.
    pub post: Post,
    /// The post's score, if it has one.
    pub score: Option<ScoreRecord>,
}

impl DraftRow {
    /// Its place in the list of drafts.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(number(&self.draft.id).unwrap_or(i64::MAX), "")
    }
}

/// The id of the draft of this number.
pub(super) fn id(number: i64) -> String {
    format!("d{number}")
}

/// The number in a draft's id.
pub(super) fn number(id: &str) -> StoreResult<i64> {
    let number = id.trim().strip_prefix('d').and_then(|number| number.parse().ok());
    number.ok_or_else(|| StoreError::NoSuchDraft { draft: id.into() })
}
