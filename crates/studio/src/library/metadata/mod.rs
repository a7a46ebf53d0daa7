//! Metadata that files carry about their pictures: EXIF, IPTC and XMP.
//!
//! All of it is optional and often damaged. What can't be read is ignored: it is no reason to refuse a picture.

mod exif;
mod fields;
mod iptc;
mod xmp;

pub use fields::Metadata;
pub(crate) use xmp::read as read_xmp;

/// EXIF's Orientation (1 to 8), and the metadata of all blocks: XMP goes before IPTC, IPTC before EXIF, and `words`,
/// from the format itself, come last.
pub(crate) fn gather(
    exif: Option<&[u8]>,
    xmp: Option<&[u8]>,
    iptc: Option<&[u8]>,
    words: &Metadata,
) -> (u16, Metadata) {
    let exif = exif.and_then(exif::read).unwrap_or_default();
    let xmp = xmp.and_then(read_xmp).unwrap_or_default();
    let iptc = iptc.map(iptc::read).unwrap_or_default();
    (exif.orientation, xmp.or(&iptc).or(&exif.metadata).or(words))
}
