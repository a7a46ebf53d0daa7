//! Colours as the eye tells them apart.

use std::sync::Arc;

use crate::document::Rgb;
use crate::error::SearchResult;
use crate::rows::RowSet;
use crate::vectors::{PaletteView, Segment};

/// A colour in CIELAB (CIE 1976, white point D65), in hundredths: L from 0 to 10,000, a and b within about
/// ±12,800. A hundredth is far below what an eye can see, 2.3 units are just noticeable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lab([i16; 3]);

impl Lab {
    /// The colour of sRGB (IEC 61966-2-1).
    pub(crate) fn of(rgb: Rgb) -> Self {
        let [red, green, blue] = rgb.map(|channel| {
            let channel = f64::from(channel) / 255.0;
            if channel <= 0.040_45 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        });
        // To CIE XYZ, in shares of the white point.
        let x = (0.412_456_4 * red + 0.357_576_1 * green + 0.180_437_5 * blue) / 0.950_47;
        let y = 0.212_672_9 * red + 0.715_152_2 * green + 0.072_175_0 * blue;
        let z = (0.019_333_9 * red + 0.119_192_0 * green + 0.950_304_1 * blue) / 1.088_83;
        let [x, y, z] = [x, y, z].map(|share| {
            if share > 216.0 / 24_389.0 { share.cbrt() } else { (24_389.0 / 27.0 * share + 16.0) / 116.0 }
        });
        let hundredths = |value: f64| (value * 100.0).round() as i16;
        Self([hundredths(116.0 * y - 16.0), hundredths(500.0 * (x - y)), hundredths(200.0 * (y - z))])
    }

    pub(crate) fn to_bytes(self) -> [u8; 6] {
        let [l, a, b] = self.0.map(i16::to_le_bytes);
        [l[0], l[1], a[0], a[1], b[0], b[1]]
    }

    #[inline(always)]
    pub(crate) fn from_bytes(bytes: [u8; 6]) -> Self {
        let [l0, l1, a0, a1, b0, b1] = bytes;
        Self([i16::from_le_bytes([l0, l1]), i16::from_le_bytes([a0, a1]), i16::from_le_bytes([b0, b1])])
    }

    /// The square of the distance, in hundredths squared.
    #[inline(always)]
    fn distance_squared(self, other: Self) -> f32 {
        let part = |place: usize| {
            let difference = f32::from(self.0[place]) - f32::from(other.0[place]);
            difference * difference
        };
        part(0) + part(1) + part(2)
    }
}

impl<'a> PaletteView<'a> {
    /// Rows and their colours, as bytes of [`Lab`].
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &'a [[u8; 6]])> {
        let mut start = 0;
        let lab = self.lab;
        self.rows.iter().zip(self.ends).map(move |(&row, &end)| {
            let end = u32::from_le_bytes(end) as usize;
            let colors = lab.get(start..end).unwrap_or_default();
            start = end;
            (u32::from_le_bytes(row), colors)
        })
    }
}

/// The allowed rows that have a colour within `distance` of this one (CIE76: the Euclidean distance in
/// CIELAB), each with the distance of its nearest colour, in no order.
pub(crate) fn near(
    segments: &[Arc<Segment>],
    color: Rgb,
    distance: f32,
    allowed: &RowSet,
) -> SearchResult<Vec<(u32, f32)>> {
    let wanted = Lab::of(color);
    let mut found = Vec::new();
    let limit = (distance * 100.0).powi(2);
    for segment in segments {
        let Some(palette) = segment.palette()? else { continue };
        pulp::Arch::new().dispatch(|| {
            for (row, colors) in palette.iter() {
                let nearest = colors.iter().fold(f32::INFINITY, |nearest, &color| {
                    nearest.min(Lab::from_bytes(color).distance_squared(wanted))
                });
                if nearest <= limit && allowed.contains(row) {
                    found.push((row, nearest.sqrt() / 100.0));
                }
            }
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those of B. Lindbloom's calculator, to a hundredth.
    #[test]
    fn the_primaries_lie_where_cielab_puts_them() {
        let cases = [
            ([0, 0, 0], [0, 0, 0]),
            ([255, 255, 255], [10_000, 0, 0]),
            ([255, 0, 0], [5324, 8009, 6720]),
            ([0, 255, 0], [8773, -8618, 8318]),
            ([0, 0, 255], [3230, 7919, -10_786]),
        ];
        for (rgb, expected) in cases {
            let Lab(lab) = Lab::of(rgb);
            let off = lab.iter().zip(expected).map(|(a, b): (&i16, i16)| (a - b).abs()).max().unwrap();
            assert!(off <= 1, "{rgb:?} is {lab:?}, not {expected:?}");
            assert_eq!(Lab::from_bytes(Lab(lab).to_bytes()), Lab(lab));
        }
    }
}
