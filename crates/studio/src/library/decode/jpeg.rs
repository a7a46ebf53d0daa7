//! JPEG: grey, in colour, and the four inks of print.

use zune_jpeg::errors::{DecodeErrors, UnsupportedSchemes};
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::error::PictureError;
use super::limits::DecodeBudget;
use super::output::DecoderOutput;
use super::raster::{Channels, Raster};

pub(super) fn read(bytes: &[u8], budget: &DecodeBudget) -> Result<DecoderOutput, PictureError> {
    let frame = Frame::of(bytes)?;
    budget.limits.check(frame.width, frame.height)?;
    let pixels = u64::from(frame.width) * u64::from(frame.height);
    // A progressive file is held as coefficients, of two bytes each, until its last scan.
    let components = u64::from(frame.components);
    let share = budget.take(pixels * if frame.progressive { components * 3 } else { components.max(3) })?;

    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(fault)?;
    // Inks are left as they are: their profile knows them better than the decoder does.
    let inks = match decoder.input_colorspace() {
        Some(inks @ (ColorSpace::CMYK | ColorSpace::YCCK)) if frame.components == 4 => Some(inks),
        _ => None,
    };
    if let Some(inks) = inks {
        decoder.set_options(options.jpeg_set_out_colorspace(inks));
    }
    let mut pixels = decoder.decode().map_err(fault)?;
    if let Some(inks) = inks {
        into_cmyk(&mut pixels, inks == ColorSpace::YCCK, frame.adobe);
    }
    let channels = if inks.is_some() { Channels::Cmyk } else { Channels::Rgb };
    let mut output = DecoderOutput::new(Raster::new(frame.width.into(), frame.height.into(), channels, pixels)?, share);
    output.profile = decoder.icc_profile();
    output.exif = decoder.exif().cloned();
    output.xmp = decoder.xmp().cloned();
    output.iptc = decoder.iptc().cloned();
    Ok(output)
}

/// The header of the picture, from the segments before the first scan.
struct Frame {
    width: u16,
    height: u16,
    components: u8,
    progressive: bool,
    /// True if the file has Adobe's marker: inks are stored inverted then.
    adobe: bool,
}

impl Frame {
    /// Walks over the segments to the first scan, and looks for the mark at the end of the picture: without
    /// it the file was cut, and what is missing would be kept as grey.
    fn of(bytes: &[u8]) -> Result<Self, PictureError> {
        let mut frame = None;
        let mut adobe = false;
        let mut place = 2;
        loop {
            // Any number of 0xff may stand before a marker's code.
            let rest = bytes.get(place..).ok_or(PictureError::Truncated)?;
            let fill = rest.iter().take_while(|byte| **byte == 0xff).count();
            let code = *rest.get(fill).ok_or(PictureError::Truncated)?;
            if fill == 0 {
                // Some writers leave bytes between segments, which readers skip.
                place += 1;
                continue;
            }
            place += fill + 1;
            if matches!(code, 0x00 | 0x01 | 0xd0..=0xd8) {
                continue;
            }
            if code == 0xd9 {
                return Err(PictureError::Damaged("it ends before its picture begins".into()));
            }
            let segment = segment(bytes, place)?;
            match code {
                0xc0..=0xcf if !matches!(code, 0xc4 | 0xc8 | 0xcc) => frame = Some(Self::from_header(code, segment)?),
                0xee => adobe |= segment.starts_with(b"Adobe"),
                0xda => {
                    place += 2 + segment.len();
                    break;
                }
                _ => {}
            }
            place += 2 + segment.len();
        }
        let frame = frame.ok_or_else(|| PictureError::Damaged("its size is not given".into()))?;
        let ends = bytes.get(place..).is_some_and(|scans| scans.windows(2).rev().any(|pair| pair == [0xff, 0xd9]));
        if ends { Ok(Self { adobe, ..frame }) } else { Err(PictureError::Truncated) }
    }

    fn from_header(code: u8, segment: &[u8]) -> Result<Self, PictureError> {
        let [_, h1, h0, w1, w0, components, ..] = *segment else {
            return Err(PictureError::Damaged("its header is too short".into()));
        };
        let (height, width) = (u16::from_be_bytes([h1, h0]), u16::from_be_bytes([w1, w0]));
        Ok(Self { width, height, components, progressive: matches!(code, 0xc2 | 0xc6 | 0xca | 0xce), adobe: false })
    }
}

/// The segment whose length stands at this place.
fn segment(bytes: &[u8], place: usize) -> Result<&[u8], PictureError> {
    let length = bytes.get(place..).and_then(|rest| rest.first_chunk()).ok_or(PictureError::Truncated)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length < 2 {
        return Err(PictureError::Damaged("a segment is shorter than its own length".into()));
    }
    bytes.get(place + 2..place + length).ok_or(PictureError::Truncated)
}

/// From what is stored to inks of which 0 is none.
fn into_cmyk(pixels: &mut [u8], ycck: bool, adobe: bool) {
    for pixel in pixels.as_chunks_mut::<4>().0 {
        if ycck {
            let [y, cb, cr] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
            let (cb, cr) = (cb - 128.0, cr - 128.0);
            let light = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
            for (ink, light) in pixel.iter_mut().zip(light) {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped to a byte")]
                let light = light.round().clamp(0.0, 255.0) as u8;
                *ink = 255 - light;
            }
        }
        if adobe {
            for ink in pixel {
                *ink = 255 - *ink;
            }
        }
    }
}

fn fault(error: DecodeErrors) -> PictureError {
    match error {
        DecodeErrors::Unsupported(scheme) => {
            let what = match scheme {
                UnsupportedSchemes::ExtendedSequentialDctArithmetic
                | UnsupportedSchemes::ProgressiveDctArithmetic
                | UnsupportedSchemes::LosslessArithmetic => "arithmetic-coded JPEG",
                UnsupportedSchemes::LosslessHuffman => "lossless JPEG",
                UnsupportedSchemes::ExtendedSequentialHuffman => "extended JPEG",
            };
            PictureError::Unsupported(what.to_owned())
        }
        DecodeErrors::ExhaustedData | DecodeErrors::IoErrors(_) => PictureError::Truncated,
        error => PictureError::Damaged(plain(&error)),
    }
}

/// The decoder's words in one line.
fn plain(error: &DecodeErrors) -> String {
    let text = format!("{error:?}");
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_matches('"').to_owned()
}
