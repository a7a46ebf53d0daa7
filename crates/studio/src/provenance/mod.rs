//! The provenance of a made image, written into its file: as an XMP packet, which image programs read, and in PNG also
//! as texts, which anything reads.

mod xmp;

use bytes::Bytes;
use img_parts::jpeg::{Jpeg, JpegSegment, markers};
use img_parts::png::{Png, PngChunk};
use img_parts::riff::{RiffChunk, RiffContent};
use img_parts::webp::{CHUNK_ICCP, CHUNK_VP8L, CHUNK_VP8X, CHUNK_XMP, WebP};

pub use xmp::Facts;

/// The beginning of a segment of JPEG with XMP (XMP specification, part 3, 1.1.3).
const JPEG_XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// The keyword of a text of PNG with XMP (the same, 1.1.5).
const PNG_XMP: &str = "XML:com.adobe.xmp";
/// The most bytes that one segment of JPEG holds, its length included.
const JPEG_SEGMENT: usize = 65_533;

/// The file with these facts in it; unchanged where it is of a format that can't hold them. `None` if it is damaged.
#[must_use]
pub fn write(file: &Bytes, facts: &Facts) -> Option<Bytes> {
    if file.starts_with(b"\x89PNG") {
        return png(file, facts);
    }
    if file.starts_with(b"\xff\xd8") {
        return jpeg(file, facts);
    }
    if file.starts_with(b"RIFF") {
        return webp(file, facts);
    }
    Some(file.clone())
}

fn png(file: &Bytes, facts: &Facts) -> Option<Bytes> {
    let mut png = Png::from_bytes(file.clone()).ok()?;
    let mut texts: Vec<(&str, String)> = facts.texts();
    texts.push((PNG_XMP, facts.packet()));
    // Right behind the header, so that programs find them before the pixels.
    let chunks = texts.iter().map(|(name, text)| PngChunk::new(*b"iTXt", international(name, text)));
    png.chunks_mut().splice(1..1, chunks);
    Some(png.encoder().bytes())
}

/// An `iTXt` chunk: keyword, no compression, no language, no translated keyword, and the text in UTF-8 (PNG, 11.3.3.4).
fn international(name: &str, text: &str) -> Bytes {
    let mut chunk = Vec::with_capacity(name.len() + text.len() + 5);
    chunk.extend_from_slice(name.as_bytes());
    chunk.extend_from_slice(&[0, 0, 0, 0, 0]);
    chunk.extend_from_slice(text.as_bytes());
    chunk.into()
}

fn jpeg(file: &Bytes, facts: &Facts) -> Option<Bytes> {
    let mut jpeg = Jpeg::from_bytes(file.clone()).ok()?;
    let mut packet = JPEG_XMP.to_vec();
    packet.extend_from_slice(facts.packet().as_bytes());
    if packet.len() > JPEG_SEGMENT {
        // Only a prompt can be too long for one segment.
        packet.truncate(JPEG_XMP.len());
        packet.extend_from_slice(facts.shortened().packet().as_bytes());
    }
    if packet.len() > JPEG_SEGMENT {
        return Some(file.clone());
    }
    // Behind the application segments that a reader wants first.
    let place = jpeg.segments().iter().take_while(|segment| segment.marker() == markers::APP0).count();
    jpeg.segments_mut().insert(place, JpegSegment::new_with_contents(markers::APP1, packet.into()));
    Some(jpeg.encoder().bytes())
}

/// XMP needs the extended form, whose header names the chunks that are there and the size (RFC 9649, 2.7).
fn webp(file: &Bytes, facts: &Facts) -> Option<Bytes> {
    const ICC: u8 = 0b0010_0000;
    const ALPHA: u8 = 0b0001_0000;
    const XMP: u8 = 0b0000_0100;
    let mut webp = WebP::from_bytes(file.clone()).ok()?;
    let (width, height) = webp.dimensions()?;
    let packet = RiffChunk::new(CHUNK_XMP, RiffContent::Data(facts.packet().into_bytes().into()));
    let extended = webp.chunk_by_id(CHUNK_VP8X).and_then(|chunk| chunk.content().data().cloned());
    let mut header = match extended {
        Some(header) => header.to_vec(),
        None => {
            let lossless = webp.chunk_by_id(CHUNK_VP8L).and_then(|chunk| chunk.content().data().cloned());
            // Of the lossless form, bit 28 behind the signature says whether there is transparency.
            let alpha = lossless.is_some_and(|data| data.get(4).is_some_and(|byte| byte & 0b1_0000 != 0));
            let icc = webp.chunk_by_id(CHUNK_ICCP).is_some();
            let flags = if alpha { ALPHA } else { 0 } | if icc { ICC } else { 0 };
            let mut header = vec![flags, 0, 0, 0];
            header.extend_from_slice(&(width - 1).to_le_bytes()[..3]);
            header.extend_from_slice(&(height - 1).to_le_bytes()[..3]);
            header
        }
    };
    *header.first_mut()? |= XMP;
    webp.remove_chunks_by_id(CHUNK_VP8X);
    webp.remove_chunks_by_id(CHUNK_XMP);
    webp.chunks_mut().insert(0, RiffChunk::new(CHUNK_VP8X, RiffContent::Data(header.into())));
    webp.chunks_mut().push(packet);
    Some(webp.encoder().bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn facts() -> Facts {
        Facts {
            prompt: "a <kite> & \"water\"".into(),
            sent: "## Subject\na kite".into(),
            model: "gemini:some-model".into(),
            references: vec!["tone: a.jpg (picked)".into()],
            seed: Some(7),
            cost: "$0.04".into(),
            image: "img-1-a1".into(),
            made_at: "2026-11-21T10:00:00Z".into(),
            edited: None,
        }
    }

    fn file(picture: &DynamicImage, format: ImageFormat) -> Bytes {
        let mut file = Cursor::new(Vec::new());
        picture.write_to(&mut file, format).unwrap();
        file.into_inner().into()
    }

    fn opaque() -> DynamicImage {
        DynamicImage::ImageRgb8(RgbImage::from_fn(40, 30, |x, y| Rgb([x as u8, y as u8, 90])))
    }

    fn transparent() -> DynamicImage {
        DynamicImage::ImageRgba8(RgbaImage::from_fn(40, 30, |x, y| {
            Rgba([x as u8, y as u8, 90, if x < 20 { 0 } else { 255 }])
        }))
    }

    #[test]
    fn every_format_holds_the_facts_and_shows_the_same_picture() {
        for (picture, format) in [
            (opaque(), ImageFormat::Png),
            (transparent(), ImageFormat::Png),
            (opaque(), ImageFormat::Jpeg),
            (opaque(), ImageFormat::WebP),
            (transparent(), ImageFormat::WebP),
        ] {
            let before = file(&picture, format);
            let after = write(&before, &facts()).unwrap();
            let text = String::from_utf8_lossy(&after).into_owned();
            for words in [
                "a &lt;kite&gt; &amp; &quot;water&quot;",
                "<atelier:Model>gemini:some-model<",
                "<atelier:Seed>7<",
                "tone: a.jpg",
            ] {
                assert!(text.contains(words), "{format:?} lacks {words}");
            }
            let read = |file: &Bytes| image::load_from_memory_with_format(file, format).unwrap();
            assert_eq!(read(&after).into_rgba8(), read(&before).into_rgba8(), "{format:?}");
        }
    }

    #[test]
    fn a_prompt_too_long_for_a_segment_of_jpeg_is_there_in_part() {
        let long = Facts { prompt: "kite ".repeat(20_000), ..facts() };
        let after = write(&file(&opaque(), ImageFormat::Jpeg), &long).unwrap();
        assert!(String::from_utf8_lossy(&after).contains("<atelier:Seed>7<"));
        image::load_from_memory_with_format(&after, ImageFormat::Jpeg).unwrap();
    }

    #[test]
    fn what_holds_no_facts_stays_as_it_is_and_what_is_damaged_is_said_to_be() {
        let gif = Bytes::from_static(b"GIF89a");
        assert_eq!(write(&gif, &facts()), Some(gif));
        assert_eq!(write(&Bytes::from_static(b"\x89PNG\r\n"), &facts()), None);
    }
}
