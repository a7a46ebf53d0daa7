//! How far a project's posts have come.

use crate::cursor::Cursor;
use crate::database::{Columns, Statement};
use crate::error::StoreResult;
use crate::journal::rows;
use crate::posts::{COLUMNS, Post, post};
use crate::scores;
use crate::scores::ScoreRecord;
use crate::store::{Store, places};

/// Posts are looked up in groups of this size.
const LOOK_UP: usize = 500;

/// How many posts of a project there are at each stage. Each stage is counted by itself: a post that was drafted for need
/// not be scored any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funnel {
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

/// A post with its score, if it has one.
pub type ScoredPost = (Post, Option<ScoreRecord>);

impl Store {
    /// How far the posts of a project have come.
    pub async fn funnel(&self, project: &str) -> StoreResult<Funnel> {
        let of = |sql: &str| Statement::new(sql.to_owned()).bind(project);
        let queries = vec![
            of("SELECT count(*) FROM posts WHERE project = $1"),
            of(
                "SELECT count(CASE WHEN s.label = 'green' THEN 1 END), count(CASE WHEN s.label = 'yellow' THEN 1 END), \
                count(CASE WHEN s.label = 'red' THEN 1 END) FROM scores s \
                JOIN posts p ON p.project = s.project AND p.id = s.post WHERE s.project = $1",
            ),
            of("SELECT count(CASE WHEN drafted = 1 THEN 1 END), count(CASE WHEN drafted = 0 THEN 1 END) FROM (\
                SELECT max(CASE WHEN status = 'drafted' THEN 1 ELSE 0 END) AS drafted FROM answers \
                WHERE project = $1 GROUP BY post) a"),
            of("SELECT count(CASE WHEN waits = 1 AND approved = 0 THEN 1 END), \
                count(CASE WHEN approved = 1 THEN 1 END), count(CASE WHEN posted = 1 THEN 1 END) FROM (\
                SELECT max(CASE WHEN status = 'pending' THEN 1 ELSE 0 END) AS waits, \
                max(CASE WHEN status IN ('approved', 'exported', 'posted') THEN 1 ELSE 0 END) AS approved, \
                max(CASE WHEN status = 'posted' THEN 1 ELSE 0 END) AS posted \
                FROM drafts WHERE project = $1 GROUP BY post) d"),
        ];
        let mut counts = Vec::with_capacity(9);
        for (rows, columns) in self.read(queries).await?.into_iter().zip([1, 3, 2, 3]) {
            for row in rows {
                let mut row = row.columns();
                for _ in 0..columns {
                    counts.push(row.count()?);
                }
            }
        }
        let mut counts = counts.into_iter();
        let mut next = || counts.next().unwrap_or_default();
        Ok(Funnel {
            posts: next(),
            green: next(),
            yellow: next(),
            red: next(),
            drafted: next(),
            unanswered: next(),
            to_review: next(),
            approved: next(),
            posted: next(),
        })
    }

    /// How many posts of a project were scored 0.00 to 0.01, 0.01 to 0.02, and so on: 101 counts, the last of those that
    /// were scored 1.
    pub async fn score_hundredths(&self, project: &str) -> StoreResult<Vec<u64>> {
        // 0.29 is 28.999999999999996 hundredths.
        let query = Statement::new(
            "SELECT CAST(s.total * 100 + 0.000001 AS INTEGER) AS hundredth, count(*) FROM scores s \
             JOIN posts p ON p.project = s.project AND p.id = s.post WHERE s.project = $1 GROUP BY hundredth",
        );
        let counted = rows(self.query(query.bind(project)).await?, |row| {
            let mut columns = row.columns();
            Ok((columns.integer()?, columns.count()?))
        })?;
        let mut hundredths = vec![0; 101];
        for (hundredth, posts) in counted {
            let place = usize::try_from(hundredth.clamp(0, 100)).unwrap_or_default();
            if let Some(count) = hundredths.get_mut(place) {
                *count += posts;
            }
        }
        Ok(hundredths)
    }

    /// These posts of a project, as far as it has them.
    pub async fn posts_with_ids(&self, project: &str, ids: &[String]) -> StoreResult<Vec<Post>> {
        let mut posts = Vec::with_capacity(ids.len());
        for ids in ids.chunks(LOOK_UP) {
            let query = Statement::new(format!(
                "SELECT {COLUMNS} FROM posts p WHERE p.project = $1 AND p.id IN ({})",
                places(2, ids.len())
            ));
            let query = ids.iter().fold(query.bind(project), |query, id| query.bind(id.as_str()));
            posts.extend(rows(self.query(query).await?, |row| post(&mut row.columns()))?);
        }
        Ok(posts)
    }

    /// A page of a project's posts with their scores, newest first; with a label, those that have it.
    pub async fn scored_posts(
        &self,
        project: &str,
        label: Option<&str>,
        after: Option<Cursor>,
        limit: usize,
    ) -> StoreResult<Vec<ScoredPost>> {
        let (posted_at, id) = match &after {
            Some(cursor) => cursor.parts()?,
            None => (i64::MAX, ""),
        };
        let labelled = if label.is_some() { "AND s.label = $5" } else { "" };
        let query = Statement::new(format!(
            "SELECT {COLUMNS}, s.post, {} FROM posts p \
             LEFT JOIN scores s ON s.project = p.project AND s.post = p.id \
             WHERE p.project = $1 AND p.posted_at <= $2 AND (p.posted_at < $2 OR p.id < $3) {labelled} \
             ORDER BY p.posted_at DESC, p.id DESC LIMIT $4",
            scores::COLUMNS
        ))
        .bind(project)
        .bind(posted_at)
        .bind(id)
        .bind(limit);
        let query = match label {
            Some(label) => query.bind(label),
            None => query,
        };
        rows(self.query(query).await?, |row| scored(&mut row.columns()))
    }
}

fn scored(columns: &mut Columns) -> StoreResult<ScoredPost> {
    let post = post(columns)?;
    let score = match columns.optional_text()? {
        Some(_) => Some(scores::score(columns, &post.project, &post.id)?),
        None => None,
    };
    Ok((post, score))
}
