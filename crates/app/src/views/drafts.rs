//! Drafts.

use atelier_store::{DraftRow, RejectedBy};
use serde::Serialize;

/// A draft, with the post that it answers.
#[derive(Clone, Debug, Serialize)]
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
    /// What the post says.
    pub post_text: String,
    /// What the post was scored.
    pub score: Option<f64>,
    /// Its label.
    pub label: Option<String>,
    /// The topic that it fits best.
    pub topic: Option<String>,
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
            post_text: post.text,
            score: score.as_ref().map(|score| score.total),
            label: score.as_ref().map(|score| score.label.clone()),
            topic: score.map(|score| score.topic),
            job: draft.job.to_string(),
            kind: draft.kind,
            rank: draft.rank,
            text: draft.text,
            status: draft.status.name(),
            rejected_by: draft.rejected_by.map(RejectedBy::name),
            reason: draft.reason,
        }
    }
}

/// A page of drafts.
#[derive(Clone, Debug, Serialize)]
pub struct DraftListView {
    /// In the order in which they were saved.
    pub drafts: Vec<DraftView>,
    /// After which place the next page begins.
    pub next: Option<String>,
}
