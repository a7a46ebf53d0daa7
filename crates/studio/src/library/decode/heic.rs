//! The decoder of HEIC.

use heifer::Error;
use heifer::heifer_isobmff::HeifFile;
use heifer::heifer_isobmff::boxes::Property;

use super::error::PictureError;
use super::limits::DecodeBudget;
use super::output::DecoderOutput;
use super::raster::{Channels, Raster};

pub(super) fn read(bytes: &[u8], budget: &DecodeBudget) -> Result<DecoderOutput, PictureError> {
    let file = HeifFile::parse(bytes).map_err(|error| container(&error))?;
    let (width, height) = size(&file)?;
    budget.limits.check(width, height)?;
    // Its pixels, and its planes of 16 bits while they are put together.
    let share = budget.take(u64::from(width) * u64::from(height) * 14)?;

    // One thread: several pictures are decoded at the same time.
    let options = heifer::Options { max_threads: 1, max_pixels: budget.limits.max_pixels };
    // Colours that can't be converted (HDR, mostly) are taken as they are: better pale than not at all.
    let image = match heifer::decode_srgb_rgba8(bytes, &options) {
        Err(Error::Unsupported(_)) => heifer::decode_rgba8(bytes, &options),
        image => image,
    };
    let image = image.map_err(fault)?;
    let (width, height) = (side(image.width)?, side(image.height)?);
    let mut output = DecoderOutput::new(Raster::new(width, height, Channels::Rgba, image.data)?, share);
    // The decoder has turned it.
    output.orientation = Some(1);
    output.exif = file.exif(file.primary_id).ok().flatten();
    output.xmp = file.xmp(file.primary_id).ok().flatten();
    Ok(output)
}

/// The size that the file says its picture has, before it is turned or cropped. Tiles and whatever else it is
/// put together from are measured by the decoder.
pub(super) fn size(file: &HeifFile<'_>) -> Result<(u32, u32), PictureError> {
    let size = file.image_size(file.primary_id).map_err(|error| container(&error))?;
    let size = size.ok_or_else(|| PictureError::Damaged("its size is not given".into()))?;
    // One picture may claim to be small and consist of one that is not.
    let largest = file.properties.iter().filter_map(|property| match property {
        Property::ImageSize { width, height } => Some((*width, *height)),
        _ => None,
    });
    let pixels = |(width, height): &(u32, u32)| u64::from(*width) * u64::from(*height);
    Ok(largest.chain([size]).max_by_key(pixels).unwrap_or(size))
}

pub(super) fn container(error: &heifer::heifer_isobmff::Error) -> PictureError {
    match error {
        heifer::heifer_isobmff::Error::UnexpectedEof => PictureError::Truncated,
        error => PictureError::Damaged(error.to_string()),
    }
}

fn side(side: impl TryInto<u32>) -> Result<u32, PictureError> {
    side.try_into().map_err(|_| PictureError::Damaged("its size is out of range".into()))
}

fn fault(error: Error) -> PictureError {
    match error {
        Error::Container(error) => container(&error),
        Error::Unsupported(what) => PictureError::Unsupported(format!("this kind of HEIC ({what})")),
        error => PictureError::Damaged(error.to_string()),
    }
}
