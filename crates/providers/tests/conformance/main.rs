//! The suite that every provider's client has to pass, each against the literal wire of its provider's documents.
//!
//! A client joins by a [`Subject`](subject::Subject) and by files in `tests/fixtures/NAME/`, written by hand
//! after those documents. The server here sends bytes and knows no format, so that it can't share a
//! misreading with a client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::result_large_err,
    reason = "tests fail loudly"
)]

mod behaviour;
mod connections;
mod fixture;
mod kept;
mod sandbox;
mod sandbox_openai;
mod secrets;
mod server;
mod subject;
mod wire;
