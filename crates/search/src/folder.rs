//! The index's folder: its owner's lock, and its generations.
//!
//! ```text
//! index/
//!   lock          held by the owner, and freed by the kernel when it dies
//!   g3/           a generation; a rebuilt index gets the next number
//!     words/      tantivy's files; meta.json holds the manifest
//!     vectors/    files of vectors, each written once
//! ```

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{SearchError, SearchResult};

/// The lock of the owner. It is free once this is dropped.
#[derive(Debug)]
pub(crate) struct OwnerLock {
    _file: File,
}

impl OwnerLock {
    /// Takes the folder, and makes it if it is not there.
    ///
    /// # Errors
    /// [`SearchError::Owned`] if another process has it.
    pub(crate) fn take(root: &Path) -> SearchResult<Self> {
        fs::create_dir_all(root).map_err(|error| SearchError::io(root, &error))?;
        let path = root.join("lock");
        let failed = |error: &std::io::Error| SearchError::io(&path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let by = file.read_to_string(&mut pid).ok().and_then(|_| pid.trim().parse().ok());
                return Err(SearchError::Owned { dir: root.to_owned(), by });
            }
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(|error| failed(&error))?;
        Ok(Self { _file: file })
    }
}

/// A generation of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexGeneration {
    number: u64,
    path: PathBuf,
}

/// Identity of the last commit's file: if it differs, there was a commit in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    modified: (i64, i64),
    length: u64,
}

impl IndexGeneration {
    /// The newest generation that has been committed to, if there is one.
    pub(crate) fn newest(root: &Path) -> SearchResult<Option<Self>> {
        let mut all = Self::all(root)?;
        all.sort_by_key(|generation| std::cmp::Reverse(generation.number));
        Ok(all.into_iter().find(Self::is_committed))
    }

    /// Makes the folders of a generation after all that there are.
    pub(crate) fn create(root: &Path) -> SearchResult<Self> {
        let number = Self::all(root)?.iter().map(|generation| generation.number).max().unwrap_or(0) + 1;
        let generation = Self { number, path: root.join(format!("g{number}")) };
        for path in [generation.words(), generation.vectors()] {
            fs::create_dir_all(&path).map_err(|error| SearchError::io(&path, &error))?;
        }
        sync(root)?;
        sync(&generation.path)?;
        Ok(generation)
    }

    /// Removes every other generation, as far as that is possible.
    pub(crate) fn remove_others(&self, root: &Path) {
        for other in Self::all(root).unwrap_or_default() {
            if other != *self {
                // What stays takes room, and does no other harm.
                let _ = fs::remove_dir_all(&other.path);
            }
        }
    }

    /// Folder of tantivy's files.
    pub(crate) fn words(&self) -> PathBuf {
        self.path.join("words")
    }

    /// Where the files of vectors are.
    pub(crate) fn vectors(&self) -> PathBuf {
        self.path.join("vectors")
    }

    /// The stamp of the last commit; none before the first.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        let meta = fs::metadata(self.words().join("meta.json")).ok()?;
        Some(Stamp { inode: meta.ino(), modified: (meta.mtime(), meta.mtime_nsec()), length: meta.len() })
    }

    /// Notes that it has to be rebuilt. If that can't be written, the damage is found again.
    pub(crate) fn mark_damaged(&self, what: &str) {
        let _ = fs::write(self.path.join("damaged"), what);
    }

    /// The note of [`mark_damaged`](Self::mark_damaged), if there is one.
    pub(crate) fn damage(&self) -> Option<String> {
        fs::read_to_string(self.path.join("damaged")).ok()
    }

    /// Removes files of vectors that are not among these: a crash left them.
    pub(crate) fn remove_strays(&self, kept: &HashSet<&str>) -> SearchResult<()> {
        let path = self.vectors();
        let entries = fs::read_dir(&path).map_err(|error| SearchError::io(&path, &error))?;
        for entry in entries.flatten() {
            if !entry.file_name().to_str().is_some_and(|name| kept.contains(name)) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    fn is_committed(&self) -> bool {
        // A lexical index without payload was being made when its process died, or is being made now.
        fs::read(self.words().join("meta.json"))
            .is_ok_and(|bytes| bytes.windows(PAYLOAD.len()).any(|window| window == PAYLOAD))
    }

    fn all(root: &Path) -> SearchResult<Vec<Self>> {
        let entries = match fs::read_dir(root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(SearchError::io(root, &error)),
        };
        let generation = |path: PathBuf| {
            let number = path.file_name()?.to_str()?.strip_prefix('g')?.parse().ok()?;
            Some(Self { number, path })
        };
        Ok(entries.flatten().filter_map(|entry| generation(entry.path())).collect())
    }
}

const PAYLOAD: &[u8] = b"\"payload\"";

/// Makes the entries of a folder durable.
pub(crate) fn sync(path: &Path) -> SearchResult<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| SearchError::io(path, &error))
}
