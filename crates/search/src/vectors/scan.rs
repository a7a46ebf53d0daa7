//! The nearest vectors to a query.
//!
//! Every vector that the filter leaves is compared while there are no more of them than the budget: the
//! search is exact then. Beyond, files that a merge has sorted into lists are read list by list, the list with
//! the nearest centroid first, until the budget of *allowed* vectors is reached. A filter therefore never
//! costs recall: the more it takes away, the more lists are read, down to all of them.
//!
//! (A graph has no such property. Its filtered search walks through what the filter took away, and lost nine
//! tenths of the recall at 10 % where it was measured.)

use std::sync::Arc;

use super::codes::{self, Probe};
use super::segment::{Segment, Slots, SpaceView};
use crate::error::SearchResult;
use crate::rows::RowSet;
use crate::settings::Space;

/// The nearest vectors, and the number compared to find them.
#[derive(Debug, Default)]
pub(crate) struct Nearest {
    /// Rows with their cosines, the best first.
    pub(crate) found: Vec<(u32, f32)>,
    /// Number of vectors compared.
    pub(crate) scanned: usize,
}

/// Bounds of a scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScanLimits {
    /// Number of rows to return.
    pub(crate) wanted: usize,
    /// The fewest allowed vectors to compare, if there are so many.
    pub(crate) scanned: usize,
}

/// The `wanted` rows of `allowed` whose vectors are nearest to `probe`.
pub(crate) fn nearest(
    segments: &[Arc<Segment>],
    space: Space,
    probe: &Probe,
    allowed: &RowSet,
    limits: ScanLimits,
) -> SearchResult<Nearest> {
    let views: Vec<SpaceView<'_>> = segments.iter().filter_map(|segment| segment.space(space)).collect();
    // Eight bits may misorder neighbours, so twice as many as are wanted are kept and rescored.
    let mut scan = Scan { probe, allowed, best: Best::new(limits.wanted * 2), scanned: 0 };
    let mut lists = Vec::new();
    for (place, view) in views.iter().enumerate() {
        match view.centroids()? {
            None => scan.range(place as u32, view, 0..view.slots())?,
            Some(centroids) => {
                let mut start = 0;
                let ends = centroids.ends.iter().map(|&end| u32::from_le_bytes(end));
                let scales = centroids.scales.iter().map(|&scale| f32::from_le_bytes(scale));
                let highs = centroids.high.chunks_exact(view.dimensions());
                for ((end, scale), high) in ends.zip(scales).zip(highs) {
                    lists.push((probe.cosine(scale, high, None), place as u32, start..end.max(start)));
                    start = end.max(start);
                }
            }
        }
    }
    lists.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    // Files without lists are read whole in any case; the budget is for the lists.
    let before = scan.scanned;
    for (_, place, slots) in lists {
        if scan.scanned - before >= limits.scanned {
            break;
        }
        scan.range(place, &views[place as usize], slots)?;
    }
    let scanned = scan.scanned;
    let found = scan.best.finish();
    Ok(Nearest { found: rescore(&views, probe, found, limits.wanted)?, scanned })
}

/// The vector of a row as it is kept, if it has one.
pub(crate) fn vector_of(segments: &[Arc<Segment>], space: Space, row: u32) -> SearchResult<Option<Vec<f32>>> {
    for segment in segments {
        let Some(view) = segment.space(space) else { continue };
        if let Some(slot) = view.slot_of(row)? {
            let slot = view.slot(slot)?;
            return Ok(Some(codes::decode(slot.scale, slot.high, slot.low)));
        }
    }
    Ok(None)
}

/// The cosine of a row's vector with a query, if it has one.
pub(crate) fn cosine_of(segments: &[Arc<Segment>], space: Space, row: u32, probe: &Probe) -> SearchResult<Option<f32>> {
    let vector = vector_of(segments, space, row)?;
    Ok(vector.map(|vector| vector.iter().zip(probe.numbers()).map(|(a, b)| a * b).sum()))
}

struct Scan<'a> {
    probe: &'a Probe,
    allowed: &'a RowSet,
    best: Best,
    scanned: usize,
}

impl Scan<'_> {
    /// Compares the allowed vectors of these slots, a stretch at a time so that what is checked is still in
    /// the cache when it is read.
    fn range(&mut self, place: u32, view: &SpaceView<'_>, slots: std::ops::Range<u32>) -> SearchResult<()> {
        const STRETCH: u32 = 1024;
        let mut start = slots.start;
        while start < slots.end {
            let end = slots.end.min(start.saturating_add(STRETCH));
            let stretch = view.range(start..end)?;
            let dimensions = view.dimensions();
            pulp::Arch::new().dispatch(|| self.stretch(place, start, &stretch, dimensions));
            start = end;
        }
        Ok(())
    }

    #[inline(always)]
    fn stretch(&mut self, place: u32, first: u32, slots: &Slots<'_>, dimensions: usize) {
        let step = self.probe.step();
        let codes = self.probe.codes();
        let vectors = slots.high.chunks_exact(dimensions).zip(slots.rows).zip(slots.scales);
        for (slot, ((high, &row), &scale)) in (first..).zip(vectors) {
            let row = u32::from_le_bytes(row);
            if !self.allowed.contains(row) {
                continue;
            }
            self.scanned += 1;
            let score = codes::dot(high, codes) as f32 * step * f32::from_le_bytes(scale);
            if score > self.best.threshold {
                self.best.push(ScanHit { score, row, place, slot });
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct ScanHit {
    score: f32,
    row: u32,
    place: u32,
    slot: u32,
}

/// The best so many of what is pushed.
struct Best {
    wanted: usize,
    threshold: f32,
    found: Vec<ScanHit>,
}

impl Best {
    fn new(wanted: usize) -> Self {
        Self { wanted, threshold: f32::NEG_INFINITY, found: Vec::with_capacity(wanted * 2) }
    }

    #[inline]
    fn push(&mut self, found: ScanHit) {
        self.found.push(found);
        if self.found.len() >= self.wanted * 2 {
            self.shrink();
        }
    }

    #[cold]
    fn shrink(&mut self) {
        if self.wanted == 0 {
            self.found.clear();
            self.threshold = f32::INFINITY;
        } else if self.found.len() > self.wanted {
            let (_, last, _) = self.found.select_nth_unstable_by(self.wanted - 1, |a, b| b.score.total_cmp(&a.score));
            self.threshold = last.score;
            self.found.truncate(self.wanted);
        }
    }

    fn finish(mut self) -> Vec<ScanHit> {
        self.shrink();
        self.found
    }
}

/// Scores the hits of a scan with all bits that are kept; of equals, the row that came first.
fn rescore(
    views: &[SpaceView<'_>],
    probe: &Probe,
    found: Vec<ScanHit>,
    wanted: usize,
) -> SearchResult<Vec<(u32, f32)>> {
    let mut scored = Vec::with_capacity(found.len());
    for found in found {
        let slot = views[found.place as usize].slot(found.slot)?;
        scored.push((found.row, probe.cosine(slot.scale, slot.high, slot.low)));
    }
    scored.sort_unstable_by(|a: &(u32, f32), b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scored.truncate(wanted);
    Ok(scored)
}
