//! The settings of an index, worked out from the embedders that fill it.

use std::sync::Arc;

use atelier_embed::{Calibration, MiniLm, TextEmbedder};
use atelier_search::{Certainties, CutOffs, IndexSettings, Space, SpaceSettings, Spaces};

use crate::library::Embedders;

/// The cosine that a picture's look must have to a query where nobody has calibrated the model: none.
pub(super) const UNCALIBRATED: f32 = -1.0;
/// On the calibrated scale: from here on a picture answers a query by its look.
const SHOWN_FROM: f32 = atelier_embed::EfficientNet::SHOWN_FROM;

/// The settings of an index for these embedders.
#[must_use]
pub fn settings(embedders: &Embedders) -> IndexSettings {
    let space = |embedder: &atelier_embed::EmbedderId, dimensions| {
        Some(SpaceSettings { embedder: embedder.clone(), dimensions })
    };
    let (text, look) = (embedders.text.as_ref(), embedders.look.as_ref());
    let shown = look.map(|look| {
        let calibration = look.calibration();
        calibration.and_then(|calibration| calibration.cosine_of(SHOWN_FROM)).unwrap_or(UNCALIBRATED)
    });
    let (cut_offs, certainties) = (CutOffs::default(), Certainties::default());
    let on_scale_of = |text: &Arc<dyn TextEmbedder>| on_scale_of(text.calibration(), cut_offs.text, certainties.text);
    let (text_shown, text_certain) = text.and_then(on_scale_of).unwrap_or((cut_offs.text, certainties.text));
    let certain = look.and_then(|look| look.calibration()?.cosine_of(1.0));
    IndexSettings {
        spaces: Spaces {
            text: text.and_then(|text| space(text.id(), text.dimensions())),
            look: look.and_then(|look| space(look.id(), look.meaning_dimensions())),
            appearance: look.and_then(|look| space(look.id(), look.appearance_dimensions())),
        },
        cut_offs: CutOffs { text: text_shown, look: shown.unwrap_or(cut_offs.look), ..cut_offs },
        certainties: Certainties { text: text_certain, look: certain.unwrap_or(certainties.look), ..certainties },
        ..IndexSettings::default()
    }
}

/// The cosines that mean with another model what these two mean with the one that they were fitted for.
fn on_scale_of(other: &Calibration, shown: f32, certain: f32) -> Option<(f32, f32)> {
    let fitted = MiniLm::default_calibration().ok().filter(|fitted| fitted.name() != other.name())?;
    let there = |cosine| other.cosine_of(fitted.apply(cosine));
    Some((there(shown)?, there(certain)?))
}

/// Whose vectors a space holds, if the index has it.
pub(super) fn embedder_of(settings: &IndexSettings, space: Space) -> Option<String> {
    settings.spaces.get(space).map(|space| space.embedder.to_string())
}
