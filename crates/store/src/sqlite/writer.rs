//! The one thread that writes, and how it groups commits.
//!
//! A commit that survives a power cut costs a sync of the disk, milliseconds on some. So every batch that
//! waits when a commit begins goes into it. A batch that fails is undone alone; a commit that fails is
//! undone whole, and each of its batches gets the error.
//!
//! Callers that work one batch after another would settle into two groups that take turns, each waiting
//! out the other's commit, so that every sync serves only half of them. So where callers are waiting when a
//! commit ends, the writer gives those it has just answered a moment to come back.

use std::path::PathBuf;
use std::time::Duration;

use atelier_engine::Clock;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::faults::fault;
use super::statements::{Session, run};
use crate::database::{Effect, Guard, Statement, Written};
use crate::error::{StoreError, StoreResult};

/// The most batches in one commit, which bounds what a commit holds in memory.
const MOST_IN_A_COMMIT: usize = 4096;

/// Waiting for more batches takes at most one part in so many of the last commit's time.
const LINGER: u32 = 8;

/// The fewest callers worth waiting for: with fewer, waiting costs more than it wins where processors are busy.
const CROWD: usize = 32;

/// The pause between looks at the queue while the writer waits for more.
const REST: Duration = Duration::from_micros(50);

/// A batch and who waits for it.
pub(super) struct QueuedBatch {
    pub(super) batch: Vec<Statement>,
    pub(super) reply: oneshot::Sender<StoreResult<Written>>,
}

/// Writes until nobody can send batches any more.
pub(super) fn write_all(
    connection: Connection,
    clock: Option<Clock>,
    path: PathBuf,
    mut queue: mpsc::Receiver<QueuedBatch>,
) {
    let committer = GroupCommitter { session: Session::new(connection, clock), path };
    let mut group = Vec::new();
    let mut last = (0, Duration::ZERO);
    while gather(&mut queue, &mut group, last) {
        let (size, started) = (group.len(), Instant::now());
        committer.commit(&mut group);
        last = (size, started.elapsed());
    }
}

/// Waits for batches and takes all that are there for the next commit; the last one's size and time say how
/// many callers may come back and how long to wait for them. False once nobody can send any more.
fn gather(
    queue: &mut mpsc::Receiver<QueuedBatch>,
    group: &mut Vec<QueuedBatch>,
    (size, took): (usize, Duration),
) -> bool {
    take_waiting(queue, group);
    if group.is_empty() {
        // Nobody waited, so nothing is won by waiting for more.
        group.extend(queue.blocking_recv());
        take_waiting(queue, group);
        return !group.is_empty();
    }
    let (expected, started) = (size + group.len(), Instant::now());
    if expected < CROWD {
        return true;
    }
    while group.len() < expected.min(MOST_IN_A_COMMIT) && started.elapsed() < took / LINGER {
        std::thread::park_timeout(REST);
        take_waiting(queue, group);
    }
    true
}

fn take_waiting(queue: &mut mpsc::Receiver<QueuedBatch>, group: &mut Vec<QueuedBatch>) {
    while group.len() < MOST_IN_A_COMMIT
        && let Ok(next) = queue.try_recv()
    {
        group.push(next);
    }
}

/// The connection that writes, one commit for each group of batches.
struct GroupCommitter {
    session: Session,
    path: PathBuf,
}

impl GroupCommitter {
    /// Commits a group, then answers its callers: a batch is reported only once it is durable.
    fn commit(&self, group: &mut Vec<QueuedBatch>) {
        match self.transact(group) {
            Ok(results) => {
                for (queued, result) in group.drain(..).zip(results) {
                    // Whoever no longer waits does not need to know.
                    let _ = queued.reply.send(result);
                }
            }
            Err(error) => {
                // Each caller gets the error; the log says that it was one commit.
                tracing::debug!(code = error.code(), batches = group.len(), "a commit failed and was undone: {error}");
                for queued in group.drain(..) {
                    let _ = queued.reply.send(Err(error.clone()));
                }
            }
        }
    }

    /// Runs every batch in one transaction. An error means that all of it is undone.
    fn transact(&self, group: &[QueuedBatch]) -> StoreResult<Vec<StoreResult<Written>>> {
        self.command("BEGIN IMMEDIATE")?;
        let mut results = Vec::with_capacity(group.len());
        for queued in group {
            let result = self.run_batch(&queued.batch);
            // A full disk and the like make SQLite undo the whole transaction by itself.
            if self.session.connection().is_autocommit() {
                return Err(result
                    .err()
                    .unwrap_or(StoreError::Refused { detail: "a statement ended the transaction".into() }));
            }
            results.push(result);
        }
        self.command("COMMIT").inspect_err(|_| {
            if !self.session.connection().is_autocommit() {
                // If this fails too, the next BEGIN says why.
                let _ = self.command("ROLLBACK");
            }
        })?;
        Ok(results)
    }

    /// Runs one batch; if it fails or a guard refuses it, what it did is undone.
    fn run_batch(&self, batch: &[Statement]) -> StoreResult<Written> {
        let mut guarded = false;
        let result = self.run_statements(batch, &mut guarded);
        if guarded && !self.session.connection().is_autocommit() {
            if !matches!(result, Ok(Written::Done(_))) {
                self.command("ROLLBACK TO batch")?;
            }
            self.command("RELEASE batch")?;
        }
        result
    }

    fn run_statements(&self, batch: &[Statement], guarded: &mut bool) -> StoreResult<Written> {
        let fault = |error| fault(&self.path, error);
        let mut effects: Vec<Effect> = Vec::with_capacity(batch.len());
        for (place, statement) in batch.iter().enumerate() {
            let mut prepared = self.session.prepare(statement).map_err(fault)?;
            // A statement that fails undoes itself. A savepoint is needed only where more follows a change.
            let last = place + 1 == batch.len() && statement.guard != Guard::Nothing;
            if !*guarded && !last && !prepared.readonly() {
                self.command("SAVEPOINT batch")?;
                *guarded = true;
            }
            let effect = run(&mut prepared).map_err(fault)?;
            let met = match statement.guard {
                Guard::Free => true,
                Guard::Some => effect.count > 0,
                Guard::Nothing => effect.count == 0,
            };
            if !met {
                return Ok(Written::Refused { statement: place, rows: effect.rows });
            }
            effects.push(effect);
        }
        Ok(Written::Done(effects))
    }

    fn command(&self, sql: &str) -> StoreResult<()> {
        let run = || self.session.connection().prepare_cached(sql)?.raw_execute();
        run().map(|_| ()).map_err(|error| fault(&self.path, error))
    }
}
