//! Imports: files, folders, descriptions and near duplicates.

use atelier_store::objects::ThumbnailSize;
use atelier_store::{Image, VectorSpace};
use atelier_studio::library::derive;
use atelier_studio::library::import::{FileOutcome, ImportOptions, ImportSource, Importer, PassedOver};
use serde_json::json;

use crate::fixtures::*;

fn imported(image: &str) -> FileOutcome {
    FileOutcome::Imported { image: image.into() }
}

fn refusal_codes(report: &atelier_studio::library::import::ImportReport) -> Vec<(String, &'static str)> {
    let name = |file: &str| file.rsplit('/').next().unwrap().to_owned();
    report.refused_files.iter().map(|refused| (name(&refused.file), refused.refusal.code)).collect()
}

#[tokio::test]
async fn a_folder_is_imported_with_what_is_said_of_it() {
    let place = Place::new();
    place.write("a.jpg", photo(1));
    place.write("sub/b.png", png_of(&clouds(2, 90, 120), 90, 120));
    place.write(
        "images.json",
        json!([
            {"id": "first", "filename": "a.jpg", "caption": "Clouds over a hill", "labels": ["hill", "cloud"],
             "category": "sky", "tone_score": 0.25, "angle_score": 0.75, "attributes": {"season": "winter"}},
            {"filename": "sub/b.png", "collections": ["tall"]}
        ])
        .to_string(),
    );
    let options = ImportOptions {
        collections: vec!["spring".into()],
        tags: vec!["new".into()],
        uploader: Some("ada".into()),
        ..two_threads()
    };
    let report = place.import_with(options).await;
    assert_eq!((report.files, report.imported, report.refused, report.ignored, report.missing), (2, 2, 0, 0, 0));
    assert!(!report.stopped);

    let a = place.image("a.jpg").await;
    let root = place.photos().canonicalize().unwrap();
    assert_eq!(
        (a.id.as_str(), a.caption.as_deref(), a.category.as_deref()),
        ("first", Some("Clouds over a hill"), Some("sky"))
    );
    assert_eq!((a.tags.join(" "), a.collections.join(" ")), ("cloud hill new".into(), "spring".into()));
    assert_eq!((a.tone_score, a.angle_score, a.uploader.as_deref()), (Some(0.25), Some(0.75), Some("ada")));
    assert_eq!(serde_json::Value::Object(a.attributes.clone()), json!({"season": "winter"}));
    assert_eq!((a.width, a.height, a.format.as_str(), a.bytes), (160, 120, "jpeg", photo(1).len() as u64));
    assert_eq!(a.source, Some(root.join("a.jpg").to_string_lossy().into_owned()));
    assert!(a.added_at >= now() && a.updated_at == a.added_at);
    assert_eq!(a.hash, blake3::hash(&photo(1)).to_hex().to_string());
    assert!(
        a.palette.len() > 1 && a.palette.iter().all(|colour| colour.len() == 7 && colour.starts_with('#')),
        "{:?}",
        a.palette
    );

    let b = place.image("b.png").await;
    assert_eq!(b.id, b.hash[..16]);
    assert_eq!((b.collections.join(" "), b.caption), ("spring tall".into(), None));
}

#[tokio::test]
async fn what_is_kept_of_an_image_is_its_file_and_two_thumbnails() {
    let place = Place::new();
    let file = jpeg_of(&clouds(3, 1_000, 600), 1_000, 600, 85);
    place.write("a.jpg", &file);
    place.import().await;
    let image = place.image("a.jpg").await;
    assert_eq!(place.library.original(&image).await.unwrap(), file);
    for (size, expected) in [(ThumbnailSize::Small, (256, 154)), (ThumbnailSize::Large, (512, 307))] {
        let webp = place.library.thumbnail(&image, size).await.unwrap();
        let picture = image::load_from_memory_with_format(&webp, image::ImageFormat::WebP).unwrap();
        assert_eq!((picture.width(), picture.height()), expected);
    }
    assert_eq!(place.objects(), 3);
}

#[tokio::test]
async fn the_same_bytes_are_stored_once_and_told_of() {
    let place = Place::new();
    place.write("a.jpg", photo(1));
    place.write("b.jpg", photo(1));
    place.write("c.jpg", photo(2));
    place.write("d/e.jpg", photo(2));
    let outcomes = place.outcomes(two_threads()).await;
    let id = |seed| blake3::hash(&photo(seed)).to_hex()[..16].to_owned();
    let duplicate = |seed| FileOutcome::Duplicate { of: id(seed) };
    assert_eq!(
        outcomes,
        [
            ("a.jpg".to_owned(), imported(&id(1))),
            ("b.jpg".to_owned(), duplicate(1)),
            ("c.jpg".to_owned(), imported(&id(2))),
            ("d/e.jpg".to_owned(), duplicate(2)),
        ]
    );
    assert_eq!((place.images().await.len(), place.objects()), (2, 6));
}

/// The picture with a block of another colour in it, as if another headline stood there.
fn with_headline(rgb: &[u8], width: u32, place: u32) -> Vec<u8> {
    let mut rgb = rgb.to_vec();
    for y in 20..34 {
        for x in place..place + 50 {
            let at = ((y * width + x) * 3) as usize;
            rgb[at..at + 3].copy_from_slice(if (x / 3 + y / 5) % 2 == 0 { &[255; 3] } else { &[10; 3] });
        }
    }
    rgb
}

#[tokio::test]
async fn nearly_the_same_picture_is_told_of_and_left_out_where_that_is_asked_for() {
    let place = Place::new();
    let rgb = clouds(4, 320, 240);
    place.write("1 original.png", png_of(&rgb, 320, 240));
    place.write("2 compressed.jpg", jpeg_of(&rgb, 320, 240, 40));
    place.write("3 scaled.jpg", jpeg_of(&clouds(4, 200, 150), 200, 150, 80));
    let brighter: Vec<u8> = rgb.iter().map(|part| part.saturating_add(12)).collect();
    place.write("4 brighter.png", png_of(&brighter, 320, 240));
    place.write("5 headline.png", png_of(&with_headline(&rgb, 320, 60), 320, 240));
    place.write("6 other headline.png", png_of(&with_headline(&rgb, 320, 150), 320, 240));
    place.write("7 another.png", png_of(&clouds(5, 320, 240), 320, 240));
    let skipping = || ImportOptions { skip_near: true, ..two_threads() };
    let outcomes = place.outcomes(skipping()).await;
    let original = place.image("1 original.png").await.id;
    for (file, outcome) in &outcomes {
        let near =
            matches!(outcome, FileOutcome::Near { of, distance, kept: None } if *of == original && *distance <= 7);
        let expected_near = file.starts_with(['2', '3', '4']);
        assert_eq!(near, expected_near, "{file}: {outcome:?}");
        assert_eq!(matches!(outcome, FileOutcome::Imported { .. }), !expected_near, "{file}: {outcome:?}");
    }
    assert_eq!(outcomes.len(), 7);

    let again = place.import_with(skipping()).await;
    assert_eq!((again.known, again.imported, again.near_duplicates), (7, 0, 0), "what was left out is known, too");
    let kept = place.import_with(two_threads()).await;
    assert_eq!((kept.known, kept.imported, kept.near_duplicates), (4, 3, 3));
    assert!(kept.near_files.iter().all(|near| near.of == original && near.kept.is_some()), "{:?}", kept.near_files);
    assert_eq!(place.images().await.len(), 7);
}

#[tokio::test]
async fn blank_pictures_of_other_colours_are_other_pictures() {
    let place = Place::new();
    for (n, colour) in [[255, 255, 255], [250, 20, 20], [20, 20, 250], [0, 0, 0]].into_iter().enumerate() {
        place.write(&format!("{n}.png"), png_of(&colour.repeat(64 * 64), 64, 64));
    }
    place.write("white again.jpg", jpeg_of(&[255; 64 * 64 * 3], 64, 64, 90));
    let report = place.import().await;
    assert_eq!((report.imported, report.near_duplicates), (5, 1));
}

#[tokio::test]
async fn what_can_not_be_read_is_listed_with_its_reason() {
    let place = Place::new();
    place.write("a text.jpg", "no picture at all");
    place.write("an empty.png", "");
    place.write("bomb.png", {
        let mut png = png_of(&[0; 3], 1, 1);
        png[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        png
    });
    place.write("cut.jpg", &photo(1)[..photo(1).len() / 2]);
    place.write("photo.tiff", b"II*\0\x08\0\0\0");
    place.write("really a jpeg.png", photo(2));
    place.write("notes.txt", "some notes");
    place.write("archive.zip", b"PK\x03\x04");
    place.write(".hidden.jpg", photo(3));
    place.write(".folder/inside.jpg", photo(4));
    place.write("a jpeg.txt", photo(5));
    let report = place.import().await;
    let codes = refusal_codes(&report);
    let expected = [
        ("a text.jpg", "picture-unknown"),
        ("an empty.png", "picture-empty"),
        // Its checksum is wrong now, but what it claims comes first.
        ("bomb.png", codes[2].1),
        ("cut.jpg", "picture-truncated"),
        ("photo.tiff", "picture-unsupported"),
    ];
    assert_eq!(codes, expected.map(|(file, code)| (file.to_owned(), code)));
    assert!(["picture-too-large", "picture-damaged"].contains(&codes[2].1), "{codes:?}");
    assert!(
        report
            .refused_files
            .iter()
            .all(|refused| !refused.refusal.reason.is_empty() && !refused.refusal.hint.is_empty())
    );
    assert_eq!((report.imported, report.ignored, report.refused, report.files), (2, 2, 5, 9));
    assert_eq!(report.passed_over.into_iter().collect::<Vec<_>>(), [(PassedOver::Hidden, 2)]);
    assert_eq!(place.image("really a jpeg.png").await.format, "jpeg");
}

#[tokio::test]
async fn every_file_that_is_there_is_counted_in_advance() {
    let place = Place::new();
    for n in 0..5 {
        place.write(&format!("{n}.jpg"), photo(n));
    }
    let mut last = None;
    let sources = vec![
        ImportSource::Path(place.photos()),
        ImportSource::Bytes { name: "sent.jpg".into(), content: photo(9).into() },
    ];
    let importer = place.importer();
    let report = importer.import(sources, two_threads(), atelier_engine::Stop::never(), |event| {
        if let atelier_studio::library::import::ImportEvent::Progress(progress) = event {
            last = Some(progress);
        }
    });
    assert_eq!(report.await.unwrap().imported, 6);
    let last = last.unwrap();
    assert_eq!((last.done, last.imported, last.refused), (6, 6, 0));
    assert!(last.total.is_none_or(|total| total == 6), "{last:?}");
}

#[tokio::test]
async fn descriptions_come_from_tables_sidecars_and_the_files_themselves() {
    let place = Place::new();
    place.write("images.csv", "filename,caption,labels,mood\na.jpg,From the table,one;two,calm\n");
    place.write("a.jpg", photo(1));
    let xmp = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:description="From XMP"><dc:subject><rdf:Bag>
        <rdf:li>x</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"#;
    place.write("b.xmp", xmp);
    place.write("b.jpg", photo(2));
    place.write("deep/images.json", r#"[{"filename": "c.jpg", "caption": null}]"#);
    place.write("deep/c.jpg", photo(3));
    place.write("deep/c.jpg.xmp", xmp);
    let report = place.import().await;
    assert_eq!((report.imported, report.ignored, report.refused), (3, 0, 0));
    let a = place.image("a.jpg").await;
    assert_eq!((a.caption.as_deref(), a.tags.join(" ")), (Some("From the table"), "one two".into()));
    assert_eq!(a.attributes["mood"], "calm");
    let b = place.image("b.jpg").await;
    assert_eq!((b.caption.as_deref(), b.tags.join(" ")), (Some("From XMP"), "x".into()));
    let c = place.image("c.jpg").await;
    assert_eq!((c.caption, c.tags.join(" ")), (None, "x".into()), "what says that there is no caption is believed");
}

#[tokio::test]
async fn what_is_wrong_with_a_description_costs_that_one_only() {
    let place = Place::new();
    for n in 0..3 {
        place.write(&format!("{n}.jpg"), photo(n));
    }
    place.write(
        "images.json",
        r#"[{"filename": "0.jpg", "tone_score": "high"}, {"filename": "1.jpg", "caption": "fine"}, {"id": "x"}, {"filename": "gone.jpg"}]"#,
    );
    place.write("bad/images.json", "{ no json");
    place.write("bad/3.jpg", photo(3));
    let report = place.import().await;
    assert_eq!((report.imported, report.refused, report.missing), (3, 3, 1));
    assert_eq!(report.missing_files, ["gone.jpg"]);
    let mut places: Vec<String> =
        report.refused_files.iter().map(|refused| refused.file.rsplit('/').next().unwrap().to_owned()).collect();
    places.sort();
    assert_eq!(places, ["0.jpg", "images.json", "images.json, image 3"]);
    assert_eq!(place.image("1.jpg").await.caption.as_deref(), Some("fine"));
}

#[tokio::test]
async fn a_sidecar_may_be_named_and_lie_elsewhere() {
    let place = Place::new();
    place.write("a.jpg", photo(1));
    let metadata = place.path("described.csv");
    std::fs::write(&metadata, "filename\tcaption\na.jpg\tFrom elsewhere\n").unwrap();
    place.write("images.csv", "filename,caption\na.jpg,From beside it\n");
    let options = ImportOptions { metadata: Some(metadata.clone()), ..two_threads() };
    let report = place.import_with(options.clone()).await;
    assert_eq!(place.image("a.jpg").await.caption.as_deref(), Some("From elsewhere"));
    assert_eq!(report.missing, 0, "what lies beside it describes a file that is there");
    std::fs::write(&metadata, "no such column\n").unwrap();
    let sources = vec![ImportSource::Path(place.photos())];
    let error = place.importer().import(sources, options, atelier_engine::Stop::never(), |_| {}).await.unwrap_err();
    assert_eq!(error.code(), "sidecar-invalid");
}

#[tokio::test]
async fn an_id_that_is_taken_is_refused() {
    let place = Place::new();
    place.write("a.jpg", photo(1));
    place.write("b.jpg", photo(2));
    place.write("images.json", r#"[{"filename": "a.jpg", "id": "x"}, {"filename": "b.jpg", "id": "x"}]"#);
    let report = place.import().await;
    assert_eq!(refusal_codes(&report), [("b.jpg".to_owned(), "image-id-taken")]);
    assert_eq!(report.imported, 1);
    // Nobody can take the id that an image has by its content.
    let hash = blake3::hash(&photo(3)).to_hex();
    place.write("images.json", format!(r#"[{{"filename": "b.jpg", "id": "{}"}}]"#, &hash[..16]));
    place.write("c.jpg", photo(3));
    let report = place.import().await;
    assert_eq!((report.imported, report.refused), (2, 0));
    assert_eq!(place.image("c.jpg").await.id, hash[..32]);
}

#[tokio::test]
async fn known_images_join_the_collection_and_are_updated_if_that_is_asked_for() {
    let place = Place::new();
    place.write("a.jpg", photo(1));
    place.write("images.json", r#"[{"filename": "a.jpg", "caption": "one", "labels": ["x"]}]"#);
    place.import().await;
    place.write("images.json", r#"[{"filename": "a.jpg", "caption": "two", "labels": ["y"]}]"#);
    let options = ImportOptions { collections: vec!["late".into()], ..two_threads() };
    let report = place.import_with(options.clone()).await;
    assert_eq!((report.known, report.updated), (1, 1));
    let image = place.image("a.jpg").await;
    assert_eq!(
        (image.caption.as_deref(), image.tags.join(" "), image.collections.join(" ")),
        (Some("one"), "x".into(), "late".into())
    );
    let report = place.import_with(ImportOptions { update: true, ..options.clone() }).await;
    assert_eq!((report.known, report.updated), (1, 1));
    let image = place.image("a.jpg").await;
    assert_eq!((image.caption.as_deref(), image.tags.join(" ")), (Some("two"), "x y".into()));
    assert_eq!(place.import_with(ImportOptions { update: true, ..options }).await.updated, 0);
}

#[tokio::test]
async fn what_does_not_exist_or_can_not_be_named_is_an_error() {
    let place = Place::new();
    let import = |sources, options| {
        let importer = place.importer();
        async move { importer.import(sources, options, atelier_engine::Stop::never(), |_| {}).await.unwrap_err().code() }
    };
    assert_eq!(import(vec![ImportSource::Path(place.path("nowhere"))], two_threads()).await, "source-unreadable");
    let options = ImportOptions { collections: vec!["  ".into()], ..two_threads() };
    assert_eq!(import(vec![ImportSource::Path(place.photos())], options).await, "image-value-invalid");
}

#[tokio::test]
async fn vectors_are_made_of_words_and_look() {
    let place = Place::new();
    place.write("a.jpg", photo(1));
    place.write("b.jpg", photo(2));
    place.write("images.json", r#"[{"filename": "a.jpg", "caption": "a cloud", "labels": ["sky"]}]"#);
    let embedder = TestEmbedder::new("test/1");
    let importer = Importer::new(
        place.library.clone(),
        embedders(&embedder),
        atelier_studio::library::decode::DecodeLimits::default(),
        atelier_engine::Clock::starting_at(now()),
    );
    let (report, _) = import(&importer, vec![ImportSource::Path(place.photos())], two_threads()).await;
    assert_eq!((report.imported, report.unembedded), (2, 0));
    let ids: Vec<String> = place.images().await.into_iter().map(|image| image.id).collect();
    let store = place.library.store();
    let text = store.image_vectors("test/1", VectorSpace::Text, &ids).await.unwrap();
    assert_eq!(text.len(), 1, "what has no words has no vector of them");
    assert_eq!(text[&ids[0]], letters("a cloud. sky").to_bytes());
    for space in [VectorSpace::Look, VectorSpace::Appearance] {
        let vectors = store.image_vectors("test/1", space, &ids).await.unwrap();
        assert_eq!(vectors.len(), 2);
        assert!(vectors.values().all(|bytes| atelier_embed::Vector::from_bytes(bytes).is_ok()));
        assert_eq!(store.unembedded_images("test/1", space, 0, 9).await.unwrap(), []);
    }
    assert_eq!(store.unembedded_images("test/1", VectorSpace::Text, 0, 9).await.unwrap(), []);
}

#[tokio::test]
async fn an_embedder_that_fails_keeps_no_image_out() {
    let place = Place::new();
    place.write("a.jpg", photo(1));
    let importer = Importer::new(
        place.library.clone(),
        embedders(&TestEmbedder::failing("test/1")),
        atelier_studio::library::decode::DecodeLimits::default(),
        atelier_engine::Clock::starting_at(now()),
    );
    let (report, _) = import(&importer, vec![ImportSource::Path(place.photos())], two_threads()).await;
    assert_eq!((report.imported, report.unembedded), (1, 1));
}

#[tokio::test]
async fn the_hash_that_is_stored_is_the_hash_of_the_picture() {
    let place = Place::new();
    place.write("a.jpg", photo(1));
    place.import().await;
    let Image { phash, palette, .. } = place.image("a.jpg").await;
    let reader =
        atelier_studio::library::decode::PictureReader::new(atelier_studio::library::decode::DecodeLimits::default());
    let picture = reader.read(&photo(1)).unwrap().into_picture(derive::SHORT_SIDE, derive::LONG_SIDE).unwrap();
    assert_eq!((derive::phash(&picture).unwrap(), derive::palette(&picture).unwrap()), (phash, palette));
}
