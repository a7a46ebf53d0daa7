//! The parts of a JSON schema that decide an answer. Gemini's subset (types in capitals, some numbers as strings)
//! and JSON Schema are read alike.

use serde_json::Value;

/// The type of the value that a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchemaType {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    Null,
}

impl SchemaType {
    /// The type that `node` states, the first but null of several, or what its other parts imply.
    pub(crate) fn of(node: &Value) -> Self {
        let stated = match node.get("type") {
            Some(Value::String(name)) => Self::named(name),
            Some(Value::Array(names)) => {
                let mut kinds = names.iter().filter_map(Value::as_str).filter_map(Self::named);
                kinds.find(|kind| *kind != Self::Null).or(Some(Self::Null))
            }
            _ => None,
        };
        stated.unwrap_or_else(|| {
            if node.get("properties").is_some() {
                Self::Object
            } else if node.get("items").is_some() || node.get("prefixItems").is_some() {
                Self::Array
            } else {
                Self::String
            }
        })
    }

    fn named(name: &str) -> Option<Self> {
        let kinds = [
            ("object", Self::Object),
            ("array", Self::Array),
            ("string", Self::String),
            ("integer", Self::Integer),
            ("number", Self::Number),
            ("boolean", Self::Boolean),
            ("null", Self::Null),
        ];
        kinds.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, kind)| kind)
    }
}

/// The most references in a row, so that a circle of them ends.
const REFERENCES: usize = 32;

/// The schema that `node` stands for: itself, or the one that its `$ref` names within `root`. `None`: it leads
/// nowhere.
pub(crate) fn resolve<'a>(root: &'a Value, mut node: &'a Value) -> Option<&'a Value> {
    for _ in 0..REFERENCES {
        let Some(reference) = node.get("$ref").or_else(|| node.get("ref")).and_then(Value::as_str) else {
            return Some(node);
        };
        node = root.pointer(reference.strip_prefix('#')?)?;
    }
    None
}

/// The first alternative of `node` that is not null, or `node` itself where it has none. References are
/// resolved. `None`: a reference leads nowhere.
pub(crate) fn alternatives<'a>(root: &'a Value, mut node: &'a Value) -> Option<&'a Value> {
    for _ in 0..REFERENCES {
        let choices = ["anyOf", "oneOf", "allOf", "any_of"].into_iter().find_map(|name| node.get(name));
        let Some(choices) = choices.and_then(Value::as_array).filter(|choices| !choices.is_empty()) else {
            return Some(node);
        };
        let mut chosen = None;
        for choice in choices {
            let choice = resolve(root, choice)?;
            if SchemaType::of(choice) != SchemaType::Null {
                chosen = Some(choice);
                break;
            }
        }
        node = chosen.or_else(|| choices.first())?;
    }
    None
}

/// A whole number of a schema, which may be written as a string. It is found by any of its names.
fn whole(node: &Value, names: [&str; 2]) -> Option<u64> {
    match names.into_iter().find_map(|name| node.get(name))? {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    }
}

/// The fewest and the most elements of an array.
pub(crate) fn items_range(node: &Value) -> (Option<u64>, Option<u64>) {
    (whole(node, ["minItems", "min_items"]), whole(node, ["maxItems", "max_items"]))
}

/// The fewest and the most characters of a string.
pub(crate) fn length_range(node: &Value) -> (Option<u64>, Option<u64>) {
    (whole(node, ["minLength", "min_length"]), whole(node, ["maxLength", "max_length"]))
}

/// The least and the greatest of a number. A bound that is excluded is taken in by 1 for whole numbers,
/// and by a thousandth otherwise.
pub(crate) fn number_range(node: &Value, kind: SchemaType) -> (Option<f64>, Option<f64>) {
    let step = if kind == SchemaType::Integer { 1.0 } else { 1e-3 };
    let number = |name: &str| node.get(name).and_then(Value::as_f64);
    let min = number("minimum").or_else(|| number("exclusiveMinimum").map(|bound| bound + step));
    let max = number("maximum").or_else(|| number("exclusiveMaximum").map(|bound| bound - step));
    (min, max)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    #[test]
    fn types_are_read_in_either_case_and_from_lists() {
        assert_eq!(SchemaType::of(&json!({"type": "ARRAY"})), SchemaType::Array);
        assert_eq!(SchemaType::of(&json!({"type": ["null", "integer"]})), SchemaType::Integer);
        assert_eq!(SchemaType::of(&json!({"properties": {}})), SchemaType::Object);
        assert_eq!(SchemaType::of(&json!(true)), SchemaType::String);
    }

    #[test]
    fn references_that_lead_in_a_circle_or_nowhere_are_noticed() {
        let root = json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}, "c": {"type": "null"}}});
        assert!(resolve(&root, &json!({"$ref": "#/$defs/a"})).is_none());
        assert!(resolve(&root, &json!({"$ref": "#/$defs/none"})).is_none());
        assert!(resolve(&root, &json!({"$ref": "elsewhere"})).is_none());
        assert_eq!(resolve(&root, &json!({"$ref": "#/$defs/c"})), Some(&json!({"type": "null"})));
    }
}
