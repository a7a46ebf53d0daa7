//! Files of images, kept by the hash of their content.
//!
//! An object is written once and never changed: what has its name has its content. [`Objects`] is all that the
//! rest of the program knows of where they are kept, so that they can be kept elsewhere than in a folder.

mod folder;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::error::StoreResult;
pub use folder::Folder;

/// Where objects are kept.
pub trait Objects: Send + Sync {
    /// Keeps objects: all of them, durably, when it returns. One that is there already is left as it is.
    /// Many at a time cost little more than one.
    fn put(&self, objects: Vec<(ObjectKey, Bytes)>) -> BoxFuture<'_, StoreResult<()>>;

    /// An object's content, or nothing if there is no such object.
    fn get<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, StoreResult<Option<Bytes>>>;

    /// Whether there is such an object.
    fn has<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, StoreResult<bool>>;

    /// Deletes objects. One that is not there is no error. Only whoever holds
    /// [`Store::own_objects`](crate::Store::own_objects) may do so.
    fn remove(&self, keys: Vec<ObjectKey>) -> BoxFuture<'_, StoreResult<()>>;
}

/// The name of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(String);

/// How large a thumbnail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ThumbnailSize {
    /// For lists.
    Small,
    /// For grids, and to look at.
    Large,
}

impl ThumbnailSize {
    /// Every size.
    pub const ALL: [Self; 2] = [Self::Small, Self::Large];

    /// The long side in pixels; the thumbnail of a smaller image is as large as the image.
    #[must_use]
    pub const fn long_side(self) -> u32 {
        match self {
            Self::Small => 256,
            Self::Large => 512,
        }
    }
}

/// How many hexadecimal digits a hash has.
const DIGITS: usize = 64;

impl ObjectKey {
    /// The file of the image with this hash, as it was given. None if that is no hash.
    #[must_use]
    pub fn original(hash: &str) -> Option<Self> {
        let (first, second) = folders(hash)?;
        Some(Self(format!("images/{first}/{second}/{hash}")))
    }

    /// A thumbnail, in WebP, of the image with this hash. None if that is no hash.
    #[must_use]
    pub fn thumbnail(hash: &str, size: ThumbnailSize) -> Option<Self> {
        let (first, second) = folders(hash)?;
        Some(Self(format!("thumbs/{first}/{second}/{hash}-{}.webp", size.long_side())))
    }

    /// A picture that is sent, with this hash.
    #[must_use]
    pub fn sent(hash: &str) -> Option<Self> {
        Self::in_folder("sent", hash)
    }

    /// A file that came, until it is saved as an image: its name hashes the job with the file.
    #[must_use]
    pub fn answer(name: &str) -> Option<Self> {
        Self::in_folder("answers", name)
    }

    /// A picture whose vector is asked for, with this hash, until its job is over.
    #[must_use]
    pub fn embedding(hash: &str) -> Option<Self> {
        Self::in_folder("embedding", hash)
    }

    /// A file that somebody gave, with this hash.
    #[must_use]
    pub fn upload(hash: &str) -> Option<Self> {
        Self::in_folder("uploads", hash)
    }

    /// An image that was made, with this hash.
    #[must_use]
    pub fn made(hash: &str) -> Option<Self> {
        Self::in_folder("made", hash)
    }

    /// A thumbnail, in WebP, of the image that was made with this hash.
    #[must_use]
    pub fn made_thumbnail(hash: &str, size: ThumbnailSize) -> Option<Self> {
        let (first, second) = folders(hash)?;
        Some(Self(format!("made-thumbs/{first}/{second}/{hash}-{}.webp", size.long_side())))
    }

    fn in_folder(folder: &str, hash: &str) -> Option<Self> {
        let (first, second) = folders(hash)?;
        Some(Self(format!("{folder}/{first}/{second}/{hash}")))
    }

    /// All objects of the image with this hash.
    #[must_use]
    pub fn all_of(hash: &str) -> Vec<Self> {
        let thumbnails = ThumbnailSize::ALL.into_iter().filter_map(|size| Self::thumbnail(hash, size));
        Self::original(hash).into_iter().chain(thumbnails).collect()
    }

    /// The name, with slashes between its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Two levels of folders, so that none holds too many files. None where the text is no hash: nothing that a
/// user writes becomes a path.
fn folders(hash: &str) -> Option<(&str, &str)> {
    let sound = hash.len() == DIGITS && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if sound { Some((hash.get(..2)?, hash.get(2..4)?)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_by_their_hash() {
        let hash = "ab12".repeat(16);
        let names: Vec<String> = ObjectKey::all_of(&hash).iter().map(|key| key.as_str().to_owned()).collect();
        assert_eq!(
            names,
            [
                format!("images/ab/12/{hash}"),
                format!("thumbs/ab/12/{hash}-256.webp"),
                format!("thumbs/ab/12/{hash}-512.webp")
            ]
        );
    }

    #[test]
    fn what_is_no_hash_names_no_object() {
        let upper = "AB12".repeat(16);
        let slashes = "../".repeat(21) + "a";
        let wide = "é".repeat(32);
        for text in ["", "ab12", &upper, &slashes, &wide] {
            assert_eq!(ObjectKey::original(text), None, "{text}");
            assert_eq!(ObjectKey::all_of(text), [], "{text}");
        }
    }
}
