//! `atelier projects`.

use atelier_app::AppResult;
use atelier_app::views::ProjectView;
use atelier_replies::Finder;
use serde_json::json;

use crate::args::ProjectsCommand;
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, moment};
use crate::out::{excerpt, table};

pub(super) async fn run(context: &Context, command: ProjectsCommand) -> AppResult<Exit> {
    let app = &context.app;
    match command {
        ProjectsCommand::Add(file) => {
            print_change(context, "added", &file.name, &app.add_project(&file.name, &file.finder).await?)?;
        }
        ProjectsCommand::List => list(context, &app.projects().await?)?,
        ProjectsCommand::Show { name } => {
            let project = app.project(&name).await?;
            context.out.result(&project, || project.finder.clone().unwrap_or_default())?;
        }
        ProjectsCommand::Update(file) => {
            print_change(context, "updated", &file.name, &app.update_project(&file.name, &file.finder).await?)?;
        }
        ProjectsCommand::Remove { name } => {
            app.store()?.remove_project(&name).await?;
            app.empty_old_trash().await?;
            let text =
                || format!("project {name} removed, with its posts and drafts; 'atelier trash' has it for 30 days");
            context.out.result(&json!({ "project": name, "removed": true }), text)?;
        }
    }
    Ok(Exit::Success)
}

fn print_change(context: &Context, what: &str, name: &str, finder: &Finder) -> AppResult<()> {
    let topics = count(finder.taxonomy.len() as u64, "topic");
    context.out.result(&json!({ "project": name, what: true }), || format!("project {name} {what}, with {topics}"))
}

fn list(context: &Context, projects: &Vec<ProjectView>) -> AppResult<()> {
    context.out.result(projects, || {
        if projects.is_empty() {
            return "there is no project yet; add one with 'atelier projects add NAME --finder finder.yml'".to_owned();
        }
        let cells = |project: &ProjectView| {
            let topics = project.topics.iter().map(|topic| excerpt(topic, 24)).collect::<Vec<_>>().join(", ");
            vec![project.project.clone(), moment(project.updated_at), excerpt(&topics, 60)]
        };
        let cells: Vec<Vec<String>> = projects.iter().map(cells).collect();
        table(&["project", "updated", "topics"], &[false; 3], &cells)
    })
}
