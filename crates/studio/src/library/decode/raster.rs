//! Decoded pixels, and the steps from them to a picture on the screen: scale, convert to sRGB, set upright.

use atelier_embed::{PixelBytes, scaled};
use moxcms::{ColorProfile, DataColorSpace, Layout, RenderingIntent, TransformOptions};

use super::error::PictureError;

/// The channels of a pixel, 8 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channels {
    /// Red, green and blue.
    Rgb,
    /// Red, green, blue and opacity; the colours are not multiplied by it.
    Rgba,
    /// Cyan, magenta, yellow and black; 0 is no ink.
    Cmyk,
}

impl Channels {
    const fn count(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }

    /// The fourth channel is opacity only in RGBA: black ink must not weigh the other inks.
    const fn bytes(self) -> PixelBytes {
        match self {
            Self::Rgb => PixelBytes::Three,
            Self::Rgba => PixelBytes::ThreeAndOpacity,
            Self::Cmyk => PixelBytes::Four,
        }
    }
}

/// Pixels as they were decoded, row by row from the top left.
pub(crate) struct Raster {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) channels: Channels,
    pub(crate) pixels: Vec<u8>,
}

/// A picture ready to be shown or measured: sRGB, opaque, upright.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RgbPicture {
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// Red, green and blue, 8 bits each, row by row from the top left: 3 × width × height bytes.
    pub rgb: Vec<u8>,
}

impl Raster {
    /// Refuses pixels that are too few or too many for the size.
    pub(crate) fn new(width: u32, height: u32, channels: Channels, pixels: Vec<u8>) -> Result<Self, PictureError> {
        let expected = u64::from(width) * u64::from(height) * channels.count() as u64;
        if width == 0 || height == 0 {
            return Err(PictureError::Damaged("it has no pixels".into()));
        }
        if pixels.len() as u64 != expected {
            return Err(PictureError::Damaged(format!("{} bytes of pixels where {expected} belong", pixels.len())));
        }
        Ok(Self { width, height, channels, pixels })
    }

    pub(crate) fn resized(self, width: u32, height: u32) -> Result<Self, PictureError> {
        if (width, height) == (self.width, self.height) {
            return Ok(self);
        }
        let bytes = self.channels.bytes();
        let pixels = scaled(&self.pixels, (self.width, self.height), bytes, (width, height)).map_err(unscaled)?;
        Ok(Self { width, height, channels: self.channels, pixels })
    }

    /// Converts to sRGB, by the colour profile if there is one, and lays what is transparent over white. A profile that
    /// can't be used is ignored: better wrong colours than no picture.
    pub(crate) fn into_srgb(self, profile: Option<&[u8]>) -> RgbPicture {
        let Self { width, height, channels, pixels } = self;
        let profile = profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok());
        let rgb = match channels {
            Channels::Cmyk => match profile.and_then(|profile| from_cmyk(&profile, &pixels)) {
                Some(rgb) => rgb,
                None => without_ink(&pixels),
            },
            Channels::Rgb | Channels::Rgba => {
                let rgb = if channels == Channels::Rgba { over_white(&pixels) } else { pixels };
                match profile.and_then(|profile| from_rgb(&profile, &rgb)) {
                    Some(converted) => converted,
                    None => rgb,
                }
            }
        };
        RgbPicture { width, height, rgb }
    }
}

impl RgbPicture {
    pub(crate) fn resized(&self, width: u32, height: u32) -> Result<Self, PictureError> {
        if (width, height) == (self.width, self.height) {
            return Ok(self.clone());
        }
        let size = (self.width, self.height);
        let rgb = scaled(&self.rgb, size, PixelBytes::Three, (width, height)).map_err(unscaled)?;
        Ok(Self { width, height, rgb })
    }

    /// Turns and mirrors as a value of EXIF's Orientation asks; values other than 2 to 8 ask for nothing.
    pub(crate) fn upright(self, orientation: u16) -> Self {
        let (w, h) = (self.width as usize, self.height as usize);
        // From a place in the upright picture to the place of its pixel in this one.
        let from: fn(usize, usize, usize, usize) -> (usize, usize) = match orientation {
            2 => |x, y, w, _| (w - 1 - x, y),
            3 => |x, y, w, h| (w - 1 - x, h - 1 - y),
            4 => |x, y, _, h| (x, h - 1 - y),
            5 => |x, y, _, _| (y, x),
            6 => |x, y, _, h| (y, h - 1 - x),
            7 => |x, y, w, h| (w - 1 - y, h - 1 - x),
            8 => |x, y, w, _| (w - 1 - y, x),
            _ => return self,
        };
        let (width, height) = if orientation >= 5 { (h, w) } else { (w, h) };
        let mut rgb = Vec::with_capacity(self.rgb.len());
        for y in 0..height {
            for x in 0..width {
                let (from_x, from_y) = from(x, y, w, h);
                let place = (from_y * w + from_x) * 3;
                rgb.extend_from_slice(self.rgb.get(place..place + 3).unwrap_or(&[0; 3]));
            }
        }
        let (width, height) = if orientation >= 5 { (self.height, self.width) } else { (self.width, self.height) };
        Self { width, height, rgb }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn unscaled(error: String) -> PictureError {
    PictureError::Damaged(format!("it can't be scaled: {error}"))
}

fn over_white(rgba: &[u8]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(rgba.len() / 4 * 3);
    for [r, g, b, a] in rgba.as_chunks().0 {
        if *a == 255 {
            rgb.extend_from_slice(&[*r, *g, *b]);
        } else {
            let over = |colour: u8| {
                let mixed = u32::from(colour) * u32::from(*a) + 255 * (255 - u32::from(*a));
                u8::try_from((mixed + 127) / 255).unwrap_or(255)
            };
            rgb.extend_from_slice(&[over(*r), over(*g), over(*b)]);
        }
    }
    rgb
}

/// CMYK to RGB without a profile: each ink takes its share of the light, and no more.
fn without_ink(cmyk: &[u8]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(cmyk.len() / 4 * 3);
    for [c, m, y, k] in cmyk.as_chunks().0 {
        let light = |ink: u8| {
            let product = u32::from(255 - ink) * u32::from(255 - *k);
            u8::try_from((product + 127) / 255).unwrap_or(255)
        };
        rgb.extend_from_slice(&[light(*c), light(*m), light(*y)]);
    }
    rgb
}

fn from_rgb(profile: &ColorProfile, rgb: &[u8]) -> Option<Vec<u8>> {
    if profile.color_space != DataColorSpace::Rgb {
        return None;
    }
    convert(profile, Layout::Rgb, rgb, rgb.len())
}

fn from_cmyk(profile: &ColorProfile, cmyk: &[u8]) -> Option<Vec<u8>> {
    if profile.color_space != DataColorSpace::Cmyk {
        return None;
    }
    // moxcms reads four inks from the layout of four channels.
    convert(profile, Layout::Rgba, cmyk, cmyk.len() / 4 * 3)
}

fn convert(profile: &ColorProfile, layout: Layout, pixels: &[u8], bytes: usize) -> Option<Vec<u8>> {
    let options =
        TransformOptions { rendering_intent: RenderingIntent::RelativeColorimetric, ..TransformOptions::default() };
    let transform = profile.create_transform_8bit(layout, &ColorProfile::new_srgb(), Layout::Rgb, options).ok()?;
    let mut rgb = vec![0; bytes];
    transform.transform(pixels, &mut rgb).ok()?;
    Some(rgb)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three pixels wide, two high, each pixel another colour: a b c / d e f.
    fn letters() -> RgbPicture {
        RgbPicture { width: 3, height: 2, rgb: b"aaabbbcccdddeeefff".to_vec() }
    }

    fn text(picture: &RgbPicture) -> String {
        let row = |row: &[u8]| row.iter().step_by(3).map(|byte| char::from(*byte)).collect::<String>();
        picture.rgb.chunks(picture.width as usize * 3).map(row).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn every_orientation_is_set_upright() {
        let expected = ["abc/def", "cba/fed", "fed/cba", "def/abc", "ad/be/cf", "da/eb/fc", "fc/eb/da", "cf/be/ad"];
        for (orientation, expected) in (1..).zip(expected) {
            let upright = letters().upright(orientation);
            assert_eq!(text(&upright), expected, "orientation {orientation}");
            assert_eq!(upright.rgb.len(), (upright.width * upright.height * 3) as usize);
        }
        assert_eq!(letters().upright(0), letters());
        assert_eq!(letters().upright(9), letters());
    }

    #[test]
    fn what_is_transparent_lies_over_white() {
        assert_eq!(
            over_white(&[10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 128]),
            [10, 20, 30, 255, 255, 255, 127, 177, 255]
        );
    }

    #[test]
    fn a_transparent_colour_does_not_bleed_into_its_neighbours() {
        let mut pixels = Vec::new();
        for n in 0..64 {
            pixels.extend_from_slice(if n % 2 == 0 { &[255, 0, 0, 0] } else { &[0, 0, 255, 255] });
        }
        let small = Raster::new(8, 8, Channels::Rgba, pixels).unwrap().resized(1, 1).unwrap();
        assert!(small.pixels[0] < 8, "red was invisible: {:?}", small.pixels);
    }

    #[test]
    fn inks_take_light_away() {
        let cmyk = vec![0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 0, 255, 255, 0];
        let picture = Raster::new(2, 2, Channels::Cmyk, cmyk).unwrap().into_srgb(None);
        assert_eq!(picture.rgb, [255, 255, 255, 0, 255, 255, 0, 0, 0, 255, 0, 0]);
    }

    #[test]
    fn black_ink_is_not_taken_for_opacity() {
        let cmyk = [[200, 0, 0, 0], [200, 0, 0, 255]].concat().repeat(8);
        let small = Raster::new(4, 4, Channels::Cmyk, cmyk).unwrap().resized(1, 1).unwrap();
        assert_eq!(small.pixels[0], 200);
    }

    #[test]
    fn wide_colours_become_srgb() {
        let profile = ColorProfile::new_display_p3().encode().unwrap();
        let raster = || Raster::new(1, 1, Channels::Rgb, vec![200, 100, 50]).unwrap();
        let picture = raster().into_srgb(Some(&profile));
        assert!(picture.rgb[0] > 205, "P3's red is redder than sRGB's: {:?}", picture.rgb);
        assert_eq!(raster().into_srgb(None).rgb, [200, 100, 50]);
        assert_eq!(raster().into_srgb(Some(b"no profile")).rgb, [200, 100, 50]);
        let srgb = raster().into_srgb(Some(&ColorProfile::new_srgb().encode().unwrap())).rgb;
        assert!(srgb.iter().zip([200, 100, 50]).all(|(a, b)| a.abs_diff(b) <= 1), "{srgb:?}");
    }

    #[test]
    fn a_wrong_number_of_pixels_is_damage() {
        assert!(matches!(Raster::new(2, 2, Channels::Rgb, vec![0; 11]), Err(PictureError::Damaged(_))));
        assert!(matches!(Raster::new(0, 2, Channels::Rgb, vec![]), Err(PictureError::Damaged(_))));
    }
}
