//! An application in a folder of its own, and a provider that is a sandbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use atelier_app::job::{WorkEvent, Worked};
use atelier_app::{App, AppResult, RunChange, Start};
use atelier_engine::{Clock, JobId, Stop, Usd};
use atelier_sandbox::{Sandbox, SandboxConfig};
use atelier_store::Post;
use tempfile::TempDir;

pub(crate) const PROJECT: &str = "bikes";

/// One topic; any post that is to the point passes.
const FINDER: &str = "
taxonomy:
  - {label: repairs, description: bicycle repair and its brakes}
sources: {languages: [en]}
thresholds: {green_min: 0.02, yellow_min: 0.01}
";

pub(crate) struct Studio {
    dir: TempDir,
    pub(crate) provider: Sandbox,
    pub(crate) app: App,
}

impl Studio {
    pub(crate) fn new() -> Self {
        Self::with_config("")
    }

    /// With this in atelier.toml. `gemini:` models are those of the provider here.
    pub(crate) fn with_config(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("atelier.toml"), config).unwrap();
        let provider = Sandbox::start(SandboxConfig::default(), ([127, 0, 0, 1], 0).into()).unwrap();
        let app = App::start(start(dir.path(), &provider)).unwrap();
        Self { dir, provider, app }
    }

    /// The application as another process opens it.
    pub(crate) fn again(&self) -> App {
        App::start(start(self.dir.path(), &self.provider)).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The project, and so many posts to answer.
    pub(crate) async fn add_posts(&self, count: usize) {
        let finder = self.path("finder.yml");
        std::fs::write(&finder, FINDER).unwrap();
        self.app.add_project(PROJECT, &finder).await.unwrap();
        let now = self.app.clock().now();
        let posts = (1..=count).map(|number| post(number, &self.app)).collect();
        self.app.store().unwrap().upsert_posts(PROJECT, posts, now).await.unwrap();
    }

    /// Works on a job as it is.
    pub(crate) async fn work(&self, job: &JobId) -> AppResult<Worked> {
        self.work_with(job, &RunChange::default()).await
    }

    pub(crate) async fn work_with(&self, job: &JobId, change: &RunChange) -> AppResult<Worked> {
        self.app.work(job, change, Stop::never(), &mut |_: WorkEvent<'_>| {}).await
    }
}

fn start(dir: &Path, provider: &Sandbox) -> Start {
    let url = provider.base_url();
    Start {
        config: Some(dir.join("atelier.toml")),
        data_dir: Some(dir.join("data")),
        environment: Arc::new(move |name| match name {
            "GOOGLE_GEMINI_BASE_URL" => Some(url.clone()),
            "GEMINI_API_KEY" => Some("a-test-key".to_owned()),
            _ => None,
        }),
        clock: Clock::system(),
    }
}

fn post(number: usize, app: &App) -> Post {
    let id = format!("90000000000000{number:05}");
    Post {
        project: PROJECT.into(),
        url: format!("https://x.com/i/status/{id}"),
        id,
        text: format!("My bicycle brake number {number} squeals after the repair w{number}a w{number}b, what is it?"),
        author: format!("author{number}"),
        followers: 5_000,
        posted_at: app.clock().now().before(std::time::Duration::from_secs(600 + number as u64)),
        likes: 10,
        replies: 2,
        reposts: 1,
        views: 900,
        lang: Some("en".into()),
    }
}

pub(crate) fn dollars(amount: f64) -> Option<Usd> {
    Usd::from_dollars(amount)
}
