//! `atelier library export`.

use atelier_studio::library::{ExportSelection, ExportTarget};

use super::{check_collections, filter, images, open};
use crate::args::ExportImages;
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::thousands;
use crate::progress::Meter;
use crate::signals;

pub(super) async fn run(context: &Context, command: ExportImages) -> CliResult<Exit> {
    let library = open(context)?;
    check_collections(&library, &command.selection.collection).await?;
    let (stop, signalled) = signals::listen(None)?;
    let to = command.to.clone();
    let is_zip = to.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    let target = if is_zip { ExportTarget::Zip(to) } else { ExportTarget::Folder(to) };
    let selection = if command.id.is_empty() {
        ExportSelection::Filter(filter(&command.selection))
    } else {
        ExportSelection::Ids(command.id)
    };
    let mut meter = Meter::new(context.out, context.clock, "image");
    let exported = library.export(selection, target, &stop, |done| meter.at(done, None, " written")).await;
    meter.finish();
    let report = match exported {
        Err(atelier_studio::StudioError::Stopped) => {
            context.out.note("stopped; nothing was written");
            return Ok(signalled.exit().unwrap_or(Exit::Interrupted));
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
            CliError::local("image-file-gone", message).hint("restore them from a backup of the data directory")
        );
    }
    Ok(Exit::Success)
}
