//! A paid answer is kept, however oddly it is written; what can't be mended by asking again is not asked again; and what
//! was used is read either way.

use std::sync::Arc;

use atelier_engine::{
    Content, EmbeddingInput, EmbeddingRequest, Ending, Fault, ImageRequest, Model, RawRequest, Remedy, Reply, Request,
};
use atelier_providers::{ApiKey, BaseUrl, Gemini, HttpClient, OpenAi, OpenAiSettings, Quirks};
use serde_json::json;

use crate::server::{Act, Server, http, json as json_answer};
use crate::subject::{KEY, a_request};

const PNG: &str = "iVBORw0KGgo=";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wire {
    Gemini,
    OpenAi,
}

fn client(wire: Wire, base: &str) -> Arc<dyn Model> {
    let (http, key) = (HttpClient::new().unwrap(), ApiKey::new(KEY).unwrap());
    match wire {
        Wire::Gemini => Arc::new(Gemini::new(&http, &BaseUrl::parse(base).unwrap(), &key, "gemini-2.5-flash").unwrap()),
        Wire::OpenAi => {
            let endpoint = OpenAiSettings::endpoint(base).unwrap();
            let settings = OpenAiSettings { endpoint, key: Some(key), quirks: Quirks::OPENAI };
            Arc::new(OpenAi::new(&http, &settings, "gpt-test").unwrap())
        }
    }
}

/// What comes of an answer, asked for once.
async fn asked(wire: Wire, request: Request, answer: Vec<u8>) -> Result<Reply, Fault> {
    let server = Server::start([Act::AnswerAndClose(answer)]).await;
    client(wire, &server.base).call(request).await
}

fn image() -> Request {
    Request::Image(ImageRequest { prompt: "a kite".into(), width: 64, height: 64, ..ImageRequest::default() })
}

fn vectors(of: usize) -> Request {
    let inputs = (0..of).map(|_| EmbeddingInput::Text("a kite".into())).collect();
    Request::Embedding(EmbeddingRequest { inputs, dimensions: None })
}

/// How a text is written, the body that it stands in, and the text.
type Written = (&'static str, String, &'static str);

/// Server-sent events, one for each of these.
fn events(pieces: &[&str]) -> String {
    pieces.iter().map(|piece| format!("data: {piece}\n\n")).collect()
}

fn streams_of_openai() -> Vec<Written> {
    vec![
        ("a stream that was not asked for",
            events(&[
                r#"{"choices":[{"delta":{"role":"assistant","content":"y"}}]}"#,
                r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#,
                r#"{"choices":[{"delta":{"content":"es"},"finish_reason":"stop"}]}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":6}}"#,
                "[DONE]",
            ]),
            "yes",
        ),
        ("the newer form as a stream",
            events(&[
                r#"{"type":"response.output_text.delta","delta":"no"}"#,
                r#"{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"yes"}]}],"usage":{"input_tokens":9,"output_tokens":6}}}"#,
            ]),
            "yes",
        ),
        ("a local server's own form, a piece a line",
            "{\"message\":{\"content\":\"y\"},\"done\":false}\n{\"message\":{\"content\":\"es\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":9,\"eval_count\":6}\n".into(),
            "yes",
        ),
        ("pieces of an older form, in parts, of two answers",
            events(&[
                r#"{"choices":[{"index":1,"text":"no"},{"index":0,"text":"y"}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"es"}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":6}}"#,
                "[DONE]",
            ]),
            "yes",
        ),
    ]
}

fn texts_of_openai() -> Vec<Written> {
    let chat = |content: &str| {
        format!(
            r#"{{"choices":[{{"message":{{"content":{content}}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":6}}}}"#
        )
    };
    vec![
        ("half a surrogate", chat(r#""\ubc31\ud82d yes""#), "백\u{fffd} yes"),
        ("doubled keys", chat(r#""no","content":"yes""#), "yes"),
        ("a line break in a string", chat("\"one\ntwo\""), "one\ntwo"),
        ("an escape that is none", chat(r#""C:\Users""#), "C:\\Users"),
        ("a byte order mark", format!("\u{feff}{}", chat("\"yes\"")), "yes"),
        ("names in another spelling",
            r#"{"choices":[{"message":{"content":"yes"},"finishReason":"stop"}],"usage":{"promptTokens":9,"completionTokens":6}}"#.into(),
            "yes",
        ),
        ("counts under their newer names",
            r#"{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}],"usage":{"input_tokens":9,"output_tokens":6}}"#.into(),
            "yes",
        ),
        ("the newer form of answers",
            json!({
                "status": "completed",
                "output": [
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
                    {"type": "message", "content": [{"type": "output_text", "text": "yes"}]},
                ],
                "usage": {"input_tokens": 9, "output_tokens": 6},
            }).to_string(),
            "yes",
        ),
        ("a local server's own form",
            json!({"message": {"role": "assistant", "content": "yes"}, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 6}).to_string(),
            "yes",
        ),
        ("wrapped by a gateway", format!(r#"{{"code":0,"data":{}}}"#, chat("\"yes\"")), "yes"),
        ("labelled as a stream", chat("\"yes\""), "yes"),
        ("fields that are always there",
            r#"{"choices":[{"message":{"content":"yes","tool_calls":{}},"finish_reason":"stop","error":""}],"usage":{"prompt_tokens":9,"completion_tokens":6},"error":{},"errors":[]}"#.into(),
            "yes",
        ),
        ("a message that is its text",
            r#"{"choices":[{"message":"yes","finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":6}}"#.into(),
            "yes",
        ),
        ("the channels of open models",
            chat(r#""<|channel|>analysis<|message|>no<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>yes""#),
            "yes",
        ),
        ("thoughts before it", chat(r#""<think>\nno\n</think>\n\nyes""#), "yes"),
        ("thoughts as a part", chat(r#"[{"type":"thinking","thinking":"no"},{"type":"text","text":"yes"}]"#), "yes"),
        ("an end by another name",
            r#"{"choices":[{"message":{"content":"yes"},"finish_reason":"end_turn"}],"usage":{"prompt_tokens":9,"completion_tokens":6}}"#.into(),
            "yes",
        ),
    ]
}

fn texts_of_gemini() -> Vec<Written> {
    let gemini = |parts: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":{parts}}},"finishReason":"STOP"}}],"usageMetadata":{{"promptTokenCount":9,"candidatesTokenCount":6}}}}"#
        )
    };
    vec![
        ("half a surrogate", gemini(r#"[{"text":"\ubc31\ud82d yes"}]"#), "백\u{fffd} yes"),
        ("doubled keys", gemini(r#"[{"text":"no","text":"yes"}]"#), "yes"),
        ("a line break in a string", gemini("[{\"text\":\"one\ntwo\"}]"), "one\ntwo"),
        ("names in another spelling",
            r#"{"candidates":[{"content":{"parts":[{"text":"yes"}]},"finish_reason":"STOP"}],"usage_metadata":{"prompt_token_count":9,"candidates_token_count":6}}"#.into(),
            "yes",
        ),
        ("wrapped by a gateway", format!(r#"{{"response":{}}}"#, gemini(r#"[{"text":"yes"}]"#)), "yes"),
        ("wrapped in a list", format!("[{}]", gemini(r#"[{"text":"yes"}]"#)), "yes"),
        ("a stream that was not asked for",
            events(&[
                r#"{"candidates":[{"content":{"parts":[{"text":"y"}]}}]}"#,
                r#"{"candidates":[{"content":{"parts":[{"text":"es"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":6}}"#,
            ]),
            "yes",
        ),
        ("a stream as a list",
            format!(r#"[{{"candidates":[{{"content":{{"parts":[{{"text":"y"}}]}}}}]}},{}]"#, gemini(r#"[{"text":"es"}]"#)),
            "yes",
        ),
        ("thoughts before it", gemini(r#"[{"text":"<think>no</think>yes"}]"#), "yes"),
    ]
}

#[tokio::test]
async fn a_text_is_kept_however_it_is_written() {
    let of_wire = |wire, texts: Vec<Written>| texts.into_iter().map(move |written| (wire, written));
    let cases = of_wire(Wire::OpenAi, streams_of_openai())
        .chain(of_wire(Wire::OpenAi, texts_of_openai()))
        .chain(of_wire(Wire::Gemini, texts_of_gemini()));
    for (wire, (about, body, text)) in cases {
        let reply = asked(wire, a_request(), json_answer(200, &body)).await;
        let reply = reply.unwrap_or_else(|fault| panic!("{wire:?}, {about}: {fault}"));
        assert_eq!((reply.content, reply.ending), (Content::Text(text.into()), Ending::Complete), "{wire:?}, {about}");
        assert_eq!((reply.usage.input_tokens, reply.usage.output_tokens), (Some(9), Some(6)), "{wire:?}, {about}");
    }
}

#[tokio::test]
async fn an_ending_that_is_none_is_asked_again_and_what_came_counts_as_paid() {
    use Wire::{Gemini, OpenAi};
    for (wire, about, body) in [
        (
            OpenAi,
            "an error as an ending",
            r#"{"choices":[{"message":{"content":"Three birds: sparrow, ro"},"finish_reason":"error","error":{"code":502}}],"usage":{"prompt_tokens":9,"completion_tokens":6}}"#,
        ),
        (
            OpenAi,
            "an error beside it",
            r#"{"choices":[{"message":{"content":"Three birds."},"finish_reason":"stop","error":{"code":502}}],"usage":{"prompt_tokens":9,"completion_tokens":6}}"#,
        ),
        (
            OpenAi,
            "an error at the end of a stream",
            "data: {\"choices\":[{\"delta\":{\"content\":\"Three\"}}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":6}}\n\ndata: {\"error\":{\"code\":502}}\n\ndata: [DONE]\n\n",
        ),
        (
            Gemini,
            "an error beside it",
            r#"{"candidates":[{"content":{"parts":[{"text":"Three"}]}}],"error":{"code":503},"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":6}}"#,
        ),
        (
            OpenAi,
            "an unknown reason beside a text that stops",
            r#"{"choices":[{"message":{"content":"Three birds: sparrow, ro"},"finish_reason":"tired"}],"usage":{"prompt_tokens":9,"completion_tokens":6}}"#,
        ),
        (
            Gemini,
            "no verdict beside a text that stops",
            r#"{"candidates":[{"content":{"parts":[{"text":"Three birds: sparrow, ro"}]},"finishReason":"OTHER"}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":6}}"#,
        ),
        (
            OpenAi,
            "a stream that breaks off",
            "data: {\"choices\":[{\"delta\":{\"content\":\"Three\"}}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":6}}\n\n",
        ),
        (
            Gemini,
            "a stream that breaks off",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Three\"}]}}],\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":6}}\n\n",
        ),
        (
            OpenAi,
            "a body that breaks off behind its usage",
            r#"{"usage":{"prompt_tokens":9,"completion_tokens":6},"choices":[{"message":{"content":"Three"#,
        ),
        (
            Gemini,
            "a body that breaks off behind its usage",
            r#"{"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":6},"candidates":[{"content":{"parts":[{"text":"Three"#,
        ),
        (
            OpenAi,
            "thoughts alone",
            r#"{"choices":[{"message":{"content":"<think>hm"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":6}}"#,
        ),
    ] {
        let fault = asked(wire, a_request(), json_answer(200, body)).await.unwrap_err();
        assert_eq!(fault.kind.remedy(), Remedy::Retry, "{wire:?}, {about}: {fault}");
        let used = fault.usage.unwrap_or_else(|| panic!("{wire:?}, {about}: {fault}"));
        assert_eq!((used.input_tokens, used.output_tokens), (Some(9), Some(6)), "{wire:?}, {about}");
    }
}

#[tokio::test]
async fn an_error_that_repetition_cant_mend_ends_at_once_with_its_words() {
    use Wire::{Gemini, OpenAi};
    let bad_key = r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}]"#;
    let bad_field = r#"[{"error":{"code":400,"message":"Unknown name \"colour\": Cannot find field.","status":"INVALID_ARGUMENT","details":[{"fieldViolations":[{"description":"no"}]}]}}]"#;
    let pydantic = r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted","input":"hidden"}]},"code":null}"#;
    for (status, body, remedy, words) in [
        (400, bad_key, Remedy::ClosePool, "API key not valid"),
        (400, bad_field, Remedy::GiveUp, "Unknown name \"colour\""),
        (422, pydantic, Remedy::GiveUp, "body.max_completion_tokens: Extra inputs are not permitted"),
        (422, r#"{"detail":"too long"}"#, Remedy::GiveUp, "too long"),
        (400, "the words alone", Remedy::GiveUp, "the words alone"),
        (400, r#""the words alone""#, Remedy::GiveUp, "the words alone"),
        (400, r#"{"errors":[{"message":"one"},{"message":"two"}]}"#, Remedy::GiveUp, "one; two"),
        (400, r#"{"error":{"message":"{\"error\":{\"message\":\"within\"}}"}}"#, Remedy::GiveUp, "within"),
        (200, r#"{"error":"Unexpected endpoint or method. (POST /api)"}"#, Remedy::GiveUp, "Unexpected endpoint"),
        (200, r#"{"error":{"message":"no such thing"}}"#, Remedy::GiveUp, "no such thing"),
        (200, r#"{"error":{"code":401,"message":"who are you?"}}"#, Remedy::ClosePool, "who are you?"),
        (200, r#"{"error":{"code":503,"message":"full"}}"#, Remedy::Retry, "full"),
        (200, r#"{"error":{"code":429,"message":"slow down"}}"#, Remedy::WaitForLimit, "slow down"),
        (200, r#"{"error":{"type":"image_generate_failed","message":"no"}}"#, Remedy::GiveUp, "no"),
        (
            400,
            r#"{"statusCode":400,"error":"Bad Request","message":"n is no number"}"#,
            Remedy::GiveUp,
            "n is no number",
        ),
        (402, r#"{"error":{"message":"pay","metadata":{"raw":"no credit"}}}"#, Remedy::ClosePool, "pay: no credit"),
    ] {
        for wire in [Gemini, OpenAi] {
            let fault = asked(wire, a_request(), json_answer(status, body)).await.unwrap_err();
            assert_eq!(fault.kind.remedy(), remedy, "{wire:?}, {body}: {fault}");
            assert!(fault.message.contains(words) && !fault.message.contains("hidden"), "{wire:?}: {fault}");
            let is_located = fault.message.contains("[http://127.0.0.1:");
            assert_eq!(is_located, status == 200 && remedy == Remedy::GiveUp, "{wire:?}: {fault}");
        }
    }
}

#[tokio::test]
async fn a_picture_is_kept_however_it_is_written() {
    let png: &[u8] = b"\x89PNG\r\n\x1a\n";
    for data in [PNG, "iVBORw0KGgo", "iVBORw0K\nGgo=\n", "data:image/png;base64,iVBORw0KGgo=", " iVBORw0KGgo= "] {
        let inline = json!([{"inlineData": {"mimeType": "image/png", "data": data}}]);
        let snake = json!([{"inline_data": {"mime_type": "image/png", "data": data}}]);
        for (wire, body) in [
            (Wire::OpenAi, json!({"data": [{"b64_json": data}], "usage": {"input_tokens": 9, "output_tokens": 6}})),
            (Wire::OpenAi, json!({"data": [{"url": format!("data:image/png;base64,{PNG}")}]})),
            (Wire::Gemini, json!({"candidates": [{"content": {"parts": inline}, "finishReason": "STOP"}]})),
            (Wire::Gemini, json!({"candidates": [{"content": {"parts": snake}, "finish_reason": "STOP"}]})),
        ] {
            let reply = asked(wire, image(), json_answer(200, &body.to_string())).await;
            let reply = reply.unwrap_or_else(|fault| panic!("{wire:?}, {data}: {fault}"));
            let Content::Image(image) = reply.content else { panic!("{wire:?}: {:?}", reply.content) };
            assert_eq!((&*image.bytes, &*image.mime), (png, "image/png"), "{wire:?}, {data}");
        }
    }
}

#[tokio::test]
async fn a_picture_that_nobody_can_show_is_kept_and_not_bought_again() {
    let odd = "AAECAwQF"; // Bytes of no known type.
    for (wire, body) in [
        (Wire::OpenAi, json!({"data": [{"b64_json": odd}]})),
        (Wire::OpenAi, json!({"data": {"b64_json": format!("{odd}*damaged")}})),
        (Wire::Gemini, json!({"candidates": [{"content": {"parts": [{"inlineData": {"data": odd}}]}}]})),
    ] {
        let reply = asked(wire, image(), json_answer(200, &body.to_string())).await;
        let reply = reply.unwrap_or_else(|fault| panic!("{wire:?}, {body}: {fault}"));
        let Content::Image(image) = reply.content else { panic!("{:?}", reply.content) };
        assert_eq!(&*image.bytes, [0, 1, 2, 3, 4, 5], "{body}");
    }
}

#[tokio::test]
async fn a_picture_in_a_stream_is_the_one_that_is_finished() {
    let stream = events(&[
        r#"{"type":"image_generation.partial_image","b64_json":"AAAA"}"#,
        r#"{"type":"image_generation.completed","b64_json":"iVBORw0KGgo=","usage":{"input_tokens":9,"output_tokens":6}}"#,
    ]);
    let reply = asked(Wire::OpenAi, image(), http(200, &[("content-type", "text/event-stream")], &stream)).await;
    let reply = reply.unwrap();
    let Content::Image(image) = reply.content else { panic!("{:?}", reply.content) };
    assert_eq!((&*image.mime, reply.usage.output_tokens), ("image/png", Some(6)));
}

#[tokio::test]
async fn a_picture_at_an_address_is_fetched_from_there_without_the_key() {
    let bytes = "\u{89}PNG".chars().map(|c| c as u8).chain(*b"\r\n\x1a\n").collect::<Vec<_>>();
    for wire in [Wire::OpenAi, Wire::Gemini] {
        let mut file = http(200, &[("content-type", "image/png")], "");
        file = String::from_utf8(file).unwrap().replace("content-length: 0", "content-length: 8").into_bytes();
        file.extend_from_slice(&bytes);
        let moved = http(302, &[("location", "/files/two.png")], "");
        let mut files = Server::start([
            Act::AnswerAndClose(http(503, &[], "")),
            Act::AnswerAndClose(moved),
            Act::AnswerAndClose(file),
        ])
        .await;
        let url = format!("{}/files/one.png?signature=secret", files.base);
        let parts = json!([{"fileData": {"mimeType": "image/png", "fileUri": url}}]);
        let body = match wire {
            Wire::OpenAi => json!({"data": [{"url": url, "revised_prompt": "x"}]}),
            Wire::Gemini => json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}),
        };
        let reply = asked(wire, image(), json_answer(200, &body.to_string())).await.unwrap();
        let Content::Image(image) = reply.content else { panic!("{:?}", reply.content) };
        assert_eq!(&*image.bytes, &*bytes);
        for path in ["/files/one.png?signature=secret", "/files/one.png?signature=secret", "/files/two.png"] {
            let request = files.request().await;
            assert_eq!(request.line, format!("GET {path} HTTP/1.1"));
            assert!(!format!("{request:?}").contains(KEY), "{request:?}");
        }
    }
}

#[tokio::test]
async fn a_picture_that_is_nowhere_is_not_bought_again() {
    let files = Server::start([Act::AnswerAndClose(http(404, &[], "gone"))]).await;
    let url = format!("{}/one.png?signature=secret", files.base);
    let body = json!({"data": [{"url": url}], "usage": {"input_tokens": 9, "output_tokens": 6}}).to_string();
    let fault = asked(Wire::OpenAi, image(), json_answer(200, &body)).await.unwrap_err();
    assert_eq!(fault.kind.remedy(), Remedy::GiveUp, "{fault}");
    assert!(fault.message.contains("/one.png") && !fault.message.contains("secret"), "{fault}");
    assert_eq!(fault.usage.unwrap().output_tokens, Some(6));
}

#[tokio::test]
async fn vectors_are_kept_however_they_are_written() {
    let two = vec![vec![0.5, 1.0], vec![-1.0, 2.0]];
    for (wire, body) in [
        (Wire::OpenAi, json!({"data": [{"index": 1, "embedding": [0.5, 1]}, {"index": 2, "embedding": [-1, 2]}]})),
        (
            Wire::OpenAi,
            json!({"data": [
                {"index": 0, "embedding": [9, 9]}, {"index": 1, "embedding": [-1, 2]}, {"index": 0, "embedding": [0.5, 1]},
            ]}),
        ),
        (Wire::OpenAi, json!({"data": [{"embedding": "AAAAPwAAgD8="}, {"embedding": "AACAvwAAAEA="}]})),
        (Wire::OpenAi, json!({"data": [{"embedding": "AAAAPwAAgD8"}, {"index": 1, "embedding": "AACAvwAAAEA"}]})),
        (Wire::OpenAi, json!([{"index": 0, "embedding": [0.5, 1]}, {"index": 1, "embedding": [-1, 2]}])),
        (Wire::OpenAi, json!({"embeddings": [[0.5, 1], [-1, 2]]})),
        (Wire::OpenAi, json!({"data": [[0.5, 1], [-1, 2]]})),
        (Wire::Gemini, json!({"embeddings": [[0.5, 1], [-1, 2]]})),
        (Wire::Gemini, json!({"response": {"embeddings": [{"values": [0.5, 1]}, {"values": [-1, 2]}]}})),
    ] {
        let reply = asked(wire, vectors(2), json_answer(200, &body.to_string())).await;
        let reply = reply.unwrap_or_else(|fault| panic!("{wire:?}, {body}: {fault}"));
        assert_eq!(reply.content, Content::Vectors(two.clone()), "{wire:?}, {body}");
    }
    let one = json!({"embeddings": [{"values": [1.0]}]}).to_string();
    let reply = asked(Wire::Gemini, vectors(1), json_answer(200, &one)).await.unwrap();
    assert_eq!(reply.content, Content::Vectors(vec![vec![1.0]]));
}

#[tokio::test]
async fn a_raw_answer_is_kept_as_it_came_and_a_stream_as_one() {
    let ask = || Request::Raw(RawRequest { body: json!({"messages": [{"role": "user", "content": "Say yes."}]}) });
    let body = r#"{"choices":[{"message":{"content":"\ud82d"},"finishReason":"stop"}],"usage":{"promptTokens":9,"completionTokens":6}}"#;
    let reply = asked(Wire::OpenAi, ask(), json_answer(200, body)).await.unwrap();
    let Content::Raw(kept) = reply.content else { panic!("{:?}", reply.content) };
    assert_eq!(kept["choices"][0]["message"]["content"], "\u{fffd}");
    assert_eq!((reply.usage.input_tokens, reply.usage.output_tokens), (Some(9), Some(6)));
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"y\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"es\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let reply = asked(Wire::OpenAi, ask(), http(200, &[("content-type", "text/event-stream")], stream)).await.unwrap();
    let Content::Raw(kept) = reply.content else { panic!("{:?}", reply.content) };
    assert_eq!(kept["choices"][0]["message"]["content"], "yes");
    assert_eq!(reply.usage.input_tokens, None);
}
