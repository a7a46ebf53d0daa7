//! The stage that writes what arrives, in the order of the files.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use atelier_store::Likeness;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::commit::{Committed, Committer, Hashes, NearPolicy};
use super::importer::Importer;
use super::options::ImportOptions;
use super::report::{FileOutcome, ImportEvent, ImportProgress, ImportRefusal, ImportReport, list};
use super::stages::{Arrived, Numbered};
use super::work::{DuplicateContent, ImportSettings, Ready, Worked};
use crate::error::{StudioError, StudioResult};
use crate::library::edit::ImageEdit;
use crate::library::near::alike;
use crate::library::sidecar::Description;

/// Images that are written together, at most: enough that syncs cost little, few enough that progress is seen.
pub(super) const GROUP: usize = 64;

/// The value of the total until the files are counted.
pub(super) const UNCOUNTED: u64 = u64::MAX;

/// An image that this import has stored.
pub(super) struct Newcomer {
    file: String,
    bytes: u64,
    pixels: u64,
    /// The larger image that was kept in its place.
    gave_way_to: Option<String>,
}

/// Puts what arrives into the order of the files, has it written, and reports it.
pub(super) struct Gatherer<'a, O> {
    pub(super) importer: &'a Importer,
    pub(super) options: &'a ImportOptions,
    pub(super) settings: &'a ImportSettings,
    pub(super) report: ImportReport,
    /// Images that this import has stored, where a larger one may take their place.
    pub(super) new: HashMap<String, Newcomer>,
    pub(super) total: &'a AtomicU64,
    pub(super) observer: O,
}

impl<O: FnMut(ImportEvent<'_>) + Send> Gatherer<'_, O> {
    pub(super) async fn gather(mut self, mut done: mpsc::Receiver<Numbered<Arrived>>) -> StudioResult<ImportReport> {
        let mut waiting: BTreeMap<u64, Numbered<Arrived>> = BTreeMap::new();
        let mut next = 0;
        let mut arrived = Vec::with_capacity(GROUP);
        while done.recv_many(&mut arrived, GROUP).await > 0 {
            waiting.extend(arrived.drain(..).map(|one| (one.number, one)));
            let mut group = Vec::new();
            while let Some(one) = waiting.remove(&next) {
                group.push(one);
                next += 1;
            }
            for group in chunks(group) {
                self.commit(group).await?;
            }
        }
        match waiting.first_key_value() {
            Some((_, one)) => Err(StudioError::Thread(format!("what came before {} was lost", one.name))),
            None => Ok(self.report),
        }
    }

    /// Writes a group, and reports the outcome of each file in their order.
    async fn commit(&mut self, group: Vec<Numbered<Arrived>>) -> StudioResult<()> {
        let mut ready: Vec<Ready> = Vec::new();
        let mut others: Vec<(String, Option<Arrived>, OwnedSemaphorePermit)> = Vec::with_capacity(group.len());
        for Numbered { name, item, permit, .. } in group {
            match item {
                Arrived::Worked(Worked::Ready(one)) => {
                    ready.push(*one);
                    others.push((name, None, permit));
                }
                item => others.push((name, Some(item), permit)),
            }
        }
        let descriptions: Vec<Option<Description>> = ready.iter().map(|one| one.description.clone()).collect();
        let mut committed = self.write(ready).await?.into_iter().zip(descriptions);
        for (name, other, _permit) in others {
            let (outcome, bytes) = match other {
                None => {
                    let Some((one, description)) = committed.next() else { continue };
                    self.report.unembedded += u64::from(one.unembedded);
                    if let FileOutcome::Duplicate { of } = &one.outcome {
                        self.add_to_known(of, description.as_ref()).await?;
                    }
                    (one.outcome, one.bytes)
                }
                Some(other) => match self.other(other).await? {
                    Some(outcome) => (outcome, 0),
                    None => continue,
                },
            };
            self.report.count(&name, &outcome, bytes);
            self.give_way(&name, &outcome, bytes).await?;
            (self.observer)(ImportEvent::File { file: &name, outcome: &outcome });
        }
        self.report_progress();
        Ok(())
    }

    async fn write(&mut self, ready: Vec<Ready>) -> StudioResult<Vec<Committed>> {
        if ready.is_empty() {
            return Ok(Vec::new());
        }
        let library = &self.importer.library;
        let mut hashes = self.importer.hashes.lock().await;
        let hashes = match &mut *hashes {
            Some(hashes) => hashes,
            none => none.insert(Hashes::read(library.store()).await?),
        };
        let policy = NearPolicy { keep: !self.options.skip_near, max_distance: self.options.near_distance };
        Committer { library, hashes, policy }.commit(ready).await
    }

    /// Where only the largest of near duplicates is wanted, all others that came in this import go.
    async fn give_way(&mut self, name: &str, outcome: &FileOutcome, bytes: u64) -> StudioResult<()> {
        let (image, near) = match outcome {
            FileOutcome::Imported { image } => (image, None),
            FileOutcome::Near { of, distance, kept: Some(image) } => (image, Some((of, *distance))),
            _ => return Ok(()),
        };
        if !self.options.skip_near {
            return Ok(());
        }
        let library = &self.importer.library;
        let there = library.store().image(image).await?;
        let pixels = there.map_or(0, |image| u64::from(image.width) * u64::from(image.height));
        self.new.insert(image.clone(), Newcomer { file: name.to_owned(), bytes, pixels, gave_way_to: None });
        let Some((of, distance)) = near else { return Ok(()) };
        // What it is like may have given way to another already.
        let mut last = of.clone();
        while let Some(next) = self.new.get(&last).and_then(|one| one.gave_way_to.clone()) {
            last = next;
        }
        // What was in the library before stays.
        let Some(other) = self.new.get(&last).filter(|_| last != *image).map(|one| one.pixels) else { return Ok(()) };
        if last != *of {
            let (one, other) = (library.small_picture(&last).await?, library.small_picture(image).await?);
            if !one.zip(other).is_some_and(|(one, other)| alike(&one, &other)) {
                return Ok(());
            }
        }
        let (smaller, larger) = if other < pixels { (last, image.clone()) } else { (image.clone(), last) };
        library.remove(std::slice::from_ref(&smaller)).await?;
        if let Some(gone) = self.new.get_mut(&smaller) {
            gone.gave_way_to = Some(larger.clone());
            self.report.replace(gone.file.clone(), (&smaller, &larger), distance, gone.bytes);
        }
        Ok(())
    }

    /// The outcome of a file of which nothing is stored; `None` for what is no file.
    async fn other(&mut self, arrived: Arrived) -> StudioResult<Option<FileOutcome>> {
        Ok(Some(match arrived {
            Arrived::Worked(Worked::Ready(_)) => return Ok(None),
            Arrived::Worked(Worked::Ignored) => FileOutcome::Ignored,
            Arrived::Worked(Worked::Refused(refusal)) => FileOutcome::Refused(refusal),
            Arrived::Worked(Worked::Same(same)) => self.same(*same).await?,
            Arrived::Known { image, likeness, description } => {
                if likeness == Likeness::Same {
                    self.add_to_known(&image, description.as_ref()).await?;
                }
                FileOutcome::Known { image }
            }
            Arrived::Bad(bad) => {
                let refusal = ImportRefusal::from(&bad);
                self.report.refuse(&bad.place, &refusal);
                (self.observer)(ImportEvent::Description { place: &bad.place, refusal: &refusal });
                return Ok(None);
            }
            Arrived::Missing(count, files) => {
                self.report.missing += count;
                files.into_iter().for_each(|file| list(&mut self.report.missing_files, || file));
                return Ok(None);
            }
            Arrived::PassedOver(passed) => {
                self.report.pass_over(&passed);
                return Ok(None);
            }
        }))
    }

    /// A file whose bytes are in the library: the one that they came from, or another.
    async fn same(&mut self, same: DuplicateContent) -> StudioResult<FileOutcome> {
        let DuplicateContent { image, source, description } = same;
        self.add_to_known(&image.id, description.as_ref()).await?;
        let is_its_source = source.as_ref().is_some_and(|source| image.source.as_ref() == Some(&source.path));
        if let Some(source) = source {
            self.importer.library.store().put_image_sources(vec![(image.id.clone(), source)]).await?;
        }
        let image = image.id;
        Ok(if is_its_source { FileOutcome::Known { image } } else { FileOutcome::Duplicate { of: image } })
    }

    /// Adds the tags and collections of this import to an image that was there before, and with `update` the new
    /// description too.
    async fn add_to_known(&mut self, image: &str, description: Option<&Description>) -> StudioResult<()> {
        let mut edit = self.options.as_edit();
        let library = &self.importer.library;
        if let Some(description) = description {
            if self.options.update {
                edit.take_over(description);
            } else {
                let mut other = ImageEdit::default();
                other.take_over(description);
                let known = library.store().image(image).await?;
                self.report.differing += u64::from(known.is_some_and(|known| other.changes(&known)));
            }
        }
        if edit == ImageEdit::default() {
            return Ok(());
        }
        let embedder = self.settings.embedders.text.as_ref();
        let before = library.store().image(image).await?.map(|image| image.revision);
        match library.edit(image, &edit, embedder, self.settings.now).await {
            Ok(after) => self.report.updated += u64::from(before != Some(after.revision)),
            // It was removed a moment ago.
            Err(StudioError::NoSuchImage(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn report_progress(&mut self) {
        let total = Some(self.total.load(Ordering::Relaxed)).filter(|total| *total != UNCOUNTED);
        let ImportReport { files, imported, refused, .. } = self.report;
        (self.observer)(ImportEvent::Progress(ImportProgress { done: files, total, imported, refused }));
    }
}

/// Groups of at most [`GROUP`].
fn chunks<T>(items: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut items = items.into_iter();
    std::iter::from_fn(move || {
        let group: Vec<T> = items.by_ref().take(GROUP).collect();
        (!group.is_empty()).then_some(group)
    })
}
