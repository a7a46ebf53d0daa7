//! An embedder behind a provider, for words and for pictures: one space of meaning for both.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atelier_embed::{
    Calibration, EmbedError, EmbedTask, EmbedderId, Look, LookEmbedder, Picture, TextEmbedder, Vector,
};
use atelier_engine::{ImageData, JobId, Urgency, Verdict};
use atelier_store::{Hold, JobRunner, JobState, NewItem, NewJob, OutcomeRecord, StoreError, StoreResult};
use image::codecs::jpeg::JpegEncoder;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

/// What these jobs are called, as those that embed posts are.
const JOB_KIND: &str = "embedding";
/// How many texts, and how many pictures, are asked for together: enough for a few full calls, few enough to be
/// held in memory.
const TEXTS: usize = 2_000;
const PICTURES: usize = 256;
/// How long a query is waited for: a search without its vector is better than none.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pictures are sent as JPEG of this quality: embedders scale them down further.
const QUALITY: u8 = 90;

/// A model that embeds texts and pictures, asked through the engine: its calls keep to the model's quota, survive
/// a crash, and what was answered once is not paid for again.
///
/// It waits for answers where it is called, which is on a thread for blocking work.
pub struct RemoteEmbedder {
    runner: JobRunner,
    id: EmbedderId,
    dimensions: u32,
    calibration: Calibration,
    runtime: Handle,
    /// Set once the answers of jobs that were cut off are taken over.
    taken_over: OnceCell<()>,
}

impl fmt::Debug for RemoteEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteEmbedder").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a vector is asked for.
struct Asked {
    /// The hash of what it is made of.
    hash: String,
    payload: Arc<str>,
}

impl RemoteEmbedder {
    /// An embedder whose vectors have so many `dimensions`, which its `id` says too. `calibration` is that of
    /// texts against texts; of texts against pictures none is known.
    #[must_use]
    pub fn new(runner: JobRunner, id: EmbedderId, dimensions: u32, calibration: Calibration, runtime: Handle) -> Self {
        Self { runner, id, dimensions, calibration, runtime, taken_over: OnceCell::new() }
    }

    fn texts(&self, texts: &[String], urgency: Urgency) -> Result<Vec<Vector>, EmbedError> {
        let asked = |text: &String| Asked { hash: hash(text.as_bytes()), payload: EmbedTask::text(text) };
        let vectors = self.vectors(texts.iter().map(asked).collect(), HashMap::new(), urgency);
        self.runtime.block_on(async {
            if urgency == Urgency::Batch {
                return vectors.await;
            }
            let slow = || {
                let reason = format!("there was no answer within {} s", PATIENCE.as_secs());
                Err(EmbedError::Remote { code: "embedder-slow", reason })
            };
            let asked = tokio::time::timeout(PATIENCE, vectors).await.unwrap_or_else(|_| slow());
            if asked.is_err() {
                self.give_up().await.map_err(|error| remote(&error))?;
            }
            asked
        })
    }

    /// A vector for each. They are kept under the hashes, so that none is paid for twice, whatever is asked for
    /// together with it another time.
    async fn vectors(
        &self,
        asked: Vec<Asked>,
        pictures: HashMap<String, ImageData>,
        urgency: Urgency,
    ) -> Result<Vec<Vector>, EmbedError> {
        let store = &self.runner.store;
        if urgency == Urgency::Batch {
            self.taken_over.get_or_try_init(|| self.take_over()).await.map_err(|error| remote(&error))?;
        }
        let mut hashes: Vec<String> = asked.iter().map(|asked| asked.hash.clone()).collect();
        let kept = store.vectors(self.id.as_str(), &hashes).await.map_err(|error| remote(&error))?;
        let mut known: HashMap<String, Vector> = kept
            .into_iter()
            // A damaged vector is no reason to fail: it is made again.
            .filter_map(|(hash, bytes)| Some((hash, Vector::from_bytes(&bytes).ok()?)))
            .collect();
        let mut missing: Vec<Asked> = asked.into_iter().filter(|asked| !known.contains_key(&asked.hash)).collect();
        missing.sort_by(|a, b| a.hash.cmp(&b.hash));
        missing.dedup_by(|a, b| a.hash == b.hash);
        if !missing.is_empty() {
            let task = EmbedTask { dimensions: self.dimensions, pictures: Arc::new(pictures) };
            let mut runner = self.runner.clone();
            runner.options.urgency = urgency;
            let ran =
                runner.answers(self.job(&missing, urgency), Arc::new(task)).await.map_err(|error| remote(&error))?;
            let vectors = ran.answers.results().map(|result| result.and_then(EmbedTask::vector));
            let made: Vec<(String, Vector)> =
                missing.iter().zip(vectors).filter_map(|(asked, vector)| Some((asked.hash.clone(), vector?))).collect();
            let failed = missing.len() - made.len();
            let rows = made.iter().map(|(hash, vector)| (hash.clone(), vector.to_bytes())).collect();
            store.put_vectors(self.id.as_str(), rows).await.map_err(|error| remote(&error))?;
            // Only now: what a job that is not over was answered is taken over.
            let answers = ran.ended().await.map_err(|error| remote(&error))?;
            if failed > 0 {
                let (asked, problem) = (missing.len(), answers.problem().unwrap_or("the answers can't be read"));
                return Err(match answers.stopped() {
                    Some((code, reason)) => EmbedError::Remote { code, reason },
                    None => EmbedError::Incomplete { failed, asked, reason: problem.to_owned() },
                });
            }
            known.extend(made);
        }
        hashes.drain(..).map(|hash| known.get(&hash).cloned().ok_or(EmbedError::EmptyVector)).collect()
    }

    /// Keeps what jobs were answered that were cut off. Their images have changed since, or others have come, so that
    /// none of them may be asked for again as it was.
    async fn take_over(&self) -> StoreResult<()> {
        let store = &self.runner.store;
        for (job, _hold) in self.cut_off(Urgency::Batch).await? {
            let vector = |outcome: OutcomeRecord| match outcome.verdict {
                Verdict::Done { result } => Some((outcome.key, EmbedTask::vector(&result)?.to_bytes())),
                Verdict::Blocked { .. } | Verdict::Failed { .. } => None,
            };
            let kept: Vec<_> = store.all_outcomes(&job).await?.into_iter().filter_map(vector).collect();
            if !kept.is_empty() {
                store.put_vectors(self.id.as_str(), kept).await?;
                self.cancel(&job, "cut off; what was answered is kept, and another job asks for the rest").await?;
            }
        }
        Ok(())
    }

    /// Nobody waits any more for queries that were not answered.
    async fn give_up(&self) -> StoreResult<()> {
        for (job, _hold) in self.cut_off(Urgency::Interactive).await? {
            self.cancel(&job, "nobody waits for it any more").await?;
        }
        Ok(())
    }

    /// The jobs of this embedder that are not over and that nobody works on, held from now on.
    async fn cut_off(&self, urgency: Urgency) -> StoreResult<Vec<(JobId, Hold)>> {
        let (store, settings) = (&self.runner.store, self.settings(urgency));
        let mut held = Vec::new();
        for job in store.unfinished_jobs(JOB_KIND).await?.into_iter().filter(|job| job.settings == settings) {
            match store.hold(&job.id) {
                Ok(hold) => held.push((job.id, hold)),
                Err(StoreError::Held { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(held)
    }

    async fn cancel(&self, job: &JobId, note: &str) -> StoreResult<()> {
        let JobRunner { store, clock, .. } = &self.runner;
        store.set_job_state(job, JobState::Cancelled, Some(note.to_owned()), None, clock.now()).await
    }

    /// What these jobs are submitted with.
    fn settings(&self, urgency: Urgency) -> serde_json::Value {
        let of = if urgency == Urgency::Interactive { "a query" } else { "images" };
        serde_json::json!({ "embedder": self.id, "dimensions": self.dimensions, "of": of })
    }

    /// The job of these, by which it is called: cut off and run again, it goes on. Queries are asked once, and by
    /// several at the same time.
    fn job(&self, asked: &[Asked], urgency: Urgency) -> NewJob {
        let now = self.runner.clock.now();
        let mut name = blake3::Hasher::new();
        name.update(self.id.as_str().as_bytes());
        for asked in asked {
            name.update(asked.hash.as_bytes());
        }
        if urgency == Urgency::Interactive {
            name.update(&now.as_micros().to_le_bytes());
            name.update(&fastrand::u64(..).to_le_bytes());
        }
        let item = |asked: &Asked| NewItem {
            key: asked.hash.clone(),
            lane: "embedding".into(),
            payload: Arc::clone(&asked.payload),
        };
        NewJob {
            id: format!("embed-{}", &name.finalize().to_hex()[..16]).into(),
            kind: JOB_KIND.into(),
            settings: self.settings(urgency),
            items: asked.iter().map(item).collect(),
            claims: Vec::new(),
            created_at: now,
        }
    }
}

impl TextEmbedder for RemoteEmbedder {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        self.dimensions as usize
    }

    fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        self.texts(texts, Urgency::Batch)
    }

    fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    fn batch(&self) -> usize {
        TEXTS
    }
}

impl LookEmbedder for RemoteEmbedder {
    fn id(&self) -> &EmbedderId {
        &self.id
    }

    fn meaning_dimensions(&self) -> usize {
        self.dimensions as usize
    }

    fn appearance_dimensions(&self) -> usize {
        self.dimensions as usize
    }

    fn look(&self, pictures: &[Picture]) -> Result<Vec<Look>, EmbedError> {
        let mut files = HashMap::with_capacity(pictures.len());
        let mut asked = Vec::with_capacity(pictures.len());
        for picture in pictures {
            let file = jpeg(picture)?;
            let hash = hash(&file);
            let payload = EmbedTask::picture(&hash);
            files.insert(hash.clone(), ImageData { mime: "image/jpeg".into(), bytes: file.into() });
            asked.push(Asked { hash, payload });
        }
        let vectors = self.runtime.block_on(self.vectors(asked, files, Urgency::Batch))?;
        Ok(vectors.into_iter().map(|vector| Look { meaning: vector.clone(), appearance: vector }).collect())
    }

    fn query_id(&self) -> &EmbedderId {
        &self.id
    }

    fn query(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        self.texts(texts, Urgency::Interactive)
    }

    fn calibration(&self) -> Option<&Calibration> {
        None
    }

    fn batch(&self) -> usize {
        PICTURES
    }
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn jpeg(picture: &Picture) -> Result<Vec<u8>, EmbedError> {
    let mut file = Vec::new();
    let encoded = JpegEncoder::new_with_quality(&mut file, QUALITY).encode(
        picture.rgb(),
        picture.width(),
        picture.height(),
        image::ExtendedColorType::Rgb8,
    );
    encoded.map_err(|error| EmbedError::Inference(format!("a picture can't be sent: {error}")))?;
    Ok(file)
}

/// What the store says of an embedder's work.
fn remote(error: &StoreError) -> EmbedError {
    EmbedError::Remote { code: error.code(), reason: error.to_string() }
}
