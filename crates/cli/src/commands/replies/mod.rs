//! `atelier replies`.

mod export;
mod generate;

use atelier_app::replies::{draft_status, label};
use atelier_app::views::DraftView;
use atelier_app::{AppError, AppResult, code};
use atelier_replies::review::{ReviewDecision, decide};
use atelier_store::{DraftFilter, DraftStatus};
use serde_json::json;

use crate::args::{EditReply, ListReplies, RepliesCommand, ReviewAction, ReviewReplies};
use crate::context::Context;
use crate::exit::Exit;
use crate::money::count;
use crate::out::{excerpt, table};

pub(super) async fn run(context: &Context, command: RepliesCommand) -> AppResult<Exit> {
    match command {
        RepliesCommand::Generate(command) => generate::run(context, *command).await,
        RepliesCommand::List(command) => list(context, command).await,
        RepliesCommand::Show { id } => show(context, &id).await,
        RepliesCommand::Edit(command) => edit(context, command).await,
        RepliesCommand::Review(command) => review(context, command).await,
        RepliesCommand::Export(command) => export::run(context, command).await,
        RepliesCommand::ImportReview { file } => export::import_review(context, &file).await,
    }
}

async fn list(context: &Context, command: ListReplies) -> AppResult<Exit> {
    let statuses = command.status.iter().map(|name| draft_status(name)).collect::<AppResult<Vec<_>>>()?;
    let include_filtered = statuses.contains(&DraftStatus::Rejected);
    let filter = DraftFilter {
        projects: command.project,
        statuses,
        label: command.label.as_deref().map(label).transpose()?,
        kinds: command.kind,
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
    let ids = if command.ids.is_empty() {
        let usual = match command.action {
            ReviewAction::Approve | ReviewAction::Reject => DraftStatus::Pending,
            ReviewAction::Posted | ReviewAction::Skipped => DraftStatus::Exported,
        };
        let named = command.status.iter().map(|name| draft_status(name)).collect::<AppResult<Vec<_>>>()?;
        let filter = DraftFilter {
            projects: command.project,
            // As the list of this status shows them.
            include_filtered: named.contains(&DraftStatus::Rejected),
            statuses: if named.is_empty() { vec![usual] } else { named },
            label: command.label.as_deref().map(label).transpose()?,
            kinds: command.kind,
            ..DraftFilter::default()
        };
        context.app.draft_ids(filter).await?
    } else {
        command.ids
    };
    let changed = decide(&context.app.store()?, &ids, decision, context.app.clock().now()).await?;
    let already = ids.len() - changed.len();
    context.out.result(&json!({ "changed": changed, "already": already }), || {
        let stood = if already > 0 { format!("; {already} already were") } else { String::new() };
        format!("{} {done}{stood}", count(changed.len() as u64, "draft"))
    })?;
    Ok(Exit::Success)
}

async fn show(context: &Context, id: &str) -> AppResult<Exit> {
    let draft = context.app.draft(id).await?;
    context.out.result(&draft, || {
        let score = match (draft.score, &draft.label, &draft.topic) {
            (Some(score), Some(label), Some(topic)) => format!("{score:.4}, {label}, about {topic}"),
            _ => "not scored".to_owned(),
        };
        let reason = draft.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let by = draft.rejected_by.map(|by| format!(" by the {by}")).unwrap_or_default();
        format!(
            "{}: {}{by}{reason}\nproject {}, {}, place {}, job {}\n@{}: {}\n{}\nscore {score}\n\n{}",
            draft.id,
            draft.status,
            draft.project,
            draft.kind,
            draft.rank,
            draft.job,
            excerpt(&draft.author, 40),
            excerpt(&draft.post_text, 400),
            excerpt(&draft.url, 200),
            draft.text
        )
    })?;
    Ok(Exit::Success)
}

async fn edit(context: &Context, command: EditReply) -> AppResult<Exit> {
    let text = if command.text == "-" {
        std::io::read_to_string(std::io::stdin()).map_err(|error| {
            AppError::new(code!("input-unreadable"), format!("stdin can't be read: {error}")).hint("give the text")
        })?
    } else {
        command.text
    };
    let changed = context.app.edit_draft(&command.id, text.trim()).await?;
    let said = if changed { "says that now" } else { "said that already" };
    context.out.result(&json!({ "draft": command.id, "changed": changed }), || format!("{} {said}", command.id))?;
    Ok(Exit::Success)
}
