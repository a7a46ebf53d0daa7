//! From a file of posts to posts: CSV, JSON, JSON Lines, and what the X API v2 answered.
//!
//! A bad row costs itself only: it is reported with its line and its reason, and the others are read. Ids
//! stay text throughout, for 19 digits don't fit a float.

mod csv;
mod fields;
mod format;
mod json;
mod raw;
mod rows;
mod x_api;

use std::collections::HashMap;

use atelier_engine::Timestamp;
use atelier_store::{Post, Store, Upserted};
use serde::Serialize;

pub use self::format::PostsFormat;
use self::rows::ParsedRow;
use crate::error::RepliesError;

/// The rows of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    /// The good rows, in the file's order.
    pub posts: Vec<Post>,
    /// The bad ones, in the file's order.
    pub bad: Vec<BadRow>,
}

/// A row that was not imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// The line that it starts on, from 1.
    pub line: u64,
    /// The reason, naming the column.
    pub reason: String,
}

/// Reads a file of posts for a project. `name` is the file's name, if it has one.
///
/// # Errors
/// [`RepliesError::Import`] where nothing can be read: it is empty, not text, lacks a column, or isn't JSON
/// where it should be. Anything that concerns one row only is a [`BadRow`].
pub fn read(project: &str, name: Option<&str>, bytes: &[u8]) -> Result<Imported, RepliesError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(RepliesError::Import("it is UTF-16; save it as UTF-8".into()));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Lines stay where they are, and rows that are touched by this are refused one by one.
    let text = String::from_utf8_lossy(bytes);
    let broken = matches!(text, std::borrow::Cow::Owned(_));
    if text.trim().is_empty() {
        return Err(RepliesError::Import("it is empty".into()));
    }
    let rows = match PostsFormat::of(name, &text) {
        PostsFormat::Csv => csv::rows(project, bytes)?,
        PostsFormat::Json => json::document(project, &text, broken)?,
        PostsFormat::JsonLines => json::lines(project, &text, broken),
    };
    Ok(sort_out(rows))
}

/// Parts good rows from bad ones; a second row with the same id is bad.
fn sort_out(rows: Vec<ParsedRow>) -> Imported {
    let mut imported = Imported::default();
    let mut seen: HashMap<String, u64> = HashMap::new();
    for (line, row) in rows {
        match row {
            Ok(post) => match seen.get(&post.id) {
                Some(first) => {
                    let reason = format!("id: {} stands on line {first} already", post.id);
                    imported.bad.push(BadRow { line, reason });
                }
                None => {
                    seen.insert(post.id.clone(), line);
                    imported.posts.push(post);
                }
            },
            Err(reason) => imported.bad.push(BadRow { line, reason }),
        }
    }
    imported
}

/// Saves what was read. With `strict`, bad rows keep all of it out.
///
/// # Errors
/// [`RepliesError::StrictImport`], [`RepliesError::NoSuchProject`] and what the store reports.
pub async fn save(
    store: &Store,
    project: &str,
    imported: Imported,
    strict: bool,
    now: Timestamp,
) -> Result<Upserted, RepliesError> {
    if strict && !imported.bad.is_empty() {
        let bad = imported.bad.len();
        return Err(RepliesError::StrictImport { bad, rows: bad + imported.posts.len() });
    }
    if store.project(project).await?.is_none() {
        return Err(RepliesError::NoSuchProject(project.to_owned()));
    }
    Ok(store.upsert_posts(project, imported.posts, now).await?)
}
