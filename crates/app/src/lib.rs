//! The whole application, without a face: what a command line, a server or a test can do, and how it is done.
//!
//! [`App`] is where everything starts: configuration, store, pools. The modules beside it are the use cases; each takes
//! what a user asks for as a type and gives what is shown as another ([`views`]). Work that calls a model is a job of
//! some [kind](job::JobKind), and [`App::work`] is the one worker for all of them. Errors have a code of one
//! [table](error::TABLE), from which exit codes and HTTP statuses follow.
//!
//! Nothing here knows a terminal, a command or a flag, nor HTTP: hints name the act, and each face says how.
#![forbid(unsafe_code)]

/// A code of the table of errors; one that is not there does not compile.
#[macro_export]
macro_rules! code {
    ($code:literal) => {{
        const _: () = assert!($crate::error::class_of($code).is_some(), "this code is not in the table of errors");
        $code
    }};
}

pub mod accounts;
mod app;
pub mod background;
mod clients;
pub mod config;
mod cost;
mod embedders;
mod embedding;
pub mod error;
mod events;
pub mod files;
pub mod images;
pub mod job;
pub mod kinds;
mod layout;
pub mod library;
mod models;
mod pools;
pub mod posts;
mod prices;
pub mod prompts;
mod provider_keys;
mod purse;
mod queue;
mod quota;
pub mod replies;
mod run;
mod samples;
pub mod search;
mod setup;
mod tidy;
mod trash;
mod uploads;
pub mod views;
mod zips;

pub use app::{App, Start};
pub use atelier_prompts::PromptDefaults;
pub use config::Environment;
pub use embedders::threads;
pub use error::{AppError, AppResult, ErrorClass};
pub use events::Events;
pub use layout::{LARGEST_SLICE, Layout, Layouts};
pub use pools::{Intent, Pools, Prices};
pub use run::{RunChange, RunSettings, SandboxSettings};
