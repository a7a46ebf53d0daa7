//! An export that comes back: what reviewers decided and wrote in the file.

use std::borrow::Cow;
use std::collections::HashMap;

use atelier_engine::Timestamp;
use atelier_store::{DraftRow, DraftStatus, Store, StoreError};
use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{Encoding, WINDOWS_1252};
use serde::Serialize;

use crate::error::RepliesError;
use crate::export::cells::{self, original};
use crate::export::{CHECKS, DRAFT_COLUMNS};
use crate::table;

/// What came of a file of decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReviewImport {
    /// Rows that were read.
    pub rows: u64,
    /// Drafts whose status changed, by the status that they have now.
    pub changed: std::collections::BTreeMap<&'static str, u64>,
    /// Drafts whose text changed.
    pub edited: u64,
    /// What could not be taken over, by its line.
    pub problems: Vec<ReviewProblem>,
}

/// A part of a row that could not be taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewProblem {
    /// The line, from 1.
    pub line: u64,
    /// The draft, if the row names one.
    pub draft: Option<String>,
    /// Why not.
    pub reason: String,
}

/// What a row says of a draft.
struct SaidOfDraft {
    line: u64,
    id: String,
    /// Whose it is by the other cells of its row, as far as they say so.
    project: Option<String>,
    url: Option<String>,
    kind: Option<String>,
    text: Option<String>,
    /// What the text was known by when the file was written.
    check: Option<String>,
    status: Option<DraftStatus>,
}

/// Takes over statuses and texts of a file that [`export`](crate::export) wrote and somebody changed. Each draft is taken
/// by itself: what can't be taken over is reported by its line, and holds nothing else up. A text is taken where it was
/// changed in the file and not here, in a row that is still the draft's own.
///
/// # Errors
/// [`RepliesError::Review`] for a file that is no such export; what the store reports.
pub async fn import_review(store: &Store, bytes: &[u8], now: Timestamp) -> Result<ReviewImport, RepliesError> {
    let mut report = ReviewImport::default();
    let said = read(bytes, &mut report)?;
    let mut seen = HashMap::new();
    for said in said {
        let problem = |reason: String| ReviewProblem { line: said.line, draft: Some(said.id.clone()), reason };
        if let Some(line) = seen.insert(said.id.clone(), said.line) {
            report.problems.push(problem(format!("it was in line {line} already, and that is what counts")));
            continue;
        }
        match take_over(store, &said, &mut report, now).await {
            Ok(None) => {}
            Ok(Some(reason)) => report.problems.push(problem(reason)),
            Err(StoreError::NoSuchDraft { .. }) => report.problems.push(problem("there is no such draft".to_owned())),
            Err(StoreError::Transition { from, to, .. }) => {
                report.problems.push(problem(format!("it is {from}, and can't become {to}")));
            }
            Err(error) => return Err(error.into()),
        }
    }
    report.problems.sort_by_key(|problem| problem.line);
    Ok(report)
}

/// Takes one draft over; the reason if not all of it could be.
async fn take_over(
    store: &Store,
    said: &SaidOfDraft,
    report: &mut ReviewImport,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let found = store.draft(&said.id).await?;
    let DraftRow { draft, post, .. } = found.ok_or_else(|| StoreError::NoSuchDraft { draft: said.id.clone() })?;
    let differs = |cell: &Option<String>, own: &str| cell.as_ref().is_some_and(|cell| *cell != own);
    if differs(&said.project, &draft.project) || differs(&said.url, &post.url) || differs(&said.kind, &draft.kind) {
        let reason = "the row is not of this draft any more, or is from elsewhere: project, url or kind are others";
        return Ok(Some(reason.to_owned()));
    }
    let mut left = None;
    if said.text.is_none() && said.check.is_some() {
        return Ok(Some("its text is empty in the file, and stays as it is here: reject what nobody wants".to_owned()));
    }
    if let Some(text) = said.text.as_ref().filter(|text| **text != draft.text) {
        let (in_file, here) = match &said.check {
            Some(check) => (cells::check(text) != *check, cells::check(&draft.text) != *check),
            None => (true, false),
        };
        match (in_file, here) {
            (false, _) => {}
            (true, true) => {
                left = Some("its text was changed here since the export, and the file's is not taken".to_owned());
            }
            (true, false) if is_garbled(&draft.text, text) => {
                let reason = "a program has garbled its text, which stays as it is here: save as CSV in UTF-8";
                left = Some(reason.to_owned());
            }
            (true, false) => report.edited += u64::from(store.edit_draft(&said.id, text, now).await?),
        }
    }
    if said.status == Some(DraftStatus::Pending) && draft.status != DraftStatus::Pending {
        return Ok(Some(format!("it is {}, and can't become pending", draft.status.name())));
    }
    // What an export writes of its own is no decision.
    let decided = said
        .status
        .filter(|status| *status != draft.status && !matches!(status, DraftStatus::Pending | DraftStatus::Exported));
    if let Some(status) = decided {
        let ids = std::slice::from_ref(&said.id);
        let changed = store.set_draft_status(ids, status, None, now).await?;
        *report.changed.entry(status.name()).or_default() += changed.len() as u64;
    }
    Ok(left)
}

/// Whether a text is another one in the wrong encoding: its UTF-8 read as Windows-1252, or with question marks in place
/// of what that does not have.
fn is_garbled(text: &str, cell: &str) -> bool {
    if text == cell {
        return false;
    }
    if WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0 == cell {
        return true;
    }
    let known = |c: char| !WINDOWS_1252.encode(c.encode_utf8(&mut [0; 4])).2;
    // A character beyond the first plane leaves two.
    let marks: String = text.chars().flat_map(|c| if known(c) { vec![c] } else { vec!['?'; c.len_utf16()] }).collect();
    marks == cell
}

/// The text of a file, whatever program wrote it: UTF-8, UTF-16 by its mark, or else Windows-1252.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding.decode(bytes).0,
        None => std::str::from_utf8(bytes).map_or_else(|_| WINDOWS_1252.decode(bytes).0, Cow::Borrowed),
    }
}

/// The line of a record, from 1. The reader does not count an end of line of two characters before it has both.
fn line_of(position: &csv::Position, bytes: &[u8]) -> u64 {
    let at = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    position.line() + u64::from(bytes.get(at) == Some(&b'\n'))
}

fn read(bytes: &[u8], report: &mut ReviewImport) -> Result<Vec<SaidOfDraft>, RepliesError> {
    let text = decoded(bytes);
    let (bytes, delimiter, skipped) = table::dialect(text.as_bytes());
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes);
    let unreadable = |error: csv::Error| RepliesError::Review(format!("it can't be read as CSV: {error}"));
    let header = reader.headers().map_err(unreadable)?.clone();
    let columns: HashMap<String, usize> =
        header.iter().enumerate().map(|(place, name)| (name.trim().to_lowercase(), place)).collect();
    let [_, _, id, _] = DRAFT_COLUMNS[0];
    if !columns.contains_key(id) {
        return Err(RepliesError::Review(format!("it has no column {id}")));
    }
    let mut said = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, |position| line_of(position, text.as_bytes())) + skipped;
        report.rows += 1;
        for place in 0..DRAFT_COLUMNS.len() {
            match of_draft(&record, &columns, place, line) {
                Ok(None) => {}
                Ok(Some(one)) => said.push(one),
                Err(problem) => report.problems.push(problem),
            }
        }
    }
    Ok(said)
}

/// What the columns of one draft say of it; nothing where they are empty.
fn of_draft(
    record: &StringRecord,
    columns: &HashMap<String, usize>,
    place: usize,
    line: u64,
) -> Result<Option<SaidOfDraft>, ReviewProblem> {
    let [text, kind, id, status] = DRAFT_COLUMNS[place];
    let cell = |name: &str| columns.get(name).and_then(|place| record.get(*place)).map(original);
    let said = |name: &str| cell(name).filter(|said| !said.trim().is_empty()).map(str::to_owned);
    let Some(id) = cell(id).map(str::trim).filter(|id| !id.is_empty()) else { return Ok(None) };
    let status_cell = cell(status).map(|status| status.trim().to_lowercase()).unwrap_or_default();
    let problem = |reason: String| ReviewProblem { line, draft: Some(id.to_owned()), reason };
    let status = match status_cell.as_str() {
        "" => None,
        name => Some(DraftStatus::from_name(name).ok_or_else(|| {
            let all: Vec<&str> = DraftStatus::ALL.iter().map(|status| status.name()).collect();
            problem(format!("'{}' is no status: write one of {}", table::shortened(name), all.join(", ")))
        })?),
    };
    Ok(Some(SaidOfDraft {
        line,
        id: id.to_owned(),
        project: said("project"),
        url: said("url"),
        kind: said(kind),
        text: said(text),
        check: cell(CHECKS).and_then(|checks| checks.split_whitespace().nth(place)).map(str::to_owned),
        status,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_garbled_is_known() {
        let text = "Für alle 🚲, “sagt er”";
        for cell in ["FÃ¼r alle ðŸš², â€œsagt erâ€\u{9d}", "Für alle ??, “sagt er”"] {
            assert!(is_garbled(text, cell), "{cell}");
        }
        for cell in ["Für alle", "Fur alle 🚲, “sagt er”", "Für alle ??, “sagt sie”"] {
            assert!(!is_garbled(text, cell), "{cell}");
        }
        assert!(!is_garbled("Why?", "Why?"));
    }

    #[test]
    fn a_file_is_read_in_the_encoding_of_the_program_that_wrote_it() {
        assert_eq!(decoded("für".as_bytes()), "für");
        assert_eq!(decoded(b"f\xfcr"), "für");
        assert_eq!(decoded(b"\xff\xfef\0\xfc\0r\0"), "für");
    }
}
