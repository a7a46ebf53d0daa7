//! The content of answers: it follows the schema, answers every item once, and repeats no word of the prompt.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashSet;

use common::{Bench, FLASH, ids_of, json_prompt, packed_schema, text_of};
use serde_json::{Value, json};

const POSTS: &str = "Draft replies for these posts.\n\
    {\"id\": \"1790000000000000001\", \"text\": \"What makes a good lantern for an amber harbour?\"}\n\
    {\"id\": \"1790000000000000002\", \"text\": \"Our orchard is full of copper kettles today.\"}\n\
    {\"id\": \"1790000000000000003\", \"text\": \"Windmills, windmill after windmill!\"}";
const IDS: [&str; 3] = ["1790000000000000001", "1790000000000000002", "1790000000000000003"];

#[tokio::test]
async fn a_packed_call_answers_every_id_once_and_every_kind_of_draft() {
    let bench = Bench::plain();
    let text = bench.ask_json(POSTS, &packed_schema(&IDS)).await;
    assert_eq!(ids_of(&text), IDS);
    let answer: Value = serde_json::from_str(&text).unwrap();
    for post in answer["answers"].as_array().unwrap() {
        let kinds: Vec<&str> =
            post["drafts"].as_array().unwrap().iter().map(|draft| draft["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["add_value", "ask_question", "funny", "debate", "relate"]);
    }
    let stats = bench.sandbox.stats();
    assert_eq!((stats.items_answered, stats.items_answered_more_than_once), (3, 0));
}

#[tokio::test]
async fn drafts_have_the_length_of_drafts_and_neither_repeat_each_other_nor_the_posts() {
    let bench = Bench::plain();
    let answer: Value = serde_json::from_str(&bench.ask_json(POSTS, &packed_schema(&IDS)).await).unwrap();
    let posts = answer["answers"].as_array().unwrap();
    let drafts = posts.iter().flat_map(|post| post["drafts"].as_array().unwrap());
    let drafts: Vec<&str> = drafts.map(|draft| draft["text"].as_str().unwrap()).collect();
    assert_eq!(drafts.iter().collect::<HashSet<_>>().len(), 15);
    for draft in drafts {
        assert!((80..=150).contains(&draft.chars().count()), "{draft}");
        assert!(draft.starts_with("[sandbox] "));
        assert!(draft.is_ascii() && !draft.contains('#'));
        for word in ["lantern", "amber", "harbour", "orchard", "copper", "windmill"] {
            assert!(!draft.contains(word), "{draft}");
        }
    }
}

#[tokio::test]
async fn the_same_request_has_the_same_answer_and_another_seed_another() {
    let ask = async |seed| {
        let bench = Bench::new(atelier_sandbox::SandboxConfig { seed, ..Default::default() });
        bench.ask_json(POSTS, &packed_schema(&IDS)).await
    };
    assert_eq!(ask(1).await, ask(1).await);
    assert_ne!(ask(1).await, ask(2).await);
}

#[tokio::test]
async fn an_object_with_a_property_for_every_id_is_a_pack_too() {
    let bench = Bench::plain();
    let draft = json!({"type": "OBJECT", "properties": {"reply": {"type": "STRING"}}});
    let schema = json!({"type": "OBJECT", "properties": {IDS[0]: draft, IDS[1]: draft, IDS[2]: draft}});
    let answer: Value = serde_json::from_str(&bench.ask_json(POSTS, &schema).await).unwrap();
    assert!(IDS.iter().all(|id| answer[id]["reply"].is_string()));
    assert_eq!(bench.sandbox.stats().items_answered, 3);
}

#[tokio::test]
async fn json_schema_with_references_is_answered_like_geminis_own() {
    let bench = Bench::plain();
    let mut body = json_prompt("post p-1: hello", &json!(null));
    body["generationConfig"] = json!({"responseMimeType": "application/json", "responseJsonSchema": {
        "type": "object", "properties": {"answers": {"type": "array", "items": {"$ref": "#/$defs/Answer"}}},
        "$defs": {"Answer": {"type": "object", "properties": {
            "post_id": {"type": "string", "enum": ["p-1", "p-2"]},
            "why": {"anyOf": [{"type": "string", "maxLength": 100}, {"type": "null"}]}}}}
    }});
    let (_, answer) = bench.post(FLASH, "k", &body).await;
    let answer: Value = serde_json::from_str(text_of(&answer)).unwrap();
    assert_eq!(answer["answers"][0]["post_id"], "p-1");
    assert_eq!(answer["answers"][1]["post_id"], "p-2");
    assert!(answer["answers"][1]["why"].as_str().unwrap().len() <= 100);
}

#[tokio::test]
async fn an_enum_can_be_answered_bare() {
    let bench = Bench::plain();
    let mut body = common::prompt("which?");
    let schema = json!({"type": "STRING", "enum": ["left", "right"]});
    body["generationConfig"] = json!({"responseMimeType": "text/x.enum", "responseSchema": schema});
    let (_, answer) = bench.post(FLASH, "k", &body).await;
    assert!(["left", "right"].contains(&text_of(&answer)));
}

#[tokio::test]
async fn a_schema_that_can_not_be_answered_is_an_invalid_argument() {
    let bench = Bench::plain();
    let endless = json!({"type": "array", "minItems": 4_000_000_000_u64, "items": {"type": "string"}});
    for schema in [json!({"$ref": "#/$defs/none"}), json!({"enum": []}), endless] {
        let (status, answer) = bench.post(FLASH, "k", &json_prompt("a", &schema)).await;
        assert_eq!((status, &answer["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    }
    assert_eq!(bench.sandbox.stats().in_flight, 0);
}

#[tokio::test]
async fn an_item_asked_for_again_is_counted_as_answered_more_than_once() {
    let bench = Bench::plain();
    bench.ask_json(POSTS, &packed_schema(&IDS[..2])).await;
    bench.ask_json(POSTS, &packed_schema(&IDS[1..])).await;
    bench.ask("the same words").await;
    bench.ask("the same words").await;
    let (_, stats) = bench.get("/stats", "").await;
    assert_eq!(stats["items_answered"], 4);
    assert_eq!(stats["items_answered_more_than_once"], 2);
    assert_eq!(stats["calls"], 4);
    let (_, stats) = bench.post("/stats/reset", "", &json!({})).await;
    assert_eq!((&stats["calls"], &stats["items_answered"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn embeddings_of_like_texts_are_near_each_other() {
    let bench = Bench::plain();
    let embed = async |text: &str| {
        let body = json!({"content": {"parts": [{"text": text}]}, "outputDimensionality": 768});
        let (_, answer) = bench.post("/v1beta/models/gemini-embedding-2:embedContent", "k", &body).await;
        let values = answer["embedding"]["values"].as_array().unwrap().clone();
        values.iter().map(|value| value.as_f64().unwrap()).collect::<Vec<f64>>()
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let boat = embed("a red boat on the lake").await;
    assert!((dot(&boat, &boat) - 1.0).abs() < 1e-3);
    assert!(dot(&boat, &embed("the red boat in the lake").await) > 0.5);
    assert!(dot(&boat, &embed("quarterly tax filings explained").await) < 0.2);
}
