//! `atelier images`.

mod generate;
mod list;

use atelier_app::{AppResult, files::write_new};
use atelier_studio::generate::{Preset, Presets, extension};
use serde_json::json;

use crate::args::{ImagesCommand, PromoteImages, SaveImage};
use crate::context::Context;
use crate::exit::Exit;
use crate::money::count;

/// What is here called images.
fn images(number: u64) -> String {
    count(number, "image")
}

pub(super) async fn run(context: &Context, command: ImagesCommand) -> AppResult<Exit> {
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
            let deleted = context.app.studio()?.delete(&ids).await?;
            context.app.empty_old_trash().await?;
            context.out.result(&json!({ "deleted": deleted }), || {
                format!("{} deleted; to be restored from 'atelier trash' for 30 days", images(deleted))
            })?;
            Ok(Exit::Success)
        }
        ImagesCommand::Export(command) => list::export(context, &command).await,
        ImagesCommand::Promote(command) => promote(context, command).await,
        ImagesCommand::Presets => presets(context),
    }
}

async fn cancel(context: &Context, generation: &str) -> AppResult<Exit> {
    let cancelled = context.app.cancel_images(generation).await?;
    let json = json!({ "generation": generation, "cancelled": cancelled });
    context.out.result(&json, || format!("{} of {generation} given up", images(cancelled)))?;
    Ok(Exit::Success)
}

async fn save(context: &Context, command: &SaveImage) -> AppResult<Exit> {
    let studio = context.app.studio()?;
    let image = studio.image(&command.id).await?;
    let (extension, content) = if command.beside {
        ("png".to_owned(), studio.beside(&image).await?)
    } else {
        let (result, content) = studio.file(&image).await?;
        (extension(&result.format).to_owned(), content)
    };
    let wanted = command.file.extension().map(|wanted| wanted.to_string_lossy().to_lowercase());
    let (file, content) = match wanted {
        None => (command.file.with_extension(extension), content),
        Some(wanted) if wanted == extension || (wanted == "jpeg" && extension == "jpg") => {
            (command.file.clone(), content)
        }
        Some(wanted) => (command.file.clone(), studio.converted(&image, content, &wanted).await?),
    };
    write_new(&file, &content)?;
    context.out.result(&json!({ "image": image.id, "file": file }), || format!("{} written", file.display()))?;
    Ok(Exit::Success)
}

async fn like(context: &Context, ids: &[String], liked: bool) -> AppResult<Exit> {
    context.app.like_images(ids, liked).await?;
    let word = if liked { "liked" } else { "liked no more" };
    context.out.result(&json!({ "images": ids, "liked": liked }), || format!("{} {word}", images(ids.len() as u64)))?;
    Ok(Exit::Success)
}

async fn note(context: &Context, id: &str, text: Option<&str>) -> AppResult<Exit> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    context.app.note_image(id, text).await?;
    let said = || if text.is_some() { format!("noted on {id}") } else { format!("no note on {id} any more") };
    context.out.result(&json!({ "image": id, "note": text }), said)?;
    Ok(Exit::Success)
}

async fn promote(context: &Context, command: PromoteImages) -> AppResult<Exit> {
    let promoted = context.app.promote_images(&command.ids, &command.collection).await?;
    context.out.result(&json!({ "promoted": promoted }), || {
        let lines = promoted.iter().map(|one| format!("{} is {} in the library", one.image, one.library_image));
        lines.collect::<Vec<_>>().join("\n")
    })?;
    Ok(Exit::Success)
}

fn presets(context: &Context) -> AppResult<Exit> {
    let presets = Presets::builtin()?;
    let all = presets.all();
    context.out.result(&all, || {
        let kind = |(kind, presets): (&&str, &&[Preset])| {
            let lines = presets.iter().map(|preset| format!("  {:<18} {}", preset.name, preset.words));
            format!("--{kind}\n{}", lines.collect::<Vec<_>>().join("\n"))
        };
        all.iter().map(kind).collect::<Vec<_>>().join("\n\n")
    })?;
    Ok(Exit::Success)
}
