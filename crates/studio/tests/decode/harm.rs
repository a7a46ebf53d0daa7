//! Files that would do harm.

use atelier_studio::library::decode::{DecodeLimits, PictureError, PictureReader};
use proptest::prelude::*;

use crate::files::*;

#[test]
fn a_tiny_file_that_claims_a_huge_picture_is_refused_before_memory_is_taken() {
    let claim = claiming_png(60_000, 60_000, 2);
    assert!(claim.len() < 100);
    let expected = PictureError::TooLarge { width: 60_000, height: 60_000, limit: 200_000_000 };
    assert_eq!(refused(&claim), expected);
    assert!(matches!(refused(&claiming_png(u32::MAX >> 1, u32::MAX >> 1, 6)), PictureError::TooLarge { .. }));
    // Few enough pixels, but of too many bytes.
    let frugal = PictureReader::new(DecodeLimits { max_memory: 100_000_000, ..DecodeLimits::default() });
    let error = frugal.read(&claiming_png(6_000, 5_000, 6)).map(|_| ()).unwrap_err();
    assert_eq!(error, PictureError::NeedsMemory { bytes: 120_000_000, limit: 100_000_000 });
    let mut gif = gif(8, 8);
    gif[6..10].fill(0xff);
    assert!(matches!(refused(&gif), PictureError::TooLarge { .. }));
    let mut jpeg = jpeg(64, 64);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    assert!(matches!(refused(&jpeg), PictureError::TooLarge { width: 65_535, height: 65_535, .. }));
}

#[test]
fn heic_and_avif_that_claim_huge_pictures_are_refused() {
    for file in [heic(64, 64), fixture("colour.avif")] {
        let at = file.windows(4).position(|part| part == b"ispe").unwrap();
        let mut claim = file.clone();
        claim[at + 8..at + 16].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        assert!(matches!(refused(&claim), PictureError::TooLarge { width: 65_536, .. }));
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let mut files = all(48, 40);
    files.push(("avif", fixture("colour.avif")));
    files.push(("avif with opacity", fixture("alpha-10-bit.avif")));
    files.push(("progressive jpeg", fixture("progressive.jpg")));
    files.push(("cmyk jpeg", fixture("cmyk.jpg")));
    let reader = reader();
    for (name, file) in files {
        let step = (file.len() / 150).max(1);
        // The last bytes of some formats say nothing of the picture.
        for end in (0..file.len() - file.len() / 20 - 1).step_by(step) {
            assert!(reader.read(&file[..end]).is_err(), "{name}, cut at {end} of {}", file.len());
        }
    }
}

#[test]
fn a_file_that_is_cut_says_so() {
    for (name, file) in all(64, 48).into_iter().filter(|(name, _)| !name.contains("webp") && *name != "svg") {
        let error = refused(&file[..file.len() * 3 / 4]);
        assert!(matches!(error, PictureError::Truncated | PictureError::Damaged(_)), "{name}: {error}");
    }
    assert_eq!(refused(&jpeg(64, 48)[..700]), PictureError::Truncated);
    assert_eq!(refused(&png(64, 48)[..90]), PictureError::Truncated);
    assert_eq!(refused(&svg(64, 48)[..200]), PictureError::Truncated);
    assert_eq!(refused(&[]), PictureError::Empty);
}

#[test]
fn a_picture_that_is_larger_than_is_read_is_refused_by_its_size() {
    let reader = PictureReader::new(DecodeLimits { max_bytes: 1_000, ..DecodeLimits::default() });
    let file = vec![0xff; 1_001];
    let error = reader.read(&file).map(|_| ()).unwrap_err();
    assert_eq!(error, PictureError::TooManyBytes { bytes: 1_001, limit: 1_000 });
}

/// What decodes within the limits is right; what does not is refused; nothing else happens.
fn survives(reader: &PictureReader, file: &[u8]) {
    if let Ok(decoded) = reader.read(file) {
        let (width, height) = (decoded.width, decoded.height);
        let picture = decoded.into_picture(64, 64).unwrap();
        assert_eq!(picture.rgb.len(), (picture.width * picture.height * 3) as usize, "{width} x {height}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn damage_of_any_kind_harms_nothing(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let reader = PictureReader::new(DecodeLimits { max_pixels: 4_000_000, ..DecodeLimits::default() });
        let mut files = all(40, 24);
        files.extend(["colour.avif", "alpha-10-bit.avif", "cmyk.jpg", "progressive.jpg"].map(|name| (name, fixture(name))));
        for (_, mut file) in files {
            for (place, byte) in &damage {
                let place = place.index(file.len());
                file[place] = *byte;
            }
            if let Some(cut) = &cut {
                file.truncate(cut.index(file.len()));
            }
            survives(&reader, &file);
        }
    }

    #[test]
    fn bytes_of_any_kind_harm_nothing(start in 0..9_usize, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let starts: [&[u8]; 9] = [
            b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x10\x00\x00\x00WEBPVP8 ",
            b"\0\0\0\x18ftypavif\0\0\0\0mif1miaf", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"<svg ", b"<?xml ",
        ];
        let reader = PictureReader::new(DecodeLimits { max_pixels: 4_000_000, ..DecodeLimits::default() });
        survives(&reader, &[starts[start], &bytes].concat());
    }
}
