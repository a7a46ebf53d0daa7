//! Colours in CIELAB, where distances are those that the eye sees.

use crate::document::Rgb;

/// A colour in CIELAB (CIE 1976, white point D65), in hundredths: L from 0 to 10,000, a and b within about
/// ±12,800. A hundredth is far below what an eye can see, 2.3 units are just noticeable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CieLab([i16; 3]);

impl CieLab {
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
    pub(crate) fn distance_squared(self, other: Self) -> f32 {
        let part = |place: usize| {
            let difference = f32::from(self.0[place]) - f32::from(other.0[place]);
            difference * difference
        };
        part(0) + part(1) + part(2)
    }
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
            let CieLab(lab) = CieLab::of(rgb);
            let off = lab.iter().zip(expected).map(|(a, b): (&i16, i16)| (a - b).abs()).max().unwrap();
            assert!(off <= 1, "{rgb:?} is {lab:?}, not {expected:?}");
            assert_eq!(CieLab::from_bytes(CieLab(lab).to_bytes()), CieLab(lab));
        }
    }
}
