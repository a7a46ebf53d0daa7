//! Images as the index takes them, and the changes that add and remove them.

use std::collections::BTreeMap;

use atelier_embed::Vector;
use serde::{Deserialize, Serialize};

use crate::settings::Space;

/// A colour in sRGB, eight bits a channel: red, green, blue.
pub type Rgb = [u8; 3];

/// An image as the search knows it.
///
/// Only the `id` is required. Fields that are empty or `None` are not searched, and an image without a field
/// passes no filter on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Id in the library: 1 to 512 bytes.
    pub id: String,
    /// Its file's name, without folders. Words in it are searched, whatever separates them.
    pub filename: String,
    /// Caption: sentences in any language.
    pub caption: String,
    /// Tags, each a word or a few.
    pub tags: Vec<String>,
    /// The one category it belongs to.
    pub category: Option<String>,
    /// Other attributes, by name. The values are searched; filters compare name and value.
    pub attributes: BTreeMap<String, String>,
    /// Pixels from left to right; 0 if unknown.
    pub width: u32,
    /// Pixels from top to bottom; 0 if unknown.
    pub height: u32,
    /// The colours it mostly consists of; at most [`MAX_PALETTE`](Self::MAX_PALETTE) are kept, the first ones.
    pub palette: Vec<Rgb>,
    /// When it was taken or, where that is unknown, added: microseconds since 1970, UTC.
    pub taken_or_added_at: i64,
    /// Name or id of the user who imported it.
    pub uploader: Option<String>,
    /// The collections that it is in.
    pub collections: Vec<String>,
    /// Vector of its words, in the space of [`Spaces::text`](crate::Spaces::text).
    pub text: Option<Vector>,
    /// Vector of what it shows, in the space of [`Spaces::look`](crate::Spaces::look).
    pub look: Option<Vector>,
    /// Vector of its appearance, in the space of [`Spaces::appearance`](crate::Spaces::appearance).
    pub appearance: Option<Vector>,
}

impl Document {
    /// The most colours of a palette that are kept.
    pub const MAX_PALETTE: usize = 16;

    /// Its vector in a space, if it has one.
    #[must_use]
    pub fn vector(&self, space: Space) -> Option<&Vector> {
        match space {
            Space::Text => self.text.as_ref(),
            Space::Look => self.look.as_ref(),
            Space::Appearance => self.appearance.as_ref(),
        }
    }

    /// Its orientation, if both sides are known.
    #[must_use]
    pub fn orientation(&self) -> Option<Orientation> {
        Orientation::of(self.width, self.height)
    }
}

/// One step of the library's log of changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The image is new, or takes the place of the one with its id.
    Put(Box<Document>),
    /// The image with this id is gone. It need not have been there.
    Remove(String),
}

/// Orientation of an image, by its width and height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    /// Wider than it is high.
    Landscape,
    /// Higher than it is wide.
    Portrait,
    /// As wide as it is high, within a twentieth.
    Square,
}

impl Orientation {
    /// The orientation of an image of this many pixels; none if a side is 0.
    #[must_use]
    pub fn of(width: u32, height: u32) -> Option<Self> {
        let (width, height) = (u64::from(width), u64::from(height));
        if width == 0 || height == 0 {
            None
        } else if width.abs_diff(height) * 20 <= width.max(height) {
            Some(Self::Square)
        } else if width > height {
            Some(Self::Landscape)
        } else {
            Some(Self::Portrait)
        }
    }

    /// Its name, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Landscape => "landscape",
            Self::Portrait => "portrait",
            Self::Square => "square",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_square_within_a_twentieth() {
        let cases = [
            (0, 10, None),
            (10, 0, None),
            (100, 100, Some(Orientation::Square)),
            (100, 95, Some(Orientation::Square)),
            (100, 94, Some(Orientation::Landscape)),
            (94, 100, Some(Orientation::Portrait)),
            (u32::MAX, 1, Some(Orientation::Landscape)),
        ];
        for (width, height, expected) in cases {
            assert_eq!(Orientation::of(width, height), expected, "{width} x {height}");
        }
    }
}
