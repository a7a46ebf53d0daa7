//! The values of a description, checked and brought into one form.

use serde_json::Value;

/// The longest id, tag, category or name of a collection, in bytes.
pub(crate) const MAX_NAME: usize = 200;

/// The longest caption, in characters.
const MAX_CAPTION: usize = 20_000;

/// The most tags or collections of an image.
const MAX_LIST: usize = 1_000;

/// A text with runs of white space as single spaces; none if it is empty.
pub(super) fn text(value: &str) -> Option<String> {
    let text = value.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

pub(super) fn caption(value: &str) -> Result<Option<String>, String> {
    match text(value) {
        Some(caption) if caption.chars().count() > MAX_CAPTION => {
            Err(format!("caption: it is longer than {MAX_CAPTION} characters"))
        }
        caption => Ok(caption),
    }
}

/// The name of something, trimmed; none if it is empty.
pub(crate) fn name(what: &str, value: &str) -> Result<Option<String>, String> {
    match text(value) {
        Some(name) if name.len() > MAX_NAME => Err(format!("{what}: a name is longer than {MAX_NAME} bytes")),
        Some(name) if name.chars().any(char::is_control) => Err(format!("{what}: a name has control characters")),
        name => Ok(name),
    }
}

/// An id: a name that can stand in an address.
pub(super) fn id(value: &str) -> Result<Option<String>, String> {
    match name("id", value)? {
        Some(id) if id.contains(['/', '\\', '?', '#', '%']) => Err(format!("id: {id:?} holds one of / \\ ? # %")),
        id => Ok(id),
    }
}

/// Names, each once, in their order.
pub(super) fn names<'a>(what: &str, values: impl Iterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    for value in values {
        if let Some(name) = name(what, value)?
            && !names.contains(&name)
        {
            names.push(name);
        }
        if names.len() > MAX_LIST {
            return Err(format!("{what}: there are more than {MAX_LIST}"));
        }
    }
    Ok(names)
}

/// Names in one text, between semicolons or, where there is none, commas.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(if text.contains(';') { ';' } else { ',' })
}

/// A number, of JSON or as text, with a point or a comma.
pub(super) fn number(what: &str, value: &Value) -> Result<Option<f64>, String> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => text.trim().replace(',', ".").parse().ok(),
        _ => None,
    };
    match number.filter(|number: &f64| number.is_finite()) {
        Some(number) if (0.0..=1.0).contains(&number) => Ok(Some(number)),
        Some(_) => Err(format!("{what}: {value} is not from 0 to 1")),
        None => Err(format!("{what}: {value} is no number")),
    }
}
