//! Every format becomes the picture that it holds.

use atelier_studio::library::decode::PictureFormat;
use moxcms::ColorProfile;

use crate::files::*;

#[test]
fn every_format_is_read_by_its_content() {
    let formats = [
        PictureFormat::Jpeg,
        PictureFormat::Png,
        PictureFormat::WebP,
        PictureFormat::WebP,
        PictureFormat::Gif,
        PictureFormat::Heic,
        PictureFormat::Svg,
    ];
    for ((name, file), format) in all(96, 64).into_iter().zip(formats) {
        let decoded = read(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((decoded.format, decoded.width, decoded.height), (format, 96, 64), "{name}");
        let picture = decoded.into_picture(1_000, 1_000).unwrap();
        assert_eq!(picture.rgb.len(), (picture.width * picture.height * 3) as usize, "{name}");
        assert_near(middles(&picture), QUARTERS, 12);
    }
}

#[test]
fn avif_is_read_with_its_opacity() {
    let colour = read(&fixture("colour.avif")).unwrap();
    assert_eq!((colour.format, colour.width, colour.height), (PictureFormat::Avif, 64, 48));
    let picture = colour.into_picture(1_000, 1_000).unwrap();
    assert!(picture.rgb.iter().any(|part| *part > 100) && picture.rgb.iter().any(|part| *part < 100));
    let alpha = read(&fixture("alpha-10-bit.avif")).unwrap();
    assert_eq!((alpha.width, alpha.height), (48, 64));
    let picture = alpha.into_picture(1_000, 1_000).unwrap();
    let mean = |half: usize| {
        let row = |row: &[u8]| row.chunks(24 * 3).nth(half).unwrap().iter().map(|part| u32::from(*part)).sum::<u32>();
        picture.rgb.chunks(48 * 3).map(row).sum::<u32>() / (64 * 24 * 3)
    };
    assert!(mean(1) > mean(0) + 50, "the right half shines through: {} and {}", mean(0), mean(1));
}

/// Wraps boxes of the ISO base media format.
fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&u32::try_from(content.len() + 8).unwrap().to_be_bytes()[..], kind, &content].concat()
}

/// An AVIF of two tiles beside each other, both the one frame of another AVIF, turned a quarter to the left.
fn grid_of(avif: &[u8]) -> Vec<u8> {
    let file = heifer::heifer_isobmff::HeifFile::parse(avif).unwrap();
    let frame = file.item_data(file.primary_id).unwrap();
    let (width, height) = file.image_size(file.primary_id).unwrap().unwrap();
    let item = |id: u8, kind: &[u8; 4]| boxed(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], kind, &[0]]);
    let size = |width: u32| boxed(b"ispe", &[&[0; 4], &width.to_be_bytes(), &height.to_be_bytes()]);
    let grid = [
        &[0, 0, 0, 1][..],
        &u16::try_from(width * 2).unwrap().to_be_bytes(),
        &u16::try_from(height).unwrap().to_be_bytes(),
    ]
    .concat();
    let location = |id: u8, at: usize, length: usize| {
        let number = |n: usize| u32::try_from(n).unwrap().to_be_bytes();
        [&[0, id, 0, 0, 0, 1][..], &number(at), &number(length)].concat()
    };
    let meta = |at: usize| {
        let infos = boxed(b"iinf", &[&[0, 0, 0, 0, 0, 3], &item(1, b"grid"), &item(2, b"av01"), &item(3, b"av01")]);
        let references = boxed(b"iref", &[&[0; 4], &boxed(b"dimg", &[&[0, 1, 0, 2, 0, 2, 0, 3]])]);
        let properties = boxed(b"ipco", &[&size(width * 2), &size(width), &boxed(b"irot", &[&[1]])]);
        let associations = boxed(b"ipma", &[&[0, 0, 0, 0, 0, 0, 0, 3], &[0, 1, 2, 1, 3], &[0, 2, 1, 2], &[0, 3, 1, 2]]);
        let frames = [location(2, at + grid.len(), frame.len()), location(3, at + grid.len(), frame.len())].concat();
        let locations = boxed(b"iloc", &[&[0, 0, 0, 0, 0x44, 0, 0, 3], &location(1, at, grid.len()), &frames]);
        let handler = boxed(b"hdlr", &[&[0; 8], b"pict", &[0; 13]]);
        let parts = [boxed(b"iprp", &[&properties, &associations]), locations].concat();
        boxed(b"meta", &[&[0; 4], &handler, &boxed(b"pitm", &[&[0, 0, 0, 0, 0, 1]]), &infos, &references, &parts])
    };
    let head = boxed(b"ftyp", &[b"avif\0\0\0\0mif1"]);
    let meta = meta(head.len() + meta(0).len() + 8);
    [head, meta, boxed(b"mdat", &[&grid, &frame])].concat()
}

#[test]
fn tiles_of_avif_are_put_together_and_turned() {
    let frame = picture(&fixture("colour.avif"));
    let grid = read(&grid_of(&fixture("colour.avif"))).unwrap();
    assert_eq!((grid.width, grid.height), (48, 128));
    let grid = grid.into_picture(1_000, 1_000).unwrap();
    let pixel = |picture: &atelier_studio::library::decode::RgbPicture, x: u32, y: u32| {
        let place = ((y * picture.width + x) * 3) as usize;
        picture.rgb[place..place + 3].to_vec()
    };
    for (x, y) in [(0, 0), (10, 40), (63, 47), (30, 20)] {
        // Turned to the left, what was on the right is above.
        assert_eq!(pixel(&grid, y, 127 - x), pixel(&frame, x, y), "left tile at {x}, {y}");
        assert_eq!(pixel(&grid, y, 127 - 64 - x), pixel(&frame, x, y), "right tile at {x}, {y}");
    }
}

#[test]
fn inks_of_print_become_light() {
    let expected = [[0, 255, 255], [255, 0, 255], [255, 255, 0], [127, 127, 127]];
    for name in ["cmyk.jpg", "ycck.jpg"] {
        let decoded = read(&fixture(name)).unwrap();
        assert_eq!((decoded.width, decoded.height), (32, 32));
        assert_near(middles(&decoded.into_picture(1_000, 1_000).unwrap()), expected, 10);
    }
}

#[test]
fn progressive_grey_and_deep_pictures_are_read() {
    let progressive = read(&fixture("progressive.jpg")).unwrap();
    assert_eq!((progressive.width, progressive.height), (60, 40));
    assert_near(middles(&picture(&deep_png(64, 48))), QUARTERS, 1);
    let mut grey = Vec::new();
    let pixels: Vec<u8> = (0..=255).collect();
    image::codecs::jpeg::JpegEncoder::new(&mut grey).encode(&pixels, 16, 16, image::ExtendedColorType::L8).unwrap();
    let picture = picture(&grey);
    assert!(picture.rgb.chunks(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]));
}

#[test]
fn transparent_pictures_lie_over_white() {
    let [left, right, ..] = middles(&picture(&transparent_png(64, 48)));
    assert_eq!((left, right), ([255; 3], [30, 200, 40]));
}

#[test]
fn pictures_stand_as_the_camera_was_held() {
    let [red, green, blue, white] = QUARTERS;
    let cases = [
        (1, [red, green, blue, white]),
        (2, [green, red, white, blue]),
        (3, [white, blue, green, red]),
        (4, [blue, white, red, green]),
        (5, [red, blue, green, white]),
        (6, [blue, red, white, green]),
        (7, [white, green, blue, red]),
        (8, [green, white, red, blue]),
    ];
    for (turned, expected) in cases {
        let file = with_segment(&jpeg(96, 64), 0xe1, &orientation(turned));
        let decoded = read(&file).unwrap();
        let size = if turned >= 5 { (64, 96) } else { (96, 64) };
        assert_eq!((decoded.width, decoded.height), size, "orientation {turned}");
        let picture = decoded.into_picture(1_000, 1_000).unwrap();
        assert_eq!((picture.width, picture.height), size, "orientation {turned}");
        assert_near(middles(&picture), expected, 12);
    }
}

#[test]
fn wide_colours_become_srgb() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let segment = [b"ICC_PROFILE\0\x01\x01".as_slice(), &profile].concat();
    let plain = middles(&picture(&jpeg(64, 48)));
    let wide = middles(&picture(&with_segment(&jpeg(64, 48), 0xe2, &segment)));
    assert!(wide[0][0] > plain[0][0] + 5 && wide[1][1] >= plain[1][1], "{wide:?} and {plain:?}");
    assert_near([wide[3]; 4], [plain[3]; 4], 2);
}

#[test]
fn a_picture_is_scaled_down_and_never_up() {
    let sizes = |width, height| {
        let picture = read(&png(width, height)).unwrap().into_picture(30, 40).unwrap();
        (picture.width, picture.height)
    };
    assert_eq!(sizes(200, 100), (60, 30), "the short side decides where that leaves more");
    assert_eq!(sizes(100, 90), (40, 36), "or the long side does");
    assert_eq!(sizes(20, 10), (20, 10));
    assert_eq!(sizes(400, 1), (400, 1), "a line has no short side to speak of");
}

#[test]
fn the_first_picture_of_an_animation_stands_for_it() {
    let pictures = [quarters(64, 48), vec![0; 64 * 48 * 3]];
    assert_near(middles(&picture(&gif_of(&pictures, 64, 48))), QUARTERS, 12);
    let mut encoder = webp::AnimEncoder::new(64, 48, Box::leak(Box::new(webp::WebPConfig::new().unwrap())));
    encoder.add_frame(webp::AnimFrame::from_rgb(&pictures[0], 64, 48, 0));
    encoder.add_frame(webp::AnimFrame::from_rgb(&pictures[1], 64, 48, 100));
    assert_near(middles(&picture(&encoder.encode())), QUARTERS, 12);
}

#[test]
fn what_a_file_says_of_itself_is_read_with_it() {
    let xmp = br#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:description="Four squares">
        <dc:subject><rdf:Bag><rdf:li>square</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"#;
    let segment = [b"http://ns.adobe.com/xap/1.0/\0".as_slice(), xmp].concat();
    let file = with_segment(&with_segment(&jpeg(32, 32), 0xe1, &segment), 0xe1, &orientation(3));
    let metadata = read(&file).unwrap().metadata;
    assert_eq!(
        (metadata.caption.as_deref(), metadata.keywords.as_slice()),
        (Some("Four squares"), &["square".to_owned()][..])
    );
    assert_eq!(read(&svg(32, 32)).unwrap().metadata.caption.as_deref(), Some("Four squares"));
}
