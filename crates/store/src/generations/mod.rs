//! Generations: what images were asked for, and what came of each.

mod read;
mod records;
mod write;

pub use records::{Generation, MadeFilter, MadeImage, MadeResult, MadeState, NewMade};
