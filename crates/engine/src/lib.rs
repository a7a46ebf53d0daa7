//! The engine: limits, admission, fairness, retries, packing, budgets and the run loop.
//!
//! It turns the *items* of a *job* into *calls* to rate-limited, paid models: as many as the limits allow, no
//! more, none lost and none paid for twice. Three traits are all it knows of the world: a [`Task`] says what
//! is asked and what counts as an answer, a [`Model`] makes one exchange, and a [`Journal`] remembers.
//!
//! # Example
//! Three questions, against the sandbox. With another address and key the same lines ask Gemini, and with
//! the journal of a store the answers outlive the process.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use atelier_engine::*;
//! use atelier_providers::{ApiKey, BaseUrl, Gemini, GEMINI_DAY_ZONE, HttpClient};
//! use atelier_sandbox::{Sandbox, SandboxConfig};
//!
//! /// Each item's payload is a prompt, and any text is an answer.
//! struct Prompts;
//!
//! impl Task for Prompts {
//!     fn compose(&self, items: &[Item]) -> Result<Request, ItemFault> {
//!         Ok(Request::Text(TextRequest { prompt: items[0].payload.to_string(), ..TextRequest::default() }))
//!     }
//!
//!     fn parse(&self, reply: &Reply, items: &[Item]) -> Vec<Outcome> {
//!         let Content::Text(text) = &reply.content else { return Vec::new() };
//!         vec![Outcome { seq: items[0].seq, verdict: Verdict::Done { result: text.as_str().into() } }]
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start(SandboxConfig::default(), ([127, 0, 0, 1], 0).into())?;
//! let endpoint = BaseUrl::parse(&sandbox.base_url())?;
//! let pool = Pool {
//!     id: "gemini/sandbox/gemini-test".into(),
//!     serves: "gemini:gemini-test".into(),
//!     model: Arc::new(Gemini::new(&HttpClient::new()?, &endpoint, &ApiKey::new("any key")?, "gemini-test")?),
//!     limits: vec!["requests=15/60s".parse()?],
//!     price: None,
//!     day_zone: jiff::tz::TimeZone::get(GEMINI_DAY_ZONE)?,
//!     connect: Duration::from_millis(1),
//!     weight: 1,
//!     ephemeral: true,
//!     account: None,
//! };
//!
//! let journal = MemoryJournal::default();
//! let id: JobId = "greetings".into();
//! let prompts = ["Say hello.", "Say it in French.", "Say goodbye."];
//! journal.add(&id, (0..).zip(prompts).map(|(seq, prompt)| Item { seq, lane: "me".into(), payload: prompt.into() }));
//!
//! let engine = Engine::new(Arc::new(journal.clone()), Clock::system());
//! let job = Job { id: Arc::clone(&id), task: Arc::new(Prompts), pools: vec![pool], items: 3, options: Options::default() };
//! let report = engine
//!     .run(job, Stop::never(), |event| match event {
//!         Event::Outcome { outcome, .. } => println!("item {}: {}", outcome.seq, outcome.verdict.status()),
//!         Event::Progress(progress) => println!("{} of {}", progress.done, progress.items),
//!         _ => {}
//!     })
//!     .await?;
//!
//! assert_eq!(report.end, RunEnd::Done);
//! assert_eq!(journal.outcomes(&id).len(), 3);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod codes;
mod job;
mod journal;
mod latency;
mod limit;
mod limiter;
mod memory;
mod model;
mod plan;
mod pools;
mod purse;
mod queue;
mod retry;
mod run;
mod task;
mod time;
mod usage;

pub use job::{
    AccountLimits, EngineError, Event, Job, Options, Packing, Pool, Progress, Report, RunEnd, Stop, StopHandle,
};
pub use journal::{
    Amounts, Ended, EntryId, Epoch, Habits, JobId, Journal, JournalError, JournalResult, Known, LedgerEntry, Lesson,
    PoolId, Reservation, Reserved, Runner, ScopeId, Settlement, TURN, Urgency,
};
pub use latency::LatencyHabit;
pub use limit::{DisplayDuration, Limit, LimitError, LimitKind, Window, parse_duration};
pub use limiter::WaitCause;
pub use memory::MemoryJournal;
pub use model::{
    Content, EmbeddingInput, EmbeddingRequest, Ending, Fault, FaultKind, ImageData, ImageRequest, Model, RawRequest,
    Remedy, Reply, ReportedLimit, Request, TextRequest,
};
pub use purse::Purse;
pub use run::{Engine, Forecast, LimitUse};
pub use task::{Item, ItemFault, Outcome, Task, Verdict};
pub use time::{Clock, Timestamp};
pub use usage::{Demand, Price, Usage, Usd};
