//! The API, from outside: a server on a free port of this machine, asked over HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod document;
mod events;
mod exports;
mod isolation;
mod library;
mod manners;
mod once;
mod place;
mod providers;
mod replies;
mod sign_in;
mod walk;
mod work;
