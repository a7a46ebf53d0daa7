//! What is done with jobs of any kind: shown, tried again, given up.

use atelier_engine::JobId;
use atelier_store::{Cursor, JobPage, JobRecord, Store};

use crate::app::App;
use crate::error::{AppError, AppResult};
use crate::views::{JobDetailView, JobListView, JobView};

/// Where a job stands, with what the store does not keep: whether somebody works on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Somebody works on it.
    Running,
    /// As it is stored.
    Stored(atelier_store::JobState),
}

impl JobState {
    pub(crate) async fn of(store: &Store, job: &JobRecord) -> AppResult<Self> {
        let running = !job.state.is_over() && store.is_leased(&job.id).await?;
        Ok(if running { Self::Running } else { Self::Stored(job.state) })
    }

    /// Its name in lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stored(state) => state.name(),
        }
    }
}

/// A job that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// Items that are done, and kept.
    pub done: u64,
    /// Items that nobody will ask for.
    pub given_up: u64,
    /// Why not all that was answered could be put where it belongs, if so. It is given up all the same.
    pub not_applied: Option<AppError>,
}

/// Items that are to be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retried(pub u64);

impl App {
    /// A page of the jobs, newest first.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn jobs(&self, after: Option<Cursor>, limit: usize) -> AppResult<JobListView> {
        let store = self.store()?;
        let jobs = store.jobs(JobPage { after, limit }).await?;
        let next = jobs.last().filter(|_| jobs.len() == limit).map(|job| job.cursor().to_string());
        let mut views = Vec::with_capacity(jobs.len());
        for job in &jobs {
            views.push(JobView::new(job, JobState::of(&store, job).await?));
        }
        Ok(JobListView { jobs: views, next })
    }

    /// How many jobs there are in each state, as it is stored.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn jobs_by_state(&self) -> AppResult<Vec<(String, u64)>> {
        Ok(self.store()?.jobs_by_state().await?)
    }

    /// A job as it stands.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn job_view(&self, job: &JobRecord) -> AppResult<JobView> {
        Ok(JobView::new(job, JobState::of(&self.store()?, job).await?))
    }

    /// The same of the job of this id.
    ///
    /// # Errors
    /// `no-such-job`, and what the store reports.
    pub async fn job_view_of(&self, id: &str) -> AppResult<JobView> {
        self.job_view(&self.job(id).await?).await
    }

    /// A job with its settings, and what of it may be paid for twice.
    ///
    /// # Errors
    /// `no-such-job`, and what the store reports.
    pub async fn job_detail(&self, id: &str) -> AppResult<JobDetailView> {
        let job = self.job(id).await?;
        let state = JobState::of(&self.store()?, &job).await?;
        let possibly_paid_twice = self.possibly_twice(id).await?;
        let view = JobView::new(&job, state);
        Ok(JobDetailView { job: view, possibly_paid_twice, settings: job.settings })
    }

    /// Gives a job up: what was answered is kept, and nothing more is asked for.
    ///
    /// # Errors
    /// `job-over` if it is over already, `job-held` while somebody works on it; what the store reports.
    pub async fn cancel_job(&self, id: &str) -> AppResult<Cancelled> {
        let record = self.job(id).await?;
        if record.state.is_over() {
            let message = format!("job {id} is over already ({})", record.state.name());
            return Err(AppError::new(code!("job-over"), message));
        }
        self.give_up(&record).await
    }

    pub(crate) async fn give_up(&self, record: &JobRecord) -> AppResult<Cancelled> {
        let store = self.store()?;
        let lease = store.lease(&record.id).await?;
        let not_applied = self.apply_outcomes(&record.id).await.err();
        store.cancel_job(&record.id, "given up", self.clock().now()).await?;
        lease.release().await?;
        Ok(Cancelled { done: record.counts.done, given_up: record.counts.pending, not_applied })
    }

    /// Has what failed asked for again, and what the provider refused if `blocked` says so, once the job is worked on.
    /// With nothing to try again, the job stays as it is.
    ///
    /// # Errors
    /// `no-such-job`, `job-held`; what the store reports.
    pub async fn reopen_job(&self, id: &JobId, blocked: bool) -> AppResult<Retried> {
        let store = self.store()?;
        let record = self.job(id).await?;
        let lease = store.lease(&record.id).await?;
        if record.state == atelier_store::JobState::Cancelled {
            return Err(AppError::new(code!("job-cancelled"), format!("job {id} was given up"))
                .hint("submit a new one: what was answered is kept, and not asked for again"));
        }
        let statuses: &[&str] = if blocked { &["failed", "blocked"] } else { &["failed"] };
        let reopened = store.reopen(&record.id, statuses, self.clock().now()).await?;
        lease.release().await?;
        Ok(Retried(reopened))
    }
}
