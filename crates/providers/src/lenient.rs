//! JSON as servers really write it.
//!
//! What is sent is strict; an answer may have been paid for, and is read as far as it goes. Most are as the documents
//! say and never come here.

use serde_json::{Map, Value};

use crate::http::HttpAnswer;

/// The body of an answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Body {
    /// One value, as was asked for.
    Whole(Value),
    /// The pieces of a stream that nobody asked for, in order.
    Stream {
        /// Each a value of the wire's own form for streams.
        pieces: Vec<Value>,
        /// Whether the stream says that it is at its end.
        ended: bool,
    },
}

/// The body of an answer, if it holds any JSON that is whole.
pub(crate) fn body(answer: &HttpAnswer) -> Option<Body> {
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if let Some(value) = value(text) {
        let of_an_answer = |piece: &Value| ["candidates", "choices"].iter().any(|name| piece.get(name).is_some());
        return Some(match value {
            // Gemini streams a list of answers where nobody asks for events.
            Value::Array(pieces) if pieces.len() > 1 && pieces.iter().any(of_an_answer) => {
                Body::Stream { pieces, ended: false }
            }
            value => Body::Whole(value),
        });
    }
    let events = answer.content_type.as_deref().is_some_and(|kind| kind.contains("event-stream"));
    if events || ["data:", "event:", "id:", "retry:", ":"].iter().any(|begin| text.starts_with(begin)) {
        return Some(self::events(text));
    }
    // Some servers write a value on each line.
    let pieces: Option<Vec<Value>> = text.lines().filter(|line| !line.trim().is_empty()).map(value).collect();
    pieces.filter(|pieces| pieces.len() > 1).map(|pieces| Body::Stream { pieces, ended: false })
}

/// One value, after what is commonly wrong with it is mended. The last of doubled fields counts.
pub(crate) fn value(text: &str) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}').trim();
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&mended(text))).ok()
}

/// Server-sent events: the `data` lines of each are one value. One that can't be read is passed over.
fn events(text: &str) -> Body {
    let (mut pieces, mut ended, mut data) = (Vec::new(), false, String::new());
    for line in text.lines().map(|line| line.trim_end_matches('\r')).chain([""]) {
        if let Some(more) = line.strip_prefix("data:") {
            if !data.is_empty() {
                data.push('\n');
            }
            data.push_str(more.strip_prefix(' ').unwrap_or(more));
        } else if line.trim().is_empty() && !data.is_empty() {
            match data.trim() {
                "[DONE]" => ended = true,
                one => {
                    pieces.extend(value(one).map_or_else(|| one.lines().filter_map(value).collect(), |one| vec![one]));
                }
            }
            data.clear();
        }
    }
    Body::Stream { pieces, ended }
}

/// The object under `name`, the last there is, in a body of which nothing else can be read: it says what was used.
pub(crate) fn object_under(name: &str, body: &[u8]) -> Option<Map<String, Value>> {
    let text = String::from_utf8_lossy(body);
    let quoted = format!("\"{name}\"");
    text.rmatch_indices(&quoted).find_map(|(at, _)| {
        let rest = text[at + quoted.len()..].trim_start().strip_prefix(':')?;
        match serde_json::Deserializer::from_str(rest).into_iter::<Value>().next()? {
            Ok(Value::Object(object)) => Some(object),
            _ => None,
        }
    })
}

/// The text with its commonest defects mended: half surrogates become U+FFFD, control characters in strings and
/// unknown escapes stand for themselves, numbers that are none become null, commas before a closing bracket go.
fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut in_string = false;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match (in_string, c) {
            (true, '\\') => escape(after, &mut out),
            (true, c) if c < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
                after
            }
            (false, 'N' | 'I' | '-') => {
                match ["NaN", "Infinity", "-Infinity"].iter().find(|one| rest.starts_with(**one)) {
                    Some(one) => {
                        out.push_str("null");
                        &rest[one.len()..]
                    }
                    None => {
                        out.push(c);
                        after
                    }
                }
            }
            (false, ']' | '}') => {
                let kept = out.trim_end();
                if let Some(kept) = kept.strip_suffix(',').map(str::len) {
                    out.truncate(kept);
                }
                out.push(c);
                after
            }
            (_, c) => {
                in_string ^= c == '"';
                out.push(c);
                after
            }
        };
    }
    out
}

/// What follows a backslash in a string, written so that it can be read; returns what comes behind it.
fn escape<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let unit = |text: &str| text.strip_prefix('u')?.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    match (rest.chars().next(), unit(rest)) {
        (_, Some(high @ 0xd800..=0xdbff)) => {
            let low = rest[5..].strip_prefix('\\').and_then(unit).filter(|low| (0xdc00..=0xdfff).contains(low));
            match low {
                Some(low) => {
                    out.push_str(&format!("\\u{high:04x}\\u{low:04x}"));
                    &rest[11..]
                }
                None => {
                    out.push_str("\\ufffd");
                    &rest[5..]
                }
            }
        }
        (_, Some(0xdc00..=0xdfff)) => {
            out.push_str("\\ufffd");
            &rest[5..]
        }
        (_, Some(unit)) => {
            out.push_str(&format!("\\u{unit:04x}"));
            &rest[5..]
        }
        (Some(c @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')), None) => {
            out.push('\\');
            out.push(c);
            &rest[1..]
        }
        // No escape of JSON's: the backslash stands for itself.
        (_, None) => {
            out.push_str("\\\\");
            rest
        }
    }
}

/// The same value with every field's name written by `rename`. Where two become one, the one that was written so
/// counts, unless it is null.
pub(crate) fn renamed(value: Value, rename: fn(&str) -> Option<String>) -> Value {
    match value {
        Value::Object(fields) => {
            let (kept, other): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(name, _)| rename(name).is_none());
            let mut object: Map<String, Value> =
                kept.into_iter().map(|(name, value)| (name, renamed(value, rename))).collect();
            for (name, value) in other {
                let name = rename(&name).unwrap_or(name);
                if object.get(&name).is_none_or(Value::is_null) {
                    object.insert(name, renamed(value, rename));
                }
            }
            Value::Object(object)
        }
        Value::Array(elements) => elements.into_iter().map(|element| renamed(element, rename)).collect(),
        value => value,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_commonly_wrong_with_json_is_mended() {
        for (text, read) in [
            (r#"{"a": "\ub300\ud82d \uae4a"}"#, json!({"a": "대\u{fffd} 깊"})),
            (r#"{"a": "\ud83d\ude00 \ude00 \ud83d"}"#, json!({"a": "😀 \u{fffd} \u{fffd}"})),
            (r#"{"a": "\ud83d\n"}"#, json!({"a": "\u{fffd}\n"})),
            ("{\"a\": \"one\ntwo\tthree\"}", json!({"a": "one\ntwo\tthree"})),
            (r#"{"a": "C:\Users \x \u12"}"#, json!({"a": "C:\\Users \\x \\u12"})),
            (r#"{"a": [1, NaN, -Infinity, -2,], "b": "NaN, ]",}"#, json!({"a": [1, null, null, -2], "b": "NaN, ]"})),
            ("\u{feff} {\"a\": 1, \"a\": 2}", json!({"a": 2})),
        ] {
            assert_eq!(value(text), Some(read), "{text}");
        }
        for text in ["", "{", r#"{"a": "b"#, "<html>", "words"] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn a_stream_is_its_pieces_and_says_whether_it_ended() {
        let body = |text: &str| body(&HttpAnswer { body: text.as_bytes().to_vec().into(), ..HttpAnswer::default() });
        let pieces = vec![json!({"choices": 1}), json!({"a": 2})];
        for (text, ended) in [
            ("data: {\"choices\": 1}\n\ndata: {\"a\": 2}\n\ndata: [DONE]\n\n", true),
            (": hello\nevent: message\ndata: {\"choices\":\ndata: 1}\r\n\r\ndata:{\"a\": 2}", false),
            ("{\"choices\": 1}\n{\"a\": 2}\n", false),
            ("[{\"choices\": 1},\n{\"a\": 2}]", false),
        ] {
            assert_eq!(body(text), Some(Body::Stream { pieces: pieces.clone(), ended }), "{text}");
        }
        let vectors = json!([{"embedding": [1.0]}, {"embedding": [2.0]}]);
        assert_eq!(body(&vectors.to_string()), Some(Body::Whole(vectors)));
        let kind = Some("text/event-stream".to_owned());
        let labelled = HttpAnswer { body: "{\"a\": 1}".into(), content_type: kind, ..HttpAnswer::default() };
        assert_eq!(super::body(&labelled), Some(Body::Whole(json!({"a": 1}))));
    }

    #[test]
    fn what_was_used_is_found_in_a_broken_answer() {
        let text = br#"{"text": "\"usage\": {", "x": "half, "usage": {"n": 1}, "choices": [{"text": "and then"#;
        assert_eq!(object_under("usage", text).map(Value::Object), Some(json!({"n": 1})));
        assert_eq!(object_under("usage", b"{\"usage\": {\"n\": "), None);
    }

    proptest! {
        #[test]
        fn json_is_never_mended_into_something_else(text in r#"[\{\}\[\]",:a-zN0-9 \\\n\-]{0,60}"#) {
            let strict: Option<Value> = serde_json::from_str(text.trim()).ok();
            if let Some(strict) = strict {
                prop_assert_eq!(value(&text), Some(strict.clone()));
                prop_assert_eq!(serde_json::from_str::<Value>(&mended(text.trim())).ok(), Some(strict));
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = object_under("usage", &bytes);
            let _ = body(&HttpAnswer { body: bytes.into(), ..HttpAnswer::default() });
        }
    }
}
