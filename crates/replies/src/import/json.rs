//! Posts from JSON and JSON Lines.

use serde_json::value::RawValue;

use super::fields::{self, Cell};
use super::raw::{RawObject, cell};
use super::rows::{LineCounter, ParsedRow};
use super::x_api;
use crate::error::RepliesError;

const NOT_UTF_8: &str = "it is not UTF-8";

/// The rows of one document. `broken` says that some of its bytes were no UTF-8 and are replacement
/// characters now.
pub(super) fn document(project: &str, text: &str, broken: bool) -> Result<Vec<ParsedRow>, RepliesError> {
    let start = text.trim_start();
    if start.starts_with('[') {
        let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        let mut lines = LineLocator::of(text);
        return Ok(elements.into_iter().flat_map(|raw| value(project, &mut lines, raw, broken)).collect());
    }
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    if !start.starts_with('{') {
        return Err(RepliesError::Import("it is neither a list of posts nor an object".into()));
    }
    Ok(value(project, &mut LineLocator::of(text), whole, broken))
}

fn unreadable(error: &serde_json::Error) -> RepliesError {
    RepliesError::Import(format!("it is not JSON: {error}"))
}

/// The rows of a document a line.
pub(super) fn lines(project: &str, text: &str, broken: bool) -> Vec<ParsedRow> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = index as u64 + 1;
        match serde_json::from_str::<&RawValue>(line) {
            Ok(raw) => {
                rows.extend(
                    value(project, &mut LineLocator::of(line), raw, broken).into_iter().map(|(_, row)| (number, row)),
                );
            }
            Err(_) if broken && line.contains(char::REPLACEMENT_CHARACTER) => {
                rows.push((number, Err(NOT_UTF_8.into())));
            }
            Err(error) => rows.push((number, Err(format!("it is not JSON: {error}")))),
        }
    }
    rows
}

/// The rows in one value: a post, the X API's answer, or a wrapper around posts.
fn value(project: &str, lines: &mut LineLocator<'_>, raw: &RawValue, broken: bool) -> Vec<ParsedRow> {
    let line = lines.line_of(raw);
    let object: RawObject<'_> = match serde_json::from_str(raw.get()) {
        Ok(object) => object,
        Err(_) => return vec![(line, Err(format!("{} is not a post", described(raw))))],
    };
    for wrapper in ["data", "posts"] {
        let Some(inner) = object.get(wrapper) else { continue };
        let elements: Vec<&RawValue> = match inner.get().as_bytes().first() {
            Some(b'[') => serde_json::from_str(inner.get()).unwrap_or_default(),
            _ => vec![inner],
        };
        let authors = x_api::authors(&object);
        return elements
            .into_iter()
            .map(|element| (lines.line_of(element), element_post(project, element, Some(&authors), broken)))
            .collect();
    }
    // A page of the X API's without any posts.
    if object.contains_key("meta") && !object.contains_key("text") {
        return Vec::new();
    }
    vec![(line, element_post(project, raw, None, broken))]
}

fn element_post(
    project: &str,
    raw: &RawValue,
    authors: Option<&x_api::Authors>,
    broken: bool,
) -> Result<atelier_store::Post, String> {
    if broken && raw.get().contains(char::REPLACEMENT_CHARACTER) {
        return Err(NOT_UTF_8.into());
    }
    let object: RawObject<'_> =
        serde_json::from_str(raw.get()).map_err(|_| format!("{} is not a post", described(raw)))?;
    match authors {
        Some(authors) if x_api::is_x_api(&object) => x_api::post(project, &object, authors),
        _ => fields::post(project, &|name| object.get(name).map_or(Cell::Nothing, |raw| cell(raw))),
    }
}

fn described(raw: &RawValue) -> &'static str {
    match cell(raw) {
        Cell::Nothing => "nothing",
        Cell::Text(_) => "a text",
        Cell::Number(_) => "a number",
        Cell::Other("an object") => "an object with broken Unicode in a key",
        Cell::Other(what) => what,
    }
}

/// Finds the lines of a text's parts, which must be asked for in their order.
struct LineLocator<'a> {
    text: &'a str,
    counter: LineCounter<'a>,
}

impl<'a> LineLocator<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, counter: LineCounter::of(text.as_bytes()) }
    }

    /// The line on which a part of the text starts, from 1.
    fn line_of(&mut self, part: &RawValue) -> u64 {
        // The part borrows from the text, so that its address gives its place.
        self.counter.at((part.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize))
    }
}
