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

/// A picture to be worked on: upright, every pixel as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RgbaPicture {
    /// The width in pixels.
    pub(crate) width: u32,
    /// The height in pixels.
    pub(crate) height: u32,
    /// Red, green, blue and opacity, 8 bits each, row by row from the top left; colours not multiplied by it.
    pub(crate) rgba: Vec<u8>,
    /// The ICC profile of its colours; sRGB if there is none.
    pub(crate) profile: Option<Vec<u8>>,
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
    /// How opaque each pixel was in the file, where some were not: their colour is the ground's, and no colour of the
    /// picture.
    pub opacity: Option<Vec<u8>>,
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

    /// The pixels as they are, upright, with the profile that their colours are meant by. Inks become sRGB.
    pub(crate) fn into_rgba(self, profile: Option<&[u8]>, orientation: u16) -> RgbaPicture {
        let (width, height) = (self.width, self.height);
        let opaque = |rgb: &[u8]| rgb.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect();
        let (rgba, profile): (Vec<u8>, _) = match self.channels {
            Channels::Rgba => (self.pixels, profile),
            Channels::Rgb => (opaque(&self.pixels), profile),
            Channels::Cmyk => (opaque(&self.into_srgb(profile).rgb), None),
        };
        // A profile that no program can use is none.
        let is_rgb = |bytes: &&[u8]| {
            ColorProfile::new_from_slice(bytes).is_ok_and(|profile| profile.color_space == DataColorSpace::Rgb)
        };
        let profile = profile.filter(is_rgb).map(<[u8]>::to_vec);
        let (width, height, rgba) = upright::<4>(width, height, rgba, orientation);
        RgbaPicture { width, height, rgba, profile }
    }

    /// Converts to sRGB, by the colour profile if there is one, and lays what is transparent over white. A profile that
    /// can't be used is ignored: better wrong colours than no picture.
    pub(crate) fn into_srgb(self, profile: Option<&[u8]>) -> RgbPicture {
        let Self { width, height, channels, pixels } = self;
        let profile = profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok());
        let opacity: Option<Vec<u8>> = match channels {
            Channels::Rgba => Some(pixels.iter().skip(3).step_by(4).copied().collect()),
            Channels::Rgb | Channels::Cmyk => None,
        };
        let opacity = opacity.filter(|opacity| opacity.iter().any(|opacity| *opacity < OPAQUE));
        let rgb = match channels {
            Channels::Cmyk => match profile.and_then(|profile| from_cmyk(&profile, &pixels)) {
                Some(rgb) => rgb,
                None => without_ink(&pixels),
            },
            Channels::Rgb | Channels::Rgba => {
                let rgb = if channels == Channels::Rgba { over_ground(&pixels) } else { pixels };
                match profile.and_then(|profile| from_rgb(&profile, &rgb)) {
                    Some(converted) => converted,
                    None => rgb,
                }
            }
        };
        RgbPicture { width, height, rgb, opacity }
    }
}

impl RgbPicture {
    /// A picture without transparency.
    #[must_use]
    pub const fn opaque(width: u32, height: u32, rgb: Vec<u8>) -> Self {
        Self { width, height, rgb, opacity: None }
    }

    pub(crate) fn resized(&self, width: u32, height: u32) -> Result<Self, PictureError> {
        if (width, height) == (self.width, self.height) {
            return Ok(self.clone());
        }
        let size = (self.width, self.height);
        let rgb = scaled(&self.rgb, size, PixelBytes::Three, (width, height)).map_err(unscaled)?;
        // By the nearest: it only decides which pixels are looked at.
        let opacity = self.opacity.as_ref().map(|opacity| {
            let at = |place: u32, side: u32, of: u32| (u64::from(place) * u64::from(of) / u64::from(side)) as usize;
            let rows = (0..height).map(|y| at(y, height, self.height) * self.width as usize);
            let pixels = rows.flat_map(|row| (0..width).map(move |x| row + at(x, width, self.width)));
            pixels.map(|place| opacity.get(place).copied().unwrap_or(255)).collect()
        });
        Ok(Self { width, height, rgb, opacity })
    }

    /// Turns and mirrors as a value of EXIF's Orientation asks; values other than 2 to 8 ask for nothing.
    pub(crate) fn upright(self, orientation: u16) -> Self {
        let opacity = self.opacity.map(|opacity| upright::<1>(self.width, self.height, opacity, orientation).2);
        let (width, height, rgb) = upright::<3>(self.width, self.height, self.rgb, orientation);
        Self { width, height, rgb, opacity }
    }
}

impl RgbaPicture {
    /// Cut in the middle to the shape of a picture of this size, and scaled to it.
    pub(crate) fn covering(self, width: u32, height: u32) -> Result<Self, PictureError> {
        let scale = (f64::from(width) / f64::from(self.width)).max(f64::from(height) / f64::from(self.height));
        let side = |side: u32, most: u32| ((f64::from(side) / scale).round() as u32).clamp(1, most);
        let (cut_width, cut_height) = (side(width, self.width), side(height, self.height));
        let (left, top) = ((self.width - cut_width) as usize / 2, (self.height - cut_height) as usize / 2);
        let rgba = if (cut_width, cut_height) == (self.width, self.height) {
            self.rgba
        } else {
            let rows = self.rgba.chunks_exact(self.width as usize * 4).skip(top).take(cut_height as usize);
            rows.flat_map(|row| &row[left * 4..(left + cut_width as usize) * 4]).copied().collect()
        };
        let rgba = if (cut_width, cut_height) == (width, height) {
            rgba
        } else {
            let bytes = PixelBytes::ThreeAndOpacity;
            scaled(&rgba, (cut_width, cut_height), bytes, (width, height)).map_err(unscaled)?
        };
        Ok(Self { width, height, rgba, profile: self.profile })
    }

    /// The same with its colours meant by another profile; sRGB if none.
    pub(crate) fn in_colors_of(mut self, profile: Option<&[u8]>) -> Self {
        let read = |bytes: &[u8]| ColorProfile::new_from_slice(bytes).ok();
        let (from, to) = (self.profile.as_deref().and_then(read), profile.and_then(read));
        if from.is_some() || to.is_some() {
            let (from, to) = (from.unwrap_or_else(ColorProfile::new_srgb), to.unwrap_or_else(ColorProfile::new_srgb));
            let options = TransformOptions {
                rendering_intent: RenderingIntent::RelativeColorimetric,
                ..TransformOptions::default()
            };
            let mut converted = vec![0; self.rgba.len()];
            if let Ok(transform) = from.create_transform_8bit(Layout::Rgba, &to, Layout::Rgba, options)
                && transform.transform(&self.rgba, &mut converted).is_ok()
            {
                self.rgba = converted;
            }
        }
        self.profile = profile.map(<[u8]>::to_vec);
        self
    }
}

/// Turns and mirrors pixels of `N` bytes as a value of EXIF's Orientation asks; values other than 2 to 8 ask for nothing.
/// The size and the pixels afterwards.
fn upright<const N: usize>(width: u32, height: u32, pixels: Vec<u8>, orientation: u16) -> (u32, u32, Vec<u8>) {
    let (w, h) = (width as usize, height as usize);
    // From a place in the upright picture to the place of its pixel in this one.
    let from: fn(usize, usize, usize, usize) -> (usize, usize) = match orientation {
        2 => |x, y, w, _| (w - 1 - x, y),
        3 => |x, y, w, h| (w - 1 - x, h - 1 - y),
        4 => |x, y, _, h| (x, h - 1 - y),
        5 => |x, y, _, _| (y, x),
        6 => |x, y, _, h| (y, h - 1 - x),
        7 => |x, y, w, h| (w - 1 - y, h - 1 - x),
        8 => |x, y, w, _| (w - 1 - y, x),
        _ => return (width, height, pixels),
    };
    let (width, height) = if orientation >= 5 { (height, width) } else { (width, height) };
    let mut turned = Vec::with_capacity(pixels.len());
    for y in 0..height as usize {
        for x in 0..width as usize {
            let (from_x, from_y) = from(x, y, w, h);
            let place = (from_y * w + from_x) * N;
            turned.extend_from_slice(pixels.get(place..place + N).unwrap_or(&[0; N]));
        }
    }
    (width, height, turned)
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn unscaled(error: String) -> PictureError {
    PictureError::Damaged(format!("it can't be scaled: {error}"))
}

/// A pixel that is less opaque than this shows more of the ground than of the picture.
pub(crate) const OPAQUE: u8 = 128;
/// What transparent pictures lie over: white, or grey where what can be seen is so light that it would be lost.
const GROUNDS: [u8; 2] = [255, 128];
/// The mean lightness, of 255, from which on a picture counts as light.
const LIGHT: u64 = 190;

/// Lays a picture over a ground on which it can be seen.
fn over_ground(rgba: &[u8]) -> Vec<u8> {
    let (mut light, mut opaque) = (0_u64, 0_u64);
    for [r, g, b, a] in rgba.as_chunks().0 {
        light += (u64::from(*r) + u64::from(*g) + u64::from(*b)) / 3 * u64::from(*a);
        opaque += u64::from(*a);
    }
    let see_through = opaque < 255 * (rgba.len() as u64 / 4);
    let ground = GROUNDS[usize::from(see_through && light.checked_div(opaque).is_some_and(|mean| mean >= LIGHT))];
    let mut rgb = Vec::with_capacity(rgba.len() / 4 * 3);
    for [r, g, b, a] in rgba.as_chunks().0 {
        if *a == 255 {
            rgb.extend_from_slice(&[*r, *g, *b]);
        } else {
            let over = |colour: u8| {
                let mixed = u32::from(colour) * u32::from(*a) + u32::from(ground) * (255 - u32::from(*a));
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
        RgbPicture::opaque(3, 2, b"aaabbbcccdddeeefff".to_vec())
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
    fn what_is_transparent_lies_over_a_ground_on_which_it_can_be_seen() {
        assert_eq!(over_ground(&[250, 250, 250, 255, 0, 0, 0, 0]), [250, 250, 250, 128, 128, 128]);
        assert_eq!(
            over_ground(&[10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 128]),
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
