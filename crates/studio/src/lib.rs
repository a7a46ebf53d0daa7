//! The image domain: the library of images, and what is made with it.
#![forbid(unsafe_code)]

mod error;
pub mod library;
pub mod objects;
pub mod search;

pub use error::{StudioError, StudioResult};
