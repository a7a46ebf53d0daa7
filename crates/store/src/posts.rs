//! Posts, and which of them can be answered.

mod funnel;
mod removal;

pub use funnel::{Funnel, ScoredPost};

use std::sync::Arc;

use atelier_engine::{JobId, Timestamp};

use crate::cursor::Cursor;
use crate::database::{Columns, Statement};
use crate::error::StoreResult;
use crate::jobs::NOT_OVER;
use crate::journal::rows;
use crate::projects::{must_exist, no_such_project};
use crate::store::{CLAIMS, Store};

/// The columns of a [`Post`] in a table that is called `p`.
pub(crate) const COLUMNS: &str = "p.project, p.id, p.text, p.author, p.followers, p.posted_at, p.likes, p.replies, p.reposts, p.views, p.lang, p.url";

/// A post. Counts beyond 2^63 − 1 are stored as that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The project that it belongs to.
    pub project: String,
    /// Its id, which no other post of the project has.
    pub id: String,
    /// Its text.
    pub text: String,
    /// Its author's handle.
    pub author: String,
    /// Followers of the author.
    pub followers: u64,
    /// When it was posted.
    pub posted_at: Timestamp,
    /// Count of likes.
    pub likes: u64,
    /// Count of replies.
    pub replies: u64,
    /// Count of reposts.
    pub reposts: u64,
    /// Count of views.
    pub views: u64,
    /// Its language, if it says.
    pub lang: Option<String>,
    /// Its web address.
    pub url: String,
}

impl Post {
    /// Its place in the list of posts.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.posted_at.as_micros(), &self.id)
    }
}

/// Counts of the posts of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upserted {
    /// Posts that were not there.
    pub added: u64,
    /// Posts that were there and differed.
    pub updated: u64,
    /// Posts that were there as they are.
    pub unchanged: u64,
}

/// A filter on the posts to consider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateFilter {
    /// Name of the project.
    pub project: String,
    /// Posted at that moment or later.
    pub posted_from: Option<Timestamp>,
    /// Posted at that moment or before.
    pub posted_until: Option<Timestamp>,
    /// By an author with at least so many followers.
    pub min_followers: u64,
    /// With at least so many likes.
    pub min_likes: u64,
    /// With at least so many views.
    pub min_views: u64,
    /// The most posts to return.
    pub limit: usize,
}

/// Posts that can be answered, and how many can't.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The posts, newest first.
    pub posts: Vec<Post>,
    /// Left out: drafted for, or blocked, before.
    pub already_answered: u64,
    /// Left out: claimed by jobs that are not over; for each job, how many.
    pub waiting: Vec<(JobId, u64)>,
}

impl Store {
    /// Adds posts to a project or brings them up to date, all or none. Each post's own `project` is
    /// taken to be this one.
    pub async fn upsert_posts(&self, project: &str, posts: Vec<Post>, now: Timestamp) -> StoreResult<Upserted> {
        let given = posts.len() as u64;
        let project: Arc<str> = project.into();
        let mut batch = Vec::with_capacity(1 + posts.len());
        batch.push(must_exist(&project));
        batch.extend(posts.into_iter().map(|post| upsert_post(self.owner(), &project, post, now)));
        let effects = self.apply_in(CLAIMS, batch, |_, _| no_such_project(&project)).await?;
        let mut upserted = Upserted::default();
        for row in effects.into_iter().skip(1).flat_map(|effect| effect.rows) {
            match row.columns().integer()? {
                1 => upserted.added += 1,
                _ => upserted.updated += 1,
            }
        }
        upserted.unchanged = given - upserted.added - upserted.updated;
        Ok(upserted)
    }

    /// The newest posts that pass the filter, those answered before and those being answered left out
    /// and counted. A post that has an answer from a job that goes on is counted as answered.
    pub async fn candidates(&self, filter: &CandidateFilter) -> StoreResult<Candidates> {
        let bind = |sql: String| {
            Statement::new(sql)
                .bind(filter.project.as_str())
                .bind(filter.posted_from.map_or(i64::MIN, Timestamp::as_micros))
                .bind(filter.posted_until.map_or(i64::MAX, Timestamp::as_micros))
                .bind(filter.min_followers)
                .bind(filter.min_likes)
                .bind(filter.min_views)
        };
        let posts = format!(
            "SELECT {COLUMNS} FROM posts p WHERE {PASSES} AND NOT {ANSWERED} AND NOT EXISTS (\
             SELECT 1 FROM claims c JOIN jobs j ON j.id = c.job \
             WHERE c.project = p.project AND c.post = p.id AND j.state IN ({NOT_OVER})) \
             ORDER BY p.posted_at DESC, p.id DESC LIMIT $7"
        );
        let answered = format!("SELECT count(*) FROM posts p WHERE {PASSES} AND {ANSWERED}");
        let waiting = format!(
            "SELECT j.id, count(*) FROM posts p JOIN claims c ON c.project = p.project AND c.post = p.id \
             JOIN jobs j ON j.id = c.job WHERE {PASSES} AND NOT {ANSWERED} AND j.state IN ({NOT_OVER}) \
             GROUP BY j.id ORDER BY j.id"
        );
        let queries = vec![bind(posts).bind(filter.limit), bind(answered), bind(waiting)];
        let mut answers = self.read(queries).await?.into_iter();
        let mut answer = move || answers.next().unwrap_or_default();
        let posts = rows(answer(), |row| post(&mut row.columns()))?;
        let already_answered = rows(answer(), |row| row.columns().count())?.into_iter().sum();
        let waiting = rows(answer(), |row| {
            let mut columns = row.columns();
            Ok((columns.shared()?, columns.count()?))
        })?;
        Ok(Candidates { posts, already_answered, waiting })
    }
}

/// That a post passes a [`CandidateFilter`], whose values are $1 to $6.
const PASSES: &str = "p.project = $1 AND p.posted_at >= $2 AND p.posted_at <= $3 \
     AND p.followers >= $4 AND p.likes >= $5 AND p.views >= $6";

/// That a post was drafted for or blocked.
const ANSWERED: &str = "EXISTS (SELECT 1 FROM answers a \
     WHERE a.project = p.project AND a.post = p.id AND a.status IN ('drafted', 'blocked'))";

/// Returns the post's revision if it is new (1) or differs (more), and no row if it is as it was.
fn upsert_post(owner: &str, project: &Arc<str>, post: Post, now: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO posts (project, id, text, author, followers, posted_at, likes, replies, reposts, views, lang, url, \
         revision, updated_at, owner) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14) \
         ON CONFLICT (project, id) DO UPDATE SET text = excluded.text, author = excluded.author, \
         followers = excluded.followers, posted_at = excluded.posted_at, likes = excluded.likes, \
         replies = excluded.replies, reposts = excluded.reposts, views = excluded.views, lang = excluded.lang, \
         url = excluded.url, revision = posts.revision + 1, updated_at = excluded.updated_at \
         WHERE posts.text <> excluded.text OR posts.author <> excluded.author OR posts.followers <> excluded.followers \
         OR posts.posted_at <> excluded.posted_at OR posts.likes <> excluded.likes OR posts.replies <> excluded.replies \
         OR posts.reposts <> excluded.reposts OR posts.views <> excluded.views \
         OR coalesce(posts.lang, '') <> coalesce(excluded.lang, '') OR posts.url <> excluded.url \
         RETURNING revision",
    )
    .bind(project)
    .bind(post.id)
    .bind(post.text)
    .bind(post.author)
    .bind(post.followers)
    .bind(post.posted_at)
    .bind(post.likes)
    .bind(post.replies)
    .bind(post.reposts)
    .bind(post.views)
    .bind(post.lang)
    .bind(post.url)
    .bind(now)
    .bind(owner)
}

/// Reads a post from [`COLUMNS`].
pub(crate) fn post(columns: &mut Columns) -> StoreResult<Post> {
    Ok(Post {
        project: columns.text()?,
        id: columns.text()?,
        text: columns.text()?,
        author: columns.text()?,
        followers: columns.count()?,
        posted_at: columns.moment()?,
        likes: columns.count()?,
        replies: columns.count()?,
        reposts: columns.count()?,
        views: columns.count()?,
        lang: columns.optional_text()?,
        url: columns.text()?,
    })
}
