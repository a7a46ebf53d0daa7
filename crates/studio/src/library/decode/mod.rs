//! From the bytes of a file to a picture.
//!
//! Files come from strangers, so the content decides the format and not the name, sizes are checked before memory
//! is taken for pixels, and what all decoders hold at the same time is counted. A decoder that panics has met a
//! damaged file, no more.

mod avif;
mod error;
mod heic;
mod jpeg;
mod limits;
mod output;
mod raster;
mod sniff;
mod stills;
mod svg;
mod svg_cost;

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::metadata::{self, Metadata};
pub use error::PictureError;
use limits::DecodeBudget;
pub use limits::DecodeLimits;
use output::DecoderOutput;
pub use raster::RgbPicture;
pub(crate) use raster::{OPAQUE, RgbaPicture};
pub(crate) use sniff::OTHER_EXTENSIONS;
pub use sniff::{PictureFormat, SNIFFED, sniff};
use svg::SvgRenderer;

/// Reads pictures of every format. Cheap to clone; clones share the memory that they may take.
#[derive(Clone, Debug)]
pub struct PictureReader {
    budget: DecodeBudget,
    renderer: SvgRenderer,
}

/// A file that was decoded. It holds a share of the reader's memory: drop it soon, and before the same thread reads
/// another.
pub struct Decoded {
    /// The format that its content shows.
    pub format: PictureFormat,
    /// The width in pixels once the picture is upright.
    pub width: u32,
    /// The height in pixels once the picture is upright.
    pub height: u32,
    /// Caption, keywords and date from the file.
    pub metadata: Metadata,
    output: DecoderOutput,
    orientation: u16,
}

impl PictureReader {
    /// Makes a reader with these limits.
    #[must_use]
    pub fn new(limits: DecodeLimits) -> Self {
        Self { budget: DecodeBudget::new(limits), renderer: SvgRenderer::default() }
    }

    /// The limits that it was made with.
    #[must_use]
    pub const fn limits(&self) -> &DecodeLimits {
        &self.budget.limits
    }

    /// Decodes a file. It blocks: it is bound by the processor, and may wait for memory that others hold.
    ///
    /// # Errors
    /// [`PictureError`] says why the file is no picture that can be kept.
    pub fn read(&self, bytes: &[u8]) -> Result<Decoded, PictureError> {
        let size = bytes.len() as u64;
        let limit = self.budget.limits.max_bytes;
        if size > limit {
            return Err(PictureError::TooManyBytes { bytes: size, limit });
        }
        let format = sniff(bytes.get(..SNIFFED).unwrap_or(bytes))?;
        let decode = || match format {
            PictureFormat::Jpeg => jpeg::read(bytes, &self.budget),
            PictureFormat::Png => stills::png(bytes, &self.budget),
            PictureFormat::WebP => stills::webp(bytes, &self.budget),
            PictureFormat::Gif => stills::gif(bytes, &self.budget),
            PictureFormat::Avif => avif::read(bytes, &self.budget),
            PictureFormat::Heic => heic::read(bytes, &self.budget),
            PictureFormat::Svg => svg::read(bytes, &self.budget, &self.renderer),
        };
        let output = catch_unwind(AssertUnwindSafe(decode))
            .unwrap_or_else(|_| Err(PictureError::Damaged("its decoder gave up on it".into())))?;
        Ok(Decoded::new(format, output))
    }
}

impl Decoded {
    fn new(format: PictureFormat, output: DecoderOutput) -> Self {
        let (orientation, metadata) =
            metadata::gather(output.exif.as_deref(), output.xmp.as_deref(), output.iptc.as_deref(), &output.words);
        let orientation = output.orientation.unwrap_or(orientation);
        let (width, height) = output.size.unwrap_or((output.raster.width, output.raster.height));
        let (width, height) = if orientation >= 5 { (height, width) } else { (width, height) };
        Self { format, width, height, metadata, output, orientation }
    }

    /// The picture, upright, every pixel as the file has it.
    pub(crate) fn into_rgba(self) -> RgbaPicture {
        self.output.raster.into_rgba(self.output.profile.as_deref(), self.orientation)
    }

    /// The picture, upright, opaque and in sRGB, scaled down so that its short side is `short` or its long
    /// side `long`, whichever leaves more of it. It is never scaled up.
    ///
    /// # Errors
    /// [`PictureError::Damaged`] if it can't be scaled.
    pub fn into_picture(self, short: u32, long: u32) -> Result<RgbPicture, PictureError> {
        let raster = self.output.raster;
        let (width, height) = fit(raster.width, raster.height, short, long);
        let raster = raster.resized(width, height)?;
        Ok(raster.into_srgb(self.output.profile.as_deref()).upright(self.orientation))
    }
}

/// The size of a picture of this size once its short side is at most `short` or its long side at most `long`,
/// whichever is the larger picture.
fn fit(width: u32, height: u32, short: u32, long: u32) -> (u32, u32) {
    let (least, most) = (f64::from(width.min(height)), f64::from(width.max(height)));
    let scale = (f64::from(short) / least).max(f64::from(long) / most).min(1.0);
    (scaled(width, scale), scaled(height, scale))
}

/// A side after scaling, at least one pixel.
pub(crate) fn scaled(side: u32, scale: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped to what it was")]
    let side = (f64::from(side) * scale).round().clamp(1.0, f64::from(side.max(1))) as u32;
    side
}
