//! How the parts of an import run beside each other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use atelier_engine::Stop;
use atelier_store::Likeness;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::commit::{Committer, Hashes, NearPolicy, unchanged};
use super::report::{FileOutcome, ImportEvent, ImportProgress, ImportReport, Refusal, list};
use super::walk::{self, Content, Found, FoundFile, Source};
use super::work::{self, Ready, Same, Settings, Worked};
use super::{ImportOptions, Importer};
use crate::error::{StudioError, StudioResult};
use crate::library::sidecar::{BadDescription, Description};
use crate::library::{ImageEdit, blocking};

/// Files whose paths are looked up together.
const PAGE: usize = 256;

/// Images that are written together, at most: enough that syncs cost little, few enough that progress is seen.
const GROUP: usize = 64;

/// Bytes that may be under way, in units of a KiB: files that were read, and what was made of them.
const WINDOW: u32 = 128 << 10;

/// What is kept of a file beside its bytes while it is under way, in KiB.
const BESIDE: u32 = 512;

/// A worker's stack: some decoders keep large tables there.
const STACK: usize = 8 << 20;

/// The total before the files are counted.
const UNCOUNTED: u64 = u64::MAX;

/// A file under way, numbered in the order of the files.
struct Numbered<T> {
    number: u64,
    name: String,
    item: T,
    permit: OwnedSemaphorePermit,
}

/// What comes to the end of the line.
enum Arrived {
    Worked(Worked),
    /// The file was imported before, as this image; with what is said of it now.
    Known {
        image: String,
        likeness: Likeness,
        description: Option<Description>,
    },
    Bad(BadDescription),
    Missing(u64, Vec<String>),
}

/// Runs an import.
pub(super) async fn run(
    importer: &Importer,
    sources: Vec<Source>,
    options: ImportOptions,
    stop: Stop,
    observer: impl FnMut(ImportEvent<'_>) + Send,
) -> StudioResult<ImportReport> {
    let total = Arc::new(AtomicU64::new(UNCOUNTED));
    let (found_sender, found) = mpsc::channel(PAGE * 2);
    let (work_sender, work_queue) = mpsc::channel(options.threads.get() * 2);
    let (done_sender, done) = mpsc::channel(GROUP * 2);
    let settings = Settings {
        reader: importer.reader.clone(),
        embedders: importer.embedders.clone(),
        tags: options.tags.clone(),
        collections: options.collections.clone(),
        uploader: options.uploader.clone(),
        now: importer.clock.now(),
    };
    let counting = {
        let (sources, stop, total) = (sources.clone(), stop.clone(), Arc::clone(&total));
        blocking(move || total.store(walk::count(&sources, &stop), Ordering::Relaxed))
    };
    let walking = {
        let (metadata, stop) = (options.metadata.clone(), stop.clone());
        blocking(move || walk::send_all(sources, metadata.as_deref(), &stop, &found_sender))
    };
    start_workers(importer, options.threads.get(), &settings, work_queue, &done_sender)?;
    let feeding = Feeder { importer, options: &options, stop: stop.clone(), work: work_sender, done: done_sender };
    let gathering = Gatherer {
        importer,
        options: &options,
        settings: &settings,
        report: ImportReport::default(),
        total: &total,
        observer,
    };
    // All go on until the walk ends or one of them fails; dropping them ends the others.
    let (_, walked, (), report) = tokio::try_join!(counting, walking, feeding.feed(found), gathering.gather(done))?;
    walked?;
    Ok(ImportReport { stopped: stop.is_requested(), ..report })
}

/// Starts threads that work on files until there are no more.
fn start_workers(
    importer: &Importer,
    threads: usize,
    settings: &Settings,
    queue: mpsc::Receiver<Numbered<FoundFile>>,
    done: &mpsc::Sender<Numbered<Arrived>>,
) -> StudioResult<()> {
    let queue = Arc::new(Mutex::new(queue));
    let runtime = Handle::current();
    for _ in 0..threads {
        let (queue, done, settings) = (Arc::clone(&queue), done.clone(), settings.clone());
        let (store, runtime) = (importer.library.store().clone(), runtime.clone());
        let worker = move || {
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
                let Some(Numbered { number, name, item, permit }) = next else { return };
                let item = match work::load(item, &settings) {
                    Err(worked) => Arrived::Worked(worked),
                    Ok(loaded) => match runtime.block_on(store.image_with_hash(&loaded.hash)) {
                        // What is there already need not be looked at.
                        Ok(Some(image)) => Arrived::Worked(loaded.same_as(image)),
                        Ok(None) | Err(_) => Arrived::Worked(work::work(loaded, &settings)),
                    },
                };
                if done.blocking_send(Numbered { number, name, item, permit }).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("import".into()).stack_size(STACK).spawn(worker);
        thread.map_err(|error| StudioError::Thread(format!("no thread can be started: {error}")))?;
    }
    Ok(())
}

/// Numbers files, passes over those that are known, and hands out the others.
struct Feeder<'a> {
    importer: &'a Importer,
    options: &'a ImportOptions,
    stop: Stop,
    work: mpsc::Sender<Numbered<FoundFile>>,
    done: mpsc::Sender<Numbered<Arrived>>,
}

impl Feeder<'_> {
    async fn feed(self, mut found: mpsc::Receiver<Found>) -> StudioResult<()> {
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
                    Found::File(file) => weight(file),
                    Found::Bad(_) | Found::Missing(..) => 1,
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

    /// False if nobody takes it any more.
    async fn hand_on(
        &self,
        number: u64,
        found: Found,
        known: Option<(Likeness, String)>,
        permit: OwnedSemaphorePermit,
    ) -> bool {
        let (name, item) = match (found, known) {
            (Found::File(file), None) => {
                let name = file.name.clone();
                return self.work.send(Numbered { number, name, item: *file, permit }).await.is_ok();
            }
            (Found::File(file), Some((likeness, image))) => match file.description {
                Some(Err(bad)) => (file.name, Arrived::Worked(Worked::Refused(Refusal::from(&bad)))),
                description => {
                    let description = description.and_then(Result::ok);
                    (file.name, Arrived::Known { image, likeness, description })
                }
            },
            (Found::Bad(bad), _) => (bad.place.clone(), Arrived::Bad(bad)),
            (Found::Missing(count, files), _) => (String::new(), Arrived::Missing(count, files)),
        };
        self.done.send(Numbered { number, name, item, permit }).await.is_ok()
    }

    /// For each of these, the image that it was taken for before, if it has not changed since.
    async fn known(&self, page: &[Found]) -> StudioResult<Vec<Option<(Likeness, String)>>> {
        let path = |found: &Found| {
            let Found::File(file) = found else { return None };
            let Content::Path { bytes, modified_at, .. } = &file.content else { return None };
            Some((file.name.clone(), *bytes, *modified_at))
        };
        let paths: Vec<String> = page.iter().filter_map(path).map(|(path, ..)| path).collect();
        let sources = self.importer.library.store().image_sources(&paths).await?;
        let known = |found: &Found| {
            let (path, bytes, modified_at) = path(found)?;
            let (source, image) = sources.get(&path)?;
            // A near duplicate that was left out then may be wanted now.
            let settled = source.likeness == Likeness::Same || !self.options.keep_near;
            (settled && unchanged(source, bytes, modified_at)).then(|| (source.likeness, image.clone()))
        };
        Ok(page.iter().map(known).collect())
    }
}

/// What a file takes of the window.
fn weight(file: &FoundFile) -> u32 {
    let bytes = match &file.content {
        Content::Path { bytes, .. } => *bytes,
        Content::Bytes(content) => content.len() as u64,
        Content::Unreadable(_) => 0,
    };
    u32::try_from(bytes >> 10).unwrap_or(WINDOW).saturating_add(BESIDE).min(WINDOW)
}

/// Puts what arrives into the order of the files, has it written, and tells of it.
struct Gatherer<'a, O> {
    importer: &'a Importer,
    options: &'a ImportOptions,
    settings: &'a Settings,
    report: ImportReport,
    total: &'a AtomicU64,
    observer: O,
}

impl<O: FnMut(ImportEvent<'_>) + Send> Gatherer<'_, O> {
    async fn gather(mut self, mut done: mpsc::Receiver<Numbered<Arrived>>) -> StudioResult<ImportReport> {
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

    /// Writes what is to be written of these, and tells what became of each, in their order.
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
            (self.observer)(ImportEvent::File { file: &name, outcome: &outcome });
        }
        self.tell_progress();
        Ok(())
    }

    async fn write(&self, ready: Vec<Ready>) -> StudioResult<Vec<super::commit::Committed>> {
        if ready.is_empty() {
            return Ok(Vec::new());
        }
        let library = &self.importer.library;
        let mut hashes = self.importer.hashes.lock().await;
        let hashes = match &mut *hashes {
            Some(hashes) => hashes,
            none => none.insert(Hashes::read(library.store()).await?),
        };
        let policy = NearPolicy { keep: self.options.keep_near, max_distance: self.options.near_distance };
        Committer { library, hashes, policy }.commit(ready).await
    }

    /// What became of a file that nothing is stored of; none if it is no file.
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
                let refusal = Refusal::from(&bad);
                self.report.refuse(&bad.place, &refusal);
                (self.observer)(ImportEvent::Description { place: &bad.place, refusal: &refusal });
                return Ok(None);
            }
            Arrived::Missing(count, files) => {
                self.report.missing += count;
                files.into_iter().for_each(|file| list(&mut self.report.missing_files, || file));
                return Ok(None);
            }
        }))
    }

    /// A file whose bytes are in the library: the one that they came from, or another.
    async fn same(&mut self, same: Same) -> StudioResult<FileOutcome> {
        let Same { image, source, description } = same;
        self.add_to_known(&image.id, description.as_ref()).await?;
        let is_its_source = source.as_ref().is_some_and(|source| image.source.as_ref() == Some(&source.path));
        if let Some(source) = source {
            self.importer.library.store().put_image_sources(vec![(image.id.clone(), source)]).await?;
        }
        let image = image.id;
        Ok(if is_its_source { FileOutcome::Known { image } } else { FileOutcome::Duplicate { of: image } })
    }

    /// Gives an image that was there before what this import gives all, and what is said of it now if that is
    /// asked for.
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

    fn tell_progress(&mut self) {
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
