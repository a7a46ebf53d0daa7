//! OpenAI's requests for pictures, as JSON and as a form.

use bytes::Bytes;
use futures_util::stream;
use multer::Multipart;
use serde::Deserialize;

use crate::picture::Seen;

use super::problem::OpenAiProblem;

/// The most pictures that are sent with an edit.
const PICTURES: usize = 16;
/// Sides are multiples of this, from this on up to the longest, and one is at most three times the other.
const STEP: u32 = 16;
const LONGEST: u32 = 3840;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ImagesRequest {
    pub(super) model: String,
    pub(super) prompt: String,
    n: Option<u64>,
    size: Option<String>,
    output_format: Option<String>,
    #[serde(skip)]
    pub(super) files: Vec<Bytes>,
    #[serde(skip)]
    pub(super) mask: Option<Bytes>,
}

impl ImagesRequest {
    /// A form, whose boundary the content type names.
    pub(super) async fn of_form(content_type: &str, body: &Bytes) -> Result<Self, OpenAiProblem> {
        let unreadable = |error: multer::Error| OpenAiProblem::unnamed(format!("We could not read the form: {error}."));
        let boundary = multer::parse_boundary(content_type).map_err(unreadable)?;
        let body = body.clone();
        let mut form = Multipart::new(stream::once(async { Ok::<_, multer::Error>(body) }), boundary);
        let mut request = Self::default();
        while let Some(field) = form.next_field().await.map_err(unreadable)? {
            let name = field.name().unwrap_or_default().to_owned();
            match name.as_str() {
                "image" | "image[]" => request.files.push(field.bytes().await.map_err(unreadable)?),
                "mask" => request.mask = Some(field.bytes().await.map_err(unreadable)?),
                _ => {
                    let value = field.text().await.map_err(unreadable)?;
                    match name.as_str() {
                        "model" => request.model = value,
                        "prompt" => request.prompt = value,
                        "size" => request.size = Some(value),
                        "output_format" => request.output_format = Some(value),
                        "n" => {
                            let count = value.parse().map_err(|_| OpenAiProblem::invalid("n", "n is not a number"));
                            request.n = Some(count?);
                        }
                        _ => {}
                    }
                }
            }
        }
        match request.files.len() {
            0 => Err(OpenAiProblem::invalid("image", "Missing required parameter: 'image'.")),
            count if count > PICTURES => {
                Err(OpenAiProblem::invalid("image", format!("At most {PICTURES} images are allowed.")))
            }
            _ => Ok(request),
        }
    }

    /// The sides of the picture that is asked for.
    pub(super) fn check(&self) -> Result<(u32, u32), OpenAiProblem> {
        if self.prompt.is_empty() {
            return Err(OpenAiProblem::invalid("prompt", "Missing required parameter: 'prompt'."));
        }
        if !matches!(self.n, None | Some(1)) {
            return Err(OpenAiProblem::invalid("n", "The sandbox makes one picture a call: leave n out."));
        }
        if !matches!(self.output_format.as_deref(), None | Some("png")) {
            return Err(OpenAiProblem::invalid("output_format", "The sandbox makes PNG alone."));
        }
        let text = self.size.as_deref().unwrap_or("auto");
        if text == "auto" {
            return Ok((1024, 1024));
        }
        let invalid = || {
            let rule = "sides are multiples of 16, at most 3840, and one is at most three times the other";
            OpenAiProblem::invalid("size", format!("Invalid value: '{text}': {rule}."))
        };
        let (width, height) = text.split_once('x').ok_or_else(invalid)?;
        let (width, height): (u32, u32) =
            (width.parse().map_err(|_| invalid())?, height.parse().map_err(|_| invalid())?);
        let sides = [width, height];
        let known = sides.iter().all(|side| side.is_multiple_of(STEP) && (STEP..=LONGEST).contains(side));
        if known && width <= height * 3 && height <= width * 3 { Ok((width, height)) } else { Err(invalid()) }
    }

    /// The colours of the pictures that were sent.
    pub(super) fn shown(&self) -> Result<Vec<Seen>, OpenAiProblem> {
        let unreadable =
            || OpenAiProblem::invalid("image", "Invalid image file or mode for image, please check your image file.");
        self.files.iter().map(|file| Seen::of(file).ok_or_else(unreadable)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_size_that_the_model_does_not_make_is_refused() {
        let size = |size: &str| {
            let request = ImagesRequest { prompt: "a".into(), size: Some(size.into()), ..ImagesRequest::default() };
            request.check().ok()
        };
        assert_eq!((size("auto"), size("1536x1024")), (Some((1024, 1024)), Some((1536, 1024))));
        for wrong in ["1000x1000", "3856x1024", "1024", "0x0", "3200x1024", "ax b"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }
}
