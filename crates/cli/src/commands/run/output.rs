//! Answers on their way out: as lines of the form that came in, or as CSV.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use atelier_engine::{Demand, Outcome, Price, Verdict};
use atelier_store::{OutcomeRecord, Store};
use serde::Serialize;
use serde_json::{Value, json};

use super::LANE;
use super::input::{Form, Known};
use super::task::Answer;
use crate::error::{CliError, CliResult};

/// Outcomes are read in pages of this size.
const PAGE: usize = 1000;

/// Where answers are written.
pub(super) struct Output {
    to: Box<dyn Write + Send>,
    /// The file, if it is one.
    path: Option<PathBuf>,
    csv: bool,
    form: Form,
    price: Option<Price>,
}

impl Output {
    /// Writes what the journal has of the job and is due, and is then ready for more. The journal is the
    /// truth: a file that was cut off in the middle of a line, or lacks some, is written anew, whole.
    pub(super) async fn open(
        path: &Path,
        form: Form,
        price: Option<Price>,
        pending: &mut Pending,
        store: &Store,
        job: &str,
    ) -> CliResult<Self> {
        let csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if path == Path::new("-") {
            let to = Box::new(BufWriter::new(std::io::stdout()));
            let mut output = Self { to, path: None, csv, form, price };
            output.header()?;
            pending.catch_up(&mut output, store, job).await?;
            return Ok(output);
        }
        let part = path.with_extension("part");
        let failed = |error: std::io::Error| unwritable(path, &error);
        let file = BufWriter::with_capacity(1 << 18, File::create(&part).map_err(failed)?);
        let mut output = Self { to: Box::new(file), path: Some(path.to_owned()), csv, form, price };
        output.header()?;
        pending.catch_up(&mut output, store, job).await?;
        std::fs::rename(&part, path).map_err(failed)?;
        Ok(output)
    }

    /// Writes one outcome.
    pub(super) fn write(&mut self, outcome: &OutcomeRecord) -> CliResult<()> {
        let line = if self.csv { self.row(outcome)? } else { self.line(outcome) };
        self.put(&line)
    }

    /// Hands over what was written to the system.
    pub(super) fn flush(&mut self) -> CliResult<()> {
        let flushed = self.to.flush();
        self.allow_broken_pipe(flushed)
    }

    /// What was written survives a power cut from here on.
    pub(super) fn sync(&mut self) -> CliResult<()> {
        self.flush()?;
        match &self.path {
            Some(path) => File::open(path).and_then(|file| file.sync_all()).map_err(|error| unwritable(path, &error)),
            None => Ok(()),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> CliResult<()> {
        let written = self.to.write_all(bytes);
        self.allow_broken_pipe(written)
    }

    /// Whoever reads stdout may stop reading: the answers are in the journal.
    fn allow_broken_pipe(&self, result: std::io::Result<()>) -> CliResult<()> {
        match (result, &self.path) {
            (Err(error), None) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            (Err(error), path) => Err(unwritable(path.as_deref().unwrap_or(Path::new("stdout")), &error)),
            (Ok(()), _) => Ok(()),
        }
    }

    fn header(&mut self) -> CliResult<()> {
        if self.csv { self.put(b"id,status,text,input_tokens,output_tokens,cost_usd,attempts,error\n") } else { Ok(()) }
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
            error: problem(&outcome.verdict).map(|(code, message)| Problem { code, message }),
        };
        // Texts and finite numbers can't fail to become JSON.
        serde_json::to_string(&line).unwrap_or_default()
    }

    fn row(&self, outcome: &OutcomeRecord) -> CliResult<Vec<u8>> {
        let answer = answer(outcome);
        let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
        let usage = answer.as_ref().map(|answer| answer.usage).unwrap_or_default();
        let cost = answer.as_ref().and_then(|answer| self.cost(answer)).map(|cost| cost.to_string());
        let cells = [
            outcome.key.clone(),
            outcome.verdict.status().to_owned(),
            answer.and_then(|answer| answer.text).unwrap_or_default(),
            number(usage.input_tokens),
            number(usage.output_tokens),
            cost.unwrap_or_default(),
            outcome.attempts.to_string(),
            problem(&outcome.verdict).map(|(code, message)| format!("{code}: {message}")).unwrap_or_default(),
        ];
        let mut writer = csv::Writer::from_writer(Vec::new());
        let row = writer
            .write_record(&cells)
            .map_err(std::io::Error::other)
            .and_then(|()| writer.into_inner().map_err(|error| std::io::Error::other(error.to_string())));
        row.map_err(|error| unwritable(self.path.as_deref().unwrap_or(Path::new("stdout")), &error))
    }

    /// `None` where the price or the usage is not known, which is not zero.
    fn cost(&self, answer: &Answer) -> Option<f64> {
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
    error: Option<Problem<'a>>,
}

#[derive(Serialize)]
struct Tokens {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

#[derive(Serialize)]
struct Problem<'a> {
    code: &'a str,
    message: &'a str,
}

/// Outcomes that are durable and not yet written.
pub(super) struct Pending {
    ordered: bool,
    /// The place of the next line, where lines keep their order.
    next: u64,
    /// Those whose content is read from the journal when their turn comes.
    ended: BTreeSet<u64>,
}

impl Pending {
    pub(super) const fn new(ordered: bool) -> Self {
        Self { ordered, next: 0, ended: BTreeSet::new() }
    }

    /// Writes what is in the journal already, as far as its turn has come.
    async fn catch_up(&mut self, output: &mut Output, store: &Store, job: &str) -> CliResult<()> {
        let mut after = None;
        loop {
            let page = store.outcomes(job, after, PAGE).await?;
            for outcome in &page {
                if self.ordered && outcome.seq != self.next {
                    self.add(outcome.seq);
                } else {
                    output.write(outcome)?;
                    self.next = outcome.seq + 1;
                }
            }
            after = page.last().map(|outcome| outcome.seq).or(after);
            if page.len() < PAGE {
                return output.flush();
            }
        }
    }

    /// An outcome became durable.
    fn add(&mut self, seq: u64) {
        self.ended.insert(seq);
    }

    /// An outcome became durable: writes it if it is at hand and it is its turn, and notes it if not.
    pub(super) fn take(&mut self, seq: u64, outcome: Option<OutcomeRecord>, output: &mut Output) -> CliResult<()> {
        match outcome.filter(|_| !self.ordered || (seq == self.next && self.ended.is_empty())) {
            Some(outcome) => {
                self.next = seq + 1;
                output.write(&outcome)
            }
            None => {
                self.add(seq);
                Ok(())
            }
        }
    }

    /// Writes those whose turn it is.
    pub(super) async fn write(&mut self, output: &mut Output, store: &Store, job: &str) -> CliResult<()> {
        while let Some(first) = self.ended.first().copied() {
            if self.ordered && first > self.next {
                break;
            }
            let page = store.outcomes(job, first.checked_sub(1), PAGE).await?;
            for outcome in &page {
                let turn = !self.ordered || outcome.seq == self.next;
                if turn && self.ended.remove(&outcome.seq) {
                    output.write(outcome)?;
                    self.next = outcome.seq + 1;
                }
            }
            if page.is_empty() {
                break;
            }
        }
        output.flush()
    }
}

/// The record of an answered line, as the engine has just told of it: the journal need not be asked. `None`
/// for lines that came to nothing, whose key is not in what is told.
pub(super) fn record(outcome: &Outcome, attempts: u32) -> Option<OutcomeRecord> {
    let Verdict::Done { result } = &outcome.verdict else { return None };
    let key = serde_json::from_str::<Known<'_>>(result).ok()?.id.into_owned();
    Some(OutcomeRecord { seq: outcome.seq, key, lane: LANE.into(), verdict: outcome.verdict.clone(), attempts })
}

fn answer(outcome: &OutcomeRecord) -> Option<Answer> {
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

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::local("output-unwritable", format!("{} can't be written: {error}", path.display()))
        .hint("see to the disk and run the same command again: every answer is kept, and none is asked for again")
}
