//! Files and folders that an import passes over, and why.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use walkdir::{DirEntry, WalkDir};

/// Folders in which other programs keep copies of pictures: those of network storage and of file managers, and bins. In
/// lower case.
const COPIES: [&str; 20] = [
    "@eadir",
    "#recycle",
    "@recycle",
    "@recently-snapshot",
    ".@__thumb",
    ".thumbnails",
    ".thumbs",
    "thumbs",
    ".picasaoriginals",
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
/// The ends of folders' names in which catalogues keep previews alone. In lower case.
const CATALOGUES: [&str; 2] = [".lrdata", ".lrcat-data"];
/// The ends of folders' names in which catalogues keep originals, and the names below them that are previews.
const LIBRARIES: [&str; 4] = [".aplibrary", ".photoslibrary", ".migratedphotolibrary", ".cocatalog"];
const PREVIEWS: [&str; 5] = ["previews", "thumbnails", "cache", "derivatives", "proxies"];
/// The file by which a data directory of this program is known, and what else it writes there: a folder may hold
/// pictures of its own, too.
const OWN: &str = "atelier.db";
const OWNS: [&str; 6] = ["objects", "locks", "search", "models", "prices.json", "embedding.log"];

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
        // What a user names is wanted, whatever its name.
        let Some(reason) = (if entry.depth() == 0 { None } else { self.reason(entry) }) else { return true };
        let files = if entry.file_type().is_dir() && !entry.path_is_symlink() { files_in(entry.path()) } else { 1 };
        self.passed.push(Passed { path: entry.path().into(), reason, files });
        false
    }

    fn reason(&mut self, entry: &DirEntry) -> Option<PassedOver> {
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        let is_folder = entry.file_type().is_dir();
        if is_folder && is_others(&name, entry.path()) {
            return Some(PassedOver::OthersCopies);
        }
        if name.starts_with('.') {
            return Some(PassedOver::Hidden);
        }
        if entry.path().parent().is_some_and(|folder| is_own(&name, folder)) {
            return Some(PassedOver::OwnData);
        }
        if is_folder && entry.path_is_symlink() {
            let Ok(target) = entry.path().canonicalize() else { return Some(PassedOver::LinkNowhere) };
            if self.root.starts_with(&target) {
                return Some(PassedOver::LinkLoop);
            }
            // A folder within what is imported comes by itself, unless it lies in one that is passed over; one outside
            // comes once.
            let comes = |from: &PathBuf| target.strip_prefix(from).is_ok_and(|below| lets_through(from, below));
            if std::iter::once(&self.root).chain(&self.entered).any(comes) {
                return Some(PassedOver::LinkToImported);
            }
            self.entered.insert(target);
        }
        None
    }

    /// Notes what the walk met and did not look at.
    pub(super) fn pass_over(&mut self, path: &Path, reason: PassedOver) {
        self.passed.push(Passed { path: path.into(), reason, files: 1 });
    }
}

/// Whether a folder of this name, in lower case, holds copies that another program keeps.
fn is_others(name: &str, path: &Path) -> bool {
    let is_library = |folder: &Path| {
        let name = folder.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase());
        name.is_some_and(|name| LIBRARIES.iter().any(|end| name.ends_with(end)))
    };
    COPIES.contains(&name)
        || CATALOGUES.iter().any(|end| name.ends_with(end))
        || (PREVIEWS.contains(&name) && path.ancestors().skip(1).any(is_library))
}

/// Whether this name in a folder is of what this program keeps there.
fn is_own(name: &str, folder: &Path) -> bool {
    (OWNS.contains(&name) || name.starts_with(OWN)) && folder.join(OWN).is_file()
}

/// Whether the walk from a folder comes to what lies so far below it.
fn lets_through(from: &Path, below: &Path) -> bool {
    let mut folder = from.to_path_buf();
    below.components().all(|component| {
        let name = component.as_os_str().to_string_lossy().to_ascii_lowercase();
        let own = is_own(&name, &folder);
        folder.push(component);
        !own && !name.starts_with('.') && !is_others(&name, &folder)
    })
}

/// How many files are in a folder and below it; what can't be looked into counts for nothing.
fn files_in(folder: &Path) -> u64 {
    let files = WalkDir::new(folder).into_iter().flatten().filter(|entry| !entry.file_type().is_dir());
    files.count() as u64
}
