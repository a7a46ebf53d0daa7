//! A perceptual hash: the signs of a picture's low frequencies.
//!
//! The hash is stored and compared for years, so it is worked out here, step by step, and not by a library whose
//! next version may do it a little differently.

use std::f64::consts::PI;
use std::sync::LazyLock;

use crate::library::decode::{PictureError, RgbPicture};

/// Pixels of a side before the transform.
const SIDE: usize = 32;

/// Frequencies that count in each direction: the lowest except the very first, which is the average.
const KEPT: usize = 8;

/// Smaller frequencies count as none: those of a blank picture come from rounding alone.
const NOISE: f64 = 0.5;

/// `COSINES[k][n]`: the n-th sample of the wave with k + 1 half turns, scaled so that the transform is
/// orthonormal (DCT-II).
static COSINES: LazyLock<[[f64; SIDE]; KEPT]> = LazyLock::new(|| {
    let mut cosines = [[0.0; SIDE]; KEPT];
    for (k, wave) in (1_u8..).zip(&mut cosines) {
        for (n, sample) in (0_u8..).zip(wave) {
            *sample = (PI * f64::from(k) * (f64::from(n) + 0.5) / 32.0).cos() * (2.0 / 32.0_f64).sqrt();
        }
    }
    cosines
});

/// The perceptual hash of a picture (Zauner, "Implementation and Benchmarking of Perceptual Image Hash
/// Functions", 2010): 32 × 32 pixels of brightness, transformed by DCT-II; for the 8 × 8 lowest frequencies
/// without the first, whether they are above their median, row by row, the first in the lowest bit. Copies of a
/// picture that were scaled, compressed or slightly retouched differ in a few bits, other pictures in 32 on
/// average.
///
/// # Errors
/// [`PictureError::Damaged`] if the picture can't be scaled.
pub fn phash(picture: &RgbPicture) -> Result<u64, PictureError> {
    let small = picture.resized(32, 32)?;
    let mut brightness = [[0.0; SIDE]; SIDE];
    for (pixel, value) in small.rgb.as_chunks::<3>().0.iter().zip(brightness.as_flattened_mut()) {
        let [r, g, b] = pixel.map(f64::from);
        *value = 0.299 * r + 0.587 * g + 0.114 * b;
    }
    // Rows first, then columns.
    let rows = brightness.map(|row| COSINES.map(|wave| dot(&row, &wave)));
    let mut frequencies = [0.0; KEPT * KEPT];
    for (y, wave) in COSINES.iter().enumerate() {
        for x in 0..KEPT {
            let value: f64 = rows.iter().zip(wave).map(|(row, cosine)| row[x] * cosine).sum();
            frequencies[y * KEPT + x] = if value.abs() < NOISE { 0.0 } else { value };
        }
    }
    let mut sorted = frequencies;
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[31], sorted[32]);
    Ok(frequencies.iter().rev().fold(0, |hash, value| hash << 1 | u64::from(*value > median)))
}

fn dot(row: &[f64; SIDE], wave: &[f64; SIDE]) -> f64 {
    row.iter().zip(wave).map(|(a, b)| a * b).sum()
}

/// In how many bits two hashes differ, 0 to 64.
#[must_use]
pub const fn distance(one: u64, other: u64) -> u32 {
    (one ^ other).count_ones()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(width: u32, height: u32, colour: impl Fn(f64, f64) -> [f64; 3]) -> RgbPicture {
        let mut rgb = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let colour = colour(f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
                rgb.extend(colour.map(|part| part.clamp(0.0, 255.0) as u8));
            }
        }
        RgbPicture::opaque(width, height, rgb)
    }

    fn waves(x: f64, y: f64) -> [f64; 3] {
        let v = 120.0 + 50.0 * (7.0 * x + 2.0 * y).sin() + 40.0 * (9.0 * y - 3.0 * x * x).cos();
        [v, v * 0.8, 255.0 - v]
    }

    #[test]
    fn a_scaled_or_brighter_copy_is_alike() {
        let hash = phash(&made(400, 300, waves)).unwrap();
        let smaller = phash(&made(90, 68, waves)).unwrap();
        let brighter = phash(&made(400, 300, |x, y| waves(x, y).map(|part| part * 1.1 + 5.0))).unwrap();
        assert!(distance(hash, smaller) <= 4, "{}", distance(hash, smaller));
        assert!(distance(hash, brighter) <= 4, "{}", distance(hash, brighter));
    }

    #[test]
    fn another_picture_is_not() {
        let hash = phash(&made(400, 300, waves)).unwrap();
        let turned = phash(&made(300, 400, |x, y| waves(y, x))).unwrap();
        let mirrored = phash(&made(400, 300, |x, y| waves(1.0 - x, y))).unwrap();
        assert!(distance(hash, turned) > 16, "{}", distance(hash, turned));
        assert!(distance(hash, mirrored) > 16, "{}", distance(hash, mirrored));
    }

    #[test]
    fn a_blank_picture_hashes_to_nothing() {
        for colour in [0.0, 77.0, 255.0] {
            assert_eq!(phash(&made(50, 50, |_, _| [colour; 3])).unwrap(), 0);
        }
    }

    /// Stored hashes are compared with new ones: this must never change.
    #[test]
    fn the_hash_of_a_picture_stays_what_it_was() {
        assert_eq!(format!("{:016x}", phash(&made(32, 32, waves)).unwrap()), "ab01ab09aba554a9");
    }
}
