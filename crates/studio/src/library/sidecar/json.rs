//! Descriptions in JSON, as in `images.json`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::description::Description;
use super::entries::{RawDescription, Sidecar};
use super::fields::{caption, id, name, names, number, split};

/// Reads a list of descriptions, an object with such a list as `images`, or one description.
pub(super) fn read(text: &str, sidecar: &mut Sidecar) -> Result<(), String> {
    let fault = |error: serde_json::Error| format!("it is not JSON: {error}");
    let list: Vec<&RawValue> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(fault)?
    } else {
        let object: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(fault)?;
        match object.get("images") {
            Some(images) => serde_json::from_str(images.get()).map_err(|_| "its 'images' are no list".to_owned())?,
            None => vec![serde_json::from_str(text).map_err(fault)?],
        }
    };
    for (place, raw) in (1_u32..).zip(list) {
        match file_of(raw) {
            Ok(file) => sidecar.keep(&file, place, RawDescription::Json(raw.to_owned())),
            Err(reason) => sidecar.refuse(place, reason),
        }
    }
    Ok(())
}

/// The file that a description is for. The rest is read once that file comes.
fn file_of(raw: &RawValue) -> Result<String, String> {
    #[derive(Deserialize)]
    struct FilenameOnly {
        filename: Option<Value>,
    }
    if !raw.get().trim_start().starts_with('{') {
        return Err("it is not an object".into());
    }
    let named: FilenameOnly = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
    match named.filename {
        Some(Value::String(file)) if !file.trim().is_empty() => Ok(file),
        None | Some(Value::Null | Value::String(_)) => Err("filename is missing".into()),
        Some(other) => Err(format!("filename: {other} is no text")),
    }
}

/// Reads a description. Keys that are not known are attributes.
pub(super) fn description(text: &str) -> Result<Description, String> {
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut description = Description::default();
    for (key, value) in object {
        match key.as_str() {
            "filename" => {}
            "id" => description.id = id(&plain("id", &value)?)?,
            "caption" => description.caption = Some(caption(&plain("caption", &value)?)?),
            "category" => description.category = name("category", &plain("category", &value)?)?,
            "labels" | "tags" => {
                description.labels.get_or_insert_default().extend(list("labels", &value)?);
            }
            "collections" => description.collections = list("collections", &value)?,
            "tone_score" => description.tone_score = number("tone_score", &value)?,
            "angle_score" => description.angle_score = number("angle_score", &value)?,
            "attributes" => match value {
                Value::Object(attributes) => description.attributes.extend(attributes),
                Value::Null => {}
                other => return Err(format!("attributes: {other} is no object")),
            },
            _ => drop(description.attributes.insert(key, value)),
        }
    }
    Ok(description)
}

/// A text, or a number as text: ids of 19 digits stay what they are.
fn plain(what: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(format!("{what}: {other} is no text")),
    }
}

fn list(what: &str, value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => names(what, split(text)),
        Value::Array(values) => {
            let texts = values.iter().map(|value| plain(what, value)).collect::<Result<Vec<_>, _>>()?;
            names(what, texts.iter().map(String::as_str))
        }
        other => Err(format!("{what}: {other} is no list")),
    }
}
