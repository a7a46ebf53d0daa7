//! Decoded pictures: cut, scaled, and as numbers for a model.

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions};

use crate::EmbedError;
use crate::model::failed;
use crate::scale::three;

/// Bytes of a pixel: red, green, blue.
pub(crate) const CHANNELS: usize = 3;

/// A decoded picture: RGB, eight bits a channel, row by row from the top left. What was transparent is laid
/// over white before, and what a camera turned is turned back: nothing here decodes files.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    /// A picture of `width` by `height` pixels; `rgb` holds three bytes for each.
    ///
    /// # Errors
    /// [`EmbedError::Picture`] if there is no pixel, or `rgb` is of another length.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self, EmbedError> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || u128::from(pixels) * CHANNELS as u128 != rgb.len() as u128 {
            return Err(EmbedError::Picture { width, height, bytes: rgb.len() });
        }
        Ok(Self { width, height, rgb })
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Three bytes a pixel, row by row from the top left.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The square in its middle that is as wide as its shorter side.
    pub(crate) fn middle(&self) -> Area {
        let side = self.width.min(self.height);
        Area { left: (self.width - side) / 2, top: (self.height - side) / 2, width: side, height: side }
    }

    /// The pixels within `area`, scaled to `width` by `height` with this filter, which widens as it scales down
    /// (as Pillow's do).
    pub(crate) fn scaled(&self, area: Area, width: u32, height: u32, filter: FilterType) -> Result<Self, EmbedError> {
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).crop(
            f64::from(area.left),
            f64::from(area.top),
            f64::from(area.width),
            f64::from(area.height),
        );
        let rgb = three(&self.rgb, (self.width, self.height), (width, height), &options).map_err(failed)?;
        Self::new(width, height, rgb)
    }

    /// The pixels within `area`, unscaled.
    pub(crate) fn cut(&self, area: Area) -> Result<Self, EmbedError> {
        let rows = self.rgb.chunks_exact(self.width as usize * CHANNELS).skip(area.top as usize);
        let (start, length) = (area.left as usize * CHANNELS, area.width as usize * CHANNELS);
        let rgb = rows.take(area.height as usize).flat_map(|row| &row[start..start + length]).copied().collect();
        Self::new(area.width, area.height, rgb)
    }

    /// The colour of a pixel that lies within.
    pub(crate) fn pixel(&self, x: u32, y: u32) -> [u8; CHANNELS] {
        let start = (y as usize * self.width as usize + x as usize) * CHANNELS;
        [self.rgb[start], self.rgb[start + 1], self.rgb[start + 2]]
    }

    /// Its colours as numbers, plane by plane: all of red, all of green, all of blue.
    pub(crate) fn planes(&self, number: impl Fn(usize, u8) -> f32) -> Vec<f32> {
        let plane = |channel: usize| self.rgb.iter().skip(channel).step_by(CHANNELS).map(move |&byte| (channel, byte));
        (0..CHANNELS).flat_map(plane).map(|(channel, byte)| number(channel, byte)).collect()
    }
}

impl std::fmt::Debug for Picture {
    /// Prints the size and not the bytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} x {})", self.width, self.height)
    }
}

/// A rectangle within a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_another_length_are_no_picture() {
        for (width, height, bytes) in [(0, 0, 0), (0, 5, 0), (2, 2, 11), (2, 2, 13), (u32::MAX, u32::MAX, 12)] {
            let error = Picture::new(width, height, vec![0; bytes]).unwrap_err();
            assert_eq!(error.code(), "picture-invalid", "{width} {height} {bytes}");
        }
        let error = Picture::new(2, 3, vec![0; 17]).unwrap_err();
        assert_eq!(error.to_string(), "a picture of 2 by 3 pixels needs 18, not 17 bytes of RGB");
    }

    #[test]
    fn the_middle_is_a_square_of_the_shorter_side() {
        let middle = |width: u32, height: u32| {
            let picture = Picture::new(width, height, vec![0; (width * height) as usize * CHANNELS]).unwrap();
            let Area { left, top, width, height } = picture.middle();
            (left, top, width, height)
        };
        assert_eq!(middle(7, 4), (1, 0, 4, 4));
        assert_eq!(middle(4, 9), (0, 2, 4, 4));
        assert_eq!(middle(3, 3), (0, 0, 3, 3));
    }

    #[test]
    fn planes_hold_one_colour_each() {
        let picture = Picture::new(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(picture.planes(|_, byte| f32::from(byte)), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
