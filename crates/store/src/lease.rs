//! Who works on a job: a row that names its holder until a moment, and a number that grows with each of them.
//!
//! A holder that died on this machine is found out at once: the row says which process it was and when that began. One on
//! another machine is given up once its time has passed without being renewed. Whoever was taken for dead and lives all
//! the same is fenced: its reservations name the epoch that they were made under, and are refused once it is another's
//! (see [`Journal::reserve`](atelier_engine::Journal::reserve)).

use std::time::Duration;

use atelier_engine::{Epoch, JobId, Timestamp};
use futures_util::FutureExt;
use tokio::task::JoinHandle;

use crate::database::{Row, Statement, Value, Written};
use crate::error::{Holder, StoreError, StoreResult};
use crate::host::{Process, this_process};
use crate::store::{Store, never};

/// A lease that is not renewed is another machine's to take after this.
const HOLDS: Duration = Duration::from_secs(30);
/// It is renewed so often.
const RENEWED_EVERY: Duration = Duration::from_secs(10);

/// While it lives, nobody else can work on the job. Freed soon after it is dropped, by [`Lease::release`] when that
/// returns, and at once when its process dies.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    name: JobId,
    epoch: Epoch,
    renewing: JoinHandle<()>,
}

/// A row of leases.
struct Held {
    epoch: Epoch,
    until: Timestamp,
    since: Timestamp,
    process: Process,
    now: Timestamp,
}

impl Held {
    /// Whether its holder is thought to be at work.
    fn is_live(&self) -> bool {
        match self.process.is_alive() {
            // This process renews what it holds: what it does not renew, nobody in it holds any more.
            Some(true) if self.process == *this_process() => self.until > self.now,
            Some(alive) => alive,
            None => self.until > self.now,
        }
    }

    fn holder(&self) -> Holder {
        Holder { pid: self.process.pid, since: self.since }
    }
}

impl Store {
    /// Takes the job, or something else of this name, for this process. [`StoreError::Leased`] says who has it.
    pub async fn lease(&self, name: &JobId) -> StoreResult<Lease> {
        loop {
            // Asked in the order of writes: what this process has given up before is given up.
            let asked = self.apply(vec![held_by(name)], never).await?;
            let held = asked.into_iter().flat_map(|effect| effect.rows).next().map(held).transpose()?;
            if let Some(held) = held.as_ref().filter(|held| held.is_live()) {
                return Err(StoreError::Leased { job: name.as_ref().into(), by: Some(held.holder()) });
            }
            let process = this_process();
            // Only the holder that was seen to be gone is replaced: another may have been quicker.
            let take = Statement::new(
                "INSERT INTO leases (name, epoch, until, since, host, pid, started) \
                 VALUES ($1, 1, $2 + $3, $2, $4, $5, $6) \
                 ON CONFLICT (name) DO UPDATE SET epoch = leases.epoch + 1, until = excluded.until, \
                 since = excluded.since, host = excluded.host, pid = excluded.pid, started = excluded.started \
                 WHERE leases.epoch = $7 RETURNING epoch",
            )
            .bind(name)
            .bind(Value::Now)
            .bind(HOLDS)
            .bind(process.host.as_str())
            .bind(process.pid)
            .bind(process.started)
            .bind(held.map_or(0, |held| held.epoch))
            .must_hit();
            if let Written::Done(mut effects) = self.write(vec![take]).await? {
                let row = effects.pop().and_then(|mut effect| effect.rows.pop());
                let epoch = row.map(|row| row.columns().integer()).transpose()?.unwrap_or_default();
                let renewing = tokio::spawn(renew(self.clone(), name.clone(), epoch));
                return Ok(Lease { store: self.clone(), name: name.clone(), epoch, renewing });
            }
        }
    }

    /// Whether someone is working on the job: it is running.
    pub async fn is_leased(&self, job: &str) -> StoreResult<bool> {
        Ok(self.leased_by(job).await?.is_some())
    }

    /// Who is working on the job, if someone is.
    pub async fn leased_by(&self, job: &str) -> StoreResult<Option<Holder>> {
        Ok(self.held(job).await?.filter(Held::is_live).map(|held| held.holder()))
    }

    /// The oldest job that is open and that nobody works on, taken for this process.
    pub async fn claim_job(&self) -> StoreResult<Option<Lease>> {
        let open = Statement::new(
            "SELECT j.id FROM jobs j WHERE j.state = 'open' AND NOT EXISTS \
             (SELECT 1 FROM leases l WHERE l.name = j.id AND l.host = $1 AND l.pid = $2 AND l.started = $3) \
             ORDER BY j.created_at, j.id",
        );
        let process = this_process();
        let open = open.bind(process.host.as_str()).bind(process.pid).bind(process.started);
        for row in self.query(open).await? {
            let job: JobId = row.columns().shared()?;
            match self.lease(&job).await {
                Ok(lease) => return Ok(Some(lease)),
                Err(StoreError::Leased { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn held(&self, name: &str) -> StoreResult<Option<Held>> {
        self.query(held_by(name)).await?.pop().map(held).transpose()
    }
}

fn held_by(name: &str) -> Statement {
    Statement::new("SELECT epoch, until, since, host, pid, started, $2 FROM leases WHERE name = $1")
        .bind(name)
        .bind(Value::Now)
}

impl Lease {
    /// The number under which its holder reserves.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// What it is a lease of.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives it up; once this returns, anybody may take it.
    ///
    /// # Errors
    /// What the database reports. It is then free once its process is gone, or its time has passed.
    pub async fn release(self) -> StoreResult<()> {
        self.store.apply(vec![self.give_up()], never).await.map(|_| ())
    }

    fn give_up(&self) -> Statement {
        Statement::new("UPDATE leases SET until = 0, host = '', pid = 0, started = 0 WHERE name = $1 AND epoch = $2")
            .bind(&self.name)
            .bind(self.epoch)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
        // A write is in the database's hands once it was polled; nobody need wait for its end. Should it fail, the
        // process is known to be gone when it is, and elsewhere the time passes.
        let release = vec![self.give_up()];
        let _ = tokio::task::unconstrained(self.store.write(release)).now_or_never();
    }
}

/// Renews a lease until it is lost or given up.
async fn renew(store: Store, name: JobId, epoch: Epoch) {
    loop {
        tokio::time::sleep(RENEWED_EVERY).await;
        let renew = Statement::new("UPDATE leases SET until = $1 + $2 WHERE name = $3 AND epoch = $4")
            .bind(Value::Now)
            .bind(HOLDS)
            .bind(&name)
            .bind(epoch)
            .must_hit();
        match store.write(vec![renew]).await {
            Ok(Written::Done(_)) => {}
            Ok(Written::Refused { .. }) => return,
            Err(error) => tracing::warn!(code = error.code(), "a lease could not be renewed: {error}"),
        }
    }
}

fn held(row: Row) -> StoreResult<Held> {
    let mut columns = row.columns();
    let (epoch, until, since) = (columns.integer()?, columns.moment()?, columns.moment()?);
    let (host, pid, started) = (columns.text()?, columns.integer()?, columns.integer()?);
    let process = Process { host, pid: u32::try_from(pid).unwrap_or(0), started };
    Ok(Held { epoch, until, since, process, now: columns.moment()? })
}
