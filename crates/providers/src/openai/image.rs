//! Requests for images, and their answers, in OpenAI's format.

use atelier_engine::{Fault, FaultKind, ImageData, ImageRequest, Usage};
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};

use crate::drawn::{ImageAnswer, Picture};
use crate::http::HttpAnswer;
use crate::wire::{self, billed, count, encode, or_absent, or_default, without_images, word};

use super::answer::WIRE_FORMAT;
use super::limits;

/// The sizes that the models before gpt-image-2 make, in pixels.
const FIXED: [(u32, u32); 3] = [(1024, 1024), (1536, 1024), (1024, 1536)];
/// From gpt-image-2 on, sides are multiples of 16 up to 3840, and one is at most three times the other.
const STEP: u32 = 16;
const LONGEST: u32 = 3840;
const WIDEST: f64 = 3.0;
/// The pictures that are asked for: without loss, and with transparency.
const FORMAT: &str = "png";

#[derive(Serialize)]
struct OpenAiImageRequest<'a> {
    model: &'a str,
    prompt: &'a str,
    n: u32,
    size: String,
    output_format: &'static str,
}

/// The body of an `images/generations` call.
pub(super) fn generation(model: &str, request: &ImageRequest) -> Result<Vec<u8>, Fault> {
    let size = size(model, request.width, request.height);
    encode(&OpenAiImageRequest { model, prompt: &request.prompt, n: 1, size, output_format: FORMAT })
}

/// The form of an `images/edits` call and its content type: the prompt, the images in order, and the mask.
pub(super) fn edit(model: &str, request: &ImageRequest) -> Result<(HeaderValue, Vec<u8>), Fault> {
    let mut form = MultipartForm::new(request);
    form.field("model", model);
    form.field("prompt", &request.prompt);
    form.field("n", "1");
    form.field("size", &size(model, request.width, request.height));
    form.field("output_format", FORMAT);
    for (number, image) in request.images.iter().enumerate() {
        form.file("image[]", &format!("image-{}", number + 1), image);
    }
    if let Some(mask) = &request.mask {
        form.file("mask", "mask", mask);
    }
    form.end()
}

/// The nearest size that the model makes.
fn size(model: &str, width: u32, height: u32) -> String {
    let (width, height) = if model.starts_with("gpt-image-1") || model.starts_with("dall-e") {
        let shape = f64::from(width.max(1)) / f64::from(height.max(1));
        let far = |size: &&(u32, u32)| (f64::from(size.0) / f64::from(size.1) / shape).ln().abs();
        FIXED.iter().min_by(|a, b| far(a).total_cmp(&far(b))).copied().unwrap_or(FIXED[0])
    } else {
        let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
        let scale = (f64::from(LONGEST) / width.max(height)).min(1.0);
        let (width, height) = (width * scale, height * scale);
        // A side that is too short for the other is raised, so that nothing of what was asked for is lost.
        let side = |side: f64, other: f64| {
            let steps = (side.max(other / WIDEST) / f64::from(STEP)).ceil().max(1.0);
            (steps as u32 * STEP).min(LONGEST)
        };
        let exact = |side: f64| (side / f64::from(STEP)).round().max(1.0) * f64::from(STEP);
        (side(exact(width), height), side(exact(height), width))
    };
    format!("{width}x{height}")
}

/// A `multipart/form-data` body (RFC 7578), as bytes, which is what both HTTP clients send.
struct MultipartForm {
    boundary: String,
    body: Vec<u8>,
}

impl MultipartForm {
    /// An empty form. Its boundary is a hash of the whole request, so that it stands nowhere in it and the same
    /// request has the same bytes.
    fn new(request: &ImageRequest) -> Self {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        request.prompt.hash(&mut hasher);
        request.images.iter().chain(&request.mask).for_each(|image| image.bytes.hash(&mut hasher));
        Self { boundary: format!("atelier-{:016x}", hasher.finish()), body: Vec::new() }
    }

    fn field(&mut self, name: &str, value: &str) {
        let head = format!("--{}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n", self.boundary);
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(value.as_bytes());
        self.body.extend_from_slice(b"\r\n");
    }

    fn file(&mut self, name: &str, file: &str, image: &ImageData) {
        let end = image.mime.rsplit('/').next().unwrap_or("png");
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}.{end}\"\r\n\
             Content-Type: {}\r\n\r\n",
            self.boundary, image.mime
        );
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(&image.bytes);
        self.body.extend_from_slice(b"\r\n");
    }

    fn end(mut self) -> Result<(HeaderValue, Vec<u8>), Fault> {
        self.body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        let kind = HeaderValue::from_str(&format!("multipart/form-data; boundary={}", self.boundary));
        Ok((kind.map_err(|_| wire::bad("the form can't be sent"))?, self.body))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Images {
    #[serde(deserialize_with = "or_default")]
    data: Vec<OpenAiImage>,
    #[serde(deserialize_with = "or_absent")]
    usage: ImageUsage,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OpenAiImage {
    #[serde(deserialize_with = "word")]
    b64_json: Option<String>,
    #[serde(deserialize_with = "word")]
    url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ImageUsage {
    #[serde(deserialize_with = "count")]
    input_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    output_tokens: Option<u64>,
    #[serde(deserialize_with = "or_absent")]
    input_tokens_details: InputDetails,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    #[serde(deserialize_with = "count")]
    image_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    cached_tokens: Option<u64>,
}

impl ImageUsage {
    /// What an image model answers with are tokens of images.
    fn of(&self, images: u64) -> Usage {
        let usage = Usage {
            image_input_tokens: self.input_tokens_details.image_tokens,
            cached_tokens: self.input_tokens_details.cached_tokens.filter(|cached| *cached > 0),
            image_output_tokens: self.output_tokens,
            ..Usage::of_tokens(self.input_tokens, self.output_tokens)
        };
        if images == 0 { without_images(usage) } else { Usage { images: Some(images), ..usage } }
    }
}

/// Reads an answer of `images/generations` or `images/edits`.
pub(super) fn answer(answer: &HttpAnswer) -> Result<ImageAnswer, Fault> {
    let unread = |fault| billed(fault, WIRE_FORMAT.usage::<ImageUsage>(answer).of(0));
    let is_plain = |images: &Images| images.data.iter().any(|image| image.b64_json.is_some());
    let images: Images = WIRE_FORMAT.read(answer, is_plain).map_err(unread)?;
    // The wire does not say the type of an image: its bytes do.
    let found = images.data.into_iter().find_map(|image| Picture::of("", image.b64_json, image.url));
    let Some(picture) = found else {
        return Err(billed(Fault::new(FaultKind::Empty, "the answer holds no image"), images.usage.of(0)));
    };
    Ok(ImageAnswer { picture, usage: images.usage.of(1), limits: limits::reported(&answer.headers) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_size_is_the_nearest_that_the_model_makes() {
        for (model, asked, expected) in [
            ("gpt-image-1", (1920, 1080), "1536x1024"),
            ("gpt-image-1-mini", (900, 1000), "1024x1024"),
            ("gpt-image-2", (1024, 1024), "1024x1024"),
            ("gpt-image-2", (1920, 1080), "1920x1088"),
            ("gpt-image-2", (7680, 4320), "3840x2160"),
            ("gpt-image-2", (3000, 100), "3008x1008"),
            ("gpt-image-2", (1, 1), "16x16"),
        ] {
            assert_eq!(size(model, asked.0, asked.1), expected, "{model} {asked:?}");
        }
    }

    #[test]
    fn an_edit_is_a_form_with_the_images_in_their_order_and_the_mask() {
        let image = |bytes: &'static [u8]| ImageData { mime: "image/png".into(), bytes: bytes.into() };
        let request = ImageRequest {
            prompt: "a \"kite\"\nover water".into(),
            images: vec![image(b"one"), image(b"two")],
            mask: Some(image(b"hole")),
            width: 1024,
            height: 1024,
            seed: None,
        };
        let (kind, body) = edit("gpt-image-2", &request).unwrap();
        let boundary = kind.to_str().unwrap().split_once("boundary=").unwrap().1.to_owned();
        let body = String::from_utf8(body).unwrap();
        let parts: Vec<&str> = body.split(&format!("--{boundary}")).collect();
        assert_eq!((parts.len(), parts[parts.len() - 1]), (10, "--\r\n"));
        let part = |place: usize| parts[place].trim_matches(['\r', '\n']).to_owned();
        assert_eq!(part(2), "Content-Disposition: form-data; name=\"prompt\"\r\n\r\na \"kite\"\nover water");
        for (place, name, file, bytes) in [
            (6, "image[]", "image-1.png", "one"),
            (7, "image[]", "image-2.png", "two"),
            (8, "mask", "mask.png", "hole"),
        ] {
            let head = format!("Content-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n");
            assert_eq!(part(place), format!("{head}Content-Type: image/png\r\n\r\n{bytes}"));
        }
    }

    fn of(body: &serde_json::Value) -> HttpAnswer {
        HttpAnswer { status: 200, body: body.to_string().into(), ..HttpAnswer::default() }
    }

    #[test]
    fn an_answer_without_an_image_is_empty_and_what_it_used_is_billed() {
        let used = json!({"input_tokens": 50, "output_tokens": 1000});
        let fault = answer(&of(&json!({"data": [], "usage": used}))).unwrap_err();
        assert_eq!((fault.kind, fault.usage.unwrap().output_tokens), (FaultKind::Empty, Some(1000)));
        // What it is, its bytes say: the wire does not.
        let drawn = answer(&of(&json!({"data": [{"b64_json": "/9j/"}], "usage": used}))).unwrap();
        assert_eq!((drawn.usage.images, drawn.usage.image_output_tokens), (Some(1), Some(1000)));
        let image = ImageData { mime: "image/jpeg".into(), bytes: vec![0xff, 0xd8, 0xff].into() };
        assert_eq!(drawn.picture, Picture::Inline(Ok(image)));
    }
}
