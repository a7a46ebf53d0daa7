//! What an import tells: while it runs, and when it is over.

use serde::Serialize;

use crate::error::StudioError;
use crate::library::decode::PictureError;
use crate::library::sidecar::BadDescription;

/// How many files of a kind the report names; all are counted, and all are told as they come.
pub const LISTED: usize = 10_000;

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum FileOutcome {
    /// It is in the library now.
    Imported {
        /// The image's id.
        image: String,
    },
    /// It was imported before and has not changed.
    Known {
        /// The image's id.
        image: String,
    },
    /// Another file with the same bytes is in the library. It was not stored again.
    Duplicate {
        /// The image that has them.
        of: String,
    },
    /// It is nearly the same as another.
    Near {
        /// The image that it is like.
        of: String,
        /// In how many of 64 bits their perceptual hashes differ.
        distance: u32,
        /// The id that it was stored under, if near duplicates are kept.
        kept: Option<String>,
    },
    /// It could not be imported.
    Refused(ImportRefusal),
    /// It is no picture and is not named like one.
    Ignored,
}

/// Why a file or a description could not be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportRefusal {
    /// A stable name for the reason.
    pub code: &'static str,
    /// The reason.
    pub reason: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl From<&PictureError> for ImportRefusal {
    fn from(error: &PictureError) -> Self {
        Self { code: error.code(), reason: error.to_string(), hint: error.hint() }
    }
}

impl From<&StudioError> for ImportRefusal {
    fn from(error: &StudioError) -> Self {
        Self { code: error.code(), reason: error.to_string(), hint: error.hint() }
    }
}

impl From<&BadDescription> for ImportRefusal {
    fn from(bad: &BadDescription) -> Self {
        Self {
            code: "description-invalid",
            reason: bad.reason.clone(),
            hint: "Correct it and import again: files that are known are not read again.",
        }
    }
}

impl ImportRefusal {
    /// The file could not be read from the disk.
    pub(super) fn unreadable(error: &std::io::Error) -> Self {
        Self {
            code: "source-unreadable",
            reason: format!("it can't be read: {error}"),
            hint: "Check that your user may read it.",
        }
    }

    /// Another image has the id that the file was to have.
    pub(super) fn id_taken(id: &str) -> Self {
        Self {
            code: "image-id-taken",
            reason: format!("another image has its id, {id:?}"),
            hint: "Give it another id, or remove the other image first.",
        }
    }
}

/// What is told while an import runs.
#[derive(Clone, Copy, Debug)]
pub enum ImportEvent<'a> {
    /// What became of a file. Files are told in their order, and only once they are safe.
    File {
        /// Its path, or the name that it was given with.
        file: &'a str,
        /// What became of it.
        outcome: &'a FileOutcome,
    },
    /// A description that could not be used, with its place.
    Description {
        /// Where it stands.
        place: &'a str,
        /// What is wrong with it.
        refusal: &'a ImportRefusal,
    },
    /// How far it is.
    Progress(ImportProgress),
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportProgress {
    /// Files that are done, whatever became of them.
    pub done: u64,
    /// Files there are, once they are counted.
    pub total: Option<u64>,
    /// Images that are new in the library.
    pub imported: u64,
    /// Files that could not be imported.
    pub refused: u64,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Files that were looked at.
    pub files: u64,
    /// Images that are new in the library.
    pub imported: u64,
    /// Bytes of those images.
    pub bytes: u64,
    /// Files that were imported before.
    pub known: u64,
    /// Images that were known and took over what is said of them now.
    pub updated: u64,
    /// Images that were known and are described otherwise now, which was not taken over.
    pub differing: u64,
    /// Files whose bytes are in the library.
    pub duplicates: u64,
    /// Files that are nearly the same as an image of the library.
    pub near_duplicates: u64,
    /// Files and descriptions that could not be imported.
    pub refused: u64,
    /// Files that are no pictures and are not named like pictures.
    pub ignored: u64,
    /// Images that an embedder failed on: they are in the library and lack a vector.
    pub unembedded: u64,
    /// Descriptions of files that are not there.
    pub missing: u64,
    /// Whether it was stopped before its end. Run again, it goes on.
    pub stopped: bool,
    /// The files whose bytes are in the library, up to [`LISTED`] of them.
    pub duplicate_files: Vec<DuplicateFile>,
    /// The files that are nearly the same as an image, up to [`LISTED`] of them.
    pub near_files: Vec<NearDuplicateFile>,
    /// The files and descriptions that could not be imported, up to [`LISTED`] of them.
    pub refused_files: Vec<RefusedFile>,
    /// The files that are described and are not there, up to [`LISTED`] of them.
    pub missing_files: Vec<String>,
}

/// A file whose bytes are in the library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DuplicateFile {
    /// The file.
    pub file: String,
    /// The image that has its bytes.
    pub of: String,
}

/// A file that is nearly the same as an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NearDuplicateFile {
    /// The file.
    pub file: String,
    /// The image.
    pub of: String,
    /// In how many of 64 bits their perceptual hashes differ.
    pub distance: u32,
    /// The id that it was stored under, if near duplicates are kept.
    pub kept: Option<String>,
}

/// A file or description that could not be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedFile {
    /// The file, or the description's place.
    pub file: String,
    /// Why.
    #[serde(flatten)]
    pub refusal: ImportRefusal,
}

impl ImportReport {
    /// Counts what became of a file.
    pub(super) fn count(&mut self, file: &str, outcome: &FileOutcome, bytes: u64) {
        self.files += 1;
        let file = || file.to_owned();
        match outcome {
            FileOutcome::Imported { .. } => {
                self.imported += 1;
                self.bytes += bytes;
            }
            FileOutcome::Known { .. } => self.known += 1,
            FileOutcome::Ignored => self.ignored += 1,
            FileOutcome::Duplicate { of } => {
                self.duplicates += 1;
                list(&mut self.duplicate_files, || DuplicateFile { file: file(), of: of.clone() });
            }
            FileOutcome::Near { of, distance, kept } => {
                self.near_duplicates += 1;
                if kept.is_some() {
                    self.imported += 1;
                    self.bytes += bytes;
                }
                let near =
                    || NearDuplicateFile { file: file(), of: of.clone(), distance: *distance, kept: kept.clone() };
                list(&mut self.near_files, near);
            }
            FileOutcome::Refused(refusal) => self.refuse(&file(), refusal),
        }
    }

    /// Counts what could not be imported.
    pub(super) fn refuse(&mut self, file: &str, refusal: &ImportRefusal) {
        self.refused += 1;
        list(&mut self.refused_files, || RefusedFile { file: file.to_owned(), refusal: refusal.clone() });
    }
}

/// Adds to a list, unless it is long enough.
pub(super) fn list<T>(list: &mut Vec<T>, item: impl FnOnce() -> T) {
    if list.len() < LISTED {
        list.push(item());
    }
}
