//! `atelier library import`.

use std::time::Duration;

use atelier_engine::StopHandle;
use atelier_studio::library::Embedded;
use atelier_studio::library::decode::DecodeLimits;
use atelier_studio::library::import::{FileOutcome, ImportEvent, ImportOptions, ImportReport, ImportSource, Importer};
use atelier_studio::search::ImageSearch;
use serde_json::{Value, json};

use super::{embed, images, open};
use crate::args::ImportImages;
use crate::context::Context;
use crate::embedders;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::{count, duration, thousands};
use crate::out::excerpt;
use crate::progress::Meter;
use crate::signals;

/// Files that are named one by one where something is wrong with them; `--json` names all that the report has.
const SHOWN: usize = 20;
/// How often what was imported is made known to the search.
const INDEX_EVERY: Duration = Duration::from_millis(500);

pub(super) async fn run(context: &Context, command: ImportImages) -> CliResult<Exit> {
    let began = context.clock.now();
    let library = open(context)?;
    let (stop, signalled) = signals::listen(None)?;
    let connected = embedders::of_images(context, library.store(), &stop).await?;
    let embedders = connected.embedders.clone();
    let importer = Importer::new(library.clone(), embedders.clone(), DecodeLimits::default(), context.clock);
    let options = ImportOptions {
        collections: command.collection,
        tags: command.tag,
        uploader: command.uploader,
        metadata: command.metadata,
        update: command.update,
        keep_near: command.keep_near,
        ..ImportOptions::default()
    };
    let sources = command.paths.into_iter().map(ImportSource::Path).collect();
    let mut meter = Meter::new(context.out, context.clock, "file");
    let follower = Follower::start(ImageSearch::new(library.clone(), embedders.clone()));
    let imported = importer
        .import(sources, options, stop.clone(), |event| match event {
            ImportEvent::Progress(progress) => {
                let refused =
                    if progress.refused > 0 { format!(", {} refused", progress.refused) } else { String::new() };
                let message = format!(", {} new{refused}", images(progress.imported));
                meter.at(progress.done, progress.total, &message);
            }
            ImportEvent::File { file, outcome: FileOutcome::Refused(refusal) } => {
                let (file, reason) = (excerpt(file, 120), excerpt(&refusal.reason, 200));
                meter.line(&format!("{file}: {reason} [{}]. {}", refusal.code, refusal.hint));
            }
            ImportEvent::Description { place, refusal } => {
                meter.line(&format!("{}: {}", excerpt(place, 120), excerpt(&refusal.reason, 200)));
            }
            ImportEvent::File { .. } => {}
        })
        .await;
    meter.finish();
    let report = match imported {
        Ok(report) => report,
        Err(error) => {
            // What was imported before is found all the same.
            let _ = follower.finish().await;
            return Err(error.into());
        }
    };
    // Words that were edited, or images that came in without an embedder, have no vectors yet.
    let missing = embed::new(context, &library, &embedders, &stop).await?;
    let indexed = follower.finish().await;
    let seconds = context.clock.now().since(began).as_secs_f64();
    tell(context, &report, missing, seconds)?;
    if let Err(error) = indexed {
        // The library has them; the index is a cache.
        context.out.note(format!("the search does not know of them yet: {}", error.message));
    }
    if report.stopped || missing.stopped {
        return Ok(signalled.exit().unwrap_or(Exit::Interrupted));
    }
    Ok(if report.refused > 0 { Exit::ItemsFailed } else { Exit::Success })
}

/// Makes known to the search what is imported, while it is.
struct Follower {
    over: StopHandle,
    task: tokio::task::JoinHandle<ImageSearch>,
}

impl Follower {
    fn start(search: ImageSearch) -> Self {
        let (over, ending) = StopHandle::new();
        let task = tokio::spawn(async move {
            while tokio::time::timeout(INDEX_EVERY, ending.clone().wait()).await.is_err() {
                if let Err(error) = search.catch_up(|_| {}).await {
                    tracing::debug!(code = error.code(), "the index did not follow the import: {error}");
                }
            }
            search
        });
        Self { over, task }
    }

    /// Applies what is left.
    async fn finish(self) -> CliResult<()> {
        self.over.stop();
        let search = self.task.await.map_err(|error| CliError::local("thread-ended", error.to_string()))?;
        search.catch_up(|_| {}).await?;
        Ok(())
    }
}

fn tell(context: &Context, report: &ImportReport, embedded: Embedded, seconds: f64) -> CliResult<()> {
    let mut json = serde_json::to_value(report).unwrap_or_default();
    if let Value::Object(fields) = &mut json {
        fields.insert("seconds".into(), json!(seconds));
        fields.insert("embedded".into(), json!(embedded.text + embedded.look));
    }
    context.out.result(&json, || {
        let took = duration(Duration::from_secs_f64(seconds));
        if report.files == 0 && report.missing == 0 {
            return "there is nothing to import there".to_owned();
        }
        let mut lines =
            vec![format!("{} imported of {}, in {took}", images(report.imported), count(report.files, "file"))];
        let mut say = |number: u64, what: &str| {
            if number > 0 {
                lines.push(format!("{} {what}", thousands(number)));
            }
        };
        say(report.known.saturating_sub(report.updated), "known and unchanged");
        say(report.updated, "known, and described anew");
        say(report.differing, "known, and described otherwise now: --update takes that over");
        say(report.ignored, "passed over: no pictures, and not named like pictures");
        say(report.unembedded, "without vectors: 'atelier library embed' tries again");
        lines.extend(listed(report.near_duplicates, "nearly the same as another image", &report.near_files, |near| {
            let kept = near.kept.as_ref().map_or("not stored; --keep-near stores such", |_| "stored");
            format!("{} is like {} ({kept})", excerpt(&near.file, 100), near.of)
        }));
        let doubles = "with the bytes of another image, not stored again";
        lines.extend(listed(report.duplicates, doubles, &report.duplicate_files, |same| {
            format!("{} is {}", excerpt(&same.file, 100), excerpt(&same.of, 60))
        }));
        let missing = &report.missing_files;
        lines.extend(listed(report.missing, "described and not there", missing, |file| excerpt(file, 100)));
        if report.refused > 0 {
            // They were named as they came.
            lines.push(format!("{} could not be imported, for the reasons above", thousands(report.refused)));
        }
        if report.stopped {
            lines.push("stopped; run it again to go on".to_owned());
        }
        lines.join("\n")
    })
}

/// How many there are, and the first of them; nothing where there are none.
fn listed<T>(number: u64, what: &str, some: &[T], line: impl Fn(&T) -> String) -> Vec<String> {
    if number == 0 {
        return Vec::new();
    }
    let mut lines = vec![format!("{} {what}:", thousands(number))];
    lines.extend(some.iter().take(SHOWN).map(|one| format!("  {}", line(one))));
    let rest = number.saturating_sub(SHOWN as u64);
    if rest > 0 {
        lines.push(format!("  … and {} more; --json names them", thousands(rest)));
    }
    lines
}
