//! Finding the items of a packed call: which part of the answer's schema names them, and where each one
//! stands in the prompt.
//!
//! Two forms are known. A list, whose element has a string property with an enum of the ids; and an
//! object with one property an id.

use serde_json::{Map, Value};

use crate::schema::{SchemaType, alternatives, resolve};

/// The items of a packed call.
#[derive(Debug)]
pub(crate) struct Packed<'a> {
    /// The part of the schema that holds them: an array or an object, with references resolved.
    pub(crate) node: &'a Value,
    /// Their ids, as the schema lists them.
    pub(crate) ids: Vec<&'a str>,
}

/// The most objects that lie around the items.
const DEPTH: usize = 4;

impl<'a> Packed<'a> {
    /// The items that `schema` asks for, if it names them by id.
    pub(crate) fn find(schema: &'a Value, texts: &[&str]) -> Option<Self> {
        Self::below(schema, schema, texts, DEPTH)
    }

    fn below(root: &'a Value, node: &'a Value, texts: &[&str], depth: usize) -> Option<Self> {
        let node = alternatives(root, resolve(root, node)?)?;
        match SchemaType::of(node) {
            SchemaType::Array => {
                let sequence = sequence(root, node)?;
                let whole = sequence.fills(node);
                (whole && names_an_id(sequence.name)).then_some(Self { node, ids: sequence.values })
            }
            SchemaType::Object => {
                let properties = node.get("properties")?.as_object()?;
                if keyed_by_id(root, properties, texts) {
                    return Some(Self { node, ids: properties.keys().map(String::as_str).collect() });
                }
                if depth == 0 {
                    return None;
                }
                properties.values().find_map(|property| Self::below(root, property, texts, depth - 1))
            }
            _ => None,
        }
    }

    /// Which item the text at byte `at` belongs to: the one whose id stands before it in its line, or
    /// else after it in its line, or else the last before it.
    pub(crate) fn owner(&self, text: &str, at: usize) -> Option<usize> {
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        self.last_in(&text[start..at])
            .or_else(|| self.first_in(&text[at..end]))
            .or_else(|| self.last_in(&text[..start]))
    }

    fn last_in(&self, text: &str) -> Option<usize> {
        let places = self.ids.iter().enumerate();
        places
            .filter_map(|(index, id)| Some((text.rmatch_indices(id).find(|&(at, _)| alone(text, at, id))?.0, index)))
            .max()
            .map(|(_, index)| index)
    }

    fn first_in(&self, text: &str) -> Option<usize> {
        let places = self.ids.iter().enumerate();
        places
            .filter_map(|(index, id)| Some((text.match_indices(id).find(|&(at, _)| alone(text, at, id))?.0, index)))
            .min()
            .map(|(_, index)| index)
    }
}

/// `true` if `id` at byte `at` is a whole word, and no part of a longer number or name.
fn alone(text: &str, at: usize, id: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    !text[..at].ends_with(joins) && !text[at + id.len()..].starts_with(joins)
}

/// A property of an array's elements that is to take each of these values in turn.
#[derive(Debug)]
pub(crate) struct Sequence<'a> {
    /// The name of the property.
    pub(crate) name: &'a str,
    /// Its values, in the order of the schema.
    pub(crate) values: Vec<&'a str>,
}

impl Sequence<'_> {
    /// `true` if the array has as many elements as there are values, or does not say how many.
    fn fills(&self, array: &Value) -> bool {
        let (min, max) = crate::schema::items_range(array);
        let count = self.values.len() as u64;
        min.is_none_or(|min| min == count) && max.is_none_or(|max| max == count)
    }
}

/// The enum of strings in the elements of `array`, if there is one. Of several, one that names an id,
/// or else the first.
pub(crate) fn sequence<'a>(root: &'a Value, array: &'a Value) -> Option<Sequence<'a>> {
    let item = alternatives(root, resolve(root, array.get("items")?)?)?;
    let properties = item.get("properties")?.as_object()?;
    let mut found: Option<Sequence<'a>> = None;
    for (name, property) in properties {
        let Some(values) = resolve(root, property).and_then(|property| property.get("enum")?.as_array()) else {
            continue;
        };
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        if !values.is_empty() && (found.is_none() || names_an_id(name)) {
            found = Some(Sequence { name, values });
        }
    }
    found
}

/// `true` if a property of this name tells items apart; `kind` or `label` do not.
fn names_an_id(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower == "id" || lower == "key" || lower.ends_with("_id") || name.ends_with("Id") || name.ends_with("ID")
}

/// `true` if the properties of an object are items: each holds an object or an array, all are alike, and the
/// prompt holds the name of each, which has a digit. So an object with ordinary fields is not taken for a pack.
fn keyed_by_id(root: &Value, properties: &Map<String, Value>, texts: &[&str]) -> bool {
    let Some(first) = properties.values().next() else { return false };
    let parts = matches!(
        resolve(root, first).and_then(|first| alternatives(root, first)).map(SchemaType::of),
        Some(SchemaType::Object | SchemaType::Array)
    );
    parts
        && properties.iter().all(|(name, property)| {
            property == first
                && name.bytes().any(|byte| byte.is_ascii_digit())
                && texts.iter().any(|text| text.match_indices(name).any(|(at, _)| alone(text, at, name)))
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    fn list(ids: &[&str], property: &str) -> Value {
        json!({"type": "OBJECT", "properties": {"answers": {
            "type": "ARRAY", "minItems": ids.len(), "maxItems": ids.len().to_string(),
            "items": {"type": "OBJECT", "properties": {property: {"type": "STRING", "enum": ids}}}
        }}})
    }

    #[test]
    fn a_list_with_an_id_for_every_element_is_a_pack() {
        let schema = list(&["17", "18"], "post_id");
        assert_eq!(Packed::find(&schema, &[]).unwrap().ids, ["17", "18"]);
        let schema = list(&["17"], "id");
        assert_eq!(Packed::find(&schema, &[]).unwrap().ids, ["17"]);
    }

    #[test]
    fn a_list_of_kinds_is_not_a_pack() {
        let schema = list(&["add_value", "debate"], "kind");
        assert!(Packed::find(&schema, &[]).is_none());
    }

    #[test]
    fn an_object_with_a_property_for_every_id_in_the_prompt_is_a_pack() {
        let draft = json!({"type": "object", "properties": {"text": {"type": "string"}}});
        let schema = json!({"type": "object", "properties": {"p1": draft, "p2": draft}});
        let prompt = ["post p1: hello\npost p2: there"];
        assert_eq!(Packed::find(&schema, &prompt).unwrap().ids, ["p1", "p2"]);
        assert!(Packed::find(&schema, &["post p1: hello\npost p22: there"]).is_none());
    }

    #[test]
    fn a_marker_belongs_to_the_item_in_whose_text_it_stands() {
        let schema = list(&["1", "12", "3"], "id");
        let packed = Packed::find(&schema, &[]).unwrap();
        let owner = |text: &str| packed.owner(text, text.find('#').unwrap()).map(|item| packed.ids[item]);
        assert_eq!(owner("id 1: a\nid 12: # b\nid 3: c"), Some("12"));
        assert_eq!(owner("{\"id\":\"1\"}\n{\"text\":\"#\",\"id\":\"3\"}\n{\"id\":\"12\"}"), Some("3"));
        assert_eq!(owner("post 12\nsome text\n# more\npost 3"), Some("12"));
        assert_eq!(owner("no ids here #"), None);
    }
}
