//! Getting what is whole out of an answer that should have been JSON.
//!
//! Models wrap their JSON in code fences, put words before it, or are cut in the middle of it. What is read
//! here is always a whole JSON object of the answer, never a repaired one: nothing is made up.

use serde_json::{Map, Value};

pub(crate) type JsonObject = Map<String, Value>;

/// All whole objects in `text` that have the member `key`, in order, wherever they stand. An object inside
/// one of them is a part of it and does not come again.
pub(crate) fn objects_with(text: &str, key: &str) -> Vec<JsonObject> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['{', '[']) {
        rest = rest.get(start..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        rest = match values.next() {
            Some(Ok(value)) => {
                collect(value, key, &mut found);
                rest.get(values.byte_offset()..).unwrap_or_default()
            }
            // Cut or no JSON at all: what lies inside may still be whole.
            _ => rest.get(1..).unwrap_or_default(),
        };
    }
    found
}

/// The parser stops nesting at 128 levels, and so does this.
fn collect(value: Value, key: &str, found: &mut Vec<JsonObject>) {
    match value {
        Value::Object(object) if object.contains_key(key) => found.push(object),
        Value::Object(object) => object.into_iter().for_each(|(_, member)| collect(member, key, found)),
        Value::Array(elements) => elements.into_iter().for_each(|element| collect(element, key, found)),
        _ => {}
    }
}

/// An id as text. A number keeps its digits as long as it is whole and below 2^64.
pub(crate) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(text: &str) -> Vec<String> {
        objects_with(text, "id").iter().filter_map(|object| id(object.get("id")?)).collect()
    }

    #[test]
    fn plain_json_is_read() {
        assert_eq!(ids(r#"{"replies": [{"id": "1"}, {"id": "2"}]}"#), ["1", "2"]);
        assert_eq!(ids(r#"[{"id": "1"}]"#), ["1"]);
        assert_eq!(ids(r#"{"id": "1", "inner": {"id": "2"}}"#), ["1"]);
    }

    #[test]
    fn code_fences_and_words_around_make_no_difference() {
        assert_eq!(ids("Here you go [as asked]:\n```json\n[{\"id\": \"1\"}]\n```\nEnjoy {it}!"), ["1"]);
    }

    #[test]
    fn of_a_cut_answer_the_whole_elements_remain() {
        let whole = r#"{"replies": [{"id": "1", "t": "a } ] b"}, {"id": "2", "t": "\"{"}, {"id": "3", "t": "c"}]}"#;
        let counts: Vec<usize> =
            (0..=whole.len()).filter(|n| whole.is_char_boundary(*n)).map(|n| ids(&whole[..n]).len()).collect();
        assert!(counts.is_sorted(), "more text never gives fewer elements: {counts:?}");
        assert_eq!(counts.last(), Some(&3));
        assert_eq!(ids(&whole[..whole.len() - 3]), ["1", "2"]);
    }

    #[test]
    fn what_stands_inside_a_string_is_not_an_element() {
        assert_eq!(ids(r#"{"id": "1", "t": "{\"id\": \"2\"}"}"#), ["1"]);
        assert_eq!(ids(r#"[{"id": "1", "t": "{\"id\": \"2\"} and then it was c"#), Vec::<String>::new());
    }

    #[test]
    fn numbers_are_ids_as_long_as_they_have_all_their_digits() {
        assert_eq!(ids(r#"[{"id": 1234567890123456789}]"#), ["1234567890123456789"]);
        assert_eq!(ids(r#"[{"id": 1.5}, {"id": 1e19}, {"id": null}, {"id": -1}]"#), Vec::<String>::new());
    }

    #[test]
    fn deep_nesting_ends() {
        assert_eq!(ids(&"[".repeat(20_000)), Vec::<String>::new());
        assert_eq!(ids(&"{\"a\":".repeat(5_000)), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".*") {
            let _ = ids(&text);
        }

        #[test]
        fn nothing_is_made_up(texts in prop::collection::vec("[ -~]{0,20}", 0..6), cut in 0.0..1.0_f64, fence in any::<bool>()) {
            let elements: Vec<Value> = texts.iter().enumerate()
                .map(|(index, text)| serde_json::json!({"id": index.to_string(), "t": text})).collect();
            let mut whole = serde_json::json!({"replies": elements}).to_string();
            if fence {
                whole = format!("```json\n{whole}\n```");
            }
            let end = (whole.len() as f64 * cut) as usize;
            for object in objects_with(&whole[..end], "id") {
                prop_assert!(elements.contains(&Value::Object(object)));
            }
        }

        #[test]
        fn a_whole_answer_is_read_wholly(texts in prop::collection::vec(".{0,20}", 0..6), before in "[a-z .,]{0,20}") {
            let elements: Vec<Value> = texts.iter().enumerate()
                .map(|(index, text)| serde_json::json!({"id": index.to_string(), "t": text})).collect();
            let text = format!("{before}{}", serde_json::json!({"replies": elements}));
            let found: Vec<Value> = objects_with(&text, "id").into_iter().map(Value::Object).collect();
            prop_assert_eq!(found, elements);
        }
    }
}
