//! What is sent of pictures, as far as it was made lately: a preview follows typing, and draws the same ones again.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

use super::plan::Sent;

/// What is sent of so many pictures is known without making it again.
const KNOWN: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// What is sent of originals, by the hashes of these. Clones share it.
#[derive(Clone, Debug)]
pub struct Prepared(Arc<Mutex<LruCache<String, Sent>>>);

impl Default for Prepared {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(KNOWN))))
    }
}

impl Prepared {
    pub(super) fn get(&self, original: &str) -> Option<Sent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(original).cloned()
    }

    pub(super) fn put(&self, original: &str, sent: &Sent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(original.to_owned(), sent.clone());
    }
}
