//! What a search found.

use std::time::Duration;

use atelier_search::{Hit, SearchExplanation, StageScores};
use atelier_studio::search::SearchResults;
use serde::Serialize;
use utoipa::ToSchema;

/// The answer to a search.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SearchView {
    /// How long it took from the request to this, in milliseconds: what the user waited.
    pub took_ms: f64,
    /// Of that, the search itself, without the models that read the query.
    pub search_ms: f64,
    /// How many images match; where very many do, the number that was ranked.
    pub total: usize,
    /// Those that match, the best first.
    pub hits: Vec<HitView>,
    /// The nearest that do not.
    pub nearest: Vec<HitView>,
    /// How the answer came about, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<SearchExplanation>,
    /// Why words were compared with words alone: the embedder could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words_only: Option<String>,
}

/// An image that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HitView {
    /// Its id.
    pub id: String,
    /// Its file's name.
    pub filename: String,
    /// Where it was imported from, if it was from a file.
    pub path: Option<String>,
    /// What is to be seen.
    pub caption: Option<String>,
    /// Columns, upright; 0 if the image is gone meanwhile.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Its colours, the most of it first, such as `#a0c4ff`.
    pub palette: Vec<String>,
    /// From 0 to 1; it orders the hits of one answer.
    pub score: f32,
    /// Its rank and score in each stage.
    pub stages: StageScores,
}

impl SearchView {
    /// What was found, after so long.
    pub(crate) fn new(found: SearchResults, took: Duration) -> Self {
        let SearchResults { hits, images, words_only } = found;
        let view = |hit: Hit| {
            let image = images.get(&hit.id);
            HitView {
                path: image.and_then(|image| image.source.clone()),
                caption: image.and_then(|image| image.caption.clone()),
                width: image.map_or(0, |image| image.width),
                height: image.map_or(0, |image| image.height),
                palette: image.map(|image| image.palette.clone()).unwrap_or_default(),
                id: hit.id,
                filename: hit.filename,
                score: hit.score,
                stages: hit.stages,
            }
        };
        Self {
            took_ms: milliseconds(took),
            search_ms: milliseconds(hits.took),
            total: hits.total,
            hits: hits.hits.into_iter().map(view).collect(),
            nearest: hits.nearest.into_iter().map(view).collect(),
            explanation: hits.explanation,
            words_only,
        }
    }
}

/// Milliseconds with two decimals.
fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 100_000.0).round() / 100.0
}
