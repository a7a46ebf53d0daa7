//! Sorting vectors into lists by the centroid they are nearest to (spherical k-means).
//!
//! The number of lists is the square root of the number of vectors, so that each list holds about as many
//! vectors as there are lists. Training uses a sample: a search reads a tenth of the lists, so they need not be
//! perfect.

use std::num::NonZeroUsize;
use std::ops::Range;

use super::codes::{Codes, Probe, decode, dot};
use super::source::VectorSource;
use crate::error::{SearchError, SearchResult};

/// Vectors in the training sample, per list.
const SAMPLE: usize = 48;

/// Rounds of training. After these, fewer than one in twenty of a sample changes its list.
const ROUNDS: usize = 6;

/// Vectors that are compared with all centroids at a time: they fit into the processor's first cache.
const TILE: usize = 64;

/// Vectors sorted into lists, one a centroid.
pub(super) struct Lists {
    pub(super) centroids: Vec<Codes>,
    /// The slot after each list's last.
    pub(super) ends: Vec<u32>,
    /// The number of the vector in each slot.
    pub(super) order: Vec<u32>,
}

/// Sorts the vectors into lists. The same vectors give the same lists.
pub(super) fn cluster(source: &dyn VectorSource, dimensions: usize, threads: NonZeroUsize) -> SearchResult<Lists> {
    let count = source.len();
    let lists = ((count as f64).sqrt() as usize).clamp(1, count.max(1));
    let mut random = fastrand::Rng::with_seed(count as u64);
    let sample = sample(count, lists * SAMPLE, &mut random);
    let mut centroids: Vec<Probe> =
        (0..lists).map(|_| read(source, sample[random.usize(..sample.len())])).collect::<SearchResult<_>>()?;
    for _ in 0..ROUNDS {
        let nearest = assign(source, &sample, &centroids, dimensions, threads)?;
        let mut sums = vec![0.0_f32; lists * dimensions];
        for (&number, &list) in sample.iter().zip(&nearest) {
            let slot = source.slot(number)?;
            let sum = &mut sums[list as usize * dimensions..][..dimensions];
            sum.iter_mut().zip(decode(slot.scale, slot.high, None)).for_each(|(sum, number)| *sum += number);
        }
        for (centroid, sum) in centroids.iter_mut().zip(sums.chunks_exact(dimensions)) {
            let length = sum.iter().map(|number| number * number).sum::<f32>().sqrt();
            *centroid = if length > 0.0 {
                Probe::of(&sum.iter().map(|number| number / length).collect::<Vec<_>>())
            } else {
                // Nothing is nearest to it, so it restarts from a vector of the sample.
                read(source, sample[random.usize(..sample.len())])?
            };
        }
    }
    let everything: Vec<usize> = (0..count).collect();
    let nearest = assign(source, &everything, &centroids, dimensions, threads)?;
    let (order, ends) = sort(&nearest, lists);
    Ok(Lists { centroids: centroids.iter().map(|centroid| Codes::of(centroid.numbers())).collect(), ends, order })
}

/// A vector as a probe.
fn read(source: &dyn VectorSource, number: usize) -> SearchResult<Probe> {
    let slot = source.slot(number)?;
    Ok(Probe::of(&decode(slot.scale, slot.high, slot.low)))
}

/// So many numbers below `count`, rising, evenly spread by chance.
fn sample(count: usize, wanted: usize, random: &mut fastrand::Rng) -> Vec<usize> {
    if count <= wanted {
        return (0..count).collect();
    }
    (0..wanted).map(|place| place * count / wanted + random.usize(..count / wanted)).collect()
}

/// The nearest centroid of each of these vectors.
fn assign(
    source: &dyn VectorSource,
    numbers: &[usize],
    centroids: &[Probe],
    dimensions: usize,
    threads: NonZeroUsize,
) -> SearchResult<Vec<u32>> {
    let mut nearest = vec![0; numbers.len()];
    let share = numbers.len().div_ceil(threads.get()).max(1);
    std::thread::scope(|scope| {
        let parts = numbers.chunks(share).zip(nearest.chunks_mut(share));
        let work: Vec<_> = parts
            .map(|(numbers, nearest)| scope.spawn(move || assign_part(source, numbers, centroids, dimensions, nearest)))
            .collect();
        work.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err(SearchError::Lexical("sorting vectors into lists stopped".into())))
        })
    })?;
    Ok(nearest)
}

fn assign_part(
    source: &dyn VectorSource,
    numbers: &[usize],
    centroids: &[Probe],
    dimensions: usize,
    nearest: &mut [u32],
) -> SearchResult<()> {
    let arch = pulp::Arch::new();
    let mut tile = Vec::with_capacity(TILE * dimensions);
    for (numbers, nearest) in numbers.chunks(TILE).zip(nearest.chunks_mut(TILE)) {
        tile.clear();
        for &number in numbers {
            tile.extend_from_slice(source.slot(number)?.high);
        }
        arch.dispatch(|| assign_tile(&tile, 0..numbers.len(), centroids, dimensions, nearest));
    }
    Ok(())
}

/// Within a vector its scale makes no difference, so codes are compared as they are.
#[inline(always)]
fn assign_tile(tile: &[u8], vectors: Range<usize>, centroids: &[Probe], dimensions: usize, nearest: &mut [u32]) {
    let mut best = [f32::NEG_INFINITY; TILE];
    for (list, centroid) in (0..).zip(centroids) {
        let (codes, step) = (centroid.codes(), centroid.step());
        for vector in vectors.clone() {
            let score = dot(&tile[vector * dimensions..][..dimensions], codes) as f32 * step;
            if score > best[vector] {
                best[vector] = score;
                nearest[vector] = list;
            }
        }
    }
}

/// Numbers by list, and the end of each list. Within a list they rise.
fn sort(nearest: &[u32], lists: usize) -> (Vec<u32>, Vec<u32>) {
    let mut ends = vec![0_u32; lists];
    for &list in nearest {
        ends[list as usize] += 1;
    }
    let mut total = 0;
    let mut next: Vec<u32> = Vec::with_capacity(lists);
    for end in &mut ends {
        next.push(total);
        total += *end;
        *end = total;
    }
    let mut order = vec![0; nearest.len()];
    for (number, &list) in (0..).zip(nearest) {
        order[next[list as usize] as usize] = number;
        next[list as usize] += 1;
    }
    (order, ends)
}

#[cfg(test)]
mod tests {
    use super::super::segment::Slot;
    use super::*;

    struct Vectors(Vec<Codes>);

    impl VectorSource for Vectors {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn row(&self, number: usize) -> u32 {
            number as u32
        }

        fn slot(&self, number: usize) -> SearchResult<Slot<'_>> {
            let codes = &self.0[number];
            Ok(Slot { scale: codes.scale, high: &codes.high, low: Some(&codes.low) })
        }
    }

    #[test]
    fn every_vector_lands_in_the_list_of_its_nearest_centroid() {
        let mut random = fastrand::Rng::with_seed(1);
        let vectors = (0..2000).map(|_| Codes::of(&(0..12).map(|_| random.f32() - 0.5).collect::<Vec<_>>()));
        let source = Vectors(vectors.collect());
        let lists = cluster(&source, 12, NonZeroUsize::new(2).unwrap()).unwrap();
        assert_eq!(lists.centroids.len(), 44);
        assert_eq!(lists.ends.last(), Some(&2000));
        let mut seen = lists.order.clone();
        seen.sort_unstable();
        assert_eq!(seen, (0..2000).collect::<Vec<u32>>());
        let mut start = 0;
        let mut elsewhere = 0;
        for (list, &end) in lists.ends.iter().enumerate() {
            for &number in &lists.order[start as usize..end as usize] {
                let codes = &source.0[number as usize];
                let score = |centroid: &Codes| {
                    let probe = Probe::of(&decode(centroid.scale, &centroid.high, Some(&centroid.low)));
                    dot(&codes.high, probe.codes()) as f32 * probe.step()
                };
                let own = score(&lists.centroids[list]);
                elsewhere += usize::from(lists.centroids.iter().any(|centroid| score(centroid) > own * 1.001));
            }
            start = end;
        }
        assert_eq!(elsewhere, 0);
    }

    #[test]
    fn vectors_that_are_all_the_same_are_sorted_too() {
        let source = Vectors(vec![Codes::of(&[0.6, 0.8]); 100]);
        let lists = cluster(&source, 2, NonZeroUsize::MIN).unwrap();
        assert_eq!((lists.ends.last(), lists.order.len()), (Some(&100), 100));
    }
}
