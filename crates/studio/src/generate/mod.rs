//! Making images: from a request to a plan, from a plan to pictures, each with all that is known of how it came about.
//!
//! - [`GenerationRequest`] is what a user wants. [`ImageStudio::plan`] chooses references for it ([`mod@draw`]), composes the prompt
//!   of each side, and keeps every byte that is to be sent: a [`Plan`].
//! - [`ImageStudio::submit`] makes each image of each side an item of one job, and [`Making`] saves each of them the
//!   moment it arrives.
//! - What was made is looked at, exported, retried, deleted, and taken into the library by the other methods.

mod camera;
mod category;
mod compositing;
pub mod draw;
mod edit;
mod keep;
mod making;
mod output;
mod plan;
mod planning;
mod prepared;
mod prompt;
mod provenance;
mod references;
mod save;
mod submit;
mod task;

use atelier_engine::Clock;
use atelier_store::Store;

use crate::library::Library;
use crate::library::decode::{DecodeLimits, PictureReader};

pub use camera::{Camera, Preset, Presets};
pub use category::{Category, ClassifyTask, categories};
pub use making::{Maker, Making};
pub use output::extension;
pub use plan::{
    CategoryChoice, Choice, Drawn, Edit, EditedFiles, GenerationRequest, MOST_CHARACTERS, MOST_IMAGES, Mode, Pick,
    Plan, PlannedSide, Reference, Role, SIDES, Sent, SideRequest,
};
pub use planning::{EditRequest, Helpers};
pub use prepared::Prepared;
pub use provenance::{Provenance, Size};
pub use submit::{JOB_KIND, Which};
pub use task::{ImageAnswer, ImageItem, ImageTask, answer_name};

/// Makes images, beside a library. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct ImageStudio {
    library: Library,
    reader: PictureReader,
    clock: Clock,
    prepared: Prepared,
}

impl ImageStudio {
    /// A studio beside this library.
    #[must_use]
    pub fn new(library: Library, clock: Clock) -> Self {
        Self::sharing(library, clock, Prepared::default())
    }

    /// The same, sharing with others what was made of pictures lately.
    #[must_use]
    pub fn sharing(library: Library, clock: Clock, prepared: Prepared) -> Self {
        Self { library, reader: PictureReader::new(DecodeLimits::default()), clock, prepared }
    }

    /// The library that references come from.
    #[must_use]
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Where what is known of images is kept.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.library.store()
    }

    pub(crate) fn reader(&self) -> &PictureReader {
        &self.reader
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }
}
