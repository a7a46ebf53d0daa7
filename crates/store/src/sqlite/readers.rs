//! A pool of connections that read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atelier_engine::Clock;
use rusqlite::OpenFlags;
use tokio::sync::Semaphore;

use super::connect;
use super::faults::fault;
use super::statements::{Session, run};
use crate::database::{Row, Statement};
use crate::error::{StoreError, StoreResult};

/// The most reads at the same time: reads are short, and each connection keeps its own cache.
const MOST: usize = 4;

/// A few connections that read, opened when they are first needed.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    busy_timeout: Duration,
    clock: Option<Clock>,
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Session>>>,
}

impl Readers {
    pub(super) fn new(path: &Path, busy_timeout: Duration, clock: Option<Clock>) -> Self {
        Self { path: path.into(), busy_timeout, clock, permits: Arc::new(Semaphore::new(MOST)), idle: Arc::default() }
    }

    /// Runs queries on one snapshot, on a thread where blocking does no harm.
    pub(super) async fn read(&self, queries: Vec<Statement>) -> StoreResult<Vec<Vec<Row>>> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (path, busy_timeout, clock, idle) =
            (self.path.clone(), self.busy_timeout, self.clock, Arc::clone(&self.idle));
        let read = move || {
            let reused = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match reused {
                Some(connection) => connection,
                None => open(&path, busy_timeout, clock)?,
            };
            // A connection that failed is closed, whatever state it is in.
            let rows = snapshot(&connection, &queries).map_err(|error| fault(&path, error))?;
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            drop(permit);
            Ok(rows)
        };
        tokio::task::spawn_blocking(read).await.map_err(|_| StoreError::Closed)?
    }
}

fn open(path: &Path, busy_timeout: Duration, clock: Option<Clock>) -> StoreResult<Session> {
    let connection = connect(path, busy_timeout, OpenFlags::empty())?;
    connection.pragma_update(None, "query_only", true).map_err(|error| fault(path, error))?;
    Ok(Session::new(connection, clock))
}

fn snapshot(session: &Session, queries: &[Statement]) -> rusqlite::Result<Vec<Vec<Row>>> {
    let query = |statement| Ok(run(&mut session.prepare(statement)?)?.rows);
    // A single query sees one snapshot anyway.
    if let [statement] = queries {
        return Ok(vec![query(statement)?]);
    }
    let transaction = session.connection().unchecked_transaction()?;
    let rows = queries.iter().map(query).collect::<rusqlite::Result<_>>()?;
    transaction.finish()?;
    Ok(rows)
}
