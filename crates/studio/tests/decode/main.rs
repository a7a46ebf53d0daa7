//! Files that are read as pictures, and files that are refused before they do harm.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod drawings;
mod files;
mod formats;
mod harm;
