//! A file of prompts, in any of its forms.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;

use atelier_engine::Item;
use atelier_providers::{ModelRef, Provider};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::LANE;
use crate::error::{PromptsError, PromptsResult};

/// No line is longer: a request with its pictures in it has a few megabytes.
const LONGEST_LINE: u64 = 64 << 20;

/// The one address of OpenAI's batch lines that is answered.
const CHAT: &str = "/v1/chat/completions";

/// The form of a file's lines, told by their fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `{"id", "prompt"}`, or CSV with these columns.
    Prompts,
    /// `{"key", "request"}`, as Gemini's batches take them.
    GeminiBatch,
    /// `{"custom_id", "method", "url", "body"}`, as OpenAI's batches take them.
    OpenAiBatch,
}

impl Form {
    fn of(fields: &Value) -> Option<Self> {
        let has = |name: &str| fields.get(name).is_some();
        match () {
            () if has("custom_id") && has("body") => Some(Self::OpenAiBatch),
            () if has("key") && has("request") => Some(Self::GeminiBatch),
            () if has("prompt") => Some(Self::Prompts),
            () => None,
        }
    }

    /// An error if the model is not one that takes lines of this form.
    ///
    /// # Errors
    /// [`PromptsError::WrongForm`].
    pub fn check(self, model: &ModelRef) -> PromptsResult<()> {
        let wants = match self {
            Self::Prompts => return Ok(()),
            Self::GeminiBatch => Provider::Gemini,
            Self::OpenAiBatch => Provider::OpenAi,
        };
        if model.wire() == wants {
            return Ok(());
        }
        Err(PromptsError::WrongForm { wants, model: model.clone() })
    }
}

/// One line, and how it is kept in the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptLine {
    /// What its answer is known by.
    pub id: String,
    /// A prompt, with what may stand beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prompt: Option<Prompt>,
    /// Otherwise a body in a provider's own form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<Value>,
}

/// What a kept line's answer is known by.
#[derive(Debug, Deserialize)]
pub(crate) struct Known<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
}

/// A line of the first form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prompt {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Value>,
    pub(crate) prompt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) system: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_output_tokens: Option<u64>,
}

/// What is known of a file once it was read through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// The form of its lines.
    pub form: Form,
    /// How many there are.
    pub lines: u64,
    /// The hash of its bytes: a file that was changed is another file.
    pub hash: String,
}

/// Reads a file through, in constant memory but for a hash of each id: nothing is sent before all of it is
/// understood.
pub fn survey(path: &Path) -> PromptsResult<Survey> {
    let mut ids = HashSet::new();
    let mut form = None;
    let mut lines = 0;
    let hash = hash(path)?;
    each_line(path, |number, found, line| {
        if *form.get_or_insert(found) != found {
            return Err(PromptsError::bad(path, number, "its form differs from that of the lines before it"));
        }
        let id = blake3::hash(line.id.as_bytes());
        let id = u64::from_le_bytes(id.as_bytes()[..8].try_into().unwrap_or_default());
        if !ids.insert(id) {
            return Err(PromptsError::bad(
                path,
                number,
                format!("the id '{}' stands on an earlier line too", excerpt(&line.id)),
            ));
        }
        lines += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    let form = form.ok_or_else(|| PromptsError::Empty(path.to_owned()))?;
    Ok(Survey { form, lines, hash })
}

fn hash(path: &Path) -> PromptsResult<String> {
    let mut hasher = blake3::Hasher::new();
    let mut file = open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer).map_err(|error| PromptsError::unreadable(path, error))?;
        if read == 0 {
            return Ok(hasher.finalize().to_hex().to_string());
        }
        hasher.update(&buffer[..read]);
    }
}

/// Gives each line to `take`, with its number from 1 and its form, until it has enough.
pub(crate) fn each_line(
    path: &Path,
    mut take: impl FnMut(u64, Form, PromptLine) -> PromptsResult<ControlFlow<()>>,
) -> PromptsResult<()> {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
        return each_row(path, take);
    }
    let mut reader = BufReader::with_capacity(1 << 20, open(path)?);
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let read = reader.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut bytes);
        if read.map_err(|error| PromptsError::unreadable(path, error))? == 0 {
            break;
        }
        if bytes.len() as u64 > LONGEST_LINE {
            return Err(PromptsError::bad(path, number, "it has more than 64 MiB"));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| PromptsError::bad(path, number, "it is not UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        if !text.is_empty() {
            let (form, line) = parse(text, number).map_err(|reason| PromptsError::bad(path, number, reason))?;
            if take(number, form, line)?.is_break() {
                break;
            }
        }
    }
    Ok(())
}

/// CSV: a column `prompt`, and `id` and `system` if they are there.
fn each_row(
    path: &Path,
    mut take: impl FnMut(u64, Form, PromptLine) -> PromptsResult<ControlFlow<()>>,
) -> PromptsResult<()> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(open(path)?);
    let headers = reader.headers().map_err(|error| PromptsError::bad(path, 1, error.to_string()))?.clone();
    let column = |name: &str| headers.iter().position(|header| header.trim().trim_start_matches('\u{feff}') == name);
    let prompt = column("prompt").ok_or_else(|| PromptsError::bad(path, 1, "it has no column 'prompt'"))?;
    let (id, system) = (column("id"), column("system"));
    for (row, record) in (1_u64..).zip(reader.records()) {
        let record = record.map_err(|error| PromptsError::bad(path, row + 1, error.to_string()))?;
        let number = record.position().map_or(row + 1, csv::Position::line);
        let text = record.get(prompt).ok_or_else(|| PromptsError::bad(path, number, "it has no prompt"))?;
        let cell = |column: Option<usize>| column.and_then(|column| record.get(column)).filter(|cell| !cell.is_empty());
        let id = cell(id).map_or_else(|| row.to_string(), str::to_owned);
        let system = cell(system).map(str::to_owned);
        let prompt = Some(Prompt { prompt: text.to_owned(), system, ..Prompt::default() });
        if take(number, Form::Prompts, PromptLine { id, prompt, raw: None })?.is_break() {
            break;
        }
    }
    Ok(())
}

fn parse(text: &str, number: u64) -> Result<(Form, PromptLine), String> {
    // Most lines are of this form; what is not is looked at closely.
    if let Ok(mut prompt) = serde_json::from_str::<Prompt>(text) {
        let id = name(prompt.id.take(), number)?;
        return Ok((Form::Prompts, PromptLine { id, prompt: Some(prompt), raw: None }));
    }
    let mut fields: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let form = Form::of(&fields)
        .ok_or("it is none of {\"id\", \"prompt\"}, {\"key\", \"request\"} and {\"custom_id\", \"url\", \"body\"}")?;
    let (id, prompt, raw) = match form {
        Form::Prompts => {
            let mut prompt: Prompt = serde_json::from_value(fields).map_err(|error| error.to_string())?;
            (prompt.id.take(), Some(prompt), None)
        }
        Form::GeminiBatch => (Some(fields["key"].take()), None, Some(fields["request"].take())),
        Form::OpenAiBatch => {
            let url = fields["url"].as_str().unwrap_or(CHAT);
            if url != CHAT {
                return Err(format!("its url is '{}', and only {CHAT} is answered here", excerpt(url)));
            }
            (Some(fields["custom_id"].take()), None, Some(fields["body"].take()))
        }
    };
    Ok((form, PromptLine { id: name(id, number)?, prompt, raw }))
}

/// What a line is known by: its number if it says nothing.
fn name(id: Option<Value>, number: u64) -> Result<String, String> {
    match id {
        None => Ok(number.to_string()),
        Some(Value::String(id)) => Ok(id),
        Some(Value::Number(id)) => Ok(id.to_string()),
        Some(_) => Err("its id is neither a text nor a number".to_owned()),
    }
}

fn open(path: &Path) -> PromptsResult<File> {
    File::open(path).map_err(|error| PromptsError::unreadable(path, error))
}

/// The beginning of a text, with whatever would steer a terminal escaped.
fn excerpt(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

/// The payloads of the first lines of a file, at most so many: what a forecast is made from.
///
/// # Errors
/// As [`survey`].
pub fn sample(path: &Path, most: usize) -> PromptsResult<Vec<Item>> {
    let mut items: Vec<Item> = Vec::new();
    each_line(path, |_, _, line| {
        let payload = serde_json::to_string(&line).unwrap_or_default();
        items.push(Item { seq: items.len() as u64, lane: LANE.into(), payload: payload.into() });
        Ok(if items.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(items)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn form(text: &str) -> Result<(Form, String), String> {
        parse(text, 7).map(|(form, line)| (form, line.id))
    }

    #[test]
    fn the_three_forms_are_told_apart_by_their_fields() {
        assert_eq!(form(r#"{"id":"a","prompt":"p"}"#), Ok((Form::Prompts, "a".into())));
        assert_eq!(form(r#"{"key":"k","request":{"contents":[]}}"#), Ok((Form::GeminiBatch, "k".into())));
        let line = r#"{"custom_id":"c","method":"POST","url":"/v1/chat/completions","body":{}}"#;
        assert_eq!(form(line), Ok((Form::OpenAiBatch, "c".into())));
    }

    #[test]
    fn a_line_without_an_id_is_known_by_its_number_and_a_number_is_an_id() {
        assert_eq!(form(r#"{"prompt":"p"}"#), Ok((Form::Prompts, "7".into())));
        assert_eq!(form(r#"{"id":12345678901234567890,"prompt":"p"}"#).unwrap().1, "12345678901234567890");
    }

    #[test]
    fn what_is_no_line_says_why() {
        for (text, why) in [
            ("{", "not JSON"),
            ("[]", "none of"),
            (r#"{"id":"a"}"#, "none of"),
            (r#"{"id":["a"],"prompt":"p"}"#, "neither a text nor a number"),
            (r#"{"id":"a","prompt":"p","temprature":1}"#, "temprature"),
        ] {
            let reason = form(text).unwrap_err();
            assert!(reason.contains(why), "{reason}");
        }
    }

    #[test]
    fn a_doubled_id_and_a_mixed_file_are_refused_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in.jsonl");
        for (text, why) in [
            ("{\"id\":\"a\",\"prompt\":\"p\"}\n\n{\"id\":\"a\",\"prompt\":\"q\"}\n", "line 3: the id 'a'"),
            ("{\"id\":\"a\",\"prompt\":\"p\"}\n{\"key\":\"b\",\"request\":{}}\n", "line 2: its form differs"),
            ("", "has no lines"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = survey(&path).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
