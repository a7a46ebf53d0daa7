//! An embedder behind a provider, asked by its wire and through the engine.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use atelier_embed::{Calibration, LookEmbedder, Vector};
use atelier_engine::{Clock, Engine, Limit, Options, Pool, Stop, StopHandle};
use atelier_providers::{ApiKey, BaseUrl, Gemini, HttpClient};
use atelier_sandbox::{Sandbox, SandboxConfig};
use atelier_store::{JobPage, JobRunner, JobState, VectorSpace};
use atelier_studio::library::decode::{DecodeLimits, PictureReader};
use atelier_studio::library::import::Importer;
use atelier_studio::library::{Embedders, Missing, RemoteEmbedder};
use tokio::runtime::Handle;

use crate::fixtures::*;

const ID: &str = "gemini-gemini-embedding-2/768";

struct Remote {
    sandbox: Sandbox,
    place: Place,
}

impl Remote {
    fn new(images: u32) -> Self {
        let place = Place::new();
        for n in 0..images {
            place.write(&format!("{n:03}.jpg"), photo(n));
        }
        place.write("images.csv", "filename,caption\n000.jpg,abc\n001.jpg,xyz\n");
        Self { sandbox: Sandbox::start(SandboxConfig::default(), ([127, 0, 0, 1], 0).into()).unwrap(), place }
    }

    fn embedder(&self, limits: &[&str], stop: Stop) -> Arc<RemoteEmbedder> {
        let endpoint = BaseUrl::parse(&self.sandbox.base_url()).unwrap();
        let key = ApiKey::new("a-test-key").unwrap();
        let gemini = Gemini::new(&HttpClient::new().unwrap(), &endpoint, &key, "gemini-embedding-2").unwrap();
        let pool = Pool {
            id: "gemini/test/gemini-embedding-2".into(),
            model: Arc::new(gemini),
            limits: limits.iter().map(|limit| limit.parse::<Limit>().unwrap()).collect(),
            price: None,
            day_zone: jiff::tz::TimeZone::UTC,
            connect: Duration::from_millis(1),
            weight: 1,
            ephemeral: true,
            account: None,
        };
        let (store, clock) = (self.place.library.store().clone(), Clock::system());
        let engine = Engine::new(store.journal(), clock);
        let runner = JobRunner { store, engine, clock, pools: vec![pool], options: Options::default(), stop };
        let calibration = Calibration::gemini();
        Arc::new(RemoteEmbedder::new(runner, ID.parse().unwrap(), 768, calibration, Handle::current()))
    }

    fn embedders(&self) -> Embedders {
        let embedder = self.embedder(&["requests=5/60s"], Stop::never());
        Embedders { text: Some(embedder.clone()), look: Some(embedder) }
    }

    async fn embed(
        &self,
        embedders: &Embedders,
    ) -> Result<atelier_studio::library::Embedded, atelier_studio::StudioError> {
        let (reader, two) = (PictureReader::new(DecodeLimits::default()), NonZeroUsize::new(2).unwrap());
        let embedding = self.place.library.embedding(embedders.clone()).unwrap();
        embedding.run(Missing::All, &reader, two, &Stop::never(), |_| {}).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_leaves_a_remote_embedder_its_images_and_they_are_asked_for_together() {
    let remote = Remote::new(60);
    let embedders = remote.embedders();
    let importer = Importer::new(
        remote.place.library.clone(),
        embedders.clone(),
        DecodeLimits::default(),
        Clock::starting_at(now()),
    );
    let sources = vec![atelier_studio::library::import::ImportSource::Path(remote.place.photos())];
    let (report, _) = import(&importer, sources, two_threads()).await;
    assert_eq!((report.imported, remote.sandbox.stats().calls), (60, 0));
    let done = remote.embed(&embedders).await.unwrap();
    assert_eq!((done.text, done.look, done.failed), (2, 60, 0));
    let calls = remote.sandbox.stats().calls;
    assert!(calls <= 5, "{calls} calls for 62 vectors");
    let ids: Vec<String> = remote.place.images().await.into_iter().map(|image| image.id).collect();
    for (space, count) in [(VectorSpace::Text, 2), (VectorSpace::Look, 60), (VectorSpace::Appearance, 60)] {
        let vectors = remote.place.library.store().image_vectors(ID, space, &ids).await.unwrap();
        assert_eq!(vectors.len(), count, "{space:?}");
        assert!(vectors.values().all(|bytes| Vector::from_bytes(bytes).unwrap().dimensions() == 768));
    }
    let again = remote.embed(&embedders).await.unwrap();
    assert_eq!((again.text, again.look, remote.sandbox.stats().calls), (0, 0, calls));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedder_that_does_not_answer_ends_the_work_and_it_goes_on_later() {
    let remote = Remote::new(3);
    remote.place.import().await;
    let (handle, stop) = StopHandle::new();
    handle.stop();
    let embedder = remote.embedder(&[], stop);
    let stopped = Embedders { text: None, look: Some(embedder) };
    assert_eq!(remote.embed(&stopped).await.unwrap_err().code(), "interrupted");
    assert_eq!(remote.embed(&remote.embedders()).await.unwrap().look, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_query_are_paid_for_once() {
    let remote = Remote::new(0);
    let embedder = remote.embedder(&[], Stop::never());
    let ask = |words: &str| {
        let (embedder, words) = (Arc::clone(&embedder), [words.to_owned()]);
        async move { tokio::task::spawn_blocking(move || embedder.query(&words).unwrap()).await.unwrap() }
    };
    let first = ask("a red kite").await;
    assert_eq!(ask("a red kite").await, first);
    assert_eq!(remote.sandbox.stats().calls, 1);
    assert_ne!(ask("a blue kite").await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_crash_is_not_asked_again_although_the_library_has_changed() {
    let remote = Remote::new(6);
    remote.place.import().await;
    let store = remote.place.library.store();
    let look_only = || {
        let embedder = remote.embedder(&[], Stop::never());
        Embedders { text: None, look: Some(embedder) }
    };
    assert_eq!(remote.embed(&look_only()).await.unwrap().look, 6);
    let calls = remote.sandbox.stats().calls;
    // As a crash leaves it: the answers are there, and nothing was made of them.
    let job = store.jobs(JobPage { after: None, limit: 1 }).await.unwrap().remove(0);
    store.set_job_state(&job.id, JobState::Open, None, None, now()).await.unwrap();
    let nobody = ["nobody/1".to_owned()];
    while store.prune_image_vectors(&nobody, 99).await.unwrap() > 0 {}
    let database = rusqlite::Connection::open(remote.place.path("data/atelier.db")).unwrap();
    assert!(database.execute("DELETE FROM vectors", []).unwrap() >= 6);
    remote.place.write("006.jpg", photo(6));
    remote.place.import().await;

    assert_eq!(remote.embed(&look_only()).await.unwrap().look, 7);
    let asked: u64 =
        store.jobs(JobPage { after: None, limit: 9 }).await.unwrap().iter().map(|job| job.counts.items).sum();
    assert_eq!(asked, 6 + 1, "one for each picture");
    assert_eq!(remote.sandbox.stats().calls, calls + 1);
    assert_eq!(store.job(&job.id).await.unwrap().unwrap().state, JobState::Cancelled, "nobody need go on with it");
}
