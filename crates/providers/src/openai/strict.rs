//! Schemas as strict mode takes them.
//!
//! Strict mode wants every object closed and every property required, and knows a part of JSON Schema only.
//! A schema is narrowed to that where it can be: what the narrowed one allows, the original allows as well,
//! but for bounds that have no place in strict mode, such as `minLength`. Whoever reads the answer checks
//! those, as with any model. What can't be narrowed is sent without `strict`.

use serde_json::{Map, Value, json};

/// The treatment of a keyword.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It stays as it is.
    Kept,
    /// It is left out: it explains, or it narrows what is allowed.
    Dropped,
    /// It is handled by name, below.
    Read,
}

/// Every keyword that has a place in a strict schema, or can be left out of one. With any other, the schema
/// can't be strict: `allOf`, `not`, `if` and `patternProperties` change what is meant.
const KEYWORDS: [(&str, Fate); 42] = [
    ("type", Fate::Read),
    ("properties", Fate::Read),
    ("required", Fate::Read),
    ("additionalProperties", Fate::Read),
    ("items", Fate::Read),
    ("anyOf", Fate::Read),
    ("oneOf", Fate::Read),
    ("$ref", Fate::Read),
    ("$defs", Fate::Read),
    ("definitions", Fate::Read),
    ("format", Fate::Read),
    ("title", Fate::Kept),
    ("description", Fate::Kept),
    ("enum", Fate::Kept),
    ("const", Fate::Kept),
    ("pattern", Fate::Kept),
    ("minimum", Fate::Kept),
    ("maximum", Fate::Kept),
    ("exclusiveMinimum", Fate::Kept),
    ("exclusiveMaximum", Fate::Kept),
    ("multipleOf", Fate::Kept),
    ("minItems", Fate::Kept),
    ("maxItems", Fate::Kept),
    ("minLength", Fate::Dropped),
    ("maxLength", Fate::Dropped),
    ("uniqueItems", Fate::Dropped),
    ("minProperties", Fate::Dropped),
    ("maxProperties", Fate::Dropped),
    ("propertyNames", Fate::Dropped),
    ("contentMediaType", Fate::Dropped),
    ("contentEncoding", Fate::Dropped),
    ("default", Fate::Dropped),
    ("example", Fate::Dropped),
    ("examples", Fate::Dropped),
    ("deprecated", Fate::Dropped),
    ("readOnly", Fate::Dropped),
    ("writeOnly", Fate::Dropped),
    ("propertyOrdering", Fate::Dropped),
    ("unevaluatedProperties", Fate::Dropped),
    ("$schema", Fate::Dropped),
    ("$id", Fate::Dropped),
    ("$comment", Fate::Dropped),
];

/// The formats that strict mode knows; another is left out.
const FORMATS: [&str; 9] = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// `schema` as strict mode takes it; `None` if it can't be.
pub(super) fn strict(schema: &Value) -> Option<Value> {
    let root = node(schema)?;
    // The top is an object and no alternative.
    (root.get("type") == Some(&json!("object"))).then_some(Value::Object(root))
}

fn node(schema: &Value) -> Option<Map<String, Value>> {
    let schema = schema.as_object()?;
    let mut out = Map::new();
    for (name, value) in schema {
        match KEYWORDS.iter().find(|(known, _)| known == name)?.1 {
            Fate::Kept => drop(out.insert(name.clone(), value.clone())),
            Fate::Dropped | Fate::Read => {}
        }
    }
    definitions(schema, &mut out)?;
    if let Some(reference) = schema.get("$ref") {
        // Nothing may stand beside a reference, which all the same may be the top's only keyword.
        out.retain(|name, _| matches!(name.as_str(), "$defs" | "definitions"));
        out.insert("$ref".to_owned(), reference.clone());
        return Some(out);
    }
    if let Some(choices) = alternatives(schema)? {
        out.insert("anyOf".to_owned(), choices);
        return (!schema.contains_key("properties") && !schema.contains_key("items")).then_some(out);
    }
    let kind = kind(schema)?;
    let is = |name: &str| kind == json!(name) || kind.as_array().is_some_and(|kinds| kinds.contains(&json!(name)));
    if is("object") {
        object(schema, &mut out)?;
    }
    if is("array") {
        out.insert("items".to_owned(), Value::Object(node(schema.get("items")?)?));
    }
    if let Some(format) = schema.get("format").filter(|format| FORMATS.iter().any(|known| *format == known)) {
        out.insert("format".to_owned(), format.clone());
    }
    out.insert("type".to_owned(), kind);
    Some(out)
}

/// Closes an object and requires all its properties.
fn object(schema: &Map<String, Value>, out: &mut Map<String, Value>) -> Option<()> {
    // An object without properties is a map of any names, which strict mode does not have.
    let properties = schema.get("properties")?.as_object()?;
    if schema.get("additionalProperties").is_some_and(Value::is_object) {
        return None;
    }
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if required.iter().any(|name| !properties.contains_key(*name)) {
        return None;
    }
    let mut narrowed = Map::new();
    for (name, property) in properties {
        // A schema that contains itself ends where a property may be left out: to require it would be to ask
        // for an answer without end.
        if !required.contains(&name.as_str()) && holds_reference(property) {
            return None;
        }
        narrowed.insert(name.clone(), Value::Object(node(property)?));
    }
    out.insert("required".to_owned(), narrowed.keys().map(String::as_str).collect());
    out.insert("properties".to_owned(), Value::Object(narrowed));
    out.insert("additionalProperties".to_owned(), Value::Bool(false));
    Some(())
}

fn holds_reference(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.contains_key("$ref") || fields.values().any(holds_reference),
        Value::Array(values) => values.iter().any(holds_reference),
        _ => false,
    }
}

fn definitions(schema: &Map<String, Value>, out: &mut Map<String, Value>) -> Option<()> {
    for name in ["$defs", "definitions"] {
        if let Some(definitions) = schema.get(name) {
            let narrowed = definitions.as_object()?.iter();
            let narrowed = narrowed.map(|(name, schema)| Some((name.clone(), Value::Object(node(schema)?))));
            out.insert(name.to_owned(), Value::Object(narrowed.collect::<Option<_>>()?));
        }
    }
    Some(())
}

/// The alternatives, if there are any. `oneOf` is `anyOf` to strict mode.
fn alternatives(schema: &Map<String, Value>) -> Option<Option<Value>> {
    let choices = match (schema.get("anyOf"), schema.get("oneOf")) {
        (None, None) => return Some(None),
        (Some(choices), None) | (None, Some(choices)) => choices.as_array()?,
        (Some(_), Some(_)) => return None,
    };
    let choices: Vec<Value> = choices.iter().map(|choice| Some(Value::Object(node(choice)?))).collect::<Option<_>>()?;
    Some(Some(Value::Array(choices)))
}

/// The type that is stated, or that the other parts imply.
fn kind(schema: &Map<String, Value>) -> Option<Value> {
    if let Some(kind) = schema.get("type") {
        return Some(kind.clone());
    }
    let text = |value: &Value| value.is_string();
    let texts = schema.get("enum").and_then(Value::as_array).is_some_and(|values| values.iter().all(text));
    match () {
        () if schema.contains_key("properties") => Some(json!("object")),
        () if schema.contains_key("items") => Some(json!("array")),
        () if texts || schema.get("const").is_some_and(text) => Some(json!("string")),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_at_every_level_and_all_their_properties_required() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "id": {"enum": ["1", "2"]},
                "drafts": {"type": "array", "minItems": 2, "uniqueItems": true, "items": {
                    "properties": {
                        "text": {"type": "string", "minLength": 80, "maxLength": 150, "description": "a draft"},
                        "when": {"type": ["string", "null"], "format": "date-time", "default": null},
                        "where": {"type": "string", "format": "uri"},
                    },
                    "required": ["text"],
                }},
                "score": {"oneOf": [{"type": "number", "minimum": 0}, {"type": "null"}]},
            },
            "required": ["id"],
            "additionalProperties": true,
        });
        let expected = json!({
            "type": "object",
            "properties": {
                "id": {"type": "string", "enum": ["1", "2"]},
                "drafts": {"type": "array", "minItems": 2, "items": {
                    "type": "object",
                    "properties": {
                        "text": {"type": "string", "description": "a draft"},
                        "when": {"type": ["string", "null"], "format": "date-time"},
                        "where": {"type": "string"},
                    },
                    "required": ["text", "when", "where"],
                    "additionalProperties": false,
                }},
                "score": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]},
            },
            "required": ["drafts", "id", "score"],
            "additionalProperties": false,
        });
        let mut narrowed = strict(&schema).unwrap();
        assert_eq!(strict(&narrowed).as_ref(), Some(&narrowed), "it is strict already");
        // In which order properties are listed depends on how maps are kept, and is nothing to go by.
        narrowed["required"].as_array_mut().unwrap().sort_by_key(|name| name.as_str().map(str::to_owned));
        assert_eq!(narrowed, expected);
    }

    #[test]
    fn references_stand_alone_and_lead_to_narrowed_definitions() {
        let schema = json!({
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/a", "description": "gone"}},
            "required": ["a"],
            "$defs": {"a": {"type": "object", "properties": {}}},
        });
        let narrowed = strict(&schema).unwrap();
        assert_eq!(narrowed["properties"]["a"], json!({"$ref": "#/$defs/a"}));
        assert_eq!(narrowed["$defs"]["a"]["additionalProperties"], json!(false));
    }

    #[test]
    fn what_strict_mode_cant_say_is_not_narrowed() {
        let inside = |property: Value| json!({"type": "object", "properties": {"a": property}, "required": ["a"]});
        for schema in [
            json!({"type": "array", "items": {"type": "string"}}),
            json!({"anyOf": [{"type": "object", "properties": {}}]}),
            json!({"type": "object"}),
            json!(true),
            json!({"type": "object", "properties": {"me": {"$ref": "#"}}}),
            json!({"type": "object", "properties": {}, "required": ["a"]}),
            inside(json!({"type": "object", "additionalProperties": {"type": "string"}})),
            inside(json!({"type": "array"})),
            inside(json!({"allOf": [{"type": "string"}]})),
            inside(json!({"not": {"type": "string"}, "type": "number"})),
            inside(json!({})),
            inside(json!(true)),
            inside(json!({"type": "array", "prefixItems": [{"type": "string"}]})),
        ] {
            assert_eq!(strict(&schema), None, "{schema}");
        }
    }
}
