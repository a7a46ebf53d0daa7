//! Pictures taken away, as ZIP files.

use std::io::{Cursor, Read};

use atelier_app::accounts::Role;
use reqwest::Response;
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::place::{Place, png, problem, two_images, until_made, well};

/// The names in a ZIP file, and the list of what is known of them.
async fn unzipped(answer: Response) -> (Vec<String>, Value) {
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/zip");
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let mut archive = ZipArchive::new(Cursor::new(answer.bytes().await.unwrap())).unwrap();
    let mut list = String::new();
    archive.by_name("images.json").unwrap().read_to_string(&mut list).unwrap();
    (archive.file_names().map(|name| name.unwrap().into_owned()).collect(), serde_json::from_str(&list).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn made_images_and_those_of_the_library_are_taken_away_as_zip_files() {
    let place = Place::new().await;
    let (ana, max) = (place.person("ana", Role::Member).await, place.person("max", Role::Viewer).await);
    let made = well(ana.post_once("k", "/generations", two_images("a lamp")).await).await;
    until_made(&ana, made["generation"].as_str().unwrap()).await;
    let ids: Vec<&str> = made["images"].as_array().unwrap().iter().map(|image| image["id"].as_str().unwrap()).collect();
    let (names, list) = unzipped(ana.post("/images/exports", json!({ "ids": ids })).await).await;
    assert_eq!(names.len(), 3);
    // The file's prompt and cost go with it.
    assert_eq!(list[0]["prompt"], "a lamp");
    assert_eq!(problem(max.post("/images/exports", json!({ "ids": ids })).await).await.0, 404);

    let image = well(ana.send("/library/images?name=..%2F..%2Fa%20b.png", png(10, 200, 10)).await).await;
    let id = image["id"].as_str().or_else(|| image["image"]["id"].as_str()).unwrap().to_owned();
    let (names, list) = unzipped(max.post("/library/exports", json!({ "ids": [id] })).await).await;
    assert_eq!(list[0]["id"], json!(id));
    assert!(
        names.iter().all(|name| !name.contains('/') && !name.contains('\\') && !name.starts_with('.')),
        "{names:?}"
    );
    assert_eq!(problem(max.post("/library/exports", json!({ "ids": ["none"] })).await).await.0, 404);
    assert!(
        std::fs::read_dir(place.dir.path().join("data/outgoing")).unwrap().next().is_none(),
        "nothing is left behind"
    );
}
