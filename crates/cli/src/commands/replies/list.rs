//! `atelier replies list`.

use atelier_store::{DraftFilter, DraftRow, DraftStatus};
use serde::Serialize;
use serde_json::json;

use crate::args::ListReplies;
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::out::{excerpt, table};

pub(super) async fn run(context: &Context, command: ListReplies) -> CliResult<Exit> {
    let statuses = command.status.iter().map(|name| status(name)).collect::<CliResult<Vec<_>>>()?;
    let include_filtered = statuses.contains(&DraftStatus::Rejected);
    let filter = DraftFilter {
        projects: command.project,
        statuses,
        label: command.label.as_deref().map(label).transpose()?,
        include_filtered,
        after: command.after.as_deref().map(str::parse).transpose()?,
        limit: command.limit,
        ..DraftFilter::default()
    };
    let rows = context.store()?.drafts(&filter).await?;
    let next = rows.last().filter(|_| rows.len() == command.limit).map(|row| row.cursor().to_string());
    let json = json!({ "drafts": rows.iter().map(Row::new).collect::<Vec<_>>(), "next": next });
    context.out.result(&json, || {
        if rows.is_empty() {
            return "no drafts here; 'atelier replies generate' makes some".to_owned();
        }
        let more = next.as_ref().map(|next| format!("\nmore with --after {next}")).unwrap_or_default();
        let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
        table(&["id", "project", "post", "label", "kind", "status", "draft"], &[false; 7], &cells) + &more
    })?;
    Ok(Exit::Success)
}

fn cells(row: &DraftRow) -> Vec<String> {
    let status = match &row.draft.reason {
        Some(reason) => format!("{}: {}", row.draft.status.name(), excerpt(reason, 24)),
        None => row.draft.status.name().to_owned(),
    };
    let label = row.score.as_ref().map(|score| score.label.clone()).unwrap_or_default();
    vec![
        row.draft.id.clone(),
        row.draft.project.clone(),
        format!("@{}: {}", excerpt(&row.post.author, 16), excerpt(&row.post.text, 24)),
        label,
        row.draft.kind.clone(),
        status,
        excerpt(&row.draft.text, 70),
    ]
}

/// The status of this name.
pub(super) fn status(name: &str) -> CliResult<DraftStatus> {
    DraftStatus::from_name(name).ok_or_else(|| {
        let all: Vec<&str> = DraftStatus::ALL.iter().map(|status| status.name()).collect();
        CliError::usage("bad-status", format!("'{}' is not a status of a draft", excerpt(name, 40)))
            .hint(format!("write one of {}", all.join(", ")))
    })
}

/// A label's name.
pub(super) fn label(name: &str) -> CliResult<String> {
    if ["green", "yellow", "red"].contains(&name) {
        return Ok(name.to_owned());
    }
    Err(CliError::usage("bad-label", format!("'{}' is not a label", excerpt(name, 40)))
        .hint("write green, yellow or red"))
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    project: &'a str,
    post: &'a str,
    url: &'a str,
    author: &'a str,
    post_text: &'a str,
    score: Option<f64>,
    label: Option<&'a str>,
    topic: Option<&'a str>,
    job: &'a str,
    kind: &'a str,
    rank: u32,
    text: &'a str,
    status: &'a str,
    rejected_by: Option<&'a str>,
    reason: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn new(row: &'a DraftRow) -> Self {
        let (draft, post, score) = (&row.draft, &row.post, row.score.as_ref());
        Self {
            id: &draft.id,
            project: &draft.project,
            post: &draft.post,
            url: &post.url,
            author: &post.author,
            post_text: &post.text,
            score: score.map(|score| score.total),
            label: score.map(|score| score.label.as_str()),
            topic: score.map(|score| score.topic.as_str()),
            job: &draft.job,
            kind: &draft.kind,
            rank: draft.rank,
            text: &draft.text,
            status: draft.status.name(),
            rejected_by: draft.rejected_by.map(atelier_store::RejectedBy::name),
            reason: draft.reason.as_deref(),
        }
    }
}
