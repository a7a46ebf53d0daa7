//! The embedders that a library is used with.

use std::fmt;
use std::sync::Arc;

use atelier_embed::{LookEmbedder, TextEmbedder};

/// The models that turn images into vectors. Vectors of a model that is not given are made later: see
/// [`Library::embedding`](super::Library::embedding).
#[derive(Clone, Default)]
pub struct Embedders {
    /// Embeds the words of images.
    pub text: Option<Arc<dyn TextEmbedder>>,
    /// Embeds their look. Give it as many threads as there are processors.
    pub look: Option<Arc<dyn LookEmbedder>>,
}

impl Embedders {
    /// The embedders that work on one image as it comes in; the others want many at a time.
    pub(crate) fn at_once(self) -> Self {
        Self {
            text: self.text.filter(|embedder| embedder.batch() == 1),
            look: self.look.filter(|embedder| embedder.batch() == 1),
        }
    }
}

impl fmt::Debug for Embedders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedders")
            .field("text", &self.text.as_ref().map(|embedder| embedder.id()))
            .field("look", &self.look.as_ref().map(|embedder| embedder.id()))
            .finish()
    }
}
