//! Posts from CSV: a line that names the columns, then one post a row.

use std::collections::HashMap;

use ::csv::{ByteRecord, ReaderBuilder};

use super::fields::{self, Cell, REQUIRED};
use super::rows::{LineCounter, ParsedRow};
use crate::error::RepliesError;

/// The rows of a CSV file with their lines. A row whose bytes are no UTF-8, or that has more or fewer cells
/// than the header, is bad.
pub(super) fn rows(project: &str, bytes: &[u8]) -> Result<Vec<ParsedRow>, RepliesError> {
    let (separator, skipped) = separator(bytes);
    let table = bytes.get(skipped..).unwrap_or_default();
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(table);
    let unreadable = |error: ::csv::Error| RepliesError::Import(format!("it is not CSV: {error}"));
    let mut record = ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(unreadable)? {
        return Err(RepliesError::Import("it is empty".into()));
    }
    let header = header(&record)?;
    let cells = record.len();
    let mut rows = Vec::new();
    let mut lines = LineCounter::of(bytes);
    loop {
        let start = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        if !reader.read_byte_record(&mut record).map_err(unreadable)? {
            return Ok(rows);
        }
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX).min(table.len());
        let raw = table.get(start..end).unwrap_or_default();
        // The reader passes blank lines only now: the row starts after them.
        let blank = raw.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let line = lines.at(skipped + start + blank);
        if record.iter().all(<[u8]>::is_empty) {
            continue;
        }
        rows.push((line, row(project, &header, cells, &record, raw)));
    }
}

/// What stands between cells, and how many bytes come before the table: a first line such as `sep=;` is for spreadsheets,
/// which then need not guess.
fn separator(bytes: &[u8]) -> (u8, usize) {
    match bytes {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator, rest @ ..] if separator.is_ascii() => match rest {
            [b'\r', b'\n', ..] => (*separator, 7),
            [b'\r' | b'\n', ..] => (*separator, 6),
            _ => (delimiter(bytes), 0),
        },
        _ => (delimiter(bytes), 0),
    }
}

/// Semicolons and tabs are what some spreadsheets write instead of commas.
fn delimiter(bytes: &[u8]) -> u8 {
    let header = bytes.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    [b',', b';', b'\t'].into_iter().find(|delimiter| header.contains(delimiter)).unwrap_or(b',')
}

/// Where each column is, by name.
fn header(record: &ByteRecord) -> Result<HashMap<String, usize>, RepliesError> {
    let mut header = HashMap::new();
    for (index, cell) in record.iter().enumerate() {
        let name = String::from_utf8_lossy(cell).trim().to_lowercase();
        if !name.is_empty() && header.insert(name.clone(), index).is_some() {
            return Err(RepliesError::Import(format!("two columns are named '{}'", fields::shortened(&name))));
        }
    }
    let missing: Vec<String> = REQUIRED
        .iter()
        .filter(|column| !column.names().any(|name| header.contains_key(name)))
        .map(|column| column.names().collect::<Vec<_>>().join(" or "))
        .collect();
    if missing.is_empty() {
        Ok(header)
    } else {
        let missing = missing.join(", ");
        Err(RepliesError::Import(format!("its first line lacks the column {missing}; it must name the columns")))
    }
}

fn row(
    project: &str,
    header: &HashMap<String, usize>,
    cells: usize,
    record: &ByteRecord,
    raw: &[u8],
) -> Result<atelier_store::Post, String> {
    // An open quotation mark swallows all rows that follow: that must not pass for one long post.
    let quotes = raw.iter().filter(|b| **b == b'"').count();
    if quotes % 2 == 1 && raw.trim_ascii().contains(&b'\n') {
        return Err("a quotation mark is opened and never closed, so that the row runs on to later lines".into());
    }
    if let Some(column) = record.iter().position(|cell| std::str::from_utf8(cell).is_err()) {
        let name = header.iter().find(|(_, index)| **index == column).map_or("a cell", |(name, _)| name.as_str());
        return Err(format!("{name}: it is not UTF-8"));
    }
    if record.len() != cells {
        return Err(format!("it has {} cells where the first line has {cells}", record.len()));
    }
    fields::post(project, &|name| {
        let bytes = header.get(name).and_then(|index| record.get(*index)).unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok("") | Err(_) => Cell::Nothing,
            Ok(text) => Cell::Text(text.to_owned()),
        }
    })
}
