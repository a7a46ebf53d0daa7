//! Masks, and pictures side by side.

use std::io::Cursor;

use bytes::Bytes;
use image::imageops::{self, FilterType};
use image::{
    DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, Luma, Rgb, RgbImage, Rgba, RgbaImage,
};

use crate::error::{RequestFault, StudioError, StudioResult};
use crate::library::decode::{PictureError, PictureReader};
use crate::library::in_turn;

/// How much wider or higher a mask may be, in shape, than its picture.
const SHAPE: f64 = 1.02;
/// What of a mask at least is to be changed, as a share of it.
const LEAST: f64 = 0.0001;
/// What is decoded of a mask at most, in bytes.
const MOST_DECODED: u64 = 512 << 20;
/// The gap between two pictures.
const GAP: u32 = 16;

/// A mask as it is sent, of the picture's size: for a place of its own transparent where the picture is to be
/// changed, and as an image white there.
pub(super) async fn mask(file: &Bytes, width: u32, height: u32, apart: bool) -> StudioResult<Bytes> {
    let file = file.clone();
    in_turn(move || {
        let mask = read(&file)?;
        let shape = |width: u32, height: u32| f64::from(width.max(1)) / f64::from(height.max(1));
        let off = shape(mask.width(), mask.height()) / shape(width, height);
        if !(1.0 / SHAPE..=SHAPE).contains(&off) {
            let message = format!(
                "the mask is {} x {} pixels and the picture {width} x {height}: they differ in shape",
                mask.width(),
                mask.height()
            );
            return Err(StudioError::BadRequest { fault: RequestFault::MaskInvalid, message });
        }
        let change = imageops::resize(&changed(&mask), width, height, FilterType::Triangle);
        let share =
            change.pixels().filter(|pixel| pixel.0[0] > 127).count() as f64 / f64::from(width) / f64::from(height);
        if share < LEAST {
            let message = "the mask changes nothing: it is neither transparent nor white anywhere".to_owned();
            return Err(StudioError::BadRequest { fault: RequestFault::MaskInvalid, message });
        }
        let sent = if apart {
            let transparent = |x: u32, y: u32| Rgba([0, 0, 0, 255 - change.get_pixel(x, y).0[0]]);
            DynamicImage::ImageRgba8(RgbaImage::from_fn(width, height, transparent))
        } else {
            DynamicImage::ImageLuma8(change)
        };
        png(&sent)
    })
    .await?
}

/// White where the picture is to be changed: where the mask is transparent or, if it is nowhere, where it is light.
pub(super) fn changed(mask: &DynamicImage) -> GrayImage {
    let rgba = mask.to_rgba8();
    if rgba.pixels().any(|pixel| pixel.0[3] < 128) {
        return GrayImage::from_fn(rgba.width(), rgba.height(), |x, y| Luma([255 - rgba.get_pixel(x, y).0[3]]));
    }
    mask.to_luma8()
}

/// Decodes a file, upright.
pub(super) fn read(file: &[u8]) -> StudioResult<DynamicImage> {
    let damaged = |error: String| StudioError::Picture(PictureError::Damaged(error));
    let mut reader =
        ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|error| damaged(error.to_string()))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_DECODED);
    reader.limits(limits);
    let upright = || {
        let mut decoder = reader.into_decoder()?;
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    };
    upright().map_err(|error: image::ImageError| damaged(format!("the mask can't be read: {error}")))
}

fn png(picture: &DynamicImage) -> StudioResult<Bytes> {
    let mut file = Cursor::new(Vec::new());
    let written = picture.write_to(&mut file, ImageFormat::Png);
    written.map_err(|error| StudioError::Picture(PictureError::Damaged(error.to_string())))?;
    Ok(file.into_inner().into())
}

/// Two pictures beside each other, the one before on the left, both of the height of the lower one.
pub(super) async fn side_by_side(before: Bytes, after: Bytes, reader: PictureReader) -> StudioResult<Bytes> {
    in_turn(move || {
        let picture = |file: &Bytes| {
            let picture = reader.read(file)?.into_picture(1, 4096)?;
            let rgb = RgbImage::from_raw(picture.width, picture.height, picture.rgb);
            rgb.ok_or_else(|| StudioError::Picture(PictureError::Damaged("it has too few pixels".into())))
        };
        let (before, after) = (picture(&before)?, picture(&after)?);
        let height = before.height().min(after.height());
        let scaled = |picture: &RgbImage| {
            let width = u64::from(picture.width()) * u64::from(height) / u64::from(picture.height().max(1));
            imageops::resize(picture, u32::try_from(width.max(1)).unwrap_or(1), height, FilterType::CatmullRom)
        };
        let (before, after) = (scaled(&before), scaled(&after));
        let mut both = RgbImage::from_pixel(before.width() + GAP + after.width(), height, Rgb([255; 3]));
        imageops::replace(&mut both, &before, 0, 0);
        imageops::replace(&mut both, &after, i64::from(before.width() + GAP), 0);
        png(&DynamicImage::ImageRgb8(both))
    })
    .await?
}
