//! Search over the library: the index kept up with the log of changes, and queries put to it.
//!
//! The index is a cache of the store. The first process that searches or imports owns it and applies the changes since;
//! others beside it read what that one commits.

mod documents;
mod index;
mod query;
mod settings;

pub use index::{ImageSearch, IndexStatus};
pub use query::{Scope, SearchRequest, SearchResults};
pub use settings::settings;
