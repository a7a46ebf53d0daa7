//! What every decoder gives back.

use super::limits::Share;
use super::raster::Raster;
use crate::library::metadata::Metadata;

/// What a decoder found in a file.
pub(super) struct DecoderOutput {
    pub(super) raster: Raster,
    pub(super) profile: Option<Vec<u8>>,
    pub(super) exif: Option<Vec<u8>>,
    pub(super) xmp: Option<Vec<u8>>,
    pub(super) iptc: Option<Vec<u8>>,
    /// The size that it says it has, where that is not the size of its pixels.
    pub(super) size: Option<(u32, u32)>,
    /// How the format itself says that the picture is turned, whatever EXIF says.
    pub(super) orientation: Option<u16>,
    /// What the format itself says in words.
    pub(super) words: Metadata,
    _share: Share,
}

impl DecoderOutput {
    pub(super) fn new(raster: Raster, share: Share) -> Self {
        Self {
            raster,
            profile: None,
            exif: None,
            xmp: None,
            iptc: None,
            size: None,
            orientation: None,
            words: Metadata::default(),
            _share: share,
        }
    }
}
