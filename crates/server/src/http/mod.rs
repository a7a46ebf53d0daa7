//! What every request goes through, and how it is read and answered.

mod bytes;
mod hosts;
mod layers;
mod metrics;
mod once;
mod problem;
mod read;

pub(crate) use bytes::{Downloads, picture, streamed};
pub(crate) use hosts::{Hosts, is_local, origin_of};
pub(crate) use layers::around;
pub(crate) use metrics::{Metrics, scrape};
pub(crate) use once::{Key, once};
pub(crate) use problem::{Answer, Problem, ProblemBody};
pub(crate) use read::{Body, Page, Query, receive};
