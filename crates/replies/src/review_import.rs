//! An export that comes back: what reviewers decided and wrote in the file.

use std::collections::HashMap;

use atelier_engine::Timestamp;
use atelier_store::{DraftStatus, Store, StoreError};
use csv::{ReaderBuilder, StringRecord};
use serde::Serialize;

use crate::error::RepliesError;
use crate::export::DRAFT_COLUMNS;
use crate::export::cells::original;
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
    text: Option<String>,
    status: Option<DraftStatus>,
}

/// Takes over statuses and texts of a file that [`export`](crate::export) wrote and somebody changed. Each draft is taken
/// by itself: what can't be taken over is told by its line, and holds nothing else up.
///
/// # Errors
/// [`RepliesError::Import`] for a file that is no such export; what the store reports.
pub async fn import_review(store: &Store, bytes: &[u8], now: Timestamp) -> Result<ReviewImport, RepliesError> {
    let mut report = ReviewImport::default();
    let said = read(bytes, &mut report)?;
    for said in said {
        let problem = |reason: String| ReviewProblem { line: said.line, draft: Some(said.id.clone()), reason };
        match take_over(store, &said, &mut report, now).await {
            Ok(()) => {}
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

async fn take_over(
    store: &Store,
    said: &SaidOfDraft,
    report: &mut ReviewImport,
    now: Timestamp,
) -> Result<(), StoreError> {
    let found = store.draft(&said.id).await?;
    let draft = found.ok_or_else(|| StoreError::NoSuchDraft { draft: said.id.clone() })?.draft;
    if let Some(text) = said.text.as_ref().filter(|text| **text != draft.text) {
        report.edited += u64::from(store.edit_draft(&said.id, text, now).await?);
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
    Ok(())
}

fn read(bytes: &[u8], report: &mut ReviewImport) -> Result<Vec<SaidOfDraft>, RepliesError> {
    let (bytes, delimiter, skipped) = table::dialect(bytes);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes);
    let unreadable = |error: csv::Error| RepliesError::Import(format!("it can't be read as CSV: {error}"));
    let header = reader.headers().map_err(unreadable)?.clone();
    let columns: HashMap<String, usize> =
        header.iter().enumerate().map(|(place, name)| (name.trim().to_lowercase(), place)).collect();
    if !columns.contains_key(DRAFT_COLUMNS[0][1]) {
        let message = format!("it has no column {}: it must be a file that an export wrote", DRAFT_COLUMNS[0][1]);
        return Err(RepliesError::Import(message));
    }
    let mut said = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line) + skipped;
        report.rows += 1;
        for columns_of_draft in &DRAFT_COLUMNS {
            match of_draft(&record, &columns, columns_of_draft, line) {
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
    [text, id, status]: &[&str; 3],
    line: u64,
) -> Result<Option<SaidOfDraft>, ReviewProblem> {
    let cell = |name: &str| columns.get(name).and_then(|place| record.get(*place)).map(original);
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
    let text = cell(text).filter(|text| !text.trim().is_empty()).map(str::to_owned);
    Ok(Some(SaidOfDraft { line, id: id.to_owned(), text, status }))
}
