//! A store in a temporary folder, a sandbox, and a real client of it.

use std::sync::Arc;
use std::time::Duration;

use atelier_embed::{Calibration, EmbedError, EmbedderId, TextEmbedder, Vector};
use atelier_engine::{Clock, Engine, Event, Job, JobId, Options, Packing, Pool, Price, Report, Stop, Timestamp};
use atelier_providers::{ApiKey, BaseUrl, Gemini, HttpClient};
use atelier_replies::embedding::LocalEmbedding;
use atelier_replies::generate::{
    DraftSettings, Harvested, Prepared, Selection, harvest_of, prepare, save_drafts, submit,
};
use atelier_sandbox::{Sandbox, SandboxConfig};
use atelier_store::{DraftFilter, DraftRow, JobRecord, Post, Store, job_id};
use tempfile::TempDir;

pub(crate) const PROJECT: &str = "bikes";

/// One topic; any post with a word of its own passes as yellow.
pub(crate) const FINDER: &str = "
taxonomy:
  - {label: repairs, description: bike repair brake chain}
sources:
  languages: [en]
  blacklist_keywords: [casino]
thresholds: {green_min: 0.6, yellow_min: 0.1}
";

/// A job after it was run.
pub(crate) struct Ran {
    pub(crate) job: JobRecord,
    pub(crate) report: Report,
    pub(crate) harvested: Harvested,
}

pub(crate) struct Studio {
    _dir: TempDir,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) sandbox: Sandbox,
    pub(crate) embedding: LocalEmbedding,
}

/// The moment at which posts are selected and scored.
pub(crate) fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse::<jiff::Timestamp>().unwrap().into()
}

impl Studio {
    pub(crate) async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        store.add_project(PROJECT, FINDER, now()).await.unwrap();
        let sandbox = Sandbox::start(SandboxConfig::default(), ([127, 0, 0, 1], 0).into()).unwrap();
        let embedding = LocalEmbedding::new(Arc::new(Words::new()));
        Self { _dir: dir, store, clock: Clock::system(), sandbox, embedding }
    }

    pub(crate) async fn import(&self, posts: Vec<Post>) {
        self.store.upsert_posts(PROJECT, posts, now()).await.unwrap();
    }

    pub(crate) async fn prepare(&self) -> Prepared {
        self.prepare_with(&Selection { projects: vec![PROJECT.into()], ..Selection::default() }).await
    }

    pub(crate) async fn prepare_with(&self, selection: &Selection) -> Prepared {
        prepare(&self.store, selection, now(), &self.embedding).await.unwrap()
    }

    pub(crate) async fn submit(&self, prepared: &mut Prepared) -> Option<JobId> {
        let id = job_id("replies", self.clock.now());
        let settings = |settings: DraftSettings| serde_json::to_value(settings).unwrap();
        submit(&self.store, prepared, &id, 65_536, settings, now()).await.unwrap()
    }

    fn pool(&self) -> Pool {
        let model = "gemini-test";
        let http = HttpClient::new().unwrap();
        let endpoint = BaseUrl::parse(&self.sandbox.base_url()).unwrap();
        let gemini = Gemini::new(&http, &endpoint, &ApiKey::new("a-test-key").unwrap(), model).unwrap();
        Pool {
            id: format!("gemini/test/{model}").into(),
            serves: model.into(),
            model: Arc::new(gemini),
            limits: Vec::new(),
            price: Some(Price::default()),
            day_zone: jiff::tz::TimeZone::UTC,
            connect: Duration::from_millis(1),
            weight: 1,
            ephemeral: true,
            account: None,
        }
    }

    pub(crate) async fn run(&self, job: &JobId, packing: Packing) -> Ran {
        self.run_watched(job, Options { packing, ..Options::default() }, Stop::never(), |_| {}).await
    }

    pub(crate) async fn run_watched(
        &self,
        job: &JobId,
        options: Options,
        stop: Stop,
        on_event: impl FnMut(Event<'_>) + Send,
    ) -> Ran {
        let record = self.store.job(job).await.unwrap().unwrap();
        let settings: DraftSettings = serde_json::from_value(record.settings).unwrap();
        let (task, items) = (Arc::new(settings.task()), record.counts.pending);
        let new = Job { id: Arc::clone(job), task, pools: vec![self.pool()], items, options };
        let engine = Engine::new(self.store.journal(), self.clock);
        let report = engine.run(new, stop, on_event).await.unwrap();
        save_drafts(&self.store, job, &self.store.all_outcomes(job).await.unwrap(), now()).await.unwrap();
        self.store.run_ended(job, &report.end, now()).await.unwrap();
        let job = self.store.job(job).await.unwrap().unwrap();
        Ran { harvested: harvest_of(&self.store, &job.id).await.unwrap(), job, report }
    }

    pub(crate) async fn drafts(&self) -> Vec<DraftRow> {
        let filter = DraftFilter { include_filtered: true, limit: 10_000, ..DraftFilter::default() };
        self.store.drafts(&filter).await.unwrap()
    }

    /// How many drafts each post has, by the post's id.
    pub(crate) async fn drafts_by_post(&self) -> std::collections::BTreeMap<String, usize> {
        let mut counts = std::collections::BTreeMap::new();
        for row in self.drafts().await {
            *counts.entry(row.draft.post).or_default() += 1;
        }
        counts
    }
}

/// A post of an hour ago that is like no other.
pub(crate) fn post(number: usize) -> Post {
    post_saying(number, &format!("My bike brake makes noise w{number}a w{number}b w{number}c w{number}d again?"))
}

pub(crate) fn post_saying(number: usize, text: &str) -> Post {
    let id = format!("90000000000000{number:05}");
    Post {
        project: PROJECT.into(),
        url: format!("https://x.com/i/status/{id}"),
        id,
        text: text.into(),
        author: format!("author{number}"),
        followers: 5_000,
        posted_at: now().before(Duration::from_secs(3_600 + number as u64)),
        likes: 10,
        replies: 2,
        reposts: 1,
        views: 100 * number as u64,
        lang: Some("en".into()),
    }
}

/// An embedder without a model: a text is the sum of its words, each a direction of its own.
struct Words {
    id: EmbedderId,
    calibration: Calibration,
}

impl Words {
    fn new() -> Self {
        Self { id: "words/1".parse().unwrap(), calibration: Calibration::identity("words/1") }
    }
}

const DIMENSIONS: usize = 512;

impl TextEmbedder for Words {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        let vector = |text: &String| {
            let mut numbers = vec![0.0; DIMENSIONS];
            numbers[0] = 0.01;
            for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
                let hash = blake3::hash(word.as_bytes());
                let place = usize::from(u16::from_le_bytes([hash.as_bytes()[0], hash.as_bytes()[1]]));
                numbers[place % DIMENSIONS] += 1.0;
            }
            Vector::normalised(numbers)
        };
        texts.iter().map(vector).collect()
    }

    fn calibration(&self) -> &Calibration {
        &self.calibration
    }
}
