//! How jobs are looked at.

use std::sync::Arc;

use atelier_engine::{EntryId, JobId, Timestamp, Verdict};

use super::NOT_OVER;
use super::records::{
    JobCounts, JobPage, JobRecord, JobState, JobTotals, OutcomeRecord, UnsettledCall, Wanted, WantedJob,
};
use crate::database::{Row, Statement};
use crate::error::{StoreError, StoreResult};
use crate::journal::{place_before, rows};
use crate::store::{Store, places};

/// Keys of items are looked up in groups of this size.
const LOOK_UP: usize = 1_000;

impl Store {
    /// The job of this id, if there is one.
    pub async fn job(&self, id: &str) -> StoreResult<Option<JobRecord>> {
        let mut page = Statement::new("").bind(id);
        page.sql = format!("SELECT id FROM jobs WHERE id = $1{}", self.hiding("owner = ?", &mut page.values)).into();
        Ok(self.job_records(&page).await?.pop())
    }

    /// A page of the jobs, newest first.
    pub async fn jobs(&self, page: JobPage) -> StoreResult<Vec<JobRecord>> {
        let (created_at, id) = match &page.after {
            Some(cursor) => cursor.parts()?,
            None => (i64::MAX, ""),
        };
        let mut query = Statement::new("").bind(created_at).bind(id).bind(page.limit);
        let hiding = self.hiding("owner = ?", &mut query.values);
        query.sql = format!(
            "SELECT id FROM jobs WHERE created_at <= $1 AND (created_at < $1 OR id < $2){hiding} \
             ORDER BY created_at DESC, id DESC LIMIT $3"
        )
        .into();
        self.job_records(&query).await
    }

    /// The jobs of this kind that are not over, whoever works on them, newest first.
    pub async fn unfinished_jobs(&self, kind: &str) -> StoreResult<Vec<JobRecord>> {
        let sql = format!("SELECT id FROM jobs WHERE kind = $1 AND state IN ({NOT_OVER})");
        self.job_records(&Statement::new(sql).bind(kind)).await
    }

    /// How many jobs there are in each state.
    pub async fn jobs_by_state(&self) -> StoreResult<Vec<(String, u64)>> {
        let query = Statement::new("SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state");
        rows(self.query(query).await?, |row| {
            let mut columns = row.columns();
            Ok((columns.text()?, columns.count()?))
        })
    }

    /// The jobs that servers are to work on now, whoever owns them, the oldest first: those that wait for nothing, and
    /// those whose limit has reset.
    pub async fn wanted_jobs(&self, now: Timestamp) -> StoreResult<Vec<WantedJob>> {
        let query = Statement::new(
            "SELECT id, owner, wanted FROM jobs WHERE wanted IS NOT NULL AND (state = 'open' \
             OR (state IN ('parked', 'stopped') AND wanted = 'cancel') \
             OR (state = 'parked' AND wanted = 'run' AND coalesce(resume_at, 0) <= $1)) ORDER BY created_at, id",
        );
        rows(self.query(query.bind(now)).await?, |row| {
            let mut columns = row.columns();
            let (id, owner, wanted) = (columns.shared()?, columns.text()?, columns.text()?);
            let wanted = Wanted::from_name(&wanted)
                .ok_or_else(|| StoreError::Unexpected { detail: format!("'{wanted}' can't become of a job") })?;
            Ok(WantedJob { id, owner, wanted })
        })
    }

    /// The jobs whose ids `page` selects, with what is counted of each, all of one moment.
    async fn job_records(&self, page: &Statement) -> StoreResult<Vec<JobRecord>> {
        let of_page = |sql: String| Statement { sql: sql.into(), ..page.clone() };
        let page = &page.sql;
        let jobs = of_page(format!(
            "SELECT j.id, j.kind, j.owner, j.state, j.wanted, j.note, j.resume_at, j.settings, j.created_at, j.updated_at, \
             (SELECT coalesce(max(i.seq) + 1, 0) FROM items i WHERE i.job = j.id) \
             FROM jobs j WHERE j.id IN ({page}) ORDER BY j.created_at DESC, j.id DESC"
        ));
        let counts = of_page(format!(
            "SELECT o.job, o.status, count(*) FROM outcomes o WHERE o.job IN ({page}) GROUP BY o.job, o.status"
        ));
        let totals = of_page(format!(
            "SELECT r.job, \
             CAST(sum(r.sent) AS BIGINT), CAST(sum(r.limited) AS BIGINT), CAST(sum(r.faulted) AS BIGINT), \
             CAST(coalesce(sum(r.used_input_tokens), 0) AS BIGINT), \
             CAST(coalesce(sum(r.used_output_tokens), 0) AS BIGINT), \
             CAST(sum(r.cost) AS BIGINT), max(r.estimated), CAST(sum(r.unpriced) AS BIGINT), \
             CAST(sum(CASE WHEN r.settled_at IS NULL THEN r.usd - r.cost ELSE 0 END) AS BIGINT), \
             CAST(sum(r.calls - r.ended) AS BIGINT) \
             FROM reservations r WHERE r.job IN ({page}) GROUP BY r.job"
        ));
        let mut answers = self.read(vec![jobs, counts, totals]).await?.into_iter();
        let mut answer = move || answers.next().unwrap_or_default();
        let mut jobs = rows(answer(), job_record)?;
        for row in answer() {
            add_count(&mut jobs, row)?;
        }
        for row in answer() {
            add_totals(&mut jobs, row)?;
        }
        for job in &mut jobs {
            let counts = &mut job.counts;
            counts.pending = counts.items.saturating_sub(counts.done + counts.blocked + counts.failed);
        }
        Ok(jobs)
    }

    /// What the items of a job ask for that have no outcome yet, by their places: for jobs that are small enough to be
    /// held.
    pub async fn pending_payloads(&self, job: &JobId) -> StoreResult<Vec<(u64, Arc<str>)>> {
        let query = Statement::new(
            "SELECT i.seq, i.payload FROM items i WHERE i.job = $1 \
             AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.job = i.job AND o.seq = i.seq) ORDER BY i.seq",
        )
        .bind(job);
        rows(self.query(query).await?, |row| {
            let mut columns = row.columns();
            Ok((columns.count()?, columns.shared()?))
        })
    }

    /// The keys of a job's items that have no outcome yet, in their order: for jobs that are small enough to be held.
    pub async fn pending_keys(&self, job: &JobId) -> StoreResult<Vec<String>> {
        let query = Statement::new(
            "SELECT i.key FROM items i WHERE i.job = $1 \
             AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.job = i.job AND o.seq = i.seq) ORDER BY i.seq",
        )
        .bind(job);
        rows(self.query(query).await?, |row| row.columns().text())
    }

    /// What an item of a job asks for, if there is such an item.
    pub async fn item_payload(&self, job: &str, seq: u64) -> StoreResult<Option<String>> {
        let query = Statement::new("SELECT payload FROM items WHERE job = $1 AND seq = $2").bind(job).bind(seq);
        Ok(rows(self.query(query).await?, |row| row.columns().text())?.pop())
    }

    /// A page of a job's outcomes, in the order of its items.
    pub async fn outcomes(&self, job: &str, after: Option<u64>, limit: usize) -> StoreResult<Vec<OutcomeRecord>> {
        let query = Statement::new(
            "SELECT o.seq, i.key, i.lane, o.status, o.fault, o.body, o.attempts \
             FROM outcomes o JOIN items i ON i.job = o.job AND i.seq = o.seq \
             WHERE o.job = $1 AND o.seq > $2 ORDER BY o.seq LIMIT $3",
        )
        .bind(job)
        .bind(place_before(after))
        .bind(limit);
        rows(self.query(query).await?, outcome_record)
    }

    /// The outcomes of these items of a job, in the order of the items; nothing for those that have none.
    pub async fn outcomes_at(&self, job: &str, seqs: &[u64]) -> StoreResult<Vec<OutcomeRecord>> {
        let mut found = Vec::with_capacity(seqs.len());
        for seqs in seqs.chunks(LOOK_UP) {
            let sql = format!(
                "SELECT o.seq, i.key, i.lane, o.status, o.fault, o.body, o.attempts \
                 FROM outcomes o JOIN items i ON i.job = o.job AND i.seq = o.seq \
                 WHERE o.job = $1 AND o.seq IN ({}) ORDER BY o.seq",
                places(2, seqs.len())
            );
            let query = seqs.iter().fold(Statement::new(sql).bind(job), |query, seq| query.bind(*seq));
            found.extend(rows(self.query(query).await?, outcome_record)?);
        }
        Ok(found)
    }

    /// All outcomes of a job, in the order of its items: for jobs that are small enough to be held.
    pub async fn all_outcomes(&self, job: &str) -> StoreResult<Vec<OutcomeRecord>> {
        const PAGE: usize = 500;
        let mut all = Vec::new();
        loop {
            let page = self.outcomes(job, all.last().map(|outcome: &OutcomeRecord| outcome.seq), PAGE).await?;
            let last = page.len() < PAGE;
            all.extend(page);
            if last {
                return Ok(all);
            }
        }
    }

    /// The job's calls that were reserved and never settled: what they carried may be paid for twice.
    /// Of a running job, these are the calls in flight.
    pub async fn unsettled(&self, job: &str) -> StoreResult<Vec<UnsettledCall>> {
        let query = Statement::new(
            "SELECT id, leave_by, items FROM reservations WHERE job = $1 AND settled_at IS NULL ORDER BY id",
        )
        .bind(job);
        let mut calls = Vec::new();
        for row in self.query(query).await? {
            let mut columns = row.columns();
            let (entry, left) = (EntryId(columns.integer()?), columns.moment()?);
            let seqs = columns.text()?;
            let seqs: Vec<u64> = serde_json::from_str(&seqs).map_err(|error| StoreError::Unexpected {
                detail: format!("the items of reservation {}: {error}", entry.0),
            })?;
            calls.push(UnsettledCall { entry, left, item_keys: self.keys_without_answer(job, entry, &seqs).await? });
        }
        Ok(calls)
    }

    /// The keys of those of the job's items that this reservation has brought no outcome.
    async fn keys_without_answer(&self, job: &str, entry: EntryId, seqs: &[u64]) -> StoreResult<Vec<String>> {
        let key = |seq: &u64| {
            Statement::new(
                "SELECT key FROM items WHERE job = $1 AND seq = $2 AND NOT EXISTS (\
                 SELECT 1 FROM outcomes o WHERE o.job = $1 AND o.seq = $2 AND o.entry = $3)",
            )
            .bind(job)
            .bind(*seq)
            .bind(entry.0)
        };
        let mut keys = Vec::with_capacity(seqs.len());
        for seqs in seqs.chunks(LOOK_UP) {
            for row in self.read(seqs.iter().map(key).collect()).await?.into_iter().flatten() {
                keys.push(row.columns().text()?);
            }
        }
        Ok(keys)
    }
}

fn job_record(row: Row) -> StoreResult<JobRecord> {
    let mut columns = row.columns();
    Ok(JobRecord {
        id: columns.shared()?,
        kind: columns.text()?,
        owner: columns.text()?,
        state: JobState::from_name(&columns.shared()?)?,
        wanted: columns.optional_text()?.as_deref().and_then(Wanted::from_name),
        note: columns.optional_text()?,
        resume_at: columns.optional_moment()?,
        settings: columns.json()?,
        created_at: columns.moment()?,
        updated_at: columns.moment()?,
        counts: JobCounts { items: columns.count()?, ..JobCounts::default() },
        totals: JobTotals::default(),
    })
}

fn find<'a>(jobs: &'a mut [JobRecord], id: &JobId) -> StoreResult<&'a mut JobRecord> {
    let job = jobs.iter_mut().find(|job| job.id == *id);
    job.ok_or_else(|| StoreError::Unexpected { detail: format!("job {id} is counted and not listed") })
}

fn add_count(jobs: &mut [JobRecord], row: Row) -> StoreResult<()> {
    let mut columns = row.columns();
    let counts = &mut find(jobs, &columns.shared()?)?.counts;
    let status = columns.shared()?;
    let count = columns.count()?;
    match status.as_ref() {
        "done" => counts.done = count,
        "blocked" => counts.blocked = count,
        _ => counts.failed = count,
    }
    Ok(())
}

fn add_totals(jobs: &mut [JobRecord], row: Row) -> StoreResult<()> {
    let mut columns = row.columns();
    let job = find(jobs, &columns.shared()?)?;
    job.totals = JobTotals {
        calls: columns.count()?,
        rate_limited: columns.count()?,
        faults: columns.count()?,
        input_tokens: columns.count()?,
        output_tokens: columns.count()?,
        cost: columns.usd()?,
        estimated: columns.flag()?,
        unpriced: columns.count()?,
        unsettled: columns.usd()?,
        unsettled_calls: columns.count()?,
    };
    Ok(())
}

fn outcome_record(row: Row) -> StoreResult<OutcomeRecord> {
    let mut columns = row.columns();
    let (seq, key, lane) = (columns.count()?, columns.text()?, columns.shared()?);
    let (status, fault, body) = (columns.shared()?, columns.optional_text()?, columns.shared()?);
    let verdict = match status.as_ref() {
        "done" => Verdict::Done { result: body },
        "blocked" => Verdict::Blocked { reason: body.as_ref().into() },
        _ => Verdict::Failed { kind: fault.unwrap_or_default(), message: body.as_ref().into() },
    };
    let attempts = u32::try_from(columns.count()?).unwrap_or(u32::MAX);
    Ok(OutcomeRecord { seq, key, lane, verdict, attempts })
}
