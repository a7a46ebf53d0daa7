//! Answers on their way out: as lines of the form that came in, or as CSV.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use atelier_engine::{Demand, JobId, Outcome, Price, Verdict};
use atelier_store::{OutcomeRecord, Store};
use serde::Serialize;
use serde_json::{Value, json};

use crate::LANE;
use crate::error::{PromptsError, PromptsResult};
use crate::input::{Form, Known};
use crate::task::PromptAnswer;

/// Outcomes are read in pages of this size.
const PAGE: usize = 1000;

/// Where answers are written.
struct Output {
    to: Box<dyn Write + Send + Sync>,
    /// The file, if it is one.
    path: Option<PathBuf>,
    csv: bool,
    form: Form,
    price: Option<Price>,
}

impl Output {
    /// A file beside the one that is named, until [`Output::complete`] puts it in its place; stdout for `-`.
    fn create(path: &Path, form: Form, price: Option<Price>) -> PromptsResult<Self> {
        let csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let (to, path): (Box<dyn Write + Send + Sync>, _) = if path == Path::new("-") {
            (Box::new(BufWriter::new(std::io::stdout())), None)
        } else {
            let file = File::create(part(path)).map_err(|error| PromptsError::unwritable(path, error))?;
            (Box::new(BufWriter::with_capacity(1 << 18, file)), Some(path.to_owned()))
        };
        let mut output = Self { to, path, csv, form, price };
        output.header()?;
        Ok(output)
    }

    /// What was written stands under the file's own name from here on.
    fn complete(&mut self) -> PromptsResult<()> {
        self.flush()?;
        match &self.path {
            Some(path) => std::fs::rename(part(path), path).map_err(|error| PromptsError::unwritable(path, error)),
            None => Ok(()),
        }
    }

    /// Writes one outcome.
    fn write(&mut self, outcome: &OutcomeRecord) -> PromptsResult<()> {
        let line = if self.csv { self.row(outcome)? } else { self.line(outcome) };
        self.put(&line)
    }

    /// Hands over what was written to the system.
    fn flush(&mut self) -> PromptsResult<()> {
        let flushed = self.to.flush();
        self.allow_broken_pipe(flushed)
    }

    /// What was written survives a power cut from here on.
    fn sync(&mut self) -> PromptsResult<()> {
        self.flush()?;
        match &self.path {
            Some(path) => {
                File::open(path).and_then(|file| file.sync_all()).map_err(|error| PromptsError::unwritable(path, error))
            }
            None => Ok(()),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> PromptsResult<()> {
        let written = self.to.write_all(bytes);
        self.allow_broken_pipe(written)
    }

    /// Whoever reads stdout may stop reading: the answers are in the journal.
    fn allow_broken_pipe(&self, result: std::io::Result<()>) -> PromptsResult<()> {
        match (result, &self.path) {
            (Err(error), None) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            (Err(error), path) => Err(PromptsError::unwritable(path.as_deref().unwrap_or(Path::new("stdout")), error)),
            (Ok(()), _) => Ok(()),
        }
    }

    fn header(&mut self) -> PromptsResult<()> {
        if self.csv {
            self.put(b"id,status,text,input_tokens,output_tokens,cost_usd,attempts,error,cut\n")
        } else {
            Ok(())
        }
    }

    fn line(&self, outcome: &OutcomeRecord) -> Vec<u8> {
        let line = match self.form {
            Form::Prompts => self.prompts_line(outcome),
            Form::GeminiBatch => gemini_line(outcome).to_string(),
            Form::OpenAiBatch => open_ai_line(outcome).to_string(),
        };
        let mut line = line.into_bytes();
        line.push(b'\n');
        line
    }

    fn prompts_line(&self, outcome: &OutcomeRecord) -> String {
        let answer = answer(outcome);
        let line = PromptsLine {
            id: &outcome.key,
            status: outcome.verdict.status(),
            text: answer.as_ref().and_then(|answer| answer.text.as_deref()),
            usage: answer.as_ref().map(|answer| Tokens {
                input_tokens: answer.usage.input_tokens,
                output_tokens: answer.usage.output_tokens,
            }),
            cost_usd: answer.as_ref().and_then(|answer| self.cost(answer)),
            attempts: outcome.attempts,
            error: problem(&outcome.verdict).map(|(code, message)| LineProblem { code, message }),
            cut: answer.as_ref().is_some_and(|answer| !answer.complete),
        };
        // Texts and finite numbers can't fail to become JSON.
        serde_json::to_string(&line).unwrap_or_default()
    }

    fn row(&self, outcome: &OutcomeRecord) -> PromptsResult<Vec<u8>> {
        let answer = answer(outcome);
        let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
        let usage = answer.as_ref().map(|answer| answer.usage).unwrap_or_default();
        let cost = answer.as_ref().and_then(|answer| self.cost(answer)).map(|cost| cost.to_string());
        let cut = answer.as_ref().is_some_and(|answer| !answer.complete);
        let cells = [
            outcome.key.clone(),
            outcome.verdict.status().to_owned(),
            answer.and_then(|answer| answer.text).unwrap_or_default(),
            number(usage.input_tokens),
            number(usage.output_tokens),
            cost.unwrap_or_default(),
            outcome.attempts.to_string(),
            problem(&outcome.verdict).map(|(code, message)| format!("{code}: {message}")).unwrap_or_default(),
            if cut { "yes".to_owned() } else { String::new() },
        ];
        let mut writer = csv::Writer::from_writer(Vec::new());
        let row = writer
            .write_record(&cells)
            .map_err(std::io::Error::other)
            .and_then(|()| writer.into_inner().map_err(|error| std::io::Error::other(error.to_string())));
        row.map_err(|error| PromptsError::unwritable(self.path.as_deref().unwrap_or(Path::new("stdout")), error))
    }

    /// `None` where the price or the usage is not known, which is not zero.
    fn cost(&self, answer: &PromptAnswer) -> Option<f64> {
        let (cost, estimated) = self.price?.cost(&answer.usage, &Demand::default());
        (!estimated).then(|| cost.as_dollars())
    }
}

/// An answer line of the first form.
#[derive(Serialize)]
struct PromptsLine<'a> {
    id: &'a str,
    status: &'static str,
    text: Option<&'a str>,
    usage: Option<Tokens>,
    cost_usd: Option<f64>,
    attempts: u32,
    error: Option<LineProblem<'a>>,
    /// Whether the answer ends before its end: at the cap on its tokens, say.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

#[derive(Serialize)]
struct Tokens {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

#[derive(Serialize)]
struct LineProblem<'a> {
    code: &'a str,
    message: &'a str,
}

/// The answers of a job on their way to a file. The journal is the truth: the file is made anew from it whenever the
/// job is worked on, so that one which was cut off in the middle of a line, or lacks some, is whole again.
pub struct AnswerFile {
    output: Output,
    store: Store,
    job: JobId,
    ordered: bool,
    /// The place of the next line, where lines keep their order.
    next: u64,
    /// Outcomes that came before their turn. Their content is read from the journal when it comes: a line that hangs
    /// must not have all that follow it held in memory.
    early: BTreeSet<u64>,
}

impl AnswerFile {
    /// Begins the file. What the job was answered already is to be [`taken`](Self::take) first, and then the file
    /// [`completed`](Self::complete).
    ///
    /// # Errors
    /// [`PromptsError::Unwritable`].
    pub fn create(
        path: &Path,
        form: Form,
        ordered: bool,
        price: Option<Price>,
        store: Store,
        job: JobId,
    ) -> PromptsResult<Self> {
        let output = Output::create(path, form, price)?;
        Ok(Self { output, store, job, ordered, next: 0, early: BTreeSet::new() })
    }

    /// Puts the file in its place, with all that was taken so far.
    ///
    /// # Errors
    /// [`PromptsError::Unwritable`].
    pub fn complete(&mut self) -> PromptsResult<()> {
        self.output.complete()
    }

    /// Writes outcomes that are durable, those whose turn it is.
    ///
    /// # Errors
    /// [`PromptsError::Unwritable`], and what the store reports.
    pub async fn take(&mut self, ended: &[OutcomeRecord]) -> PromptsResult<()> {
        for outcome in ended {
            if !self.ordered || (outcome.seq == self.next && self.early.is_empty()) {
                self.next = outcome.seq + 1;
                self.output.write(outcome)?;
            } else {
                self.early.insert(outcome.seq);
            }
        }
        self.write_early().await?;
        self.output.flush()
    }

    /// Writes those that came early and whose turn it is now.
    async fn write_early(&mut self) -> PromptsResult<()> {
        while let Some(first) = self.early.first().copied().filter(|first| *first <= self.next) {
            let page = self.store.outcomes(&self.job, first.checked_sub(1), PAGE).await?;
            if page.is_empty() {
                break;
            }
            for outcome in &page {
                if outcome.seq == self.next && self.early.remove(&outcome.seq) {
                    self.output.write(outcome)?;
                    self.next = outcome.seq + 1;
                }
            }
        }
        Ok(())
    }

    /// What was written survives a power cut from here on.
    ///
    /// # Errors
    /// [`PromptsError::Unwritable`].
    pub fn sync(&mut self) -> PromptsResult<()> {
        self.output.sync()
    }
}

fn part(path: &Path) -> PathBuf {
    path.with_extension("part")
}

/// The record of an answered line, as the engine has just reported it: the journal need not be asked. `None`
/// for lines that came to nothing, whose key is not in what is reported.
#[must_use]
pub fn answered(outcome: &Outcome, attempts: u32) -> Option<OutcomeRecord> {
    let Verdict::Done { result } = &outcome.verdict else { return None };
    let key = serde_json::from_str::<Known<'_>>(result).ok()?.id.into_owned();
    Some(OutcomeRecord { seq: outcome.seq, key, lane: LANE.into(), verdict: outcome.verdict.clone(), attempts })
}

fn answer(outcome: &OutcomeRecord) -> Option<PromptAnswer> {
    match &outcome.verdict {
        Verdict::Done { result } => serde_json::from_str(result).ok(),
        Verdict::Blocked { .. } | Verdict::Failed { .. } => None,
    }
}

fn problem(verdict: &Verdict) -> Option<(&str, &str)> {
    match verdict {
        Verdict::Done { .. } => None,
        Verdict::Blocked { reason } => Some(("blocked", reason)),
        Verdict::Failed { kind, message } => Some((kind, message)),
    }
}

fn gemini_line(outcome: &OutcomeRecord) -> Value {
    match problem(&outcome.verdict) {
        Some((code, message)) => json!({ "key": outcome.key, "error": { "status": code, "message": message } }),
        None => json!({ "key": outcome.key, "response": answer(outcome).and_then(|answer| answer.body) }),
    }
}

fn open_ai_line(outcome: &OutcomeRecord) -> Value {
    let id = format!("{}", outcome.seq);
    match problem(&outcome.verdict) {
        Some((code, message)) => json!({
            "id": id, "custom_id": outcome.key, "response": null, "error": { "code": code, "message": message },
        }),
        None => {
            let body = answer(outcome).and_then(|answer| answer.body);
            let request = body.as_ref().and_then(|body| body.get("id").cloned());
            let response = json!({ "status_code": 200, "request_id": request, "body": body });
            json!({ "id": id, "custom_id": outcome.key, "response": response, "error": null })
        }
    }
}
