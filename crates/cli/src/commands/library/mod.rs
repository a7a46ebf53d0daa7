//! `atelier library`.

mod change;
mod duplicates;
mod embed;
mod export;
mod import;
mod list;

use atelier_app::views::NamedCountView;
use atelier_app::{AppResult, RunSettings};
use atelier_store::ImageFilter;
use serde_json::json;

use super::work::Work;
use crate::args::{CollectionsCommand, DescribeImages, ImageSelection, LibraryCommand};
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, thousands};
use crate::out::table;

pub(super) use embed::in_background;

pub(super) async fn run(context: &Context, command: LibraryCommand) -> AppResult<Exit> {
    match command {
        LibraryCommand::Import(command) => import::run(context, *command).await,
        LibraryCommand::List(command) => list::list(context, command).await,
        LibraryCommand::Show { id } => list::show(context, &id).await,
        LibraryCommand::Tag(command) => change::tag(context, command).await,
        LibraryCommand::Edit(command) => change::edit(context, *command).await,
        LibraryCommand::Describe(command) => describe(context, *command).await,
        LibraryCommand::Remove { ids } => change::remove(context, &ids).await,
        LibraryCommand::Duplicates { keep_largest, keep_both } => {
            duplicates::run(context, &keep_largest, &keep_both).await
        }
        LibraryCommand::Export(command) => export::run(context, command).await,
        LibraryCommand::Collections { command } => collections(context, command).await,
        LibraryCommand::Tags => {
            let hint = "'atelier library tag ID --add TAG' gives an image one";
            named(context, "tags", "tag", &context.app.tags().await?, hint)
        }
        LibraryCommand::Samples { remove } => change::samples(context, remove).await,
        LibraryCommand::Embed { prune, background } => embed::run(context, prune, background).await,
    }
}

fn filter(selection: &ImageSelection) -> ImageFilter {
    ImageFilter {
        tags: selection.tag.clone(),
        collections: selection.collection.clone(),
        category: selection.category.clone(),
        format: selection.format.as_ref().map(|format| format.to_lowercase()),
        uploader: selection.uploader.clone(),
        ..ImageFilter::default()
    }
}

async fn describe(context: &Context, command: DescribeImages) -> AppResult<Exit> {
    let change = command.run.change();
    let model = context.app.describing_model(change.model.as_deref())?;
    let job = context.app.submit_describing(&command.ids, RunSettings::new(&model, &change)).await?;
    context.out.note(format!("job {job}"));
    Work::new(context, Default::default())?.run(&job).await
}

async fn collections(context: &Context, command: Option<CollectionsCommand>) -> AppResult<Exit> {
    match command {
        None => {
            let hint = "'atelier library import PATH --collection NAME' makes one";
            named(context, "collections", "collection", &context.app.collections().await?, hint)
        }
        Some(CollectionsCommand::Rename { name, to }) => {
            context.app.library()?.rename_collection(&name, &to).await?;
            context.out.result(&json!({ "collection": to, "was": name }), || format!("{name} is {to} now"))?;
            Ok(Exit::Success)
        }
        Some(CollectionsCommand::Remove { name }) => {
            context.app.library()?.remove_collection(&name).await?;
            let text = || {
                format!(
                    "{name} is removed; its images are in the library still, and 'atelier trash' has it for 30 days"
                )
            };
            context.out.result(&json!({ "removed": name }), text)?;
            Ok(Exit::Success)
        }
    }
}

/// Names, and how many images each has.
fn named(context: &Context, key: &str, noun: &str, all: &[NamedCountView], hint: &str) -> AppResult<Exit> {
    context.out.result(&json!({ key: all }), || {
        if all.is_empty() {
            return format!("there are no {key} yet; {hint}");
        }
        let cells: Vec<_> = all.iter().map(|one| vec![one.name.clone(), thousands(one.images)]).collect();
        table(&[noun, "images"], &[false, true], &cells)
    })?;
    Ok(Exit::Success)
}

/// `3 images`, or `1 image`.
fn images(number: u64) -> String {
    count(number, "image")
}
