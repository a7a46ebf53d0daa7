//! The moment in which locks are looked at, and folders of the store.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::{StoreError, StoreResult};

/// The folder of all locks.
pub(crate) const LOCKS: &str = "locks";

/// Held for the moment in which locks are looked at and changed, or a database is made.
pub(crate) struct Gate {
    _file: File,
}

impl Gate {
    /// Waits until nobody else is in it.
    pub(crate) fn enter(dir: &Path) -> StoreResult<Self> {
        let locks = dir.join(LOCKS);
        make_private_dir(&locks)?;
        let path = locks.join("gate");
        let file = open(&path, true)?;
        loop {
            match flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(Errno::INTR) => {}
                Err(error) => return Err(StoreError::of_file(&path, &error.into())),
            }
        }
    }
}

/// Makes a folder that only this user can read, and those above it, unless they exist.
pub(crate) fn make_private_dir(dir: &Path) -> StoreResult<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| StoreError::of_file(dir, &error))
}

/// Opens a lock's file, readable by this user only.
pub(crate) fn open(path: &Path, create: bool) -> StoreResult<File> {
    let open = OpenOptions::new().read(true).write(true).create(create).truncate(false).mode(0o600).open(path);
    open.map_err(|error| StoreError::of_file(path, &error))
}
