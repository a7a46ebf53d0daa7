//! `atelier replies`.

mod export;
mod generate;

use atelier_app::replies::{draft_status, label};
use atelier_app::views::DraftView;
use atelier_app::{AppError, AppResult, code};
use atelier_replies::review::{ReviewDecision, decide};
use atelier_store::{DraftFilter, DraftStatus};
use serde_json::json;

use crate::args::{ListReplies, RepliesCommand, ReviewAction, ReviewReplies};
use crate::context::Context;
use crate::exit::Exit;
use crate::money::count;
use crate::out::{excerpt, table};

pub(super) async fn run(context: &Context, command: RepliesCommand) -> AppResult<Exit> {
    match command {
        RepliesCommand::Generate(command) => generate::run(context, *command).await,
        RepliesCommand::List(command) => list(context, command).await,
        RepliesCommand::Review(command) => review(context, command).await,
        RepliesCommand::Export(command) => export::run(context, command).await,
    }
}

async fn list(context: &Context, command: ListReplies) -> AppResult<Exit> {
    let statuses = command.status.iter().map(|name| draft_status(name)).collect::<AppResult<Vec<_>>>()?;
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
    let list = context.app.drafts(&filter).await?;
    context.out.result(&list, || {
        if list.drafts.is_empty() {
            return "no drafts here; 'atelier replies generate' makes some".to_owned();
        }
        let more = list.next.as_ref().map(|next| format!("\nmore with --after {next}")).unwrap_or_default();
        let cells: Vec<Vec<String>> = list.drafts.iter().map(cells).collect();
        table(&["id", "project", "post", "label", "kind", "status", "draft"], &[false; 7], &cells) + &more
    })?;
    Ok(Exit::Success)
}

fn cells(draft: &DraftView) -> Vec<String> {
    let status = match &draft.reason {
        Some(reason) => format!("{}: {}", draft.status, excerpt(reason, 24)),
        None => draft.status.to_owned(),
    };
    vec![
        draft.id.clone(),
        draft.project.clone(),
        format!("@{}: {}", excerpt(&draft.author, 16), excerpt(&draft.post_text, 24)),
        draft.label.clone().unwrap_or_default(),
        draft.kind.clone(),
        status,
        excerpt(&draft.text, 70),
    ]
}

async fn review(context: &Context, command: ReviewReplies) -> AppResult<Exit> {
    if command.reason.is_some() && command.action != ReviewAction::Reject {
        return Err(AppError::new(code!("reason-unused"), "--reason goes with reject").hint("leave --reason out"));
    }
    let (decision, done) = match command.action {
        ReviewAction::Approve => (ReviewDecision::Approve, "approved"),
        ReviewAction::Reject => (ReviewDecision::Reject { reason: command.reason }, "rejected"),
        ReviewAction::Posted => (ReviewDecision::Posted, "marked as posted"),
        ReviewAction::Skipped => (ReviewDecision::Skipped, "marked as skipped"),
    };
    let changed = decide(&context.app.store()?, &command.ids, decision, context.app.clock().now()).await?;
    let already = command.ids.len() - changed.len();
    context.out.result(&json!({ "changed": changed, "already": already }), || {
        let stood = if already > 0 { format!("; {already} stood so already") } else { String::new() };
        format!("{} {done}{stood}", count(changed.len() as u64, "draft"))
    })?;
    Ok(Exit::Success)
}
