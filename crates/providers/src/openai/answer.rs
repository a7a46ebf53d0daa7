//! Reading what OpenAI and servers like it answer with 200.
//!
//! An answer may have been paid for, so whatever of it is of use is kept: unknown fields and values are
//! ignored, and a number that is not one counts as not reported.

use std::fmt;

use atelier_engine::{Content, Ending, Fault, FaultKind, Reply, Usage};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error_body::is_error;
use crate::finish::{Finish, cut_by, ending, finish, without_content};
use crate::http::HttpAnswer;
use crate::thoughts;
use crate::wire::{self, WireFormat, billed, count, or_absent, or_default, usage_of_vectors, word};

use super::{forms, limits};

/// How this wire's answers are read.
pub(super) const WIRE_FORMAT: WireFormat =
    WireFormat { canonical: forms::canonical, usage: "usage", canonical_usage: forms::usage };

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OpenAiCompletion {
    #[serde(deserialize_with = "or_default")]
    choices: Vec<OpenAiChoice>,
    #[serde(deserialize_with = "or_absent")]
    usage: ReportedUsage,
    error: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OpenAiChoice {
    #[serde(deserialize_with = "or_default")]
    message: OpenAiAnswerMessage,
    #[serde(deserialize_with = "word")]
    finish_reason: Option<String>,
    error: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OpenAiAnswerMessage {
    #[serde(deserialize_with = "content")]
    content: String,
    #[serde(deserialize_with = "word")]
    refusal: Option<String>,
    tool_calls: Value,
    function_call: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReportedUsage {
    #[serde(deserialize_with = "count")]
    prompt_tokens: Option<u64>,
    #[serde(deserialize_with = "count")]
    completion_tokens: Option<u64>,
    #[serde(deserialize_with = "or_absent")]
    prompt_tokens_details: PromptDetails,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    #[serde(deserialize_with = "count")]
    cached_tokens: Option<u64>,
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
    #[serde(deserialize_with = "numbers")]
    embedding: Vec<f32>,
}

/// An answer to a request for text.
pub(super) fn text(answer: &HttpAnswer) -> Result<Reply, Fault> {
    let completion: OpenAiCompletion = decode(answer, OpenAiCompletion::is_plain, ReportedUsage::of_text)?;
    let usage = completion.usage.of_text();
    let (choice, ending) = judge(&completion)?;
    let text = thoughts::without(&choice.message.content);
    if text.trim().is_empty() {
        return Err(billed(Fault::new(FaultKind::Empty, "the answer holds no text"), usage));
    }
    Ok(Reply { content: Content::Text(text.into_owned()), ending, usage, limits: limits::reported(&answer.headers) })
}

/// An answer to a body for `chat/completions` that was passed through.
pub(super) fn raw(answer: &HttpAnswer) -> Result<Reply, Fault> {
    let (body, completion) = decode_raw::<OpenAiCompletion>(answer, ReportedUsage::of_text)?;
    let (_, ending) = judge(&completion)?;
    let (usage, limits) = (completion.usage.of_text(), limits::reported(&answer.headers));
    Ok(Reply { content: Content::Raw(body), ending, usage, limits })
}

/// An answer to a body for `embeddings` that was passed through.
pub(super) fn raw_vectors(answer: &HttpAnswer) -> Result<Reply, Fault> {
    let (body, embedded) = decode_raw::<OpenAiEmbeddings>(answer, ReportedUsage::of_vectors)?;
    let usage = embedded.usage.of_vectors();
    if embedded.data.is_empty() {
        return Err(billed(Fault::new(FaultKind::Empty, "the answer holds no vectors"), usage));
    }
    let limits = limits::reported(&answer.headers);
    Ok(Reply { content: Content::Raw(body), ending: Ending::Complete, usage, limits })
}

/// An answer to a request for so many vectors. Each says whose it is; where none does, they are in order. Of two for one
/// text the last counts, and some servers number from 1.
pub(super) fn vectors(answer: &HttpAnswer, asked: usize) -> Result<Reply, Fault> {
    let is_plain = |embedded: &OpenAiEmbeddings| embedded.data.len() == asked && embedded.usage.is_there();
    let mut embedded: OpenAiEmbeddings = decode(answer, is_plain, ReportedUsage::of_vectors)?;
    let input_tokens = embedded.usage.prompt_tokens;
    if embedded.data.iter().any(|vector| vector.index.is_some()) {
        let last = |a: &mut OpenAiVector, b: &mut OpenAiVector| {
            let same = a.index == b.index;
            if same {
                // The one that is kept is the earlier: it takes what the later says.
                std::mem::swap(a, b);
            }
            same
        };
        // A number of 0 is not written by some; where all are the same, they say nothing.
        embedded.data.iter_mut().for_each(|vector| vector.index = vector.index.or(Some(0)));
        let numbered = embedded.data.len() != asked || embedded.data.iter().any(|vector| vector.index != Some(0));
        if numbered {
            embedded.data.sort_by_key(|vector| vector.index);
            embedded.data.dedup_by(last);
        }
        let first = embedded.data.first().and_then(|vector| vector.index).filter(|first| *first == 1).unwrap_or(0);
        let in_order = embedded.data.iter().zip(first..).all(|(vector, place)| vector.index == Some(place));
        let whole = in_order || !numbered;
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
fn decode<T: for<'de> Deserialize<'de>>(
    answer: &HttpAnswer,
    is_plain: impl Fn(&T) -> bool,
    of: fn(&ReportedUsage) -> Usage,
) -> Result<T, Fault> {
    WIRE_FORMAT.read(answer, is_plain).map_err(|fault| billed(fault, of(&WIRE_FORMAT.usage(answer))))
}

fn decode_raw<T: for<'de> Deserialize<'de>>(
    answer: &HttpAnswer,
    of: fn(&ReportedUsage) -> Usage,
) -> Result<(Value, T), Fault> {
    WIRE_FORMAT.read_raw(answer).map_err(|fault| billed(fault, of(&WIRE_FORMAT.usage(answer))))
}

/// The choice to take and how it ended, or the fault that the answer amounts to.
fn judge(completion: &OpenAiCompletion) -> Result<(&OpenAiChoice, Ending), Fault> {
    let choices = &completion.choices;
    let billed = |fault| billed(fault, completion.usage.of_text());
    if let Some(choice) = choices.iter().find(|choice| choice.message.has_content()) {
        let reason = choice.finish_reason.as_deref();
        let beside = if is_error(&choice.error) { &choice.error } else { &completion.error };
        let ended = matches!(finish(reason), Finish::Complete | Finish::Cap) && !is_error(&choice.error);
        if is_error(beside) && !ended {
            return Err(billed(cut_by(beside)));
        }
        return Ok((choice, ending(reason, &choice.message.content).map_err(billed)?));
    }
    let first = choices.first();
    let refusal = first.and_then(|choice| choice.message.refusal.as_deref()).filter(|text| !text.trim().is_empty());
    Err(billed(match refusal {
        // The words of a refusal are an answer of the model, and answers stay out of messages.
        Some(_) => Fault::new(FaultKind::Refused, "the model refused to answer"),
        None => without_content(first.and_then(|choice| choice.finish_reason.as_deref())),
    }))
}

impl OpenAiCompletion {
    /// Whether it is as the documents have it, so that nothing more is to be found in its body.
    fn is_plain(&self) -> bool {
        let plain = |choice: &OpenAiChoice| {
            let ended = finish(choice.finish_reason.as_deref()) != Finish::Unknown && !is_error(&choice.error);
            ended && (choice.message.has_content() || choice.message.refusal.is_some())
        };
        self.choices.first().is_some_and(plain) && self.usage.is_there()
    }
}

impl OpenAiAnswerMessage {
    fn has_content(&self) -> bool {
        let calls = self.tool_calls.as_array().is_some_and(|calls| !calls.is_empty());
        !self.content.trim().is_empty() || calls || self.function_call.is_some()
    }
}

impl ReportedUsage {
    const fn is_there(&self) -> bool {
        self.prompt_tokens.is_some()
    }

    /// Reasoning is among the completion's tokens already.
    fn of_text(&self) -> Usage {
        let usage = Usage::of_tokens(self.prompt_tokens, self.completion_tokens);
        Usage { cached_tokens: self.prompt_tokens_details.cached_tokens.filter(|cached| *cached > 0), ..usage }
    }

    fn of_vectors(&self) -> Usage {
        usage_of_vectors(self.prompt_tokens)
    }
}

fn content<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text,
        parts => forms::text_of(&parts),
    })
}

/// A list of numbers, or base64 of 32-bit floats, least byte first.
fn numbers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f32>, D::Error> {
    struct Numbers;
    impl<'de> Visitor<'de> for Numbers {
        type Value = Vec<f32>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("numbers")
        }
        fn visit_unit<E>(self) -> Result<Vec<f32>, E> {
            Ok(Vec::new())
        }
        fn visit_str<E>(self, text: &str) -> Result<Vec<f32>, E> {
            let bytes = wire::base64(text).unwrap_or_default();
            Ok(bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Vec<f32>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(elements))
        }
    }
    from.deserialize_any(Numbers)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::finish::REASONS;

    const USED: Usage = Usage::of_tokens(Some(7), Some(2));

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
        for (reason, finish) in REASONS.into_iter().chain([("something_new", Finish::Unknown)]) {
            let read = text(&ended(reason, &json!("ab.")));
            let ending = match finish {
                Finish::Complete | Finish::Unknown => Ending::Complete,
                Finish::Cap => Ending::Cut,
                Finish::Refused => Ending::Filtered,
                Finish::Broken => {
                    let fault = read.unwrap_err();
                    assert_eq!((fault.kind, fault.usage), (FaultKind::Unreadable, Some(USED)), "{reason}");
                    continue;
                }
            };
            let reply = read.unwrap();
            assert_eq!((reply.content, reply.ending), (Content::Text("ab.".into()), ending), "{reason}");
        }
    }

    #[test]
    fn every_finish_reason_without_text_is_a_fault_that_names_it_and_is_billed() {
        for (reason, finish) in REASONS.into_iter().chain([("something_new", Finish::Unknown)]) {
            for content in [json!(null), json!(""), json!(" \n"), json!([]), json!(7)] {
                let fault = text(&ended(reason, &content)).unwrap_err();
                let kind = match finish {
                    Finish::Refused => FaultKind::Refused,
                    Finish::Broken => FaultKind::Unreadable,
                    _ => FaultKind::Empty,
                };
                assert_eq!(fault.kind, kind, "{reason}");
                let named = if finish == Finish::Cap { "thinking used it up" } else { reason };
                assert!(fault.message.contains(named), "{reason}: {fault}");
                assert_eq!(fault.usage, Some(USED));
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
        for (a, b) in [(json!(0), json!(0)), (json!(null), json!(1))] {
            let reply = vectors(&body([a, b]), 2).unwrap();
            assert_eq!(reply.content, Content::Vectors(vec![vec![1.0], vec![2.0]]), "a number of 0 may be left out");
        }
        assert_eq!(vectors(&body([json!(0), json!(2)]), 2).unwrap_err().kind, FaultKind::Unreadable);
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
        for choices in [json!("odd"), json!([5]), json!([{"message": 5}])] {
            let body = answer(&json!({"choices": choices, "usage": used}));
            for fault in [text(&body).unwrap_err(), raw(&body).unwrap_err()] {
                assert_eq!(fault.kind, FaultKind::Unreadable);
                assert_eq!(fault.usage, Some(USED));
            }
        }
        let spent = Some(Usage::of_tokens(Some(7), Some(0)));
        for data in [json!([]), json!("odd"), json!([{"index": 3, "embedding": [1]}]), json!([{"embedding": []}])] {
            let body = answer(&json!({"data": data, "usage": used}));
            assert_eq!(vectors(&body, 1).unwrap_err().usage, spent, "{data}");
        }
        assert_eq!(raw_vectors(&answer(&json!({"data": [], "usage": used}))).unwrap_err().usage, spent);
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
            let _ = (text(&answer), raw(&answer), raw_vectors(&answer), vectors(&answer, 2), WIRE_FORMAT.error(&answer).map(|error| error.reason()));
        }

        #[test]
        fn no_bytes_are_too_odd(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let answer = HttpAnswer { status: 200, body: Bytes::from(body), ..HttpAnswer::default() };
            let _ = (text(&answer), raw(&answer), raw_vectors(&answer), vectors(&answer, 1), WIRE_FORMAT.error(&answer).map(|error| error.reason()));
        }
    }
}
