//! Drafts as a CSV file, one row a post, with the columns that teams have built their habits on.

pub(crate) mod cells;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use atelier_engine::Timestamp;
use atelier_store::{DraftFilter, DraftRow, DraftStatus, Store};

use crate::error::RepliesError;
use crate::score::Label;

/// The columns, in their order.
pub const COLUMNS: [&str; 35] = [
    "rank",
    "priority_score",
    "project",
    "tweet_id",
    "url",
    "author",
    "followers",
    "views",
    "tweet_text",
    "posted_at",
    "score_total",
    "label",
    "topic",
    "why",
    "suggested_response",
    "suggested_type",
    "alternative_1",
    "alt_1_type",
    "alternative_2",
    "alt_2_type",
    "alternative_3",
    "alt_3_type",
    "alternative_4",
    "alt_4_type",
    "suggested_id",
    "suggested_status",
    "alt_1_id",
    "alt_1_status",
    "alt_2_id",
    "alt_2_status",
    "alt_3_id",
    "alt_3_status",
    "alt_4_id",
    "alt_4_status",
    CHECKS,
];

/// The column of what each draft's text was, so that a change made in the file is told from one made here.
pub(crate) const CHECKS: &str = "text_checks";

/// Of each draft of a row: the columns of its text, its kind, its id and its status, by which a decision comes back.
pub(crate) const DRAFT_COLUMNS: [[&str; 4]; DRAFTS] = [
    ["suggested_response", "suggested_type", "suggested_id", "suggested_status"],
    ["alternative_1", "alt_1_type", "alt_1_id", "alt_1_status"],
    ["alternative_2", "alt_2_type", "alt_2_id", "alt_2_status"],
    ["alternative_3", "alt_3_type", "alt_3_id", "alt_3_status"],
    ["alternative_4", "alt_4_type", "alt_4_id", "alt_4_status"],
];

/// The drafts that a row has room for: one suggestion and four alternatives.
pub(crate) const DRAFTS: usize = 5;

/// Drafts are read, and marked, in pages of this size.
const PAGE: usize = 500;

/// The order of an export: the key of its rows, highest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// The post's score.
    Score,
    /// The post's views.
    Views,
    /// Score × √views.
    #[default]
    Balanced,
}

impl FromStr for SortBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "score" => Ok(Self::Score),
            "views" => Ok(Self::Views),
            "balanced" => Ok(Self::Balanced),
            _ => Err(format!("'{text}' is not an order; there are score, views and balanced")),
        }
    }
}

impl SortBy {
    /// The key of a row.
    fn priority(self, score: f64, views: u64) -> f64 {
        // Views are far below 2^53.
        let views = views as f64;
        match self {
            Self::Score => score,
            Self::Views => views,
            Self::Balanced => score * views.sqrt(),
        }
    }
}

/// The selection of drafts to export, and their order.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportOptions {
    /// Of these projects; empty means all.
    pub projects: Vec<String>,
    /// The order of the rows.
    pub sort_by: SortBy,
    /// Only posts of this label.
    pub label: Option<Label>,
    /// Only drafts of this status.
    pub status: DraftStatus,
    /// Only posts posted at most so many hours ago.
    pub hours_back: Option<f64>,
    /// At most so many rows.
    pub limit: Option<usize>,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self {
            projects: Vec::new(),
            sort_by: SortBy::default(),
            label: None,
            status: DraftStatus::Pending,
            hours_back: None,
            limit: None,
        }
    }
}

/// One row: a post and its drafts, the best first.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportRow {
    /// Its key in the order of the export.
    pub priority: f64,
    /// The drafts, all of one post and none other.
    pub drafts: Vec<DraftRow>,
}

/// The size of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Rows: one for each post.
    pub rows: usize,
    /// Drafts in all rows.
    pub drafts: usize,
    /// Whether there was nothing to export, and a file that was there is as it was.
    pub left: bool,
}

/// The rows to export, sorted.
///
/// # Errors
/// What the store reports.
pub async fn rows(store: &Store, options: &ExportOptions, now: Timestamp) -> Result<Vec<ExportRow>, RepliesError> {
    let back = options.hours_back.and_then(|hours| Duration::try_from_secs_f64(hours * 3_600.0).ok());
    let mut filter = DraftFilter {
        projects: options.projects.clone(),
        statuses: vec![options.status],
        label: options.label.map(|label| label.name().to_owned()),
        posted_from: back.map(|back| now.before(back)),
        limit: PAGE,
        ..DraftFilter::default()
    };
    let mut rows: Vec<ExportRow> = Vec::new();
    let mut places = std::collections::HashMap::new();
    loop {
        let page = store.drafts(&filter).await?;
        let whole = page.len() == PAGE;
        filter.after = page.last().map(DraftRow::cursor);
        for row in page {
            let post = (row.post.project.clone(), row.post.id.clone());
            let place = *places.entry(post).or_insert_with(|| {
                let score = row.score.as_ref().map_or(0.0, |score| score.total);
                let priority = options.sort_by.priority(score, row.post.views);
                rows.push(ExportRow { priority, drafts: Vec::new() });
                rows.len() - 1
            });
            if let Some(place) = rows.get_mut(place) {
                place.drafts.push(row);
            }
        }
        if !whole {
            break;
        }
    }
    for row in &mut rows {
        row.drafts.sort_by_key(|row| row.draft.rank);
        row.drafts.truncate(DRAFTS);
    }
    // Stable: of equal rows the one saved first stays first.
    rows.sort_by(|a, b| b.priority.total_cmp(&a.priority));
    rows.truncate(options.limit.unwrap_or(usize::MAX));
    Ok(rows)
}

/// Writes rows as CSV with a header.
///
/// # Errors
/// What `to` reports.
pub fn write_csv(rows: &[ExportRow], to: impl Write) -> std::io::Result<()> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(COLUMNS).map_err(std::io::Error::other)?;
    for (rank, row) in (1_usize..).zip(rows) {
        writer.write_record(cells::of(rank, row)).map_err(std::io::Error::other)?;
    }
    writer.flush()
}

/// Exports to a file, which is whole or not there: it is written under another name, synced, and renamed.
/// A file that is there already stays as it is where there is nothing to export. Then the drafts become `exported`; a
/// crash between the two exports them again, rather than never.
///
/// # Errors
/// [`RepliesError::Export`] and what the store reports.
pub async fn to_file(
    store: &Store,
    options: &ExportOptions,
    path: &Path,
    now: Timestamp,
) -> Result<Exported, RepliesError> {
    let rows = rows(store, options, now).await?;
    if rows.is_empty() && path.exists() {
        return Ok(Exported { rows: 0, drafts: 0, left: true });
    }
    let (file, written) = (path.to_owned(), rows);
    let rows = tokio::task::spawn_blocking(move || write_file(&written, &file).map(|()| written))
        .await
        .map_err(|error| RepliesError::Thread(error.to_string()))?
        .map_err(|source| RepliesError::Export { path: path.to_owned(), source })?;
    mark_exported(store, &rows, now).await
}

/// Exports to a writer, such as standard output.
///
/// # Errors
/// [`RepliesError::Export`] and what the store reports.
pub async fn to_writer(
    store: &Store,
    options: &ExportOptions,
    to: impl Write,
    now: Timestamp,
) -> Result<Exported, RepliesError> {
    let rows = rows(store, options, now).await?;
    write_csv(&rows, to).map_err(|source| RepliesError::Export { path: PathBuf::from("-"), source })?;
    mark_exported(store, &rows, now).await
}

async fn mark_exported(store: &Store, rows: &[ExportRow], now: Timestamp) -> Result<Exported, RepliesError> {
    let drafts = || rows.iter().flat_map(|row| &row.drafts).map(|row| &row.draft);
    // Others are exported for the record, and stay what they are.
    let handed_out = drafts().filter(|draft| DraftStatus::Exported.comes_from().contains(&draft.status));
    let ids: Vec<String> = handed_out.map(|draft| draft.id.clone()).collect();
    for ids in ids.chunks(PAGE) {
        store.set_draft_status(ids, DraftStatus::Exported, None, now).await?;
    }
    Ok(Exported { rows: rows.len(), drafts: drafts().count(), left: false })
}

fn write_file(rows: &[ExportRow], path: &Path) -> std::io::Result<()> {
    // What a link leads to is what is meant, and a pipe or a device is written to.
    let there = std::fs::metadata(path).ok();
    if there.as_ref().is_some_and(|there| !there.is_file() && !there.is_dir()) {
        return write_csv(rows, std::fs::OpenOptions::new().write(true).open(path)?);
    }
    let behind_link = there.map(|_| path.canonicalize()).transpose()?;
    let path = behind_link.as_deref().unwrap_or(path);
    let name = path.file_name().ok_or_else(|| std::io::Error::other("it has no file name"))?;
    let mut temporary = name.to_owned();
    temporary.push(format!(".{:08x}.tmp", fastrand::u32(..)));
    let temporary = path.with_file_name(temporary);
    let written = write_and_sync(rows, &temporary).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // Best effort: the first error is the one to report.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

fn write_and_sync(rows: &[ExportRow], path: &Path) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create_new(path)?);
    write_csv(rows, &mut file)?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
}
