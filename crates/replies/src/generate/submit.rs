//! From what is prepared to a job that runs, and that can be resumed from what it stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use atelier_engine::{Item, JobId, Timestamp};
use atelier_store::{JobRecord, NewItem, NewJob, PostClaim, ScoreRecord, Store, StoreError};
use serde::{Deserialize, Serialize};

use super::prepare::{Prepared, PreparedProject, ScoredPost};
use super::{Counts, JOB_KIND};
use crate::error::RepliesError;
use crate::finder::Finder;
use crate::prompt::PostToAnswer;
use crate::task::DraftTask;

/// What a job is submitted with beside its posts.
#[derive(Clone, Debug, PartialEq)]
pub struct NewReplies {
    /// The job's id, such as [`job_id`](atelier_store::job_id) makes.
    pub id: JobId,
    /// The model, with its provider.
    pub model: String,
    /// The most tokens that the model answers with; 0 where that is not known.
    pub output_cap: u64,
    /// How the caller runs it (limits, concurrency, budget): kept as it is, for resuming.
    pub run: serde_json::Value,
}

/// A snapshot of all that decides how a job runs. It resumes with this, whatever was changed since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSettings {
    /// The model, with its provider.
    pub model: String,
    /// The most tokens that the model answers with; 0 where that is not known.
    pub output_cap: u64,
    /// Each project's finder.yml.
    pub projects: BTreeMap<String, Finder>,
    /// What the selection counted.
    pub counts: Counts,
    /// The caller's own.
    pub run: serde_json::Value,
}

/// The settings that a job was submitted with.
///
/// # Errors
/// [`RepliesError::JobSettings`] if it is not a job of this crate, or of a version that differs.
pub fn settings_for(job: &JobRecord) -> Result<JobSettings, RepliesError> {
    let unreadable = |message: String| RepliesError::JobSettings { job: job.id.to_string(), message };
    if job.kind != JOB_KIND {
        return Err(unreadable(format!("it is a job of the kind '{}'", job.kind)));
    }
    serde_json::from_value(job.settings.clone()).map_err(|error| unreadable(error.to_string()))
}

/// The task of a stored job, as it was when the job was submitted.
///
/// # Errors
/// As [`settings_for`].
pub fn task_for(job: &JobRecord) -> Result<DraftTask, RepliesError> {
    let settings = settings_for(job)?;
    Ok(DraftTask::new(settings.projects.iter().map(|(name, finder)| (name.as_str(), finder)), settings.output_cap))
}

/// The task for what is prepared, to forecast with.
#[must_use]
pub fn task(prepared: &Prepared, output_cap: u64) -> DraftTask {
    DraftTask::new(prepared.projects.iter().map(|project| (project.name.as_str(), &project.finder)), output_cap)
}

/// The items that a job of what is prepared would have, to forecast with.
#[must_use]
pub fn items(prepared: &Prepared) -> Vec<Item> {
    let items = prepared.projects.iter().flat_map(|project| project.to_draft().map(move |post| item(project, post)));
    let numbered = items.enumerate();
    numbered.map(|(seq, item)| Item { seq: seq as u64, lane: item.lane, payload: item.payload }).collect()
}

fn item(project: &PreparedProject, scored: &ScoredPost) -> NewItem {
    let post = &scored.post;
    let payload = PostToAnswer::new(&post.id, &post.author, &scored.topic, &post.text);
    NewItem {
        key: post.id.clone(),
        lane: Arc::from(project.name.as_str()),
        // Four texts can't fail to become JSON.
        payload: serde_json::to_string(&payload).unwrap_or_default().into(),
    }
}

/// Saves the scores of all posts that were scored anew.
///
/// # Errors
/// What the store reports.
pub async fn save_scores(store: &Store, prepared: &Prepared) -> Result<(), RepliesError> {
    for project in &prepared.projects {
        let scored = project.scored.iter().filter(|scored| !scored.saved);
        let records: Vec<ScoreRecord> = scored.map(|scored| record(prepared, project, scored)).collect();
        store.save_scores(records).await?;
    }
    Ok(())
}

fn record(prepared: &Prepared, project: &PreparedProject, scored: &ScoredPost) -> ScoreRecord {
    let score = &scored.explanation.score;
    ScoreRecord {
        project: project.name.clone(),
        post: scored.post.id.clone(),
        velocity: score.velocity.value,
        relevance: score.relevance.value,
        openness: score.openness.value,
        author_quality: score.author.value,
        total: score.total,
        label: score.label.name().to_owned(),
        topic: scored.topic.clone(),
        // Numbers and texts can't fail to become JSON.
        detail: serde_json::to_value(&scored.explanation).unwrap_or_default(),
        embedder: prepared.embedder.clone(),
        scored_at: prepared.now,
    }
}

/// Saves the scores and makes the job; `None` where there is nothing to draft. A post that another job has
/// taken since it was selected is dropped from `prepared`, so that its counts stay true.
///
/// # Errors
/// What the store reports.
pub async fn submit(
    store: &Store,
    prepared: &mut Prepared,
    new: NewReplies,
    now: Timestamp,
) -> Result<Option<JobId>, RepliesError> {
    save_scores(store, prepared).await?;
    while prepared.to_draft() > 0 {
        match store.create_job(job(prepared, &new, now)).await {
            Ok(()) => return Ok(Some(new.id)),
            Err(StoreError::PostTaken { project, post }) => {
                tracing::info!(%project, %post, "post is answered by another job since it was selected; left out");
                drop_post(prepared, &project, &post);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

fn drop_post(prepared: &mut Prepared, project: &str, post: &str) {
    for prepared in prepared.projects.iter_mut().filter(|prepared| prepared.name == project) {
        prepared.scored.retain(|scored| scored.post.id != post);
        prepared.already_answered += 1;
    }
}

fn job(prepared: &Prepared, new: &NewReplies, now: Timestamp) -> NewJob {
    let settings = JobSettings {
        model: new.model.clone(),
        output_cap: new.output_cap,
        projects: prepared.projects.iter().map(|project| (project.name.clone(), project.finder.clone())).collect(),
        counts: prepared.counts(),
        run: new.run.clone(),
    };
    let posts = || prepared.projects.iter().flat_map(|project| project.to_draft().map(move |post| (project, post)));
    let claim = |(project, scored): (&PreparedProject, &ScoredPost)| PostClaim {
        project: project.name.clone(),
        post: scored.post.id.clone(),
    };
    NewJob {
        id: Arc::clone(&new.id),
        kind: JOB_KIND.into(),
        // Settings are texts and finite numbers, which can't fail to become JSON.
        settings: serde_json::to_value(&settings).unwrap_or_default(),
        items: posts().map(|(project, scored)| item(project, scored)).collect(),
        claims: posts().map(claim).collect(),
        created_at: now,
    }
}
