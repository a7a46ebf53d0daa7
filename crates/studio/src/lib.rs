//! The image domain: the library of images, and what is made with it.
#![forbid(unsafe_code)]

mod error;
pub mod generate;
pub mod library;
pub mod objects;
pub mod provenance;
pub mod search;

pub use error::{StudioError, StudioResult};
