//! `atelier trash`.

use atelier_app::views::TrashedView;
use atelier_app::{AppError, AppResult, code};
use serde_json::json;

use crate::args::TrashCommand;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, moment_of, thousands};
use crate::out::{excerpt, table};

/// Rows that are listed where nothing is said.
const ROWS: usize = 50;

pub(super) async fn run(context: &Context, command: Option<TrashCommand>) -> AppResult<Exit> {
    let (app, out) = (&context.app, &context.out);
    match command.unwrap_or(TrashCommand::List { limit: ROWS, after: None }) {
        TrashCommand::List { limit, after } => {
            let after = after.as_deref().map(str::parse).transpose()?;
            let list = app.trash(after.as_ref(), limit).await?;
            out.result(&list, || {
                if list.trash.is_empty() {
                    return "the trash is empty".to_owned();
                }
                let cells: Vec<Vec<String>> = list.trash.iter().map(cells).collect();
                let more = list.next.as_ref().map(|next| format!("\nmore with --after {next}")).unwrap_or_default();
                let headers = ["deletion", "what", "items", "name", "", "deleted", "kept until"];
                let right = [false, false, true, false, false, false, false];
                table(&headers, &right, &cells) + "\n'atelier trash restore DELETION' puts it back" + &more
            })?;
        }
        TrashCommand::Restore { ids } => {
            let restored = app.restore(&ids).await?;
            out.result(&json!({ "restored": restored }), || {
                let back = |one: &TrashedView| match one.kind {
                    "posts" => format!("{} of {} put back", count(one.items, "post"), excerpt(&one.name, 60)),
                    kind => format!("{kind} {} is back", excerpt(&one.name, 60)),
                };
                let lines = restored.iter().map(back);
                lines.collect::<Vec<_>>().join("\n")
            })?;
        }
        TrashCommand::Empty { yes } => {
            if !yes {
                return Err(AppError::new(code!("not-confirmed"), "what is deleted from the trash is gone for good")
                    .hint("'atelier trash' lists it; 'atelier trash empty --yes' deletes it"));
            }
            let emptied = app.empty_trash().await?;
            out.result(&json!({ "emptied": emptied }), || format!("{} deleted for good", count(emptied, "entry")))?;
        }
    }
    Ok(Exit::Success)
}

fn cells(one: &TrashedView) -> Vec<String> {
    vec![
        one.id.clone(),
        one.kind.to_owned(),
        thousands(one.items),
        excerpt(&one.name, 32),
        excerpt(&one.label, 40),
        moment_of(&one.deleted_at),
        moment_of(&one.until),
    ]
}
