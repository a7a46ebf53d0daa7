//! Jobs, their items and outcomes.

mod read;
mod records;
mod write;

pub use self::records::{
    JobCounts, JobPage, JobRecord, JobState, JobTotals, NewItem, NewJob, OutcomeRecord, PostClaim, UnsettledCall,
    Wanted, WantedJob, job_id,
};
pub(crate) use self::write::insert_job;

/// The states of jobs that are not over, for use in SQL: a post that such a job claims is taken.
pub(crate) const NOT_OVER: &str = "'open', 'parked', 'stopped'";
