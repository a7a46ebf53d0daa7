//! Answers in the spellings and shapes that gateways write, brought into the form of the documents.

use serde_json::{Map, Value, json};

use crate::finish::BROKEN_OFF;
use crate::lenient::{self, Body};

/// An answer as the documents have it, as far as the body holds one.
pub(super) fn canonical(body: Body) -> Value {
    match body {
        Body::Whole(value) => whole(value),
        Body::Stream { pieces, .. } => stream(pieces.into_iter().map(whole).collect()),
    }
}

/// The usage of a body of which nothing else can be read.
pub(super) fn usage(usage: Map<String, Value>) -> Value {
    lenient::renamed(Value::Object(usage), camel)
}

fn whole(mut value: Value) -> Value {
    if let Value::Array(elements) = value {
        value = elements.into_iter().next().unwrap_or_default();
    }
    let mut value = lenient::renamed(value, camel);
    let answers = ["candidates", "promptFeedback", "embedding", "embeddings"];
    if answers.iter().all(|name| value.get(name).is_none())
        && let Some(within) = value.get("response").or_else(|| value.get("result")).filter(|within| within.is_object())
    {
        value = within.clone();
    }
    let candidates = value.get_mut("candidates").and_then(Value::as_array_mut);
    for candidate in candidates.into_iter().flatten() {
        let Some(content) = candidate.get_mut("content") else { continue };
        if let Value::String(text) = content {
            *content = json!({ "parts": [{ "text": text }] });
        } else if let Value::Array(parts) = content {
            *content = json!({ "parts": parts });
        } else if let Some(part @ Value::Object(_)) = content.get_mut("parts") {
            *part = json!([part.take()]);
        }
    }
    // One of vectors is under either name; texts have their numbers at once or under `values`.
    if let Some(vectors) = value.get_mut("embeddings").and_then(Value::as_array_mut) {
        vectors.iter_mut().for_each(vector);
    }
    if let Some(one) = value.get_mut("embedding") {
        vector(one);
    }
    value
}

fn vector(vector: &mut Value) {
    if vector.is_array() {
        *vector = json!({ "values": vector.take() });
    }
}

/// One answer of the pieces of a stream.
fn stream(pieces: Vec<Value>) -> Value {
    let (mut parts, mut reason) = (Vec::new(), Value::Null);
    let mut kept = Map::new();
    for piece in pieces {
        for name in ["usageMetadata", "promptFeedback", "error"] {
            if let Some(said) = piece.get(name).filter(|said| !said.is_null()) {
                kept.insert(name.into(), said.clone());
            }
        }
        let Some(candidate) = piece.get("candidates").and_then(|candidates| candidates.get(0)) else { continue };
        let more = candidate.get("content").and_then(|content| content.get("parts")).and_then(Value::as_array);
        parts.extend(more.into_iter().flatten().cloned());
        if let Some(said) = candidate.get("finishReason").filter(|said| !said.is_null()) {
            reason = said.clone();
        }
    }
    if reason.is_null() && !kept.contains_key("promptFeedback") {
        reason = BROKEN_OFF.into();
    }
    kept.insert("candidates".into(), json!([{ "content": { "parts": parts }, "finishReason": reason }]));
    Value::Object(kept)
}

/// A name in this wire's spelling, if it is written in another.
fn camel(name: &str) -> Option<String> {
    let (mut out, mut raise) = (String::new(), false);
    for c in name.chars() {
        if c == '_' && !out.is_empty() {
            raise = true;
        } else if std::mem::take(&mut raise) {
            out.push(c.to_ascii_uppercase());
        } else {
            out.push(c);
        }
    }
    (out != name).then_some(out)
}
