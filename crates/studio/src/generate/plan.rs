//! What is asked for, and the plan that is made of it: all that will be sent, and how it was chosen.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::camera::Camera;

/// The most images that a side has.
pub const MOST_IMAGES: u32 = 8;
/// The most characters of a prompt that a user writes.
pub const MOST_CHARACTERS: usize = 20_000;
/// The sides of a picture, in pixels.
pub const SIDES: std::ops::RangeInclusive<u32> = 64..=8192;

/// What a user wants.
#[derive(Clone, Debug)]
pub struct GenerationRequest {
    /// What is to be seen.
    pub prompt: String,
    /// The project that it is for.
    pub project: String,
    /// How many images on each side.
    pub count: u32,
    /// One side, or two to compare.
    pub sides: Vec<SideRequest>,
    /// Images of the library, and files, that are to be sent, the user's own picks.
    pub picks: Vec<Pick>,
    /// The collection that references are chosen from; all of the library if none.
    pub collection: Option<String>,
    /// The category of tone, if the user sets it.
    pub category: Option<String>,
    /// Camera, lens and light.
    pub camera: Camera,
    /// Colours, `#rrggbb`, that the user sets.
    pub palette: Vec<String>,
    /// The size that is wanted.
    pub size: (u32, u32),
    /// The seed of the images; drawn if none.
    pub seed: Option<u64>,
    /// The seed of the choice of references; that of the images if none.
    pub reference_seed: Option<u64>,
}

/// What a user wants on one side.
#[derive(Clone, Debug)]
pub struct SideRequest {
    /// Who makes it, as the user calls it.
    pub model: String,
    /// How references are used.
    pub mode: Mode,
    /// What becomes of the tone reference.
    pub tone: Choice,
    /// What becomes of the angle reference.
    pub angle: Choice,
}

/// How references are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ReferenceMode)]
pub enum Mode {
    /// They are chosen, and sent.
    #[default]
    Auto,
    /// The tone reference lends its colours to the prompt, and no image is chosen to be sent.
    PaletteOnly,
    /// None is chosen.
    Off,
}

/// What becomes of one reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// It is drawn.
    #[default]
    Draw,
    /// It is this image of the library.
    Fixed(String),
    /// There is none.
    Off,
}

/// A user's own pick.
#[derive(Clone, Debug)]
pub enum Pick {
    /// An image of the library, by its id.
    Image(String),
    /// A file, with its name.
    File {
        /// Its name.
        name: String,
        /// Its content.
        content: bytes::Bytes,
    },
}

/// What a reference is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ReferenceRole)]
pub enum Role {
    /// What it shows is to be seen.
    Subject,
    /// Its colour and light are taken.
    Tone,
    /// Its viewpoint is taken.
    Angle,
    /// What it shows is put into a picture that is changed.
    Replacement,
}

impl Role {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Tone => "tone",
            Self::Angle => "angle",
            Self::Replacement => "replacement",
        }
    }
}

/// A picture that is sent: a file in the object store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SentPicture)]
pub struct Sent {
    /// The BLAKE3 hash of the file, in hex.
    pub hash: String,
    /// Its type, such as `image/jpeg`.
    pub mime: String,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A reference, and how it was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reference {
    /// What it is for.
    pub role: Role,
    /// The image of the library, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Its file's name.
    pub name: String,
    /// What is sent of it; nothing where its colours are enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
    /// Its main colours.
    #[serde(default)]
    pub palette: Vec<String>,
    /// How it was drawn; nothing if the user set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Drawn>,
}

#[cfg(test)]
impl Reference {
    /// One of this role, to test with.
    pub(super) fn of_role(role: Role) -> Self {
        Self { role, image: None, name: "a.jpg".into(), sent: None, palette: Vec::new(), drawn: None }
    }
}

/// How a reference was drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = DrawnReference)]
pub struct Drawn {
    /// How its candidates were ranked: `search`, or `scores` where nothing matched.
    pub by: String,
    /// Its score in the ranking.
    pub score: f64,
    /// Its place there, from 1.
    pub rank: usize,
    /// How many candidates there were.
    pub pool: usize,
    /// How many of them could be drawn.
    pub best: usize,
    /// The seed of the draw.
    pub seed: u64,
}

/// A plan: what is sent, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// The prompt as it was written.
    pub prompt: String,
    /// The project that it is for.
    pub project: String,
    /// How many images on each side.
    pub count: u32,
    /// The seed of the first image of each side; the others count on from it.
    pub seed: u64,
    /// The size that is wanted.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The category of tone, and how it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryChoice>,
    /// Camera, lens and light.
    #[serde(default)]
    pub camera: Camera,
    /// Its sides.
    pub sides: Vec<PlannedSide>,
    /// The edit that it is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<Edit>,
}

/// A category of tone that was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CategoryChoice {
    /// Its name.
    pub name: String,
    /// Who chose it: `user`, `words` or `model`.
    pub by: String,
}

/// A side of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlannedSide {
    /// `a` or `b`.
    pub name: String,
    /// Who makes it.
    pub model: String,
    /// How references are used.
    pub mode: Mode,
    /// The prompt as it is sent.
    pub prompt: String,
    /// The references, in the order in which they are sent.
    pub references: Vec<Reference>,
    /// The colours that the prompt names.
    #[serde(default)]
    pub palette: Vec<String>,
    /// Whether a seed is sent.
    pub seeded: bool,
}

/// A picture and its mask as they were given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EditedFiles {
    /// The picture.
    pub picture: Sent,
    /// The mask.
    pub mask: Sent,
}

impl Edit {
    /// What was edited, by which mask, and how much of it, in a line.
    #[must_use]
    pub fn in_words(&self) -> String {
        let name = self.of.as_deref().unwrap_or(&self.name);
        let name = if name.is_empty() { "a picture" } else { name };
        let hash = |sent: &Sent| sent.hash.get(..16).unwrap_or(&sent.hash).to_owned();
        match &self.within {
            Some(within) => {
                format!("{name} (file {}), inside the mask {} alone", hash(&within.picture), hash(&within.mask))
            }
            None => format!("{name}, all of it, with the mask {}", hash(&self.mask)),
        }
    }
}

/// A change of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = PlannedEdit)]
pub struct Edit {
    /// The made image that is changed, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// What the user called it: an id, or a file's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The picture, as it is sent.
    pub picture: Sent,
    /// The mask, as it is sent.
    pub mask: Sent,
    /// Whether the mask goes in a place of its own.
    pub mask_apart: bool,
    /// The files as they were given, of which the picture is put together again with what was made inside the mask;
    /// absent where the model may change all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<EditedFiles>,
}
