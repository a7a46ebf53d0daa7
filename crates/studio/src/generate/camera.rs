//! Presets for camera, lens and light, which are data: `assets/camera.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{StudioError, StudioResult};

const BUILTIN: &str = include_str!("../../../../assets/camera.toml");

/// The presets by kind, in the order of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presets {
    shot: Vec<Preset>,
    view: Vec<Preset>,
    lens: Vec<Preset>,
    light: Vec<Preset>,
}

/// A preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What a user calls it.
    pub name: String,
    /// What the prompt says of it.
    pub words: String,
}

/// What a camera is told, by the names of presets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Camera {
    /// How much is in the frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shot: Option<String>,
    /// Where the camera stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// The lens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens: Option<String>,
    /// The light.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub light: Option<String>,
}

impl Presets {
    /// Those that the program was built with.
    ///
    /// # Errors
    /// [`StudioError::Presets`] if it was built with a broken file.
    pub fn builtin() -> StudioResult<Self> {
        toml::from_str(BUILTIN).map_err(|error| StudioError::Presets(error.message().to_owned()))
    }

    /// All of them, by kind.
    #[must_use]
    pub fn all(&self) -> BTreeMap<&'static str, &[Preset]> {
        BTreeMap::from([
            ("shot", self.shot.as_slice()),
            ("view", self.view.as_slice()),
            ("lens", self.lens.as_slice()),
            ("light", self.light.as_slice()),
        ])
    }

    /// What the prompt says of a camera, a line each.
    ///
    /// # Errors
    /// [`StudioError::NoSuchPreset`] names one that is not there, and those that are.
    pub(super) fn words(&self, camera: &Camera) -> StudioResult<Vec<String>> {
        let asked = [
            ("shot", "Shot", &self.shot, &camera.shot),
            ("view", "Camera", &self.view, &camera.view),
            ("lens", "Lens", &self.lens, &camera.lens),
            ("light", "Light", &self.light, &camera.light),
        ];
        let mut lines = Vec::new();
        for (kind, title, presets, name) in asked {
            let Some(name) = name else { continue };
            let preset = presets.iter().find(|preset| preset.name.eq_ignore_ascii_case(name));
            let preset = preset.ok_or_else(|| StudioError::NoSuchPreset {
                kind,
                name: name.clone(),
                known: presets.iter().map(|preset| preset.name.as_str()).collect::<Vec<_>>().join(", "),
            })?;
            lines.push(format!("{title}: {}", preset.words));
        }
        Ok(lines)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn there_are_presets_of_every_kind_and_none_is_there_twice() {
        let presets = Presets::builtin().unwrap();
        for (kind, least) in [("shot", 7), ("view", 5), ("lens", 5), ("light", 5)] {
            let mut names: Vec<&str> = presets.all()[kind].iter().map(|preset| preset.name.as_str()).collect();
            assert!(names.len() >= least, "{kind}: {names:?}");
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{kind}");
        }
    }

    #[test]
    fn a_preset_that_is_not_there_is_named_beside_those_that_are() {
        let camera = Camera { lens: Some("5mm".into()), ..Camera::default() };
        let error = Presets::builtin().unwrap().words(&camera).unwrap_err();
        assert_eq!(error.code(), "no-such-preset");
        assert!(error.to_string().contains("5mm") && error.to_string().contains("35mm"), "{error}");
    }
}
