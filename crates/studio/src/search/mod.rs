//! Search over the library: the index kept up with the log of changes, and queries put to it.
//!
//! The index is a cache of what the store knows. Whoever searches first, or imports, owns it and applies what
//! has changed since; whoever comes beside them reads what they commit.

mod documents;
mod index;
mod query;
mod settings;

pub use documents::rgb;
pub use index::{ImageSearch, IndexStatus};
pub use query::{Scope, SearchRequest, SearchResults};
pub use settings::settings;
