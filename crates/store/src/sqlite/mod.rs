//! SQLite, embedded: one file, one thread that writes, a few connections that read.

mod faults;
mod migrations;
mod readers;
mod statements;
mod writer;

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use atelier_engine::Clock;
use futures_util::future::BoxFuture;
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use self::faults::fault;
use self::readers::Readers;
use self::writer::QueuedBatch;
use crate::database::{Database, Row, Statement, Written};
use crate::error::{StoreError, StoreResult};

/// The most batches in the writer's queue; whoever sends more waits for room.
const QUEUE: usize = 4096;

/// A SQLite database in a file, in WAL mode. Reads need a tokio runtime.
#[derive(Debug)]
pub struct SqliteDatabase {
    path: PathBuf,
    busy_timeout: Duration,
    readers: Readers,
    queue: Option<mpsc::Sender<QueuedBatch>>,
    writer: Option<JoinHandle<()>>,
}

impl SqliteDatabase {
    /// Opens the file, makes it if there is none, and brings its schema up to date. `busy_timeout` is how
    /// long to wait for another process that is writing; `clock` is its clock, the machine's if none is given.
    pub fn open(path: &Path, busy_timeout: Duration, clock: Option<Clock>) -> StoreResult<Self> {
        let mut connection = connect(path, busy_timeout, OpenFlags::SQLITE_OPEN_CREATE)?;
        prepare_to_write(&connection, path)?;
        migrations::migrate(&mut connection, path)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let file = path.to_owned();
        let writer = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer::write_all(connection, clock, file, receiver))
            .map_err(|error| StoreError::Io { path: path.into(), detail: error.to_string() })?;
        let readers = Readers::new(path, busy_timeout, clock);
        Ok(Self { path: path.into(), busy_timeout, readers, queue: Some(sender), writer: Some(writer) })
    }
}

fn connect(path: &Path, busy_timeout: Duration, more: OpenFlags) -> StoreResult<Connection> {
    // Each connection is used by one thread at a time, so SQLite need not lock it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(128);
        connection.pragma_update(None, "temp_store", "memory")?;
        Ok(connection)
    };
    open().map_err(|error| fault(path, error))
}

fn prepare_to_write(connection: &Connection, path: &Path) -> StoreResult<()> {
    let fault = |error| fault(path, error);
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(fault)?;
    if mode != "wal" {
        let detail = format!("it can't keep a write-ahead log there (its journal is '{mode}')");
        return Err(StoreError::Io { path: path.into(), detail });
    }
    let set = |name: &str, value: i64| connection.pragma_update(None, name, value).map_err(fault);
    set("foreign_keys", 1)?;
    // FULL: a commit is on the disk before it is reported.
    set("synchronous", 2)?;
    set("cache_size", -32_768)?; // KiB
    // Each checkpoint copies the pages that changed and syncs twice: seldom enough not to be felt, often
    // enough that the log stays near 16 MiB.
    set("wal_autocheckpoint", 4_096)?;
    // Answers with the value, as only this pragma does when it is set.
    connection
        .pragma_update_and_check(None, "journal_size_limit", 64 << 20, |row| row.get::<_, i64>(0))
        .map(|_| ())
        .map_err(fault)
}

impl Database for SqliteDatabase {
    fn read(&self, queries: Vec<Statement>) -> BoxFuture<'_, StoreResult<Vec<Vec<Row>>>> {
        Box::pin(self.readers.read(queries))
    }

    fn write(&self, batch: Vec<Statement>) -> BoxFuture<'_, StoreResult<Written>> {
        Box::pin(async move {
            let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
            let (reply, answer) = oneshot::channel();
            queue.send(QueuedBatch { batch, reply }).await.map_err(|_| StoreError::Closed)?;
            answer.await.map_err(|_| StoreError::Closed)?
        })
    }

    fn copy_to(&self, file: PathBuf) -> BoxFuture<'_, StoreResult<()>> {
        let (path, busy_timeout) = (self.path.clone(), self.busy_timeout);
        Box::pin(async move {
            let copy = move || {
                let source = connect(&path, busy_timeout, OpenFlags::empty())?;
                let copy_pages = || {
                    let mut target = Connection::open(&file)?;
                    // Nobody reads the target before it is whole, and its maker syncs it.
                    target.pragma_update(None, "synchronous", "off")?;
                    // All pages in one step are one snapshot; writers go on in the log meanwhile.
                    Backup::new(&source, &mut target)?.step(-1)
                };
                copy_pages().map(|_| ()).map_err(|error| fault(&file, error))
            };
            tokio::task::spawn_blocking(copy).await.map_err(|_| StoreError::Closed)?
        })
    }
}

/// Waits for batches under way, so that whoever opens the file next finds it at rest.
impl Drop for SqliteDatabase {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
