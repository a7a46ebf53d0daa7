//! Drafts.

use atelier_store::{DraftRow, RejectedBy};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;

/// A draft, with the post that it answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DraftView {
    /// Its id.
    pub id: String,
    /// Its project.
    pub project: String,
    /// The post's id.
    pub post: String,
    /// Where the post stands.
    pub url: String,
    /// Who posted it.
    pub author: String,
    /// How many follow them.
    pub followers: u64,
    /// What the post says.
    pub post_text: String,
    /// When it was posted.
    pub posted_at: String,
    /// How many like the post.
    pub likes: u64,
    /// What the post was scored.
    pub score: Option<f64>,
    /// Its label.
    pub label: Option<String>,
    /// The topic that it fits best.
    pub topic: Option<String>,
    /// What its score is made of.
    pub terms: Option<ScoreTermsView>,
    /// The job that drafted it.
    pub job: String,
    /// Its manner.
    pub kind: String,
    /// Its place among the post's drafts, from 1.
    pub rank: u32,
    /// What it says.
    pub text: String,
    /// Where it stands.
    pub status: &'static str,
    /// Who rejected it.
    pub rejected_by: Option<&'static str>,
    /// Why.
    pub reason: Option<String>,
    /// Which version of it this is: a decision names it, so that it overwrites nobody else's.
    pub version: String,
}

/// What a score is made of: each from 0 to 1.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct ScoreTermsView {
    /// Engagement by age and reach.
    pub velocity: f64,
    /// Fit with the project's topics.
    pub relevance: f64,
    /// Signs that it invites an answer.
    pub openness: f64,
    /// Standing of its author with the project.
    pub author_quality: f64,
}

impl From<DraftRow> for DraftView {
    fn from(row: DraftRow) -> Self {
        let DraftRow { draft, post, score } = row;
        Self {
            id: draft.id,
            project: draft.project,
            post: draft.post,
            url: post.url,
            author: post.author,
            followers: post.followers,
            post_text: post.text,
            posted_at: post.posted_at.to_string(),
            likes: post.likes,
            score: score.as_ref().map(|score| score.total),
            label: score.as_ref().map(|score| score.label.clone()),
            topic: score.as_ref().map(|score| score.topic.clone()),
            terms: score.map(|score| ScoreTermsView {
                velocity: score.velocity,
                relevance: score.relevance,
                openness: score.openness,
                author_quality: score.author_quality,
            }),
            job: draft.job.to_string(),
            kind: draft.kind,
            rank: draft.rank,
            text: draft.text,
            status: draft.status.name(),
            rejected_by: draft.rejected_by.map(RejectedBy::name),
            reason: draft.reason,
            version: draft.updated_at.as_micros().to_string(),
        }
    }
}

/// What came of a decision about a draft.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DecidedView {
    /// The draft's id.
    pub id: String,
    /// Whether it was decided as asked for.
    pub decided: bool,
    /// Why not.
    pub problem: Option<ProblemView>,
    /// The draft as it is now, if there is one.
    pub draft: Option<DraftView>,
}

/// Why something was not done.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemView {
    /// A stable code.
    pub code: &'static str,
    /// In plain words.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl From<&AppError> for ProblemView {
    fn from(error: &AppError) -> Self {
        let (message, hint) = (error.message().to_owned(), error.what_to_do().map(str::to_owned));
        Self { code: error.code(), message, hint }
    }
}

impl DecidedView {
    pub(crate) fn refused(id: &str, error: &AppError, draft: Option<DraftView>) -> Self {
        Self { id: id.to_owned(), decided: false, problem: Some(error.into()), draft }
    }
}

/// A page of drafts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DraftListView {
    /// In the order in which they were saved.
    pub drafts: Vec<DraftView>,
    /// After which place the next page begins.
    pub next: Option<String>,
}
