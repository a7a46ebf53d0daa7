//! Thumbnails, main colours and a perceptual hash, worked out once when a picture comes in.

mod palette;
mod phash;
mod thumbnail;

pub use palette::{COLOURS, palette};
pub use phash::{distance, phash};
pub(crate) use thumbnail::{read_thumbnail, thumbnail};

use super::decode::{PictureError, RgbPicture};

/// The short side that a picture is read with for all that is worked out of it, in pixels: enough for any of
/// the models that look at pictures.
pub const SHORT_SIDE: u32 = 384;

/// The long side that it is read with.
pub const LONG_SIDE: u32 = 512;

impl RgbPicture {
    /// Scaled down so that its long side is at most this.
    pub(crate) fn within(&self, long_side: u32) -> Result<Self, PictureError> {
        let scale = (f64::from(long_side) / f64::from(self.width.max(self.height))).min(1.0);
        self.resized(super::decode::scaled(self.width, scale), super::decode::scaled(self.height, scale))
    }
}
