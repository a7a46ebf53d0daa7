//! Vectors and palettes: how they are kept, found and merged.

mod cluster;
mod codes;
mod file;
mod palette;
mod scan;
mod segment;
mod source;
mod write;

pub(crate) use codes::Probe;
pub(crate) use palette::near_color;
pub(crate) use scan::{ScanLimits, cosine_of, nearest, vector_of};
pub(crate) use segment::Segment;
pub(crate) use write::{PendingVectors, merge};
