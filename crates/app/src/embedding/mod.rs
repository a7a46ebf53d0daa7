//! Embedders behind a provider: what they are asked becomes jobs, and goes the way of all calls.

mod models;
mod remote;

pub(crate) use models::RemoteModels;
pub(crate) use remote::{RemoteEmbedder, hash_of};
