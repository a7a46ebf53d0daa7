//! The library from the outside: imports, changes, vectors, exports and removal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changes;
mod exports;
mod fixtures;
mod imports;
mod resuming;
mod vectors;
