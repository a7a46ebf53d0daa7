//! Queries: a request turned into vectors, and the hits with their images.

use std::collections::HashMap;

use atelier_embed::{EmbedError, Look, Picture, Vector};
use atelier_search::{Filter, Hits, Query, Rgb};
use atelier_store::Image;
use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::index::ImageSearch;
use crate::error::{StudioError, StudioResult};
use crate::library::decode::{DecodeLimits, PictureReader};
use crate::library::{asked, asked_of, in_turn, picture_of};

/// A search. Parts that are not given are not searched by.
#[derive(Clone, Debug, Default)]
pub struct SearchRequest {
    /// Words, as the user wrote them.
    pub words: Option<String>,
    /// The file of an example picture.
    pub picture: Option<Bytes>,
    /// The id of an image to find others like.
    pub like: Option<String>,
    /// A colour that the images should have.
    pub color: Option<Rgb>,
    /// Conditions that every image must meet.
    pub filters: Vec<Filter>,
    /// The part of the images that words are compared with.
    pub scope: Scope,
    /// The most images to return.
    pub limit: usize,
    /// True to explain how the query was understood and what each stage did.
    pub explain: bool,
}

impl SearchRequest {
    /// The words, if they say anything.
    fn asked_words(&self) -> Option<&String> {
        self.words.as_ref().filter(|words| !words.trim().is_empty())
    }

    /// Refuses a request that asks for nothing.
    ///
    /// # Errors
    /// [`StudioError::EmptyQuery`] if nothing is.
    pub fn check(&self) -> StudioResult<()> {
        let asks = self.asked_words().is_some()
            || self.picture.is_some()
            || self.like.is_some()
            || self.color.is_some()
            || !self.filters.is_empty();
        if asks { Ok(()) } else { Err(StudioError::EmptyQuery) }
    }
}

/// The part of the images that a query's words are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All of the others.
    #[default]
    All,
    /// The words of images, by text search.
    Lexical,
    /// The meaning of their words, by vectors.
    Text,
    /// Their look, by vectors.
    Look,
}

/// The result of a search.
#[derive(Clone, Debug)]
pub struct SearchResults {
    /// The hits, with the results of each stage for them.
    pub hits: Hits,
    /// The images of the hits, by id. One that was removed since is not there.
    pub images: HashMap<String, Image>,
    /// The reason for which words were only compared with the words of images: the embedder could not be asked.
    pub words_only: Option<String>,
}

impl ImageSearch {
    /// Searches what has been committed so far; [`catch_up`](Self::catch_up) before it if what has changed since
    /// is to be found.
    ///
    /// # Errors
    /// [`StudioError::EmptyQuery`] if nothing is asked; [`StudioError::Picture`] if the example can't be read;
    /// [`StudioError::NoLook`] where there is no model for pictures to ask; [`StudioError::Embed`],
    /// [`StudioError::Search`], and what the store reports.
    pub fn search(&self, request: SearchRequest) -> BoxFuture<'_, StudioResult<SearchResults>> {
        Box::pin(async move {
            let opened = self.open().await?;
            let (query, words_only) = self.query(request).await?;
            let hits = asked(move || opened.index.search(&query)).await??;
            let ids: Vec<String> = hits.hits.iter().chain(&hits.nearest).map(|hit| hit.id.clone()).collect();
            let images = self.library().store().images_with_ids(&ids).await?;
            let images = images.into_iter().map(|image| (image.id.clone(), image)).collect();
            Ok(SearchResults { hits, images, words_only })
        })
    }

    async fn query(&self, request: SearchRequest) -> StudioResult<(Query, Option<String>)> {
        request.check()?;
        let words = request.asked_words().cloned();
        let scope = request.scope;
        let mut query = Query {
            words: words.clone().filter(|_| matches!(scope, Scope::All | Scope::Lexical)),
            known: Vec::new(),
            text: None,
            look: None,
            appearance: None,
            like: request.like,
            color: request.color,
            filters: request.filters,
            limit: request.limit,
            explain: request.explain,
        };
        let mut words_only = None;
        if let Some(words) = words {
            query.known = self.known(&words);
            if scope == Scope::Look && self.embedders().look.is_none() {
                return Err(StudioError::NoLook);
            }
            match self.embed(words, scope).await {
                Ok(vectors) => (query.text, query.look) = vectors,
                // A search without vectors is better than none, unless they were what was asked for.
                Err(StudioError::Embed(EmbedError::Remote { reason, .. })) if scope == Scope::All => {
                    words_only = Some(reason);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(picture) = request.picture {
            // Pictures are compared with pictures by how they look; its meaning is for words.
            let Look { appearance, .. } = self.look(picture).await?;
            query.appearance = Some(appearance);
        }
        Ok((query, words_only))
    }

    /// Those that the text model knows to be words.
    fn known(&self, words: &str) -> Vec<String> {
        let Some(text) = &self.embedders().text else { return Vec::new() };
        let words = words.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= 3);
        words.filter(|word| text.knows(word)).map(str::to_owned).collect()
    }

    /// The vectors of words, in the spaces of text and of look.
    async fn embed(&self, words: String, scope: Scope) -> StudioResult<(Option<Vector>, Option<Vector>)> {
        let embedders = self.embedders().clone();
        let text = embedders.text.filter(|_| matches!(scope, Scope::All | Scope::Text));
        let look = embedders.look.filter(|_| matches!(scope, Scope::All | Scope::Look));
        let batches = [text.as_ref().map(|text| text.batch()), look.as_ref().map(|look| look.batch())];
        asked_of(batches.into_iter().flatten().max().unwrap_or(1), move || {
            let words = [words];
            if let (Some(text), Some(look)) = (&text, &look)
                && text.id() == look.query_id()
            {
                // One space for both, and one vector.
                let vector = look.query(&words)?.pop();
                return Ok((vector.clone(), vector));
            }
            let text = text.map(|text| text.embed(&words)).transpose()?.and_then(|mut vectors| vectors.pop());
            let look = look.map(|look| look.query(&words)).transpose()?.and_then(|mut vectors| vectors.pop());
            Ok((text, look))
        })
        .await?
    }

    async fn look(&self, content: Bytes) -> StudioResult<Look> {
        let look = self.embedders().look.clone().ok_or(StudioError::NoLook)?;
        in_turn(move || {
            let picture: Picture = picture_of(&content, &PictureReader::new(DecodeLimits::default()))?;
            let look = look.look(&[picture])?.pop();
            look.ok_or(StudioError::Embed(atelier_embed::EmbedError::EmptyVector))
        })
        .await?
    }
}
