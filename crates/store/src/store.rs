//! The store itself: how it is opened, and what its parts share.

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use atelier_engine::Clock;
use tokio::sync::watch;

use crate::database::{Database, Effect, Row, Statement, Value, Written};
use crate::error::{StoreError, StoreResult};
use crate::gate::{Gate, make_private_dir};
use crate::requests::RequestKey;
use crate::sqlite::SqliteDatabase;

/// The database's file in the store's folder.
const DATABASE: &str = "atelier.db";

/// Durable state in a folder. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    owner: Arc<str>,
    /// Whether what others own is not to be seen.
    only_own: bool,
    /// The request that a job is made for.
    request: Option<Arc<RequestKey>>,
}

/// The scope in which it is decided who answers a post.
pub(crate) const CLAIMS: &str = "claims";

/// The scope of the image library: who adds, changes and removes images.
pub(crate) const LIBRARY: &str = "library";

/// The owner of what the command line makes.
pub const LOCAL_OWNER: &str = "local";

struct Inner {
    dir: PathBuf,
    database: Arc<dyn Database>,
    /// Changes whenever this process has written something.
    written: watch::Sender<()>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("dir", &self.inner.dir).finish_non_exhaustive()
    }
}

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// How long to wait for another process that is writing.
    pub busy_timeout: Duration,
    /// The store's clock; the machine's if none is given.
    pub clock: Option<Clock>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(10), clock: None }
    }
}

impl Store {
    /// Whether there is a store in `dir`.
    #[must_use]
    pub fn exists(dir: &Path) -> bool {
        dir.join(DATABASE).is_file()
    }

    /// Opens the store in `dir`; makes the folder, readable by this user only, if there is none, and
    /// brings the database's schema up to date. A database of a newer program is refused.
    pub fn open(dir: &Path) -> StoreResult<Self> {
        Self::open_with(dir, StoreOptions::default())
    }

    /// As [`Store::open`], with other options.
    pub fn open_with(dir: &Path, options: StoreOptions) -> StoreResult<Self> {
        make_private_dir(dir)?;
        // SQLite gives its other files the rights of this one.
        let file = dir.join(DATABASE);
        let open = OpenOptions::new().append(true).create(true).mode(0o600).open(&file);
        open.map_err(|error| StoreError::of_file(&file, &error))?;
        // One process at a time turns an empty file into a database.
        let gate = Gate::enter(dir)?;
        let database = SqliteDatabase::open(&file, options.busy_timeout, options.clock)?;
        drop(gate);
        Ok(Self::on(dir, Arc::new(database)))
    }

    /// A store on a database that is open already. The locks of its jobs are kept in `dir`, which
    /// exists.
    pub fn on(dir: &Path, database: Arc<dyn Database>) -> Self {
        let written = watch::Sender::new(());
        let inner = Arc::new(Inner { dir: dir.into(), database, written });
        Self { inner, owner: LOCAL_OWNER.into(), only_own: false, request: None }
    }

    /// The same store in the hands of somebody else: what is made and imported through it is theirs. It does not hide
    /// what others own.
    #[must_use]
    pub fn owned_by(&self, owner: &str) -> Self {
        Self { owner: owner.into(), ..self.clone() }
    }

    /// The same store as somebody sees it who may see what is theirs and what is shared: what others own is not there.
    /// What is made through it is theirs.
    #[must_use]
    pub fn seen_by(&self, owner: &str) -> Self {
        Self { owner: owner.into(), only_own: true, ..self.clone() }
    }

    /// The same store on behalf of a request: the job that is made through it is noted beside the request's key, in one
    /// transaction, and a second one with that key is refused.
    #[must_use]
    pub fn on_request(&self, request: RequestKey) -> Self {
        Self { request: Some(Arc::new(request)), ..self.clone() }
    }

    pub(crate) fn request(&self) -> Option<&RequestKey> {
        self.request.as_deref()
    }

    /// A condition that hides what others own, ready to stand behind others: `?` in it is who looks. Nothing if
    /// everything is to be seen.
    pub(crate) fn hiding(&self, condition: &str, values: &mut Vec<Value>) -> String {
        if !self.only_own {
            return String::new();
        }
        values.push(self.owner.as_ref().into());
        format!(" AND ({})", condition.replace('?', &format!("${}", values.len())))
    }

    /// Who owns what is made and imported through this: [`LOCAL_OWNER`] unless [`Store::owned_by`] says otherwise.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The folder that it is in.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    pub(crate) fn database(&self) -> &dyn Database {
        self.inner.database.as_ref()
    }

    /// Runs one query.
    pub(crate) async fn query(&self, query: Statement) -> StoreResult<Vec<Row>> {
        self.read(vec![query]).await.map(|mut answers| answers.pop().unwrap_or_default())
    }

    /// Runs queries on one state of the database.
    pub(crate) async fn read(&self, queries: Vec<Statement>) -> StoreResult<Vec<Vec<Row>>> {
        self.database().read(queries).await
    }

    /// Tells whoever holds it that this process has written something.
    pub(crate) fn written(&self) -> watch::Receiver<()> {
        self.inner.written.subscribe()
    }

    /// Runs a batch whose guards may refuse it.
    pub(crate) async fn write(&self, batch: Vec<Statement>) -> StoreResult<Written> {
        let written = self.database().write(batch).await;
        if matches!(written, Ok(Written::Done(_))) {
            self.inner.written.send_replace(());
        }
        written
    }

    /// Runs a batch that checks something in a scope before it writes there: nobody else's can come between.
    pub(crate) async fn write_in(&self, scope: &str, mut batch: Vec<Statement>) -> StoreResult<Written> {
        batch.insert(0, take_scope(scope));
        Ok(match self.write(batch).await? {
            Written::Done(mut effects) => {
                effects.remove(0);
                Written::Done(effects)
            }
            Written::Refused { statement, rows } => Written::Refused { statement: statement.saturating_sub(1), rows },
        })
    }

    /// The same, as [`Store::apply`] does it.
    pub(crate) async fn apply_in(
        &self,
        scope: &str,
        batch: Vec<Statement>,
        refused: impl FnOnce(usize, Vec<Row>) -> StoreError,
    ) -> StoreResult<Vec<Effect>> {
        match self.write_in(scope, batch).await? {
            Written::Done(effects) => Ok(effects),
            Written::Refused { statement, rows } => Err(refused(statement, rows)),
        }
    }

    /// Runs a batch; if a guard refuses it, `refused` makes the error from the statement's place and rows.
    pub(crate) async fn apply(
        &self,
        batch: Vec<Statement>,
        refused: impl FnOnce(usize, Vec<Row>) -> StoreError,
    ) -> StoreResult<Vec<Effect>> {
        match self.write(batch).await? {
            Written::Done(effects) => Ok(effects),
            Written::Refused { statement, rows } => Err(refused(statement, rows)),
        }
    }
}

/// Takes a scope for the rest of its batch: a database with many writers locks the row, one with a single writer need
/// not.
pub(crate) fn take_scope(scope: &str) -> Statement {
    Statement::new("INSERT INTO scopes (scope) VALUES ($1) ON CONFLICT (scope) DO UPDATE SET last_at = scopes.last_at")
        .bind(scope)
}

/// The error of a batch without guards that was refused by one.
pub(crate) fn never(statement: usize, _: Vec<Row>) -> StoreError {
    StoreError::Unexpected { detail: format!("statement {statement} was refused without a guard") }
}

/// `$first, $first+1, …`: places for so many values.
pub(crate) fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|place| format!("${place}")).collect();
    places.join(", ")
}
