//! The stages of an import, connected by channels and run beside each other.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use atelier_engine::Stop;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::feed::{Feeder, PAGE};
use super::gather::{GROUP, Gatherer, UNCOUNTED};
use super::importer::Importer;
use super::options::ImportOptions;
use super::report::{ImportEvent, ImportReport};
use super::stages::{Arrived, Numbered};
use super::walk::{self, FoundFile, ImportSource};
use super::work::{self, ImportSettings};
use crate::error::{StudioError, StudioResult};
use crate::library::blocking::{blocking, yield_to_others};

/// A worker's stack: some decoders keep large tables there.
const STACK: usize = 8 << 20;

impl Importer {
    /// Imports files. `observer` is called with the outcome of each, in the order of the files, from the task that
    /// calls this. After `stop`, no file is begun; those that were are finished and kept.
    ///
    /// A file that can't be imported is reported and counted, and ends nothing.
    ///
    /// # Errors
    /// A source or a sidecar that was asked for and can't be read, a name that can't be kept, and what the
    /// store or the objects report. Files that were reported before are kept.
    pub async fn import(
        &self,
        sources: Vec<ImportSource>,
        options: ImportOptions,
        stop: Stop,
        mut observer: impl FnMut(ImportEvent<'_>) + Send,
    ) -> StudioResult<ImportReport> {
        options.check()?;
        begun(self, sources, options, stop, &mut observer).await
    }
}

/// One future for all observers, and one that is made here: an `async fn` is compiled once more by each crate that waits
/// for it, with all that it waits for itself.
fn begun<'a>(
    importer: &'a Importer,
    sources: Vec<ImportSource>,
    options: ImportOptions,
    stop: Stop,
    observer: &'a mut (dyn FnMut(ImportEvent<'_>) + Send),
) -> BoxFuture<'a, StudioResult<ImportReport>> {
    Box::pin(run(importer, sources, options, stop, observer))
}

async fn run(
    importer: &Importer,
    sources: Vec<ImportSource>,
    options: ImportOptions,
    stop: Stop,
    observer: &mut (dyn FnMut(ImportEvent<'_>) + Send),
) -> StudioResult<ImportReport> {
    let total = Arc::new(AtomicU64::new(UNCOUNTED));
    let (found_sender, found) = mpsc::channel(PAGE * 2);
    let (work_sender, work_queue) = mpsc::channel(options.threads.get() * 2);
    let (done_sender, done) = mpsc::channel(GROUP * 2);
    let settings = ImportSettings {
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
        new: HashMap::new(),
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
    settings: &ImportSettings,
    queue: mpsc::Receiver<Numbered<FoundFile>>,
    done: &mpsc::Sender<Numbered<Arrived>>,
) -> StudioResult<()> {
    let queue = Arc::new(Mutex::new(queue));
    let runtime = Handle::current();
    for _ in 0..threads {
        let (queue, done, settings) = (Arc::clone(&queue), done.clone(), settings.clone());
        let (store, runtime) = (importer.library.store().clone(), runtime.clone());
        let worker = move || {
            yield_to_others();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
                let Some(Numbered { number, name, item, permit }) = next else { return };
                let item = match work::load(item, &settings) {
                    Err(worked) => Arrived::Worked(worked),
                    Ok(loaded) => match runtime.block_on(store.image_with_hash(&loaded.hash)) {
                        // Known bytes need not be decoded. A store that fails here fails again when the image is
                        // written, and that ends the import.
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
