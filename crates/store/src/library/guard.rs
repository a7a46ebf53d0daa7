//! Who may write objects and who may delete them.
//!
//! The objects of an image that was removed are deleted after its row. If the same bytes came in at that
//! moment, a row could be left without its objects: so whoever deletes objects is alone, while any number may
//! write them. The kernel frees the lock when its holder dies.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::{StoreError, StoreResult};
use crate::gate::{LOCKS, make_private_dir, open};
use crate::store::Store;

/// While it lives, objects may be written, or deleted, as was asked. Freed when it is dropped.
#[derive(Debug)]
pub struct ObjectsGuard {
    _file: File,
}

impl Store {
    /// Waits until nobody deletes objects, and keeps it so. Held while objects are written and until the
    /// rows that name them are.
    pub async fn share_objects(&self) -> StoreResult<ObjectsGuard> {
        self.guard_objects(FlockOperation::LockShared).await
    }

    /// Waits until nobody else writes or deletes objects, and keeps it so. Held while objects are deleted.
    pub async fn own_objects(&self) -> StoreResult<ObjectsGuard> {
        self.guard_objects(FlockOperation::LockExclusive).await
    }

    async fn guard_objects(&self, operation: FlockOperation) -> StoreResult<ObjectsGuard> {
        let dir = self.dir().to_owned();
        let lock = move || lock(&dir, operation);
        tokio::task::spawn_blocking(lock).await.map_err(|_| StoreError::Closed)?
    }
}

fn lock(dir: &Path, operation: FlockOperation) -> StoreResult<ObjectsGuard> {
    let locks = dir.join(LOCKS);
    make_private_dir(&locks)?;
    let path = locks.join("objects");
    let file = open(&path, true)?;
    loop {
        match flock(&file, operation) {
            Ok(()) => return Ok(ObjectsGuard { _file: file }),
            Err(Errno::INTR) => {}
            Err(error) => return Err(StoreError::of_file(&path, &error.into())),
        }
    }
}
