//! Durable state: jobs, outcomes, the ledger, projects, posts and drafts.
//!
//! A [`Store`] is a folder: `atelier.db`, and files of objects. Its methods are asynchronous,
//! may be called from any number of tasks at once, and return only when what they wrote survives a power
//! cut. The database itself stands behind [`Database`], the one trait that a second database implements.
//!
//! ```
//! use atelier_engine::Timestamp;
//! use atelier_store::{NewItem, NewJob, Store};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! let store = Store::open(dir)?;
//! let item = NewItem { key: "line 1".into(), lane: "me".into(), payload: r#"{"prompt":"Say hello"}"#.into() };
//! let job = NewJob {
//!     id: "first".into(),
//!     kind: "prompts".into(),
//!     settings: serde_json::json!({"model": "sandbox"}),
//!     items: vec![item],
//!     claims: Vec::new(),
//!     created_at: Timestamp::default(),
//! };
//! store.create_job(job).await?;
//!
//! let lease = store.lease(&"first".into()).await?; // nobody else works on it until this is dropped
//! let pending = store.journal().pending(&"first".into(), None, 100).await?;
//! assert_eq!(pending.len(), 1);
//! # drop(lease);
//! # Ok(())
//! # }
//! ```
//!
//! Where what stands: `store` opens and shares; `journal` is what the engine writes through; `jobs`,
//! `projects`, `posts`, `scores`, `drafts` and `vectors` hold the SQL of each; `lease` says who works on a job, `changes`
//! what became different, `trash` keeps what was deleted, `objects` keeps files, `backup` the copies; `database` is the trait and `sqlite` the one database that implements it.
#![forbid(unsafe_code)]

mod backup;
mod bulk;
mod changes;
mod cursor;
mod database;
mod drafts;
mod error;
mod gate;
mod generations;
mod host;
mod jobs;
mod journal;
mod lease;
mod ledger;
mod library;
pub mod objects;
mod posts;
mod projects;
mod requests;
mod scores;
mod sqlite;
mod store;
mod trash;
mod uploads;
mod users;
mod vectors;

pub use changes::{Change, Changed};
pub use cursor::Cursor;
pub use database::{Columns, Database, Effect, Guard, Row, Statement, Value, Written};
pub use drafts::{AnswerStatus, Draft, DraftFilter, DraftRow, DraftStatus, NewDraft, PostAnswer, RejectedBy};
pub use error::{Holder, StoreError, StoreResult};
pub use generations::{
    GeneratedFile, GeneratedFilter, GeneratedImage, GeneratedState, Generation, LikedCost, NewGeneratedImage,
    Preference,
};
pub use jobs::{
    JobCounts, JobPage, JobRecord, JobState, JobTotals, NewItem, NewJob, OutcomeRecord, PostClaim, UnsettledCall,
    Wanted, WantedJob, job_id,
};
pub use lease::Lease;
pub use ledger::Spending;
pub use library::{
    Added, ChangeKind, Collection, Image, ImageFilter, ImageShape, ImageSource, LibraryChange, Likeness, NewImage,
    NewVector, ObjectsGuard, ScoreKind, TagCount, Unembedded, VectorSpace,
};
pub use posts::{CandidateFilter, Candidates, Funnel, Post, ScoredPost, Upserted};
pub use projects::Project;
pub use requests::{AnsweredRequest, RequestKey};
pub use scores::ScoreRecord;
pub use sqlite::SqliteDatabase;
pub use store::{LOCAL_OWNER, Store, StoreOptions};
pub use trash::{TRASH_KEEPS, TrashKind, Trashed};
pub use uploads::Upload;
pub use users::{
    AuditEntry, AuditRecord, Credential, CredentialKind, Identity, LimitsSet, Link, LinkKind, NewCredential, NewUser,
    PendingSignIn, Role, SealedKey, User, UserChange,
};
