//! Saving answers with their drafts.

use std::sync::Arc;

use atelier_engine::{JobId, Timestamp};

use super::records::{NewDraft, PostAnswer, RejectedBy};
use crate::database::Statement;
use crate::error::StoreResult;
use crate::store::{Store, never};

impl Store {
    /// Saves answers to posts with their drafts, all or none. A job's answer to a post is saved once: a
    /// second time changes nothing, except that failed may become blocked or drafted, and blocked
    /// drafted.
    pub async fn save_answers(&self, job: &JobId, answers: Vec<PostAnswer>, now: Timestamp) -> StoreResult<()> {
        let mut batch = Vec::with_capacity(answers.len() * 6);
        for PostAnswer { project, post, status, detail, drafts } in answers {
            let key = Key { project: project.into(), post: post.into(), job: job.clone() };
            // Before the answer: once it is there, no draft is added to it.
            batch.extend(drafts.into_iter().map(|draft| key.insert_draft(draft, now)));
            batch.push(
                key.bind_to(
                    "INSERT INTO answers (project, post, job, status, detail, at) VALUES ($1, $2, $3, $4, $5, $6) \
                     ON CONFLICT (project, post, job) DO UPDATE \
                     SET status = excluded.status, detail = excluded.detail, at = excluded.at \
                     WHERE (answers.status = 'failed' AND excluded.status <> 'failed') \
                     OR (answers.status = 'blocked' AND excluded.status = 'drafted')",
                )
                .bind(status.name())
                .bind(detail)
                .bind(now),
            );
        }
        self.apply(batch, never).await.map(|_| ())
    }
}

/// The primary key of an answer.
struct Key {
    project: Arc<str>,
    post: Arc<str>,
    job: JobId,
}

impl Key {
    fn bind_to(&self, sql: &'static str) -> Statement {
        Statement::new(sql).bind(&self.project).bind(&self.post).bind(&self.job)
    }

    /// A second answer may have other drafts, so none is added to one that is saved.
    fn insert_draft(&self, draft: NewDraft, now: Timestamp) -> Statement {
        self.bind_to(
            "INSERT INTO drafts (project, post, job, kind, rank, text, status, rejected_by, reason, created_at, updated_at) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10 WHERE NOT EXISTS (SELECT 1 FROM answers a \
             WHERE a.project = $1 AND a.post = $2 AND a.job = $3 AND a.status = 'drafted') \
             ON CONFLICT (project, post, job, kind) DO NOTHING",
        )
        .bind(draft.kind)
        .bind(draft.rank)
        .bind(draft.text)
        .bind(draft.status.name())
        .bind(draft.rejected_by.map(RejectedBy::name))
        .bind(draft.reason)
        .bind(now)
    }
}
