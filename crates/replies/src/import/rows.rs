//! Rows as they come out of a file, with the lines on which they start.

use atelier_store::Post;

/// Counts lines as it goes, so that a long file is counted once.
pub(super) struct LineCounter<'a> {
    bytes: &'a [u8],
    position: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, line: 1 }
    }

    /// The line of a byte at or after the one asked for last, from 1.
    pub(super) fn at(&mut self, position: usize) -> u64 {
        let between = self.bytes.get(self.position..position).unwrap_or_default();
        self.line += between.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        self.position = position;
        self.line
    }
}

/// The line that a row starts on, from 1, and its post or the reason why it has none.
pub(super) type ParsedRow = (u64, Result<Post, String>);
