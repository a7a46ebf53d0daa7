//! An edit changes nothing outside its mask: what the model returned is brought to the original's size and laid over it
//! through the mask, whose edge fades inward.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::png::PngEncoder;
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, GrayImage, ImageEncoder};

use super::edit::{changed, read};
use crate::error::{StudioError, StudioResult};
use crate::library::decode::{PictureError, PictureFormat, PictureReader, sniff};

/// Where a PNG says how many bits each value has (the standard, 11.2.2), and what brings a value of 8 bits to 16.
const BIT_DEPTH: usize = 24;
const DEEPER: u16 = 257;

/// Where a mask is darker than this, nothing is changed: masks in JPEG are never quite black.
const OUTSIDE: u8 = 16;
/// How far the edge fades, as a share of the picture's short side, and in pixels at least and at most.
const FADE: f64 = 0.01;
const FADES: (f64, f64) = (2.0, 48.0);
/// How far it fades at most, as a share of the mask's greatest depth: a thin mask must not fade away.
const OF_DEPTH: f32 = 0.5;

/// A step to the next pixel and to a diagonal one, in thirds of a pixel: distances by them are true to some percent
/// (Borgefors, 1986).
const STEP: u32 = 3;
const DIAGONAL: u32 = 4;

/// The original with what was made inside its mask, as PNG in the original's size and colours. Pixels outside the mask
/// are the original's, to the bit.
///
/// # Errors
/// What is wrong with one of the files.
pub(super) fn composite(original: &Bytes, mask: &Bytes, made: &Bytes, reader: &PictureReader) -> StudioResult<Bytes> {
    let made = reader.read(made)?.into_rgba();
    let mut picture = reader.read(original)?.into_rgba();
    let made = made.covering(picture.width, picture.height)?.in_colors_of(picture.profile.as_deref());
    let weights = weights(&changed(&read(mask)?), picture.width, picture.height);
    let (width, height, profile) = (picture.width, picture.height, picture.profile.take());
    if let Some(mut deep) = deep(original, width, height) {
        let made: Vec<u16> = made.rgba.iter().map(|value| u16::from(*value) * DEEPER).collect();
        lay_over(&mut deep, &made, &weights, f32::from(u16::MAX), |value| value as u16);
        let [rgb, rgba] = [ExtendedColorType::Rgb16, ExtendedColorType::Rgba16];
        let bytes = |value: &u16| value.to_ne_bytes();
        return match without_opacity(&deep, u16::MAX) {
            Some(opaque) => png(&opaque.iter().flat_map(bytes).collect::<Vec<_>>(), (width, height), rgb, profile),
            None => png(&deep.iter().flat_map(bytes).collect::<Vec<_>>(), (width, height), rgba, profile),
        };
    }
    lay_over(&mut picture.rgba, &made.rgba, &weights, f32::from(u8::MAX), |value| value as u8);
    match without_opacity(&picture.rgba, u8::MAX) {
        Some(opaque) => png(&opaque, (width, height), ExtendedColorType::Rgb8, profile),
        None => png(&picture.rgba, (width, height), ExtendedColorType::Rgba8, profile),
    }
}

/// The pixels of a picture that has 16 bits for each of their values, if it is one.
fn deep(original: &Bytes, width: u32, height: u32) -> Option<Vec<u16>> {
    if sniff(original) != Ok(PictureFormat::Png) || original.get(BIT_DEPTH) != Some(&16) {
        return None;
    }
    let picture = read(original).ok()?;
    // Inks and turned pictures have gone another way.
    ((picture.width(), picture.height()) == (width, height)).then(|| picture.into_rgba16().into_raw())
}

/// How much of each pixel is taken from what was made, 0 to 1: nothing outside the mask, and more the further inside.
fn weights(mask: &GrayImage, width: u32, height: u32) -> Vec<f32> {
    // By the nearest pixel: a mask that is scaled smoothly would open beyond its edge.
    let mask = imageops::resize(mask, width, height, FilterType::Nearest).into_raw();
    let depths = depths(&mask, width as usize, height as usize);
    let deepest = depths.iter().copied().filter(|depth| *depth < u32::MAX).max().unwrap_or(0) as f32 / STEP as f32;
    let fade = (f64::from(width.min(height)) * FADE).clamp(FADES.0, FADES.1) as f32;
    let fade = fade.min(deepest * OF_DEPTH).max(1.0);
    let weight = |(value, depth): (&u8, u32)| {
        let share = (depth as f32 / STEP as f32 / fade).min(1.0);
        if *value < OUTSIDE { 0.0 } else { share * f32::from(*value) / 255.0 }
    };
    mask.iter().zip(depths).map(weight).collect()
}

/// How far each pixel is from the nearest one outside the mask, in thirds of a pixel; the picture's border is no edge.
fn depths(mask: &[u8], width: usize, height: usize) -> Vec<u32> {
    let mut depths: Vec<u32> = mask.iter().map(|value| if *value < OUTSIDE { 0 } else { u32::MAX }).collect();
    let relax = |depths: &mut [u32], at: usize, from: Option<usize>, step: u32| {
        if let Some(from) = from {
            depths[at] = depths[at].min(depths[from].saturating_add(step));
        }
    };
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let above = (y > 0).then(|| at.wrapping_sub(width));
            relax(&mut depths, at, (x > 0).then(|| at.wrapping_sub(1)), STEP);
            relax(&mut depths, at, above, STEP);
            relax(&mut depths, at, above.filter(|_| x > 0).map(|above| above - 1), DIAGONAL);
            relax(&mut depths, at, above.filter(|_| x + 1 < width).map(|above| above + 1), DIAGONAL);
        }
    }
    for y in (0..height).rev() {
        for x in (0..width).rev() {
            let at = y * width + x;
            let below = (y + 1 < height).then_some(at + width);
            relax(&mut depths, at, (x + 1 < width).then_some(at + 1), STEP);
            relax(&mut depths, at, below, STEP);
            relax(&mut depths, at, below.filter(|_| x + 1 < width).map(|below| below + 1), DIAGONAL);
            relax(&mut depths, at, below.filter(|_| x > 0).map(|below| below - 1), DIAGONAL);
        }
    }
    depths
}

/// Mixes pixels by their weights; each brings its colour by its opacity, which is `most` at most.
fn lay_over<T: Copy + Into<f32>>(below: &mut [T], above: &[T], weights: &[f32], most: f32, from: fn(f32) -> T) {
    let pixels = below.as_chunks_mut::<4>().0.iter_mut().zip(above.as_chunks::<4>().0).zip(weights);
    for ((below, above), weight) in pixels.filter(|(_, weight)| **weight > 0.0) {
        let [of_below, of_above]: [f32; 2] = [below[3].into() * (1.0 - weight), above[3].into() * weight];
        let opacity = of_below + of_above;
        for (below, above) in below.iter_mut().zip(above).take(3) {
            let mixed = (*below).into() * of_below + (*above).into() * of_above;
            *below = if opacity > 0.0 { from((mixed / opacity).round().min(most)) } else { *above };
        }
        below[3] = from(opacity.round().min(most));
    }
}

/// The colours alone of pixels that are all opaque.
fn without_opacity<T: Copy + PartialEq>(rgba: &[T], opaque: T) -> Option<Vec<T>> {
    let pixels = rgba.as_chunks::<4>().0;
    let all = pixels.iter().all(|[.., opacity]| *opacity == opaque);
    all.then(|| pixels.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect())
}

fn png(
    pixels: &[u8],
    (width, height): (u32, u32),
    color: ExtendedColorType,
    profile: Option<Vec<u8>>,
) -> StudioResult<Bytes> {
    let damaged = |error: image::ImageError| StudioError::Picture(PictureError::Damaged(error.to_string()));
    let mut file = Cursor::new(Vec::new());
    let mut encoder = PngEncoder::new(&mut file);
    if let Some(profile) = profile {
        // Without it the colours would be others; a format that can't hold it does not come this way.
        let _ = encoder.set_icc_profile(profile);
    }
    encoder.write_image(pixels, width, height, color).map_err(damaged)?;
    Ok(file.into_inner().into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, Rgba, RgbaImage};
    use proptest::prelude::*;

    use super::*;
    use crate::library::decode::DecodeLimits;

    fn file(picture: impl Into<DynamicImage>) -> Bytes {
        let mut file = Cursor::new(Vec::new());
        picture.into().write_to(&mut file, ImageFormat::Png).unwrap();
        file.into_inner().into()
    }

    fn read_back(file: &Bytes) -> RgbaImage {
        image::load_from_memory(file).unwrap().to_rgba8()
    }

    fn speckled(width: u32, height: u32, seed: u64) -> RgbaImage {
        let mut random = fastrand::Rng::with_seed(seed);
        RgbaImage::from_fn(width, height, |_, _| Rgba([random.u8(..), random.u8(..), random.u8(..), random.u8(..)]))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_outside_the_mask_changes_and_its_middle_is_what_was_made(
            (width, height) in (8_u32..120, 8_u32..120),
            (made_width, made_height) in (8_u32..200, 8_u32..200),
            scale in 1_u32..4,
            seed in any::<u64>(),
        ) {
            let original = speckled(width, height, seed);
            let inside = |x: u32, y: u32| x * 2 > width / 2 && x * 2 < width * 2 && y * 4 > height && y * 4 < 3 * height;
            let mask = GrayImage::from_fn(width * scale, height * scale, |x, y| {
                Luma([if inside(x / scale, y / scale) { 255 } else { 0 }])
            });
            let made = RgbaImage::from_pixel(made_width, made_height, Rgba([10, 200, 30, 255]));
            let reader = PictureReader::new(DecodeLimits::default());
            let edited = composite(&file(original.clone()), &file(mask), &file(made), &reader).unwrap();
            let edited = read_back(&edited);
            prop_assert_eq!(edited.dimensions(), (width, height));
            let mut changed = 0;
            for (x, y, pixel) in edited.enumerate_pixels() {
                if inside(x, y) {
                    changed += u32::from(*pixel == Rgba([10, 200, 30, 255]));
                } else {
                    prop_assert_eq!(pixel, original.get_pixel(x, y));
                }
            }
            prop_assert!(changed > 0);
        }
    }

    #[test]
    fn a_picture_of_16_bits_keeps_them_outside_the_mask() {
        let original = ImageBuffer::from_fn(40, 30, |x, y| Rgb([(x * 1_601) as u16, (y * 2_003) as u16, 12_345]));
        let mask = GrayImage::from_fn(40, 30, |x, _| Luma([if x < 20 { 255 } else { 0 }]));
        let made = RgbaImage::from_pixel(40, 30, Rgba([255, 0, 0, 255]));
        let reader = PictureReader::new(DecodeLimits::default());
        let edited =
            composite(&file(DynamicImage::ImageRgb16(original.clone())), &file(mask), &file(made), &reader).unwrap();
        let edited = image::load_from_memory(&edited).unwrap();
        let DynamicImage::ImageRgb16(edited) = edited else { panic!("{:?}", edited.color()) };
        assert_eq!(edited.get_pixel(5, 5), &Rgb([65_535, 0, 0]));
        assert!((20..40).all(|x| edited.get_pixel(x, 7) == original.get_pixel(x, 7)));
    }

    #[test]
    fn a_thin_mask_does_not_fade_away_and_the_border_is_no_edge() {
        let thin = GrayImage::from_fn(400, 400, |x, _| Luma([if (200..203).contains(&x) { 255 } else { 0 }]));
        let weights_of_thin = weights(&thin, 400, 400);
        assert!(weights_of_thin[201] >= 1.0);
        let all = GrayImage::from_pixel(40, 40, Luma([255]));
        assert!(weights(&all, 40, 40).iter().all(|weight| *weight >= 1.0));
    }
}
