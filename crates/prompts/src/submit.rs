//! From a file of prompts to a job, and to the same job again.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use atelier_engine::{JobId, Timestamp};
use atelier_store::{JobRecord, JobState, NewItem, NewJob, Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::LANE;
use crate::error::{PromptsError, PromptsResult};
use crate::input::{Survey, each_line};
use crate::task::PromptDefaults;

/// The kind under which these jobs are stored.
pub const JOB_KIND: &str = "prompts";
/// So many lines are stored together, or fewer that have so many bytes.
const CHUNK: usize = 10_000;
const CHUNK_BYTES: usize = 4 << 20;

/// What a job of prompts keeps of its own, beside how it is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptSettings {
    /// The file of prompts.
    pub input: PathBuf,
    /// Where the answers go; `-` for stdout.
    pub out: PathBuf,
    /// Whether they keep the order of the prompts.
    pub ordered: bool,
    /// What is known of the input.
    pub survey: Survey,
    /// What is asked for beside each prompt.
    #[serde(default, skip_serializing_if = "PromptDefaults::is_empty")]
    pub defaults: PromptDefaults,
}

/// The job that an input and an output belong to.
#[derive(Clone, Debug)]
pub enum Beginning {
    /// It was made just now.
    New(JobId),
    /// It was begun before, and can go on.
    Known(Box<JobRecord>),
}

/// The parts of a stored job's settings that matter here.
#[derive(Deserialize)]
struct Stored {
    model: String,
    #[serde(flatten)]
    own: PromptSettings,
}

/// The job that this input and this output belong to, if there is one that can go on with them; else a new one, which
/// keeps `stored`. Nothing of the input is in a new job yet: see [`ingest`].
///
/// # Errors
/// [`PromptsError::InputChanged`], [`PromptsError::ModelChanged`] and [`PromptsError::OutputExists`] where what is there
/// does not go with what is asked for; what the store reports.
pub async fn find_or_create(
    store: &Store,
    model: &str,
    settings: &PromptSettings,
    stored: &Value,
    now: Timestamp,
) -> PromptsResult<Beginning> {
    let base = blake3::hash(format!("{}\n{}", settings.input.display(), settings.out.display()).as_bytes());
    let base = format!("run-{}", &base.to_hex()[..10]);
    let mut number = 1_u64;
    loop {
        let id = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        let Some(record) = store.job(&id).await? else {
            refuse_to_overwrite(&settings.out)?;
            let id: JobId = id.into();
            let job = NewJob {
                id: Arc::clone(&id),
                kind: JOB_KIND.to_owned(),
                settings: stored.clone(),
                items: Vec::new(),
                claims: Vec::new(),
                created_at: now,
            };
            store.create_job(job).await?;
            return Ok(Beginning::New(id));
        };
        let before: Stored = serde_json::from_value(record.settings.clone())
            .map_err(|error| PromptsError::Settings { job: id.clone(), message: error.to_string() })?;
        if before.own.survey == settings.survey && record.state != JobState::Cancelled {
            if before.model != model {
                let (before, now) = (before.model, model.to_owned());
                return Err(PromptsError::ModelChanged { job: id, before, now });
            }
            if before.own.defaults != settings.defaults {
                return Err(PromptsError::DefaultsChanged { job: id });
            }
            return Ok(Beginning::Known(Box::new(record)));
        }
        if !record.state.is_over() {
            return Err(PromptsError::InputChanged { input: settings.input.clone(), job: id });
        }
        // That job is over, and its answers are of another input: they are in the way.
        number += 1;
    }
}

fn refuse_to_overwrite(out: &Path) -> PromptsResult<()> {
    if out != Path::new("-") && out.metadata().is_ok_and(|file| file.len() > 0) {
        return Err(PromptsError::OutputExists(out.to_owned()));
    }
    Ok(())
}

/// Stores the lines of a job that are not stored yet. Nothing is sent before all of them are.
///
/// # Errors
/// As [`survey`](crate::survey), and what the store reports.
pub async fn ingest(store: &Store, job: &JobId, settings: &PromptSettings) -> PromptsResult<()> {
    let missing = || StoreError::NoSuchJob { job: job.to_string() };
    let stored = store.job(job).await?.ok_or_else(missing)?.counts.items;
    if stored >= settings.survey.lines {
        return Ok(());
    }
    let (send, mut receive) = tokio::sync::mpsc::channel::<Vec<NewItem>>(1);
    let path = settings.input.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let (mut chunk, mut bytes, mut seen) = (Vec::new(), 0, 0);
        let hand_over = |chunk: &mut Vec<NewItem>| send.blocking_send(std::mem::take(chunk)).is_ok();
        each_line(&path, |_, _, line| {
            seen += 1;
            if seen > stored {
                let payload: Arc<str> = serde_json::to_string(&line).unwrap_or_default().into();
                bytes += payload.len();
                chunk.push(NewItem { key: line.id, lane: LANE.into(), payload });
            }
            if chunk.len() == CHUNK || bytes > CHUNK_BYTES {
                bytes = 0;
                // Whoever stores them has failed, and says why.
                if !hand_over(&mut chunk) {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        hand_over(&mut chunk);
        Ok::<_, PromptsError>(())
    });
    while let Some(chunk) = receive.recv().await {
        store.add_items(job, chunk).await?;
    }
    reading.await.map_err(|error| PromptsError::Thread(error.to_string()))?
}
