//! The search for images of the library that are nearly the same as a new one.
//!
//! Perceptual hashes find candidates among a million images in microseconds; a comparison of the thumbnails decides.
//! The hash alone would not do: a poster with another headline, or one white product shot and the next, can
//! have the same hash.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use super::decode::RgbPicture;
use super::derive;

/// The most bits in which the hashes of near duplicates may differ. Up to this the index finds all of them.
pub const MAX_DISTANCE: u32 = 7;

/// The most candidates whose thumbnails are compared, the nearest first.
const LOOKED_AT: usize = 24;

/// The bits of a band; a hash has four bands.
const BAND: u32 = 16;

/// Perceptual hashes, found by how near they are.
///
/// Of two hashes that differ in at most seven bits, one of the four bands differs in at most one bit. So it is
/// enough to look at images that share a band but for a bit: of a million, about a thousand. A million images
/// take about 100 MB.
pub(crate) struct NearIndex {
    /// For each value of each band, the places of the images that have it.
    bands: [HashMap<u16, Vec<u32>>; 4],
    images: Vec<(u64, Arc<str>)>,
    known: HashSet<Arc<str>>,
}

/// An image whose hash is near to the one that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NearCandidate {
    pub(crate) image: String,
    /// The number of bits in which the hashes differ.
    pub(crate) distance: u32,
}

impl fmt::Debug for NearIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NearIndex({} images)", self.images.len())
    }
}

impl NearIndex {
    pub(crate) fn new() -> Self {
        Self { bands: std::array::from_fn(|_| HashMap::new()), images: Vec::new(), known: HashSet::new() }
    }

    /// Adds an image. One that is removed from the library may stay: whoever looks finds that it is gone.
    pub(crate) fn add(&mut self, image: &str, phash: u64) {
        // More than four billion images are not kept.
        let Ok(place) = u32::try_from(self.images.len()) else { return };
        let image: Arc<str> = image.into();
        self.known.insert(Arc::clone(&image));
        self.images.push((phash, image));
        for (band, value) in self.bands.iter_mut().zip(bands(phash)) {
            band.entry(value).or_default().push(place);
        }
    }

    /// True if an image was added.
    pub(crate) fn contains(&self, image: &str) -> bool {
        self.known.contains(image)
    }

    /// The images whose hashes differ in at most so many bits, the nearest first, and of those the first that
    /// was added; no more than are looked at.
    pub(crate) fn find(&self, phash: u64, max_distance: u32) -> Vec<NearCandidate> {
        let max_distance = max_distance.min(MAX_DISTANCE);
        let mut found: Vec<(u32, u32)> = Vec::new();
        for (band, value) in self.bands.iter().zip(bands(phash)) {
            let flipped = (0..BAND).map(|bit| value ^ 1 << bit);
            for places in std::iter::once(value).chain(flipped).filter_map(|value| band.get(&value)) {
                for place in places {
                    let Some((other, _)) = self.images.get(*place as usize) else { continue };
                    let distance = derive::distance(phash, *other);
                    if distance <= max_distance {
                        found.push((distance, *place));
                    }
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found.truncate(LOOKED_AT);
        let candidate = |(distance, place): (u32, u32)| {
            let (_, image) = self.images.get(place as usize)?;
            Some(NearCandidate { image: image.to_string(), distance })
        };
        found.into_iter().filter_map(candidate).collect()
    }
}

fn bands(phash: u64) -> [u16; 4] {
    let [a, b, c, d, e, f, g, h] = phash.to_le_bytes();
    [[a, b], [c, d], [e, f], [g, h]].map(u16::from_le_bytes)
}

/// True if two pictures are nearly the same to the eye: scaled, compressed again, a little brighter or softer, but with
/// nothing added, taken away or moved.
pub(crate) fn alike(one: &RgbPicture, other: &RgbPicture) -> bool {
    is_like(one, other) && is_like(other, one)
}

/// Whether one, brought to the brightness of the other, is the other.
fn is_like(one: &RgbPicture, other: &RgbPicture) -> bool {
    let shape = |picture: &RgbPicture| f64::from(picture.width) / f64::from(picture.height);
    if (shape(one) / shape(other)).ln().abs() > MAX_SHAPE {
        return false;
    }
    let (Ok(one), Ok(other)) = (one.resized(SIDE, SIDE), other.resized(SIDE, SIDE)) else { return false };
    let cells = |picture: &RgbPicture| picture.rgb.iter().map(|part| f32::from(*part)).collect::<Vec<_>>();
    let (one, other) = (cells(&one), cells(&other));
    // A picture that is brighter or paler as a whole is the same picture.
    let Some((scale, shift)) = fit(&one, &other) else { return flat(&one) && flat(&other) && close(&one, &other) };
    if !(MIN_CONTRAST..=1.0 / MIN_CONTRAST).contains(&scale) || shift.abs() > MAX_SHIFT {
        return false;
    }
    let one: Vec<f32> = one.into_iter().map(|part| part * scale + shift).collect();
    let mean = one.iter().zip(&other).map(|(a, b)| (a - b).abs()).sum::<f32>() / count(&one);
    mean <= MAX_MEAN && strangers(&one, &other) <= MAX_STRANGERS && strangers(&other, &one) <= MAX_STRANGERS
}

/// The side in pixels that pictures are scaled to before they are compared.
const SIDE: u32 = 128;

/// The most by which the natural logarithms of their shapes (width / height) may differ.
const MAX_SHAPE: f64 = 0.03;

/// The least contrast of the one as a share of the contrast of the other.
const MIN_CONTRAST: f32 = 0.7;

/// The most by which one may be brighter than the other, of 255.
const MAX_SHIFT: f32 = 60.0;

/// The most by which pixels may differ on average, of 255.
const MAX_MEAN: f32 = 8.0;

/// The most by which a pixel may lie outside the range around its place in the other picture, of 255.
const MAX_OUTSIDE: f32 = 36.0;

/// The most pixels, of 16,384, that may lie farther outside.
const MAX_STRANGERS: usize = 12;

fn count(values: &[f32]) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let count = values.len() as f32;
    count
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / count(values)
}

/// The scale and shift that bring `one` closest to `other`, by least squares; `None` if `one` is too flat for that to
/// mean anything.
fn fit(one: &[f32], other: &[f32]) -> Option<(f32, f32)> {
    let (mean_one, mean_other) = (mean(one), mean(other));
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (a, b) in one.iter().zip(other) {
        covariance += (a - mean_one) * (b - mean_other);
        variance += (a - mean_one) * (a - mean_one);
    }
    if variance / count(one) < 4.0 {
        return None;
    }
    let scale = covariance / variance;
    Some((scale, mean_other - scale * mean_one))
}

/// True for a blank picture: no channel of a pixel is far from the mean.
fn flat(values: &[f32]) -> bool {
    let mean = mean(values);
    values.iter().all(|value| (value - mean).abs() < 24.0)
}

/// True if no channel of a pixel differs by 8 of 255 or more.
fn close(one: &[f32], other: &[f32]) -> bool {
    one.iter().zip(other).all(|(a, b)| (a - b).abs() < 8.0)
}

/// Counts the pixels of one picture that have no like around their place in the other: none that is about as bright in
/// each colour. A copy that was scaled or compressed moves its edges by a pixel and keeps what is there; words that
/// were added or removed have no like.
fn strangers(one: &[f32], other: &[f32]) -> usize {
    let side = SIDE as usize;
    let at = |x: usize, y: usize, part: usize| other.get((y * side + x) * 3 + part).copied();
    let outside = |x: usize, y: usize, part: usize, value: f32| {
        let (mut least, mut most) = (f32::MAX, f32::MIN);
        for row in y.saturating_sub(1)..=y + 1 {
            for column in x.saturating_sub(1)..=(x + 1).min(side - 1) {
                if let Some(near) = at(column, row, part) {
                    (least, most) = (least.min(near), most.max(near));
                }
            }
        }
        (least - value).max(value - most) > MAX_OUTSIDE
    };
    let strange = |(place, pixel): (usize, &[f32; 3])| {
        let (x, y) = (place % side, place / side);
        pixel.iter().enumerate().any(|(part, value)| outside(x, y, part, *value))
    };
    one.as_chunks::<3>().0.iter().enumerate().filter(|pixel| strange(*pixel)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the index is to find, found by looking at all.
    fn by_looking(hashes: &[u64], phash: u64, max_distance: u32) -> Vec<(String, u32)> {
        let mut found: Vec<(u32, usize)> = hashes
            .iter()
            .enumerate()
            .map(|(place, other)| (derive::distance(phash, *other), place))
            .filter(|(distance, _)| *distance <= max_distance)
            .collect();
        found.sort_unstable();
        found.into_iter().take(LOOKED_AT).map(|(distance, place)| (format!("i{place}"), distance)).collect()
    }

    proptest! {
        #[test]
        fn all_that_are_near_are_found(
            hashes in prop::collection::vec(any::<u64>(), 0..60),
            flips in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(0..64_u32, 0..9)), 0..60),
            max_distance in 0..=MAX_DISTANCE,
        ) {
            let mut hashes = hashes;
            hashes.push(77);
            for (of, bits) in &flips {
                let near = bits.iter().fold(hashes[of.index(hashes.len())], |hash, bit| hash ^ 1 << bit);
                hashes.push(near);
            }
            let mut index = NearIndex::new();
            for (place, hash) in hashes.iter().enumerate() {
                index.add(&format!("i{place}"), *hash);
            }
            for phash in hashes.iter().take(10) {
                let found = index.find(*phash, max_distance);
                let found: Vec<_> = found.into_iter().map(|found| (found.image, found.distance)).collect();
                prop_assert_eq!(found, by_looking(&hashes, *phash, max_distance));
            }
        }
    }

    #[test]
    fn what_was_added_is_known() {
        let mut index = NearIndex::new();
        index.add("a", 1);
        assert!(index.contains("a") && !index.contains("b"));
        assert_eq!(index.find(1, 99), [NearCandidate { image: "a".into(), distance: 0 }]);
    }

    /// Waves, drawn by a function of the place so that they can be drawn at any size.
    fn waves(width: u32, height: u32, change: impl Fn(f64, f64, [f64; 3]) -> [f64; 3]) -> RgbPicture {
        let mut rgb = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let (x, y) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
                let light = 120.0 + 60.0 * (9.0 * x + 4.0 * y).sin() + 40.0 * (17.0 * y * x).cos();
                let edge = if (x - 0.5).hypot(y - 0.5) < 0.3 { 40.0 } else { 0.0 };
                let colour = [light, light * 0.7 + edge, 220.0 - light + edge];
                rgb.extend(change(x, y, colour).map(|part| part.round().clamp(0.0, 255.0) as u8));
            }
        }
        RgbPicture::opaque(width, height, rgb)
    }

    fn same(_: f64, _: f64, colour: [f64; 3]) -> [f64; 3] {
        colour
    }

    #[test]
    fn copies_are_alike() {
        let picture = waves(256, 192, same);
        let copies = [
            ("scaled", waves(90, 68, same)),
            ("brighter", waves(256, 192, |_, _, colour| colour.map(|part| part * 1.05 + 15.0))),
            ("paler", waves(256, 192, |_, _, colour| colour.map(|part| part * 0.8 + 20.0))),
            (
                "grained",
                waves(256, 192, |x, y, colour| {
                    colour.map(|part| part + 9.0 * (x * 2_000.0).sin() * (y * 2_100.0).cos())
                }),
            ),
        ];
        for (how, copy) in copies {
            assert!(alike(&picture, &copy) && alike(&copy, &picture), "{how}");
        }
        let read = derive::read_thumbnail(&derive::thumbnail(&picture).unwrap()).unwrap();
        assert!(alike(&picture, &read), "as a thumbnail");
    }

    #[test]
    fn pictures_with_something_added_or_moved_are_not_alike() {
        let picture = waves(256, 192, same);
        let letters = |at: f64| {
            move |x: f64, y: f64, colour: [f64; 3]| {
                let stroke =
                    ((x - at) * 90.0).rem_euclid(3.0) < 1.0 && (at..at + 0.2).contains(&x) && (0.1..0.16).contains(&y);
                if stroke { [255.0; 3] } else { colour }
            }
        };
        let others = [
            ("other words", waves(256, 192, letters(0.2))),
            ("words elsewhere", waves(256, 192, letters(0.6))),
            (
                "mirrored",
                waves(256, 192, |x, y, _| {
                    let light = 120.0 + 60.0 * (9.0 * (1.0 - x) + 4.0 * y).sin();
                    [light, light * 0.7, 220.0 - light]
                }),
            ),
            ("of another colour", waves(256, 192, |_, _, [r, g, b]| [b, g, r])),
            ("of another shape", waves(256, 150, same)),
            ("inverted", waves(256, 192, |_, _, colour| colour.map(|part| 255.0 - part))),
        ];
        for (n, (how, other)) in others.iter().enumerate() {
            assert!(!alike(&picture, other) && !alike(other, &picture), "{how}");
            if n == 1 {
                assert!(!alike(&others[0].1, other), "the words stand elsewhere");
            }
        }
    }

    #[test]
    fn blank_pictures_are_alike_if_their_colours_are() {
        let blank = |colour: [u8; 3]| RgbPicture::opaque(64, 64, colour.repeat(64 * 64));
        assert!(alike(&blank([250; 3]), &blank([252; 3])));
        assert!(!alike(&blank([250; 3]), &blank([220; 3])));
        assert!(!alike(&blank([250; 3]), &waves(64, 64, same)) && !alike(&waves(64, 64, same), &blank([120; 3])));
    }
}
