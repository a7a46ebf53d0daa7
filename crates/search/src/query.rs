//! Queries and filters.

use std::ops::RangeInclusive;

use atelier_embed::Vector;

use crate::document::{Orientation, Rgb};
use crate::settings::Space;

/// A search by any of words, vectors, an example and a colour, under filters. Filters alone list the images that
/// pass them, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Words, as the user wrote them. The last one may be unfinished, unless a space follows it.
    pub words: Option<String>,
    /// Those of them, in any case, that are known to be words. One that no image has is not there, and not taken for
    /// another that is spelt nearly like it.
    pub known: Vec<String>,
    /// Their vector, for the space of text.
    pub text: Option<Vector>,
    /// Their vector, or that of an example image, for the space of look.
    pub look: Option<Vector>,
    /// The vector of an example image, for the space of appearance.
    pub appearance: Option<Vector>,
    /// The id of an image to find others like: its own vectors are searched by, in every space where the
    /// query names no other, and it is left out itself.
    pub like: Option<String>,
    /// A colour that the image should have.
    pub color: Option<Rgb>,
    /// Filters that every hit fulfils.
    pub filters: Vec<Filter>,
    /// The most hits to return.
    pub limit: usize,
    /// True to return an explanation of words and stages too.
    pub explain: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            words: None,
            known: Vec::new(),
            text: None,
            look: None,
            appearance: None,
            like: None,
            color: None,
            filters: Vec::new(),
            limit: 20,
            explain: false,
        }
    }
}

impl Query {
    /// A query by words alone.
    #[must_use]
    pub fn words(words: impl Into<String>) -> Self {
        Self { words: Some(words.into()), ..Self::default() }
    }

    /// The vector that it names for a space.
    #[must_use]
    pub fn vector(&self, space: Space) -> Option<&Vector> {
        match space {
            Space::Text => self.text.as_ref(),
            Space::Look => self.look.as_ref(),
            Space::Appearance => self.appearance.as_ref(),
        }
    }
}

/// A condition on images. Texts are compared whole, without regard to case and to surrounding space.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// It is of this category.
    Category(String),
    /// It has this tag, among others.
    Tag(String),
    /// It has an attribute of this name, with this value.
    Attribute(String, String),
    /// It has this orientation.
    Orientation(Orientation),
    /// It was brought in by this user.
    Uploader(String),
    /// It is in this collection.
    Collection(String),
    /// It is so many pixels wide. Images of unknown size are 0 wide.
    Width(RangeInclusive<u32>),
    /// It is so many pixels high.
    Height(RangeInclusive<u32>),
    /// It was taken or added in this time: microseconds since 1970, UTC.
    Date(RangeInclusive<i64>),
    /// One of its palette's colours is at most this far from the colour, in CIELAB (CIE76).
    Color(Rgb, f32),
    /// It fulfils at least one of these.
    Any(Vec<Filter>),
    /// It fulfils all of these.
    All(Vec<Filter>),
    /// It does not fulfil this.
    Not(Box<Filter>),
}
