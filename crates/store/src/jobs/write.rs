//! How jobs are made and changed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use atelier_engine::{JobId, RunEnd, Timestamp};

use super::NOT_OVER;
use super::records::{JobState, NewItem, NewJob, PostClaim};
use crate::bulk::Bulk;
use crate::database::{Statement, Written};
use crate::error::{StoreError, StoreResult};
use crate::store::{Store, places};

impl Store {
    /// Makes a job with its first items. All or nothing: [`StoreError::PostTaken`] if another job has
    /// claimed or answered one of the posts since they were selected.
    pub async fn create_job(&self, job: NewJob) -> StoreResult<()> {
        let NewJob { id, kind, settings, items, claims, created_at } = job;
        let claims: Vec<PostClaim> = claims.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut batch = Vec::with_capacity(1 + claims.len() + items.len());
        batch.push(
            Statement::new(
                "INSERT INTO jobs (id, kind, state, settings, created_at, updated_at) VALUES ($1, $2, 'open', $3, $4, $4) \
                 ON CONFLICT (id) DO NOTHING",
            )
            .bind(&id)
            .bind(kind)
            .bind(settings.to_string())
            .bind(created_at)
            .must_hit(),
        );
        batch.extend(claims.iter().map(|claim| insert_claim(&id, claim)));
        batch.extend(insert_items(&id, 0, &items));
        let refused = |statement: usize, _| match statement.checked_sub(1).and_then(|claim| claims.get(claim)) {
            Some(claim) => StoreError::PostTaken { project: claim.project.clone(), post: claim.post.clone() },
            None => StoreError::JobExists { job: id.as_ref().into() },
        };
        self.apply(batch, refused).await.map(|_| ())
    }

    /// Appends items to a job, all or none. Large jobs are given in several calls, so that others can
    /// write in between.
    pub async fn add_items(&self, job: &JobId, items: Vec<NewItem>) -> StoreResult<()> {
        loop {
            let last = Statement::new("SELECT seq FROM items WHERE job = $1 ORDER BY seq DESC LIMIT 1").bind(job);
            let last = self.query(last).await?.pop().map(|row| row.columns().count()).transpose()?;
            let first = last.map_or(0, |last| last + 1);
            let mut batch = vec![
                Statement::new("SELECT 1 FROM jobs WHERE id = $1").bind(job).must_hit(),
                // Whoever else adds items may have been quicker.
                Statement::new("SELECT 1 FROM items WHERE job = $1 AND seq >= $2 LIMIT 1")
                    .bind(job)
                    .bind(first)
                    .must_miss(),
            ];
            batch.extend(insert_items(job, first, &items));
            match self.write(batch).await? {
                Written::Done(_) => return Ok(()),
                Written::Refused { statement: 0, .. } => return Err(no_such_job(job)),
                Written::Refused { .. } => {}
            }
        }
    }

    /// Says where a job stands after a run of it that ended so.
    pub async fn run_ended(&self, id: &JobId, end: &RunEnd, now: Timestamp) -> StoreResult<()> {
        let (state, note, resume_at) = JobState::after(end);
        self.set_job_state(id, state, note, resume_at, now).await
    }

    /// Says where a job stands, why, and when it can go on.
    pub async fn set_job_state(
        &self,
        id: &JobId,
        state: JobState,
        note: Option<String>,
        resume_at: Option<Timestamp>,
        now: Timestamp,
    ) -> StoreResult<()> {
        let update =
            Statement::new("UPDATE jobs SET state = $1, note = $2, resume_at = $3, updated_at = $4 WHERE id = $5")
                .bind(state.name())
                .bind(note)
                .bind(resume_at)
                .bind(now)
                .bind(id)
                .must_hit();
        self.apply(vec![update], |_, _| no_such_job(id)).await.map(|_| ())
    }

    /// Drops the job's outcomes of these statuses (`failed`, `blocked`) so that their items are asked
    /// for again, and opens the job. Outcomes of posts that another job has claimed or answered since
    /// stay. Returns how many were dropped; with none, the job stays as it is.
    pub async fn reopen(&self, job: &JobId, statuses: &[&str], now: Timestamp) -> StoreResult<u64> {
        if statuses.is_empty() {
            return Ok(0);
        }
        let exists = Statement::new("SELECT 1 FROM jobs WHERE id = $1").bind(job).must_hit();
        let taken = taken_by_another("c.project", "c.post", "c.job");
        let sql = format!(
            "DELETE FROM outcomes WHERE job = $1 AND status IN ({}) AND NOT EXISTS (\
             SELECT 1 FROM items i JOIN claims c ON c.project = i.lane AND c.post = i.key AND c.job = i.job \
             WHERE i.job = outcomes.job AND i.seq = outcomes.seq AND {taken})",
            places(2, statuses.len())
        );
        let drop = statuses.iter().fold(Statement::new(sql).bind(job), |drop, status| drop.bind(*status)).must_hit();
        let open = Statement::new(
            "UPDATE jobs SET state = 'open', note = NULL, resume_at = NULL, updated_at = $1 WHERE id = $2",
        )
        .bind(now)
        .bind(job);
        match self.write(vec![exists, drop, open]).await? {
            Written::Done(effects) => Ok(effects.get(1).map_or(0, |dropped| dropped.count)),
            Written::Refused { statement: 0, .. } => Err(no_such_job(job)),
            Written::Refused { .. } => Ok(0),
        }
    }
}

fn no_such_job(job: &JobId) -> StoreError {
    StoreError::NoSuchJob { job: job.as_ref().into() }
}

fn insert_claim(job: &JobId, claim: &PostClaim) -> Statement {
    let taken = taken_by_another("$2", "$3", "$1");
    Statement::new(format!("INSERT INTO claims (job, project, post) SELECT $1, $2, $3 WHERE NOT ({taken})"))
        .bind(job)
        .bind(claim.project.as_str())
        .bind(claim.post.as_str())
        .must_hit()
}

/// The condition that a post is claimed by another job which is not over, or was answered by one.
fn taken_by_another(project: &str, post: &str, job: &str) -> String {
    format!(
        "(EXISTS (SELECT 1 FROM claims x JOIN jobs j ON j.id = x.job \
         WHERE x.project = {project} AND x.post = {post} AND x.job <> {job} AND j.state IN ({NOT_OVER})) \
         OR EXISTS (SELECT 1 FROM answers a \
         WHERE a.project = {project} AND a.post = {post} AND a.job <> {job} AND a.status IN ('drafted', 'blocked')))"
    )
}

/// `$1` is the job.
static INSERT_ITEMS: LazyLock<Bulk> = LazyLock::new(|| {
    let row = |_, first| format!("($1, {})", places(first, ITEM_COLUMNS));
    Bulk::new(1, ITEM_COLUMNS, row, |rows| format!("INSERT INTO items (job, seq, key, lane, payload) VALUES {rows}"))
});

/// The columns of an item beside its job.
const ITEM_COLUMNS: usize = 4;

/// Adds items to a job, the first in this place.
fn insert_items(job: &JobId, first: u64, items: &[NewItem]) -> Vec<Statement> {
    let bind = |statement: Statement, (seq, item): (u64, &NewItem)| {
        statement.bind(seq).bind(item.key.as_str()).bind(&item.lane).bind(&item.payload)
    };
    INSERT_ITEMS.statements((first..).zip(items).collect(), |statement| statement.bind(job), bind)
}
