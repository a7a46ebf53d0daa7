//! The shape of a library: every image in its order, a byte each, so that a page of a hundred thousand can be laid out
//! before the first is drawn; and any part of it, which stays what it was while images come in.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atelier_engine::Timestamp;
use atelier_store::ImageFilter;

use crate::accounts::Secret;
use crate::app::App;
use crate::error::{AppError, AppResult};
use crate::views::ImageView;

/// Images are read so many at a time.
const PAGE: usize = 10_000;
/// Snapshots that are kept, and for how long after they were last asked for.
const KEPT: usize = 32;
const LASTS: Duration = Duration::from_secs(3600);
/// Images of a slice.
pub const LARGEST_SLICE: usize = 200;
/// How many steps of the byte double a ratio: each is 2.2 %.
const STEPS: f64 = 32.0;

/// Snapshots of one process. What it forgets is asked for anew.
#[derive(Default)]
pub struct Layouts {
    kept: Mutex<VecDeque<Snapshot>>,
}

impl fmt::Debug for Layouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layouts").finish_non_exhaustive()
    }
}

struct Snapshot {
    id: String,
    owner: String,
    used_at: Timestamp,
    images: Arc<[Box<str>]>,
}

/// The shape of what a filter lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// By which parts of it are asked for.
    pub snapshot: String,
    /// The newest image first: 128 + 32 × log₂(width ÷ height), from 1 to 255.
    pub ratios: Vec<u8>,
}

impl Layouts {
    fn keep(&self, snapshot: Snapshot) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = snapshot.used_at;
        kept.retain(|one| one.used_at.after(LASTS) > now);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(snapshot);
    }

    /// The images of a snapshot, if it is kept and this owner's.
    fn images(&self, id: &str, owner: &str, now: Timestamp) -> Option<Arc<[Box<str>]>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|one| one.id == id && one.owner == owner)?;
        let mut found = kept.remove(place)?;
        found.used_at = now;
        let images = Arc::clone(&found.images);
        kept.push_back(found);
        Some(images)
    }
}

impl App {
    /// The shape of the library, or of what a filter lets through.
    ///
    /// # Errors
    /// `no-such-collection`; what the store reports.
    pub async fn layout(&self, layouts: &Layouts, filter: &ImageFilter) -> AppResult<Layout> {
        self.check_collections(&filter.collections).await?;
        let store = self.store()?;
        let (mut images, mut ratios, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let page = store.image_shapes(filter, after.as_ref(), PAGE).await?;
            let last = page.len() < PAGE;
            after = page.last().map(|shape| shape.cursor.clone());
            for shape in page {
                ratios.push(ratio(shape.width, shape.height));
                images.push(shape.id.into_boxed_str());
            }
            if last {
                break;
            }
        }
        let snapshot = Secret::random("")?.reveal().get(..24).unwrap_or_default().to_owned();
        let (owner, used_at) = (self.owner().to_owned(), self.clock().now());
        layouts.keep(Snapshot { id: snapshot.clone(), owner, used_at, images: images.into() });
        Ok(Layout { snapshot, ratios })
    }

    /// So many images of a snapshot from a place on, [`LARGEST_SLICE`] at most, each with its place; those that are gone
    /// are left out.
    ///
    /// # Errors
    /// `no-such-snapshot` if it is not kept any more; what the store reports.
    pub async fn slice(
        &self,
        layouts: &Layouts,
        snapshot: &str,
        from: usize,
        count: usize,
    ) -> AppResult<Vec<(usize, ImageView)>> {
        let images = layouts.images(snapshot, self.owner(), self.clock().now()).ok_or_else(|| {
            AppError::new(code!("no-such-snapshot"), "this layout is not kept any more").hint("ask for it anew")
        })?;
        let asked = images.iter().skip(from).take(count.min(LARGEST_SLICE));
        let ids: Vec<String> = asked.map(ToString::to_string).collect();
        let found = self.store()?.images_with_ids(&ids).await?;
        let mut places = ids.iter().enumerate();
        let placed = found.iter().filter_map(|image| {
            let (place, _) = places.find(|(_, id)| **id == image.id)?;
            Some((from + place, ImageView::from(image)))
        });
        Ok(placed.collect())
    }
}

fn ratio(width: u32, height: u32) -> u8 {
    let steps = (f64::from(width.max(1)) / f64::from(height.max(1))).log2() * STEPS;
    (128.0 + steps).round().clamp(1.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_a_byte_that_doubles_every_32_steps() {
        let cases = [((100, 100), 128), ((200, 100), 160), ((100, 200), 96), ((1, 9000), 1), ((9000, 1), 255)];
        for ((width, height), byte) in cases {
            assert_eq!(ratio(width, height), byte, "{width} x {height}");
        }
    }
}
