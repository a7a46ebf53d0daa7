//! The stage that finds files, and the descriptions of them.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use atelier_engine::{Stop, Timestamp};
use bytes::Bytes;
use tokio::sync::mpsc::Sender;
use walkdir::{DirEntry, WalkDir};

use super::passed_over::{Gate, Passed, PassedOver};
use super::report::{ImportRefusal, LISTED};
use crate::error::{StudioError, StudioResult};
use crate::library::sidecar::{BadDescription, Description, NAMES, Sidecar};

/// A place to import from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportSource {
    /// A file, or a folder with all that is in it. Links are followed; what is hidden, what other programs keep for
    /// themselves and this program's own data are passed over ([`PassedOver`]).
    Path(PathBuf),
    /// A file that someone sent.
    Bytes {
        /// The name of the file.
        name: String,
        /// The content of the file.
        content: Bytes,
    },
}

/// An item that a scan finds, in the order of the files.
#[derive(Debug)]
pub(super) enum ScanItem {
    File(Box<FoundFile>),
    Bad(BadDescription),
    /// Descriptions of files that are not there: how many, and some of them.
    Missing(u64, Vec<String>),
    /// What the walk did not look at.
    PassedOver(Passed),
}

/// A file to be imported.
#[derive(Debug)]
pub(super) struct FoundFile {
    /// The path, or the name of a file that was sent.
    pub(super) name: String,
    pub(super) content: FileContent,
    /// True if the file itself was asked for, and not found in a folder.
    pub(super) asked_for: bool,
    /// Its description, if it has one; an error if that can't be used.
    pub(super) description: Option<Result<Description, BadDescription>>,
}

/// The place of a file's content.
#[derive(Debug)]
pub(super) enum FileContent {
    /// At this path, of this size and last changed at this moment.
    Path { path: PathBuf, bytes: u64, modified_at: Timestamp },
    /// In memory.
    Bytes(Bytes),
    /// Out of reach, for this reason.
    Unreadable(ImportRefusal),
}

/// Counts all files. It reads each folder, and none of its files.
pub(super) fn count(sources: &[ImportSource], stop: &Stop) -> u64 {
    let files = |source: &ImportSource| match source {
        ImportSource::Bytes { .. } => 1,
        ImportSource::Path(path) => {
            let gate = RefCell::new(Gate::new(path));
            let files = walk(path, &gate).filter(|entry| match entry {
                Ok(entry) => entry.file_type().is_file() && !describes(entry),
                Err(error) => link_fault(error).is_none(),
            });
            files.take_while(|_| !stop.is_requested()).count() as u64
        }
    };
    sources.iter().map(files).sum()
}

/// Sends all files of the sources, those of a folder in the order of their names. Ends early if nobody listens or a
/// stop is asked for. A sidecar that was asked for by name is an error if it can't be used; one that is found in a
/// folder is reported, and ends nothing.
pub(super) fn send_all(
    sources: Vec<ImportSource>,
    metadata: Option<&Path>,
    stop: &Stop,
    to: &Sender<ScanItem>,
) -> StudioResult<()> {
    let mut scan = FolderScan { named: metadata.map(Sidecar::read).transpose()?, folders: Vec::new(), to };
    let bad = scan.named.as_mut().map(Sidecar::take_bad).unwrap_or_default();
    let mut listened = bad.into_iter().all(|bad| scan.send(ScanItem::Bad(bad)));
    for source in sources {
        if !listened || stop.is_requested() {
            return Ok(());
        }
        listened = match source {
            ImportSource::Bytes { name, content } => {
                let description = scan.named.as_mut().and_then(|sidecar| sidecar.take(&name));
                scan.file(FoundFile { name, content: FileContent::Bytes(content), asked_for: true, description })
            }
            ImportSource::Path(path) => scan.path(&path, stop)?,
        };
    }
    if listened && let Some(named) = scan.named.take() {
        scan.missing(&named);
    }
    Ok(())
}

/// A scan of the sources, one after the other.
struct FolderScan<'a> {
    /// The sidecar that was asked for.
    named: Option<Sidecar>,
    /// The folders from the source down to the current one, each with its sidecars.
    folders: Vec<(PathBuf, Vec<Sidecar>)>,
    to: &'a Sender<ScanItem>,
}

impl FolderScan<'_> {
    /// Sends an item; false if nobody listens any more.
    fn send(&self, found: ScanItem) -> bool {
        self.to.blocking_send(found).is_ok()
    }

    fn file(&self, file: FoundFile) -> bool {
        self.send(ScanItem::File(Box::new(file)))
    }

    fn path(&mut self, root: &Path, stop: &Stop) -> StudioResult<bool> {
        let source = |source| StudioError::Source { path: root.into(), source };
        // Files are known by their true paths, from wherever the program was started.
        let root = root.canonicalize().map_err(source)?;
        root.metadata().map_err(source)?;
        let gate = RefCell::new(Gate::new(&root));
        for entry in walk(&root, &gate) {
            if stop.is_requested() {
                return Ok(true);
            }
            let listened = match entry {
                Ok(entry) => self.entry(&root, &entry, &gate),
                Err(error) if link_fault(&error).is_some() => {
                    if let (Some(path), Some(reason)) = (error.path(), link_fault(&error)) {
                        gate.borrow_mut().pass_over(path, reason);
                    }
                    true
                }
                Err(error) => {
                    let name = error.path().unwrap_or(&root).to_string_lossy().into_owned();
                    let error = error.into_io_error().unwrap_or_else(|| std::io::Error::other("no reason is given"));
                    let content = FileContent::Unreadable(ImportRefusal::unreadable(&error));
                    self.file(FoundFile { name, content, asked_for: false, description: None })
                }
            };
            if !listened || !self.report_passed_over(&gate) {
                return Ok(false);
            }
        }
        if !self.report_passed_over(&gate) {
            return Ok(false);
        }
        while let Some((_, sidecars)) = self.folders.pop() {
            sidecars.iter().for_each(|sidecar| self.missing(sidecar));
        }
        Ok(true)
    }

    /// Sends what the gate has kept out since the last time; false if nobody listens any more.
    fn report_passed_over(&self, gate: &RefCell<Gate>) -> bool {
        let passed = std::mem::take(&mut gate.borrow_mut().passed);
        passed.into_iter().all(|passed| self.send(ScanItem::PassedOver(passed)))
    }

    fn entry(&mut self, root: &Path, entry: &DirEntry, gate: &RefCell<Gate>) -> bool {
        // Folders that the scan has left: all files of theirs have come.
        let depth = entry.depth();
        while self.folders.len() > depth {
            for sidecar in self.folders.pop().into_iter().flat_map(|(_, sidecars)| sidecars) {
                self.missing(&sidecar);
            }
        }
        if entry.file_type().is_dir() {
            return self.enter(entry.path());
        }
        let reason = match entry.file_type().is_file() {
            true => describes(entry).then_some(PassedOver::Describes),
            false => Some(PassedOver::Special),
        };
        if let Some(reason) = reason {
            gate.borrow_mut().pass_over(entry.path(), reason);
            return true;
        }
        let description = self.description(root, entry.path());
        let content = match entry.metadata() {
            Ok(metadata) => {
                let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
                let modified_at = Timestamp::default().after(modified.unwrap_or_default());
                FileContent::Path { path: entry.path().into(), bytes: metadata.len(), modified_at }
            }
            Err(error) => FileContent::Unreadable(ImportRefusal::unreadable(&error.into())),
        };
        let name = entry.path().to_string_lossy().into_owned();
        self.file(FoundFile { name, content, asked_for: depth == 0, description })
    }

    /// Reads the sidecars of a folder.
    fn enter(&mut self, folder: &Path) -> bool {
        let mut sidecars = Vec::new();
        let mut listened = true;
        for path in NAMES.map(|name| folder.join(name)) {
            if !path.is_file() {
                continue;
            }
            match Sidecar::read(&path) {
                Ok(mut sidecar) => {
                    listened &= sidecar.take_bad().into_iter().all(|bad| self.send(ScanItem::Bad(bad)));
                    sidecars.push(sidecar);
                }
                Err(error) => {
                    let (place, reason) = (path.to_string_lossy().into_owned(), error.to_string());
                    listened &= self.send(ScanItem::Bad(BadDescription { place, reason }));
                }
            }
        }
        self.folders.push((folder.into(), sidecars));
        listened
    }

    /// The description of a file: from the sidecar that was asked for, or from that of the nearest folder.
    fn description(&mut self, root: &Path, path: &Path) -> Option<Result<Description, BadDescription>> {
        let from = |folder: &Path| Some(path.strip_prefix(folder).ok()?.to_string_lossy().replace('\\', "/"));
        let named = self.named.as_mut().and_then(|named| {
            let below = from(root).filter(|below| !below.is_empty());
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            below.into_iter().chain(name).find_map(|name| named.take(&name))
        });
        // Taken in any case, or the file would count as one that has not come.
        let near = self.folders.iter_mut().rev().find_map(|(folder, sidecars)| {
            let name = from(folder)?;
            sidecars.iter_mut().find_map(|sidecar| sidecar.take(&name))
        });
        named.or(near)
    }

    /// Reports the descriptions whose files have not come.
    fn missing(&self, sidecar: &Sidecar) {
        let left = sidecar.left() as u64;
        if left > 0 {
            self.send(ScanItem::Missing(left, sidecar.left_files(LISTED)));
        }
    }
}

/// The entries of a folder and of all below it that the gate lets in, links followed; or the file itself.
fn walk<'a>(root: &Path, gate: &'a RefCell<Gate>) -> impl Iterator<Item = walkdir::Result<DirEntry>> + use<'a> {
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    walk.filter_entry(|entry| gate.borrow_mut().lets_in(entry))
}

/// True for a file that describes pictures and is none.
fn describes(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    NAMES.contains(&&*name) || name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("xmp"))
}

/// Why an entry that can't be looked at is passed over, if it is because of a link.
fn link_fault(error: &walkdir::Error) -> Option<PassedOver> {
    if error.loop_ancestor().is_some() {
        return Some(PassedOver::LinkLoop);
    }
    let path = error.path()?;
    // One that may not be looked behind is an error, and is reported as such.
    (path.is_symlink() && matches!(path.try_exists(), Ok(false))).then_some(PassedOver::LinkNowhere)
}
