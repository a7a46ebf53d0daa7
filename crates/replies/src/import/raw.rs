//! JSON objects whose members are still text, so that a number keeps the digits that it was written with.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::fields::Cell;

/// An object's members, each as it was written.
pub(super) type RawObject<'a> = HashMap<String, &'a RawValue>;

/// A member's value, with a number's digits as they were written.
pub(super) fn cell(raw: &RawValue) -> Cell {
    let written = raw.get();
    match written.as_bytes().first() {
        Some(b'"') => match serde_json::from_str::<String>(written) {
            Ok(text) if text.is_empty() => Cell::Nothing,
            Ok(text) => Cell::Text(text),
            // The one thing that a string can get wrong once its end was found.
            Err(_) => Cell::Other("broken Unicode (half a surrogate pair)"),
        },
        Some(b'n') => Cell::Nothing,
        Some(b't' | b'f') => Cell::Other("a truth value"),
        Some(b'[') => Cell::Other("a list"),
        Some(b'{') => Cell::Other("an object"),
        _ => Cell::Number(written.to_owned()),
    }
}
