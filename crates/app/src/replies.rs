//! From posts to drafts, as one is asked for it: what is ready, what it would take, and the job that does it.

use std::collections::BTreeMap;
use std::path::Path;

use atelier_embed::NoAnswer;
use atelier_engine::{EngineError, Forecast, Job, JobId, Stop, Timestamp};
use atelier_providers::ModelRef;
use atelier_replies::RepliesError;
use atelier_replies::embedding::{Embedding, LocalEmbedding};
use atelier_replies::generate::{self, Counts, LiftedRule, Prepared, PreparedProject, Selection, Summary};
use atelier_replies::review_import::{ReviewImport, import_review};
use atelier_store::{DraftFilter, DraftStatus, JobRecord, StoreError};

use crate::app::App;
use crate::embedders;
use crate::embedding::RemoteEmbedder;
use crate::error::{AppError, AppResult, ErrorClass, excerpt};
use crate::job::JobSettings;
use crate::pools::{Intent, Pools};
use crate::posts::{all_projects, read_posts};
use crate::run::{RunChange, RunSettings};
use crate::views::{DecidedView, DraftListView, DraftView, ForecastView};

/// Drafts where neither the user, the project nor the configuration names a model.
const DEFAULT_MODEL: &str = "gemini:gemini-3.5-flash-lite";

/// Drafts are read in pages of this size.
const PAGE: usize = 1_000;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct RepliesRequest {
    /// Which posts; no projects mean all there are, if `all_projects` says so.
    pub selection: Selection,
    /// Whether all projects are meant.
    pub all_projects: bool,
    /// What compares posts with topics: `local`, or a provider's model.
    pub embedder: String,
    /// How it is run.
    pub run: RunChange,
    /// The moment at which posts are selected and scored; now if unset.
    pub at: Option<Timestamp>,
    /// Whether drafting is meant, or only a forecast, for which no key is needed.
    pub intent: Intent,
}

/// A decision about a draft.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The draft.
    pub draft: String,
    /// The version that whoever decides has seen, if it matters.
    pub version: Option<String>,
    /// What it says from now on, if that changes.
    pub text: Option<String>,
    /// Where it stands from now on, if that changes.
    pub to: Option<DraftStatus>,
    /// Why it is rejected.
    pub reason: Option<String>,
}

/// What is ready to be drafted.
pub struct ReadyReplies {
    prepared: Prepared,
    selection: Selection,
    run: RunSettings,
    pools: std::sync::Arc<Pools>,
    output_cap: u64,
    began: Timestamp,
}

impl ReadyReplies {
    /// The projects, each with its posts sorted out.
    #[must_use]
    pub fn projects(&self) -> &[PreparedProject] {
        &self.prepared.projects
    }

    /// How many posts would be drafted for.
    #[must_use]
    pub fn to_draft(&self) -> usize {
        self.prepared.to_draft()
    }

    /// What the selection counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.prepared.counts()
    }

    /// The model that would draft, as the user calls it.
    #[must_use]
    pub fn model(&self) -> &ModelRef {
        self.pools.model()
    }

    /// How long ago it was asked for, in seconds.
    #[must_use]
    pub fn seconds(&self, app: &App) -> f64 {
        app.clock().now().since(self.began).as_secs_f64()
    }

    /// The forecast, as it is shown.
    #[must_use]
    pub fn forecast_view(&self, forecast: &Forecast) -> ForecastView {
        ForecastView::new(&self.pools.model().to_string(), self.to_draft(), self.counts(), forecast)
    }
}

impl App {
    /// Selects, gates, compares, scores and labels posts. Nothing is drafted; where a provider compares them, that is
    /// paid for and kept, and counts against the budget.
    ///
    /// # Errors
    /// A missing key, a budget without a price; `interrupted` if `stop` was asked for; what the store and the embedder
    /// report.
    pub async fn prepare_replies(&self, request: &RepliesRequest, stop: &Stop) -> AppResult<ReadyReplies> {
        let (store, began) = (self.store()?, self.clock().now());
        let mut selection = request.selection.clone();
        if request.all_projects {
            selection.projects = all_projects(&store).await?.into_iter().map(|project| project.name).collect();
            if selection.projects.is_empty() {
                return Err(RepliesError::NoProject.into());
            }
        }
        let model = self.replies_model(request.run.model.as_deref(), &selection.projects).await?;
        let mut run = RunSettings::new(&model, &request.run);
        // Before anything else is done: is there a key, and is the budget one that can be kept?
        let pools = Pools::open_to(request.intent, self, &run).await?;
        pools.check_budget(&run)?;
        let at = request.at.unwrap_or(began);
        // A forecast pays for nothing.
        let prepared = if request.embedder == "local" || request.intent == Intent::Forecast {
            let embedding = LocalEmbedding::new(embedders::text(self).await?);
            generate::prepare(&store, &selection, at, &embedding).await?
        } else {
            let embedder = self.posts_embedder(&request.embedder, &run, stop).await?;
            let prepared = generate::prepare(&store, &selection, at, &embedder as &dyn Embedding).await;
            run.also_spent += embedder.spent();
            prepared.map_err(|error| interrupted(error, stop))?
        };
        let output_cap = self.prices()?.output_cap(&run, pools.model());
        Ok(ReadyReplies { prepared, selection, run, pools, output_cap, began })
    }

    async fn posts_embedder(&self, name: &str, run: &RunSettings, stop: &Stop) -> AppResult<RemoteEmbedder> {
        let model: ModelRef = name.parse()?;
        if !model.name().contains("embedding") && !model.is_sandbox() {
            let message = format!("'{name}' is not an embedder that is known");
            return Err(
                AppError::new(code!("unknown-embedder"), message).hint("use local, or gemini:gemini-embedding-001")
            );
        }
        // The limits that were given are those of the model that drafts.
        let run = RunSettings { limits: Vec::new(), ..run.by(name) };
        RemoteEmbedder::open(self, &run, "posts", stop.clone()).await
    }

    /// The user's model, else the one that the projects name, else the configured one.
    async fn replies_model(&self, said: Option<&str>, projects: &[String]) -> AppResult<String> {
        let mut named = BTreeMap::new();
        for name in projects {
            if let Some(model) = self.project_finder(name).await?.model() {
                named.insert(model, name.clone());
            }
        }
        if let Some(model) = said {
            return Ok(model.to_owned());
        }
        match named.len() {
            0 => Ok(self.config().model.clone().unwrap_or_else(|| DEFAULT_MODEL.to_owned())),
            1 => Ok(named.into_keys().next().unwrap_or_default()),
            _ => {
                let named: Vec<String> = named.iter().map(|(model, project)| format!("{project}: {model}")).collect();
                let message = format!("the projects name different models ({})", named.join(", "));
                Err(AppError::new(code!("models-differ"), message)
                    .hint("name one model for all, or run the projects one by one"))
            }
        }
    }

    /// What drafting would take, by what the ledger says now.
    ///
    /// # Errors
    /// What the engine reports.
    pub async fn forecast_replies(&self, ready: &ReadyReplies) -> AppResult<Forecast> {
        let items = generate::items(&ready.prepared);
        let job = Job {
            id: "forecast".into(),
            task: std::sync::Arc::new(generate::task(&ready.prepared, ready.output_cap)),
            pools: ready.pools.cold(),
            items: items.len() as u64,
            options: ready.run.options(0, atelier_engine::Usd::ZERO),
        };
        let forecast: Result<Forecast, EngineError> = self.engine()?.forecast(&job, &items).await;
        Ok(forecast?)
    }

    /// Submits a job of what is ready; `None` if there is nothing to draft any more: others took the posts.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn submit_replies(&self, ready: &mut ReadyReplies) -> AppResult<Option<JobId>> {
        let ReadyReplies { prepared, run, output_cap, began, .. } = ready;
        let id = atelier_store::job_id("replies", *began);
        let projects: Vec<&str> = prepared.projects.iter().map(|project| project.name.as_str()).collect();
        let title = projects.join(", ");
        let settings = |work| JobSettings::new(run.clone(), work).titled(&title).to_json();
        Ok(generate::submit(&self.store()?, prepared, &id, *output_cap, settings, *began).await?)
    }

    /// Why nothing is to be drafted, a line each; `lift` says how a rule is lifted at this face. The scores are kept if
    /// `keep_scores` says so.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn nothing_to_draft(
        &self,
        ready: &ReadyReplies,
        keep_scores: bool,
        lift: &(dyn Fn(LiftedRule) -> String + Sync),
    ) -> AppResult<Vec<String>> {
        let store = self.store()?;
        if keep_scores {
            generate::save_scores(&store, &ready.prepared).await?;
        }
        let mut lines = Vec::new();
        for project in &ready.prepared.projects {
            lines.extend(generate::why_nothing(&store, &ready.selection, project, ready.prepared.now, lift).await?);
        }
        Ok(lines)
    }

    /// What has come of a job of replies, its earlier runs included.
    ///
    /// # Errors
    /// `job-settings-unreadable`, and what the store reports.
    pub async fn replies_summary(&self, job: &JobRecord, seconds: f64) -> AppResult<Summary> {
        let counts = JobSettings::<generate::DraftSettings>::of(job)?.work.counts;
        let harvested = generate::harvest_of(&self.store()?, &job.id).await?;
        Ok(Summary::of(job, counts, harvested, seconds))
    }

    /// A draft with the post that it answers.
    ///
    /// # Errors
    /// `no-such-draft`, and what the store reports.
    pub async fn draft(&self, id: &str) -> AppResult<DraftView> {
        let row = self.store()?.draft(id).await?;
        Ok(DraftView::from(row.ok_or_else(|| StoreError::NoSuchDraft { draft: id.to_owned() })?))
    }

    /// Changes what a draft says; whether it said something else before.
    ///
    /// # Errors
    /// `draft-empty`; `no-such-draft`, `draft-transition` for one that was posted or skipped; what the store reports.
    pub async fn edit_draft(&self, id: &str, text: &str) -> AppResult<bool> {
        if text.trim().is_empty() {
            return Err(AppError::new(code!("draft-empty"), "a draft can't be empty").hint("reject it instead"));
        }
        Ok(self.store()?.edit_draft(id, text, self.clock().now()).await?)
    }

    /// The ids of all drafts that pass a filter, whatever its page.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn draft_ids(&self, filter: DraftFilter) -> AppResult<Vec<String>> {
        let (store, mut filter, mut ids) = (self.store()?, DraftFilter { limit: PAGE, ..filter }, Vec::new());
        loop {
            let page = store.drafts(&filter).await?;
            filter.after = page.last().map(atelier_store::DraftRow::cursor);
            let whole = page.len() == PAGE;
            ids.extend(page.into_iter().map(|row| row.draft.id));
            if !whole {
                return Ok(ids);
            }
        }
    }

    /// Takes over what was decided and written in a file that an export wrote.
    ///
    /// # Errors
    /// `import-unreadable` if it is no such file; what the store reports.
    pub async fn import_review(&self, file: &Path) -> AppResult<ReviewImport> {
        self.import_review_of(&read_posts(file)?).await
    }

    /// The same with the file's content.
    ///
    /// # Errors
    /// As [`App::import_review`].
    pub async fn import_review_of(&self, bytes: &[u8]) -> AppResult<ReviewImport> {
        Ok(import_review(&self.store()?, bytes, self.clock().now()).await?)
    }

    /// Decides about drafts, each by itself: what came of each, in their order.
    ///
    /// # Errors
    /// What the store reports; what is wrong with one decision is in its answer.
    pub async fn decide(&self, decisions: &[Decision]) -> AppResult<Vec<DecidedView>> {
        let mut decided = Vec::with_capacity(decisions.len());
        for decision in decisions {
            // What others own is not there.
            let done = match self.draft(&decision.draft).await {
                Ok(_) => self.decide_one(decision).await,
                Err(error) => Err(error),
            };
            let draft = self.draft(&decision.draft).await.ok();
            decided.push(match done {
                Ok(true) => DecidedView { id: decision.draft.clone(), decided: true, problem: None, draft },
                Ok(false) => {
                    let changed = AppError::new(code!("draft-changed"), "somebody else has decided about it since")
                        .hint("look at what it is now");
                    DecidedView::refused(&decision.draft, &changed, draft)
                }
                Err(error) if matches!(error.class(), ErrorClass::LocalState | ErrorClass::Defect) => {
                    return Err(error);
                }
                Err(error) => DecidedView::refused(&decision.draft, &error, draft),
            });
        }
        Ok(decided)
    }

    async fn decide_one(&self, decision: &Decision) -> AppResult<bool> {
        let text = decision.text.as_deref().map(str::trim);
        if text.is_some_and(str::is_empty) {
            return Err(AppError::new(code!("draft-empty"), "a draft can't be empty").hint("reject it instead"));
        }
        let seen = decision.version.as_deref().map(|version| {
            let micros = version.parse().map_err(|_| {
                AppError::new(code!("request-invalid"), format!("'{}' is no version", excerpt(version, 40)))
            })?;
            AppResult::Ok(Timestamp::from_micros(micros))
        });
        let to = decision.to.map(|to| (to, decision.reason.clone()));
        let (store, now) = (self.store()?, self.clock().now());
        Ok(store.decide_draft(&decision.draft, seen.transpose()?, text, to, now).await?)
    }

    /// A page of drafts.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn drafts(&self, filter: &DraftFilter) -> AppResult<DraftListView> {
        let rows = self.store()?.drafts(filter).await?;
        let next = rows.last().filter(|_| rows.len() == filter.limit).map(|row| row.cursor().to_string());
        Ok(DraftListView { drafts: rows.into_iter().map(DraftView::from).collect(), next })
    }
}

/// The error, by the name of an interruption if that is what it comes of.
fn interrupted(error: RepliesError, stop: &Stop) -> AppError {
    match error {
        RepliesError::EmbedStopped { reason: NoAnswer::Interrupted, .. } if stop.is_requested() => {
            let message = "interrupted while posts were compared with the topics";
            AppError::new(code!("interrupted"), message).hint("run it again: what was embedded is kept")
        }
        error => error.into(),
    }
}

/// The status of a draft that has this name.
///
/// # Errors
/// `bad-status`, with those there are.
pub fn draft_status(name: &str) -> AppResult<DraftStatus> {
    DraftStatus::from_name(name).ok_or_else(|| {
        let all: Vec<&str> = DraftStatus::ALL.iter().map(|status| status.name()).collect();
        let shown = excerpt(name, 40);
        AppError::new(code!("bad-status"), format!("'{shown}' is not a status of a draft"))
            .hint(format!("write one of {}", all.join(", ")))
    })
}

/// The name of a label, if it is one.
///
/// # Errors
/// `bad-label`.
pub fn label(name: &str) -> AppResult<String> {
    if ["green", "yellow", "red"].contains(&name) {
        return Ok(name.to_owned());
    }
    let shown = excerpt(name, 40);
    Err(AppError::new(code!("bad-label"), format!("'{shown}' is not a label")).hint("write green, yellow or red"))
}
