//! Requests for images, and their answers, in Gemini's format.

use atelier_engine::{Fault, FaultKind, ImageRequest, Usage};
use serde::{Deserialize, Serialize};

use crate::drawn::{ImageAnswer, Picture};
use crate::http::HttpAnswer;
use crate::wire::{bad, billed, encode, flag, or_default, without_images, word};

use super::answer::{GeminiCandidate, GeminiGeneration, UsageMetadata, decode, judge};
use super::request::{GeminiPart, inline};

/// The shapes that every image model makes, as width to height.
const ASPECTS: [(&str, f64); 10] = [
    ("1:1", 1.0),
    ("2:3", 2.0 / 3.0),
    ("3:2", 3.0 / 2.0),
    ("3:4", 3.0 / 4.0),
    ("4:3", 4.0 / 3.0),
    ("4:5", 4.0 / 5.0),
    ("5:4", 5.0 / 4.0),
    ("9:16", 9.0 / 16.0),
    ("16:9", 16.0 / 9.0),
    ("21:9", 21.0 / 9.0),
];

/// The sizes, by about how many pixels a square one has on a side. The smallest is every model's own, and goes
/// without saying.
const SIZES: [(&str, f64); 3] = [("1K", 1024.0), ("2K", 2048.0), ("4K", 4096.0)];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiImageRequest<'a> {
    contents: [Contents<'a>; 1],
    generation_config: GeminiImageGenerationConfig,
}

#[derive(Serialize)]
struct Contents<'a> {
    role: &'static str,
    parts: Vec<GeminiPart<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiImageGenerationConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    response_modalities: [&'static str; 2],
    image_config: GeminiImageConfig,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiImageConfig {
    aspect_ratio: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_size: Option<&'static str>,
}

/// The body of a `generateContent` call for an image: the prompt, and after it the images in order.
pub(super) fn request(request: &ImageRequest) -> Result<Vec<u8>, Fault> {
    if request.mask.is_some() {
        return Err(bad("Gemini takes no mask: send it as one of the images and say in the prompt what it is"));
    }
    let (aspect_ratio, size) = nearest(request.width, request.height);
    let images = request.images.iter().map(|image| GeminiPart::InlineData(inline(image)));
    let body = GeminiImageRequest {
        contents: [Contents {
            role: "user",
            parts: std::iter::once(GeminiPart::Text(&request.prompt)).chain(images).collect(),
        }],
        generation_config: GeminiImageGenerationConfig {
            seed: request.seed,
            response_modalities: ["TEXT", "IMAGE"],
            image_config: GeminiImageConfig { aspect_ratio, image_size: (size != SIZES[0].0).then_some(size) },
        },
    };
    encode(&body)
}

/// The shape and the size that are nearest to so many pixels. Shapes are compared by how many times one is as
/// wide as the other, and sizes by their area.
fn nearest(width: u32, height: u32) -> (&'static str, &'static str) {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let by = |options: &[(&'static str, f64)], wanted: f64| {
        let far = |option: &&(&str, f64)| (option.1 / wanted).ln().abs();
        options.iter().min_by(|a, b| far(a).total_cmp(&far(b))).map_or("1:1", |option| option.0)
    };
    (by(&ASPECTS, width / height), by(&SIZES, (width * height).sqrt()))
}

/// The same answer with the data of its images, which [`GeminiGeneration`] passes over.
#[derive(Default, Deserialize)]
#[serde(default)]
struct DrawnAnswer {
    #[serde(deserialize_with = "or_default")]
    candidates: Vec<DrawnCandidate>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DrawnCandidate {
    #[serde(deserialize_with = "or_default")]
    content: DrawnContent,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DrawnContent {
    #[serde(deserialize_with = "or_default")]
    parts: Vec<DrawnPart>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DrawnPart {
    #[serde(deserialize_with = "flag")]
    thought: bool,
    #[serde(deserialize_with = "or_default")]
    inline_data: Option<Blob>,
    #[serde(deserialize_with = "or_default")]
    file_data: Option<Blob>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Blob {
    #[serde(deserialize_with = "or_default")]
    mime_type: String,
    #[serde(deserialize_with = "word")]
    data: Option<String>,
    #[serde(deserialize_with = "word")]
    file_uri: Option<String>,
}

/// An answer to a request for an image: the first that is no thought.
pub(super) fn answer(answer: &HttpAnswer) -> Result<ImageAnswer, Fault> {
    let unread = |usage: &UsageMetadata| without_images(usage.of_text());
    let generated: GeminiGeneration = decode(answer, GeminiGeneration::is_plain, unread)?;
    let used = generated.usage();
    let judged = judge(&generated).map_err(|fault| Fault { usage: fault.usage.map(without_images), ..fault });
    let (candidate, _) = judged?;
    let holds_one = |drawn: &DrawnAnswer| drawn.pictures().next().is_some();
    let drawn: DrawnAnswer = decode(answer, holds_one, unread)?;
    let Some(picture) = drawn.into_picture() else { return Err(billed(words(candidate), without_images(used))) };
    Ok(ImageAnswer { picture, usage: Usage { images: Some(1), ..used }, limits: Vec::new() })
}

impl DrawnAnswer {
    fn pictures(&self) -> impl Iterator<Item = &DrawnPart> {
        let parts = self.candidates.iter().flat_map(|candidate| &candidate.content.parts);
        parts.filter(|part| !part.thought && (part.inline_data.is_some() || part.file_data.is_some()))
    }

    fn into_picture(self) -> Option<Picture> {
        let parts = self.candidates.into_iter().flat_map(|candidate| candidate.content.parts);
        let blobs = parts.filter(|part| !part.thought).filter_map(|part| part.inline_data.or(part.file_data));
        blobs.filter_map(|blob| Picture::of(&blob.mime_type, blob.data, blob.file_uri)).next()
    }
}

/// The fault for an answer without an image: words came in its place, or nothing did.
fn words(candidate: &GeminiCandidate) -> Fault {
    if candidate.text().trim().is_empty() {
        Fault::new(FaultKind::Empty, "the answer holds no image")
    } else {
        Fault::new(FaultKind::WordsInstead, "the model answered with words in place of an image")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use atelier_engine::ImageData;
    use serde_json::{Value, json};

    use super::*;

    fn asked(width: u32, height: u32) -> ImageRequest {
        ImageRequest { prompt: "a kite".into(), width, height, ..ImageRequest::default() }
    }

    #[test]
    fn the_prompt_comes_first_and_the_images_in_their_order() {
        let image = |byte: u8| ImageData { mime: "image/png".into(), bytes: vec![byte].into() };
        let sent = ImageRequest { images: vec![image(0), image(255)], seed: Some(7), ..asked(1024, 1024) };
        let body: Value = serde_json::from_slice(&request(&sent).unwrap()).unwrap();
        let inline = |data: &str| json!({"inlineData": {"mimeType": "image/png", "data": data}});
        assert_eq!(body["contents"][0]["parts"], json!([{"text": "a kite"}, inline("AA=="), inline("/w==")]));
        let config = json!({"seed": 7, "responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "1:1"}});
        assert_eq!(body["generationConfig"], config);
    }

    #[test]
    fn a_size_is_the_nearest_that_there_is() {
        for (size, expected) in [
            ((1024, 1024), ("1:1", "1K")),
            ((1500, 1000), ("3:2", "1K")),
            ((1000, 1500), ("2:3", "1K")),
            ((1920, 1080), ("16:9", "1K")),
            ((3840, 2160), ("16:9", "2K")),
            ((4096, 4096), ("1:1", "4K")),
            ((5000, 1000), ("21:9", "2K")),
            ((1, 4000), ("9:16", "1K")),
        ] {
            assert_eq!(nearest(size.0, size.1), expected, "{size:?}");
        }
    }

    #[test]
    fn a_mask_is_no_word_of_this_wire() {
        let mask = ImageData { mime: "image/png".into(), bytes: Vec::new().into() };
        assert_eq!(request(&ImageRequest { mask: Some(mask), ..asked(1, 1) }).unwrap_err().kind, FaultKind::BadRequest);
    }

    fn answered(parts: &Value) -> Result<(ImageData, Usage), Fault> {
        let body = json!({
            "candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 1290},
        });
        let drawn = answer(&HttpAnswer { status: 200, body: body.to_string().into(), ..HttpAnswer::default() })?;
        match drawn.picture {
            Picture::Inline(image) => Ok((image.map_err(|fault| billed(fault, drawn.usage))?, drawn.usage)),
            Picture::At(address) => panic!("{address}"),
        }
    }

    #[test]
    fn the_image_of_an_answer_is_found_behind_words_and_thoughts() {
        let (drawn, usage) = answered(&json!([
            {"text": "Let me think", "thought": true},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thought": true},
            {"text": "Here it is:"},
            {"inlineData": {"mimeType": "image/png", "data": "/w=="}},
        ]))
        .unwrap();
        let image = ImageData { mime: "image/png".into(), bytes: vec![255].into() };
        assert_eq!((drawn, usage.images), (image, Some(1)));
    }

    #[test]
    fn no_image_words_instead_and_damage_are_told_apart_and_billed() {
        for (parts, kind) in [
            (json!([]), FaultKind::Empty),
            (json!([{"text": "I can't draw that."}]), FaultKind::WordsInstead),
            (json!([{"inlineData": {"mimeType": "image/png", "data": "%%"}}]), FaultKind::Unreadable),
        ] {
            let fault = answered(&parts).unwrap_err();
            assert_eq!(fault.kind, kind, "{parts}");
            assert_eq!(fault.usage.unwrap().output_tokens, Some(1290), "{parts}");
        }
    }
}
