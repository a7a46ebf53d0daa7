//! Export: images as files, with `images.json` in the form that import reads.

mod names;
mod sink;

use std::path::PathBuf;

use atelier_engine::Stop;
use atelier_store::{Image, ImageFilter};
use serde::Serialize;
use serde_json::{Map, Value};

use self::names::UniqueNames;
use self::sink::FolderSink;
pub(crate) use self::sink::{Sink, ZipSink};
use super::blocking::blocking;
use super::handle::Library;
use crate::error::{StudioError, StudioResult};
use atelier_store::objects::ObjectKey;

/// Images that are looked up together.
const PAGE: usize = 200;

/// The place that an export is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportTarget {
    /// A folder, which is made, or is there and empty.
    Folder(PathBuf),
    /// A ZIP file, which is not there yet. Images are stored in it as they are: they are compressed already.
    Zip(PathBuf),
}

/// The images to export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportSelection {
    /// The images that pass a filter.
    Filter(ImageFilter),
    /// The images of these ids, in this order.
    Ids(Vec<String>),
}

/// The result of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExportReport {
    /// Images that were written.
    pub images: u64,
    /// The size of their files, in bytes.
    pub bytes: u64,
    /// Images whose files are gone from the library; they are left out.
    pub missing: Vec<String>,
}

/// An image as `images.json` describes it. Its keys are those that import knows.
#[derive(Serialize)]
struct ExportEntry<'a> {
    id: &'a str,
    filename: &'a str,
    caption: Option<&'a str>,
    labels: &'a [String],
    category: Option<&'a str>,
    tone_score: Option<f64>,
    angle_score: Option<f64>,
    collections: &'a [String],
    attributes: &'a Map<String, Value>,
}

impl<'a> ExportEntry<'a> {
    fn of(image: &'a Image, filename: &'a str) -> Self {
        Self {
            id: &image.id,
            filename,
            caption: image.caption.as_deref(),
            labels: &image.tags,
            category: image.category.as_deref(),
            tone_score: image.tone_score,
            angle_score: image.angle_score,
            collections: &image.collections,
            attributes: &image.attributes,
        }
    }
}

impl Library {
    /// Writes images as files, under the names that they came with (a second of the same name gets a number),
    /// and `images.json` beside them. Import reads what this writes, and brings the same images back.
    /// `observer` is called with the number that is done. The target appears whole or not at all.
    ///
    /// # Errors
    /// [`StudioError::ExportExists`] if something is there already; [`StudioError::NoSuchImage`] if one that was
    /// named does not exist; [`StudioError::Export`], [`StudioError::DiskFull`], and what the store reports.
    /// After a stop, [`StudioError::Stopped`].
    pub async fn export(
        &self,
        selection: ExportSelection,
        target: ExportTarget,
        stop: &Stop,
        mut observer: impl FnMut(u64) + Send,
    ) -> StudioResult<ExportReport> {
        if let ExportSelection::Ids(ids) = &selection {
            self.must_exist(ids).await?;
        }
        let mut sink: Box<dyn Sink> = match target {
            ExportTarget::Folder(folder) => blocking(move || FolderSink::new(&folder).map(Box::new)).await??,
            ExportTarget::Zip(file) => blocking(move || ZipSink::new(&file).map(Box::new)).await??,
        };
        let mut report = ExportReport::default();
        let mut names = UniqueNames::default();
        let mut pages = Pages { selection, after: None, given: 0 };
        loop {
            let page = pages.next(self).await?;
            if page.is_empty() {
                break;
            }
            for image in page {
                if stop.is_requested() {
                    return Err(StudioError::Stopped);
                }
                let content = match ObjectKey::original(&image.hash) {
                    Some(key) => self.objects().get(&key).await?,
                    None => None,
                };
                let Some(content) = content else {
                    report.missing.push(image.id);
                    continue;
                };
                let name = names.of(&image.filename);
                let entry = serde_json::to_vec(&ExportEntry::of(&image, &name));
                let entry = entry.map_err(|error| StudioError::Thread(error.to_string()))?;
                report.images += 1;
                report.bytes += content.len() as u64;
                sink = blocking(move || sink.add(&name, &content, &entry).map(|()| sink)).await??;
            }
            observer(report.images);
        }
        blocking(move || sink.finish()).await??;
        Ok(report)
    }
}

/// The images of a selection, page by page.
struct Pages {
    selection: ExportSelection,
    after: Option<atelier_store::Cursor>,
    given: usize,
}

impl Pages {
    async fn next(&mut self, library: &Library) -> StudioResult<Vec<Image>> {
        match &self.selection {
            ExportSelection::Filter(filter) => {
                let page = library.list(filter, self.after.as_ref(), PAGE).await?;
                self.after = page.last().map(Image::cursor);
                Ok(page)
            }
            ExportSelection::Ids(ids) => {
                // Of a page some may be gone by now: the next may still have some.
                while self.given < ids.len() {
                    let page = ids.iter().skip(self.given).take(PAGE).cloned().collect::<Vec<_>>();
                    self.given += page.len();
                    let images = library.store().images_with_ids(&page).await?;
                    if !images.is_empty() {
                        return Ok(images);
                    }
                }
                Ok(Vec::new())
            }
        }
    }
}
