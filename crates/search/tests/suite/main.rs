//! The index through its front door.
#![allow(clippy::unwrap_used, clippy::panic)]

mod changes;
mod common;
mod crash;
mod filters;
mod readers;
mod stages;
mod vectors;
mod words;
