//! Answers in the spellings and shapes that other servers write, brought into the form of the documents.

use serde_json::{Map, Value, json};

use crate::error_body::{error_in, is_error};
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
        let of_vectors = |element: &Value| element.is_array() || element.get("embedding").is_some();
        value = if elements.iter().any(of_vectors) {
            json!({ "data": elements })
        } else {
            elements.into_iter().next().unwrap_or_default()
        };
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
            (Some(Value::Array(output)), _) => Some(responses(output, fields)),
            (_, Some(message @ Value::Object(_))) => {
                Some(json!({ "message": message, "finish_reason": fields.get("done_reason") }))
            }
            _ => fields
                .get("response")
                .filter(|said| said.is_string())
                .map(|said| json!({ "message": { "content": said }, "finish_reason": fields.get("done_reason") })),
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
    if let Some(one) = fields.get_mut("data").filter(|data| is_one_of_a_list(data)) {
        *one = json!([one.take()]);
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

/// Whether this is a picture or a vector that should stand in a list.
fn is_one_of_a_list(data: &Value) -> bool {
    ["b64_json", "url", "embedding"].iter().any(|name| data.get(name).is_some())
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
    if let Some(text) = fields.get_mut("message").filter(|message| message.is_string()) {
        *text = json!({ "content": text.take() });
    }
}

/// The answer among the pieces of OpenAI's newer form: its messages, and not what was thought before them.
fn responses(output: &[Value], fields: &Map<String, Value>) -> Value {
    let messages = output.iter().filter(|item| item.get("type").is_none_or(|kind| kind == "message"));
    let parts = messages.filter_map(|item| item.get("content")).flat_map(|content| match content {
        Value::Array(parts) => parts.clone(),
        one => vec![one.clone()],
    });
    let because = fields.get("incomplete_details").and_then(|details| details.get("reason")).and_then(Value::as_str);
    let reason = match fields.get("status").and_then(Value::as_str) {
        Some("incomplete") => because.or(Some("length")),
        Some("completed") => Some("stop"),
        other => other,
    };
    let parts: Vec<Value> = parts.collect();
    let refusal = parts.iter().find_map(|part| part.get("refusal"));
    json!({ "message": { "content": parts, "refusal": refusal }, "finish_reason": reason })
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

/// One answer of the pieces of a stream.
fn stream(pieces: Vec<Value>, ended: bool) -> Value {
    let mut joined = Joined::default();
    for piece in pieces {
        // OpenAI's newer form ends with all of the answer.
        if let Some(response) = piece.get("response").filter(|response| holds_an_answer(response)) {
            let kind = piece.get("type").and_then(Value::as_str).unwrap_or_default();
            if ["completed", "incomplete", "failed"].iter().any(|end| kind.ends_with(end)) {
                return whole(response.clone());
            }
        }
        joined.take(whole(piece));
    }
    joined.into_answer(ended)
}

/// What the pieces of a stream come to.
#[derive(Default)]
struct Joined {
    text: String,
    refusal: String,
    calls: Vec<Value>,
    data: Vec<Value>,
    reason: Value,
    usage: Value,
    error: Value,
}

impl Joined {
    fn take(&mut self, mut piece: Value) {
        if let Some(usage) = piece.get("usage").filter(|usage| !usage.is_null()) {
            self.usage = usage.clone();
        }
        if let Some(error) = error_in(&piece) {
            self.error = error.clone();
        }
        if let Some(delta) = piece.get("delta").and_then(Value::as_str) {
            let kind = piece.get("type").and_then(Value::as_str).unwrap_or_default();
            match kind {
                "response.refusal.delta" => self.refusal.push_str(delta),
                "response.output_text.delta" => self.text.push_str(delta),
                _ => {}
            }
        }
        if piece.get("b64_json").is_some() {
            // Pictures that are not finished come before the one that is.
            let unfinished = piece.get("type").and_then(Value::as_str).is_some_and(|kind| kind.contains("partial"));
            self.data.extend((!unfinished).then(|| piece.clone()));
        } else if let Some(data) = piece.get_mut("data").and_then(Value::as_array_mut) {
            self.data.append(data);
        }
        let choices = piece.get("choices").and_then(Value::as_array);
        let is_first = |choice: &&Value| choice.get("index").is_none_or(|index| index.is_null() || index == 0);
        if let Some(choice) = choices.into_iter().flatten().find(is_first) {
            self.take_choice(choice);
        }
    }

    fn take_choice(&mut self, choice: &Value) {
        if let Some(reason) = choice.get("finish_reason").filter(|reason| !reason.is_null()) {
            self.reason = reason.clone();
        }
        if let Some(error) = choice.get("error").filter(|error| is_error(error)) {
            self.error = error.clone();
        }
        let Some(message) = choice.get("message") else { return };
        self.text.push_str(&message.get("content").map(text_of).unwrap_or_default());
        self.refusal.push_str(message.get("refusal").and_then(Value::as_str).unwrap_or_default());
        for call in message.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            self.take_call(call);
        }
    }

    /// A call of a tool comes in pieces, too: its arguments are written one after the other.
    fn take_call(&mut self, call: &Value) {
        let place = call.get("index").and_then(Value::as_u64);
        let same = self.calls.iter_mut().find(|known| place.is_some() && known.get("index") == call.get("index"));
        let Some(known) = same else { return self.calls.push(call.clone()) };
        let arguments = |call: &Value| Some(call.get("function")?.get("arguments")?.as_str()?.to_owned());
        let all = arguments(known).unwrap_or_default() + &arguments(call).unwrap_or_default();
        if let Some(function) = known.get_mut("function").and_then(Value::as_object_mut) {
            function.insert("arguments".into(), all.into());
        }
    }

    fn into_answer(mut self, ended: bool) -> Value {
        if self.reason.is_null() && !ended {
            self.reason = BROKEN_OFF.into();
        }
        let message = json!({ "content": self.text, "refusal": self.refusal, "tool_calls": self.calls });
        json!({
            "choices": [{ "message": message, "finish_reason": self.reason }],
            "data": self.data,
            "usage": with_both_names(self.usage),
            "error": self.error,
        })
    }
}

/// A text, or a list of parts with texts, as some servers write it; anything else is none. Parts that hold what was
/// thought are passed over.
pub(super) fn text_of(content: &Value) -> String {
    fn part(part: &Value) -> Option<&str> {
        let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
        if kind.contains("think") || kind.contains("reason") {
            return None;
        }
        let text = part.get("text").unwrap_or(part);
        text.as_str().or_else(|| text.get("value")?.as_str())
    }
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(part).collect(),
        one @ Value::Object(_) => part(one).unwrap_or_default().to_owned(),
        _ => String::new(),
    }
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
