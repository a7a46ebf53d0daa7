//! Hybrid image search: words by BM25, meaning and look by vectors, fused, filtered and explained.
//!
//! Documents in, hits out: the crate embeds nothing, keeps no data that the library does not have, and opens no
//! connection.
//!
//! - [`Index`] is a folder of files. One process owns it and applies [`Change`]s in the order of the library's
//!   log; others open it to read and see each commit. It is a cache: if damaged or outdated, it starts
//!   empty and says so.
//! - [`Query`] asks by words, by vectors, by an image's id, by colour, under [`Filter`]s; [`Hits`] name the
//!   stages that found each image, and its rank in each.
//! - [`evaluate`] measures recall, reciprocal rank and nDCG on judged queries, and compares with a baseline.
//!
//! ```
//! use atelier_search::{Change, Document, Index, IndexSettings, Query};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let index = Index::open(dir.path().join("search"), IndexSettings::default())?;
//! let image = Document {
//!     id: "1".into(),
//!     filename: "IMG_0042.jpg".into(),
//!     caption: "Two boats at a pier before sunrise".into(),
//!     ..Document::default()
//! };
//! index.apply(&[Change::Put(Box::new(image))], 1)?;
//! index.commit()?;
//!
//! let hits = index.search(&Query::words("boat sunrise"))?;
//! assert_eq!(hits.hits[0].id, "1");
//! assert_eq!(index.applied(), 1);
//! # Ok(()) }
//! ```
//!
//! # Modules
//! - `index` is the entry: `owner` writes, and `view` is one committed state to read.
//! - `folder`, `open_index` and `manifest` are the files on disk; `schema` is what tantivy keeps of an image.
//! - `search` runs the stages: `filter` selects images, `lexical` ranks by `words`, `vectors` by meaning, look
//!   and `color`, and `fuse` makes one ranking of them.
#![forbid(unsafe_code)]

mod color;
mod document;
mod error;
pub mod evaluate;
mod filter;
mod filters;
mod folder;
mod fuse;
mod hits;
mod index;
mod lexical;
mod manifest;
mod open_index;
mod owner;
mod query;
mod rows;
mod schema;
mod search;
mod settings;
mod vectors;
mod view;
mod words;

pub use document::{Change, Document, Orientation, Rgb};
pub use error::{SearchError, SearchResult};
pub use filters::{FILTER_KEYS, attributes_of, days, parse_filters, rgb};
pub use hits::{
    Hit, Hits, Match, NEAREST, SearchExplanation, StageExplanation, StageScore, StageScores, TermExplanation,
    WordExplanation,
};
pub use index::Index;
pub use query::{Filter, Query};
pub use settings::{Certainties, CutOffs, FieldWeights, FusionWeights, IndexSettings, Space, SpaceSettings, Spaces};
