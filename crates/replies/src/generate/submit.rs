//! From what is prepared to a job that runs, and that can be resumed from what it stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use atelier_engine::{Item, JobId, Timestamp};
use atelier_store::{NewItem, NewJob, PostClaim, ScoreRecord, Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::prepare::{Prepared, PreparedProject, ScoredPost};
use super::{Counts, JOB_KIND};
use crate::error::RepliesError;
use crate::finder::Finder;
use crate::prompt::PostToAnswer;
use crate::task::DraftTask;

/// What a job of replies keeps of its own, beside how it is run. It resumes with this, whatever was changed since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DraftSettings {
    /// The most tokens that the model answers with; 0 where that is not known.
    pub output_cap: u64,
    /// Each project's finder.yml.
    pub projects: BTreeMap<String, Finder>,
    /// What the selection counted.
    pub counts: Counts,
}

impl DraftSettings {
    /// The task of the job, as it was when the job was submitted.
    #[must_use]
    pub fn task(&self) -> DraftTask {
        DraftTask::new(self.projects.iter().map(|(name, finder)| (name.as_str(), finder)), self.output_cap)
    }
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

/// Saves the scores and makes the job of this id; `None` where there is nothing to draft. A post that another job has
/// taken since it was selected is dropped from `prepared`, so that its counts stay true. `settings` makes what the job
/// keeps of its own part of that.
///
/// # Errors
/// What the store reports.
pub async fn submit(
    store: &Store,
    prepared: &mut Prepared,
    id: &JobId,
    output_cap: u64,
    settings: impl Fn(DraftSettings) -> Value,
    now: Timestamp,
) -> Result<Option<JobId>, RepliesError> {
    save_scores(store, prepared).await?;
    while prepared.to_draft() > 0 {
        match store.create_job(job(prepared, id, settings(draft_settings(prepared, output_cap)), now)).await {
            Ok(()) => return Ok(Some(Arc::clone(id))),
            Err(StoreError::PostTaken { project, post }) => {
                tracing::info!(%project, %post, "post is answered by another job since it was selected; left out");
                drop_post(prepared, &project, &post);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

fn draft_settings(prepared: &Prepared, output_cap: u64) -> DraftSettings {
    let projects = prepared.projects.iter().map(|project| (project.name.clone(), project.finder.clone()));
    DraftSettings { output_cap, projects: projects.collect(), counts: prepared.counts() }
}

fn drop_post(prepared: &mut Prepared, project: &str, post: &str) {
    for prepared in prepared.projects.iter_mut().filter(|prepared| prepared.name == project) {
        prepared.scored.retain(|scored| scored.post.id != post);
        prepared.already_answered += 1;
    }
}

fn job(prepared: &Prepared, id: &JobId, settings: Value, now: Timestamp) -> NewJob {
    let posts = || prepared.projects.iter().flat_map(|project| project.to_draft().map(move |post| (project, post)));
    let claim = |(project, scored): (&PreparedProject, &ScoredPost)| PostClaim {
        project: project.name.clone(),
        post: scored.post.id.clone(),
        again: prepared.again,
    };
    NewJob {
        id: Arc::clone(id),
        kind: JOB_KIND.into(),
        settings,
        items: posts().map(|(project, scored)| item(project, scored)).collect(),
        claims: posts().map(claim).collect(),
        created_at: now,
    }
}
