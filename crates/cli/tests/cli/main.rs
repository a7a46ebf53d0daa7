//! The built program from outside: what it prints, what it keeps, and how it ends.
//!
//! Every test has a data directory of its own, and a sandbox of its own where it needs one. Nothing waits
//! for a time to pass: where something has to have happened, it is looked for until it has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backup;
mod bad_input;
mod configuration;
mod dry_run;
mod images;
mod interruption;
mod jobs;
mod kills;
mod library;
mod limits;
mod local_state;
mod packing;
mod posts;
mod projects;
mod prompts;
mod provider;
mod real_inputs;
mod review;
mod samples;
mod sandbox;
mod secrets;
mod serve;
mod several_projects;
mod traces;
mod usage;
mod world;
