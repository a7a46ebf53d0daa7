//! What is searched: images as documents, and the changes that bring them in and out.

use std::collections::BTreeMap;

use atelier_embed::Vector;
use serde::{Deserialize, Serialize};

use crate::settings::Space;

/// A colour in sRGB, eight bits a channel: red, green, blue.
pub type Rgb = [u8; 3];

/// An image as the search knows it.
///
/// Only the `id` must be there. What is empty or `None` is not searched, and a filter on it keeps the image
/// out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// What the library calls the image; at most 512 bytes, not empty.
    pub id: String,
    /// Its file's name, without folders. Words in it are searched, whatever stands between them.
    pub filename: String,
    /// What is seen, in sentences of any language.
    pub caption: String,
    /// Short labels.
    pub tags: Vec<String>,
    /// The one category it belongs to.
    pub category: Option<String>,
    /// Whatever else is known of it, by name. The values are searched; filters ask for name and value.
    pub attributes: BTreeMap<String, String>,
    /// Pixels from left to right; 0 if unknown.
    pub width: u32,
    /// Pixels from top to bottom; 0 if unknown.
    pub height: u32,
    /// The colours it mostly consists of; at most [`MAX_PALETTE`](Self::MAX_PALETTE) are kept, the first ones.
    pub palette: Vec<Rgb>,
    /// When it was taken or, where that is unknown, added: microseconds since 1970, UTC.
    pub taken_or_added_at: i64,
    /// Who brought it in.
    pub uploader: Option<String>,
    /// The collections that it is in.
    pub collections: Vec<String>,
    /// What its words mean, in the space of [`Spaces::text`](crate::Spaces::text).
    pub text: Option<Vector>,
    /// What its look means, in the space of [`Spaces::look`](crate::Spaces::look).
    pub look: Option<Vector>,
    /// How it looks, in the space of [`Spaces::appearance`](crate::Spaces::appearance).
    pub appearance: Option<Vector>,
}

impl Document {
    /// How many colours of a palette are kept.
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

/// How an image stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    /// Wider than high.
    Landscape,
    /// Higher than wide.
    Portrait,
    /// As wide as high, give or take a twentieth.
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

    /// Its name, as it stands in JSON.
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
