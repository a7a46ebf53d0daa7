//! Scores of posts, each with its explanation.

use std::sync::Arc;

use atelier_engine::Timestamp;

use crate::database::{Columns, Statement};
use crate::error::StoreResult;
use crate::store::{Store, never};

/// The columns of a [`ScoreRecord`] but for the project and the post, in a table that is called `s`.
pub(crate) const COLUMNS: &str = "s.velocity, s.relevance, s.openness, s.author_quality, s.total, s.label, s.topic, \
     s.detail, s.embedder, s.scored_at";

/// Scores are looked up in groups of this size.
const LOOK_UP: usize = 1_000;

/// The score of a post with its terms, each 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreRecord {
    /// Name of the project.
    pub project: String,
    /// Id of the post.
    pub post: String,
    /// Engagement by age and reach.
    pub velocity: f64,
    /// Fit with the project's topics.
    pub relevance: f64,
    /// Signs that it invites an answer.
    pub openness: f64,
    /// Standing of its author with the project.
    pub author_quality: f64,
    /// Weighted sum of the terms.
    pub total: f64,
    /// `green`, `yellow` or `red`.
    pub label: String,
    /// Label of the nearest topic.
    pub topic: String,
    /// The whole explanation: each term with its parts.
    pub detail: serde_json::Value,
    /// The embedder whose vectors were compared.
    pub embedder: String,
    /// When it was scored.
    pub scored_at: Timestamp,
}

impl Store {
    /// Saves scores, all or none; a post's newer score replaces its older one.
    pub async fn save_scores(&self, scores: Vec<ScoreRecord>) -> StoreResult<()> {
        self.apply(scores.into_iter().map(save_score).collect(), never).await.map(|_| ())
    }

    /// The scores of these posts, as far as they have one.
    pub async fn scores(&self, project: &str, posts: &[String]) -> StoreResult<Vec<ScoreRecord>> {
        let sql = format!("SELECT {COLUMNS} FROM scores s WHERE s.project = $1 AND s.post = $2");
        let project: Arc<str> = project.into();
        let mut scores = Vec::new();
        for posts in posts.chunks(LOOK_UP) {
            let query = |post: &String| Statement::new(sql.clone()).bind(&project).bind(post.as_str());
            let answers = self.read(posts.iter().map(query).collect()).await?;
            for (post, rows) in posts.iter().zip(answers) {
                for row in rows {
                    scores.push(score(&mut row.columns(), &project, post)?);
                }
            }
        }
        Ok(scores)
    }
}

fn save_score(score: ScoreRecord) -> Statement {
    Statement::new(
        "INSERT INTO scores (project, post, velocity, relevance, openness, author_quality, total, label, topic, detail, \
         embedder, scored_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (project, post) DO UPDATE SET velocity = excluded.velocity, relevance = excluded.relevance, \
         openness = excluded.openness, author_quality = excluded.author_quality, total = excluded.total, \
         label = excluded.label, topic = excluded.topic, detail = excluded.detail, embedder = excluded.embedder, \
         scored_at = excluded.scored_at",
    )
    .bind(score.project)
    .bind(score.post)
    .bind(score.velocity)
    .bind(score.relevance)
    .bind(score.openness)
    .bind(score.author_quality)
    .bind(score.total)
    .bind(score.label)
    .bind(score.topic)
    .bind(score.detail.to_string())
    .bind(score.embedder)
    .bind(score.scored_at)
}

/// Reads a score from [`COLUMNS`].
pub(crate) fn score(columns: &mut Columns, project: &str, post: &str) -> StoreResult<ScoreRecord> {
    Ok(ScoreRecord {
        project: project.into(),
        post: post.into(),
        velocity: columns.real()?,
        relevance: columns.real()?,
        openness: columns.real()?,
        author_quality: columns.real()?,
        total: columns.real()?,
        label: columns.text()?,
        topic: columns.text()?,
        detail: columns.json()?,
        embedder: columns.text()?,
        scored_at: columns.moment()?,
    })
}
