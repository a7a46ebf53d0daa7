//! Copies of the whole database.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{StoreError, StoreResult};
use crate::store::Store;

impl Store {
    /// Writes a whole copy of the database, as of one moment, while jobs go on running. The file
    /// appears at once and complete, or not at all; one that exists is not overwritten.
    pub async fn backup(&self, file: &Path) -> StoreResult<()> {
        if file.symlink_metadata().is_ok() {
            return Err(StoreError::BackupExists { file: file.into() });
        }
        let part = PartialFile::beside(file)?;
        self.database().copy_to(part.0.clone()).await?;
        let file = file.to_owned();
        tokio::task::spawn_blocking(move || part.publish(&file)).await.map_err(|_| StoreError::Closed)?
    }
}

/// The file while it is being written. Removed when it is dropped.
struct PartialFile(PathBuf);

impl PartialFile {
    fn beside(file: &Path) -> StoreResult<Self> {
        let Some(name) = file.file_name() else {
            let detail = "it is not the name of a file".to_owned();
            return Err(StoreError::Forbidden { path: file.into(), detail });
        };
        let part = format!(".{}.{}.part", name.to_string_lossy(), std::process::id());
        let part = Self(file.with_file_name(part));
        // What a process of the same number left behind.
        part.remove();
        Ok(part)
    }

    /// Syncs the file and gives it its name, unless that is taken by now.
    fn publish(&self, file: &Path) -> StoreResult<()> {
        let fault = |error: std::io::Error| StoreError::of_file(file, &error);
        File::open(&self.0).and_then(|part| part.sync_all()).map_err(fault)?;
        // A link, unlike a rename, never replaces what is there. Some file systems have none.
        match std::fs::hard_link(&self.0, file) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(StoreError::BackupExists { file: file.into() });
            }
            Err(_) => std::fs::rename(&self.0, file).map_err(fault)?,
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault)
    }

    fn remove(&self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        self.remove();
    }
}
