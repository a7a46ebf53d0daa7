//! Embedders behind a provider: asked through the engine, together, and for nothing twice.

use atelier_app::library::EmbedScope;
use atelier_app::replies::RepliesRequest;
use atelier_app::{Intent, RunChange};
use atelier_embed::Vector;
use atelier_engine::{Stop, StopHandle};
use atelier_replies::generate::Selection;
use atelier_store::{JobPage, JobState, VectorSpace};
use atelier_studio::library::import::{ImportOptions, ImportSource};
use atelier_studio::search::SearchRequest;

use crate::fixtures::{PROJECT, Studio};

const CONFIG: &str = "[search]\nlook = \"gemini:gemini-embedding-2\"\n";
const ID: &str = "gemini-gemini-embedding-2/768";

fn photo(number: u32) -> image::RgbImage {
    let mut random = fastrand::Rng::with_seed(u64::from(number));
    let blocks: Vec<[u8; 3]> = (0..64).map(|_| [random.u8(..), random.u8(..), random.u8(..)]).collect();
    image::RgbImage::from_fn(96, 96, |x, y| image::Rgb(blocks[(x / 12 + y / 12 * 8) as usize]))
}

fn with_photos(count: u32) -> Studio {
    let studio = Studio::with_config(CONFIG);
    std::fs::create_dir(studio.path("photos")).unwrap();
    for number in 0..count {
        photo(number).save(studio.path(&format!("photos/{number:03}.png"))).unwrap();
    }
    studio
}

/// Imports the folder; how many images are new, and how many vectors were made.
async fn import(studio: &Studio) -> (u64, u64) {
    let sources = vec![ImportSource::Path(studio.path("photos"))];
    let options = ImportOptions::default();
    let imported = studio.app.import_images(sources, options, &Stop::never(), |_| {}, |_| {}).await.unwrap();
    (imported.report.imported, imported.embedded.text + imported.embedded.look)
}

async fn embed(studio: &Studio) -> u64 {
    let made = studio.app.embed_library(EmbedScope::All, false, &Stop::never(), |_| {}).await.unwrap().unwrap();
    made.made.look
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_asks_for_the_vectors_of_all_its_images_together() {
    let studio = with_photos(30);
    assert_eq!(import(&studio).await, (30, 30));
    let calls = studio.provider.stats().calls;
    let ids: Vec<String> =
        studio.app.images(&Default::default(), None, 99).await.unwrap().images.into_iter().map(|one| one.id).collect();
    let store = studio.app.store().unwrap();
    for space in [VectorSpace::Look, VectorSpace::Appearance] {
        let vectors = store.image_vectors(ID, space, &ids).await.unwrap();
        assert_eq!(vectors.len(), 30, "{space:?}");
        assert!(vectors.values().all(|bytes| Vector::from_bytes(bytes).unwrap().dimensions() == 768));
    }
    assert_eq!((embed(&studio).await, studio.provider.stats().calls), (0, calls), "nothing is asked for again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedding_that_is_stopped_goes_on_later() {
    let studio = with_photos(3);
    let (handle, stop) = StopHandle::new();
    let imported = studio
        .app
        .import_images(
            vec![ImportSource::Path(studio.path("photos"))],
            ImportOptions::default(),
            &stop,
            |_| {},
            |_| handle.stop(),
        )
        .await
        .unwrap();
    assert!(imported.embedded.stopped);
    assert_eq!(studio.provider.stats().calls, 0);
    assert_eq!(embed(&studio).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_query_are_paid_for_once() {
    let studio = with_photos(1);
    import(&studio).await;
    let before = studio.provider.stats().calls;
    let search = studio.app.image_search().await.unwrap();
    for _ in 0..2 {
        let words = Some("a red kite".to_owned());
        let found = search.search(SearchRequest { words, limit: 5, ..SearchRequest::default() }).await.unwrap();
        assert_eq!(found.words_only, None);
    }
    assert_eq!(studio.provider.stats().calls, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_crash_is_not_asked_again_although_the_library_has_changed() {
    let studio = with_photos(6);
    import(&studio).await;
    let store = studio.app.store().unwrap();
    let calls = studio.provider.stats().calls;
    // As a crash leaves it: the answers are there, and nothing was made of them.
    let job = store.jobs(JobPage { after: None, limit: 1 }).await.unwrap().remove(0);
    store.set_job_state(&job.id, JobState::Open, None, None, studio.app.clock().now()).await.unwrap();
    let nobody = ["nobody/1".to_owned()];
    while store.prune_image_vectors(&nobody, 99).await.unwrap() > 0 {}
    let database = rusqlite::Connection::open(studio.path("data/atelier.db")).unwrap();
    assert!(database.execute("DELETE FROM vectors", []).unwrap() >= 6);
    photo(6).save(studio.path("photos/006.png")).unwrap();
    import(&studio).await;
    embed(&studio).await;

    let jobs = store.jobs(JobPage { after: None, limit: 9 }).await.unwrap();
    let asked: u64 = jobs.iter().map(|job| job.counts.items).sum();
    assert_eq!(asked, 6 + 1, "one for each picture");
    assert_eq!(studio.provider.stats().calls, calls + 1);
    assert_eq!(store.job(&job.id).await.unwrap().unwrap().state, JobState::Cancelled, "nobody need go on with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_are_compared_once_and_a_stop_says_how_far_it_came() {
    let studio = Studio::new();
    studio.add_posts(5).await;
    let selection = Selection { projects: vec![PROJECT.into()], skip_low_scores: false, ..Selection::default() };
    let run = RunChange { model: Some("sandbox".into()), ..RunChange::default() };
    let embedder = "gemini:gemini-embedding-001".to_owned();
    let request = RepliesRequest { selection, all_projects: false, embedder, run, at: None, intent: Intent::Send };
    let (handle, stop) = StopHandle::new();
    handle.stop();
    let stopped = studio.app.prepare_replies(&request, &stop).await.map(drop).unwrap_err();
    assert_eq!(stopped.code(), "interrupted");
    assert_eq!(studio.provider.stats().calls, 0);
    studio.app.prepare_replies(&request, &Stop::never()).await.map(drop).unwrap();
    let calls = studio.provider.stats().calls;
    assert!(calls >= 1);
    studio.app.prepare_replies(&request, &Stop::never()).await.map(drop).unwrap();
    assert_eq!(studio.provider.stats().calls, calls, "nothing is asked for again");
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_whose_job_was_given_up_are_asked_for_by_another() {
    let studio = with_photos(2);
    let (handle, stop) = StopHandle::new();
    handle.stop();
    let sources = vec![ImportSource::Path(studio.path("photos"))];
    studio.app.import_images(sources, ImportOptions::default(), &stop, |_| {}, |_| {}).await.ok();
    import(&studio).await;
    let jobs = studio.app.jobs(None, 9).await.unwrap().jobs;
    let database = rusqlite::Connection::open(studio.path("data/atelier.db")).unwrap();
    database.execute("UPDATE jobs SET state = 'cancelled'", []).unwrap();
    database.execute("DELETE FROM vectors", []).unwrap();
    let store = studio.app.store().unwrap();
    while store.prune_image_vectors(&["nobody/1".to_owned()], 99).await.unwrap() > 0 {}
    assert_eq!(embed(&studio).await, 2);
    assert_eq!(studio.app.jobs(None, 9).await.unwrap().jobs.len(), jobs.len() + 1);
}
