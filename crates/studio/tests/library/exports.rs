//! Out of one library and into another.

use std::io::Read;

use atelier_engine::{Stop, StopHandle};
use atelier_store::{Image, ImageFilter};
use atelier_studio::library::import::{ImportOptions, ImportSource};
use atelier_studio::library::{ExportSelection, ExportTarget};
use serde_json::json;

use crate::fixtures::*;

fn all() -> ExportSelection {
    ExportSelection::Filter(ImageFilter::default())
}

async fn described_library() -> Place {
    let place = Place::new();
    place.write("a.jpg", photo(1));
    place.write("sub/a.jpg", photo(2));
    place.write("b.png", png_of(&clouds(3, 90, 70), 90, 70));
    place.write("c.svg", r#"<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><title>A title</title><rect width="4" height="8"/></svg>"#);
    place.write(
        "images.json",
        json!([
            {"id": "the first", "filename": "a.jpg", "caption": "One \"quoted\" caption, ü", "labels": ["x", "y"],
             "category": "sky", "tone_score": 0.1, "angle_score": 0.25, "attributes": {"deep": {"a": [1, null]}},
             "collections": ["spring", "tall"]},
            {"filename": "c.svg", "caption": null, "labels": []}
        ])
        .to_string(),
    );
    place.import().await;
    place
}

/// What an image is, but for where and when it came in, and for the name of its file.
fn essence(image: Image) -> Image {
    Image { source: None, filename: String::new(), added_at: now(), updated_at: now(), ..image }
}

async fn assert_same_images(one: &Place, other: &Place) {
    let essences = |mut images: Vec<Image>| {
        images.sort_by(|a, b| a.id.cmp(&b.id));
        images.into_iter().map(essence).collect::<Vec<_>>()
    };
    assert_eq!(essences(one.images().await), essences(other.images().await));
}

#[tokio::test]
async fn what_is_exported_to_a_folder_imports_again() {
    let place = described_library().await;
    let target = place.path("export");
    let mut reported = 0;
    let report = place
        .library
        .export(all(), ExportTarget::Folder(target.clone()), &Stop::never(), |images| reported = images)
        .await;
    let report = report.unwrap();
    assert_eq!((report.images, report.missing.len(), reported), (4, 0, 4));
    assert_eq!(report.bytes, place.images().await.iter().map(|image| image.bytes).sum::<u64>());
    let mut names: Vec<String> =
        files(&target).iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, ["a-2.jpg", "a.jpg", "b.png", "c.svg", "images.json"]);

    let other = Place::new();
    let (report, _) = import(&other.importer(), vec![ImportSource::Path(target)], ImportOptions::default()).await;
    assert_eq!((report.imported, report.refused, report.missing, report.near_duplicates), (4, 0, 0, 0));
    assert_same_images(&place, &other).await;
}

#[tokio::test]
async fn what_is_exported_to_a_zip_file_imports_again() {
    let place = described_library().await;
    let target = place.path("export.zip");
    place.library.export(all(), ExportTarget::Zip(target.clone()), &Stop::never(), |_| {}).await.unwrap();
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&target).unwrap()).unwrap();
    let other = Place::new();
    for n in 0..archive.len() {
        let mut entry = archive.by_index(n).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        other.write(&name, content);
    }
    assert_eq!(other.import().await.imported, 4);
    assert_same_images(&place, &other).await;
    let beside = std::fs::read_dir(place.path("."))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    assert_eq!(beside.filter(|name| name.contains("export")).collect::<Vec<_>>(), ["export.zip"]);
}

#[tokio::test]
async fn some_images_are_exported_by_filter_or_by_id() {
    let place = described_library().await;
    let ids: Vec<String> = vec![place.image("b.png").await.id, "the first".into()];
    let stop = Stop::never();
    let report =
        place.library.export(ExportSelection::Ids(ids), ExportTarget::Folder(place.path("some")), &stop, |_| {});
    assert_eq!(report.await.unwrap().images, 2);
    let filter = ImageFilter { collections: vec!["tall".into()], ..ImageFilter::default() };
    let report =
        place.library.export(ExportSelection::Filter(filter), ExportTarget::Folder(place.path("tall")), &stop, |_| {});
    assert_eq!(report.await.unwrap().images, 1);
    let none = ExportSelection::Ids(vec!["none".into()]);
    let error = place
        .library
        .export(none, ExportTarget::Zip(place.path("none.zip")), &Stop::never(), |_| {})
        .await
        .unwrap_err();
    assert_eq!(error.code(), "no-such-image");
    assert!(!place.path("none.zip").exists());
    let empty = ExportSelection::Filter(ImageFilter { tags: vec!["nobody".into()], ..ImageFilter::default() });
    place.library.export(empty, ExportTarget::Folder(place.path("empty")), &Stop::never(), |_| {}).await.unwrap();
    assert_eq!(std::fs::read_to_string(place.path("empty/images.json")).unwrap(), "[]\n");
}

#[tokio::test]
async fn an_export_overwrites_nothing_and_leaves_nothing_half() {
    let place = described_library().await;
    let (full, file) = (place.path("full"), place.path("there.zip"));
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("mine.txt"), "mine").unwrap();
    std::fs::write(&file, "mine").unwrap();
    for target in [ExportTarget::Folder(full.clone()), ExportTarget::Zip(file.clone())] {
        let error = place.library.export(all(), target, &Stop::never(), |_| {}).await.unwrap_err();
        assert_eq!(error.code(), "export-exists");
    }
    assert_eq!((files(&full).len(), std::fs::read(&file).unwrap()), (1, b"mine".to_vec()));

    let (handle, stop) = StopHandle::new();
    handle.stop();
    for target in [ExportTarget::Folder(place.path("new")), ExportTarget::Zip(place.path("new.zip"))] {
        let error = place.library.export(all(), target, &stop, |_| {}).await.unwrap_err();
        assert_eq!(error.code(), "stopped");
    }
    let error =
        place.library.export(all(), ExportTarget::Zip(place.path("no/such/folder.zip")), &Stop::never(), |_| {}).await;
    assert_eq!(error.unwrap_err().code(), "export-not-written");
    let left: Vec<_> = std::fs::read_dir(place.path(".")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("new")), "{left:?}");
}

#[tokio::test]
async fn an_image_whose_file_is_gone_is_left_out_and_named() {
    let place = described_library().await;
    let hash = place.image("b.png").await.hash;
    std::fs::remove_file(place.path("data/objects/images").join(&hash[..2]).join(&hash[2..4]).join(&hash)).unwrap();
    let report =
        place.library.export(all(), ExportTarget::Folder(place.path("out")), &Stop::never(), |_| {}).await.unwrap();
    assert_eq!((report.images, report.missing), (3, vec![place.image("b.png").await.id]));
}
