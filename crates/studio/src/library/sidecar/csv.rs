//! Descriptions as a table, in CSV.

use csv::{ReaderBuilder, StringRecord};
use serde_json::Value;

use super::description::Description;
use super::entries::{RawDescription, Sidecar};
use super::fields::{caption, id, name, names, number, split};

/// Reads a table whose first line names the columns. The separator is the one that this line has most: comma,
/// semicolon or tab.
pub(super) fn read(text: &str, sidecar: &mut Sidecar) -> Result<(), String> {
    let head = text.lines().next().unwrap_or_default();
    let often = |separator: char| head.matches(separator).count();
    let separator = [',', ';', '\t'].into_iter().max_by_key(|separator| (often(*separator), *separator == ','));
    let separator = separator.and_then(|separator| u8::try_from(separator).ok()).unwrap_or(b',');
    let mut reader = ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let columns: Vec<String> = match reader.headers() {
        Ok(columns) => columns.iter().map(|name| name.trim().to_owned()).collect(),
        Err(error) => return Err(format!("it is not CSV: {error}")),
    };
    let Some(filename) = columns.iter().position(|column| column.eq_ignore_ascii_case("filename")) else {
        return Err("it has no column 'filename'".into());
    };
    let odd = text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
    let mut row = StringRecord::new();
    let mut lines = LineCounter { text: text.as_bytes(), counted: 0, line: 1 };
    loop {
        let line = lines.at(reader.position().byte());
        match reader.read_record(&mut row) {
            Ok(false) => return Ok(()),
            // A quotation mark that is never closed takes all lines after it into one row.
            Ok(true)
                if odd
                    && reader.position().byte() >= text.len() as u64
                    && row.iter().any(|field| field.contains('\n')) =>
            {
                sidecar.refuse(line, "a quotation mark is opened there and never closed".into());
            }
            Ok(true) => match row.get(filename).map(str::trim).filter(|file| !file.is_empty()) {
                None => sidecar.refuse(line, "filename is missing".into()),
                Some(file) => match description(&columns, filename, &row) {
                    Ok(description) => sidecar.keep(file, line, RawDescription::Csv(Box::new(description))),
                    Err(reason) => sidecar.refuse(line, reason),
                },
            },
            Err(error) => sidecar.refuse(line, error.to_string()),
        }
    }
}

/// Counts lines as it goes: the reader's own count leaves out those within quotes.
struct LineCounter<'a> {
    text: &'a [u8],
    counted: usize,
    line: u32,
}

impl LineCounter<'_> {
    /// The line of a byte at or after the one asked for last, from 1.
    fn at(&mut self, byte: u64) -> u32 {
        let mut byte = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        // The reader stands before the break that ends the row before.
        byte +=
            self.text.get(byte..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let between = self.text.get(self.counted..byte).unwrap_or_default();
        let breaks = between.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.counted = self.counted.max(byte);
        self.line
    }
}

/// Columns that are not known are attributes, and `attributes.NAME` is the attribute NAME.
fn description(columns: &[String], filename: usize, row: &StringRecord) -> Result<Description, String> {
    let mut description = Description::default();
    for (place, (column, value)) in columns.iter().zip(row).enumerate() {
        let value = value.trim();
        if place == filename || value.is_empty() || column.is_empty() {
            continue;
        }
        let text = || Value::String(value.to_owned());
        match column.to_ascii_lowercase().as_str() {
            "id" => description.id = id(value)?,
            "caption" => description.caption = caption(value)?.map(Some),
            "category" => description.category = name("category", value)?,
            "labels" | "tags" => description.labels.get_or_insert_default().extend(list("labels", value)?),
            "collections" => description.collections = list("collections", value)?,
            "tone_score" => description.tone_score = number("tone_score", &text())?,
            "angle_score" => description.angle_score = number("angle_score", &text())?,
            "attributes" => match serde_json::from_str(value) {
                Ok(Value::Object(attributes)) => description.attributes.extend(attributes),
                _ => return Err(format!("attributes: {} is not a JSON object", text())),
            },
            _ => {
                let name = column.strip_prefix("attributes.").unwrap_or(column);
                description.attributes.insert(name.to_owned(), text());
            }
        }
    }
    Ok(description)
}

/// A list of JSON, or names between semicolons or commas.
fn list(what: &str, value: &str) -> Result<Vec<String>, String> {
    if value.starts_with('[') {
        let list: Vec<String> =
            serde_json::from_str(value).map_err(|error| format!("{what}: it is not a list of texts: {error}"))?;
        return names(what, list.iter().map(String::as_str));
    }
    names(what, split(value))
}
