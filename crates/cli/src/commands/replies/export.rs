//! `atelier replies export`.

use std::path::Path;

use atelier_app::replies::{draft_status, label};
use atelier_app::{AppError, AppResult, code};
use atelier_engine::Timestamp;
use atelier_replies::export::{self, ExportOptions};
use serde_json::json;

use crate::args::{ExportReplies, SortBy};
use crate::context::Context;
use crate::exit::Exit;
use crate::money::count;

pub(super) async fn run(context: &Context, command: ExportReplies) -> AppResult<Exit> {
    let to_stdout = command.out == Path::new("-");
    if to_stdout && context.out.is_json() {
        return Err(AppError::new(code!("two-outputs"), "--out - and --json both want to write to stdout")
            .hint("name a file with --out, or leave --json out"));
    }
    for name in &command.project {
        context.app.check_project(name).await?;
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
            .map(|name| label(name)?.parse().map_err(|error: String| AppError::new(code!("bad-label"), error)))
            .transpose()?,
        status: draft_status(&command.status)?,
        hours_back: command.hours_back,
        limit: command.limit,
    };
    let store = context.app.store()?;
    let now = command.now.map_or_else(|| context.app.clock().now(), Timestamp::from);
    if to_stdout {
        let exported = export::to_writer(&store, &options, std::io::stdout(), now).await?;
        context.out.note(written(exported, "stdout"));
        return Ok(Exit::Success);
    }
    let exported = export::to_file(&store, &options, &command.out, now).await?;
    let file = command.out.display().to_string();
    let json = json!({ "file": file, "rows": exported.rows, "drafts": exported.drafts, "left": exported.left });
    context.out.result(&json, || {
        if exported.left {
            return format!("there is nothing new to export; {file} is left as it was");
        }
        written(exported, &file)
    })?;
    Ok(Exit::Success)
}

/// Takes a file back that came from an export.
pub(super) async fn import_review(context: &Context, file: &Path) -> AppResult<Exit> {
    let report = context.app.import_review(file).await?;
    for problem in &report.problems {
        let draft = problem.draft.as_ref().map(|draft| format!(", {draft}")).unwrap_or_default();
        context.out.note(format!("line {}{draft}: {}", problem.line, problem.reason));
    }
    context.out.result(&report, || {
        let mut parts: Vec<String> =
            report.changed.iter().map(|(status, drafts)| format!("{} {status}", count(*drafts, "draft"))).collect();
        if report.edited > 0 {
            parts.push(format!("{} changed", count(report.edited, "text")));
        }
        let changed = if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") };
        let not = report.problems.len() as u64;
        let not = if not > 0 {
            format!("; {} could not be taken over, for the reasons above", count(not, "part"))
        } else {
            String::new()
        };
        format!("{}: {changed}{not}", count(report.rows, "row"))
    })?;
    Ok(if report.problems.is_empty() { Exit::Success } else { Exit::ITEMS_FAILED })
}

fn written(exported: export::Exported, file: &str) -> String {
    let (rows, drafts) = (count(exported.rows as u64, "row"), count(exported.drafts as u64, "draft"));
    format!("{rows} with {drafts} written to {file}")
}
