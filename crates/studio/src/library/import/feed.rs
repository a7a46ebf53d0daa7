//! The stage that numbers files and hands them out.

use std::sync::Arc;

use atelier_engine::Stop;
use atelier_store::Likeness;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::commit::unchanged;
use super::importer::Importer;
use super::options::ImportOptions;
use super::report::ImportRefusal;
use super::stages::{Arrived, Numbered};
use super::walk::{FileContent, FoundFile, ScanItem};
use super::work::Worked;
use crate::error::{StudioError, StudioResult};

/// Files whose paths are looked up together.
pub(super) const PAGE: usize = 256;

/// The most that may be under way, in KiB: files that were read, and what was made of them.
const WINDOW: u32 = 128 << 10;

/// The memory beside its bytes that a file takes while it is under way, in KiB.
const BESIDE: u32 = 512;

/// Numbers files, hands those that are known to the end, and the others to the workers.
pub(super) struct Feeder<'a> {
    pub(super) importer: &'a Importer,
    pub(super) options: &'a ImportOptions,
    pub(super) stop: Stop,
    pub(super) work: mpsc::Sender<Numbered<FoundFile>>,
    pub(super) done: mpsc::Sender<Numbered<Arrived>>,
}

impl Feeder<'_> {
    pub(super) async fn feed(self, mut found: mpsc::Receiver<ScanItem>) -> StudioResult<()> {
        let window = Arc::new(Semaphore::new(WINDOW as usize));
        let mut page = Vec::with_capacity(PAGE);
        let mut number = 0;
        while found.recv_many(&mut page, PAGE).await > 0 {
            let known = self.known(&page).await?;
            for (found, known) in page.drain(..).zip(known) {
                if self.stop.is_requested() {
                    return Ok(());
                }
                let weight = match &found {
                    ScanItem::File(file) => weight(file),
                    ScanItem::Bad(_) | ScanItem::Missing(..) | ScanItem::PassedOver(_) => 1,
                };
                let permit = Arc::clone(&window).acquire_many_owned(weight).await;
                let permit = permit.map_err(|error| StudioError::Thread(error.to_string()))?;
                if !self.hand_on(number, found, known, permit).await {
                    return Ok(());
                }
                number += 1;
            }
        }
        Ok(())
    }

    /// Hands an item on; false if nobody takes it any more.
    async fn hand_on(
        &self,
        number: u64,
        found: ScanItem,
        known: Option<(Likeness, String)>,
        permit: OwnedSemaphorePermit,
    ) -> bool {
        let (name, item) = match (found, known) {
            (ScanItem::File(file), None) => {
                let name = file.name.clone();
                return self.work.send(Numbered { number, name, item: *file, permit }).await.is_ok();
            }
            (ScanItem::File(file), Some((likeness, image))) => match file.description {
                Some(Err(bad)) => (file.name, Arrived::Worked(Worked::Refused(ImportRefusal::from(&bad)))),
                description => {
                    let description = description.and_then(Result::ok);
                    (file.name, Arrived::Known { image, likeness, description })
                }
            },
            (ScanItem::Bad(bad), _) => (bad.place.clone(), Arrived::Bad(bad)),
            (ScanItem::Missing(count, files), _) => (String::new(), Arrived::Missing(count, files)),
            (ScanItem::PassedOver(passed), _) => {
                (passed.path.to_string_lossy().into_owned(), Arrived::PassedOver(passed))
            }
        };
        self.done.send(Numbered { number, name, item, permit }).await.is_ok()
    }

    /// For each of these, the image that it was taken for before, if it has not changed since.
    async fn known(&self, page: &[ScanItem]) -> StudioResult<Vec<Option<(Likeness, String)>>> {
        let path = |found: &ScanItem| {
            let ScanItem::File(file) = found else { return None };
            let FileContent::Path { bytes, modified_at, .. } = &file.content else { return None };
            Some((file.name.clone(), *bytes, *modified_at))
        };
        let paths: Vec<String> = page.iter().filter_map(path).map(|(path, ..)| path).collect();
        let sources = self.importer.library.store().image_sources(&paths).await?;
        let known = |found: &ScanItem| {
            let (path, bytes, modified_at) = path(found)?;
            let (source, image) = sources.get(&path)?;
            // A near duplicate that was left out before may be wanted now.
            let settled = source.likeness == Likeness::Same || self.options.skip_near;
            (settled && unchanged(source, bytes, modified_at)).then(|| (source.likeness, image.clone()))
        };
        Ok(page.iter().map(known).collect())
    }
}

/// The share of the window that a file takes, in KiB; at most all of it, or a large file would wait for ever.
fn weight(file: &FoundFile) -> u32 {
    let bytes = match &file.content {
        FileContent::Path { bytes, .. } => *bytes,
        FileContent::Bytes(content) => content.len() as u64,
        FileContent::Unreadable(_) => 0,
    };
    u32::try_from(bytes >> 10).unwrap_or(WINDOW).saturating_add(BESIDE).min(WINDOW)
}
