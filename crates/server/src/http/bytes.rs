//! Bytes: pictures and files, with what a browser needs to keep them and to read parts of them.
//!
//! Whatever stands in a file that somebody gave, a browser must not take it for a page: its type is what was found by
//! reading it, it can't be sniffed, and a policy shuts it in.

use std::fs::File;
use std::io::SeekFrom;
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// So many bytes of a file are in memory at a time.
const STREAMED_AT_ONCE: usize = 64 << 10;

/// A file that is called so may run nothing and load nothing.
const SANDBOX: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// How a file is given.
pub(crate) enum Downloads<'a> {
    /// To be looked at.
    Shown,
    /// To be kept under this name.
    Kept(&'a str),
}

/// The type of a format's files.
pub(crate) fn mime_of(format: &str) -> &'static str {
    match format {
        "jpeg" | "jpg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "avif" => "image/avif",
        "heic" => "image/heic",
        "svg" => "image/svg+xml",
        "csv" => "text/csv; charset=utf-8",
        "jsonl" => "application/x-ndjson",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

/// An answer of bytes that never change under this address. `tag` is the hash of what they are.
pub(crate) fn picture(asked: &HeaderMap, format: &str, tag: &str, content: Bytes, how: &Downloads<'_>) -> Response {
    let mut answer = Asked::of(asked, tag, content.len() as u64);
    answer.put(header::CACHE_CONTROL, "private, max-age=31536000, immutable");
    answer.put(header::CONTENT_TYPE, mime_of(format));
    if let Downloads::Kept(name) = how {
        answer.put(header::CONTENT_DISPOSITION, &attachment(name));
    }
    match answer.part {
        Some((first, count)) if count < content.len() as u64 => {
            answer.with(Body::from(content.slice(first as usize..(first + count) as usize)))
        }
        Some(_) => answer.with(Body::from(content)),
        None => answer.without(),
    }
}

/// An answer of a file of any length, which is never in memory. It may be another the next time.
pub(crate) async fn streamed(asked: &HeaderMap, file: File, format: &str, name: &str) -> std::io::Result<Response> {
    let known = file.metadata()?;
    let length = known.len();
    let changed = known.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let tag = format!("{length}-{}", changed.as_micros());
    // Headers, and whether all of it, a part or nothing is wanted, are as of any other bytes.
    let mut answer = Asked::of(asked, &tag, length);
    answer.put(header::CACHE_CONTROL, "private, no-cache");
    answer.put(header::CONTENT_TYPE, mime_of(format));
    answer.put(header::CONTENT_DISPOSITION, &attachment(name));
    let Some((first, count)) = answer.part else { return Ok(answer.without()) };
    let mut file = tokio::fs::File::from_std(file);
    file.seek(SeekFrom::Start(first)).await?;
    answer.put(header::CONTENT_LENGTH, &count.to_string());
    // It may grow meanwhile: what was announced is sent, and no more.
    let parts = futures_util::stream::try_unfold(file.take(count), |mut rest| async move {
        let mut part = BytesMut::with_capacity(STREAMED_AT_ONCE);
        let read = rest.read_buf(&mut part).await?;
        std::io::Result::Ok((read > 0).then(|| (part.freeze(), rest)))
    });
    Ok(answer.with(Body::from_stream(parts)))
}

/// What is wanted of bytes, and the headers of the answer.
struct Asked {
    status: StatusCode,
    headers: HeaderMap,
    /// The first byte that is wanted and how many, if any are.
    part: Option<(u64, u64)>,
}

impl Asked {
    fn of(asked: &HeaderMap, tag: &str, length: u64) -> Self {
        let etag = format!("\"{tag}\"");
        let mut this = Self { status: StatusCode::OK, headers: HeaderMap::new(), part: Some((0, length)) };
        this.put(header::ETAG, &etag);
        this.put(header::CONTENT_SECURITY_POLICY, SANDBOX);
        this.put(header::ACCEPT_RANGES, "bytes");
        let known = asked.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
        if known.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == "*" || one == etag) {
            return Self { status: StatusCode::NOT_MODIFIED, part: None, ..this };
        }
        // A part of another version is no part of this one.
        let same = asked.get(header::IF_RANGE).is_none_or(|tag| tag.as_bytes() == etag.as_bytes());
        let range = asked.get(header::RANGE).filter(|_| same).and_then(|range| range.to_str().ok());
        match range.map(|range| (range, part(range, length))) {
            Some((_, Some((first, last)))) => {
                this.put(header::CONTENT_RANGE, &format!("bytes {first}-{last}/{length}"));
                Self { status: StatusCode::PARTIAL_CONTENT, part: Some((first, last - first + 1)), ..this }
            }
            Some((range, None)) if range.starts_with("bytes=") && !range.contains(',') => {
                this.put(header::CONTENT_RANGE, &format!("bytes */{length}"));
                Self { status: StatusCode::RANGE_NOT_SATISFIABLE, part: None, ..this }
            }
            // Several parts at once, or units that are not ours: all of it, as RFC 9110, 14.2 allows.
            _ => this,
        }
    }

    fn put(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }

    fn with(self, body: Body) -> Response {
        (self.status, self.headers, body).into_response()
    }

    fn without(self) -> Response {
        (self.status, self.headers).into_response()
    }
}

/// The first and the last byte of `bytes=A-B`, `bytes=A-` or `bytes=-N`.
fn part(range: &str, length: u64) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.checked_sub(1)?;
    let (first, last) = match (first.trim(), last.trim()) {
        ("", suffix) => (length.saturating_sub(suffix.parse().ok().filter(|count| *count > 0)?), end),
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, last.parse::<u64>().ok()?.min(end)),
    };
    (first <= last && first < length).then_some((first, last))
}

/// RFC 6266, with the name in UTF-8 (RFC 8187) for whoever reads that.
fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    let mut whole = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => whole.push(char::from(byte)),
            _ => whole.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_was_asked_for_or_nothing() {
        for (range, length, expected) in [
            ("bytes=0-9", 100, Some((0, 9))),
            ("bytes=90-", 100, Some((90, 99))),
            ("bytes=-10", 100, Some((90, 99))),
            ("bytes=-1000", 100, Some((0, 99))),
            ("bytes=50-1000", 100, Some((50, 99))),
            ("bytes=100-", 100, None),
            ("bytes=5-4", 100, None),
            ("bytes=-0", 100, None),
            ("bytes=0-0", 0, None),
            ("lines=1-2", 100, None),
        ] {
            assert_eq!(part(range, length), expected, "{range}");
        }
    }

    #[test]
    fn a_name_says_what_it_is_to_any_browser() {
        assert_eq!(attachment("a b.png"), "attachment; filename=\"a b.png\"; filename*=UTF-8''a%20b.png");
        assert_eq!(attachment("ü\".png"), "attachment; filename=\"__.png\"; filename*=UTF-8''%C3%BC%22.png");
    }
}
