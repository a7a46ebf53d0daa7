//! How references are found: the user's own first, then tone and angle, drawn from the best that search finds.

use std::io::Cursor;

use atelier_search::Filter;
use atelier_store::{Image, ScoreKind};
use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;

use super::draw::{best, draw};
use super::plan::{Drawn, Pick, Reference, Role, Sent};
use super::prepared::Prepared;
use crate::error::{StudioError, StudioResult};
use crate::library::decode::{PictureError, PictureReader};
use crate::library::derive::palette;
use crate::library::{Library, in_turn};
use crate::search::{ImageSearch, SearchRequest};
use atelier_store::objects::ObjectKey;

/// How many candidates are ranked.
const POOL: usize = 100;
/// The long side of a picture that is sent: models scale what is larger down themselves.
const LONG_SIDE: u32 = 1536;
/// The quality of the JPEG that is sent.
const QUALITY: u8 = 92;
/// For a palette, a small picture is enough.
const PALETTE_SIDE: u32 = 256;

/// Finds references for a prompt.
pub(super) struct Finder<'a> {
    pub(super) library: &'a Library,
    pub(super) search: &'a ImageSearch,
    pub(super) reader: &'a PictureReader,
    pub(super) prepared: &'a Prepared,
    pub(super) collection: Option<&'a str>,
    pub(super) seed: u64,
}

impl Finder<'_> {
    /// The user's own pick, which is sent.
    pub(super) async fn pick(&self, pick: &Pick, role: Role) -> StudioResult<Reference> {
        match pick {
            Pick::Image(id) => self.fixed(id, role, true).await,
            Pick::File { name, content } => {
                let (sent, palette) = self.sent(content.clone()).await?;
                Ok(Reference { role, image: None, name: name.clone(), sent: Some(sent), palette, drawn: None })
            }
        }
    }

    /// An image of the library, which the user set.
    pub(super) async fn fixed(&self, id: &str, role: Role, send: bool) -> StudioResult<Reference> {
        let image = self.library.show(id).await?;
        self.reference(image, role, send, None).await
    }

    /// One that is drawn from the best that search finds for these words, or, where it finds nothing, from those with
    /// the best scores. `passed_over` are images that are references already.
    pub(super) async fn drawn(
        &self,
        role: Role,
        words: &str,
        category: Option<&str>,
        passed_over: &[String],
        send: bool,
    ) -> StudioResult<Option<Reference>> {
        let (by, ranked) = self.ranked(role, words, category, passed_over).await?;
        let Some(place) = draw(ranked.len(), self.seed, role.name()) else { return Ok(None) };
        let Some((id, score)) = ranked.get(place) else { return Ok(None) };
        let drawn = Drawn {
            by: by.to_owned(),
            score: *score,
            rank: place + 1,
            pool: ranked.len(),
            best: best(ranked.len()),
            seed: self.seed,
        };
        let image = self.library.show(id).await?;
        Ok(Some(self.reference(image, role, send, Some(drawn)).await?))
    }

    /// Candidates, the best first.
    async fn ranked(
        &self,
        role: Role,
        words: &str,
        category: Option<&str>,
        passed_over: &[String],
    ) -> StudioResult<(&'static str, Vec<(String, f64)>)> {
        let collection = self.collection.map(|name| Filter::Collection(name.to_owned()));
        // Images that are said to be of the category, if there are any that fit; else any.
        for category in [category, None].into_iter().skip(usize::from(category.is_none())) {
            let filters = collection.iter().cloned().chain(category.map(|name| Filter::Category(name.to_owned())));
            let request = SearchRequest {
                words: Some(words.to_owned()),
                filters: filters.collect(),
                limit: POOL,
                ..SearchRequest::default()
            };
            let found = self.search.search(request).await?.hits;
            // Of few there is little to choose from; what is nearest to them is better than always the same.
            let more = if found.hits.is_empty() { Vec::new() } else { found.nearest };
            let ranked: Vec<(String, f64)> = found
                .hits
                .into_iter()
                .chain(more)
                .filter(|hit| !passed_over.contains(&hit.id))
                .map(|hit| (hit.id, f64::from(hit.score)))
                .collect();
            if !ranked.is_empty() {
                return Ok(("search", ranked));
            }
        }
        let kind = if role == Role::Angle { ScoreKind::Angle } else { ScoreKind::Tone };
        let scored = self.library.store().images_by_score(kind, self.collection, POOL + passed_over.len()).await?;
        let ranked = scored.into_iter().filter(|(id, _)| !passed_over.contains(id)).take(POOL).collect();
        Ok(("scores", ranked))
    }

    async fn reference(&self, image: Image, role: Role, send: bool, drawn: Option<Drawn>) -> StudioResult<Reference> {
        let sent = if send { Some(self.sent_of(&image).await?) } else { None };
        Ok(Reference { role, image: Some(image.id), name: image.filename, sent, palette: image.palette, drawn })
    }

    /// What is sent of an image of the library: it is made once, as long as it is kept.
    async fn sent_of(&self, image: &Image) -> StudioResult<Sent> {
        if let Some(sent) = self.prepared.get(&image.hash)
            && let Some(key) = ObjectKey::sent(&sent.hash)
            && self.library.objects().has(&key).await?
        {
            return Ok(sent);
        }
        let (sent, _) = self.sent(self.library.original(image).await?).await?;
        self.prepared.put(&image.hash, &sent);
        Ok(sent)
    }

    /// Makes what is sent of a file, and keeps it: upright, opaque, of a size that models look at. With its palette.
    pub(super) async fn sent(&self, content: Bytes) -> StudioResult<(Sent, Vec<String>)> {
        let reader = self.reader.clone();
        let (file, width, height, colors) = in_turn(move || {
            let picture = reader.read(&content)?.into_picture(1, LONG_SIDE)?;
            let colors = palette(&picture.within(PALETTE_SIDE)?)?;
            let mut file = Cursor::new(Vec::new());
            let encoded = JpegEncoder::new_with_quality(&mut file, QUALITY).encode(
                &picture.rgb,
                picture.width,
                picture.height,
                image::ExtendedColorType::Rgb8,
            );
            encoded.map_err(|error| PictureError::Damaged(error.to_string()))?;
            Ok::<_, StudioError>((file.into_inner(), picture.width, picture.height, colors))
        })
        .await??;
        let sent = self.keep(file.into(), "image/jpeg", width, height).await?;
        Ok((sent, colors))
    }

    /// Keeps a file that is sent.
    pub(super) async fn keep(&self, file: Bytes, mime: &str, width: u32, height: u32) -> StudioResult<Sent> {
        let hash = blake3::hash(&file).to_hex().to_string();
        if let Some(key) = ObjectKey::sent(&hash) {
            // While it is written nobody deletes objects: whoever does also clears away what is half written.
            let _guard = self.library.store().share_objects().await?;
            self.library.objects().put(vec![(key, file)]).await?;
        }
        Ok(Sent { hash, mime: mime.to_owned(), width, height })
    }
}
