//! The decoders of PNG, WebP and GIF.

use std::io::Cursor;

use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::error::{ImageError, LimitErrorKind};
use image::{ColorType, DynamicImage, ImageDecoder};

use super::error::PictureError;
use super::limits::DecodeBudget;
use super::output::DecoderOutput;
use super::raster::{Channels, Raster};

pub(super) fn png(bytes: &[u8], budget: &DecodeBudget) -> Result<DecoderOutput, PictureError> {
    // Read from its fixed place: the decoder takes memory for a row before it gives the size.
    let side =
        |place: usize| bytes.get(place..).and_then(|rest| rest.first_chunk()).map(|side| u32::from_be_bytes(*side));
    if let (Some(width), Some(height)) = (side(16), side(20)) {
        budget.limits.check(width, height)?;
    }
    read(PngDecoder::with_limits(Cursor::new(bytes), limits(budget)).map_err(fault)?, 0, budget)
}

pub(super) fn webp(bytes: &[u8], budget: &DecodeBudget) -> Result<DecoderOutput, PictureError> {
    read(WebPDecoder::new(Cursor::new(bytes)).map_err(fault)?, 3, budget)
}

pub(super) fn gif(bytes: &[u8], budget: &DecodeBudget) -> Result<DecoderOutput, PictureError> {
    read(GifDecoder::new(Cursor::new(bytes)).map_err(fault)?, 4, budget)
}

/// `beside`: bytes that the decoder keeps for each pixel beside what it gives.
fn read<D: ImageDecoder>(mut decoder: D, beside: u64, budget: &DecodeBudget) -> Result<DecoderOutput, PictureError> {
    let (width, height) = decoder.dimensions();
    budget.limits.check(width, height)?;
    // The pixels as they are decoded and, where those are others, as they are kept here.
    let pixels = u64::from(width) * u64::from(height);
    let kept = if matches!(decoder.color_type(), ColorType::Rgb8 | ColorType::Rgba8) { 0 } else { pixels * 4 };
    let share = budget.take(decoder.total_bytes() + kept + pixels * beside)?;
    decoder.set_limits(limits(budget)).map_err(fault)?;
    // Metadata may be damaged while the picture is not.
    let profile = decoder.icc_profile().ok().flatten();
    let exif = decoder.exif_metadata().ok().flatten();
    let xmp = decoder.xmp_metadata().ok().flatten();
    let iptc = decoder.iptc_metadata().ok().flatten();
    let grey = matches!(decoder.color_type(), ColorType::L8 | ColorType::L16 | ColorType::La8 | ColorType::La16);
    let image = DynamicImage::from_decoder(decoder).map_err(fault)?;
    let (channels, pixels) = if image.color().has_alpha() {
        (Channels::Rgba, image.into_rgba8().into_raw())
    } else {
        (Channels::Rgb, image.into_rgb8().into_raw())
    };
    let mut output = DecoderOutput::new(Raster::new(width, height, channels, pixels)?, share);
    // A profile of greys says nothing of colours.
    output.profile = profile.filter(|_| !grey);
    output.exif = exif;
    output.xmp = xmp;
    output.iptc = iptc;
    Ok(output)
}

/// What the decoder itself may allocate: pixels of 16 bits a channel, and some for what it keeps beside them.
fn limits(budget: &DecodeBudget) -> image::Limits {
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(budget.limits.max_pixels.saturating_mul(8).saturating_add(64 << 20));
    limits
}

fn fault(error: ImageError) -> PictureError {
    match error {
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => PictureError::Truncated,
        ImageError::Unsupported(error) => PictureError::Unsupported(format!("this kind of picture ({error})")),
        ImageError::Limits(error) => match error.kind() {
            LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory => {
                PictureError::TooComplex("it asks for more memory than any picture needs".into())
            }
            _ => PictureError::Damaged(error.to_string()),
        },
        error => {
            let text = error.to_string();
            let ended = ["unexpected end", "end of file", "UnexpectedEof", "failed to fill whole buffer"];
            let ended = ended.iter().any(|words| text.to_lowercase().contains(&words.to_lowercase()));
            if ended { PictureError::Truncated } else { PictureError::Damaged(text) }
        }
    }
}
