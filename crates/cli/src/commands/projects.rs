//! `atelier projects`.

use std::path::Path;

use atelier_replies::Finder;
use atelier_store::Project;
use serde::Serialize;
use serde_json::json;

use crate::args::{ProjectFile, ProjectsCommand};
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::{count, moment};
use crate::out::{excerpt, table};

/// Rows of a page when all are listed.
const PAGE: usize = 500;
/// No name is longer.
const LONGEST_NAME: usize = 64;

pub(super) async fn run(context: &Context, command: ProjectsCommand) -> CliResult<Exit> {
    match command {
        ProjectsCommand::Add(file) => add(context, file).await?,
        ProjectsCommand::List => list(context).await?,
        ProjectsCommand::Show { name } => show(context, &name).await?,
        ProjectsCommand::Update(file) => update(context, file).await?,
        ProjectsCommand::Remove { name } => remove(context, &name).await?,
    }
    Ok(Exit::Success)
}

async fn add(context: &Context, file: ProjectFile) -> CliResult<()> {
    check_name(&file.name)?;
    let (text, finder) = read_finder(&file.finder)?;
    context.store()?.add_project(&file.name, &text, context.clock.now()).await?;
    told(context, "added", &file.name, &finder)
}

async fn update(context: &Context, file: ProjectFile) -> CliResult<()> {
    let (text, finder) = read_finder(&file.finder)?;
    context.store()?.update_project(&file.name, &text, context.clock.now()).await?;
    told(context, "updated", &file.name, &finder)
}

fn told(context: &Context, what: &str, name: &str, finder: &Finder) -> CliResult<()> {
    let topics = count(finder.taxonomy.len() as u64, "topic");
    context.out.result(&json!({ "project": name, what: true }), || format!("project {name} {what}, with {topics}"))
}

async fn list(context: &Context) -> CliResult<()> {
    let mut projects = Vec::new();
    let store = context.store()?;
    loop {
        let after = projects.last().map(|project: &Project| project.name.clone());
        let page = store.projects(after.as_deref(), PAGE).await?;
        let more = page.len() == PAGE;
        projects.extend(page);
        if !more {
            break;
        }
    }
    let rows: Vec<Row> = projects.iter().map(Row::new).collect();
    context.out.result(&rows, || {
        if rows.is_empty() {
            return "there is no project yet; add one with 'atelier projects add NAME --finder finder.yml'".to_owned();
        }
        let cells: Vec<Vec<String>> = projects
            .iter()
            .zip(&rows)
            .map(|(project, row)| {
                let topics = row.topics.iter().map(|topic| excerpt(topic, 24)).collect::<Vec<_>>().join(", ");
                vec![project.name.clone(), moment(project.updated_at), excerpt(&topics, 60)]
            })
            .collect();
        table(&["project", "updated", "topics"], &[false; 3], &cells)
    })
}

async fn show(context: &Context, name: &str) -> CliResult<()> {
    let project = find(context, name).await?;
    let json = json!({
        "project": project.name,
        "created_at": project.created_at.to_string(),
        "updated_at": project.updated_at.to_string(),
        "finder": project.finder,
    });
    context.out.result(&json, || project.finder.clone())
}

async fn remove(context: &Context, name: &str) -> CliResult<()> {
    context.store()?.remove_project(name).await?;
    context.out.result(&json!({ "project": name, "removed": true }), || {
        format!("project {name} removed, with its posts and drafts")
    })
}

/// The project of this name.
pub(super) async fn find(context: &Context, name: &str) -> CliResult<Project> {
    context.store()?.project(name).await?.ok_or_else(|| {
        CliError::usage("no-such-project", format!("there is no project '{name}'"))
            .hint("'atelier projects list' shows all there are")
    })
}

fn read_finder(path: &Path) -> CliResult<(String, Finder)> {
    let shown = path.display();
    let unreadable = |reason: String| {
        CliError::configuration("finder-unreadable", format!("{shown} can't be read: {reason}"))
            .hint("give a finder.yml in UTF-8; assets/samples/finder.yml shows the form")
    };
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))?;
    let finder = Finder::from_yaml(&text).map_err(|error| {
        let error = CliError::from(error);
        CliError { message: format!("{shown}: {}", error.message), ..error }
    })?;
    Ok((text, finder))
}

/// Names stand in file names, in lists and on command lines.
fn check_name(name: &str) -> CliResult<()> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.chars().all(fine) && !name.is_empty() && name.len() <= LONGEST_NAME && !name.starts_with(['-', '.']) {
        return Ok(());
    }
    Err(CliError::usage("bad-project-name", format!("'{}' can't be a project's name", excerpt(name, 80)))
        .hint("use letters, digits, '-', '_' and '.', at most 64 bytes, and begin with a letter or a digit"))
}

#[derive(Serialize)]
struct Row {
    project: String,
    created_at: String,
    updated_at: String,
    topics: Vec<String>,
}

impl Row {
    fn new(project: &Project) -> Self {
        let topics = Finder::from_yaml(&project.finder)
            .map(|finder| finder.taxonomy.into_iter().map(|node| node.label).collect())
            .unwrap_or_default();
        Self {
            project: project.name.clone(),
            created_at: project.created_at.to_string(),
            updated_at: project.updated_at.to_string(),
            topics,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_trip_someone_up_are_refused() {
        for name in ["brand", "brand-2", "märkte", "a.b_c"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "-x", "..", "a b", "a/b", "a\nb", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
