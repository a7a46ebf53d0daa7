//! `atelier images`.

mod generate;
mod list;
mod make;
mod wish;

use atelier_studio::StudioError;
use atelier_studio::generate::{ImageStudio, Presets};
use serde_json::json;

use crate::args::{ImagesCommand, PromoteImages, SaveImage};
use crate::context::Context;
use crate::embedders;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::money::count;

/// What is here called images.
fn images(number: u64) -> String {
    count(number, "image")
}

pub(super) async fn run(context: &Context, command: ImagesCommand) -> CliResult<Exit> {
    match command {
        ImagesCommand::Generate(command) => generate::run(context, *command).await,
        ImagesCommand::Preview(command) => generate::preview(context, *command).await,
        ImagesCommand::Edit(command) => generate::edit(context, *command).await,
        ImagesCommand::Again(command) => generate::again(context, command).await,
        ImagesCommand::Resume(command) => generate::resume(context, command).await,
        ImagesCommand::Retry(command) => generate::retry(context, command).await,
        ImagesCommand::Cancel { generation } => cancel(context, &generation).await,
        ImagesCommand::List(command) => list::run(context, &command).await,
        ImagesCommand::Show { id } => list::show(context, &id).await,
        ImagesCommand::Save(command) => save(context, &command).await,
        ImagesCommand::Like { ids, undo } => like(context, &ids, !undo).await,
        ImagesCommand::Note { id, text } => note(context, &id, text.as_deref()).await,
        ImagesCommand::Delete { ids } => {
            let deleted = open(context)?.delete(&ids).await?;
            context.out.result(&json!({ "deleted": deleted }), || format!("{} deleted", images(deleted)))?;
            Ok(Exit::Success)
        }
        ImagesCommand::Export(command) => list::export(context, &command).await,
        ImagesCommand::Promote(command) => promote(context, command).await,
        ImagesCommand::Presets => presets(context),
    }
}

/// The studio.
fn open(context: &Context) -> CliResult<ImageStudio> {
    Ok(ImageStudio::new(super::library::open(context)?, context.clock))
}

async fn cancel(context: &Context, generation: &str) -> CliResult<Exit> {
    let cancelled = open(context)?.cancel(generation).await?;
    let json = json!({ "generation": generation, "cancelled": cancelled });
    context.out.result(&json, || format!("{} of {generation} given up", images(cancelled)))?;
    Ok(Exit::Success)
}

async fn save(context: &Context, command: &SaveImage) -> CliResult<Exit> {
    let studio = open(context)?;
    let image = studio.image(&command.id).await?;
    let (extension, content) = if command.beside {
        ("png".to_owned(), studio.beside(&image).await?)
    } else {
        let (result, content) = studio.file(&image).await?;
        (atelier_studio::generate::extension(&result.format).to_owned(), content)
    };
    let file = match command.file.extension() {
        Some(_) => command.file.clone(),
        None => command.file.with_extension(extension),
    };
    make::write_new(&file, &content)?;
    context.out.result(&json!({ "image": image.id, "file": file }), || format!("{} written", file.display()))?;
    Ok(Exit::Success)
}

async fn like(context: &Context, ids: &[String], liked: bool) -> CliResult<Exit> {
    let studio = open(context)?;
    for id in ids {
        studio.image(id).await?;
    }
    for id in ids {
        studio.store().like_made(id, liked).await?;
    }
    let word = if liked { "liked" } else { "liked no more" };
    context.out.result(&json!({ "images": ids, "liked": liked }), || format!("{} {word}", images(ids.len() as u64)))?;
    Ok(Exit::Success)
}

async fn note(context: &Context, id: &str, text: Option<&str>) -> CliResult<Exit> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if !open(context)?.store().note_made(id, text).await? {
        return Err(StudioError::NoSuchMade(id.to_owned()).into());
    }
    let said = || if text.is_some() { format!("noted on {id}") } else { format!("no note on {id} any more") };
    context.out.result(&json!({ "image": id, "note": text }), said)?;
    Ok(Exit::Success)
}

async fn promote(context: &Context, command: PromoteImages) -> CliResult<Exit> {
    let studio = open(context)?;
    let mut made = Vec::with_capacity(command.ids.len());
    for id in &command.ids {
        made.push(studio.image(id).await?);
    }
    let connected = embedders::of_images(context, studio.store(), &atelier_engine::Stop::never()).await?;
    let search = atelier_studio::search::ImageSearch::new(studio.library().clone(), connected.embedders.clone());
    let mut promoted = Vec::with_capacity(made.len());
    for image in &made {
        let id = studio.promote(image, &command.collection, connected.embedders.clone(), &search).await?;
        promoted.push(json!({ "image": image.id, "library_image": id }));
    }
    let json = json!({ "promoted": promoted });
    context.out.result(&json, || {
        let line = |entry: &serde_json::Value| {
            format!("{} is {} in the library", text(&entry["image"]), text(&entry["library_image"]))
        };
        promoted.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Exit::Success)
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn presets(context: &Context) -> CliResult<Exit> {
    let presets = Presets::builtin()?;
    let all = presets.all();
    let json: serde_json::Map<String, serde_json::Value> = all
        .iter()
        .map(|(kind, presets)| {
            let list = presets.iter().map(|preset| json!({ "name": preset.name, "words": preset.words }));
            ((*kind).to_owned(), list.collect())
        })
        .collect();
    context.out.result(&json, || {
        let kind = |(kind, presets): (&&str, &&[atelier_studio::generate::Preset])| {
            let lines = presets.iter().map(|preset| format!("  {:<18} {}", preset.name, preset.words));
            format!("--{kind}\n{}", lines.collect::<Vec<_>>().join("\n"))
        };
        all.iter().map(kind).collect::<Vec<_>>().join("\n\n")
    })?;
    Ok(Exit::Success)
}

/// An error of the command line.
fn usage(code: &'static str, message: impl Into<String>, hint: &str) -> CliError {
    CliError::usage(code, message).hint(hint)
}
