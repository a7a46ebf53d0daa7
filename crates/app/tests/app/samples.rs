//! The pictures that ship with the program, and their vectors.

use std::path::Path;

use atelier_app::App;
use atelier_embed::{EfficientNet, MiniLm, Vector};
use atelier_engine::Stop;
use atelier_store::VectorSpace;
use atelier_studio::library::import::{ImportOptions, ImportSource};

use crate::fixtures::Studio;

const ASSETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets");
const MODELS: [&str; 2] = [MiniLm::ID, EfficientNet::ID];

async fn vectors(app: &App, model: &str, space: VectorSpace, ids: &[String]) -> Vec<(String, Vector)> {
    let found = app.store().unwrap().image_vectors(model, space, ids).await.unwrap();
    let mut found: Vec<_> = found.into_iter().map(|(id, bytes)| (id, Vector::from_bytes(&bytes).unwrap())).collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

/// Said anew, or with another model, they have to be made anew: `ATELIER_SAVE=1 cargo test -p atelier-app samples`.
#[tokio::test]
async fn the_samples_come_with_the_vectors_that_the_models_make_of_them() {
    let (shipped, made) = (Studio::new(), Studio::new());
    let app = &shipped.app;
    assert!(app.library_is_untouched().await.unwrap());
    let added = app.add_samples(&Stop::never()).await.unwrap();
    assert_eq!(app.samples().await.unwrap().there, added);
    if std::env::var_os("ATELIER_SAVE").is_some() {
        app.write_sample_vectors(&MODELS.map(str::to_owned), &Path::new(ASSETS).join("samples")).await.unwrap();
    }

    let shipped_of: serde_json::Value =
        serde_json::from_slice(&std::fs::read(Path::new(ASSETS).join("samples/library-vectors.json")).unwrap())
            .unwrap();
    for space in shipped_of.as_array().unwrap() {
        assert_eq!(space["made_of"].as_array().unwrap().len() as u64, added, "{}", space["space"]);
    }

    let few = ["red-ladybird.webp", "lighthouse-at-dusk-from-below.jpg", "yellow-lemon.svg"];
    let sources = few.map(|name| ImportSource::Path(Path::new(ASSETS).join("library").join(name))).to_vec();
    let options =
        ImportOptions { metadata: Some(Path::new(ASSETS).join("library/images.json")), ..ImportOptions::default() };
    made.app.import_images(sources, options, &Stop::never(), |_| {}, |_| {}).await.unwrap();
    let ids = few.map(|name| name.split('.').next().unwrap().to_owned());
    let spaces = [
        (MiniLm::ID, VectorSpace::Text),
        (EfficientNet::ID, VectorSpace::Look),
        (EfficientNet::ID, VectorSpace::Appearance),
    ];
    for (model, space) in spaces {
        let (shipped, made) = (vectors(app, model, space, &ids).await, vectors(&made.app, model, space, &ids).await);
        assert_eq!(made.len(), few.len(), "{space:?}");
        for ((id, shipped), (other, made)) in shipped.iter().zip(&made) {
            assert_eq!(id, other);
            assert!(shipped.cosine(made).unwrap() > 0.999, "{id} {space:?}");
        }
    }
}

#[tokio::test]
async fn samples_that_are_there_are_not_added_again_and_go_all_at_once() {
    let studio = Studio::new();
    let app = &studio.app;
    let added = app.add_samples(&Stop::never()).await.unwrap();
    assert_eq!(app.add_samples(&Stop::never()).await.unwrap(), 0);
    assert!(!app.library_is_untouched().await.unwrap());
    assert_eq!(app.remove_samples().await.unwrap(), added);
    let left = app.samples().await.unwrap();
    assert_eq!((left.there, left.others), (0, 0));
    assert_eq!(left.samples, added);
}
