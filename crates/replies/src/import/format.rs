//! The formats of files of posts, and how a file's format is recognised.

use serde_json::value::RawValue;

/// The format of a file of posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostsFormat {
    /// Comma-separated values with a header line (semicolons and tabs will do).
    Csv,
    /// One JSON document: a list of posts, an object with `posts` or `data`, or one post.
    Json,
    /// One JSON object a line.
    JsonLines,
}

impl PostsFormat {
    /// The format by the file's name if that says CSV or JSON Lines, else by how the content starts.
    #[must_use]
    pub fn of(name: Option<&str>, content: &str) -> Self {
        let extension =
            name.and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension.to_ascii_lowercase());
        let start = content.trim_start().chars().next();
        match (extension.as_deref(), start) {
            (Some("csv" | "tsv"), _) => Self::Csv,
            (Some("jsonl" | "ndjson"), _) => Self::JsonLines,
            (_, Some('[')) => Self::Json,
            (_, Some('{')) => lines_or_document(content),
            (Some("json"), _) => Self::Json,
            _ => Self::Csv,
        }
    }
}

/// Tells one document from one a line in a text that starts with `{`. A broken text counts as a document if
/// its first line is a bare `{` or the only one.
fn lines_or_document(text: &str) -> PostsFormat {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let first_is_whole = serde_json::from_str::<&RawValue>(first).is_ok();
    let document = !first_is_whole && serde_json::from_str::<&RawValue>(text).is_ok();
    let spread = first.trim() == "{" || (!first_is_whole && lines.next().is_none());
    if document || spread || (first_is_whole && text.trim().lines().nth(1).is_none()) {
        PostsFormat::Json
    } else {
        PostsFormat::JsonLines
    }
}
