//! Vectors to be written to a file: new ones in memory, or those of files that are merged.

use super::segment::Slot;
use crate::error::SearchResult;

/// Vectors of one space, numbered from 0, wherever they are kept.
///
/// A merge may read gigabytes, so they are asked for one by one and never held together. Threads that train
/// lists share one source, hence [`Sync`].
pub(super) trait VectorSource: Sync {
    fn len(&self) -> usize;
    fn row(&self, number: usize) -> u32;
    fn slot(&self, number: usize) -> SearchResult<Slot<'_>>;
}
