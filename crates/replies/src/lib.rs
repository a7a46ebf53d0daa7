//! The posts domain: import, gate, score, draft, filter, review and export.
//!
//! A project's [`Finder`] says what it looks for and in whose voice it answers. Posts come in by
//! [`import`]; [`generate`] takes them from there to drafts in the store, through the engine; people decide
//! about those in [`review`], and [`export`] hands them out. Nothing here speaks to the network: whom to ask
//! is the caller's choice of [`Pool`](atelier_engine::Pool), and what compares texts is an
//! [`Embedding`](embedding::Embedding).
//!
//! # Example
//! One post, from a file of posts to a CSV of drafts, against the sandbox. With another address and key the
//! same lines ask Gemini.
//!
//! ```
//! use std::num::NonZeroUsize;
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use atelier_embed::{MiniLm, ModelBytes};
//! use atelier_engine::{Clock, Engine, Event, Job, Options, Pool, Price, RunEnd, Stop};
//! use atelier_providers::{ApiKey, BaseUrl, Gemini, GEMINI_DAY_ZONE, HttpClient};
//! use atelier_replies::embedding::LocalEmbedding;
//! use atelier_replies::export::{self, ExportOptions};
//! use atelier_replies::generate::{self, DraftSettings, Selection};
//! use atelier_replies::import;
//! use atelier_sandbox::{Sandbox, SandboxConfig};
//! use atelier_store::Store;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let clock = Clock::system();
//! let store = Store::open(folder.path())?;
//!
//! // A project and a post.
//! let finder = "taxonomy: [{label: repairs, description: Mending bicycles}]";
//! store.add_project("bikes", finder, clock.now()).await?;
//! let posts = format!("id,text,author,followers,posted_at\n17,Why does my bike creak?,anna,5000,{}", clock.now());
//! let imported = import::read("bikes", Some("posts.csv"), posts.as_bytes())?;
//! import::save(&store, "bikes", imported, true, clock.now()).await?;
//!
//! // Who compares, and who answers.
//! let model = ModelBytes::File("../../assets/models/minilm/model-int8.onnx".into());
//! let tokenizer = std::fs::read("../../assets/models/minilm/tokenizer.json")?;
//! let embedding = LocalEmbedding::new(Arc::new(MiniLm::load(model, &tokenizer, NonZeroUsize::MIN)?));
//! let sandbox = Sandbox::start(SandboxConfig::default(), ([127, 0, 0, 1], 0).into())?;
//! let endpoint = BaseUrl::parse(&sandbox.base_url())?;
//! let pool = Pool {
//!     id: "gemini/sandbox/gemini-test".into(),
//!     serves: "gemini:gemini-test".into(),
//!     model: Arc::new(Gemini::new(&HttpClient::new()?, &endpoint, &ApiKey::new("any key")?, "gemini-test")?),
//!     limits: vec!["requests=15/60s".parse()?],
//!     price: Some(Price::default()),
//!     day_zone: jiff::tz::TimeZone::get(GEMINI_DAY_ZONE)?,
//!     connect: Duration::from_millis(1),
//!     weight: 1,
//!     ephemeral: true,
//!     account: None,
//! };
//!
//! // Select, gate, compare, score: nothing is spent yet.
//! let selection =
//!     Selection { projects: vec!["bikes".into()], skip_low_scores: false, ..Selection::default() };
//! let mut prepared = generate::prepare(&store, &selection, clock.now(), &embedding).await?;
//! assert_eq!(prepared.counts().selected, 1);
//!
//! // Draft. What a resume needs is stored with the job; the callback sees every outcome once it is durable.
//! let id = atelier_store::job_id("replies", clock.now());
//! let task = generate::task(&prepared, 65_536);
//! let settings = |settings: DraftSettings| serde_json::to_value(settings).unwrap_or_default();
//! let id = generate::submit(&store, &mut prepared, &id, 65_536, settings, clock.now()).await?.ok_or("nothing to draft")?;
//! let job = Job { id: id.clone(), task: Arc::new(task), pools: vec![pool], items: 1, options: Options::default() };
//! let report = Engine::new(store.journal(), clock).run(job, Stop::never(), |event| {
//!     if let Event::Progress(progress) = event {
//!         eprintln!("{} of {} done, {} calls in flight", progress.done, progress.items, progress.in_flight);
//!     }
//! })
//! .await?;
//! assert_eq!(report.end, RunEnd::Done);
//! let saved = generate::save_drafts(&store, &id, &store.all_outcomes(&id).await?, clock.now()).await?;
//! assert_eq!(saved.drafted, 1);
//!
//! // Hand out.
//! let file = folder.path().join("replies.csv");
//! let exported = export::to_file(&store, &ExportOptions::default(), &file, clock.now()).await?;
//! assert_eq!(exported.rows, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//! [`gate`], [`score`], [`similarity`] and [`filter`] are pure: what they say follows from what they are
//! given, and is explained by it. [`DraftTask`] is the engine's
//! [`Task`](atelier_engine::Task): it packs posts into one request and gets the drafts out of whatever comes
//! back. A new kind of reply is a line in [`ReplyKind`]; a new stage of the pipeline belongs in
//! [`generate::prepare`] if it costs nothing, and a new column of posts into [`import`]'s table of columns.
#![forbid(unsafe_code)]

pub mod embedding;
mod error;
pub mod export;
pub mod filter;
mod finder;
pub mod gate;
pub mod generate;
pub mod import;
mod kind;
mod prompt;
pub mod review;
pub mod review_import;
mod salvage;
pub mod score;
pub mod similarity;
mod table;
mod task;
#[cfg(test)]
mod testing;
mod why;

pub use error::RepliesError;
pub use finder::{AuthorStanding, DraftingRules, Examples, Finder, Node, Sources, Thresholds, Voice, Weights};
pub use kind::ReplyKind;
pub use task::{DraftTask, Drafted};
pub use why::why;
