//! `atelier library tag`, `edit` and `remove`.

use atelier_app::{AppError, AppResult, code};
use atelier_studio::library::ImageEdit;
use serde_json::{Map, Value, json};

use super::images;
use crate::args::{EditImages, TagImages};
use crate::context::Context;
use crate::exit::Exit;
use crate::signals;

pub(super) async fn tag(context: &Context, command: TagImages) -> AppResult<Exit> {
    let edit = ImageEdit { add_tags: command.add, remove_tags: command.remove, ..ImageEdit::default() };
    change(context, &command.ids, edit).await
}

pub(super) async fn edit(context: &Context, command: EditImages) -> AppResult<Exit> {
    for score in [command.tone_score, command.angle_score].into_iter().flatten() {
        if !(0.0..=1.0).contains(&score) {
            return Err(AppError::new(code!("image-value-invalid"), format!("a score can't be {score}"))
                .hint("give a number from 0 to 1"));
        }
    }
    let mut attributes = Map::new();
    for attribute in &command.attribute {
        let (name, value) = attribute.split_once('=').ok_or_else(|| {
            AppError::new(code!("image-value-invalid"), format!("'{attribute}' is no attribute"))
                .hint("give NAME=VALUE")
        })?;
        if name.trim().is_empty() {
            return Err(AppError::new(code!("image-value-invalid"), format!("'{attribute}' names no attribute"))
                .hint("give NAME=VALUE"));
        }
        let value = if value.is_empty() { Value::Null } else { Value::String(value.to_owned()) };
        attributes.insert(name.trim().to_owned(), value);
    }
    let some = |text: String| Some(text).filter(|text| !text.trim().is_empty());
    let edit = ImageEdit {
        caption: command.caption.map(some),
        category: command.category.map(some),
        tone_score: command.tone_score.map(Some),
        angle_score: command.angle_score.map(Some),
        attributes,
        add_collections: command.collection,
        remove_collections: command.leave_collection,
        ..ImageEdit::default()
    };
    if edit == ImageEdit::default() {
        return Err(AppError::new(code!("nothing-to-change"), "nothing is to be changed")
            .hint("give --caption, --category, --attribute, --collection or a score"));
    }
    change(context, &command.ids, edit).await
}

async fn change(context: &Context, ids: &[String], edit: ImageEdit) -> AppResult<Exit> {
    let changed = context.app.edit_images(ids, &edit).await?;
    context.out.result(&json!({ "changed": changed }), || format!("{} changed", images(changed)))?;
    Ok(Exit::Success)
}

pub(super) async fn remove(context: &Context, ids: &[String]) -> AppResult<Exit> {
    let removed = context.app.remove_images(ids).await?;
    context.out.result(&json!({ "removed": removed }), || {
        format!("{} removed; to be restored from 'atelier trash' for 30 days", images(removed))
    })?;
    Ok(Exit::Success)
}

pub(super) async fn samples(context: &Context, remove: bool) -> AppResult<Exit> {
    if remove {
        let removed = context.app.remove_samples().await?;
        let text = || format!("{} removed; to be restored from 'atelier trash' for 30 days", images(removed));
        context.out.result(&json!({ "removed": removed }), text)?;
        return Ok(Exit::Success);
    }
    let (stop, _) = signals::listen(Some(context.out))?;
    let added = context.app.add_samples(&stop).await?;
    let text = || match added {
        0 => "the samples are in the library already".to_owned(),
        _ => format!("{} added; 'atelier search \"red boat\"' finds some", images(added)),
    };
    context.out.result(&json!({ "added": added }), text)?;
    Ok(Exit::Success)
}
