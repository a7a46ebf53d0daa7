use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::finish::REASONS;

fn answer(body: &Value) -> HttpAnswer {
    bytes(serde_json::to_vec(body).unwrap())
}

fn bytes(body: Vec<u8>) -> HttpAnswer {
    HttpAnswer {
        status: 200,
        content_type: Some("application/json".into()),
        body: Bytes::from(body),
        ..HttpAnswer::default()
    }
}

fn with_reason(reason: &str, parts: &Value) -> HttpAnswer {
    answer(&json!({
        "candidates": [{"content": {"parts": parts}, "finishReason": reason}],
        "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7},
    }))
}

#[test]
fn every_finish_reason_with_text_keeps_the_text() {
    for (reason, finish) in REASONS.into_iter().chain([("something_new", Finish::Unknown)]) {
        let reason = reason.to_ascii_uppercase();
        let read = text(&with_reason(&reason, &json!([{"text": "a"}, {"text": "b."}])));
        let ending = match finish {
            Finish::Complete | Finish::Unknown => Ending::Complete,
            Finish::Cap => Ending::Cut,
            Finish::Refused => Ending::Filtered,
            Finish::Broken => {
                assert_eq!(read.unwrap_err().kind, FaultKind::Unreadable, "{reason}");
                continue;
            }
        };
        let reply = read.unwrap();
        assert_eq!((reply.content, reply.ending), (Content::Text("ab.".into()), ending), "{reason}");
    }
}

#[test]
fn every_finish_reason_without_text_is_a_fault_that_names_it_and_is_billed() {
    for (reason, finish) in REASONS.into_iter().chain([("SOMETHING_NEW", Finish::Unknown)]) {
        for parts in [json!([]), json!(null), json!([{"text": " \n"}]), json!([{"text": "hm", "thought": true}])] {
            let fault = text(&with_reason(reason, &parts)).unwrap_err();
            let kind = match finish {
                Finish::Refused => FaultKind::Refused,
                Finish::Broken => FaultKind::Unreadable,
                _ => FaultKind::Empty,
            };
            assert_eq!(fault.kind, kind, "{reason}");
            let named = if finish == Finish::Cap { "thinking used it up" } else { reason };
            assert!(fault.message.contains(named), "{reason}: {fault}");
            assert_eq!(fault.usage, Some(Usage::of_tokens(Some(7), Some(0))));
        }
    }
}

#[test]
fn thoughts_are_no_text_and_count_as_output() {
    let reply = text(&answer(&json!({
        "candidates": [{"content": {"parts": [{"text": "let me see", "thought": true}, {"text": "yes"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 2, "thoughtsTokenCount": 30, "totalTokenCount": 42},
    })))
    .unwrap();
    assert_eq!(reply.content, Content::Text("yes".into()));
    assert_eq!(reply.usage, Usage::of_tokens(Some(10), Some(32)));
}

#[test]
fn usage_that_is_not_reported_is_not_zero() {
    let reply = text(&answer(&json!({"candidates": [{"content": {"parts": [{"text": "yes"}]}}]}))).unwrap();
    assert_eq!(reply.usage, Usage::default());
    let fault = text(&answer(&json!({"promptFeedback": {"blockReason": "SAFETY"}}))).unwrap_err();
    assert_eq!((fault.kind, fault.usage), (FaultKind::Refused, None));
}

#[test]
fn usage_of_another_type_than_the_documents_say_costs_no_answer() {
    let reply = text(&answer(&json!({
        "candidates": [{"content": {"parts": [{"text": "yes"}]}, "finishReason": 5}],
        "usageMetadata": {"promptTokenCount": "12", "candidatesTokenCount": {"n": 1}, "thoughtsTokenCount": -4},
    })))
    .unwrap();
    assert_eq!(reply.usage, Usage::of_tokens(Some(12), None));
}

#[test]
fn what_stands_beside_an_answer_costs_no_answer() {
    for beside in [json!("none"), json!(5), json!([7, 8]), json!({"blockReason": 5, "promptTokenCount": []})] {
        let reply = text(&answer(&json!({
            "candidates": [{"content": {"parts": [{"text": "yes"}]}}],
            "usageMetadata": beside,
            "promptFeedback": beside,
        })))
        .unwrap();
        assert_eq!((reply.content, reply.usage), (Content::Text("yes".into()), Usage::default()), "{beside}");
    }
}

#[test]
fn a_count_that_no_call_can_have_used_is_not_reported() {
    for (count, read) in [(u64::from(u32::MAX), Some(u64::from(u32::MAX))), (1 << 32, None), (u64::MAX, None)] {
        for count in [json!(count), json!(count.to_string())] {
            let body = json!({
                "candidates": [{"content": {"parts": [{"text": "yes"}]}}],
                "usageMetadata": {"promptTokenCount": count, "candidatesTokenCount": count, "thoughtsTokenCount": 0},
            });
            assert_eq!(text(&answer(&body)).unwrap().usage.input_tokens, read, "{count}");
        }
    }
}

#[test]
fn an_answer_that_cant_be_read_says_what_it_used_all_the_same() {
    let used = json!({"promptTokenCount": 7, "candidatesTokenCount": 2, "totalTokenCount": 9});
    for content in [json!("odd"), json!([5]), json!([{"content": {"parts": 5}}])] {
        let body = answer(&json!({"candidates": content, "usageMetadata": used}));
        for fault in [text(&body).unwrap_err(), raw(&body).unwrap_err()] {
            assert_eq!(fault.kind, FaultKind::Unreadable);
            assert_eq!(fault.usage, Some(Usage::of_tokens(Some(7), Some(2))));
        }
    }
    for embeddings in [json!([]), json!([{"values": []}]), json!([{"values": [1e300]}]), json!("odd"), json!(null)] {
        let body = json!({"embeddings": embeddings, "usageMetadata": used});
        let fault = vectors(&answer(&body), 1).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreadable);
        assert_eq!(fault.usage, Some(Usage::of_tokens(Some(7), Some(0))), "{body}");
    }
    assert_eq!(vector(&answer(&json!({"usageMetadata": used}))).unwrap_err().usage.unwrap().input_tokens, Some(7));
}

#[test]
fn the_first_candidate_with_content_is_taken() {
    let reply = text(&answer(&json!({"candidates": [
        {"finishReason": "SAFETY"},
        {"content": {"parts": [{"text": "second"}]}, "finishReason": "STOP"},
    ]})))
    .unwrap();
    assert_eq!((reply.content, reply.ending), (Content::Text("second".into()), Ending::Complete));
}

#[test]
fn a_raw_answer_comes_through_whole_with_its_images_counted() {
    let body = json!({
        "candidates": [{"content": {"parts": [
            {"text": "Here it is"}, {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
        ]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 1290},
        "modelVersion": "x",
    });
    let reply = raw(&answer(&body)).unwrap();
    assert_eq!(reply.usage, Usage { images: Some(1), ..Usage::of_tokens(Some(5), Some(1290)) });
    assert_eq!(reply.content, Content::Raw(body));
    assert_eq!(raw(&with_reason("NO_IMAGE", &json!([]))).unwrap_err().kind, FaultKind::Empty);
    assert_eq!(raw(&with_reason("IMAGE_SAFETY", &json!([]))).unwrap_err().kind, FaultKind::Refused);
}

#[test]
fn an_answer_of_another_form_is_unreadable_and_is_not_quoted() {
    let secret = "what the customer wrote";
    for body in [json!(secret), json!(1), json!({"candidates": secret}), json!({"candidates": [secret]})] {
        let fault = text(&answer(&body)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreadable, "{body}");
        assert!(!fault.message.contains("customer"), "{fault}");
    }
    assert_eq!(text(&bytes(vec![0xff, 0xfe])).unwrap_err().kind, FaultKind::Unreadable);
    assert_eq!(text(&bytes(vec![b'['; 100_000])).unwrap_err().kind, FaultKind::Unreadable);
}

#[test]
fn vectors_that_are_not_one_for_each_text_are_unreadable() {
    let two = json!({"embeddings": [{"values": [0.5, 1]}, {"values": [-1.0, 2e-3]}]});
    assert_eq!(vectors(&answer(&two), 2).unwrap().content, Content::Vectors(vec![vec![0.5, 1.0], vec![-1.0, 0.002]]));
    for body in [
        two,
        json!({}),
        json!({"embeddings": [{"values": [1]}, {"values": [1]}, {"values": []}]}),
        json!({"embeddings": [{"values": [1]}, {"values": [1]}, {}]}),
        json!({"embeddings": [{"values": [1]}, {"values": [1]}, {"values": [1e300]}]}),
        json!({"embeddings": [{"values": [1]}, {"values": [1]}, {"values": ["x"]}]}),
    ] {
        assert_eq!(vectors(&answer(&body), 3).unwrap_err().kind, FaultKind::Unreadable, "{body}");
    }
    assert_eq!(vector(&answer(&json!({"embeddings": []}))).unwrap_err().kind, FaultKind::Unreadable);
    let one = json!({"embeddings": [{"values": [1, 2]}]});
    assert_eq!(vector(&answer(&one)).unwrap().content, Content::Vectors(vec![vec![1.0, 2.0]]));
}

/// JSON made of the wire's own names in any arrangement, so that the parser gets past the first brace.
fn wire_like() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "candidates",
        "content",
        "parts",
        "text",
        "thought",
        "inlineData",
        "finishReason",
        "promptFeedback",
        "blockReason",
        "usageMetadata",
        "promptTokenCount",
        "candidatesTokenCount",
        "thoughtsTokenCount",
        "totalTokenCount",
        "embedding",
        "embeddings",
        "values",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("STOP")),
        Just(Value::from("MAX_TOKENS")),
    ];
    leaf.prop_recursive(6, 48, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((name.clone(), inner), 0..5)
                .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

fn read_in_every_way(answer: &HttpAnswer) {
    for result in [text(answer), raw(answer), vector(answer), vectors(answer, 2)] {
        match result {
            Ok(reply) => assert!(reply.usage.output_tokens.is_none() || reply.usage != Usage::default()),
            Err(fault) => assert!(!fault.message.is_empty()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_parser_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        read_in_every_way(&bytes(body));
    }

    #[test]
    fn no_json_makes_the_parser_panic(body in wire_like()) {
        read_in_every_way(&answer(&body));
    }

    #[test]
    fn no_cut_makes_the_parser_panic_or_invent_an_answer(length in 0_usize..90) {
        let whole = br#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"a":1234567890}"#;
        prop_assert_eq!(text(&bytes(whole[..length.min(whole.len() - 1)].to_vec())).unwrap_err().kind, FaultKind::Unreadable);
    }
}
