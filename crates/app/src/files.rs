//! Files that are written for a user beside the store.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::error::{AppError, AppResult};

/// Where files are that are on their way to somebody, in the data directory.
const OUTGOING: &str = "outgoing";

/// A folder that is gone with what it returns, in a place that is tidied should this process not live so long.
pub(crate) fn passing_folder(data_dir: &Path) -> AppResult<TempDir> {
    let outgoing = data_dir.join(OUTGOING);
    let made = std::fs::create_dir_all(&outgoing).and_then(|()| tempfile::tempdir_in(&outgoing));
    made.map_err(|error| {
        AppError::new(code!("output-unwritable"), format!("{} can't be written to: {error}", outgoing.display()))
    })
}

/// Opens a file that was written.
pub(crate) fn opened(file: &Path) -> AppResult<File> {
    File::open(file).map_err(|error| {
        AppError::new(code!("output-unwritable"), format!("{} can't be read: {error}", file.display()))
    })
}

/// Removes what is left of folders that were to be gone, once it is this old.
pub(crate) fn tidy_outgoing(data_dir: &Path, older: Duration) {
    let Ok(folders) = std::fs::read_dir(data_dir.join(OUTGOING)) else { return };
    for folder in folders.flatten() {
        let age = folder.metadata().and_then(|known| known.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > older) {
            let _ = std::fs::remove_dir_all(folder.path());
        }
    }
}

/// Writes a file that is not there yet, durably.
///
/// # Errors
/// `export-exists` if it is there, `output-unwritable` if it can't be written.
pub fn write_new(file: &Path, content: &[u8]) -> AppResult<()> {
    // Whole or not at all: what was cut off halfway would pass for the file.
    let part = file.with_added_extension("part");
    let written = OpenOptions::new().write(true).create(true).truncate(true).open(&part).and_then(|mut open| {
        open.write_all(content)?;
        open.sync_all()?;
        // A link takes the place of no file that is there.
        std::fs::hard_link(&part, file)
    });
    let _ = std::fs::remove_file(&part);
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let message = format!("{} exists already, and nothing is overwritten", file.display());
            AppError::new(code!("export-exists"), message).hint("name a file that does not exist yet")
        }
        _ => unwritable(file, &error),
    })
}

/// Writes a file in the place of any that is there: whole, or not at all.
pub(crate) fn write_over(file: &Path, content: &[u8]) -> AppResult<()> {
    let part = file.with_added_extension("part");
    let written = std::fs::File::create(&part).and_then(|mut open| {
        open.write_all(content)?;
        open.sync_all()?;
        std::fs::rename(&part, file)
    });
    written.map_err(|error| unwritable(file, &error))
}

/// Makes a folder, and those above it, unless they exist.
pub(crate) fn create_folder(folder: &Path) -> AppResult<()> {
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))
}

pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> AppError {
    AppError::new(code!("output-unwritable"), format!("{} can't be written: {error}", path.display()))
        .hint("check the folder, the rights there and the room on the disk")
}

/// The same path from wherever somebody stands.
pub(crate) fn absolute(path: &Path) -> AppResult<PathBuf> {
    std::path::absolute(path)
        .map_err(|error| AppError::new(code!("bad-path"), format!("'{}' is not a path: {error}", path.display())))
}
