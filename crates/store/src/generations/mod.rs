//! Generations: what images were asked for, and what came of each.

mod preferences;
mod read;
mod records;
mod write;

pub use self::preferences::{LikedCost, Preference};
pub use records::{GeneratedFile, GeneratedFilter, GeneratedImage, GeneratedState, Generation, NewGeneratedImage};
