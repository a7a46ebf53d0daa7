//! Projects and posts.

use atelier_engine::Timestamp;
use atelier_replies::Finder;
use atelier_store::{Funnel, Project, ScoredPost};
use serde::Serialize;
use serde::ser::Serializer;
use utoipa::ToSchema;

/// RFC 3339 in UTC.
fn moment<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// A project, as it is listed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProjectView {
    /// Its name.
    pub project: String,
    /// Who added it.
    pub owner: String,
    /// Whether others see it, too.
    pub shared: bool,
    /// When it was added.
    #[serde(serialize_with = "moment")]
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When its finder.yml last changed.
    #[serde(serialize_with = "moment")]
    #[schema(value_type = String)]
    pub updated_at: Timestamp,
    /// The topics that it looks for.
    pub topics: Vec<String>,
    /// Its finder.yml, where it is shown whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finder: Option<String>,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        let nodes = Finder::from_yaml(&project.finder).map(|finder| finder.taxonomy).unwrap_or_default();
        Self {
            topics: nodes.into_iter().map(|node| node.label).collect(),
            project: project.name,
            owner: project.owner,
            shared: project.shared,
            created_at: project.created_at,
            updated_at: project.updated_at,
            finder: None,
        }
    }
}

/// A post.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PostView {
    /// Its id.
    pub id: String,
    /// What it says.
    pub text: String,
    /// Who posted it.
    pub author: String,
    /// How many follow them.
    pub followers: u64,
    /// When it was posted.
    #[serde(serialize_with = "moment")]
    #[schema(value_type = String)]
    pub posted_at: Timestamp,
    /// Likes.
    pub likes: u64,
    /// Replies.
    pub replies: u64,
    /// Reposts.
    pub reposts: u64,
    /// Views.
    pub views: u64,
    /// Its language, if it says.
    pub lang: Option<String>,
    /// Where it stands.
    pub url: String,
    /// What it was scored, from 0 to 1.
    pub score: Option<f64>,
    /// Its label: `green`, `yellow` or `red`.
    pub label: Option<String>,
    /// The topic that it fits best.
    pub topic: Option<String>,
    /// Why the project's finder.yml leaves it out, if it does.
    pub left_out: Option<String>,
}

impl From<ScoredPost> for PostView {
    fn from((post, score): ScoredPost) -> Self {
        Self {
            score: score.as_ref().map(|score| score.total),
            label: score.as_ref().map(|score| score.label.clone()),
            topic: score.map(|score| score.topic),
            left_out: None,
            id: post.id,
            text: post.text,
            author: post.author,
            followers: post.followers,
            posted_at: post.posted_at,
            likes: post.likes,
            replies: post.replies,
            reposts: post.reposts,
            views: post.views,
            lang: post.lang,
            url: post.url,
        }
    }
}

/// A page of a project's posts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PostListView {
    /// The newest first.
    pub posts: Vec<PostView>,
    /// After which place the next page begins.
    pub next: Option<String>,
}

/// What an import of posts did.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PostsImportView {
    /// The project.
    pub project: String,
    /// Posts that were read.
    pub imported: u64,
    /// Those that were not there.
    pub added: u64,
    /// Those that differed.
    pub updated: u64,
    /// Those that were there as they are.
    pub unchanged: u64,
    /// Rows that can't be read.
    pub skipped: u64,
    /// Which, and why.
    pub bad_rows: Vec<BadRowView>,
}

/// A row that can't be read.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BadRowView {
    /// Its line, from 1.
    pub line: u64,
    /// Why not.
    pub reason: String,
}

/// How a project's posts were scored.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScoresView {
    /// How many were scored 0.00 to 0.01, 0.01 to 0.02, and so on: 101 counts, the last of those that were scored 1.
    pub hundredths: Vec<u64>,
}

/// How many posts of a project there are at each stage. Each stage is counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FunnelView {
    /// All of them.
    pub posts: u64,
    /// Scored, and labelled green.
    pub green: u64,
    /// Scored, and labelled yellow.
    pub yellow: u64,
    /// Scored, and labelled red.
    pub red: u64,
    /// Drafted for.
    pub drafted: u64,
    /// No drafts: the provider refused, or it failed.
    pub unanswered: u64,
    /// Drafts wait for a decision, and none was approved.
    pub to_review: u64,
    /// One of its drafts was approved, whatever came of it.
    pub approved: u64,
    /// One of its drafts was marked as posted.
    pub posted: u64,
}

impl From<Funnel> for FunnelView {
    fn from(funnel: Funnel) -> Self {
        let Funnel { posts, green, yellow, red, drafted, unanswered, to_review, approved, posted } = funnel;
        Self { posts, green, yellow, red, drafted, unanswered, to_review, approved, posted }
    }
}
