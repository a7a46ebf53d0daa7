//! Everything before drafting: which posts, and what they score.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use atelier_embed::Vector;
use atelier_engine::{JobId, Timestamp};
use atelier_store::{CandidateFilter, Post, ScoreRecord, Store};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::Counts;
use crate::embedding::{self, Embedding};
use crate::error::RepliesError;
use crate::finder::{Finder, Node};
use crate::gate::{self, GateRefusal};
use crate::score::{self, Label, Score};
use crate::similarity::{self, Fit};
use crate::why::why;

/// Which posts to answer. The defaults are those of the older tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// Of which projects.
    pub projects: Vec<String>,
    /// Posted at most so many hours ago.
    pub hours_back: f64,
    /// By an author with at least so many followers.
    pub min_followers: u64,
    /// With at least so many likes.
    pub min_likes: u64,
    /// With at least so many views.
    pub min_views: u64,
    /// At most so many of each project, the newest first.
    pub max_candidates: usize,
    /// Whether the gate leaves posts out.
    pub use_gate: bool,
    /// Whether red posts are left undrafted.
    pub skip_low_scores: bool,
    /// Whether yellow posts are left undrafted too.
    pub greens_only: bool,
    /// Whether a post that was scored before keeps that score (its label follows the thresholds of today).
    pub use_saved_scores: bool,
    /// If not empty, these posts and no others: whatever is said above, and though they were answered before.
    pub posts: Vec<String>,
    /// What is to be done better this time: it goes to what a voice keeps to.
    pub hint: Option<String>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            projects: Vec::new(),
            hours_back: 6.0,
            min_followers: 1_000,
            min_likes: 0,
            min_views: 0,
            max_candidates: 150,
            use_gate: true,
            skip_low_scores: true,
            greens_only: false,
            use_saved_scores: false,
            posts: Vec::new(),
            hint: None,
        }
    }
}

impl Selection {
    /// Whether posts of this label are drafted for.
    #[must_use]
    pub fn drafts(&self, label: Label) -> bool {
        match label {
            Label::Green => true,
            Label::Yellow => !self.greens_only,
            Label::Red => !self.greens_only && !self.skip_low_scores,
        }
    }

    pub(super) fn filter(&self, project: &str, now: Timestamp) -> CandidateFilter {
        // A time too long to be subtracted means all posts.
        let back = Duration::try_from_secs_f64(self.hours_back * 3_600.0).ok();
        CandidateFilter {
            project: project.to_owned(),
            posted_from: back.map(|back| now.before(back)),
            posted_until: Some(now),
            min_followers: self.min_followers,
            min_likes: self.min_likes,
            min_views: self.min_views,
            limit: self.max_candidates,
        }
    }
}

/// What is ready to be drafted, by project, in the order in which they were named.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The projects.
    pub projects: Vec<PreparedProject>,
    /// The moment at which posts were selected and scored.
    pub now: Timestamp,
    /// Which embedder compared them.
    pub embedder: String,
    /// Whether they are drafted for though they were answered before.
    pub again: bool,
}

impl Prepared {
    /// The counts of all projects together.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        self.projects.iter().for_each(|project| sum += project.counts());
        sum
    }

    /// How many posts are to be drafted for.
    #[must_use]
    pub fn to_draft(&self) -> usize {
        self.projects.iter().map(|project| project.to_draft().count()).sum()
    }
}

/// A project's posts, sorted out.
#[derive(Clone, Debug)]
pub struct PreparedProject {
    /// Its name.
    pub name: String,
    /// Its finder.yml.
    pub finder: Finder,
    /// Left out of the selection: answered or blocked before.
    pub already_answered: u64,
    /// Left out of the selection: waiting in jobs that are not over.
    pub waiting: Vec<(JobId, u64)>,
    /// Left out by the gate.
    pub gated: Vec<GatedPost>,
    /// Left out for saying the same as another.
    pub duplicates: Vec<DuplicatePost>,
    /// Scored, the best first.
    pub scored: Vec<ScoredPost>,
}

/// A post that the gate left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GatedPost {
    /// Its id.
    pub post: String,
    /// Why.
    pub refusal: GateRefusal,
}

/// A post that says the same as another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DuplicatePost {
    /// Its id.
    pub post: String,
    /// The id of the other.
    pub of: String,
    /// Their cosine, uncalibrated.
    pub cosine: f32,
}

/// A post with its score.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredPost {
    /// The post.
    pub post: Post,
    /// The label of the node that it fits best.
    pub topic: String,
    /// The score and where it comes from.
    pub explanation: Explanation,
    /// Whether it is to be drafted for.
    pub draft: bool,
    /// Whether the score was saved before, and kept.
    pub saved: bool,
}

/// A score and where it comes from, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// All terms.
    pub score: Score,
    /// How the post fits the taxonomy, with the cosines as the embedder gave them.
    pub fit: Fit,
    /// What brought them onto the scale of the thresholds.
    pub calibration: String,
    /// For people, in at most 100 characters.
    pub why: String,
}

impl PreparedProject {
    /// The counts of this project.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let labelled = |label| self.scored.iter().filter(|post| post.explanation.score.label == label).count() as u64;
        let (gated, duplicates) = (self.gated.len() as u64, self.duplicates.len() as u64);
        Counts {
            selected: gated + duplicates + self.scored.len() as u64,
            gated,
            duplicates,
            green: labelled(Label::Green),
            yellow: labelled(Label::Yellow),
            red: labelled(Label::Red),
        }
    }

    /// The posts to be drafted for, the best first.
    pub fn to_draft(&self) -> impl Iterator<Item = &ScoredPost> {
        self.scored.iter().filter(|post| post.draft)
    }
}

/// Selects, gates, compares, scores and labels. Writes nothing but the vectors that were missing.
///
/// # Errors
/// [`RepliesError::NoProject`], [`RepliesError::NoSuchProject`], [`RepliesError::NoSuchPost`], [`RepliesError::Finder`],
/// and what the store and the embedder report.
pub fn prepare<'a>(
    store: &'a Store,
    selection: &'a Selection,
    now: Timestamp,
    embedding: &'a dyn Embedding,
) -> BoxFuture<'a, Result<Prepared, RepliesError>> {
    Box::pin(prepared(store, selection, now, embedding))
}

async fn prepared(
    store: &Store,
    selection: &Selection,
    now: Timestamp,
    embedding: &dyn Embedding,
) -> Result<Prepared, RepliesError> {
    if selection.projects.is_empty() {
        return Err(RepliesError::NoProject);
    }
    let stages = Stages { store, selection, now, embedding };
    let mut projects: Vec<PreparedProject> = Vec::with_capacity(selection.projects.len());
    for name in &selection.projects {
        if projects.iter().all(|project| project.name != *name) {
            projects.push(stages.project(name).await?);
        }
    }
    let found: HashSet<&str> =
        projects.iter().flat_map(|project| &project.scored).map(|scored| scored.post.id.as_str()).collect();
    if let Some(missing) = selection.posts.iter().find(|id| !found.contains(id.as_str())) {
        return Err(RepliesError::NoSuchPost(missing.clone()));
    }
    let again = !selection.posts.is_empty();
    Ok(Prepared { projects, now, embedder: embedding.id().to_string(), again })
}

/// What all stages need.
struct Stages<'a> {
    store: &'a Store,
    selection: &'a Selection,
    now: Timestamp,
    embedding: &'a dyn Embedding,
}

impl Stages<'_> {
    async fn project(&self, name: &str) -> Result<PreparedProject, RepliesError> {
        let record = self.store.project(name).await?.ok_or_else(|| RepliesError::NoSuchProject(name.to_owned()))?;
        let mut finder = Finder::from_yaml(&record.finder)?;
        if let Some(hint) = self.selection.hint.as_deref().map(str::trim).filter(|hint| !hint.is_empty()) {
            finder.voice.constraints.push(hint.to_owned());
        }
        if !self.selection.posts.is_empty() {
            return self.these(name, finder).await;
        }
        let candidates = self.store.candidates(&self.selection.filter(name, self.now)).await?;
        let (gated, posts) = self.gate(&finder, candidates.posts);
        let (posts, duplicates) = self.leave_duplicates_out(name, posts).await?;
        let scored = self.score(&finder, name, posts).await?;
        Ok(PreparedProject {
            name: name.to_owned(),
            finder,
            already_answered: candidates.already_answered,
            waiting: candidates.waiting,
            gated,
            duplicates,
            scored,
        })
    }

    /// The posts that somebody has named: nothing leaves them out.
    async fn these(&self, name: &str, finder: Finder) -> Result<PreparedProject, RepliesError> {
        let posts = self.store.posts_with_ids(name, &self.selection.posts).await?;
        let vectors = self.vectors(posts.iter().map(|post| post.text.clone()).collect()).await?;
        let mut scored = self.score(&finder, name, posts.into_iter().zip(vectors).collect()).await?;
        scored.iter_mut().for_each(|scored| scored.draft = true);
        Ok(PreparedProject {
            name: name.to_owned(),
            finder,
            already_answered: 0,
            waiting: Vec::new(),
            gated: Vec::new(),
            duplicates: Vec::new(),
            scored,
        })
    }

    fn gate(&self, finder: &Finder, posts: Vec<Post>) -> (Vec<GatedPost>, Vec<Post>) {
        if !self.selection.use_gate {
            return (Vec::new(), posts);
        }
        let (mut out, mut kept) = (Vec::new(), Vec::with_capacity(posts.len()));
        for post in posts {
            match gate::gate(&finder.sources, &post) {
                Some(refusal) => out.push(GatedPost { post: post.id, refusal }),
                None => kept.push(post),
            }
        }
        (out, kept)
    }

    /// Leaves out posts that say what another of them, or one that was answered before, says.
    async fn leave_duplicates_out(
        &self,
        project: &str,
        posts: Vec<Post>,
    ) -> Result<(Vec<(Post, Vector)>, Vec<DuplicatePost>), RepliesError> {
        if posts.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let answered = self.store.answered_posts(project).await?;
        let vectors = self.vectors(posts.iter().map(|post| post.text.clone()).collect()).await?;
        let answered_vectors = self.vectors(answered.iter().map(|(_, text)| text.clone()).collect()).await?;
        let named: Vec<(&str, &Vector)> = posts.iter().map(|post| post.id.as_str()).zip(&vectors).collect();
        let before: Vec<(&str, &Vector)> = answered.iter().map(|(id, _)| id.as_str()).zip(&answered_vectors).collect();
        let found = similarity::duplicates(&named, &before)?;
        let mut same: HashMap<usize, similarity::Duplicate> =
            found.into_iter().map(|duplicate| (duplicate.post, duplicate)).collect();
        let (mut kept, mut duplicates) = (Vec::new(), Vec::new());
        for (index, (post, vector)) in posts.into_iter().zip(vectors).enumerate() {
            match same.remove(&index) {
                Some(similarity::Duplicate { of, cosine, .. }) => {
                    duplicates.push(DuplicatePost { post: post.id, of, cosine });
                }
                None => kept.push((post, vector)),
            }
        }
        Ok((kept, duplicates))
    }

    async fn score(
        &self,
        finder: &Finder,
        project: &str,
        posts: Vec<(Post, Vector)>,
    ) -> Result<Vec<ScoredPost>, RepliesError> {
        if posts.is_empty() {
            return Ok(Vec::new());
        }
        let nodes = self.vectors(finder.taxonomy.iter().map(Node::text).collect()).await?;
        let mut saved = self.saved_scores(project, &posts).await?;
        let mut scored = Vec::with_capacity(posts.len());
        for (post, vector) in posts {
            let kept = saved.remove(&post.id).and_then(|record| {
                let mut explanation: Explanation = serde_json::from_value(record.detail).ok()?;
                // JSON may lose the last bit of a float, and a threshold may hang on it.
                explanation.score.total = record.total;
                Some((record.topic, explanation))
            });
            let was_saved = kept.is_some();
            let (topic, mut explanation) = match kept {
                Some(kept) => kept,
                None => self.explain(finder, &post, &vector, &nodes)?,
            };
            let label = Label::of(explanation.score.total, &finder.thresholds);
            explanation.score.label = label;
            scored.push(ScoredPost { post, topic, explanation, draft: self.selection.drafts(label), saved: was_saved });
        }
        scored.sort_by(|a, b| b.explanation.score.total.total_cmp(&a.explanation.score.total));
        Ok(scored)
    }

    /// The scores of these posts that are to be kept, by id.
    async fn saved_scores(
        &self,
        project: &str,
        posts: &[(Post, Vector)],
    ) -> Result<HashMap<String, ScoreRecord>, RepliesError> {
        if !self.selection.use_saved_scores {
            return Ok(HashMap::new());
        }
        let ids: Vec<String> = posts.iter().map(|(post, _)| post.id.clone()).collect();
        let scores = self.store.scores(project, &ids).await?;
        Ok(scores.into_iter().map(|score| (score.post.clone(), score)).collect())
    }

    fn explain(
        &self,
        finder: &Finder,
        post: &Post,
        vector: &Vector,
        nodes: &[Vector],
    ) -> Result<(String, Explanation), RepliesError> {
        let calibration = self.embedding.calibration();
        let fit = similarity::fit(vector, nodes, calibration)?;
        let topic = finder.taxonomy.get(fit.best_node).map(|node| node.label.clone()).unwrap_or_default();
        let score = score::score(finder, post, fit.relevance, self.now);
        let why = why(post, &score, &topic);
        Ok((topic, Explanation { score, fit, calibration: calibration.name().to_owned(), why }))
    }

    async fn vectors(&self, texts: Vec<String>) -> Result<Vec<Vector>, RepliesError> {
        embedding::vectors(self.store, self.embedding, &texts).await
    }
}
