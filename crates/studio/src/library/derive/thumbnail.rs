//! Thumbnails.
//!
//! They are lossy WebP, written by libwebp: of what is written in Rust alone, image-webp knows no lossy
//! pictures (a thumbnail of 512 pixels has 216 kB then, not 13), and webp-rust was slower and wrote some
//! pictures wrong.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, codecs::webp::WebPDecoder};
use webp::{Encoder, WebPConfig};

use crate::library::decode::{PictureError, RgbPicture};

/// libwebp's quality, 0 to 100.
const QUALITY: f32 = 75.0;

/// libwebp's effort, 0 to 6. From 3 on it takes three times as long and saves a tenth of the bytes.
const METHOD: i32 = 1;

/// Encodes a picture as WebP.
pub(crate) fn thumbnail(picture: &RgbPicture) -> Result<Vec<u8>, PictureError> {
    let failed = |what: String| PictureError::Damaged(format!("no thumbnail can be made of it: {what}"));
    let mut config = WebPConfig::new().map_err(|()| failed("libwebp does not start".into()))?;
    config.quality = QUALITY;
    config.method = METHOD;
    let encoder = Encoder::from_rgb(&picture.rgb, picture.width, picture.height);
    let encoded = encoder.encode_advanced(&config).map_err(|error| failed(format!("{error:?}")))?;
    Ok(encoded.to_vec())
}

/// Decodes a thumbnail; `None` if it is damaged.
pub(crate) fn read_thumbnail(webp: &[u8]) -> Option<RgbPicture> {
    let decoder = WebPDecoder::new(Cursor::new(webp)).ok()?;
    let (width, height) = decoder.dimensions();
    let rgb = DynamicImage::from_decoder(decoder).ok()?.into_rgb8().into_raw();
    Some(RgbPicture::opaque(width, height, rgb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_shows_its_picture() {
        for (width, height) in [(256, 192), (1, 1), (3, 500)] {
            let pixels = (0..width * height).flat_map(|n| [(n % width) as u8, (n / width) as u8, 200]);
            let picture = RgbPicture::opaque(width, height, pixels.collect());
            let read = read_thumbnail(&thumbnail(&picture).unwrap()).unwrap();
            assert_eq!((read.width, read.height), (width, height));
            let worst = read.rgb.iter().zip(&picture.rgb).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(worst < 48, "{worst}");
        }
        assert_eq!(read_thumbnail(b"RIFF"), None);
    }
}
