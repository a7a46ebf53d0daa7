//! `atelier replies export`.

use std::path::Path;

use atelier_engine::Timestamp;
use atelier_replies::export::{self, ExportOptions};
use serde_json::json;

use super::list::{label, status};
use crate::args::{Export, SortBy};
use crate::commands::projects;
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::count;

pub(super) async fn run(context: &Context, command: Export) -> CliResult<Exit> {
    let to_stdout = command.out == Path::new("-");
    if to_stdout && context.out.is_json() {
        return Err(CliError::usage("two-outputs", "--out - and --json both want to write to stdout")
            .hint("name a file with --out, or leave --json out"));
    }
    for name in &command.project {
        projects::find(context, name).await?;
    }
    let options = ExportOptions {
        projects: command.project,
        sort_by: match command.sort_by {
            SortBy::Score => export::SortBy::Score,
            SortBy::Views => export::SortBy::Views,
            SortBy::Balanced => export::SortBy::Balanced,
        },
        label: command
            .label
            .as_deref()
            .map(|name| label(name)?.parse().map_err(|error: String| CliError::usage("bad-label", error)))
            .transpose()?,
        status: status(&command.status)?,
        hours_back: command.hours_back,
        limit: command.limit,
    };
    let store = context.store()?;
    let now = command.now.map_or_else(|| context.clock.now(), Timestamp::from);
    if to_stdout {
        let exported = export::to_writer(&store, &options, std::io::stdout(), now).await?;
        context.out.note(told(exported, "stdout"));
        return Ok(Exit::Success);
    }
    let exported = export::to_file(&store, &options, &command.out, now).await?;
    let file = command.out.display().to_string();
    context
        .out
        .result(&json!({ "file": file, "rows": exported.rows, "drafts": exported.drafts }), || told(exported, &file))?;
    Ok(Exit::Success)
}

fn told(exported: export::Exported, file: &str) -> String {
    let (rows, drafts) = (count(exported.rows as u64, "row"), count(exported.drafts as u64, "draft"));
    format!("{rows} with {drafts} written to {file}")
}
