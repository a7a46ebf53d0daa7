//! What the tests share.

use std::path::Path;

use atelier_embed::Vector;
use atelier_search::{Change, Document, Hits, Index, IndexSettings, Query, SpaceSettings, Spaces};

/// Numbers of the vectors that tests use.
pub(crate) const DIMENSIONS: usize = 12;

/// Settings with all three spaces, one thread, and nothing cut off by its vector.
pub(crate) fn settings() -> IndexSettings {
    let space = || Some(SpaceSettings { embedder: "test/1".parse().unwrap(), dimensions: DIMENSIONS });
    let mut settings = IndexSettings {
        spaces: Spaces { text: space(), look: space(), appearance: space() },
        threads: 1.try_into().unwrap(),
        ..IndexSettings::default()
    };
    settings.cut_offs.text = -1.0;
    settings.cut_offs.look = -1.0;
    settings.cut_offs.appearance = -1.0;
    settings
}

/// An image with an id and a caption.
pub(crate) fn image(id: &str, caption: &str) -> Document {
    Document { id: id.into(), filename: format!("{id}.jpg"), caption: caption.into(), ..Document::default() }
}

pub(crate) fn put(document: Document) -> Change {
    Change::Put(Box::new(document))
}

/// A vector of chance.
pub(crate) fn vector(random: &mut fastrand::Rng) -> Vector {
    Vector::normalised((0..DIMENSIONS).map(|_| random.f32() - 0.5).collect()).unwrap()
}

/// A new index of these images, in one commit.
pub(crate) fn index_of(dir: &Path, settings: IndexSettings, images: impl IntoIterator<Item = Document>) -> Index {
    let index = Index::open(dir, settings).unwrap();
    let changes: Vec<Change> = images.into_iter().map(put).collect();
    index.apply(&changes, changes.len() as u64).unwrap();
    index.commit().unwrap();
    index
}

/// The ids found, the best first.
pub(crate) fn ids(hits: &Hits) -> Vec<&str> {
    hits.hits.iter().map(|hit| hit.id.as_str()).collect()
}

/// The ids found by words, sorted.
pub(crate) fn found(index: &Index, words: &str) -> Vec<String> {
    let hits = index.search(&Query { limit: 1000, ..Query::words(words) }).unwrap();
    let mut ids: Vec<String> = hits.hits.into_iter().map(|hit| hit.id).collect();
    ids.sort();
    ids
}
