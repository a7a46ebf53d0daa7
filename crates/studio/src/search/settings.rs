//! The settings of an index, worked out from the embedders that fill it.

use atelier_embed::{Calibration, MiniLm};
use atelier_search::{Certainties, CutOffs, IndexSettings, Space, SpaceSettings, Spaces};

use crate::library::Embedders;

/// The cosine that a picture's look must have to a query where nobody has calibrated the model: none.
const UNCALIBRATED: f32 = -1.0;
/// On the calibrated scale: from here on a picture answers a query by its look.
const SHOWN_FROM: f32 = atelier_embed::EfficientNet::SHOWN_FROM;
/// From here on it does so whatever its own words say.
const SURE_FROM: f32 = 0.78;

/// The settings of an index for these embedders.
#[must_use]
pub fn settings(embedders: &Embedders) -> IndexSettings {
    let space = |embedder: &atelier_embed::EmbedderId, dimensions| {
        Some(SpaceSettings { embedder: embedder.clone(), dimensions })
    };
    let (text, look) = (embedders.text.as_ref(), embedders.look.as_ref());
    let from = |similarity| {
        let cosine = look.map(|look| look.calibration().and_then(|look| look.cosine_of(similarity)));
        cosine.map(|cosine| cosine.unwrap_or(UNCALIBRATED))
    };
    let (shown, sure) = (from(SHOWN_FROM), from(SURE_FROM));
    let (cut_offs, certainties) = (CutOffs::default(), Certainties::default());
    let there = |cosine| text.and_then(|text| on_scale_of(text.calibration(), cosine)).unwrap_or(cosine);
    let certain = look.and_then(|look| look.calibration()?.cosine_of(1.0));
    IndexSettings {
        spaces: Spaces {
            text: text.and_then(|text| space(text.id(), text.dimensions())),
            look: look.and_then(|look| space(look.id(), look.meaning_dimensions())),
            appearance: look.and_then(|look| space(look.id(), look.appearance_dimensions())),
        },
        cut_offs: CutOffs {
            text: there(cut_offs.text),
            look: shown.unwrap_or(cut_offs.look),
            look_in_doubt: sure.unwrap_or(cut_offs.look_in_doubt),
            doubted: there(cut_offs.doubted),
            ..cut_offs
        },
        certainties: Certainties {
            text: there(certainties.text),
            look: certain.unwrap_or(certainties.look),
            ..certainties
        },
        ..IndexSettings::default()
    }
}

/// The cosine that means with another model what this one means with the model that it was fitted for.
fn on_scale_of(other: &Calibration, cosine: f32) -> Option<f32> {
    let fitted = MiniLm::default_calibration().ok().filter(|fitted| fitted.name() != other.name())?;
    other.cosine_of(fitted.apply(cosine))
}

/// Whose vectors a space holds, if the index has it.
pub(super) fn embedder_of(settings: &IndexSettings, space: Space) -> Option<String> {
    settings.spaces.get(space).map(|space| space.embedder.to_string())
}
