//! `atelier library import`.

use std::time::Duration;

use atelier_app::AppResult;
use atelier_studio::library::Embedded;
use atelier_studio::library::import::{FileOutcome, ImportEvent, ImportOptions, ImportReport, ImportSource};
use serde::Serialize;

use super::embed::{Busy, EmbedReport};
use super::images;
use crate::args::ImportImages;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, duration, thousands};
use crate::out::excerpt;
use crate::progress::StepProgress;
use crate::signals;

/// Files that are named one by one where something is wrong with them; `--json` names all that the report has.
const SHOWN: usize = 20;
pub(super) async fn run(context: &Context, command: ImportImages) -> AppResult<Exit> {
    let began = context.app.clock().now();
    let (stop, signalled) = signals::listen(None)?;
    let options = ImportOptions {
        collections: command.collection,
        tags: command.tag,
        uploader: command.uploader,
        metadata: command.metadata,
        update: command.update,
        skip_near: command.skip_near,
        ..ImportOptions::default()
    };
    let sources = command.paths.into_iter().map(ImportSource::Path).collect();
    let mut progress = StepProgress::new(context.out, context.app.clock(), "file");
    let mut vectors = EmbedReport::new(context, Busy::Left);
    let on_embed = |event| vectors.on(event);
    let imported =
        context.app.import_images(sources, options, &stop, |event| show(&mut progress, event), on_embed).await;
    progress.finish();
    vectors.finish();
    let imported = imported?;
    let seconds = context.app.clock().now().since(began).as_secs_f64();
    print(context, &imported.report, imported.embedded, seconds)?;
    if let Some(error) = &imported.not_indexed {
        context.out.note(format!("the search does not know of them yet: {}", error.message()));
    }
    if imported.report.stopped || imported.embedded.stopped {
        return Ok(signalled.exit().unwrap_or(Exit::INTERRUPTED));
    }
    Ok(if imported.report.refused > 0 { Exit::ITEMS_FAILED } else { Exit::Success })
}

fn show(progress: &mut StepProgress, event: ImportEvent<'_>) {
    match event {
        ImportEvent::Progress(import) => {
            let refused = if import.refused > 0 { format!(", {} refused", import.refused) } else { String::new() };
            let message = format!(", {} new{refused}", images(import.imported));
            progress.at(import.done, import.total, &message);
        }
        ImportEvent::File { file, outcome: FileOutcome::Refused(refusal) } => {
            let (file, reason) = (excerpt(file, 120), excerpt(&refusal.reason, 200));
            progress.line(&format!("{file}: {reason} [{}]. {}", refusal.code, refusal.hint));
        }
        ImportEvent::Description { place, refusal } => {
            progress.line(&format!("{}: {}", excerpt(place, 120), excerpt(&refusal.reason, 200)));
        }
        ImportEvent::File { .. } => {}
    }
}

/// What an import did, as `--json` gives it.
#[derive(Serialize)]
struct ImportResult<'a> {
    #[serde(flatten)]
    report: &'a ImportReport,
    seconds: f64,
    embedded: u64,
}

fn print(context: &Context, report: &ImportReport, embedded: Embedded, seconds: f64) -> AppResult<()> {
    let result = ImportResult { report, seconds, embedded: embedded.text + embedded.look };
    context.out.result(&result, || {
        let took = duration(Duration::from_secs_f64(seconds));
        if report.files == 0 && report.missing == 0 && report.passed_over.is_empty() {
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
        say(report.ignored, "passed over: neither pictures nor named like pictures");
        for (reason, files) in &report.passed_over {
            say(*files, &format!("passed over: {}", reason.in_words()));
        }
        say(report.unembedded, "without vectors: 'atelier library embed' tries again");
        let near = "nearly the same as another image; 'atelier library duplicates' shows them side by side";
        lines.extend(listed(report.near_duplicates, near, &report.near_files, |near| {
            let kept = near.kept.as_ref().map_or("not stored: that one is no smaller", |_| "both are stored");
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
