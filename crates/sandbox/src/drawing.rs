//! The pictures that the sandbox makes: real files, drawn from a prompt, a seed and the pictures that were sent with
//! them, and signed as the sandbox's.
//!
//! The first picture that was sent gives its colours and their places, and those after it tint them. The prompt and
//! the seed decide the shapes: the same request gives the same picture, another seed another.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

use crate::hash::{hash, mix};
use crate::picture::{SQUARES, Seen};

/// The longest side that is drawn, in pixels. A larger picture is drawn smaller and scaled up, because every shape
/// visits every pixel.
const DRAWN: u32 = 768;
/// The number of shapes on the ground.
const SHAPES: u32 = 14;

/// The inputs that decide a picture.
#[derive(Debug)]
pub(crate) struct PictureRecipe<'a> {
    pub(crate) prompt: &'a str,
    pub(crate) seed: u64,
    pub(crate) shown: &'a [Seen],
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// A picture of which a part is kept, while the rest is drawn anew.
#[derive(Debug)]
pub(crate) struct Kept<'a> {
    /// The picture, as the bytes of its file.
    pub(crate) picture: &'a [u8],
    /// The file of a mask: where it is transparent, the picture is drawn anew. Without one, all of it is.
    pub(crate) mask: Option<&'a [u8]>,
}

impl PictureRecipe<'_> {
    /// Draws the picture and encodes it. `None`: a picture or a mask can't be read.
    pub(crate) fn file(&self, kept: Option<&Kept<'_>>, format: ImageFormat) -> Option<Vec<u8>> {
        let mut canvas = self.draw();
        if let Some(kept) = kept {
            keep(&mut canvas, kept)?;
        }
        sign(&mut canvas);
        let mut file = Cursor::new(Vec::new());
        canvas.write_to(&mut file, format).ok()?;
        Some(file.into_inner())
    }

    fn draw(&self) -> RgbImage {
        let scale = f64::from(DRAWN) / f64::from(self.width.max(self.height).max(1));
        let (width, height) = if scale < 1.0 {
            let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
            (side(self.width), side(self.height))
        } else {
            (self.width.max(1), self.height.max(1))
        };
        let mut rng = fastrand::Rng::with_seed(mix(hash(0, self.prompt.as_bytes()), self.seed));
        let ground = self.ground(&mut rng);
        let mut canvas = RgbImage::from_fn(width, height, |x, y| {
            let place = |at: u32, of: u32| f64::from(at) / f64::from(of.max(2) - 1) * f64::from(SQUARES - 1);
            Rgb(between(&ground, place(x, width), place(y, height)))
        });
        for _ in 0..SHAPES {
            shape(&mut canvas, &ground, &mut rng);
        }
        if scale < 1.0 {
            canvas = image::imageops::resize(&canvas, self.width, self.height, image::imageops::FilterType::Triangle);
        }
        canvas
    }

    /// The colours of the squares: those of the pictures that were sent, or a palette that the prompt decides.
    fn ground(&self, rng: &mut fastrand::Rng) -> Vec<[u8; 3]> {
        let Some((first, others)) = self.shown.split_first() else {
            let mut prompt = fastrand::Rng::with_seed(hash(1, self.prompt.as_bytes()));
            let palette: Vec<[u8; 3]> = (0..4).map(|_| [prompt.u8(30..), prompt.u8(30..), prompt.u8(30..)]).collect();
            return (0..SQUARES * SQUARES).map(|_| palette[rng.usize(..palette.len())]).collect();
        };
        let tint = |place: usize| others.iter().filter_map(move |seen| seen.squares.get(place));
        let color = |(place, color): (usize, &[u8; 3])| {
            let mut mixed = *color;
            for other in tint(place) {
                for (channel, other) in mixed.iter_mut().zip(other) {
                    *channel = ((u16::from(*channel) * 2 + u16::from(*other)) / 3) as u8;
                }
            }
            mixed
        };
        first.squares.iter().enumerate().map(color).collect()
    }
}

/// The colour at a place between squares.
fn between(ground: &[[u8; 3]], x: f64, y: f64) -> [u8; 3] {
    let (left, top) = (x.floor() as usize, y.floor() as usize);
    let last = SQUARES as usize - 1;
    let at = |x: usize, y: usize| ground.get(y.min(last) * SQUARES as usize + x.min(last)).copied().unwrap_or_default();
    let (right, down) = (x.fract(), y.fract());
    let mut color = [0; 3];
    for (channel, value) in color.iter_mut().enumerate() {
        let of = |color: [u8; 3]| f64::from(color[channel]);
        let upper = of(at(left, top)) * (1.0 - right) + of(at(left + 1, top)) * right;
        let lower = of(at(left, top + 1)) * (1.0 - right) + of(at(left + 1, top + 1)) * right;
        *value = (upper * (1.0 - down) + lower * down) as u8;
    }
    color
}

/// A disc or a band in a colour of the ground, somewhere.
fn shape(canvas: &mut RgbImage, ground: &[[u8; 3]], rng: &mut fastrand::Rng) {
    let (width, height) = canvas.dimensions();
    let base = ground[rng.usize(..ground.len())];
    let shade = rng.i16(-50..50);
    let color = base.map(|channel| (i16::from(channel) + shade).clamp(0, 255) as u16);
    let opacity = rng.u16(60..200);
    let (x, y) = (f64::from(rng.u32(..width)), f64::from(rng.u32(..height)));
    let radius = f64::from(width.min(height)) * (0.04 + rng.f64() * 0.22);
    let (disc, slope) = (rng.bool(), rng.f64() - 0.5);
    for (px, py, pixel) in canvas.enumerate_pixels_mut() {
        let (dx, dy) = (f64::from(px) - x, f64::from(py) - y);
        let inside = if disc { dx * dx + dy * dy < radius * radius } else { (dy - slope * dx).abs() < radius / 4.0 };
        if inside {
            for (channel, color) in pixel.0.iter_mut().zip(color) {
                *channel = ((u16::from(*channel) * (255 - opacity) + color * opacity) / 255) as u8;
            }
        }
    }
}

/// Puts back the part of the picture that the mask covers.
fn keep(canvas: &mut RgbImage, kept: &Kept<'_>) -> Option<()> {
    let Some(mask) = kept.mask else { return Some(()) };
    let (width, height) = canvas.dimensions();
    let scaled = |file: &[u8]| {
        let picture = image::load_from_memory(file).ok()?;
        Some(picture.resize_exact(width, height, image::imageops::FilterType::Triangle).into_rgba8())
    };
    let (picture, mask) = (scaled(kept.picture)?, scaled(mask)?);
    for ((canvas, picture), mask) in canvas.pixels_mut().zip(picture.pixels()).zip(mask.pixels()) {
        let opaque = u16::from(mask.0[3]);
        for (channel, old) in canvas.0.iter_mut().zip(picture.0) {
            *channel = ((u16::from(*channel) * (255 - opaque) + u16::from(old) * opaque) / 255) as u8;
        }
    }
    Some(())
}

/// Letters of 5 by 7 dots, a row a byte.
const LETTERS: [[u8; 7]; 7] = [
    [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110],
    [0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
    [0b10001, 0b11001, 0b10101, 0b10101, 0b10011, 0b10001, 0b10001],
    [0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110],
    [0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110],
    [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
    [0b10001, 0b10001, 0b01010, 0b00100, 0b01010, 0b10001, 0b10001],
];

/// Writes SANDBOX into the lower left corner, on a dark bar: nobody is to take it for a model's picture.
fn sign(canvas: &mut RgbImage) {
    let (width, height) = canvas.dimensions();
    let dot = (width / 220).clamp(1, 12);
    let (bar_width, bar_height) = (dot * (6 * LETTERS.len() as u32 + 3), dot * 11);
    let top = height.saturating_sub(bar_height);
    for y in top..height {
        for x in 0..bar_width.min(width) {
            let (column, row) = ((x / dot).saturating_sub(2), ((y - top) / dot).saturating_sub(2));
            let lit = x / dot >= 2 && (y - top) / dot >= 2 && column % 6 < 5 && {
                let letter = LETTERS.get((column / 6) as usize).and_then(|letter| letter.get(row as usize));
                letter.is_some_and(|line| line >> (4 - column % 6) & 1 == 1)
            };
            canvas.put_pixel(x, y, Rgb(if lit { [255; 3] } else { [20; 3] }));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn drawing(prompt: &str, seed: u64, shown: &[Seen]) -> Vec<u8> {
        PictureRecipe { prompt, seed, shown, width: 160, height: 120 }.file(None, ImageFormat::Png).unwrap()
    }

    #[test]
    fn the_same_request_gives_the_same_picture_and_another_seed_or_prompt_another() {
        let one = drawing("a boat", 1, &[]);
        assert_eq!(one, drawing("a boat", 1, &[]));
        assert_ne!(one, drawing("a boat", 2, &[]));
        assert_ne!(one, drawing("a house", 1, &[]));
        let size = image::load_from_memory(&one).unwrap();
        assert_eq!((size.width(), size.height()), (160, 120));
    }

    #[test]
    fn what_is_shown_lends_its_colours() {
        let red = Seen { squares: vec![[230, 20, 20]; 16] };
        let picture = image::load_from_memory(&drawing("a boat", 1, &[red])).unwrap().into_rgb8();
        let mean = |channel: usize| picture.pixels().map(|pixel| u64::from(pixel.0[channel])).sum::<u64>();
        assert!(mean(0) > 3 * mean(1) && mean(0) > 3 * mean(2), "{} {} {}", mean(0), mean(1), mean(2));
    }

    #[test]
    fn what_the_mask_covers_stays_as_it_was() {
        let file = |picture: image::RgbaImage| {
            let mut file = Cursor::new(Vec::new());
            picture.write_to(&mut file, ImageFormat::Png).unwrap();
            file.into_inner()
        };
        let picture = file(image::RgbaImage::from_pixel(160, 120, image::Rgba([9, 200, 9, 255])));
        let mask =
            file(image::RgbaImage::from_fn(160, 120, |x, _| image::Rgba([0, 0, 0, if x < 80 { 255 } else { 0 }])));
        let kept = Kept { picture: &picture, mask: Some(&mask) };
        let drawing = PictureRecipe { prompt: "a boat", seed: 1, shown: &[], width: 160, height: 120 };
        let made = image::load_from_memory(&drawing.file(Some(&kept), ImageFormat::Png).unwrap()).unwrap().into_rgb8();
        assert_eq!(made.get_pixel(20, 20).0, [9, 200, 9]);
        assert_ne!(made.get_pixel(140, 20).0, [9, 200, 9]);
    }

    #[test]
    fn a_large_picture_has_the_size_that_was_asked_for() {
        let drawing = PictureRecipe { prompt: "a", seed: 1, shown: &[], width: 1536, height: 1024 };
        let made = image::load_from_memory(&drawing.file(None, ImageFormat::Jpeg).unwrap()).unwrap();
        assert_eq!((made.width(), made.height()), (1536, 1024));
    }
}
