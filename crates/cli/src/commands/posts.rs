//! `atelier posts`.

use std::io::Read;
use std::path::Path;

use atelier_replies::import;
use atelier_store::Post;
use serde::Serialize;
use serde_json::json;

use super::projects;
use crate::args::PostsCommand;
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::{count, moment, thousands};
use crate::out::{excerpt, table};

/// Bad rows that are shown one by one.
const SHOWN_BAD: usize = 20;
/// A file of posts is read whole; a larger one is split first.
const LARGEST_FILE: u64 = 512 << 20;

pub(super) async fn run(context: &Context, command: PostsCommand) -> CliResult<Exit> {
    match command {
        PostsCommand::Import { file, project, strict } => import_file(context, &file, &project, strict).await,
        PostsCommand::List { project, limit, after } => list(context, &project, limit, after.as_deref()).await,
        PostsCommand::Remove { project, ids, all } => remove(context, &project, &ids, all).await,
    }
}

async fn import_file(context: &Context, file: &Path, project: &str, strict: bool) -> CliResult<Exit> {
    projects::find(context, project).await?;
    let bytes = read(file)?;
    let name = file.file_name().and_then(|name| name.to_str()).filter(|name| *name != "-");
    let imported = import::read(project, name, &bytes)?;
    for bad in imported.bad.iter().take(SHOWN_BAD) {
        context.out.note(format!("line {}: {}", bad.line, excerpt(&bad.reason, 200)));
    }
    if imported.bad.len() > SHOWN_BAD {
        context.out.note(format!("… and {} more bad rows", imported.bad.len() - SHOWN_BAD));
    }
    let bad: Vec<_> = imported.bad.iter().map(|bad| json!({ "line": bad.line, "reason": bad.reason })).collect();
    let skipped = imported.bad.len() as u64;
    let store = context.store()?;
    let saved = import::save(&store, project, imported, strict, context.clock.now()).await?;
    let read = saved.added + saved.updated + saved.unchanged;
    let json = json!({
        "project": project,
        "imported": read,
        "added": saved.added,
        "updated": saved.updated,
        "unchanged": saved.unchanged,
        "skipped": skipped,
        "bad_rows": bad,
    });
    context.out.result(&json, || {
        let known = format!("{} new, {} changed, {} known", saved.added, saved.updated, saved.unchanged);
        let skipped = if skipped > 0 { format!("; {} skipped", count(skipped, "bad row")) } else { String::new() };
        format!("{} imported into {project} ({known}){skipped}", count(read, "post"))
    })?;
    Ok(Exit::Success)
}

fn read(file: &Path) -> CliResult<Vec<u8>> {
    let shown = file.display();
    let unreadable = |reason: String| {
        CliError::usage("import-unreadable", format!("{shown} can't be read: {reason}"))
            .hint("give a file of posts as CSV, JSON, JSON Lines or the X API's JSON, or - for stdin")
    };
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(LARGEST_FILE + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(unreadable("it has more than 512 MiB; split it first".to_owned()));
    }
    Ok(bytes)
}

async fn list(context: &Context, project: &str, limit: usize, after: Option<&str>) -> CliResult<Exit> {
    projects::find(context, project).await?;
    let after = after.map(str::parse).transpose()?;
    let posts = context.store()?.posts(project, after, limit).await?;
    let next = posts.last().filter(|_| posts.len() == limit).map(|post| post.cursor().to_string());
    let json = json!({ "posts": posts.iter().map(Row::new).collect::<Vec<_>>(), "next": next });
    context.out.result(&json, || {
        if posts.is_empty() {
            return format!(
                "{project} has no posts here; import some with 'atelier posts import FILE --project {project}'"
            );
        }
        let cells: Vec<Vec<String>> = posts
            .iter()
            .map(|post| {
                let author = format!("@{}", excerpt(&post.author, 20));
                let likes = thousands(post.likes);
                vec![post.id.clone(), moment(post.posted_at), author, likes, excerpt(&post.text, 60)]
            })
            .collect();
        let more = next.as_ref().map(|next| format!("\nmore with --after {next}")).unwrap_or_default();
        table(&["id", "posted", "author", "likes", "text"], &[false, false, false, true, false], &cells) + &more
    })?;
    Ok(Exit::Success)
}

async fn remove(context: &Context, project: &str, ids: &[String], all: bool) -> CliResult<Exit> {
    projects::find(context, project).await?;
    let store = context.store()?;
    let removed = if all { store.remove_all_posts(project).await? } else { store.remove_posts(project, ids).await? };
    context.out.result(&json!({ "project": project, "removed": removed }), || {
        format!("{} removed from {project}, with their drafts", count(removed, "post"))
    })?;
    let missing = !all && removed < ids.len() as u64;
    if missing {
        let message = format!("{} of the ids named no post of {project}", ids.len() as u64 - removed);
        return Err(
            CliError::usage("no-such-post", message).hint(format!("'atelier posts list -p {project}' shows the ids"))
        );
    }
    Ok(Exit::Success)
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    text: &'a str,
    author: &'a str,
    followers: u64,
    posted_at: String,
    likes: u64,
    replies: u64,
    reposts: u64,
    views: u64,
    lang: Option<&'a str>,
    url: &'a str,
}

impl<'a> Row<'a> {
    fn new(post: &'a Post) -> Self {
        Self {
            id: &post.id,
            text: &post.text,
            author: &post.author,
            followers: post.followers,
            posted_at: post.posted_at.to_string(),
            likes: post.likes,
            replies: post.replies,
            reposts: post.reposts,
            views: post.views,
            lang: post.lang.as_deref(),
            url: &post.url,
        }
    }
}
