//! `atelier library tag`, `edit` and `remove`.

use atelier_studio::library::ImageEdit;
use serde_json::{Map, Value, json};

use super::{images, open};
use crate::args::{EditImages, TagImages};
use crate::context::Context;
use crate::embedders;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;

pub(super) async fn tag(context: &Context, command: TagImages) -> CliResult<Exit> {
    let edit = ImageEdit { add_tags: command.add, remove_tags: command.remove, ..ImageEdit::default() };
    change(context, &command.ids, edit).await
}

pub(super) async fn edit(context: &Context, command: EditImages) -> CliResult<Exit> {
    for score in [command.tone_score, command.angle_score].into_iter().flatten() {
        if !(0.0..=1.0).contains(&score) {
            return Err(CliError::usage("image-value-invalid", format!("a score can't be {score}"))
                .hint("give a number from 0 to 1"));
        }
    }
    let mut attributes = Map::new();
    for attribute in &command.attribute {
        let (name, value) = attribute.split_once('=').ok_or_else(|| {
            CliError::usage("image-value-invalid", format!("'{attribute}' is no attribute")).hint("give NAME=VALUE")
        })?;
        if name.trim().is_empty() {
            return Err(CliError::usage("image-value-invalid", format!("'{attribute}' names no attribute"))
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
        return Err(CliError::usage("nothing-to-change", "nothing is to be changed")
            .hint("give --caption, --category, --attribute, --collection or a score"));
    }
    change(context, &command.ids, edit).await
}

async fn change(context: &Context, ids: &[String], edit: ImageEdit) -> CliResult<Exit> {
    let library = open(context)?;
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let text = embedders::of_words(context).await?;
    let changed = library.edit_all(&ids, &edit, text.as_ref(), context.clock.now()).await?.len() as u64;
    context.out.result(&json!({ "changed": changed }), || format!("{} changed", images(changed)))?;
    Ok(Exit::Success)
}

pub(super) async fn remove(context: &Context, ids: &[String]) -> CliResult<Exit> {
    let removed = open(context)?.remove(ids).await?;
    context.out.result(&json!({ "removed": removed }), || format!("{} removed", images(removed)))?;
    Ok(Exit::Success)
}
