//! Reading what OpenAI and servers like it answer with 200.
//!
//! An answer may have been paid for, so whatever of it is of use is kept: unknown fields and values are
//! ignored, and a number that is not one counts as not reported.

use atelier_engine::{Content, Ending, Fault, FaultKind, Reply, Usage};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::http::HttpAnswer;
use crate::wire::{self, billed, count, name, or_absent, or_default, unreadable, usage_of_vectors, usage_under, word};

use super::limits;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OpenAiCompletion {
    #[serde(deserialize_with = "or_default")]
    choices: Vec<OpenAiChoice>,
    #[serde(deserialize_with = "or_absent")]
    usage: ReportedUsage,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OpenAiChoice {
    #[serde(deserialize_with = "or_default")]
    message: OpenAiAnswerMessage,
    #[serde(deserialize_with = "word")]
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OpenAiAnswerMessage {
    #[serde(deserialize_with = "content")]
    content: String,
    #[serde(deserialize_with = "word")]
    refusal: Option<String>,
    tool_calls: Option<Vec<serde::de::IgnoredAny>>,
    function_call: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReportedUsage {
    #[serde(deserialize_with = "count")]
    prompt_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    completion_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OpenAiEmbeddings {
    #[serde(deserialize_with = "or_default")]
    data: Vec<OpenAiVector>,
    #[serde(deserialize_with = "or_absent")]
    usage: ReportedUsage,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OpenAiVector {
    #[serde(deserialize_with = "count")]
    index: Option<u64>,
    #[serde(deserialize_with = "or_default")]
    embedding: Vec<f32>,
}

/// The meaning of a `finish_reason`, as far as an answer is judged by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OpenAiFinish {
    /// The model ended where it meant to.
    Complete,
    /// It came to the cap on output tokens.
    Cap,
    /// The provider refused the content.
    Refused,
    /// Unknown or no verdict: the content is taken, and the task that asked judges it.
    Other,
}

/// Every reason that the documents name. One that is not here is [`OpenAiFinish::Other`].
const FINISH_REASONS: [(&str, OpenAiFinish); 5] = [
    ("stop", OpenAiFinish::Complete),
    ("length", OpenAiFinish::Cap),
    ("content_filter", OpenAiFinish::Refused),
    ("tool_calls", OpenAiFinish::Complete),
    ("function_call", OpenAiFinish::Complete),
];

fn finish(reason: Option<&str>) -> OpenAiFinish {
    let Some(reason) = reason else { return OpenAiFinish::Other };
    match FINISH_REASONS.iter().find(|(known, _)| *known == reason) {
        Some((_, finish)) => *finish,
        None => {
            tracing::warn!(finish_reason = %name(reason), "an answer ended for a reason that is not known here");
            OpenAiFinish::Other
        }
    }
}

/// The status that an error in a 200 stands for: some gateways answer so when the server behind them fails.
pub(super) fn error_status(answer: &HttpAnswer) -> Option<u16> {
    #[derive(Deserialize)]
    struct Errs {
        error: Option<Value>,
        choices: Option<serde::de::IgnoredAny>,
        data: Option<serde::de::IgnoredAny>,
    }
    let errs: Errs = serde_json::from_slice(&answer.body).ok()?;
    let error = errs.error.filter(|error| !error.is_null())?;
    if errs.choices.is_some() || errs.data.is_some() {
        return None;
    }
    let code = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    Some(code.filter(|code| (400..600).contains(code)).unwrap_or(500))
}

/// An answer to a request for text.
pub(super) fn text(answer: &HttpAnswer) -> Result<Reply, Fault> {
    let completion: OpenAiCompletion = decode(answer, ReportedUsage::of_text)?;
    let usage = completion.usage.of_text();
    let (choice, ending) = judge(&completion)?;
    let text = choice.message.content.clone();
    if text.trim().is_empty() {
        return Err(billed(Fault::new(FaultKind::Empty, "the answer holds no text"), usage));
    }
    Ok(Reply { content: Content::Text(text), ending, usage, limits: limits::reported(&answer.headers) })
}

/// An answer to a body for `chat/completions` that was passed through.
pub(super) fn raw(answer: &HttpAnswer) -> Result<Reply, Fault> {
    let body: Value = decode(answer, ReportedUsage::of_text)?;
    let unreadable = |error| billed(unreadable(answer, &error), ReportedUsage::of_text(&usage(answer)));
    let completion = OpenAiCompletion::deserialize(&body).map_err(unreadable)?;
    let (_, ending) = judge(&completion)?;
    let (usage, limits) = (completion.usage.of_text(), limits::reported(&answer.headers));
    Ok(Reply { content: Content::Raw(body), ending, usage, limits })
}

/// An answer to a body for `embeddings` that was passed through.
pub(super) fn raw_vectors(answer: &HttpAnswer) -> Result<Reply, Fault> {
    let body: Value = decode(answer, ReportedUsage::of_vectors)?;
    let usage = usage(answer).of_vectors();
    if body.get("data").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(billed(Fault::new(FaultKind::Empty, "the answer holds no vectors"), usage));
    }
    let limits = limits::reported(&answer.headers);
    Ok(Reply { content: Content::Raw(body), ending: Ending::Complete, usage, limits })
}

/// An answer to a request for so many vectors. Each says whose it is; where none does, they are in order.
pub(super) fn vectors(answer: &HttpAnswer, asked: usize) -> Result<Reply, Fault> {
    let mut embedded: OpenAiEmbeddings = decode(answer, ReportedUsage::of_vectors)?;
    let input_tokens = embedded.usage.prompt_tokens;
    if embedded.data.iter().any(|vector| vector.index.is_some()) {
        embedded.data.sort_by_key(|vector| vector.index);
        let whole = embedded.data.iter().zip(0..).all(|(vector, place)| vector.index == Some(place));
        // A wrong number of vectors is reported below, as such.
        if !whole && embedded.data.len() == asked {
            let fault = Fault::new(FaultKind::Unreadable, "the vectors are not numbered as the texts were");
            return Err(billed(fault, embedded.usage.of_vectors()));
        }
    }
    let vectors = embedded.data.into_iter().map(|vector| vector.embedding).collect();
    let reply = wire::vectors(vectors, asked, input_tokens)?;
    Ok(Reply { limits: limits::reported(&answer.headers), ..reply })
}

/// The body of an answer; where it can't be read, a fault with what it used as far as that can be read.
fn decode<T: for<'de> Deserialize<'de>>(answer: &HttpAnswer, of: fn(&ReportedUsage) -> Usage) -> Result<T, Fault> {
    wire::decode(answer).map_err(|fault| billed(fault, of(&usage(answer))))
}

fn usage(answer: &HttpAnswer) -> ReportedUsage {
    usage_under("usage", answer)
}

/// The choice to take and how it ended, or the fault that the answer amounts to.
fn judge(completion: &OpenAiCompletion) -> Result<(&OpenAiChoice, Ending), Fault> {
    let choices = &completion.choices;
    if let Some(choice) = choices.iter().find(|choice| choice.message.has_content()) {
        let ending = match finish(choice.finish_reason.as_deref()) {
            OpenAiFinish::Complete | OpenAiFinish::Other => Ending::Complete,
            OpenAiFinish::Cap => Ending::Cut,
            OpenAiFinish::Refused => Ending::Filtered,
        };
        return Ok((choice, ending));
    }
    let first = choices.first();
    let reason = first.and_then(|choice| choice.finish_reason.as_deref());
    let refusal = first.and_then(|choice| choice.message.refusal.as_deref()).filter(|text| !text.trim().is_empty());
    let fault = match (refusal, finish(reason)) {
        // The words of a refusal are an answer of the model, and answers stay out of messages.
        (Some(_), _) => Fault::new(FaultKind::Refused, "the model refused to answer"),
        (None, OpenAiFinish::Refused) => {
            let reason = name(reason.unwrap_or_default());
            Fault::new(FaultKind::Refused, format!("the provider refused the answer ({reason})"))
        }
        (None, OpenAiFinish::Cap) => {
            let message =
                "the answer came to the cap on output tokens before any text: thinking used it up; raise the cap";
            Fault::new(FaultKind::Empty, message)
        }
        (None, OpenAiFinish::Complete | OpenAiFinish::Other) => {
            let because = reason.map_or_else(String::new, |reason| format!(" ({})", name(reason)));
            Fault::new(FaultKind::Empty, format!("the provider answered without content{because}"))
        }
    };
    Err(billed(fault, completion.usage.of_text()))
}

impl OpenAiAnswerMessage {
    fn has_content(&self) -> bool {
        let calls = self.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty());
        !self.content.trim().is_empty() || calls || self.function_call.is_some()
    }
}

impl ReportedUsage {
    /// Reasoning is among the completion's tokens already.
    fn of_text(&self) -> Usage {
        Usage { input_tokens: self.prompt_tokens, output_tokens: self.completion_tokens, images: None }
    }

    fn of_vectors(&self) -> Usage {
        usage_of_vectors(self.prompt_tokens)
    }
}

/// A text, or a list of parts with texts, as some servers write it; anything else counts as none.
fn content<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text,
        Value::Array(parts) => parts.iter().filter_map(|part| part.get("text")?.as_str()).collect(),
        _ => String::new(),
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn answer(body: &Value) -> HttpAnswer {
        HttpAnswer { status: 200, body: Bytes::from(body.to_string()), ..HttpAnswer::default() }
    }

    fn ended(reason: &str, content: &Value) -> HttpAnswer {
        answer(&json!({
            "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": reason}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
        }))
    }

    #[test]
    fn every_finish_reason_with_text_keeps_the_text() {
        for (reason, finish) in FINISH_REASONS.into_iter().chain([("something_new", OpenAiFinish::Other)]) {
            let reply = text(&ended(reason, &json!("ab"))).unwrap();
            let ending = match finish {
                OpenAiFinish::Complete | OpenAiFinish::Other => Ending::Complete,
                OpenAiFinish::Cap => Ending::Cut,
                OpenAiFinish::Refused => Ending::Filtered,
            };
            assert_eq!((reply.content, reply.ending), (Content::Text("ab".into()), ending), "{reason}");
        }
    }

    #[test]
    fn every_finish_reason_without_text_is_a_fault_that_names_it_and_is_billed() {
        for (reason, finish) in FINISH_REASONS.into_iter().chain([("something_new", OpenAiFinish::Other)]) {
            for content in [json!(null), json!(""), json!(" \n"), json!([]), json!(7)] {
                let fault = text(&ended(reason, &content)).unwrap_err();
                let kind = if finish == OpenAiFinish::Refused { FaultKind::Refused } else { FaultKind::Empty };
                assert_eq!(fault.kind, kind, "{reason}");
                let named = if finish == OpenAiFinish::Cap { "thinking used it up" } else { reason };
                assert!(fault.message.contains(named), "{reason}: {fault}");
                assert_eq!(fault.usage, Some(Usage { input_tokens: Some(7), output_tokens: Some(2), images: None }));
            }
        }
    }

    #[test]
    fn an_answer_in_parts_is_one_text() {
        let reply = text(&ended("stop", &json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])));
        assert_eq!(reply.unwrap().content, Content::Text("ab".into()));
    }

    #[test]
    fn a_call_of_a_tool_is_an_answer_to_a_raw_request_only() {
        let body =
            json!({"choices": [{"message": {"content": null, "tool_calls": [{}]}, "finish_reason": "tool_calls"}]});
        assert_eq!(raw(&answer(&body)).unwrap().content, Content::Raw(body.clone()));
        assert_eq!(text(&answer(&body)).unwrap_err().kind, FaultKind::Empty);
    }

    #[test]
    fn vectors_are_put_in_the_order_of_the_texts_and_doubled_ones_are_noticed() {
        let body = |places: [Value; 2]| {
            let [a, b] = places;
            answer(&json!({"data": [{"index": a, "embedding": [1.0]}, {"index": b, "embedding": [2.0]}]}))
        };
        let reply = vectors(&body([json!(1), json!(0)]), 2).unwrap();
        assert_eq!(reply.content, Content::Vectors(vec![vec![2.0], vec![1.0]]));
        let unnumbered = vectors(&body([json!(null), json!(null)]), 2).unwrap();
        assert_eq!(unnumbered.content, Content::Vectors(vec![vec![1.0], vec![2.0]]));
        for wrong in [body([json!(0), json!(0)]), body([json!(0), json!(2)]), body([json!(null), json!(1)])] {
            assert_eq!(vectors(&wrong, 2).unwrap_err().kind, FaultKind::Unreadable);
        }
    }

    #[test]
    fn what_stands_beside_an_answer_costs_no_answer() {
        for beside in
            [json!("none"), json!(5), json!([7, 8]), json!({"prompt_tokens": [], "completion_tokens": u64::MAX})]
        {
            let body = answer(&json!({"choices": [{"message": {"content": "yes"}}], "usage": beside}));
            for reply in [text(&body).unwrap(), raw(&body).unwrap()] {
                assert_eq!(reply.usage, Usage::default(), "{beside}");
            }
        }
    }

    #[test]
    fn an_answer_that_cant_be_read_says_what_it_used_all_the_same() {
        let used = json!({"prompt_tokens": 7, "completion_tokens": 2});
        for choices in [json!("odd"), json!([5]), json!([{"message": "odd"}])] {
            let body = answer(&json!({"choices": choices, "usage": used}));
            for fault in [text(&body).unwrap_err(), raw(&body).unwrap_err()] {
                assert_eq!(fault.kind, FaultKind::Unreadable);
                assert_eq!(fault.usage, Some(Usage { input_tokens: Some(7), output_tokens: Some(2), images: None }));
            }
        }
        let spent = Some(Usage { input_tokens: Some(7), output_tokens: Some(0), images: None });
        for data in [json!([]), json!("odd"), json!([{"index": 3, "embedding": [1]}]), json!([{"embedding": []}])] {
            let body = answer(&json!({"data": data, "usage": used}));
            assert_eq!(vectors(&body, 1).unwrap_err().usage, spent, "{data}");
        }
        assert_eq!(raw_vectors(&answer(&json!({"data": [], "usage": used}))).unwrap_err().usage, spent);
    }

    #[test]
    fn an_error_in_a_200_stands_for_its_own_status() {
        let status = |body: &Value| error_status(&answer(body));
        assert_eq!(status(&json!({"error": {"code": 429, "message": "slow down"}})), Some(429));
        assert_eq!(status(&json!({"error": {"code": "overloaded"}})), Some(500));
        assert_eq!(status(&json!({"error": {"code": 7}})), Some(500));
        assert_eq!(status(&json!({"error": null, "choices": []})), None);
        assert_eq!(status(&json!({"error": {"code": 429}, "choices": []})), None);
        assert_eq!(status(&json!([])), None);
    }

    fn odd_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[ -~]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let name = prop_oneof![
                Just("choices"),
                Just("message"),
                Just("content"),
                Just("refusal"),
                Just("finish_reason"),
                Just("usage"),
                Just("prompt_tokens"),
                Just("data"),
                Just("embedding"),
                Just("index"),
                Just("error"),
                Just("tool_calls"),
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..5)
                    .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_answer_is_too_odd(body in odd_value()) {
            let answer = answer(&body);
            let _ = (text(&answer), raw(&answer), raw_vectors(&answer), vectors(&answer, 2), error_status(&answer));
        }

        #[test]
        fn no_bytes_are_too_odd(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let answer = HttpAnswer { status: 200, body: Bytes::from(body), ..HttpAnswer::default() };
            let _ = (text(&answer), raw(&answer), raw_vectors(&answer), vectors(&answer, 1), error_status(&answer));
        }
    }
}
