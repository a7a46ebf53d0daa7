//! Who works on a job: a lock that the kernel frees when its holder dies.
//!
//! Each running job has a file `locks/ID.lock`, locked by its holder and naming it. To look at a lock
//! without taking it is not possible, so whoever takes, probes or frees one first takes `locks/gate` for
//! that moment: a probe is then never mistaken for a holder.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use atelier_engine::{Clock, JobId, Timestamp};
use rustix::fs::{FlockOperation, flock};

use crate::error::{Holder, StoreError, StoreResult};
use crate::gate::{Gate, LOCKS, open};
use crate::store::Store;

/// While it lives, nobody else can work on the job. Freed when it is dropped, and by the kernel when the
/// process ends in any way.
#[derive(Debug)]
pub struct Lease {
    dir: PathBuf,
    path: PathBuf,
    file: File,
}

impl Store {
    /// Takes the job for this process. [`StoreError::Leased`] says who has it.
    pub fn lease(&self, job: &JobId) -> StoreResult<Lease> {
        let _gate = Gate::enter(self.dir())?;
        let path = lock_path(self.dir(), job);
        let mut file = open(&path, true)?;
        if !try_lock(&file, &path)? {
            let by = read_holder(&mut file);
            return Err(StoreError::Leased { job: job.as_ref().into(), by });
        }
        let hold = Lease { dir: self.dir().into(), path, file };
        hold.write_holder().map_err(|error| StoreError::of_file(&hold.path, &error))?;
        Ok(hold)
    }

    /// Whether someone is working on the job: it is running.
    pub fn is_leased(&self, job: &str) -> StoreResult<bool> {
        self.holder(job).map(|(held, _)| held)
    }

    /// Who is working on the job, if someone is and it could be read.
    pub fn leased_by(&self, job: &str) -> StoreResult<Option<Holder>> {
        self.holder(job).map(|(_, by)| by)
    }

    fn holder(&self, job: &str) -> StoreResult<(bool, Option<Holder>)> {
        let path = lock_path(self.dir(), job);
        if !path.exists() {
            return Ok((false, None));
        }
        let _gate = Gate::enter(self.dir())?;
        let mut file = match open(&path, false) {
            Ok(file) => file,
            Err(_) if !path.exists() => return Ok((false, None)),
            Err(error) => return Err(error),
        };
        if try_lock(&file, &path)? { Ok((false, None)) } else { Ok((true, read_holder(&mut file))) }
    }
}

impl Lease {
    fn write_holder(&self) -> std::io::Result<()> {
        let mut file = &self.file;
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{} {}", std::process::id(), Clock::system().now().as_micros())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Behind the gate nobody has the file open only to find it gone. Without it, the file stays: that
        // does no harm, for only the lock on it counts.
        if let Ok(_gate) = Gate::enter(&self.dir) {
            let _ = std::fs::remove_file(&self.path);
            let _ = flock(&self.file, FlockOperation::Unlock);
        }
    }
}

/// Whether the lock was free. It is then held until the file is closed.
fn try_lock(file: &File, path: &Path) -> StoreResult<bool> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(error) if std::io::Error::from(error).kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(StoreError::of_file(path, &error.into())),
    }
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let (pid, since) = text.split_once(' ')?;
    Some(Holder { pid: pid.parse().ok()?, since: Timestamp::from_micros(since.parse().ok()?) })
}

/// The job's lock. Ids are plain, but whatever one is given must stay inside the folder.
fn lock_path(dir: &Path, job: &str) -> PathBuf {
    let mut name = String::with_capacity(job.len() + 5);
    for byte in job.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02x}");
        }
    }
    name.push_str(".lock");
    dir.join(LOCKS).join(name)
}
