//! The records of the library.

use atelier_engine::Timestamp;

use super::sources::ImageSource;
use crate::cursor::Cursor;
use crate::database::{Columns, Row, Value};
use crate::error::{StoreError, StoreResult};

/// The columns of an [`Image`] in a table that is called `i`.
pub(super) const COLUMNS: &str = "i.id, i.hash, i.filename, i.caption, i.category, i.attributes, i.width, i.height, \
     i.format, i.bytes, i.palette, i.phash, i.taken_at, i.added_at, i.updated_at, i.uploader, i.source, i.provenance, \
     i.text_hash, i.owner, i.revision, i.tone_score, i.angle_score";

/// An image of the library.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its id, which no other has.
    pub id: String,
    /// The BLAKE3 hash of its file in hex: the name of its object. No other image has it.
    pub hash: String,
    /// The name of its file.
    pub filename: String,
    /// A description of what it shows.
    pub caption: Option<String>,
    /// The one category that it is in.
    pub category: Option<String>,
    /// Its score as a reference for tone.
    pub tone_score: Option<f64>,
    /// Its score as a reference for angle.
    pub angle_score: Option<f64>,
    /// Its free attributes, by name.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// The collections that it is in, sorted.
    pub collections: Vec<String>,
    /// Its width in pixels as it is shown, its orientation applied.
    pub width: u32,
    /// Its height in pixels as it is shown.
    pub height: u32,
    /// The format of its file: `jpeg`, `png` and so on.
    pub format: String,
    /// The size of its file in bytes.
    pub bytes: u64,
    /// Its main colours, `#rrggbb`, the most frequent first.
    pub palette: Vec<String>,
    /// Its perceptual hash: alike images differ in few bits.
    pub phash: u64,
    /// When it was taken, if it says.
    pub taken_at: Option<Timestamp>,
    /// When it came into the library.
    pub added_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who brought it, if known.
    pub uploader: Option<String>,
    /// Who imported it: the store's owner when it is added, whatever is said here.
    pub owner: String,
    /// The path that it was imported from, if it was.
    pub source: Option<String>,
    /// How it was generated, if it was generated here.
    pub provenance: Option<serde_json::Value>,
    /// The hash of the words that are embedded for it, if it has any.
    pub text_hash: Option<String>,
    /// 1, and one more for each change. Only a change to the latest revision is taken.
    pub revision: u64,
}

impl Image {
    /// Its place in the list of images.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.added_at.as_micros(), &self.id)
    }
}

/// An image to be added, with all that belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewImage {
    /// The image. Its revision is taken to be 1; collections that it names and that do not exist are made.
    pub image: Image,
    /// Its vectors.
    pub vectors: Vec<NewVector>,
    /// The file that it was read from.
    pub source: Option<ImageSource>,
}

/// A vector of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVector {
    /// The embedder that made it.
    pub embedder: String,
    /// The space that it lies in.
    pub space: VectorSpace,
    /// The hash of what was embedded: of the words for [`VectorSpace::Text`], else of the file.
    pub made_of: String,
    /// The vector, in whatever form its maker reads.
    pub bytes: Vec<u8>,
}

/// The side of an image that a vector stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VectorSpace {
    /// The meaning of its words.
    Text,
    /// The meaning of its look, in the space of words.
    Look,
    /// The look itself, in a space of looks.
    Appearance,
}

impl VectorSpace {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Look => "look",
            Self::Appearance => "appearance",
        }
    }
}

/// A score that images may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreKind {
    /// As a reference for tone.
    Tone,
    /// As a reference for angle.
    Angle,
}

impl ScoreKind {
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Tone => "tone_score",
            Self::Angle => "angle_score",
        }
    }
}

/// The outcome of adding an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is in the library now.
    New,
    /// The same bytes are there already, as this image. Nothing was written but the source, if one was given.
    SameContent {
        /// Id of the image that is there.
        image: String,
    },
    /// Another image has its id. Nothing was written.
    IdTaken,
    /// The objects of the same bytes are about to be deleted: see
    /// [`Store::garbage`](crate::Store::garbage). Nothing was written.
    BeingDeleted,
}

/// A filter on images: all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFilter {
    /// With all of these tags.
    pub tags: Vec<String>,
    /// In all of these collections.
    pub collections: Vec<String>,
    /// Of this category.
    pub category: Option<String>,
    /// Of this format.
    pub format: Option<String>,
    /// Brought by this user.
    pub uploader: Option<String>,
    /// Added at that moment or later.
    pub added_from: Option<Timestamp>,
    /// Added before that moment.
    pub added_before: Option<Timestamp>,
}

/// The shape of an image, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// Its id.
    pub id: String,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Its place in lists.
    pub cursor: Cursor,
}

/// Reads an image from [`COLUMNS`]; tags and collections are left empty.
pub(super) fn image(mut row: Row) -> StoreResult<Image> {
    // `Columns` reads no real that may be null, so the scores stand last and are taken off the end.
    let angle_score = last_real(&mut row)?;
    let tone_score = last_real(&mut row)?;
    let mut columns = row.columns();
    Ok(Image {
        id: columns.text()?,
        hash: columns.text()?,
        filename: columns.text()?,
        caption: columns.optional_text()?,
        category: columns.optional_text()?,
        tone_score,
        angle_score,
        attributes: parse(&columns.text()?, "attributes")?,
        tags: Vec::new(),
        collections: Vec::new(),
        width: side(&mut columns)?,
        height: side(&mut columns)?,
        format: columns.text()?,
        bytes: columns.count()?,
        palette: parse(&columns.text()?, "palette")?,
        phash: columns.integer()?.cast_unsigned(),
        taken_at: columns.optional_moment()?,
        added_at: columns.moment()?,
        updated_at: columns.moment()?,
        uploader: columns.optional_text()?,
        source: columns.optional_text()?,
        provenance: columns.optional_text()?.map(|text| parse(&text, "provenance")).transpose()?,
        text_hash: columns.optional_text()?,
        owner: columns.text()?,
        revision: columns.count()?,
    })
}

fn side(columns: &mut Columns) -> StoreResult<u32> {
    let number = columns.count()?;
    u32::try_from(number).map_err(|_| StoreError::Unexpected { detail: format!("an image is {number} pixels wide") })
}

/// Takes the last column off: a number, or none.
fn last_real(row: &mut Row) -> StoreResult<Option<f64>> {
    match row.0.pop() {
        Some(Value::Real(number)) => Ok(Some(number)),
        Some(Value::Null) => Ok(None),
        other => Err(StoreError::Unexpected { detail: format!("an image's score is {other:?}") }),
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> StoreResult<T> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Unexpected { detail: format!("an image's {what} can't be read: {error}") })
}
