//! Answers that follow a JSON schema.
//!
//! An answer depends on the seed, the prompt and the place in the schema, and on nothing else, so that a run can
//! be repeated. Ignored are `pattern`, `multipleOf`, `uniqueItems`, `not`, and all but the first part of an
//! `allOf`.

use serde_json::{Map, Value};

use crate::hash::{hash, mix};
use crate::packed::{Packed, sequence};
use crate::schema::{SchemaType, alternatives, items_range, length_range, number_range, resolve};
use crate::words::{self, Avoid, DRAFT};

/// The reason why a schema can't be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SchemaFault {
    #[error("a $ref of the schema leads nowhere")]
    Reference,
    #[error("the schema needs more than {DEPTH} levels")]
    TooDeep,
    #[error("the schema asks for an answer of more than {SIZE} bytes")]
    TooLarge,
    #[error("an enum of the schema is empty")]
    EmptyEnum,
}

/// Levels of a value before it is given up.
const DEPTH: usize = 64;
/// Levels before only what is required is given, so that a schema that contains itself comes to an end.
const FULL_DEPTH: usize = 8;
/// Bytes of an answer before it is given up.
const SIZE: usize = 4 << 20;
/// Elements of a list that does not say how many it wants.
const ELEMENTS: u64 = 2;

/// The inputs that decide an answer.
#[derive(Debug)]
pub(crate) struct Recipe<'a> {
    pub(crate) schema: &'a Value,
    /// Decides every value: mixed from the configured seed and the prompt.
    pub(crate) seed: u64,
    pub(crate) avoid: Avoid,
    /// The items of a packed call, and which of them to give, in which order.
    pub(crate) packed: Option<(&'a Packed<'a>, &'a [usize])>,
}

impl Recipe<'_> {
    /// The answer, as JSON without white space.
    pub(crate) fn json(&self) -> Result<String, SchemaFault> {
        let mut writer = AnswerWriter { recipe: self, out: String::with_capacity(256) };
        writer.value(self.schema, self.seed, 0, None)?;
        Ok(writer.out)
    }
}

struct AnswerWriter<'a> {
    recipe: &'a Recipe<'a>,
    out: String,
}

/// A property, by name, and the value that it is given from outside: the id or the kind of an element.
type Fixed<'a> = Option<(&'a str, &'a str)>;

impl<'a> AnswerWriter<'a> {
    /// Writes a value of `node`. `path` stands for its place, and decides what is free.
    fn value(&mut self, node: &'a Value, path: u64, depth: usize, fixed: Fixed<'a>) -> Result<(), SchemaFault> {
        if depth > DEPTH {
            return Err(SchemaFault::TooDeep);
        }
        if self.out.len() > SIZE {
            return Err(SchemaFault::TooLarge);
        }
        let root = self.recipe.schema;
        let node = resolve(root, node).and_then(|node| alternatives(root, node));
        let node = node.ok_or(SchemaFault::Reference)?;
        if let Some(constant) = node.get("const") {
            self.out.push_str(&constant.to_string());
            return Ok(());
        }
        if let Some(values) = node.get("enum").and_then(Value::as_array) {
            let count = values.len() as u64;
            let value = path.checked_rem(count).and_then(|pick| values.get(usize::try_from(pick).ok()?));
            self.out.push_str(&value.ok_or(SchemaFault::EmptyEnum)?.to_string());
            return Ok(());
        }
        match SchemaType::of(node) {
            SchemaType::Object => self.object(node, path, depth, fixed),
            SchemaType::Array => self.array(node, path, depth),
            SchemaType::String => self.string(node, path),
            kind @ (SchemaType::Integer | SchemaType::Number) => {
                self.out.push_str(&number(node, kind, path));
                Ok(())
            }
            SchemaType::Boolean => {
                self.out.push_str(if path & 1 == 0 { "true" } else { "false" });
                Ok(())
            }
            SchemaType::Null => {
                self.out.push_str("null");
                Ok(())
            }
        }
    }

    fn object(&mut self, node: &'a Value, path: u64, depth: usize, fixed: Fixed<'a>) -> Result<(), SchemaFault> {
        self.out.push('{');
        if let Some(properties) = node.get("properties").and_then(Value::as_object) {
            let mut first = true;
            for name in self.names(node, properties, depth) {
                let Some(property) = properties.get(name) else { continue };
                if !first {
                    self.out.push(',');
                }
                first = false;
                push_string(&mut self.out, name);
                self.out.push(':');
                match fixed {
                    Some((fixed, value)) if fixed == name => push_string(&mut self.out, value),
                    _ => self.value(property, hash(path, name.as_bytes()), depth + 1, None)?,
                }
            }
        }
        self.out.push('}');
        Ok(())
    }

    /// The properties to write, in order: those of `propertyOrdering` first, as Gemini does.
    fn names(&self, node: &'a Value, properties: &'a Map<String, Value>, depth: usize) -> Vec<&'a str> {
        if let Some((packed, order)) = self.recipe.packed
            && std::ptr::eq(packed.node, node)
        {
            let mut names: Vec<&str> = Vec::with_capacity(order.len());
            for &item in order {
                // A name can't stand in an object twice.
                if !names.contains(&packed.ids[item]) {
                    names.push(packed.ids[item]);
                }
            }
            return names;
        }
        let list = |name: &str| node.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let required = list("required");
        let ordering = list("propertyOrdering");
        let ordered = ordering.iter().filter_map(Value::as_str).filter(|name| properties.contains_key(*name));
        let mut names: Vec<&str> = ordered.collect();
        names.extend(properties.keys().filter(|name| !ordering.iter().any(|known| known == *name)).map(String::as_str));
        if depth >= FULL_DEPTH {
            names.retain(|name| required.iter().any(|known| known == name));
        }
        names
    }

    fn array(&mut self, node: &'a Value, path: u64, depth: usize) -> Result<(), SchemaFault> {
        self.out.push('[');
        let prefix = node.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let sequence = sequence(self.recipe.schema, node);
        let packed = self.recipe.packed.filter(|(packed, _)| std::ptr::eq(packed.node, node));
        let (min, max) = items_range(node);
        let wanted = match (&packed, &sequence) {
            (Some((_, order)), _) => order.len() as u64,
            _ if depth >= FULL_DEPTH => min.unwrap_or(0),
            (None, Some(sequence)) if min.is_none() && max.is_none() => sequence.values.len() as u64,
            _ if prefix.is_empty() => ELEMENTS.max(min.unwrap_or(0)).min(max.unwrap_or(u64::MAX)),
            _ => prefix.len() as u64,
        };
        let items = node.get("items");
        for element in 0..usize::try_from(wanted).unwrap_or(usize::MAX) {
            let Some(schema) = prefix.get(element).or(items) else { break };
            if element > 0 {
                self.out.push(',');
            }
            let fixed = sequence.as_ref().map(|sequence| {
                let place = packed.map_or(element, |(_, order)| order[element]);
                (sequence.name, sequence.values[place % sequence.values.len()])
            });
            // By the id and not by the place, so that a pack in another order is answered alike.
            let place = match fixed {
                Some((_, value)) => hash(path, value.as_bytes()),
                None => mix(path, element as u64),
            };
            self.value(schema, place, depth + 1, fixed)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn string(&mut self, node: &Value, path: u64) -> Result<(), SchemaFault> {
        let example = match node.get("format").and_then(Value::as_str) {
            Some("date-time") => "2026-01-01T00:00:00Z",
            Some("date") => "2026-01-01",
            Some("time") => "00:00:00Z",
            Some("email") => "sandbox@example.com",
            Some("uri" | "url") => "https://example.com/sandbox",
            Some("uuid") => "00000000-0000-4000-8000-000000000000",
            _ => "",
        };
        if !example.is_empty() {
            push_string(&mut self.out, example);
            return Ok(());
        }
        let (min, max) = length_range(node);
        let min = usize::try_from(min.unwrap_or(0)).unwrap_or(usize::MAX);
        if min > SIZE {
            return Err(SchemaFault::TooLarge);
        }
        let max = max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX)).max(min);
        let (least, most) = if max >= DRAFT.1 {
            (min.max(DRAFT.0), min.max(DRAFT.1))
        } else {
            (min.max(max.min(20)), max.min(min.max(60)))
        };
        push_string(&mut self.out, &words::text(path, &self.recipe.avoid, least, most));
        Ok(())
    }
}

/// A number within the bounds of `node`: 0 to 100 if whole and 0 to 1 if not, where it has none.
fn number(node: &Value, kind: SchemaType, path: u64) -> String {
    let span = if kind == SchemaType::Integer { 100.0 } else { 1.0 };
    let (min, max) = match number_range(node, kind) {
        (Some(min), Some(max)) => (min, max.max(min)),
        (Some(min), None) => (min, min + span),
        (None, Some(max)) => (max.min(0.0).min(max - span), max),
        (None, None) => (0.0, span),
    };
    // 20 bits of the path, as a share from 0 to 1.
    let share = (path >> 44) as f64 / f64::from((1_u32 << 20) - 1);
    let exact = min + (max - min) * share;
    if kind == SchemaType::Integer {
        let whole = exact.round().clamp(min.ceil(), max.floor().max(min.ceil()));
        return format!("{whole:.0}");
    }
    let rounded = ((exact * 1000.0).round() / 1000.0).clamp(min, max);
    serde_json::Number::from_f64(rounded).map_or_else(|| "0".to_owned(), |number| number.to_string())
}

/// Writes `text` as a JSON string.
fn push_string(out: &mut String, text: &str) {
    out.push_str(&Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    fn answer(schema: &Value) -> Result<Value, SchemaFault> {
        let recipe = Recipe { schema, seed: 7, avoid: Avoid::default(), packed: None };
        recipe.json().map(|text| serde_json::from_str(&text).expect("the answer is JSON"))
    }

    #[test]
    fn every_type_is_answered_within_its_bounds() {
        let schema = json!({"type": "OBJECT", "properties": {
            "flag": {"type": "BOOLEAN"},
            "whole": {"type": "INTEGER", "minimum": 3, "maximum": 5},
            "share": {"type": "number"},
            "below": {"type": "integer", "maximum": -7},
            "label": {"type": "string", "enum": ["red", "green"]},
            "fixed": {"const": {"a": [1]}},
            "code": {"type": "string", "minLength": 4, "maxLength": 6},
            "why": {"type": "string", "maxLength": 100},
            "text": {"type": "string"},
            "maybe": {"anyOf": [{"type": "null"}, {"type": "integer"}]},
            "when": {"type": "string", "format": "date-time"},
            "pair": {"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "integer"}]},
            "list": {"type": "array", "minItems": 3, "items": {"$ref": "#/$defs/point"}},
            "none": {"type": ["null"]}
        }, "$defs": {"point": {"type": "object", "properties": {"x": {"type": "number"}}}}});
        let value = answer(&schema).unwrap();
        assert!(value["flag"].is_boolean());
        assert!((3..=5).contains(&value["whole"].as_i64().unwrap()));
        assert!((0.0..=1.0).contains(&value["share"].as_f64().unwrap()));
        assert!(value["below"].as_i64().unwrap() <= -7);
        assert!(["red", "green"].contains(&value["label"].as_str().unwrap()));
        assert_eq!(value["fixed"], json!({"a": [1]}));
        assert!((4..=6).contains(&value["code"].as_str().unwrap().len()));
        assert!((20..=100).contains(&value["why"].as_str().unwrap().len()));
        assert!((80..=150).contains(&value["text"].as_str().unwrap().len()));
        assert!(value["maybe"].is_i64());
        assert_eq!(value["pair"].as_array().unwrap().len(), 2);
        assert!(value["list"].as_array().unwrap().iter().all(|point| point["x"].is_number()));
        assert!(value["none"].is_null());
    }

    #[test]
    fn properties_come_in_the_order_asked_for() {
        let schema = json!({"type": "OBJECT", "propertyOrdering": ["z", "a"], "properties": {
            "a": {"type": "INTEGER"}, "m": {"type": "INTEGER"}, "z": {"type": "INTEGER"}}});
        let recipe = Recipe { schema: &schema, seed: 1, avoid: Avoid::default(), packed: None };
        let json = recipe.json().unwrap();
        let at = |name: &str| json.find(name).unwrap();
        assert!(at("\"z\"") < at("\"a\"") && at("\"a\"") < at("\"m\""));
    }

    #[test]
    fn a_list_of_kinds_has_each_kind_once() {
        let schema = json!({"type": "ARRAY", "minItems": 3, "maxItems": 3, "items": {"type": "OBJECT", "properties": {
            "kind": {"type": "STRING", "enum": ["funny", "debate", "relate"]}, "text": {"type": "STRING"}}}});
        let value = answer(&schema).unwrap();
        let kinds: Vec<&str> = value.as_array().unwrap().iter().map(|draft| draft["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["funny", "debate", "relate"]);
        assert_ne!(value[0]["text"], value[1]["text"]);
    }

    #[test]
    fn a_schema_that_contains_itself_comes_to_an_end() {
        let tree = json!({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "required": ["name"],
            "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}}});
        assert!(answer(&tree).unwrap()["children"].is_array());
        let endless = json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "required": ["a"],
            "properties": {"a": {"$ref": "#/$defs/a"}}}}});
        assert_eq!(answer(&endless), Err(SchemaFault::TooDeep));
    }

    #[test]
    fn a_schema_that_makes_no_sense_is_a_fault_and_not_a_panic() {
        let huge = json!({"type": "array", "minItems": u64::MAX, "items": {"type": "string"}});
        assert_eq!(answer(&huge), Err(SchemaFault::TooLarge));
        assert_eq!(answer(&json!({"type": "string", "minLength": u64::MAX})), Err(SchemaFault::TooLarge));
        assert_eq!(answer(&json!({"$ref": "#/none"})), Err(SchemaFault::Reference));
        assert_eq!(answer(&json!({"enum": []})), Err(SchemaFault::EmptyEnum));
        for odd in [json!(null), json!([]), json!("x"), json!({"type": "array"}), json!({"type": 7})] {
            answer(&odd).unwrap();
        }
        let crossed = json!({"type": "integer", "minimum": 9, "maximum": 1});
        assert_eq!(answer(&crossed).unwrap(), json!(9));
    }
}
