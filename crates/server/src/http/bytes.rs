//! Bytes: pictures and files, with what a browser needs to keep them and to read parts of them.
//!
//! Whatever stands in a file that somebody gave, a browser must not take it for a page: its type is what was found by
//! reading it, it can't be sniffed, and a policy shuts it in.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

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
    let etag = format!("\"{tag}\"");
    let mut headers = HeaderMap::new();
    let mut put = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put(header::ETAG, &etag);
    put(header::CACHE_CONTROL, "private, max-age=31536000, immutable");
    put(header::CONTENT_SECURITY_POLICY, SANDBOX);
    put(header::ACCEPT_RANGES, "bytes");
    put(header::CONTENT_TYPE, mime_of(format));
    if let Downloads::Kept(name) = how {
        put(header::CONTENT_DISPOSITION, &attachment(name));
    }
    let known = asked.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| {
        tags.split(',').any(|one| {
            matches!(one.trim().trim_start_matches("W/"), "*") || one.trim().trim_start_matches("W/") == etag
        })
    }) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let length = content.len() as u64;
    // A part of another version is no part of this one.
    let same = asked.get(header::IF_RANGE).is_none_or(|tag| tag.as_bytes() == etag.as_bytes());
    let range = asked.get(header::RANGE).filter(|_| same).and_then(|range| range.to_str().ok());
    match range.map(|range| part(range, length)) {
        Some(Some((first, last))) => {
            headers.insert(header::CONTENT_RANGE, content_range(&format!("bytes {first}-{last}/{length}")));
            let (first, last) = (first as usize, last as usize);
            (StatusCode::PARTIAL_CONTENT, headers, Body::from(content.slice(first..=last))).into_response()
        }
        Some(None) if range.is_some_and(|range| range.starts_with("bytes=") && !range.contains(',')) => {
            headers.insert(header::CONTENT_RANGE, content_range(&format!("bytes */{length}")));
            (StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response()
        }
        // Several parts at once, or units that are not ours: all of it, as RFC 9110, 14.2 allows.
        _ => (StatusCode::OK, headers, Body::from(content)).into_response(),
    }
}

fn content_range(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("bytes */0"))
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
