//! The result that all decoders share.

use super::limits::Share;
use super::raster::Raster;
use crate::library::metadata::Metadata;

/// The pixels of a file as they were decoded, and the blocks of metadata beside them.
pub(super) struct DecoderOutput {
    pub(super) raster: Raster,
    pub(super) profile: Option<Vec<u8>>,
    pub(super) exif: Option<Vec<u8>>,
    pub(super) xmp: Option<Vec<u8>>,
    pub(super) iptc: Option<Vec<u8>>,
    /// The size that the file gives, where the pixels have another: a drawing is drawn larger or smaller.
    pub(super) size: Option<(u32, u32)>,
    /// The orientation (EXIF's numbers) by the container, which goes before that of EXIF.
    pub(super) orientation: Option<u16>,
    /// Words that the format has a place for by itself.
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
