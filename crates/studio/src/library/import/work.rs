//! The work on each file by itself: read it, decode it, and make an image of it.

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use atelier_embed::EmbedError;
use atelier_engine::Timestamp;
use atelier_store::{Image, ImageSource, Likeness, NewVector, VectorSpace};
use bytes::Bytes;

use super::report::ImportRefusal;
use super::walk::{FileContent, FoundFile};
use crate::library::decode::{
    OTHER_EXTENSIONS, PictureError, PictureFormat, PictureReader, RgbPicture, SNIFFED, sniff,
};
use crate::library::derive::{LONG_SIDE, SHORT_SIDE, palette, phash, read_thumbnail, thumbnail};
use crate::library::embedders::Embedders;
use crate::library::look_vectors;
use crate::library::metadata::{Metadata, read_xmp};
use crate::library::sidecar::Description;
use crate::library::words::{text_hash, words};
use atelier_store::objects::ThumbnailSize;

/// The most that is read of a file of XMP beside a picture, in bytes.
const MAX_XMP: u64 = 4 << 20;

/// Hexadecimal digits of the hash that make the id of an image, where no id is given.
pub(super) const ID_DIGITS: usize = 16;

/// The settings that all files of an import share.
#[derive(Clone, Debug)]
pub(super) struct ImportSettings {
    pub(super) reader: PictureReader,
    pub(super) embedders: Embedders,
    pub(super) tags: Vec<String>,
    pub(super) collections: Vec<String>,
    pub(super) uploader: Option<String>,
    pub(super) now: Timestamp,
}

/// The result of the work on a file.
pub(super) enum Worked {
    /// The file is no picture and not named like one.
    Ignored,
    Refused(ImportRefusal),
    /// The bytes are in the library already.
    Same(Box<DuplicateContent>),
    Ready(Box<Ready>),
}

/// A file whose bytes are in the library.
pub(super) struct DuplicateContent {
    pub(super) image: Image,
    pub(super) source: Option<ImageSource>,
    pub(super) description: Option<Description>,
}

/// A file that can be taken in.
pub(super) struct Ready {
    pub(super) image: Image,
    /// True if the id was given, and not made of the hash.
    pub(super) named: bool,
    /// The description by a sidecar.
    pub(super) description: Option<Description>,
    pub(super) content: Bytes,
    pub(super) thumbnails: Vec<(ThumbnailSize, Bytes)>,
    /// The small thumbnail's pixels, as they are stored.
    pub(super) small: RgbPicture,
    pub(super) vectors: Vec<NewVector>,
    pub(super) source: Option<ImageSource>,
    /// True if an embedder failed on it.
    pub(super) unembedded: bool,
}

/// A file's content, and its source if it is one on the disk.
pub(super) struct Loaded {
    name: String,
    content: Bytes,
    pub(super) hash: String,
    source: Option<ImageSource>,
    description: Option<Description>,
    xmp: Option<Metadata>,
}

impl Loaded {
    /// The result for a file whose bytes an image has.
    pub(super) fn same_as(self, image: Image) -> Worked {
        Worked::Same(Box::new(DuplicateContent { image, source: self.source, description: self.description }))
    }
}

/// Reads a file, or says what else became of it. Whatever goes wrong with a file is that file's.
pub(super) fn load(file: FoundFile, settings: &ImportSettings) -> Result<Loaded, Worked> {
    let description = match file.description {
        Some(Err(bad)) => return Err(Worked::Refused(ImportRefusal::from(&bad))),
        Some(Ok(description)) => Some(description),
        None => None,
    };
    let (content, source, xmp) = match file.content {
        FileContent::Unreadable(refusal) => return Err(Worked::Refused(refusal)),
        FileContent::Bytes(content) => (content, None, None),
        FileContent::Path { path, bytes, modified_at } => {
            let content = read(&path, bytes, file.asked_for, settings)?;
            let source = ImageSource { path: file.name.clone(), bytes, modified_at, likeness: Likeness::Same };
            (content, Some(source), xmp_beside(&path))
        }
    };
    let hash = blake3::hash(&content).to_hex().to_string();
    Ok(Loaded { name: file.name, content, hash, source, description, xmp })
}

/// Makes a file into an image.
pub(super) fn work(loaded: Loaded, settings: &ImportSettings) -> Worked {
    let worked = catch_unwind(AssertUnwindSafe(|| prepare(loaded, settings)));
    match worked {
        Ok(Ok(ready)) => Worked::Ready(Box::new(ready)),
        Ok(Err(error)) => Worked::Refused(ImportRefusal::from(&error)),
        Err(_) => Worked::Refused(ImportRefusal::from(&PictureError::Damaged("its reader gave up on it".into()))),
    }
}

/// Reads a file. The beginning decides whether the rest is read: a folder may hold large files that are no pictures.
/// Those are refused if they were asked for or are named like a picture, and ignored if not.
fn read(path: &Path, bytes: u64, asked_for: bool, settings: &ImportSettings) -> Result<Bytes, Worked> {
    let unreadable = |error: std::io::Error| Worked::Refused(ImportRefusal::unreadable(&error));
    let refused = |error: &PictureError| Worked::Refused(ImportRefusal::from(error));
    let mut file = File::open(path).map_err(unreadable)?;
    let mut head = Vec::with_capacity(SNIFFED);
    Read::by_ref(&mut file).take(SNIFFED as u64).read_to_end(&mut head).map_err(unreadable)?;
    if let Err(error) = sniff(&head) {
        let named_like_one = path.extension().is_some_and(|end| {
            let end = end.to_string_lossy().to_ascii_lowercase();
            OTHER_EXTENSIONS.contains(&&*end)
                || PictureFormat::ALL.iter().any(|format| format.extensions().contains(&&*end))
        });
        return Err(if asked_for || named_like_one { refused(&error) } else { Worked::Ignored });
    }
    let limit = settings.reader.limits().max_bytes;
    if bytes > limit {
        return Err(refused(&PictureError::TooManyBytes { bytes, limit }));
    }
    // It may have grown since it was measured.
    file.take((limit + 1).saturating_sub(head.len() as u64)).read_to_end(&mut head).map_err(unreadable)?;
    Ok(head.into())
}

/// The metadata in a file of XMP beside a picture: `a.jpg.xmp` or `a.xmp` beside `a.jpg`.
fn xmp_beside(path: &Path) -> Option<Metadata> {
    let mut whole = path.as_os_str().to_owned();
    whole.push(".xmp");
    [Path::new(&whole), &path.with_extension("xmp")].into_iter().find_map(|path| {
        let file = File::open(path).ok()?;
        let mut packet = Vec::new();
        file.take(MAX_XMP).read_to_end(&mut packet).ok()?;
        read_xmp(&packet)
    })
}

fn prepare(loaded: Loaded, settings: &ImportSettings) -> Result<Ready, PictureError> {
    let Loaded { name, content, hash, source, description, xmp } = loaded;
    let decoded = settings.reader.read(&content)?;
    let (width, height, format) = (decoded.width, decoded.height, decoded.format);
    let metadata = match xmp {
        Some(xmp) => xmp.or(&decoded.metadata),
        None => decoded.metadata.clone(),
    };
    let picture = decoded.into_picture(SHORT_SIDE, LONG_SIDE)?;
    let mut thumbnails = Vec::with_capacity(2);
    let large = picture.within(ThumbnailSize::Large.long_side())?;
    thumbnails.push((ThumbnailSize::Large, thumbnail(&large)?.into()));
    let small = large.within(ThumbnailSize::Small.long_side())?;
    let webp: Bytes = thumbnail(&small)?.into();
    // As later comparisons will see it, so that all of them come to the same.
    let stored = read_thumbnail(&webp).unwrap_or_else(|| small.clone());
    thumbnails.push((ThumbnailSize::Small, webp));

    let described = description.clone().unwrap_or_default();
    let mut image = Image {
        id: described.id.clone().unwrap_or_else(|| hash.chars().take(ID_DIGITS).collect()),
        filename: name.rsplit(['/', '\\']).next().unwrap_or(&name).to_owned(),
        caption: described.caption.unwrap_or(metadata.caption),
        category: described.category,
        tone_score: described.tone_score,
        angle_score: described.angle_score,
        attributes: described.attributes,
        tags: sorted(described.labels.unwrap_or(metadata.keywords), &settings.tags),
        collections: sorted(described.collections, &settings.collections),
        width,
        height,
        format: format.as_str().to_owned(),
        bytes: content.len() as u64,
        palette: palette(&small)?,
        phash: phash(&small)?,
        taken_at: metadata.taken_at,
        added_at: settings.now,
        updated_at: settings.now,
        uploader: settings.uploader.clone(),
        owner: String::new(),
        source: source.as_ref().map(|source| source.path.clone()),
        provenance: None,
        text_hash: None,
        revision: 1,
        hash,
    };
    let words = words(&image);
    image.text_hash = text_hash(&words);
    let vectors = vectors(&image, words, picture, &settings.embedders);
    let unembedded = vectors.is_err();
    let vectors = vectors.unwrap_or_else(|error| {
        tracing::warn!(file = name, code = error.code(), "an image has no vectors yet: {error}");
        Vec::new()
    });
    let named = described.id.is_some();
    Ok(Ready { image, named, description, content, thumbnails, small: stored, vectors, source, unembedded })
}

fn sorted(mut names: Vec<String>, more: &[String]) -> Vec<String> {
    names.extend_from_slice(more);
    names.sort();
    names.dedup();
    names
}

fn vectors(
    image: &Image,
    words: String,
    picture: RgbPicture,
    embedders: &Embedders,
) -> Result<Vec<NewVector>, EmbedError> {
    let mut vectors = Vec::with_capacity(3);
    if let (Some(embedder), Some(hash)) = (&embedders.text, &image.text_hash)
        && let Some(vector) = embedder.embed(&[words])?.first()
    {
        let (embedder, made_of, bytes) = (embedder.id().to_string(), hash.clone(), vector.to_bytes());
        vectors.push(NewVector { embedder, space: VectorSpace::Text, made_of, bytes });
    }
    if let Some(embedder) = &embedders.look {
        let picture = atelier_embed::Picture::new(picture.width, picture.height, picture.rgb)?;
        let look = embedder.look(&[picture])?.pop().ok_or(EmbedError::EmptyVector)?;
        vectors.extend(look_vectors(embedder.id(), &look, &image.hash));
    }
    Ok(vectors)
}
