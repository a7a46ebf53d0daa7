//! The trait by which work is added.

use std::sync::Arc;

use atelier_engine::{Outcome, Pool, Task};
use atelier_store::{GeneratedImage, JobRecord, OutcomeRecord};
use futures_util::future::{BoxFuture, ready};

use crate::app::App;
use crate::error::AppResult;
use crate::run::RunSettings;

/// One kind of work. A value of it is one job that is open to be worked on.
///
/// Everything else about jobs is the same for all kinds and written once, in the worker: who may work on a job, what it
/// has spent, its engine, its pools, its end. So `jobs show`, `resume`, `retry` and `cancel`, budgets, limits and owners
/// mean the same for a kind that was added yesterday. A kind says only what is its own:
///
/// - what its settings are: a snapshot with a version, from which the job is opened whenever somebody works on it,
///   years later too ([`open`](Self::open));
/// - which [`Task`] it runs, and by which models;
/// - what becomes of each outcome **as it arrives** ([`apply`](Self::apply)). Outcomes are durable before; a process
///   may die between, and then they are applied by the next. Applying one twice must change nothing;
/// - what its end means ([`end`](Self::end)).
///
/// A new kind is one file beside the others in `kinds`, and one line in the registry there.
pub trait JobKind: Send + Sync {
    /// Opens a job of this kind, from what it keeps. No key is needed for it and nothing is sent.
    fn open(app: App, job: JobRecord, purpose: Purpose) -> BoxFuture<'static, AppResult<Box<dyn JobKind>>>
    where
        Self: Sized;

    /// How it is run.
    fn run(&self) -> &RunSettings;

    /// The models that answer it: one, unless its [`Task::model`] tells items apart.
    fn models(&self) -> Vec<String> {
        vec![self.run().model.clone()]
    }

    /// What is asked, and what counts as an answer.
    fn task(&self) -> Arc<dyn Task>;

    /// Stands before each pool: what a kind has to do with an answer before the journal names it.
    fn before(&self, pool: Pool) -> Pool {
        pool
    }

    /// What reads an outcome's record from the outcome alone, for kinds of so many items that reading each from the
    /// store again would cost more than answering it.
    fn at_hand(&self) -> AtHand {
        |_, _| None
    }

    /// Does what is to be done with outcomes that are durable: a draft is saved, an image is saved, a line is written.
    fn apply<'a>(&'a mut self, ended: &'a [OutcomeRecord]) -> BoxFuture<'a, AppResult<Vec<Applied>>>;

    /// All that was durable when the job was opened is applied; what comes now has just been answered.
    fn caught_up(&mut self) -> BoxFuture<'_, AppResult<()>> {
        Box::pin(ready(Ok(())))
    }

    /// Nothing more comes for now. Whether the job is over, the store says afterwards.
    fn end(&mut self) -> BoxFuture<'_, AppResult<()>> {
        Box::pin(ready(Ok(())))
    }
}

/// See [`JobKind::at_hand`].
pub type AtHand = fn(&Outcome, u32) -> Option<OutcomeRecord>;

/// What a job is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be worked on.
    Work,
    /// To have applied what it was answered, and no more: it is given up.
    Close,
}

/// Something that came of an outcome, for whoever watches.
#[derive(Clone, Debug)]
pub enum Applied {
    /// An image is there, or it is known why there is none.
    Image(Box<GeneratedImage>),
    /// So many drafts for a post, those that the filter rejected included.
    Drafts(u64),
}
