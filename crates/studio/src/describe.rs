//! Describing images by a model that sees: what is asked, what counts as an answer, and what becomes of it.

use std::collections::HashMap;
use std::sync::Arc;

use atelier_embed::TextEmbedder;
use atelier_engine::{
    Content, ImageData, Item, ItemFault, Outcome, Reply, Request, Task, TextRequest, Timestamp, Verdict,
};
use atelier_store::NewItem;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::{StudioError, StudioResult};
use crate::library::{ImageEdit, Library};

/// The lane of these items: a library has one owner of its quota.
const LANE: &str = "describing";
/// The most tags that are kept of an answer.
const MOST_TAGS: usize = 12;

/// What is asked of every image.
const PROMPT: &str = "Describe this picture for somebody who searches for it. Say in one sentence what is to be seen, and \
     give up to twelve tags: things, places, actions, mood. Answer in English.";

/// An item: the image that is to be described.
#[derive(Debug, Serialize, Deserialize)]
struct ImageToDescribe {
    image: String,
}

/// A description, as a model gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageDescription {
    /// What is to be seen, in one sentence.
    pub caption: String,
    /// What it can be found by.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// Asks a model that sees for the description of an image.
#[derive(Clone, Debug)]
pub struct DescribeTask {
    /// The pictures, by the ids of their images.
    pub pictures: Arc<HashMap<String, ImageData>>,
}

/// The item that asks for an image.
#[must_use]
pub fn item(image: &str) -> NewItem {
    let payload = json!({ "image": image }).to_string();
    NewItem { key: image.to_owned(), lane: LANE.into(), payload: payload.into() }
}

impl Task for DescribeTask {
    fn compose(&self, items: &[Item]) -> Result<Request, ItemFault> {
        let fault = |code, message: String| ItemFault { index: 0, code, message };
        let item = items.first().ok_or_else(|| fault("item-unreadable", "there is no image".into()))?;
        let ask: ImageToDescribe =
            serde_json::from_str(&item.payload).map_err(|error| fault("item-unreadable", error.to_string()))?;
        let gone = || fault("image-gone", format!("the image {} is not in the library any more", ask.image));
        let picture = self.pictures.get(&ask.image).cloned().ok_or_else(gone)?;
        Ok(Request::Text(TextRequest {
            prompt: PROMPT.to_owned(),
            images: vec![picture],
            schema: Some(json!({
                "type": "object",
                "properties": {
                    "caption": { "type": "string" },
                    "tags": { "type": "array", "items": { "type": "string" }, "maxItems": MOST_TAGS },
                },
                "required": ["caption", "tags"],
                "additionalProperties": false,
            })),
            temperature: Some(0.2),
            max_output_tokens: Some(2_048),
            ..TextRequest::default()
        }))
    }

    fn parse(&self, reply: &Reply, items: &[Item]) -> Vec<Outcome> {
        let (Content::Text(text), Some(item)) = (&reply.content, items.first()) else { return Vec::new() };
        // Models wrap JSON in fences and words.
        let json = text.find('{').zip(text.rfind('}')).and_then(|(from, until)| text.get(from..=until));
        let answer: Option<ImageDescription> = json.and_then(|json| serde_json::from_str(json).ok());
        let usable = answer.filter(|answer| !answer.caption.trim().is_empty());
        let result = usable.and_then(|answer| serde_json::to_string(&answer).ok());
        result
            .map(|result| Outcome { seq: item.seq, verdict: Verdict::Done { result: result.into() } })
            .into_iter()
            .collect()
    }

    fn name(&self) -> &'static str {
        "describing"
    }

    fn output_tokens_per_item(&self) -> u64 {
        120
    }
}

impl Library {
    /// The pictures of these images as a model is shown them; of those that can't be read, nothing.
    ///
    /// # Errors
    /// What the store and the objects report.
    pub async fn pictures_to_describe(&self, images: &[String]) -> StudioResult<HashMap<String, ImageData>> {
        let mut pictures = HashMap::with_capacity(images.len());
        for image in self.store().images_with_ids(images).await? {
            let thumbnail = self.thumbnail(&image, atelier_store::objects::ThumbnailSize::Large).await;
            let bytes: Bytes = match thumbnail {
                Ok(bytes) => bytes,
                Err(StudioError::NoSuchImage(_)) => continue,
                Err(error) => return Err(error),
            };
            pictures.insert(image.id, ImageData { mime: "image/webp".into(), bytes });
        }
        Ok(pictures)
    }

    /// Keeps a description with its image: the caption where nobody wrote one, and the tags beside those it has. Keeping
    /// it again changes nothing; an image that is gone is passed over.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn describe(
        &self,
        image: &str,
        description: &ImageDescription,
        text: Option<&Arc<dyn TextEmbedder>>,
        now: Timestamp,
    ) -> StudioResult<()> {
        let Some(there) = self.store().image(image).await? else { return Ok(()) };
        let written = there.caption.as_deref().is_some_and(|caption| !caption.trim().is_empty());
        // A model says what it likes: of that, what can't be a tag is left out, and the rest is kept.
        let tags = description.tags.iter().map(|tag| one_line(&tag.to_lowercase()));
        let usable = |tag: &String| {
            let edit = ImageEdit { add_tags: vec![tag.clone()], ..ImageEdit::default() };
            !tag.is_empty() && edit.check().is_ok()
        };
        let missing = tags.filter(usable).take(MOST_TAGS).filter(|tag| !there.tags.contains(tag));
        let edit = ImageEdit {
            caption: (!written).then(|| Some(one_line(&description.caption))),
            add_tags: missing.collect(),
            ..ImageEdit::default()
        };
        if edit != ImageEdit::default() {
            self.edit_all(&[image.to_owned()], &edit, text, now).await?;
        }
        Ok(())
    }
}

/// A text on one line, its spaces single.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use atelier_engine::{Ending, Usage};

    use super::*;

    fn described(text: &str) -> Option<ImageDescription> {
        let items = [Item { seq: 0, lane: LANE.into(), payload: item("a").payload }];
        let (ending, usage) = (Ending::Complete, Usage::default());
        let reply = Reply { content: Content::Text(text.into()), ending, usage, limits: Vec::new() };
        let outcomes = DescribeTask { pictures: Arc::default() }.parse(&reply, &items);
        let Verdict::Done { result } = outcomes.first()?.verdict.clone() else { panic!() };
        serde_json::from_str(&result).ok()
    }

    #[test]
    fn a_description_is_read_out_of_what_a_model_wraps_it_in() {
        let read = described("Sure:\n```json\n{\"caption\": \"A red kite\", \"tags\": [\"kite\"]}\n```").unwrap();
        assert_eq!((read.caption.as_str(), read.tags.len()), ("A red kite", 1));
        for wrong in ["{\"caption\": \" \"}", "a red kite", "}{"] {
            assert_eq!(described(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_image_that_is_gone_is_named_and_nothing_is_sent() {
        let items = [Item { seq: 0, lane: LANE.into(), payload: item("kite").payload }];
        let fault = DescribeTask { pictures: Arc::default() }.compose(&items).unwrap_err();
        assert_eq!((fault.code, fault.message.contains("kite")), ("image-gone", true));
    }
}
