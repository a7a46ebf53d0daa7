//! How jobs are made and changed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use atelier_engine::{JobId, RunEnd, Timestamp};

use super::NOT_OVER;
use super::records::{JobState, NewItem, NewJob, PostClaim, Wanted};
use crate::bulk::Bulk;
use crate::changes::forget_old;
use crate::database::{Statement, Written};
use crate::error::{StoreError, StoreResult};
use crate::store::{CLAIMS, Store, never, places};

impl Store {
    /// Makes a job with its first items. All or nothing: [`StoreError::PostTaken`] if another job has
    /// claimed or answered one of the posts since they were selected.
    pub async fn create_job(&self, job: NewJob) -> StoreResult<()> {
        let claims: Vec<PostClaim> = job.claims.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        let id = JobId::clone(&job.id);
        let mut batch = insert_job(self, &job);
        // Behind the job, so that the places of claims in the batch are those in the list, and one more.
        batch.splice(1..1, claims.iter().map(|claim| insert_claim(&id, claim)));
        let refused = |statement: usize, _| match statement.checked_sub(1).and_then(|claim| claims.get(claim)) {
            Some(claim) => StoreError::PostTaken { project: claim.project.clone(), post: claim.post.clone() },
            None if statement > 0 => StoreError::RequestRepeated,
            None => StoreError::JobExists { job: id.as_ref().into() },
        };
        // Two jobs that claim one post write different rows: only their order keeps them apart.
        self.apply_in(CLAIMS, batch, refused).await.map(|_| ())
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
            match self.write_in(&format!("job:{job}"), batch).await? {
                Written::Done(_) => return Ok(()),
                Written::Refused { statement: 0, .. } => return Err(no_such_job(job)),
                Written::Refused { .. } => {}
            }
        }
    }

    /// Says that somebody works on a job from now on: whatever it was stopped by before holds no more. What a job shows
    /// is true whenever its worker dies.
    pub async fn work_began(&self, id: &JobId, now: Timestamp) -> StoreResult<()> {
        self.set_job_state(id, JobState::Open, None, None, now).await
    }

    /// Gives a job up, with whatever of it is not made yet; what was answered is kept.
    pub async fn cancel_job(&self, id: &JobId, note: &str, now: Timestamp) -> StoreResult<()> {
        let cancel = Statement::new(
            "UPDATE jobs SET state = 'cancelled', note = $2, resume_at = NULL, updated_at = $3 WHERE id = $1",
        )
        .bind(id)
        .bind(note)
        .bind(now)
        .must_hit();
        let images = Statement::new("UPDATE made_images SET state = 'cancelled' WHERE job = $1 AND state = 'pending'");
        self.apply(vec![cancel, images.bind(id)], |_, _| no_such_job(id)).await.map(|_| ())
    }

    /// Keeps other settings for a job, such as a larger budget.
    pub async fn set_job_settings(&self, id: &JobId, settings: &serde_json::Value) -> StoreResult<()> {
        let update = Statement::new("UPDATE jobs SET settings = $2 WHERE id = $1").bind(id).bind(settings.to_string());
        self.apply(vec![update.must_hit()], |_, _| no_such_job(id)).await.map(|_| ())
    }

    /// Says where a job stands after a run of it that ended so. Whoever has lost it has no say any more.
    pub async fn run_ended(&self, id: &JobId, end: &RunEnd, now: Timestamp) -> StoreResult<()> {
        if *end == RunEnd::LeaseLost {
            return Ok(());
        }
        let (state, note, resume_at) = JobState::after(end);
        self.set_job_state(id, state, note, resume_at, now).await?;
        if *end == RunEnd::Interrupted {
            // Nobody wants it to rest: the server that worked on it was shut down.
            let open = Statement::new("UPDATE jobs SET state = 'open', note = NULL WHERE id = $1 AND wanted = 'run'");
            self.apply(vec![open.bind(id)], never).await?;
        }
        self.apply(forget_old().into(), never).await.map(|_| ())
    }

    /// Says what servers are to do about a job. One that is to run is open again, whatever it waited for.
    pub async fn want_job(&self, id: &JobId, wanted: Wanted, now: Timestamp) -> StoreResult<()> {
        let mut batch =
            vec![Statement::new("UPDATE jobs SET wanted = $1 WHERE id = $2").bind(wanted.name()).bind(id).must_hit()];
        if wanted == Wanted::Run {
            let open = Statement::new(
                "UPDATE jobs SET state = 'open', note = NULL, resume_at = NULL, updated_at = $1 WHERE id = $2 \
                 AND state IN ('parked', 'stopped')",
            );
            batch.push(open.bind(now).bind(id));
        }
        self.apply(batch, |_, _| no_such_job(id)).await.map(|_| ())
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
    /// stay, and so do those of images that another job makes since, or that were deleted. Returns how many were dropped; with none, the job stays as it is.
    pub async fn reopen(&self, job: &JobId, statuses: &[&str], now: Timestamp) -> StoreResult<u64> {
        if statuses.is_empty() {
            return Ok(0);
        }
        let exists = Statement::new("SELECT 1 FROM jobs WHERE id = $1").bind(job).must_hit();
        let taken = taken_by_another("c.project", "c.post", "c.job");
        let sql = format!(
            "DELETE FROM outcomes WHERE job = $1 AND status IN ({}) AND NOT EXISTS (\
             SELECT 1 FROM items i JOIN claims c ON c.project = i.lane AND c.post = i.key AND c.job = i.job \
             WHERE i.job = outcomes.job AND i.seq = outcomes.seq AND {taken}) \
             AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = outcomes.job AND j.kind = 'images' AND NOT EXISTS (\
             SELECT 1 FROM made_images m WHERE m.job = outcomes.job AND m.seq = outcomes.seq))",
            places(2, statuses.len())
        );
        let drop = statuses.iter().fold(Statement::new(sql).bind(job), |drop, status| drop.bind(*status)).must_hit();
        let open = Statement::new(
            "UPDATE jobs SET state = 'open', note = NULL, resume_at = NULL, updated_at = $1 WHERE id = $2",
        )
        .bind(now)
        .bind(job);
        // The images of items that have no outcome any more are to be made again.
        let images = Statement::new(
            "UPDATE made_images SET state = 'pending', kind = NULL, message = NULL, attempts = 0 \
             WHERE job = $1 AND state IN ('blocked', 'failed') \
             AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.job = made_images.job AND o.seq = made_images.seq)",
        )
        .bind(job);
        match self.write_in(CLAIMS, vec![exists, drop, open, images]).await? {
            Written::Done(effects) => Ok(effects.get(1).map_or(0, |dropped| dropped.count)),
            Written::Refused { statement: 0, .. } => Err(no_such_job(job)),
            Written::Refused { .. } => Ok(0),
        }
    }
}

/// A job with its first items, the job itself first; its claims are not among them. If it is made for a request, that
/// stands behind it, and must be the first of its key.
pub(crate) fn insert_job(store: &Store, job: &NewJob) -> Vec<Statement> {
    let request = store.request();
    let insert = Statement::new(
        "INSERT INTO jobs (id, kind, owner, state, wanted, settings, created_at, updated_at) \
         VALUES ($1, $2, $3, 'open', $4, $5, $6, $6) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&job.id)
    .bind(job.kind.as_str())
    .bind(store.owner())
    // Whoever asked over the wire has a server work on it.
    .bind(request.map(|_| Wanted::Run.name()))
    .bind(job.settings.to_string())
    .bind(job.created_at)
    .must_hit();
    let items = insert_items(&job.id, 0, &job.items);
    let request = request.map(|request| request.insert(store.owner(), &job.id, job.created_at));
    std::iter::once(insert).chain(items).chain(request).collect()
}

fn no_such_job(job: &JobId) -> StoreError {
    StoreError::NoSuchJob { job: job.as_ref().into() }
}

fn insert_claim(job: &JobId, claim: &PostClaim) -> Statement {
    let taken = if claim.again { claimed_by_another("$2", "$3", "$1") } else { taken_by_another("$2", "$3", "$1") };
    Statement::new(format!("INSERT INTO claims (job, project, post) SELECT $1, $2, $3 WHERE NOT ({taken})"))
        .bind(job)
        .bind(claim.project.as_str())
        .bind(claim.post.as_str())
        .must_hit()
}

/// The condition that a post is claimed by another job which is not over, or was answered by one.
fn taken_by_another(project: &str, post: &str, job: &str) -> String {
    let claimed = claimed_by_another(project, post, job);
    format!(
        "({claimed} OR EXISTS (SELECT 1 FROM answers a \
         WHERE a.project = {project} AND a.post = {post} AND a.job <> {job} AND a.status IN ('drafted', 'blocked')))"
    )
}

/// The condition that a post is claimed by another job which is not over.
fn claimed_by_another(project: &str, post: &str, job: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM claims x JOIN jobs j ON j.id = x.job \
         WHERE x.project = {project} AND x.post = {post} AND x.job <> {job} AND j.state IN ({NOT_OVER}))"
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
