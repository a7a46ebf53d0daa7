//! The colours of a picture, by name and by place: all that the sandbox sees of it.

use std::io::Cursor;

use image::imageops::FilterType;
use image::{ImageReader, Limits};

/// The squares of a picture in a row, and in a column.
pub(crate) const SQUARES: u32 = 4;

/// The most bytes that decoding a picture may take, so that a small file can't fill the memory.
const MOST_DECODED: u64 = 512 << 20;

/// A picture, reduced to a square of 4 by 4 colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The mean colour of each square, row by row.
    pub(crate) squares: Vec<[u8; 3]>,
}

impl Seen {
    /// Reads the file of a picture; `None` if it can't be decoded.
    pub(crate) fn of(file: &[u8]) -> Option<Self> {
        let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().ok()?;
        let mut limits = Limits::default();
        limits.max_alloc = Some(MOST_DECODED);
        reader.limits(limits);
        let small = reader.decode().ok()?.resize_exact(SQUARES, SQUARES, FilterType::Triangle).into_rgb8();
        Some(Self { squares: small.pixels().map(|pixel| pixel.0).collect() })
    }

    /// The names of its colours, each with the number of the square that has it.
    pub(crate) fn colors(&self) -> impl Iterator<Item = (usize, &'static str)> {
        self.squares.iter().map(|&color| name(color)).enumerate()
    }
}

/// A colour's name, as a child would say it.
fn name([red, green, blue]: [u8; 3]) -> &'static str {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let spread = most - least;
    if spread < 28 {
        return match most {
            0..60 => "black",
            60..190 => "gray",
            _ => "white",
        };
    }
    let (r, g, b, range) = (f32::from(red), f32::from(green), f32::from(blue), f32::from(spread));
    let sixth = if most == red {
        ((g - b) / range).rem_euclid(6.0)
    } else if most == green {
        (b - r) / range + 2.0
    } else {
        (r - g) / range + 4.0
    };
    match sixth * 60.0 {
        hue if !(15.0..345.0).contains(&hue) => "red",
        ..45.0 if most < 160 => "brown",
        ..45.0 => "orange",
        ..70.0 => "yellow",
        ..165.0 => "green",
        ..195.0 => "turquoise",
        ..260.0 => "blue",
        ..300.0 => "purple",
        _ => "pink",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_the_names_that_people_give_them() {
        for (color, expected) in [
            ([250, 20, 20], "red"),
            ([120, 70, 20], "brown"),
            ([255, 140, 0], "orange"),
            ([240, 230, 40], "yellow"),
            ([30, 160, 60], "green"),
            ([40, 200, 190], "turquoise"),
            ([30, 60, 220], "blue"),
            ([150, 40, 220], "purple"),
            ([255, 105, 180], "pink"),
            ([10, 10, 10], "black"),
            ([128, 128, 130], "gray"),
            ([250, 250, 245], "white"),
        ] {
            assert_eq!(name(color), expected, "{color:?}");
        }
    }

    #[test]
    fn a_picture_is_seen_square_by_square_and_what_is_none_is_not() {
        let picture =
            image::RgbImage::from_fn(64, 64, |x, _| image::Rgb(if x < 32 { [255, 0, 0] } else { [0, 0, 255] }));
        let mut file = Cursor::new(Vec::new());
        picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
        let seen = Seen::of(file.get_ref()).unwrap();
        let colors: Vec<_> = seen.colors().take(4).collect();
        assert_eq!(colors, [(0, "red"), (1, "red"), (2, "blue"), (3, "blue")]);
        assert_eq!(Seen::of(&file.get_ref()[..40]), None);
        assert_eq!(Seen::of(b"no picture"), None);
    }
}
