//! What a file says of its own picture: EXIF, IPTC and XMP.
//!
//! All of it is optional and often damaged. What can't be read is passed over: it is no reason to refuse a
//! picture.

mod exif;
mod fields;
mod iptc;
mod xmp;

pub use fields::Metadata;
pub(crate) use xmp::read as read_xmp;

/// How the picture is turned (EXIF's Orientation, 1 to 8), and what is said of it. XMP comes before IPTC,
/// that before EXIF, and what the format itself says comes last.
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
