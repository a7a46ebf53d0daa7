//! The words that stand for an image where texts are compared.

use atelier_store::Image;
use serde_json::Value;

/// The longest attribute that counts as words, in bytes; a longer one is data.
const MAX_ATTRIBUTE: usize = 200;

/// The words of an image: its caption, its category, its tags, and those of its attributes that are texts. Empty
/// if it has none. Their vector is the image's vector of words.
#[must_use]
pub fn words(image: &Image) -> String {
    let mut parts: Vec<String> = Vec::new();
    let caption = image.caption.as_deref().map(|caption| caption.trim_end_matches(['.', ' ']));
    parts.extend(caption.filter(|caption| !caption.is_empty()).map(str::to_owned));
    parts.extend(image.category.clone());
    if !image.tags.is_empty() {
        parts.push(image.tags.join(", "));
    }
    for (name, value) in &image.attributes {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            _ => continue,
        };
        if !value.is_empty() && value.len() <= MAX_ATTRIBUTE {
            parts.push(format!("{}: {value}", name.replace(['_', '-'], " ")));
        }
    }
    parts.join(". ")
}

/// The hash of an image's words, by which it is known whether their vector is the one of these words; none if it
/// has no words.
#[must_use]
pub fn text_hash(words: &str) -> Option<String> {
    (!words.is_empty()).then(|| blake3::hash(words.as_bytes()).to_hex().to_string())
}
