//! Answers of servers that speak this wire with an accent, brought into the form of the documents.

use serde_json::{Map, Value, json};

use crate::finish::BROKEN_OFF;
use crate::lenient::{self, Body};

/// Where gateways put the answer of the server behind them.
const WRAPPERS: [&str; 4] = ["data", "result", "response", "body"];

/// A completion, embeddings or images as the documents have them, as far as the body holds them.
pub(super) fn canonical(body: Body) -> Value {
    match body {
        Body::Whole(value) => whole(lenient::renamed(value, snake)),
        Body::Stream { pieces, ended } => {
            stream(pieces.into_iter().map(|piece| lenient::renamed(piece, snake)).collect(), ended)
        }
    }
}

/// The usage of a body of which nothing else can be read.
pub(super) fn usage(usage: Map<String, Value>) -> Value {
    with_both_names(lenient::renamed(Value::Object(usage), snake))
}

fn whole(mut value: Value) -> Value {
    if let Value::Array(elements) = value {
        value = elements.into_iter().next().unwrap_or_default();
    }
    if ["choices", "output", "message", "embeddings", "embedding"].iter().all(|name| value.get(name).is_none()) {
        let within = WRAPPERS.iter().find_map(|name| value.get(*name).filter(|within| holds_an_answer(within)));
        if let Some(within) = within {
            value = within.clone();
        }
    }
    let Value::Object(fields) = &mut value else { return value };
    if !fields.contains_key("choices") {
        let choice = match (fields.get("output"), fields.get("message")) {
            (Some(Value::Array(output)), _) => Some(responses(output, fields.get("status"))),
            (_, Some(message @ Value::Object(_))) => {
                Some(json!({ "message": message, "finish_reason": fields.get("done_reason") }))
            }
            _ => None,
        };
        if let Some(choice) = choice {
            fields.insert("choices".into(), json!([choice]));
        }
    }
    if let Some(choices) = fields.get_mut("choices") {
        if choices.is_object() {
            *choices = json!([choices.take()]);
        }
        choices.as_array_mut().into_iter().flatten().for_each(choice);
    }
    if let Some(data) = vectors(fields) {
        fields.insert("data".into(), data);
    }
    let counted = [("prompt_tokens", "prompt_eval_count"), ("completion_tokens", "eval_count")];
    if !fields.contains_key("usage") && fields.contains_key("eval_count") {
        let usage = counted.map(|(name, count)| (name.to_owned(), fields.get(count).cloned().unwrap_or_default()));
        fields.insert("usage".into(), Value::Object(usage.into_iter().collect()));
    }
    if let Some(usage) = fields.get_mut("usage") {
        *usage = with_both_names(usage.take());
    }
    value
}

fn holds_an_answer(value: &Value) -> bool {
    value.is_object() && ["choices", "data", "output", "embeddings"].iter().any(|name| value.get(name).is_some())
}

/// A message in its place, whatever it was called.
fn choice(choice: &mut Value) {
    let Value::Object(fields) = choice else { return };
    if fields.get("message").is_none_or(Value::is_null) {
        let message = fields.remove("delta").or_else(|| Some(json!({ "content": fields.remove("text")? })));
        fields.extend(message.map(|message| ("message".to_owned(), message)));
    }
}

/// The answer among the pieces of OpenAI's newer form: its messages, and not what was thought before them.
fn responses(output: &[Value], status: Option<&Value>) -> Value {
    let messages = output.iter().filter(|item| item.get("type").is_none_or(|kind| kind == "message"));
    let parts = messages.filter_map(|item| item.get("content")).flat_map(|content| match content {
        Value::Array(parts) => parts.clone(),
        one => vec![one.clone()],
    });
    let reason = match status.and_then(Value::as_str) {
        Some("incomplete") => Some("length"),
        Some("completed") => Some("stop"),
        other => other,
    };
    json!({ "message": { "content": parts.collect::<Vec<_>>() }, "finish_reason": reason })
}

/// Vectors as a list of lists, or under another name.
fn vectors(fields: &Map<String, Value>) -> Option<Value> {
    let listed = |vectors: &Vec<Value>| -> Value {
        let each = vectors.iter().map(|vector| match vector {
            Value::Array(_) | Value::String(_) => json!({ "embedding": vector }),
            Value::Object(object) if !object.contains_key("embedding") => {
                let mut object = object.clone();
                let values = object.remove("values").or_else(|| object.remove("vector"));
                object.extend(values.map(|values| ("embedding".to_owned(), values)));
                Value::Object(object)
            }
            other => other.clone(),
        });
        each.collect()
    };
    match (fields.get("data"), fields.get("embeddings"), fields.get("embedding")) {
        (Some(Value::Array(data)), _, _) if data.iter().any(|one| one.is_array() || one.is_object()) => {
            Some(listed(data))
        }
        (None, Some(Value::Array(vectors)), _) => Some(listed(vectors)),
        (None, None, Some(vector @ Value::Array(_))) => Some(json!([{ "embedding": vector }])),
        _ => None,
    }
}

/// One completion of the pieces of a stream.
fn stream(pieces: Vec<Value>, ended: bool) -> Value {
    let (mut text, mut refusal) = (String::new(), String::new());
    let (mut reason, mut usage, mut error, mut calls) = (Value::Null, Value::Null, Value::Null, Value::Null);
    for piece in pieces {
        for (name, kept) in [("usage", &mut usage), ("error", &mut error)] {
            if let Some(said) = piece.get(name).filter(|said| !said.is_null()) {
                *kept = said.clone();
            }
        }
        let Some(choice) = piece.get("choices").and_then(|choices| choices.get(0)) else { continue };
        let message = choice.get("delta").or_else(|| choice.get("message")).unwrap_or(choice);
        let more = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
        text.push_str(more("content"));
        refusal.push_str(more("refusal"));
        if let Some(said) = choice.get("finish_reason").filter(|said| !said.is_null()) {
            reason = said.clone();
        }
        if let Some(called) = message.get("tool_calls").filter(|called| !called.is_null()) {
            calls = called.clone();
        }
    }
    if reason.is_null() && !ended {
        reason = BROKEN_OFF.into();
    }
    let message = json!({ "content": text, "refusal": refusal, "tool_calls": calls });
    json!({
        "choices": [{ "message": message, "finish_reason": reason }],
        "usage": with_both_names(usage),
        "error": error,
    })
}

/// Counts under the names that chats use and under those that images use.
fn with_both_names(mut usage: Value) -> Value {
    if let Value::Object(fields) = &mut usage {
        for (a, b) in [
            ("prompt_tokens", "input_tokens"),
            ("completion_tokens", "output_tokens"),
            ("prompt_tokens_details", "input_tokens_details"),
            ("completion_tokens_details", "output_tokens_details"),
        ] {
            for (from, to) in [(a, b), (b, a)] {
                if let (Some(said), None) = (fields.get(from).cloned(), fields.get(to).filter(|said| !said.is_null())) {
                    fields.insert(to.into(), said);
                }
            }
        }
    }
    usage
}

/// A name in this wire's spelling, if it is written in another.
fn snake(name: &str) -> Option<String> {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    (out != name).then_some(out)
}
