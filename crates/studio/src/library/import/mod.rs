//! Import: folders and files into the library.
//!
//! One thread scans folders, as many as there are processors read and decode, and one task decides and writes, in
//! the order of the files: so an import of the same files gives the same library, however fast each of them was.
//! The files under way at the same time are bounded, in number and in bytes. An image is reported once its files
//! and its row are durable. Whatever stops an import, running it again continues it: files that have not changed
//! are known by their path, size and time, and others by their content.

mod commit;
mod feed;
mod gather;
mod importer;
mod options;
mod passed_over;
mod pipeline;
mod report;
mod stages;
mod walk;
mod work;

pub use self::importer::Importer;
pub use self::options::ImportOptions;
pub use self::passed_over::PassedOver;
pub use self::report::{
    DuplicateFile, FileOutcome, ImportEvent, ImportProgress, ImportRefusal, ImportReport, LISTED, NearDuplicateFile,
    PassedOverFile, RefusedFile,
};
pub use self::walk::ImportSource;
