//! The library from the outside: what comes in, what is kept of it, how it changes and leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changes;
mod exports;
mod fixtures;
mod imports;
mod remote;
mod resuming;
mod vectors;
