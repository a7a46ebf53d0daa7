//! Pictures as ZIP files, for whoever asks from elsewhere.

use std::fs::File;

use atelier_engine::Stop;
use atelier_store::GeneratedFilter;
use atelier_studio::library::{ExportSelection, ExportTarget};

use crate::app::App;
use crate::error::AppResult;
use crate::files::{opened, passing_folder};

impl App {
    /// Images that were made, as [`App::export_images`] writes them. The file has no name: it is gone once it is closed.
    ///
    /// # Errors
    /// `no-such-made-image`; `output-unwritable`; what the store and the objects report.
    pub async fn zip_made(&self, ids: &[String]) -> AppResult<File> {
        let folder = passing_folder(self.data_dir())?;
        let to = folder.path().join("images.zip");
        self.export_images(&GeneratedFilter::default(), ids, &to).await?;
        opened(&to)
    }

    /// The same of images of the library, with the list that an import of them reads. One whose file is gone is left out.
    ///
    /// # Errors
    /// `no-such-image`; `output-unwritable`; what the store and the objects report.
    pub async fn zip_library(&self, ids: &[String], stop: &Stop) -> AppResult<File> {
        let folder = passing_folder(self.data_dir())?;
        let to = folder.path().join("library.zip");
        let (selection, target) = (ExportSelection::Ids(ids.to_vec()), ExportTarget::Zip(to.clone()));
        self.library()?.export(selection, target, stop, |_| {}).await?;
        opened(&to)
    }
}
