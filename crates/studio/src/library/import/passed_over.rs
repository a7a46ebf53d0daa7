//! Files and folders that an import passes over, and why.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use walkdir::{DirEntry, WalkDir};

/// Folders in which other programs keep copies of pictures: those of network storage, of file managers, of catalogues,
/// and bins. In lower case.
const COPIES: [&str; 22] = [
    "@eadir",
    "#recycle",
    "@recycle",
    "@recently-snapshot",
    ".@__thumb",
    ".thumbnails",
    ".thumbs",
    "thumbs",
    "thumbnails.db",
    ".picasaoriginals",
    ".picasa.ini",
    ".sync",
    ".trash",
    ".trashes",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "__macosx",
    ".appledouble",
    ".spotlight-v100",
    ".fseventsd",
    ".cache",
];
/// The ends of folders' names that are catalogues' own, with previews in them. In lower case.
const CATALOGUES: [&str; 4] = [".lrdata", ".lrcat-data", ".cocatalogdb", ".aplibrary"];
/// The file by which a data directory of this program is known.
const OWN: &str = "atelier.db";

/// Why something was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PassedOver {
    /// Another program's copies of pictures: thumbnails, previews, bins.
    OthersCopies,
    /// A data directory of this program.
    OwnData,
    /// Its name begins with a dot.
    Hidden,
    /// A link to a folder that is imported by itself, or that was.
    LinkToImported,
    /// A link that leads back to a folder that it is in.
    LinkLoop,
    /// A link that leads nowhere.
    LinkNowhere,
    /// It describes pictures.
    Describes,
    /// Neither a file nor a folder: a socket, a device.
    Special,
}

impl PassedOver {
    /// The reason, in words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::OthersCopies => "copies that other programs keep: thumbnails, previews, bins",
            Self::OwnData => "Atelier's own data",
            Self::Hidden => "hidden",
            Self::LinkToImported => "links to folders that are imported anyway",
            Self::LinkLoop => "links that lead back to themselves",
            Self::LinkNowhere => "links that lead nowhere",
            Self::Describes => "descriptions of pictures",
            Self::Special => "neither files nor folders",
        }
    }
}

/// Something that was passed over: a file, or a folder with so many in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) path: PathBuf,
    pub(super) reason: PassedOver,
    pub(super) files: u64,
}

/// Decides, on the way through folders, which are entered.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// The source, as it really is.
    root: PathBuf,
    /// Folders outside the source that links led to.
    entered: HashSet<PathBuf>,
    pub(super) passed: Vec<Passed>,
}

impl Gate {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.canonicalize().unwrap_or_else(|_| root.into()), ..Self::default() }
    }

    /// Whether the walk goes on with this; if not, it is noted why.
    pub(super) fn lets_in(&mut self, entry: &DirEntry) -> bool {
        // What a user names is wanted, whatever its name; but not this program's own data.
        let reason = if entry.depth() == 0 {
            (entry.file_type().is_dir() && is_own(entry.path())).then_some(PassedOver::OwnData)
        } else {
            self.reason(entry)
        };
        let Some(reason) = reason else { return true };
        let files = if entry.file_type().is_dir() && !entry.path_is_symlink() { files_in(entry.path()) } else { 1 };
        self.passed.push(Passed { path: entry.path().into(), reason, files });
        false
    }

    fn reason(&mut self, entry: &DirEntry) -> Option<PassedOver> {
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        let is_folder = entry.file_type().is_dir();
        if COPIES.contains(&&*name) || (is_folder && CATALOGUES.iter().any(|end| name.ends_with(end))) {
            return Some(PassedOver::OthersCopies);
        }
        if name.starts_with('.') {
            return Some(PassedOver::Hidden);
        }
        if is_folder && is_own(entry.path()) {
            return Some(PassedOver::OwnData);
        }
        if is_folder && entry.path_is_symlink() {
            let Ok(target) = entry.path().canonicalize() else { return Some(PassedOver::LinkNowhere) };
            // A folder within the source comes by itself; one outside it comes once.
            if target.starts_with(&self.root) || self.entered.iter().any(|entered| target.starts_with(entered)) {
                return Some(PassedOver::LinkToImported);
            }
            self.entered.insert(target);
        }
        None
    }

    /// Notes what can't be looked at because of a link.
    pub(super) fn link(&mut self, path: &Path, reason: PassedOver) {
        self.passed.push(Passed { path: path.into(), reason, files: 1 });
    }
}

fn is_own(folder: &Path) -> bool {
    folder.join(OWN).is_file()
}

/// How many files are in a folder and below it; what can't be looked into counts for nothing.
fn files_in(folder: &Path) -> u64 {
    let files = WalkDir::new(folder).into_iter().flatten().filter(|entry| !entry.file_type().is_dir());
    files.count() as u64
}
