//! Projects and posts.

use atelier_engine::Timestamp;
use atelier_replies::Finder;
use atelier_store::{Post, Project};
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
}

impl From<Post> for PostView {
    fn from(post: Post) -> Self {
        Self {
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
