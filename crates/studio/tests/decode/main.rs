//! What files are read as pictures, and what is refused before it does harm.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod drawings;
mod files;
mod formats;
mod harm;
