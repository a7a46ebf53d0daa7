//! Images of the library as documents of the index.

use std::collections::HashMap;

use atelier_embed::Vector;
use atelier_search::{Change, Document, IndexSettings, Space, rgb};
use atelier_store::{ChangeKind, Image, LibraryChange, VectorSpace};
use serde_json::Value;

use super::settings::embedder_of;
use crate::error::StudioResult;
use crate::library::Library;

/// Translates changes of the library for the index. An image that was removed since its change is removed here too.
pub(super) async fn changes(
    library: &Library,
    settings: &IndexSettings,
    changes: Vec<LibraryChange>,
) -> StudioResult<Vec<Change>> {
    let put: Vec<String> =
        changes.iter().filter(|change| change.kind == ChangeKind::Put).map(|change| change.image.clone()).collect();
    let mut vectors = HashMap::new();
    for (space, stored) in [
        (Space::Text, VectorSpace::Text),
        (Space::Look, VectorSpace::Look),
        (Space::Appearance, VectorSpace::Appearance),
    ] {
        if let Some(embedder) = embedder_of(settings, space) {
            vectors.insert(space, library.store().image_vectors(&embedder, stored, &put).await?);
        }
    }
    let images = library.store().images_with_ids(&put).await?;
    let mut images: HashMap<String, Image> = images.into_iter().map(|image| (image.id.clone(), image)).collect();
    let mut vector = |space: Space, id: &str| {
        let bytes = vectors.get_mut(&space)?.remove(id)?;
        let vector = Vector::from_bytes(&bytes);
        if let Err(error) = &vector {
            tracing::warn!(code = error.code(), image = id, "a vector of an image can't be read: {error}");
        }
        vector.ok()
    };
    let change = |LibraryChange { image: id, .. }| match images.remove(&id) {
        Some(image) => {
            let [text, look, appearance] = Space::ALL.map(|space| vector(space, &id));
            Change::Put(Box::new(Document { text, look, appearance, ..document(image) }))
        }
        None => Change::Remove(id),
    };
    Ok(changes.into_iter().map(change).collect())
}

/// An image without its vectors.
fn document(image: Image) -> Document {
    Document {
        taken_or_added_at: image.taken_at.unwrap_or(image.added_at).as_micros(),
        id: image.id,
        filename: image.filename,
        caption: image.caption.unwrap_or_default(),
        tags: image.tags,
        category: image.category,
        attributes: image.attributes.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect(),
        width: image.width,
        height: image.height,
        palette: image.palette.iter().filter_map(|color| rgb(color)).collect(),
        uploader: image.uploader,
        collections: image.collections,
        text: None,
        look: None,
        appearance: None,
    }
}

/// An attribute as text; `None` for an object, or if the text is empty.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(values) => Some(values.iter().filter_map(text).collect::<Vec<_>>().join(", ")),
        Value::Null | Value::Object(_) => None,
    }
    .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_found_by_what_it_says() {
        assert_eq!(text(&serde_json::json!(["warm", 3, null])).as_deref(), Some("warm, 3"));
        assert_eq!(text(&serde_json::json!({"a": 1})), None);
        assert_eq!(text(&serde_json::json!("")), None);
    }
}
