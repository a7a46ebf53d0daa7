//! The rules of strict mode for schemas, as the provider's documents state them.

use serde_json::Value;

use super::problem::OpenAiProblem;

/// Keywords that strict mode does not have.
const NOT_PERMITTED: [&str; 16] = [
    "allOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "prefixItems",
    "uniqueItems",
    "minLength",
    "maxLength",
    "default",
];

/// The most levels of objects, and the most properties in all.
const DEPTH: usize = 10;
const PROPERTIES: usize = 5000;

pub(super) fn check(name: &str, schema: &Value) -> Result<(), OpenAiProblem> {
    let mut properties = 0;
    let top = match schema.get("type").and_then(Value::as_str) {
        _ if schema.get("anyOf").is_some() => Err(("()".to_owned(), "'anyOf' is not permitted at the top".to_owned())),
        Some("object") => node(schema, &mut Vec::new(), 1, &mut properties),
        _ => Err(("()".to_owned(), "schema must be a JSON Schema of 'type: \"object\"'".to_owned())),
    };
    top.map_err(|(place, reason)| {
        let message = format!("Invalid schema for response_format '{name}': In context={place}, {reason}.");
        OpenAiProblem::invalid("response_format", message)
    })
}

/// Where something is wrong, and what.
type Wrong = (String, String);

fn node<'a>(schema: &'a Value, path: &mut Vec<&'a str>, depth: usize, properties: &mut usize) -> Result<(), Wrong> {
    let wrong = |path: &[&str], reason: String| {
        let steps: Vec<String> = path.iter().map(|step| format!("'{step}'")).collect();
        Err((format!("({})", steps.join(", ")), reason))
    };
    let Some(fields) = schema.as_object() else { return wrong(path, "a schema is an object here".to_owned()) };
    if let Some(keyword) = NOT_PERMITTED.into_iter().find(|keyword| fields.contains_key(*keyword)) {
        return wrong(path, format!("'{keyword}' is not permitted"));
    }
    if fields.contains_key("$ref") {
        let beside = fields.keys().find(|name| !matches!(name.as_str(), "$ref" | "$defs" | "definitions"));
        return beside.map_or(Ok(()), |name| wrong(path, format!("$ref cannot have keywords {{'{name}'}}")));
    }
    if !["type", "anyOf"].iter().any(|name| fields.contains_key(*name)) {
        return wrong(path, "schema must have a 'type' key".to_owned());
    }
    let is = |kind: &str| match fields.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|known| known == kind),
        stated => stated.is_some_and(|stated| stated == kind),
    };
    if is("object") {
        if depth > DEPTH {
            return wrong(path, format!("there are more than {DEPTH} levels"));
        }
        if fields.get("additionalProperties") != Some(&Value::Bool(false)) {
            return wrong(path, "'additionalProperties' is required to be supplied and to be false".to_owned());
        }
        let named: Vec<&str> = fields
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        let required: Vec<&str> =
            fields.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if required.len() != named.len() || named.iter().any(|name| !required.contains(name)) {
            let reason = "'required' is required to be supplied and to be an array including every key in properties";
            return wrong(path, reason.to_owned());
        }
        *properties += named.len();
        if *properties > PROPERTIES {
            return wrong(path, format!("there are more than {PROPERTIES} properties"));
        }
    }
    if is("array") && !fields.contains_key("items") {
        return wrong(path, "array schema missing items".to_owned());
    }
    for (name, deeper) in [("properties", 1), ("$defs", 0), ("definitions", 0)] {
        for (key, value) in fields.get(name).and_then(Value::as_object).into_iter().flatten() {
            path.extend([name, key.as_str()]);
            node(value, path, depth + deeper, properties)?;
            path.truncate(path.len() - 2);
        }
    }
    let choices = fields.get("anyOf").and_then(Value::as_array).into_iter().flatten().map(|choice| ("anyOf", choice));
    for (name, value) in choices.chain(fields.get("items").map(|items| ("items", items))) {
        path.push(name);
        node(value, path, depth, properties)?;
        path.pop();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    fn reason(schema: &Value) -> Option<String> {
        check("answer", schema).err().map(|problem| problem.message)
    }

    fn object(property: &Value) -> Value {
        json!({"type": "object", "properties": {"a": property}, "required": ["a"], "additionalProperties": false})
    }

    #[test]
    fn a_strict_schema_is_taken() {
        let inner = object(&json!({"type": ["string", "null"], "enum": ["x", null]}));
        for schema in [
            object(&json!({"type": "array", "minItems": 1, "items": inner})),
            object(&json!({"anyOf": [inner, {"type": "null"}]})),
            object(&json!({"$ref": "#"})),
        ] {
            assert_eq!(reason(&schema), None);
        }
    }

    #[test]
    fn what_is_not_strict_is_refused_with_its_place() {
        let mut open = object(&json!({"type": "string"}));
        open.as_object_mut().unwrap().remove("additionalProperties");
        let mut optional = object(&json!({"type": "string"}));
        optional["required"] = json!([]);
        for (schema, why) in [
            (json!({"type": "array"}), "In context=(), schema must be"),
            (open.clone(), "'additionalProperties' is required"),
            (optional, "including every key"),
            (object(&open), "In context=('properties', 'a'), 'additionalProperties'"),
            (object(&json!({"type": "string", "minLength": 1})), "'minLength' is not permitted"),
            (object(&json!({"type": "array"})), "missing items"),
            (object(&json!({})), "must have a 'type' key"),
            (object(&json!({"$ref": "#", "description": "me"})), "$ref cannot have keywords {'description'}"),
        ] {
            let reason = reason(&schema).unwrap();
            assert!(reason.contains(why), "{reason}");
        }
        let deep = (0..10).fold(json!({"type": "string"}), |inner, _| object(&inner));
        assert_eq!(reason(&deep), None);
        assert!(reason(&object(&deep)).unwrap().contains("more than 10 levels"));
    }
}
