//! Scaling of pixels, in the one place where the code for it is generated: it is written for every type of pixel there
//! is, and compiled anew in each crate that calls it by a type that is chosen at run time.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8x3, U8x4};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

/// What the bytes of a pixel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelBytes {
    /// Three channels.
    Three,
    /// Four channels, none of them opacity.
    Four,
    /// Three channels and opacity, which the others are not multiplied by.
    ThreeAndOpacity,
}

/// Scales pixels, eight bits a channel, row by row, from `size` to `to` (width and height), bicubically: as sharp as
/// Lanczos to the eye at the sizes of thumbnails, at two thirds of its cost.
///
/// # Errors
/// What is wrong with the pixels, in plain words.
pub fn scaled(pixels: &[u8], size: (u32, u32), bytes: PixelBytes, to: (u32, u32)) -> Result<Vec<u8>, String> {
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    match bytes {
        PixelBytes::Three => three(pixels, size, to, &options),
        PixelBytes::Four => four(pixels, size, to, &options.use_alpha(false)),
        PixelBytes::ThreeAndOpacity => four(pixels, size, to, &options.use_alpha(true)),
    }
}

/// The same for three channels, by other rules.
#[inline(never)]
pub(crate) fn three(
    pixels: &[u8],
    size: (u32, u32),
    to: (u32, u32),
    options: &ResizeOptions,
) -> Result<Vec<u8>, String> {
    typed::<U8x3>(pixels, size, to, options, 3)
}

#[inline(never)]
fn four(pixels: &[u8], size: (u32, u32), to: (u32, u32), options: &ResizeOptions) -> Result<Vec<u8>, String> {
    typed::<U8x4>(pixels, size, to, options, 4)
}

fn typed<P: PixelTrait>(
    pixels: &[u8],
    (width, height): (u32, u32),
    (to_width, to_height): (u32, u32),
    options: &ResizeOptions,
    channels: usize,
) -> Result<Vec<u8>, String> {
    let source = TypedImageRef::<P>::from_buffer(width, height, pixels).map_err(|error| error.to_string())?;
    let mut scaled = vec![0; to_width as usize * to_height as usize * channels];
    let mut target =
        TypedImage::<P>::from_buffer(to_width, to_height, &mut scaled).map_err(|error| error.to_string())?;
    Resizer::new().resize_typed(&source, &mut target, options).map_err(|error| error.to_string())?;
    drop(target);
    Ok(scaled)
}
