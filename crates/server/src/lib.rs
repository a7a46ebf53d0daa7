//! The HTTP API: who asks, what they may, and the application's answers as JSON.
//!
//! A handler takes a request apart, asks [`App`](atelier_app::App), and gives its view back; what is decided, is decided
//! there. A route is added (`Routes::add`) with the rule that says who may use it, and can't be added without; it
//! is documented, or it is not served. Whoever passes the rule is handed an application in their own hands, which does not
//! show what others own.
//!
//! `http` is what every request goes through, `sign_in` says who asks, `routes` has a file for each resource, `events`
//! passes on what changes, `serve` listens.
#![forbid(unsafe_code)]

mod events;
mod http;
mod routes;
mod serve;
mod sign_in;
mod state;

pub use routes::document;
pub use serve::{Serving, serve};
pub use state::ServeSettings;
