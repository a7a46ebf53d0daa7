//! Texts and pictures to vectors by a provider's model: asked for by jobs, kept by the hash of what they are made of.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atelier_embed::{Calibration, EmbedTask, EmbedderId, NoAnswer, Vector};
use atelier_engine::{JobId, JournalError, RunEnd, Stop, Urgency, Usd};
use atelier_store::objects::ObjectKey;
use atelier_store::{JobState, Lease, NewItem, NewJob, StoreError};
use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::app::App;
use crate::embedders::{REMOTE_DIMENSIONS, embedder_id};
use crate::error::{AppError, AppResult};
use crate::job::JobSettings;
use crate::kinds::embeddings::{EmbeddingSettings, EmbeddingsJob};
use crate::pools::Pools;
use crate::run::{RunChange, RunSettings};

/// How long a query is waited for: a search without its vector is better than none.
const PATIENCE: Duration = Duration::from_secs(10);
/// What jobs are for that make the vectors of a query.
const QUERY: &str = "a query";

/// A model that embeds texts and pictures, asked through the engine: its calls keep to the model's quota, survive a
/// crash, and what was answered once is not paid for again.
pub(crate) struct RemoteEmbedder {
    app: App,
    run: RunSettings,
    /// Kept, so that one job after another finds its connections open.
    _pools: Arc<Pools>,
    id: EmbedderId,
    calibration: Calibration,
    /// What is embedded, in a word: jobs say so.
    of: &'static str,
    stop: Stop,
    /// What its jobs have cost so far: all of them share one budget.
    spent: Mutex<Usd>,
    /// Set once the answers of jobs that were cut off are taken over.
    taken_over: OnceCell<()>,
}

/// What a vector is asked for.
pub(crate) struct ToEmbed {
    /// The hash of what it is made of: the vector is kept under it.
    pub(crate) hash: String,
    pub(crate) payload: Arc<str>,
}

/// Vectors that could not be had.
#[derive(Debug)]
pub(crate) struct Unembedded {
    /// How many.
    pub(crate) missing: usize,
    /// Of how many.
    pub(crate) asked: usize,
    /// Why the work ended early; none if it came to its end and some could not be embedded.
    pub(crate) cause: Option<NoAnswer>,
    /// The reason in plain words.
    pub(crate) reason: String,
}

impl RemoteEmbedder {
    /// Connects the model that `run` names.
    pub(crate) async fn open(app: &App, run: &RunSettings, of: &'static str, stop: Stop) -> AppResult<Self> {
        let pools = Pools::open(app, run).await?;
        pools.check_budget(run)?;
        Ok(Self {
            app: app.clone(),
            run: run.clone(),
            id: embedder_id(pools.model())?,
            _pools: pools,
            calibration: Calibration::gemini(),
            of,
            stop,
            spent: Mutex::default(),
            taken_over: OnceCell::new(),
        })
    }

    pub(crate) const fn id(&self) -> &EmbedderId {
        &self.id
    }

    pub(crate) const fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// What its jobs have cost.
    pub(crate) fn spent(&self) -> Usd {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A vector for each, in their order. `pictures` are the files that some of them name, by their hashes.
    pub(crate) async fn vectors(
        &self,
        asked: Vec<ToEmbed>,
        pictures: HashMap<String, Bytes>,
    ) -> Result<Vec<Vector>, Unembedded> {
        let failed = |error: AppError| Unembedded::whole(&asked, &error);
        self.taken_over.get_or_try_init(|| self.take_over(self.of)).await.map_err(failed)?;
        self.keep_pictures(pictures).await.map_err(failed)?;
        self.ask(asked, Urgency::Batch, self.of).await
    }

    /// The vector of a query, for which nobody waits longer than a moment.
    pub(crate) async fn query(&self, asked: Vec<ToEmbed>) -> Result<Vec<Vector>, Unembedded> {
        let count = asked.len();
        let slow = || Unembedded {
            missing: count,
            asked: count,
            cause: Some(NoAnswer::Slow),
            reason: format!("there was no answer within {} s", PATIENCE.as_secs()),
        };
        let answered = tokio::time::timeout(PATIENCE, self.ask(asked, Urgency::Interactive, QUERY)).await;
        let answered = answered.unwrap_or_else(|_| Err(slow()));
        if answered.is_err() {
            // Nobody waits any more for what was not answered.
            if let Err(error) = self.take_over(QUERY).await {
                tracing::debug!(code = error.code(), "a query could not be given up: {}", error.message());
            }
        }
        answered
    }

    async fn ask(&self, asked: Vec<ToEmbed>, urgency: Urgency, of: &str) -> Result<Vec<Vector>, Unembedded> {
        let hashes: Vec<String> = asked.iter().map(|asked| asked.hash.clone()).collect();
        let known = self.known(&hashes).await.map_err(|error| Unembedded::whole(&asked, &error))?;
        let mut missing: Vec<&ToEmbed> = asked.iter().filter(|asked| !known.contains_key(&asked.hash)).collect();
        missing.sort_by(|a, b| a.hash.cmp(&b.hash));
        missing.dedup_by(|a, b| a.hash == b.hash);
        if missing.is_empty() {
            return Ok(hashes.iter().filter_map(|hash| known.get(hash).cloned()).collect());
        }
        let job = self.submit(&missing, urgency, of).await.map_err(|error| Unembedded::whole(&asked, &error))?;
        let worked = Box::pin(self.app.work(&job, &RunChange::default(), self.stop.clone(), &mut |_| {})).await;
        // Whatever came of it, it was paid for.
        if let Ok(record) = self.app.job(&job).await {
            *self.spent.lock().unwrap_or_else(PoisonError::into_inner) += record.totals.cost;
        }
        let known = self.known(&hashes).await.map_err(|error| Unembedded::whole(&asked, &error))?;
        let vectors: Vec<Vector> = hashes.iter().filter_map(|hash| known.get(hash).cloned()).collect();
        if vectors.len() == hashes.len() {
            return Ok(vectors);
        }
        let lacking = missing.iter().filter(|asked| !known.contains_key(&asked.hash)).count();
        let (cause, reason) = match worked {
            Ok(worked) => match why(&worked.end) {
                Some((cause, reason)) => (Some(cause), reason),
                None => (None, self.problem(&job).await),
            },
            Err(error) => (Some(error.no_answer()), error.message().to_owned()),
        };
        Err(Unembedded { missing: lacking, asked: missing.len(), cause, reason })
    }

    async fn known(&self, hashes: &[String]) -> AppResult<HashMap<String, Vector>> {
        let kept = self.app.store()?.vectors(self.id.as_str(), hashes).await?;
        // A damaged vector is no reason to fail: it is made again.
        let whole = kept.into_iter().filter_map(|(hash, bytes)| Some((hash, Vector::from_bytes(&bytes).ok()?)));
        Ok(whole.collect())
    }

    /// Pictures are kept until their job is over: it can be resumed by whoever finds it.
    async fn keep_pictures(&self, pictures: HashMap<String, Bytes>) -> AppResult<()> {
        let objects: Vec<(ObjectKey, Bytes)> =
            pictures.into_iter().filter_map(|(hash, file)| Some((ObjectKey::embedding(&hash)?, file))).collect();
        if objects.is_empty() {
            return Ok(());
        }
        let library = self.app.library()?;
        let _guard = library.store().share_objects().await?;
        Ok(library.objects().put(objects).await?)
    }

    /// The job that asks for these, by which it is called: cut off and asked for again, it goes on, and what failed is
    /// tried again. Queries are asked once, and by several at the same time.
    async fn submit(&self, missing: &[&ToEmbed], urgency: Urgency, of: &str) -> AppResult<JobId> {
        let (store, now) = (self.app.store()?, self.app.clock().now());
        let mut name = blake3::Hasher::new();
        name.update(self.id.as_str().as_bytes());
        for asked in missing {
            name.update(asked.hash.as_bytes());
        }
        if urgency == Urgency::Interactive {
            name.update(&now.as_micros().to_le_bytes());
            name.update(&fastrand::u64(..).to_le_bytes());
        }
        let base = format!("embed-{}", &name.finalize().to_hex()[..16]);
        let interactive = urgency == Urgency::Interactive || self.run.interactive;
        let run = RunSettings { interactive, also_spent: self.spent(), ..self.run.clone() };
        let settings = JobSettings::new(run, self.settings(of)).to_json();
        for number in 1_u32.. {
            let id: JobId = if number == 1 { base.as_str().into() } else { format!("{base}-{number}").into() };
            match store.job(&id).await? {
                // Somebody gave that one up. What is asked for now is another matter.
                Some(job) if job.state == JobState::Cancelled => {}
                Some(_) => {
                    let lease = store.lease(&id).await?;
                    // It goes on under the limits and the budget of whoever asks now.
                    store.set_job_settings(&id, &settings).await?;
                    store.reopen(&id, &["failed"], now).await?;
                    lease.release().await?;
                    return Ok(id);
                }
                None => {
                    let items = missing.iter().map(|asked| NewItem {
                        key: asked.hash.clone(),
                        lane: "embedding".into(),
                        payload: Arc::clone(&asked.payload),
                    });
                    let job = NewJob {
                        id: Arc::clone(&id),
                        kind: EmbeddingsJob::NAME.to_owned(),
                        settings,
                        items: items.collect(),
                        claims: Vec::new(),
                        created_at: now,
                    };
                    store.create_job(job).await?;
                    return Ok(id);
                }
            }
        }
        unreachable!("there is a number for every job")
    }

    fn settings(&self, of: &str) -> EmbeddingSettings {
        EmbeddingSettings { embedder: self.id.to_string(), dimensions: REMOTE_DIMENSIONS, of: Some(of.to_owned()) }
    }

    /// Keeps what jobs were answered that were cut off, and gives them up: what they asked for has changed since, or is
    /// asked for together with other things now.
    async fn take_over(&self, of: &str) -> AppResult<()> {
        for (job, lease) in self.cut_off(of).await? {
            let answered = self.app.apply_outcomes(&job).await?;
            if answered > 0 || of == QUERY {
                let note = "cut off; what was answered is kept, and another job asks for the rest";
                self.app.store()?.cancel_job(&job, note, self.app.clock().now()).await?;
            }
            lease.release().await?;
        }
        Ok(())
    }

    /// The jobs of this embedder that are not over and that nobody works on, leased from now on.
    async fn cut_off(&self, of: &str) -> AppResult<Vec<(JobId, Lease)>> {
        let store = self.app.store()?;
        let mut leased = Vec::new();
        // A query that was submitted just now is about to be worked on.
        let before = self.app.clock().now().before(if of == QUERY { PATIENCE } else { Duration::ZERO });
        for job in store.unfinished_jobs(EmbeddingsJob::NAME).await? {
            let ours = JobSettings::<EmbeddingSettings>::of(&job)
                .is_ok_and(|settings| settings.work.embedder == self.id.as_str() && settings.work.of() == of);
            if !ours || job.state == JobState::Cancelled || job.created_at > before {
                continue;
            }
            match store.lease(&job.id).await {
                Ok(lease) => leased.push((job.id, lease)),
                Err(StoreError::Leased { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(leased)
    }

    /// The first reason why something was not embedded although its job is done.
    async fn problem(&self, job: &str) -> String {
        let unreadable = || "the answers can't be read".to_owned();
        let Ok(store) = self.app.store() else { return unreadable() };
        let outcomes = store.all_outcomes(job).await.unwrap_or_default();
        let problem = outcomes.into_iter().find_map(|outcome| match outcome.verdict {
            atelier_engine::Verdict::Blocked { reason } => Some(reason),
            atelier_engine::Verdict::Failed { message, .. } => Some(message),
            atelier_engine::Verdict::Done { .. } => None,
        });
        problem.unwrap_or_else(unreadable)
    }
}

impl Unembedded {
    fn whole(asked: &[ToEmbed], error: &AppError) -> Self {
        let reason = error.message().to_owned();
        Self { missing: asked.len(), asked: asked.len(), cause: Some(error.no_answer()), reason }
    }
}

impl AppError {
    /// The same, as an embedder says why it did not answer.
    fn no_answer(&self) -> NoAnswer {
        NoAnswer::Journal(JournalError {
            code: self.code(),
            message: self.message().to_owned(),
            hint: "see to that and run it again: what was embedded is kept",
        })
    }
}

/// Why a run ended before all was asked for, if it did.
fn why(end: &RunEnd) -> Option<(NoAnswer, String)> {
    match end {
        RunEnd::Done => None,
        RunEnd::Parked { until, .. } => {
            Some((NoAnswer::Parked, format!("the model's limit for the day is used up until {until}")))
        }
        RunEnd::OverBudget => Some((NoAnswer::OverBudget, "the maximum cost is reached".to_owned())),
        RunEnd::Interrupted => Some((NoAnswer::Interrupted, "it was interrupted".to_owned())),
        RunEnd::Closed(fault) | RunEnd::GaveUp(fault) => Some((NoAnswer::Fault(fault.kind), fault.message.clone())),
        RunEnd::LeaseLost => Some((NoAnswer::Interrupted, "another process has taken it over".to_owned())),
    }
}

/// The hash under which the vector of these bytes is kept.
pub(crate) fn hash_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// What is asked for the vector of a text.
impl From<&str> for ToEmbed {
    fn from(text: &str) -> Self {
        Self { hash: hash_of(text.as_bytes()), payload: EmbedTask::text(text) }
    }
}
