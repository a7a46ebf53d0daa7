//! Files of prompts, as one is asked for them: what they would take, and the job that answers them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use atelier_engine::{Job, JobId, Usd};
use atelier_prompts::{
    Beginning, Form, PromptDefaults, PromptSettings, PromptsError, Survey, find_or_create, ingest, sample, survey,
};
use atelier_providers::ModelRef;

use crate::accounts::random_id;
use crate::app::App;
use crate::error::{AppError, AppResult};
use crate::files::{absolute, create_folder};
use crate::job::JobSettings;
use crate::kinds::prompts::task_of;
use crate::pools::{Intent, Pools};
use crate::run::{RunChange, RunSettings};
use crate::views::PromptsForecastView;

/// Answers where neither the user nor the configuration names a model.
const DEFAULT_MODEL: &str = "gemini:gemini-3.5-flash-lite";
/// Lines that a forecast is made from; what more there are is taken to be like them.
const FORECAST: usize = 5_000;

/// A file of prompts that was read through: nothing is sent before all of it is understood.
pub struct ReadPrompts {
    input: PathBuf,
    /// What the user calls it.
    name: String,
    survey: Survey,
    run: RunSettings,
    defaults: PromptDefaults,
    pools: Arc<Pools>,
}

/// The job that a file of prompts belongs to.
#[derive(Clone, Debug)]
pub struct SubmittedPrompts {
    /// The job.
    pub job: JobId,
    /// Lines that are answered already, and all of them, if the job was begun before.
    pub known: Option<(u64, u64)>,
}

impl ReadPrompts {
    /// The model that would answer.
    #[must_use]
    pub fn model(&self) -> &ModelRef {
        self.pools.model()
    }
}

impl App {
    /// Reads a file of prompts through, or stdin for `-`, which is kept in a file of its own.
    ///
    /// # Errors
    /// A line that can't be understood; a model that does not take the file's form; a missing key; `defaults-unused`.
    pub async fn read_prompts(
        &self,
        file: &Path,
        said: &RunChange,
        defaults: PromptDefaults,
        intent: Intent,
    ) -> AppResult<ReadPrompts> {
        let model = said.model.clone().or_else(|| self.config().model.clone());
        let run = RunSettings::new(&model.unwrap_or_else(|| DEFAULT_MODEL.to_owned()), said);
        let pools = Pools::open_to(intent, self, &run).await?;
        let input = self.spooled(file)?;
        let path = input.clone();
        let read = tokio::task::spawn_blocking(move || survey(&path)).await;
        let survey = read.map_err(|error| AppError::new(code!("thread-ended"), error.to_string()))??;
        survey.form.check(pools.model())?;
        if survey.form != Form::Prompts && !defaults.is_empty() {
            let message = "the lines are bodies in a provider's own form, and are sent as they are";
            let hint = "leave the system text, temperature and cap out, or say them in each line";
            return Err(AppError::new(code!("defaults-unused"), message).hint(hint));
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(ReadPrompts { input, name, survey, run, defaults, pools })
    }

    /// The same with a file that was uploaded.
    ///
    /// # Errors
    /// `no-such-upload`, and as [`App::read_prompts`].
    pub async fn read_uploaded_prompts(
        &self,
        upload: &str,
        said: &RunChange,
        defaults: PromptDefaults,
        intent: Intent,
    ) -> AppResult<ReadPrompts> {
        let file = self.prompts_file(upload).await?;
        let name = self.upload(upload).await?.name;
        Ok(ReadPrompts { name, ..self.read_prompts(&file, said, defaults, intent).await? })
    }

    /// Submits a file that was uploaded; its answers are written where [`App::prompts_output`] says.
    ///
    /// # Errors
    /// As [`App::submit_prompts`].
    pub async fn submit_uploaded_prompts(&self, read: ReadPrompts, ordered: bool) -> AppResult<JobId> {
        let folder = self.data_dir().join("outputs");
        create_folder(&folder)?;
        let out = folder.join(format!("{}.jsonl", random_id("answers-")?));
        Ok(self.submit_prompts(read, &out, ordered).await?.job)
    }

    /// What answering would take.
    ///
    /// # Errors
    /// What the engine reports.
    pub async fn forecast_prompts(&self, read: &ReadPrompts) -> AppResult<PromptsForecastView> {
        let ReadPrompts { input, survey, run, defaults, pools, .. } = read;
        let items = sample(input, FORECAST)?;
        let job = Job {
            id: "forecast".into(),
            task: Arc::new(task_of(run, defaults)?),
            pools: pools.cold(),
            items: items.len() as u64,
            options: run.options(0, Usd::ZERO),
        };
        let forecast = self.engine()?.forecast(&job, &items).await?;
        let scale = survey.lines as f64 / items.len().max(1) as f64;
        let scaled = |number: u64| (number as f64 * scale).round() as u64;
        let money = |cost: Option<Usd>| cost.map(|cost| cost.as_dollars() * scale);
        Ok(PromptsForecastView {
            dry_run: true,
            model: pools.model().to_string(),
            lines: survey.lines,
            calls: scaled(forecast.calls),
            input_tokens: scaled(forecast.input_tokens),
            output_tokens: scaled(forecast.output_tokens),
            cost_usd: money(forecast.cost),
            worst_cost_usd: money(forecast.worst_cost),
            seconds: forecast.takes.map(|takes| takes.as_secs_f64() * scale),
        })
    }

    /// The job of this input and this output: a new one, or the one that they were begun with.
    ///
    /// # Errors
    /// `input-changed`, `model-changed`, `output-exists`; what the store reports.
    pub async fn submit_prompts(&self, read: ReadPrompts, out: &Path, ordered: bool) -> AppResult<SubmittedPrompts> {
        let ReadPrompts { input, name, survey, run, defaults, pools } = read;
        pools.check_budget(&run)?;
        let out = if out == Path::new("-") { out.to_owned() } else { absolute(out)? };
        // Before there is a job that could not go anywhere.
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(Err(source)) = folder.map(std::fs::metadata) {
            return Err(PromptsError::Unwritable { path: out, source }.into());
        }
        let settings = PromptSettings { input, out, ordered, survey, defaults };
        let (store, model) = (self.store()?, run.model.clone());
        let stored = JobSettings::new(run, settings.clone()).titled(&name).to_json();
        let found = find_or_create(&store, &model, &settings, &stored, self.clock().now()).await;
        let found = found.map_err(|error| {
            let job = match &error {
                PromptsError::InputChanged { job, .. } | PromptsError::DefaultsChanged { job } => {
                    Some(JobId::from(job.as_str()))
                }
                _ => None,
            };
            let error = AppError::from(error);
            match job {
                Some(job) => error.of_job(&job),
                None => error,
            }
        });
        match found? {
            Beginning::New(job) => {
                // A server that works on it stores the lines as it opens the job.
                if !self.is_on_request() {
                    ingest(&store, &job, &settings).await?;
                }
                Ok(SubmittedPrompts { job, known: None })
            }
            Beginning::Known(record) => {
                // How it is written may change from run to run; what is asked may not.
                let before = JobSettings::<PromptSettings>::of(&record)?;
                let work = PromptSettings { ordered, ..before.work };
                store.set_job_settings(&record.id, &JobSettings { work, ..before }.to_json()).await?;
                let counts = record.counts;
                Ok(SubmittedPrompts { known: Some((counts.items - counts.pending, counts.items)), job: record.id })
            }
        }
    }

    /// Has a job's answers written elsewhere from now on.
    ///
    /// # Errors
    /// `no-such-job`; `job-settings-unreadable` if it is no job of prompts.
    pub async fn redirect_prompts(&self, job: &str, out: &Path) -> AppResult<()> {
        let record = self.job(job).await?;
        let settings = JobSettings::<PromptSettings>::of(&record)?;
        let work = PromptSettings { out: absolute(out)?, ..settings.work };
        Ok(self.store()?.set_job_settings(&record.id, &JobSettings { work, ..settings }.to_json()).await?)
    }

    /// Where a job's answers go.
    ///
    /// # Errors
    /// `no-such-job`; `job-settings-unreadable` if it is no job of prompts.
    pub async fn prompts_output(&self, job: &str) -> AppResult<PathBuf> {
        Ok(JobSettings::<PromptSettings>::of(&self.job(job).await?)?.work.out)
    }

    /// Stdin is kept in a file: what was read once can be read again when the job is resumed.
    fn spooled(&self, file: &Path) -> AppResult<PathBuf> {
        if file != Path::new("-") {
            return absolute(file);
        }
        let dir = self.data_dir().join("inputs");
        let path = dir.join(format!("{}.jsonl", self.clock().now().as_micros()));
        let copied = std::fs::create_dir_all(&dir).and_then(|()| {
            let mut to = std::fs::File::create_new(&path)?;
            std::io::copy(&mut std::io::stdin().lock(), &mut to)?;
            to.sync_all()
        });
        copied.map_err(|error| {
            let message = format!("stdin can't be kept in {}: {error}", path.display());
            AppError::new(code!("output-unwritable"), message).hint("check the disk, or give a file")
        })?;
        Ok(path)
    }
}
