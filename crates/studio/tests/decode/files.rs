//! Files in every format, made for these tests.

use std::io::Cursor;

use atelier_studio::library::decode::{DecodeLimits, Decoded, PictureError, PictureReader, RgbPicture};
use image::codecs::{gif::GifEncoder, jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder};

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A picture whose quarters are red and green above blue and white.
pub(crate) fn quarters(width: u32, height: u32) -> Vec<u8> {
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            rgb.extend_from_slice(match (x * 2 < width, y * 2 < height) {
                (true, true) => &[220, 30, 30],
                (false, true) => &[30, 200, 40],
                (true, false) => &[30, 40, 210],
                (false, false) => &[250, 250, 250],
            });
        }
    }
    rgb
}

/// The same with an opacity for each column: half of them are invisible.
fn half_visible(width: u32, height: u32) -> Vec<u8> {
    let rgb = quarters(width, height);
    let column = |n: usize| u32::try_from(n).unwrap() % width;
    rgb.chunks(3)
        .enumerate()
        .flat_map(|(n, p)| [p[0], p[1], p[2], if column(n) * 2 < width { 0 } else { 255 }])
        .collect()
}

pub(crate) fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut file, 90);
    encoder.write_image(&quarters(width, height), width, height, ExtendedColorType::Rgb8).unwrap();
    file
}

pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    PngEncoder::new(&mut file).write_image(&quarters(width, height), width, height, ExtendedColorType::Rgb8).unwrap();
    file
}

pub(crate) fn transparent_png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let pixels = half_visible(width, height);
    PngEncoder::new(&mut file).write_image(&pixels, width, height, ExtendedColorType::Rgba8).unwrap();
    file
}

pub(crate) fn deep_png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let deep: Vec<u8> =
        quarters(width, height).iter().flat_map(|part| u16::from(*part).wrapping_mul(257).to_ne_bytes()).collect();
    PngEncoder::new(&mut file).write_image(&deep, width, height, ExtendedColorType::Rgb16).unwrap();
    file
}

pub(crate) fn webp(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut file);
    encoder.write_image(&quarters(width, height), width, height, ExtendedColorType::Rgb8).unwrap();
    file
}

pub(crate) fn lossy_webp(width: u32, height: u32) -> Vec<u8> {
    webp::Encoder::from_rgb(&quarters(width, height), width, height).encode(80.0).to_vec()
}

pub(crate) fn gif(width: u32, height: u32) -> Vec<u8> {
    gif_of(&[quarters(width, height)], width, height)
}

pub(crate) fn gif_of(pictures: &[Vec<u8>], width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file);
    for picture in pictures {
        encoder.encode(picture, width, height, ExtendedColorType::Rgb8).unwrap();
    }
    drop(encoder);
    file
}

pub(crate) fn heic(width: u32, height: u32) -> Vec<u8> {
    heifer::encode_rgb8(width, height, &quarters(width, height), &heifer::EncodeOptions::default()).unwrap()
}

pub(crate) fn svg(width: u32, height: u32) -> Vec<u8> {
    let (w, h) = (width / 2, height / 2);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><title>Four squares</title>
        <rect width="{w}" height="{h}" fill="#dc1e1e"/><rect x="{w}" width="{w}" height="{h}" fill="#1ec828"/>
        <rect y="{h}" width="{w}" height="{h}" fill="#1e28d2"/><rect x="{w}" y="{h}" width="{w}" height="{h}" fill="#fafafa"/>
        </svg>"##
    )
    .into_bytes()
}

/// Puts a segment behind the first two bytes of a JPEG.
pub(crate) fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, content, &jpeg[2..]].concat()
}

/// EXIF that says nothing but how the picture is turned.
pub(crate) fn orientation(orientation: u16) -> Vec<u8> {
    let entry = [&[0x12, 0x01, 3, 0, 1, 0, 0, 0][..], &orientation.to_le_bytes(), &[0, 0]].concat();
    [b"Exif\0\0II*\0\x08\0\0\0\x01\0".as_slice(), &entry, &[0, 0, 0, 0]].concat()
}

pub(crate) fn reader() -> PictureReader {
    PictureReader::new(DecodeLimits::default())
}

pub(crate) fn read(file: &[u8]) -> Result<Decoded, PictureError> {
    reader().read(file)
}

pub(crate) fn picture(file: &[u8]) -> RgbPicture {
    read(file).unwrap().into_picture(1_000, 1_000).unwrap()
}

pub(crate) fn refused(file: &[u8]) -> PictureError {
    match read(file) {
        Err(error) => error,
        Ok(decoded) => panic!("it was read: {:?}, {} x {}", decoded.format, decoded.width, decoded.height),
    }
}

/// The colours in the middles of the quarters, row by row.
pub(crate) fn middles(picture: &RgbPicture) -> [[u8; 3]; 4] {
    let at = |x: u32, y: u32| {
        let place = ((y * picture.height / 4) * picture.width + x * picture.width / 4) as usize * 3;
        [picture.rgb[place], picture.rgb[place + 1], picture.rgb[place + 2]]
    };
    [at(1, 1), at(3, 1), at(1, 3), at(3, 3)]
}

pub(crate) fn assert_near(found: [[u8; 3]; 4], expected: [[u8; 3]; 4], tolerance: u8) {
    let near = found.as_flattened().iter().zip(expected.as_flattened()).all(|(a, b)| a.abs_diff(*b) <= tolerance);
    assert!(near, "{found:?}, not {expected:?}");
}

pub(crate) const QUARTERS: [[u8; 3]; 4] = [[220, 30, 30], [30, 200, 40], [30, 40, 210], [250, 250, 250]];

/// A chunk of a PNG.
pub(crate) fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let body = [kind.as_slice(), content].concat();
    let mut crc = u32::MAX;
    for byte in &body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    [&u32::try_from(content.len()).unwrap().to_be_bytes()[..], &body, &(!crc).to_be_bytes()].concat()
}

/// A PNG that claims a size and holds next to nothing.
pub(crate) fn claiming_png(width: u32, height: u32, colour_type: u8) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, colour_type, 0, 0, 0]].concat();
    let nothing = b"\x78\x9c\x03\0\0\0\0\x01";
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &header), &chunk(b"IDAT", nothing), &chunk(b"IEND", b"")].concat()
}

/// Every format that is read, as files of some size.
pub(crate) fn all(width: u32, height: u32) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("jpeg", jpeg(width, height)),
        ("png", png(width, height)),
        ("webp", webp(width, height)),
        ("lossy webp", lossy_webp(width, height)),
        ("gif", gif(width, height)),
        ("heic", heic(width, height)),
        ("svg", svg(width, height)),
    ]
}

pub(crate) fn encoded_png(rgb: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    PngEncoder::new(&mut file).write_image(rgb, width, height, ExtendedColorType::Rgb8).unwrap();
    file.into_inner()
}
