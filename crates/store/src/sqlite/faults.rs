//! From SQLite's errors to the store's.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::error::StoreError;

/// The store's error for one of the database at `path`.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
pub(super) fn fault(path: &Path, error: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    let detail = error.to_string();
    let Some(cause) = error.sqlite_error() else {
        return match error {
            // Only whole characters are ever written.
            rusqlite::Error::Utf8Error(..) => StoreError::Corrupt { path, detail },
            _ => StoreError::Unexpected { detail },
        };
    };
    match (cause.code, cause.extended_code) {
        // A file size limit (EFBIG) comes as a failed write, a full disk (ENOSPC) as DiskFull or, where the
        // index of the log can't grow, as SHMSIZE.
        (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE) => {
            StoreError::DiskFull { path }
        }
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed, _) => {
            StoreError::Locked { path }
        }
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => StoreError::Corrupt { path, detail },
        (ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen, _) => {
            StoreError::Forbidden { path, detail }
        }
        (ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory | ErrorCode::NoLargeFileSupport, _) => {
            StoreError::Io { path, detail }
        }
        _ => StoreError::Refused { detail },
    }
}
