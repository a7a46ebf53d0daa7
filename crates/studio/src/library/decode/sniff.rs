//! The format of a file by its first bytes, as names lie.

use super::error::PictureError;
use super::svg;

/// The formats of pictures that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PictureFormat {
    /// JPEG, grey, in colour or for print (CMYK).
    Jpeg,
    /// PNG; of an animation, the picture that stands for it.
    Png,
    /// WebP; of an animation, the first picture.
    WebP,
    /// GIF; of an animation, the first picture.
    Gif,
    /// AVIF, with its opacity.
    Avif,
    /// HEIC, as telephones write it.
    Heic,
    /// SVG, drawn at a size that is fit for looking at.
    Svg,
}

impl PictureFormat {
    /// Every format, in the order in which they are listed to users.
    pub const ALL: [Self; 7] = [Self::Jpeg, Self::Png, Self::WebP, Self::Gif, Self::Avif, Self::Heic, Self::Svg];

    /// The name under which the format is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Avif => "avif",
            Self::Heic => "heic",
            Self::Svg => "svg",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// The endings that names of such files have, the usual one first.
    #[must_use]
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Png => &["png", "apng"],
            Self::WebP => &["webp"],
            Self::Gif => &["gif"],
            Self::Avif => &["avif"],
            Self::Heic => &["heic", "heif", "hif"],
            Self::Svg => &["svg"],
        }
    }
}

/// The number of bytes at the beginning of a file that [`sniff`] looks at.
pub const SNIFFED: usize = 4096;

/// The endings of pictures in formats that are not read. An import reports such a file as refused; a file with any
/// other ending that is no picture is ignored.
pub(crate) const OTHER_EXTENSIONS: [&str; 18] = [
    "bmp", "tif", "tiff", "ico", "jxl", "jp2", "psd", "svgz", "dng", "cr2", "cr3", "nef", "arw", "raf", "orf", "rw2",
    "exr", "hdr",
];

/// The format of a file, from its first [`SNIFFED`] bytes.
///
/// # Errors
/// [`PictureError::Empty`], [`PictureError::NotAPicture`], or [`PictureError::Unsupported`] with the name of a
/// format that is known but not read.
pub fn sniff(head: &[u8]) -> Result<PictureFormat, PictureError> {
    if head.is_empty() {
        return Err(PictureError::Empty);
    }
    let at = |place: usize, bytes: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(bytes));
    if at(0, b"\xff\xd8\xff") {
        return Ok(PictureFormat::Jpeg);
    }
    if at(0, b"\x89PNG\r\n\x1a\n") {
        return Ok(PictureFormat::Png);
    }
    if at(0, b"GIF87a") || at(0, b"GIF89a") {
        return Ok(PictureFormat::Gif);
    }
    if at(0, b"RIFF") && at(8, b"WEBP") {
        return Ok(PictureFormat::WebP);
    }
    if at(4, b"ftyp") {
        return brand(head);
    }
    if svg::looks_like_svg(head) {
        return Ok(PictureFormat::Svg);
    }
    let other = match head {
        _ if at(0, b"BM") && head.len() >= 26 && at(6, b"\0\0\0\0") => "BMP",
        _ if at(0, b"II*\0") || at(0, b"MM\0*") || at(0, b"II+\0") || at(0, b"MM\0+") => {
            "TIFF (or a camera's raw file)"
        }
        _ if at(0, b"\xff\x0a") || at(0, b"\0\0\0\x0cJXL \r\n\x87\n") => "JPEG XL",
        _ if at(0, b"\0\0\0\x0cjP  \r\n\x87\n") || at(0, b"\xff\x4f\xff\x51") => "JPEG 2000",
        _ if at(0, b"8BPS") => "Photoshop's PSD",
        _ if at(0, b"\0\0\x01\0") && head.len() >= 22 => "ICO",
        _ if at(0, b"\x1f\x8b") => "a compressed file (SVGZ, perhaps)",
        _ if at(0, b"%PDF-") => "PDF",
        _ => return Err(PictureError::NotAPicture),
    };
    Err(PictureError::Unsupported(other.to_owned()))
}

/// The format of a file of the ISO base media family (ISO/IEC 14496-12), by the brands that it lists.
fn brand(head: &[u8]) -> Result<PictureFormat, PictureError> {
    let size = head.first_chunk().map_or(0, |size| u32::from_be_bytes(*size) as usize);
    let brands = head.get(8..size.clamp(16, head.len().max(16))).unwrap_or_default();
    // The first is the major brand, the second its version.
    let brands: Vec<&[u8]> = brands.chunks_exact(4).enumerate().filter(|(n, _)| *n != 1).map(|(_, b)| b).collect();
    let has = |wanted: &[&[u8; 4]]| brands.iter().any(|brand| wanted.iter().any(|wanted| *brand == wanted.as_slice()));
    // AVIF first: its files may list `mif1` too, the brand of HEIF in general.
    if has(&[b"avif", b"avis"]) {
        Ok(PictureFormat::Avif)
    } else if has(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1"]) {
        Ok(PictureFormat::Heic)
    } else if has(&[b"crx "]) {
        Err(PictureError::Unsupported("a camera's raw file".to_owned()))
    } else {
        Err(PictureError::Unsupported("a video (or another media file)".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_recognised_by_content() {
        let cases: [(&[u8], PictureFormat); 12] = [
            (b"\xff\xd8\xff\xe0\0\x10JFIF", PictureFormat::Jpeg),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", PictureFormat::Png),
            (b"GIF89a\x01\0\x01\0", PictureFormat::Gif),
            (b"RIFF\x24\0\0\0WEBPVP8 ", PictureFormat::WebP),
            (b"\0\0\0\x18ftypavif\0\0\0\0mif1miaf", PictureFormat::Avif),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", PictureFormat::Avif),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", PictureFormat::Heic),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", PictureFormat::Heic),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", PictureFormat::Svg),
            (
                b"\xef\xbb\xbf <?xml version=\"1.0\"?>\n<!-- a > b -->\n<!DOCTYPE svg [<!ENTITY a \"b\">]>\n<svg>",
                PictureFormat::Svg,
            ),
            (b"<s:svg xmlns:s=\"http://www.w3.org/2000/svg\"/>", PictureFormat::Svg),
            (b"<?xml version='1.0'?><?pi?><svg\twidth='1'>", PictureFormat::Svg),
        ];
        for (head, format) in cases {
            assert_eq!(sniff(head), Ok(format), "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn what_is_known_but_not_read_is_named() {
        let cases: [(&[u8], &str); 5] = [
            (b"II*\0\x08\0\0\0", "TIFF (or a camera's raw file)"),
            (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
            (b"8BPS\0\x01", "Photoshop's PSD"),
            (b"\x1f\x8b\x08\0", "a compressed file (SVGZ, perhaps)"),
            (b"\0\0\0\x18ftypisom\0\0\0\0mp42", "a video (or another media file)"),
        ];
        for (head, name) in cases {
            assert_eq!(sniff(head), Err(PictureError::Unsupported(name.into())));
        }
    }

    #[test]
    fn anything_else_is_no_picture() {
        assert_eq!(sniff(b""), Err(PictureError::Empty));
        for head in [&b"hello"[..], b"\xff\xd8", b"\0\0", b"<html><svg/></html>", b"{\"svg\":1}", b"<svgfoo>", b"BM"] {
            assert_eq!(sniff(head), Err(PictureError::NotAPicture), "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn names_are_read_back() {
        for format in PictureFormat::ALL {
            assert_eq!(PictureFormat::named(format.as_str()), Some(format));
            assert!(!format.extensions().is_empty());
        }
        assert_eq!(PictureFormat::named("tiff"), None);
    }
}
