//! The application without a face, against the sandbox: what no single crate can promise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod describing;
mod embeddings;
mod events;
mod fixtures;
mod generations;
mod jobs;
mod migration;
mod replies;
mod samples;
