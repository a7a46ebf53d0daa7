//! Vectors and palettes: how they are kept, found and merged.

mod cluster;
mod codes;
mod file;
mod scan;
mod segment;
mod write;

pub(crate) use codes::Probe;
pub(crate) use scan::{Limits, nearest, vector_of};
pub(crate) use segment::{PaletteView, Segment};
pub(crate) use write::{Pending, merge};
