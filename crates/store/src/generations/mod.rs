//! Generations: what images were asked for, and what came of each.

mod read;
mod records;
mod write;

pub use records::{GeneratedFile, GeneratedFilter, GeneratedImage, GeneratedState, Generation, NewGeneratedImage};
