//! What is done with images that were made: looked at, liked, noted on, exported, deleted, taken into the library.

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::path::Path;

use atelier_engine::{Stop, Timestamp};
use atelier_store::{GeneratedFile, GeneratedFilter, GeneratedImage};
use bytes::Bytes;
use image::ImageFormat;
use image::codecs::jpeg::JpegEncoder;
use serde_json::{Value, json};

use super::ImageStudio;
use super::edit::side_by_side;
use super::plan::Plan;
use super::provenance::Provenance;
use super::save::facts;
use crate::error::{RequestFault, StudioError, StudioResult};
use crate::library::decode::{DecodeLimits, PictureError, PictureReader};
use crate::library::export::{Sink, ZipSink};
use crate::library::import::{FileOutcome, ImportEvent, ImportOptions, ImportSource, Importer};
use crate::library::in_turn;
use crate::library::{Embedders, Library};
use crate::provenance;
use crate::search::ImageSearch;
use atelier_store::objects::{ObjectKey, ThumbnailSize};

/// Images are read in pages of this size.
const PAGE: usize = 200;
/// Objects are deleted in groups of so many images.
const GARBAGE: usize = 500;

impl ImageStudio {
    /// An image that was asked for.
    ///
    /// # Errors
    /// [`StudioError::NoSuchGeneratedImage`], and what the store reports.
    pub async fn image(&self, id: &str) -> StudioResult<GeneratedImage> {
        self.store().generated_image(id).await?.ok_or_else(|| StudioError::NoSuchGeneratedImage(id.to_owned()))
    }

    /// An image's file, with its provenance in it.
    ///
    /// # Errors
    /// [`StudioError::NotMade`] if there is none yet; what the objects report.
    pub async fn file(&self, image: &GeneratedImage) -> StudioResult<(GeneratedFile, Bytes)> {
        let not_made = || StudioError::NotMade { image: image.id.clone(), state: image.state.name() };
        let result = image.result.clone().ok_or_else(not_made)?;
        let content = self.object(ObjectKey::made(&result.hash)).await?;
        Ok((result, content.ok_or_else(not_made)?))
    }

    /// An image's thumbnail, in WebP.
    ///
    /// # Errors
    /// As of [`file`](Self::file).
    pub async fn thumbnail(&self, image: &GeneratedImage, size: ThumbnailSize) -> StudioResult<Bytes> {
        let not_made = || StudioError::NotMade { image: image.id.clone(), state: image.state.name() };
        let result = image.result.as_ref().ok_or_else(not_made)?;
        self.object(ObjectKey::made_thumbnail(&result.hash, size)).await?.ok_or_else(not_made)
    }

    async fn object(&self, key: Option<ObjectKey>) -> StudioResult<Option<Bytes>> {
        match key {
            Some(key) => Ok(self.library().objects().get(&key).await?),
            None => Ok(None),
        }
    }

    /// An edit's picture and what became of it beside each other, in PNG.
    ///
    /// # Errors
    /// [`StudioError::BadRequest`] if the image is no edit; as of [`file`](Self::file).
    pub async fn beside(&self, image: &GeneratedImage) -> StudioResult<Bytes> {
        let (_, plan): (_, Plan) = self.generation(&image.generation).await?;
        let Some(edit) = plan.edit else {
            let message = format!("image '{}' is no edit: there is nothing before it", image.id);
            return Err(StudioError::BadRequest { fault: RequestFault::NoEdit, message });
        };
        let picture = edit.within.as_ref().map_or(&edit.picture, |within| &within.picture);
        let before = self.object(ObjectKey::sent(&picture.hash)).await?;
        let before = before.ok_or_else(|| StudioError::Plan("the picture before the edit is not there".into()))?;
        let (result, after) = self.file(image).await?;
        let both = side_by_side(before, after, self.reader().clone()).await?;
        // The file is passed on by itself, and says what it shows.
        let provenance: Option<Provenance> = serde_json::from_value(result.provenance).ok();
        let facts = provenance.map(|provenance| facts(&provenance, image));
        Ok(facts.and_then(|facts| provenance::write(&both, &facts)).unwrap_or(both))
    }

    /// A picture of an image in another format, `jpg`, `png` or `webp` (without loss), with the image's provenance in it.
    ///
    /// # Errors
    /// [`StudioError::BadRequest`] for any other format; [`StudioError::Picture`] if it can't be read.
    pub async fn converted(&self, image: &GeneratedImage, content: Bytes, format: &str) -> StudioResult<Bytes> {
        let to = match format {
            "jpg" | "jpeg" => ImageFormat::Jpeg,
            "png" => ImageFormat::Png,
            "webp" => ImageFormat::WebP,
            other => {
                let message = format!("an image can't be written as .{other}");
                return Err(StudioError::BadRequest { fault: RequestFault::FormatInvalid, message });
            }
        };
        let reader = self.reader().clone();
        let file = in_turn(move || encoded(&content, to, &reader)).await??;
        let provenance = image.result.as_ref().map(|result| result.provenance.clone());
        let provenance: Option<Provenance> = provenance.and_then(|provenance| serde_json::from_value(provenance).ok());
        let facts = provenance.map(|provenance| facts(&provenance, image));
        Ok(facts.and_then(|facts| provenance::write(&file, &facts)).unwrap_or(file))
    }

    /// Exports images that pass the filter to a ZIP file, with a list of what is known of each, as JSON that
    /// `describe` gives from an image and its file's name; how many.
    ///
    /// # Errors
    /// [`StudioError::ExportExists`] if there is such a file; what the store and the objects report.
    pub async fn export(
        &self,
        filter: &GeneratedFilter,
        ids: &[String],
        to: &Path,
        describe: &(dyn Fn(&GeneratedImage, &str) -> Vec<u8> + Sync),
    ) -> StudioResult<u64> {
        let mut sink = ZipSink::new(to)?;
        let (mut after, mut count) = (None, 0);
        loop {
            let page = if ids.is_empty() {
                self.store().generated_images(filter, after.as_ref(), PAGE).await?
            } else {
                let mut images = Vec::with_capacity(ids.len());
                for id in ids {
                    images.push(self.image(id).await?);
                }
                images
            };
            after = page.last().map(GeneratedImage::cursor);
            let last = page.len() < PAGE || !ids.is_empty();
            for image in page {
                if image.result.is_none() && ids.is_empty() {
                    continue;
                }
                let (result, content) = self.file(&image).await?;
                let name = format!("{}.{}", image.id, extension(&result.format));
                sink.add(&name, &content, &describe(&image, &name))?;
                count += 1;
            }
            if last {
                Box::new(sink).finish()?;
                return Ok(count);
            }
        }
    }

    /// Moves images into the trash; how many. Nothing is moved if one of them does not exist.
    ///
    /// # Errors
    /// [`StudioError::NoSuchGeneratedImage`], and what the store or the objects report.
    pub async fn delete(&self, ids: &[String]) -> StudioResult<u64> {
        let mut images = Vec::with_capacity(ids.len());
        for id in ids {
            images.push(self.image(id).await?);
        }
        let mut deleted = 0;
        for image in images {
            deleted += u64::from(self.store().delete_generated(&image.id).await?);
        }
        Ok(deleted)
    }

    /// Forgets for good what was deleted before a moment, or all of it, with the files that nothing else needs; how many
    /// deletions.
    ///
    /// # Errors
    /// What the store and the objects report; the rest goes the next time.
    pub async fn empty_trash(&self, before: Option<Timestamp>) -> StudioResult<u64> {
        let emptied = self.store().empty_trash(before).await?;
        self.delete_made_garbage().await?;
        self.library().delete_garbage().await?;
        Ok(emptied)
    }

    /// Deletes the files that no made image has any more, nor one in the trash.
    async fn delete_made_garbage(&self) -> StudioResult<()> {
        // Nobody is kept waiting for nothing.
        while !self.store().made_garbage(1).await?.is_empty() {
            let _alone = self.store().own_objects().await?;
            let hashes = self.store().made_garbage(GARBAGE).await?;
            let mut keys = Vec::with_capacity(hashes.len() * 3);
            for hash in &hashes {
                // The same picture may have come again since.
                if !self.store().generated_with_hash(hash).await? {
                    let thumbnails = ThumbnailSize::ALL.into_iter();
                    keys.extend(thumbnails.filter_map(|size| ObjectKey::made_thumbnail(hash, size)));
                    keys.extend(ObjectKey::made(hash));
                }
            }
            self.library().objects().remove(keys).await?;
            self.store().made_garbage_deleted(&hashes).await?;
        }
        Ok(())
    }

    /// Takes an image into the library: it can be searched for from then on, and be a reference. The id that it has
    /// there.
    ///
    /// # Errors
    /// As of [`file`](Self::file); what the import and the search report.
    pub async fn promote(
        &self,
        image: &GeneratedImage,
        collections: &[String],
        embedders: Embedders,
        search: &ImageSearch,
    ) -> StudioResult<String> {
        let (result, content) = self.file(image).await?;
        let importer = Importer::new(self.library().clone(), embedders, DecodeLimits::default(), *self.clock());
        let name = format!("{}.{}", image.id, extension(&result.format));
        let options = ImportOptions {
            collections: collections.to_vec(),
            tags: vec!["generated".to_owned()],
            threads: NonZeroUsize::MIN,
            ..ImportOptions::default()
        };
        let mut outcome = None;
        let observer = |event: ImportEvent<'_>| {
            if let ImportEvent::File { outcome: told, .. } = event {
                outcome = Some(told.clone());
            }
        };
        importer.import(vec![ImportSource::Bytes { name, content }], options, Stop::never(), observer).await?;
        let id = match outcome {
            Some(
                FileOutcome::Imported { image } | FileOutcome::Known { image } | FileOutcome::Duplicate { of: image },
            ) => image,
            Some(FileOutcome::Near { kept: Some(image), .. }) => image,
            _ => return Err(StudioError::NotMade { image: image.id.clone(), state: "not readable" }),
        };
        self.note_provenance(&id, &result.provenance, image).await?;
        self.store().promote_generated(&image.id, &id).await?;
        search.catch_up(|_| {}).await?;
        Ok(id)
    }

    async fn note_provenance(&self, id: &str, provenance: &Value, image: &GeneratedImage) -> StudioResult<()> {
        let library: &Library = self.library();
        loop {
            let mut there = library.show(id).await?;
            let mut provenance = provenance.clone();
            provenance["image"] = json!(image.id);
            there.provenance = Some(provenance);
            there.caption = there.caption.or_else(|| Some(image.prompt.clone()));
            there.updated_at = self.clock().now();
            if self.store().replace_image(&there, None).await? {
                return Ok(());
            }
        }
    }
}

/// The quality of JPEG that is written from other formats.
const QUALITY: u8 = 95;

/// A picture in another format. JPEG has no transparency: there it lies over white.
fn encoded(content: &[u8], to: ImageFormat, reader: &PictureReader) -> StudioResult<Bytes> {
    let damaged = |error: image::ImageError| StudioError::Picture(PictureError::Damaged(error.to_string()));
    let short = || StudioError::Picture(PictureError::Damaged("it has too few pixels".into()));
    let mut file = Cursor::new(Vec::new());
    let picture = reader.read(content)?.into_rgba().in_colors_of(None);
    if to == ImageFormat::Jpeg {
        let over_white = |value: &u8, opacity: u8| {
            let opacity = u16::from(opacity);
            ((u16::from(*value) * opacity + 255 * (255 - opacity) + 127) / 255) as u8
        };
        let pixels = picture.rgba.as_chunks::<4>().0.iter();
        let rgb = pixels.flat_map(|[r, g, b, a]| [r, g, b].map(|value| over_white(value, *a))).collect();
        let encoder = JpegEncoder::new_with_quality(&mut file, QUALITY);
        let picture = image::RgbImage::from_raw(picture.width, picture.height, rgb).ok_or_else(short)?;
        picture.write_with_encoder(encoder).map_err(damaged)?;
    } else {
        let picture = image::RgbaImage::from_raw(picture.width, picture.height, picture.rgba).ok_or_else(short)?;
        picture.write_to(&mut file, to).map_err(damaged)?;
    }
    Ok(file.into_inner().into())
}

/// The end of a file's name, by what it is.
#[must_use]
pub fn extension(format: &str) -> &str {
    if format == "jpeg" { "jpg" } else { format }
}
