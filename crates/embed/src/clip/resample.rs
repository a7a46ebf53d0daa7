//! Pillow's resampling, to the bit.
//!
//! Exported models are trained and published with pictures that Pillow scaled. What else scales pictures
//! agrees with it but for a step of one in some bytes, which moves a vector by up to 0.002 (measured with
//! `fast_image_resize` on the models that this crate is tested with): so much that an image is not its own
//! nearest neighbour for someone who compares with vectors made elsewhere.
//!
//! The algorithm (`src/libImaging/Resample.c` of Pillow): one pass along rows, then one along columns, with a
//! filter that widens as it scales down; weights have 22 bits after the point, and what the first pass gives is
//! rounded to bytes. (From its version 13 of 2026 on, Pillow begins with the columns where height shrinks more.
//! Models were trained before that.)

use std::f64::consts::PI;

use crate::picture::CHANNELS;
use crate::{EmbedError, Picture};

/// Bits after the point of a weight: with eight of a byte and two to spare they fill 32.
const PRECISION: u32 = 32 - 8 - 2;

/// Pillow's filters: the weight of a pixel by its distance from the centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResampleFilter {
    Lanczos,
    Bilinear,
    Bicubic,
    Box,
    Hamming,
}

impl ResampleFilter {
    /// Beyond this distance a pixel has no weight.
    fn support(self) -> f64 {
        match self {
            Self::Lanczos => 3.0,
            Self::Bicubic => 2.0,
            Self::Bilinear | Self::Hamming => 1.0,
            Self::Box => 0.5,
        }
    }

    fn weight(self, distance: f64) -> f64 {
        let x = distance.abs();
        match self {
            Self::Lanczos if x < 3.0 => sinc(x) * sinc(x / 3.0),
            Self::Bilinear if x < 1.0 => 1.0 - x,
            // Keys' cubic with a = -0.5.
            Self::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5,
            Self::Box if distance > -0.5 && distance <= 0.5 => 1.0,
            Self::Hamming if x < 1.0 => sinc(x) * (0.54 + 0.46 * (x * PI).cos()),
            _ => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) }
}

/// The whole picture, scaled to this width and height.
pub(super) fn resample(
    picture: &Picture,
    width: u32,
    height: u32,
    filter: ResampleFilter,
) -> Result<Picture, EmbedError> {
    let mut rgb = picture.rgb().to_vec();
    let row = picture.width() as usize * CHANNELS;
    if width != picture.width() {
        let taps = taps(picture.width(), width, filter);
        rgb = rgb.chunks_exact(row).flat_map(|row| taps.iter().flat_map(|tap| tap.of_pixels(row))).collect();
    }
    if height != picture.height() {
        let row = width as usize * CHANNELS;
        let taps = taps(picture.height(), height, filter);
        rgb = taps.iter().flat_map(|tap| tap.of_rows(&rgb, row)).collect();
    }
    Picture::new(width, height, rgb)
}

/// The input pixels that one output pixel is the weighted sum of.
struct Tap {
    first: usize,
    weights: Vec<i32>,
}

/// The taps of all pixels of a line of `from` that is scaled to `to`.
fn taps(from: u32, to: u32, filter: ResampleFilter) -> Vec<Tap> {
    let scale = f64::from(from) / f64::from(to);
    let widened = scale.max(1.0);
    let support = filter.support() * widened;
    let tap = |place: u32| {
        let centre = (f64::from(place) + 0.5) * scale;
        // Casts cut off towards zero, and what is negative becomes 0.
        let first = (centre - support + 0.5) as usize;
        let end = ((centre + support + 0.5) as usize).min(from as usize);
        let weight = |pixel: usize| filter.weight((pixel as f64 - centre + 0.5) / widened);
        let weights: Vec<f64> = (first..end).map(weight).collect();
        let total: f64 = weights.iter().sum();
        let total = if total == 0.0 { 1.0 } else { total };
        let fixed = |weight: &f64| (weight / total * f64::from(1 << PRECISION)).round() as i32;
        Tap { first, weights: weights.iter().map(fixed).collect() }
    };
    (0..to).map(tap).collect()
}

/// Half a step, so that what is cut off below is rounded.
const HALF: i32 = 1 << (PRECISION - 1);

impl Tap {
    /// The pixel that it makes of those in a row.
    fn of_pixels(&self, row: &[u8]) -> [u8; CHANNELS] {
        let mut sums = [HALF; CHANNELS];
        for (pixel, weight) in row[self.first * CHANNELS..].chunks_exact(CHANNELS).zip(&self.weights) {
            for (sum, &byte) in sums.iter_mut().zip(pixel) {
                *sum += i32::from(byte) * weight;
            }
        }
        sums.map(byte)
    }

    /// The row that it makes of those below each other.
    fn of_rows(&self, rgb: &[u8], length: usize) -> Vec<u8> {
        let mut sums = vec![HALF; length];
        for (row, weight) in rgb[self.first * length..].chunks_exact(length).zip(&self.weights) {
            for (sum, &byte) in sums.iter_mut().zip(row) {
                *sum += i32::from(byte) * weight;
            }
        }
        sums.into_iter().map(byte).collect()
    }
}

fn byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const FILTERS: [ResampleFilter; 5] = [
        ResampleFilter::Lanczos,
        ResampleFilter::Bilinear,
        ResampleFilter::Bicubic,
        ResampleFilter::Box,
        ResampleFilter::Hamming,
    ];

    fn ramp(width: u32, height: u32) -> Picture {
        let bytes = (0..width * height * 3).map(|n| (n * 37 % 256) as u8).collect();
        Picture::new(width, height, bytes).unwrap()
    }

    #[test]
    fn a_picture_of_one_colour_stays_so_at_any_size() {
        let plain = Picture::new(9, 7, [12, 200, 255].repeat(63)).unwrap();
        for filter in FILTERS {
            for (width, height) in [(1, 1), (3, 20), (40, 2), (9, 7)] {
                let scaled = resample(&plain, width, height, filter).unwrap();
                assert!(scaled.rgb().chunks(3).all(|pixel| pixel == [12, 200, 255]), "{filter:?} {width} {height}");
            }
        }
    }

    #[test]
    fn a_picture_of_the_right_size_is_left_alone() {
        for filter in FILTERS {
            assert_eq!(resample(&ramp(5, 4), 5, 4, filter).unwrap(), ramp(5, 4));
        }
    }

    /// Bytes that Pillow gives for the ramp of 7 by 5, by `resize((4, 3), filter)`.
    const PILLOW: [(ResampleFilter, [u8; 36]); 5] = [
        (
            ResampleFilter::Lanczos,
            [
                60, 87, 122, 172, 68, 113, 121, 163, 59, 112, 147, 171, 76, 102, 137, 200, 82, 128, 135, 191, 73, 127,
                163, 199, 84, 116, 152, 120, 103, 140, 156, 111, 100, 141, 171, 121,
            ],
        ),
        (
            ResampleFilter::Bilinear,
            [
                62, 87, 124, 163, 67, 104, 132, 169, 73, 112, 149, 174, 76, 101, 138, 177, 81, 118, 146, 183, 87, 126,
                163, 188, 83, 115, 152, 115, 95, 132, 160, 121, 101, 140, 170, 126,
            ],
        ),
        (
            ResampleFilter::Bicubic,
            [
                57, 87, 124, 169, 64, 105, 129, 170, 65, 110, 147, 177, 72, 102, 139, 189, 79, 120, 144, 190, 80, 125,
                162, 197, 83, 117, 154, 116, 96, 135, 161, 117, 100, 140, 173, 124,
            ],
        ),
        (
            ResampleFilter::Box,
            [
                61, 98, 135, 155, 64, 101, 193, 230, 11, 104, 141, 178, 74, 111, 148, 168, 77, 114, 206, 243, 24, 117,
                154, 191, 88, 125, 162, 118, 91, 128, 220, 129, 38, 131, 168, 141,
            ],
        ),
        (
            ResampleFilter::Hamming,
            [
                50, 86, 123, 180, 47, 84, 150, 187, 54, 111, 148, 184, 65, 101, 138, 195, 62, 99, 165, 202, 69, 126,
                163, 199, 79, 116, 153, 104, 77, 114, 180, 111, 84, 141, 177, 121,
            ],
        ),
    ];

    #[test]
    fn bytes_are_those_of_pillow() {
        for (filter, bytes) in PILLOW {
            assert_eq!(resample(&ramp(7, 5), 4, 3, filter).unwrap().rgb(), bytes, "{filter:?}");
        }
    }
}
