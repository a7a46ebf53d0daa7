//! What a server works on: jobs that were submitted to it, until they are done, and again after a restart.
//!
//! What is to become of a job stands in its row ([`Wanted`]), so that whoever serves next goes on with it, and a pause or
//! a cancellation reaches whoever works on it. Jobs of the command line say nothing there: they are left to it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use atelier_engine::{JobId, Stop, StopHandle};
use atelier_store::{JobState, Wanted, WantedJob};
use tokio::task::JoinSet;

use crate::app::App;
use crate::error::{AppError, AppResult, ErrorClass};
use crate::job::Retried;
use crate::run::RunChange;
use crate::views::JobView;

/// How often it is looked for what others have submitted, and for limits that have reset. What this process submits is
/// begun at once.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Jobs at once. They share their pools' limits; what is beyond waits its turn.
const AT_ONCE: usize = 128;

/// Jobs that this process works on, each with what stops it.
#[derive(Default)]
struct Running {
    stops: HashMap<JobId, StopHandle>,
    tasks: JoinSet<JobId>,
}

impl App {
    /// Works on what is submitted until it is asked to stop; then lets paid calls finish, for as long as `patience` at
    /// most. What is not done by then is gone on with by whoever serves next.
    ///
    /// # Errors
    /// What the store reports while it is opened.
    pub async fn serve_jobs(&self, stop: Stop, patience: Duration) -> AppResult<()> {
        let submitted = Arc::clone(&self.shared().submitted);
        // Fails early if there is no store to be had.
        self.store()?;
        let mut running = Running::default();
        while !stop.is_requested() {
            if let Err(error) = self.look_for_jobs(&mut running).await {
                tracing::warn!(
                    code = error.code(),
                    "the jobs that are wanted can't be read: {error}",
                    error = error.message()
                );
            }
            tokio::select! {
                () = submitted.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                Some(ended) = running.tasks.join_next() => running.forget(ended.ok()),
                () = stop.clone().wait() => {}
            }
        }
        running.stops.values().for_each(StopHandle::stop);
        let finished = async { while running.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, finished).await.is_err() {
            tracing::warn!("calls that were in flight for too long are left: they may be paid for twice");
            running.tasks.shutdown().await;
        }
        Ok(())
    }

    async fn look_for_jobs(&self, running: &mut Running) -> AppResult<()> {
        let store = self.store()?;
        for WantedJob { id, owner, wanted } in store.wanted_jobs(self.clock().now()).await? {
            match (wanted, running.stops.get(&id)) {
                (Wanted::Run, None) if running.tasks.len() < AT_ONCE => {
                    if !store.is_leased(&id).await? {
                        let (handle, stop) = StopHandle::new();
                        running.stops.insert(JobId::clone(&id), handle);
                        running.tasks.spawn(self.owned_by(&owner).work_unattended(id, stop));
                    }
                }
                (Wanted::Run, _) => {}
                (Wanted::Pause | Wanted::Cancel, Some(handle)) => handle.stop(),
                (Wanted::Pause, None) => self.note_paused(&id).await?,
                (Wanted::Cancel, None) => self.give_up_if_free(&id).await?,
            }
        }
        Ok(())
    }

    /// Works on a job with nobody looking on: what stops it is noted in its row.
    async fn work_unattended(self, job: JobId, stop: Stop) -> JobId {
        if let Err(error) = Box::pin(self.work(&job, &RunChange::default(), stop, &mut |_| {})).await {
            match error.class() {
                // Somebody else has it, or it is over.
                ErrorClass::Held | ErrorClass::Conflict | ErrorClass::NotFound => {}
                _ => {
                    tracing::warn!(job = &*job, code = error.code(), "a job stopped: {}", error.message());
                    self.note_stopped(&job, &error).await;
                }
            }
        }
        job
    }

    /// A job that can't be worked on is not tried again and again: a person has to mend something.
    async fn note_stopped(&self, job: &JobId, error: &AppError) {
        let noted = async {
            let note = Some(error.message().to_owned());
            Ok::<_, AppError>(
                self.store()?.set_job_state(job, JobState::Stopped, note, None, self.clock().now()).await?,
            )
        };
        if let Err(trouble) = noted.await {
            tracing::warn!(code = trouble.code(), "a job's end could not be noted: {}", trouble.message());
        }
    }

    /// A job that waits for its turn, and is paused, waits for a person.
    async fn note_paused(&self, job: &JobId) -> AppResult<()> {
        let note = Some("paused".to_owned());
        Ok(self.store()?.set_job_state(job, JobState::Stopped, note, None, self.clock().now()).await?)
    }

    async fn give_up_if_free(&self, job: &JobId) -> AppResult<()> {
        match self.give_up(&self.job(job).await?).await {
            Err(error) if error.class() == ErrorClass::Held => Ok(()),
            done => done.map(drop),
        }
    }

    /// Has servers look at once for what is to be done.
    pub fn wake_queue(&self) {
        self.shared().submitted.notify_one();
    }

    /// Has nothing more of a job asked for until somebody resumes it; what is in flight is finished and kept.
    ///
    /// # Errors
    /// `no-such-job`, `job-over`; what the store reports.
    pub async fn pause_job(&self, id: &str) -> AppResult<JobView> {
        self.want(id, Wanted::Pause).await
    }

    /// Has a job given up: what was answered is kept.
    ///
    /// # Errors
    /// `no-such-job`, `job-over`; what the store reports.
    pub async fn want_job_cancelled(&self, id: &str) -> AppResult<JobView> {
        self.want(id, Wanted::Cancel).await
    }

    async fn want(&self, id: &str, wanted: Wanted) -> AppResult<JobView> {
        let record = self.job(id).await?;
        if record.state.is_over() {
            let message = format!("job {id} is over already ({})", record.state.name());
            return Err(AppError::new(code!("job-over"), message));
        }
        self.store()?.want_job(&record.id, wanted, self.clock().now()).await?;
        self.wake_queue();
        self.job_view_of(id).await
    }

    /// Has a job gone on with, under what `change` says anew, such as a larger budget.
    ///
    /// # Errors
    /// `no-such-job`, `job-over`; `job-held` if somebody works on it and something is to change; what is wrong with the
    /// change; what the store reports.
    pub async fn resume_job(&self, id: &str, change: &RunChange) -> AppResult<JobView> {
        if *change != RunChange::default() {
            let record = self.job(id).await?;
            let lease = self.store()?.lease(&record.id).await?;
            self.amended(id, change).await?;
            lease.release().await?;
        }
        self.want(id, Wanted::Run).await
    }

    /// Has what failed asked for again, and what the provider refused if `blocked` says so.
    ///
    /// # Errors
    /// `no-such-job`, `job-held`, `job-cancelled`; what the store reports.
    pub async fn retry_job(&self, id: &str, blocked: bool) -> AppResult<(Retried, JobView)> {
        let record = self.job(id).await?;
        let retried = self.reopen_job(&record.id, blocked).await?;
        if retried.0 > 0 {
            self.store()?.want_job(&record.id, Wanted::Run, self.clock().now()).await?;
            self.wake_queue();
        }
        Ok((retried, self.job_view_of(id).await?))
    }
}

impl Running {
    fn forget(&mut self, ended: Option<JobId>) {
        if let Some(job) = ended {
            self.stops.remove(&job);
        }
    }
}
