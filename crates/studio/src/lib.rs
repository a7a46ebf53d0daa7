//! The image domain: the library of images, and what is made with it.
#![forbid(unsafe_code)]

pub mod describe;
mod error;
pub mod generate;
pub mod library;
pub mod provenance;
pub mod search;

pub use error::{RequestFault, StudioError, StudioResult};
