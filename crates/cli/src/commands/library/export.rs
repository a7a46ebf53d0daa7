//! `atelier library export`.

use atelier_app::{AppError, AppResult, code};
use atelier_studio::library::{ExportSelection, ExportTarget};

use super::{filter, images};
use crate::args::ExportImages;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::thousands;
use crate::progress::StepProgress;
use crate::signals;

pub(super) async fn run(context: &Context, command: ExportImages) -> AppResult<Exit> {
    context.app.check_collections(&command.selection.collection).await?;
    let library = context.app.library()?;
    let (stop, signalled) = signals::listen(None)?;
    let to = command.to.clone();
    let is_zip = to.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    let target = if is_zip { ExportTarget::Zip(to) } else { ExportTarget::Folder(to) };
    let selection = if command.id.is_empty() {
        ExportSelection::Filter(filter(&command.selection))
    } else {
        ExportSelection::Ids(command.id)
    };
    let mut progress = StepProgress::new(context.out, context.app.clock(), "image");
    let exported = library.export(selection, target, &stop, |done| progress.at(done, None, " written")).await;
    progress.finish();
    let report = match exported {
        Err(atelier_studio::StudioError::Stopped) => {
            context.out.note("stopped; nothing was written");
            return Ok(signalled.exit().unwrap_or(Exit::INTERRUPTED));
        }
        other => other?,
    };
    context.out.result(&report, || {
        let to = command.to.display();
        format!("{} written to {to}, {} bytes, with images.json", images(report.images), thousands(report.bytes))
    })?;
    if !report.missing.is_empty() {
        let message = format!("the files of {} are gone from the library", images(report.missing.len() as u64));
        return Err(
            AppError::new(code!("image-file-gone"), message).hint("restore them from a backup of the data directory")
        );
    }
    Ok(Exit::Success)
}
