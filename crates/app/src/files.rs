//! Files that are written for a user beside the store.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{AppError, AppResult};

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
