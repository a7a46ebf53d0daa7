//! Events while an import runs, and the report at its end.

use std::collections::BTreeMap;

use serde::Serialize;

use super::passed_over::{Passed, PassedOver};
use crate::error::StudioError;
use crate::library::decode::PictureError;
use crate::library::sidecar::BadDescription;

/// The most files of a kind that the report names. All are counted, and all are in the events.
pub const LISTED: usize = 10_000;

/// The outcome of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum FileOutcome {
    /// The file is new, and in the library now.
    Imported {
        /// The id of the image.
        image: String,
    },
    /// The file was imported before and has not changed.
    Known {
        /// The id of the image.
        image: String,
    },
    /// Another file with the same bytes is in the library. It was not stored again.
    Duplicate {
        /// The id of the image that has them.
        of: String,
    },
    /// The file shows nearly the same as an image of the library.
    Near {
        /// The id of the image that it is like.
        of: String,
        /// The number of bits, of 64, in which their perceptual hashes differ.
        distance: u32,
        /// The id that it was stored under, if near duplicates are kept.
        kept: Option<String>,
    },
    /// The file could not be imported.
    Refused(ImportRefusal),
    /// The file is no picture and is not named like one.
    Ignored,
}

/// The reason for which a file or a description could not be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportRefusal {
    /// The stable code of the reason.
    pub code: &'static str,
    /// The reason as a message.
    pub reason: String,
    /// Advice on what to do about it.
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

/// An event of a running import.
#[derive(Clone, Copy, Debug)]
pub enum ImportEvent<'a> {
    /// A file is done. Files come in their order, and only once they are durable.
    File {
        /// The path, or the name of a file that was sent.
        file: &'a str,
        /// The outcome.
        outcome: &'a FileOutcome,
    },
    /// A description could not be used.
    Description {
        /// The place of the description, such as `images.json, image 3`.
        place: &'a str,
        /// The reason.
        refusal: &'a ImportRefusal,
    },
    /// The counts so far.
    Progress(ImportProgress),
}

/// The counts of a running import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportProgress {
    /// Files that are done, with any outcome.
    pub done: u64,
    /// All files, once they are counted.
    pub total: Option<u64>,
    /// Images that are new in the library.
    pub imported: u64,
    /// Files that could not be imported.
    pub refused: u64,
}

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Files that were looked at.
    pub files: u64,
    /// Images that are new in the library.
    pub imported: u64,
    /// The size of those images, in bytes.
    pub bytes: u64,
    /// Files that were imported before.
    pub known: u64,
    /// Images that were known and took over descriptions, tags or collections of this import.
    pub updated: u64,
    /// Images that were known and have other descriptions in this import, which were not taken over.
    pub differing: u64,
    /// Files whose bytes are in the library.
    pub duplicates: u64,
    /// Files that are nearly the same as an image of the library.
    pub near_duplicates: u64,
    /// Files and descriptions that could not be imported.
    pub refused: u64,
    /// Files that are no pictures and are not named like pictures.
    pub ignored: u64,
    /// Files that were not looked at, by the reason.
    pub passed_over: BTreeMap<PassedOver, u64>,
    /// Images that an embedder failed on: they are in the library and lack a vector.
    pub unembedded: u64,
    /// Descriptions of files that are not there.
    pub missing: u64,
    /// True if it was stopped before its end. Running it again continues it.
    pub stopped: bool,
    /// The files whose bytes are in the library, up to [`LISTED`] of them.
    pub duplicate_files: Vec<DuplicateFile>,
    /// The files that are nearly the same as an image, up to [`LISTED`] of them.
    pub near_files: Vec<NearDuplicateFile>,
    /// The files and descriptions that could not be imported, up to [`LISTED`] of them.
    pub refused_files: Vec<RefusedFile>,
    /// The files and folders that were not looked at, up to [`LISTED`] of them.
    pub passed_over_files: Vec<PassedOverFile>,
    /// The files that are described and are not there, up to [`LISTED`] of them.
    pub missing_files: Vec<String>,
}

/// A file whose bytes are in the library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DuplicateFile {
    /// The path or name of the file.
    pub file: String,
    /// The id of the image that has its bytes.
    pub of: String,
}

/// A file that is nearly the same as an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NearDuplicateFile {
    /// The path or name of the file.
    pub file: String,
    /// The id of the image.
    pub of: String,
    /// The number of bits, of 64, in which their perceptual hashes differ.
    pub distance: u32,
    /// The id that it was stored under, if near duplicates are kept.
    pub kept: Option<String>,
}

/// A file or folder that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassedOverFile {
    /// Its path.
    pub file: String,
    /// Why.
    pub reason: PassedOver,
    /// How many files are in it; 1 for a file.
    pub files: u64,
}

/// A file or description that could not be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedFile {
    /// The path or name of the file, or the place of the description.
    pub file: String,
    /// The reason; its fields stand beside `file` in JSON.
    #[serde(flatten)]
    pub refusal: ImportRefusal,
}

impl ImportReport {
    /// Counts the outcome of a file.
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

    /// Counts what was not looked at.
    pub(super) fn pass_over(&mut self, passed: &Passed) {
        *self.passed_over.entry(passed.reason).or_default() += passed.files;
        list(&mut self.passed_over_files, || PassedOverFile {
            file: passed.path.to_string_lossy().into_owned(),
            reason: passed.reason,
            files: passed.files,
        });
    }

    /// An image that was stored a moment ago has given way to a larger one. The pair was counted when the second came.
    pub(super) fn replace(&mut self, file: String, (image, by): (&str, &str), distance: u32, bytes: u64) {
        self.imported = self.imported.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.near_files.retain(|near| near.kept.as_deref() != Some(image) && near.kept.as_deref() != Some(by));
        list(&mut self.near_files, || NearDuplicateFile { file, of: by.to_owned(), distance, kept: None });
    }

    /// Counts a file or description that could not be imported.
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
