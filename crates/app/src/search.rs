//! The search over the library, and how well it does on judged queries.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use atelier_engine::{Stop, Timestamp};
use atelier_search::evaluate::{
    Baseline, Comparison, Evaluation, Judged, MeanEstimate, Metric, evaluate, read_queries,
};
use atelier_store::LOCAL_OWNER;
use atelier_studio::library::Library;
use atelier_studio::search::{ImageSearch, Scope, SearchRequest};

use crate::app::App;
use crate::embedders;
use crate::error::{AppError, AppResult};
use crate::views::SearchView;

/// Metrics look at the first ten.
const DEPTH: usize = 10;

/// Queries with the images that they should find.
pub struct JudgedQueries {
    queries: Vec<Judged>,
    baseline: Option<Baseline>,
}

/// How well the search does on them.
#[derive(Clone, Debug)]
pub struct SearchEvaluation {
    /// Every query's scores.
    pub evaluation: Evaluation,
    /// Queries to which it found something.
    pub answered: u64,
    /// How it differs from the baseline, if there is one.
    pub comparison: Option<Comparison>,
    /// Relevant images that are not in the library: a misspelt id looks like a bad search.
    pub unknown: Vec<String>,
}

impl JudgedQueries {
    /// Reads queries, and the baseline to compare with.
    ///
    /// # Errors
    /// `source-unreadable`, and what is wrong with their content.
    pub fn read(queries: &Path, baseline: Option<&Path>) -> AppResult<Self> {
        let file = File::open(queries).map_err(|error| unreadable(queries, &error))?;
        let read =
            read_queries(BufReader::new(file)).map_err(|error| AppError::from(error).in_place(queries.display()))?;
        if read.is_empty() {
            let message = format!("{} holds no queries", queries.display());
            return Err(AppError::new(code!("judged-queries-invalid"), message));
        }
        Ok(Self { queries: read, baseline: baseline.map(read_baseline).transpose()? })
    }
}

impl SearchEvaluation {
    /// The mean of each metric, and how sure it is.
    #[must_use]
    pub fn estimates(&self) -> BTreeMap<Metric, MeanEstimate> {
        self.evaluation.estimates()
    }

    /// Saves the metrics as a baseline for later.
    ///
    /// # Errors
    /// `output-unwritable`.
    pub fn save(&self, to: &Path) -> AppResult<()> {
        let saved = Baseline::of(&self.evaluation).to_json()?;
        std::fs::write(to, saved + "\n").map_err(|error| crate::files::unwritable(to, &error))
    }
}

impl App {
    /// The search over the library, with the models that the configuration names. A provider's that has no key is left
    /// out, and searches go by words alone.
    ///
    /// # Errors
    /// What the configuration, the models and the store report.
    pub async fn image_search(&self) -> AppResult<Arc<ImageSearch>> {
        let open = || async {
            let embedders = embedders::of_queries(self, &Stop::never()).await?;
            // What is found is the same for everybody.
            let library = Library::open(self.store()?.owned_by(LOCAL_OWNER))?;
            AppResult::Ok(Arc::new(ImageSearch::new(library, embedders)))
        };
        self.shared().search.get_or_try_init(open).await.cloned()
    }

    /// The same without cut-offs, to measure how well each stage ranks. Nothing else of this process may be searching.
    ///
    /// # Errors
    /// As [`App::image_search`].
    pub async fn search_without_cut_offs(&self) -> AppResult<Arc<ImageSearch>> {
        let embedders = embedders::of_queries(self, &Stop::never()).await?;
        Ok(Arc::new(ImageSearch::new(self.library()?, embedders).without_cut_offs()))
    }

    /// Makes known to the search what anybody has changed in the library, other programs included.
    ///
    /// # Errors
    /// What the store and the search report.
    pub async fn index_changes(&self) -> AppResult<()> {
        // Without a search in this process no model need be loaded for it.
        match self.shared().search.get() {
            Some(search) => search.catch_up(|_| {}).await?,
            None => ImageSearch::new(self.library()?, Default::default()).catch_up(|_| {}).await?,
        };
        Ok(())
    }

    /// Searches what the index has by now. `began` is when the user asked.
    ///
    /// # Errors
    /// As [`ImageSearch::search`].
    pub async fn search(
        &self,
        search: &ImageSearch,
        request: SearchRequest,
        began: Timestamp,
    ) -> AppResult<SearchView> {
        let found = search.search(request).await?;
        Ok(SearchView::new(found, self.clock().now().since(began)))
    }

    /// Asks judged queries, and ranks what is shown: the hits and the nearest below them. `on_query` hears how many were.
    ///
    /// # Errors
    /// `embedder-absent` if words alone would be measured and more was asked for; what the search reports.
    pub async fn evaluate_search(
        &self,
        search: &ImageSearch,
        judged: &JudgedQueries,
        scope: Scope,
        tolerance: f64,
        mut on_query: impl FnMut(u64, u64) + Send,
    ) -> AppResult<SearchEvaluation> {
        let JudgedQueries { queries, baseline } = judged;
        let unknown = unknown(search, queries).await?;
        let (mut ranked, mut answered) = (Vec::with_capacity(queries.len()), 0_u64);
        for query in queries {
            let words = Some(query.query.clone());
            let found = search.search(SearchRequest { words, scope, limit: DEPTH, ..SearchRequest::default() }).await?;
            if let Some(reason) = found.words_only {
                let message = format!("the embedder can't be asked, and without it little would be measured: {reason}");
                return Err(AppError::new(code!("embedder-absent"), message)
                    .hint("measure the words of images alone, or see to the embedder"));
            }
            let atelier_search::Hits { hits, nearest, .. } = found.hits;
            answered += u64::from(!hits.is_empty());
            // As they are shown: what matches, and the nearest below.
            ranked.push(hits.into_iter().chain(nearest).map(|hit| hit.id).collect::<Vec<_>>());
            on_query(ranked.len() as u64, queries.len() as u64);
        }
        let mut ranked = ranked.into_iter();
        let evaluation = evaluate(queries, |_: &Judged| Ok::<_, AppError>(ranked.next().unwrap_or_default()))?;
        let comparison = baseline.as_ref().map(|baseline| baseline.compare(&evaluation, tolerance)).transpose()?;
        Ok(SearchEvaluation { evaluation, answered, comparison, unknown })
    }
}

async fn unknown(search: &ImageSearch, queries: &[Judged]) -> AppResult<Vec<String>> {
    let ids: BTreeSet<String> = queries.iter().flat_map(|judged| judged.relevant.keys().cloned()).collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let images = search.library().store().images_with_ids(&ids).await?;
    let there: BTreeSet<&str> = images.iter().map(|image| image.id.as_str()).collect();
    Ok(ids.iter().filter(|id| !there.contains(id.as_str())).cloned().collect())
}

fn read_baseline(path: &Path) -> AppResult<Baseline> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    Baseline::from_json(&text).map_err(|error| AppError::from(error).in_place(path.display()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> AppError {
    AppError::new(code!("source-unreadable"), format!("{} can't be read: {error}", path.display()))
        .hint("check that the path is right and that your user may read it")
}
