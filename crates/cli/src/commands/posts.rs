//! `atelier posts`.

use std::path::Path;

use atelier_app::replies::label;
use atelier_app::views::PostView;
use atelier_app::{AppError, AppResult, code};
use serde_json::json;

use crate::args::PostsCommand;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, moment, thousands};
use crate::out::{excerpt, table};

/// Bad rows that are shown one by one.
const SHOWN_BAD: usize = 20;

pub(super) async fn run(context: &Context, command: PostsCommand) -> AppResult<Exit> {
    match command {
        PostsCommand::Import { file, project, strict } => import(context, &file, &project, strict).await,
        PostsCommand::List { project, label, limit, after } => {
            list(context, &project, label.as_deref(), limit, after.as_deref()).await
        }
        PostsCommand::Remove { project, ids, all } => remove(context, &project, &ids, all).await,
    }
}

async fn import(context: &Context, file: &Path, project: &str, strict: bool) -> AppResult<Exit> {
    let mut bad_rows = 0;
    let on_bad_row = |bad: &atelier_app::views::BadRowView| {
        bad_rows += 1;
        match bad_rows {
            ..=SHOWN_BAD => context.out.note(format!("line {}: {}", bad.line, excerpt(&bad.reason, 200))),
            _ if bad_rows == SHOWN_BAD + 1 => context.out.note("… and more bad rows"),
            _ => {}
        }
    };
    let imported = context.app.import_posts(file, project, strict, on_bad_row).await?;
    context.out.result(&imported, || {
        let known = format!("{} new, {} changed, {} known", imported.added, imported.updated, imported.unchanged);
        let skipped = match imported.skipped {
            0 => String::new(),
            skipped => format!("; {} skipped", count(skipped, "bad row")),
        };
        format!("{} imported into {project} ({known}){skipped}", count(imported.imported, "post"))
    })?;
    Ok(Exit::Success)
}

async fn list(
    context: &Context,
    project: &str,
    wanted: Option<&str>,
    limit: usize,
    after: Option<&str>,
) -> AppResult<Exit> {
    let wanted = wanted.map(label).transpose()?;
    let list = context.app.posts(project, wanted.as_deref(), after.map(str::parse).transpose()?, limit).await?;
    context.out.result(&list, || {
        if let (Some(label), true) = (&wanted, list.posts.is_empty()) {
            return format!("{project} has no {label} posts here; 'atelier replies generate' scores and labels them");
        }
        if list.posts.is_empty() {
            return format!(
                "{project} has no posts here; import some with 'atelier posts import FILE --project {project}'"
            );
        }
        let cells = |post: &PostView| {
            let author = format!("@{}", excerpt(&post.author, 20));
            let score = post.score.map(|score| format!("{score:.2}")).unwrap_or_default();
            let label = post.label.clone().unwrap_or_default();
            let (posted, likes) = (moment(post.posted_at), thousands(post.likes));
            vec![post.id.clone(), posted, author, likes, score, label, excerpt(&post.text, 60)]
        };
        let cells: Vec<Vec<String>> = list.posts.iter().map(cells).collect();
        let more = list.next.as_ref().map(|next| format!("\nmore with --after {next}")).unwrap_or_default();
        let headers = ["id", "posted", "author", "likes", "score", "label", "text"];
        table(&headers, &[false, false, false, true, true, false, false], &cells) + &more
    })?;
    Ok(Exit::Success)
}

async fn remove(context: &Context, project: &str, ids: &[String], all: bool) -> AppResult<Exit> {
    context.app.check_project(project).await?;
    let store = context.app.store()?;
    let removed = if all { store.remove_all_posts(project).await? } else { store.remove_posts(project, ids).await? };
    context.app.empty_old_trash().await?;
    context.out.result(&json!({ "project": project, "removed": removed }), || {
        format!(
            "{} removed from {project}, with all drafts; to be restored from 'atelier trash' for 30 days",
            count(removed, "post")
        )
    })?;
    if !all && removed < ids.len() as u64 {
        let message = format!("{} of the ids named no post of {project}", ids.len() as u64 - removed);
        let hint = format!("'atelier posts list -p {project}' shows the ids");
        return Err(AppError::new(code!("no-such-post"), message).hint(hint));
    }
    Ok(Exit::Success)
}
