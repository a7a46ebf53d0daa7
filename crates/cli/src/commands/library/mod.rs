//! `atelier library`.

mod change;
mod embed;
mod export;
mod import;
mod list;

use std::path::Path;

use atelier_store::ImageFilter;
use atelier_studio::StudioError;
use atelier_studio::library::Library;
use atelier_studio::library::decode::DecodeLimits;
use bytes::Bytes;
use serde_json::json;

use crate::args::{CollectionsCommand, ImageSelection, LibraryCommand};
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::{count, thousands};
use crate::out::{excerpt, table};

/// Names that are fetched together.
const PAGE: usize = 500;

pub(super) async fn run(context: &Context, command: LibraryCommand) -> CliResult<Exit> {
    match command {
        LibraryCommand::Import(command) => import::run(context, *command).await,
        LibraryCommand::List(command) => list::list(context, command).await,
        LibraryCommand::Show { id } => list::show(context, &id).await,
        LibraryCommand::Tag(command) => change::tag(context, command).await,
        LibraryCommand::Edit(command) => change::edit(context, *command).await,
        LibraryCommand::Remove { ids } => change::remove(context, &ids).await,
        LibraryCommand::Export(command) => export::run(context, command).await,
        LibraryCommand::Collections { command } => collections(context, command).await,
        LibraryCommand::Tags => tags(context).await,
        LibraryCommand::Embed { prune, background } => embed::run(context, prune, background).await,
    }
}

/// The library in the data directory.
pub(in crate::commands) fn open(context: &Context) -> CliResult<Library> {
    Ok(Library::open(context.store()?)?)
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

async fn collections(context: &Context, command: Option<CollectionsCommand>) -> CliResult<Exit> {
    let library = open(context)?;
    match command {
        None => list_collections(context, &library).await,
        Some(CollectionsCommand::Rename { name, to }) => {
            library.rename_collection(&name, &to).await?;
            context.out.result(&json!({ "collection": to, "was": name }), || format!("{name} is {to} now"))?;
            Ok(Exit::Success)
        }
        Some(CollectionsCommand::Remove { name }) => {
            library.remove_collection(&name).await?;
            let text = || format!("{name} is removed; its images are in the library still");
            context.out.result(&json!({ "removed": name }), text)?;
            Ok(Exit::Success)
        }
    }
}

async fn all_collections(library: &Library) -> CliResult<Vec<(String, u64)>> {
    let page = |after: Option<String>| async move {
        let page = library.collections(after.as_deref(), PAGE).await?;
        Ok(page.into_iter().map(|collection| (collection.name, collection.images)).collect())
    };
    all(page).await
}

async fn list_collections(context: &Context, library: &Library) -> CliResult<Exit> {
    let all = all_collections(library).await?;
    named(context, "collections", "collection", &all, "'atelier library import PATH --collection NAME' makes one")
}

async fn tags(context: &Context) -> CliResult<Exit> {
    let library = &open(context)?;
    let page = |after: Option<String>| async move {
        let page = library.tags(after.as_deref(), PAGE).await?;
        Ok(page.into_iter().map(|tag| (tag.tag, tag.images)).collect())
    };
    named(context, "tags", "tag", &all(page).await?, "'atelier library tag ID --add TAG' gives an image one")
}

/// That there are these collections.
pub(in crate::commands) async fn check_collections(library: &Library, names: &[String]) -> CliResult<()> {
    if names.is_empty() {
        return Ok(());
    }
    let all = all_collections(library).await?;
    match names.iter().find(|name| !all.iter().any(|(known, _)| known == *name)) {
        Some(name) => Err(StudioError::NoSuchCollection(name.clone()).into()),
        None => Ok(()),
    }
}

/// A file that a user names, of a size that a picture may have.
pub(in crate::commands) fn picture_file(path: &Path) -> CliResult<Bytes> {
    let unreadable = |reason: String| {
        let message = format!("{} can't be read: {reason}", excerpt(&path.display().to_string(), 100));
        CliError::usage("source-unreadable", message)
            .hint("check that the path is right and that your user may read it")
    };
    let size = path.metadata().map_err(|error| unreadable(error.to_string()))?.len();
    if size > DecodeLimits::default().max_bytes {
        return Err(unreadable(format!("it has {} bytes", thousands(size))));
    }
    Ok(std::fs::read(path).map_err(|error| unreadable(error.to_string()))?.into())
}

/// All pages of names, each of which begins after the last name of the one before.
async fn all<F>(page: impl Fn(Option<String>) -> F) -> CliResult<Vec<(String, u64)>>
where
    F: Future<Output = CliResult<Vec<(String, u64)>>>,
{
    let mut all: Vec<(String, u64)> = Vec::new();
    loop {
        let next = page(all.last().map(|(name, _)| name.clone())).await?;
        let last = next.len() < PAGE;
        all.extend(next);
        if last {
            return Ok(all);
        }
    }
}

/// Names, and how many images each has.
fn named(context: &Context, key: &str, noun: &str, all: &[(String, u64)], hint: &str) -> CliResult<Exit> {
    let rows: Vec<_> = all.iter().map(|(name, images)| json!({ "name": name, "images": images })).collect();
    context.out.result(&json!({ key: rows }), || {
        if all.is_empty() {
            return format!("there are no {key} yet; {hint}");
        }
        let cells: Vec<_> = all.iter().map(|(name, images)| vec![name.clone(), thousands(*images)]).collect();
        table(&[noun, "images"], &[false, true], &cells)
    })?;
    Ok(Exit::Success)
}

/// `3 images`, or `1 image`.
fn images(number: u64) -> String {
    count(number, "image")
}
