//! What a job keeps: everything that it takes to go on with it.

use atelier_store::JobRecord;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{AppError, AppResult};
use crate::run::RunSettings;

/// The version that is written. Version 1 said nothing of itself, and for images and embeddings nothing of how they are
/// run.
const VERSION: u32 = 2;
/// Characters of a title.
const TITLE: usize = 120;

/// A job's settings: how it is run, which is the same for all kinds, and what is its kind's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSettings<W> {
    /// The version that they were written in.
    pub version: u32,
    /// The model, as the user calls it; also in `run`, and here for whoever looks at many jobs.
    pub model: String,
    /// What it is about, in a line, for whoever looks at many jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How it is run.
    pub run: RunSettings,
    /// What is the kind's own.
    #[serde(flatten)]
    pub work: W,
}

impl<W: Serialize + DeserializeOwned> JobSettings<W> {
    /// The settings of a new job.
    pub fn new(run: RunSettings, work: W) -> Self {
        Self { version: VERSION, model: run.model.clone(), title: None, run, work }
    }

    /// The same with what it is about: the first line of the text, as far as one can take it in.
    #[must_use]
    pub fn titled(self, text: &str) -> Self {
        let line = text.trim().lines().next().unwrap_or_default();
        let short: String = line.chars().take(TITLE).collect();
        let title = if short.len() < line.len() { format!("{short}…") } else { short };
        Self { title: Some(title).filter(|title| !title.is_empty()), ..self }
    }

    /// The settings of a stored job, whatever version they were written in.
    ///
    /// # Errors
    /// `job-settings-unreadable`.
    pub fn of(job: &JobRecord) -> AppResult<Self> {
        serde_json::from_value(upgraded(job)?).map_err(|error| unreadable(job, &error.to_string()))
    }

    /// As they are stored.
    pub fn to_json(&self) -> Value {
        // Texts, numbers and lists of them can't fail to become JSON.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// How a stored job is run.
pub(crate) fn run_of(job: &JobRecord) -> AppResult<RunSettings> {
    JobSettings::<Map<String, Value>>::of(job).map(|settings| settings.run)
}

/// What a stored job is about.
pub(crate) fn title_of(job: &JobRecord) -> Option<String> {
    JobSettings::<Map<String, Value>>::of(job).ok()?.title
}

/// The models that answer a job, the first of which names it.
pub(crate) fn models_of(job: &JobRecord) -> AppResult<Vec<String>> {
    #[derive(Serialize, Deserialize)]
    struct Models {
        #[serde(default)]
        models: Vec<String>,
    }
    let settings = JobSettings::<Models>::of(job)?;
    Ok(if settings.work.models.is_empty() { vec![settings.model] } else { settings.work.models })
}

/// A job's settings with others in the place of how it is run.
pub(crate) fn with_run(job: &JobRecord, run: RunSettings) -> AppResult<Value> {
    let settings = JobSettings::<Map<String, Value>>::of(job)?;
    Ok(JobSettings { run, ..settings }.to_json())
}

fn unreadable(job: &JobRecord, reason: &str) -> AppError {
    let message = format!("the settings of job {} can't be read: {reason}", job.id);
    AppError::new(code!("job-settings-unreadable"), message).hint("resume it with the version that made it")
}

/// The settings in the form of [`VERSION`].
fn upgraded(job: &JobRecord) -> AppResult<Value> {
    let Value::Object(mut fields) = job.settings.clone() else { return Err(unreadable(job, "they are no object")) };
    let version = fields.get("version").map_or(Some(1), Value::as_u64);
    match version {
        Some(1) => {}
        Some(version) if version == u64::from(VERSION) => return Ok(Value::Object(fields)),
        _ => return Err(unreadable(job, "a newer version wrote them")),
    }
    if !fields.contains_key("model") {
        // An embedder is named after its model: `gemini-gemini-embedding-2/768`.
        let embedder = fields.get("embedder").and_then(Value::as_str).unwrap_or_default();
        let model = embedder.split('/').next().unwrap_or_default().replacen('-', ":", 1);
        fields.insert("model".into(), model.into());
    }
    if !fields.contains_key("run") {
        let model = fields.get("model").and_then(Value::as_str).unwrap_or_default();
        let run = serde_json::to_value(RunSettings::of(model)).map_err(|error| unreadable(job, &error.to_string()))?;
        fields.insert("run".into(), run);
    }
    fields.insert("version".into(), VERSION.into());
    Ok(Value::Object(fields))
}
