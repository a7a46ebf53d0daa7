//! From YAML to a [`Finder`]: every key known, every value sensible, every complaint with its line.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};
use serde_saphyr::{Spanned, budget, options};

use super::{DraftingRules, Examples, Finder, Node, Sources, Thresholds, Voice, Weights};
use crate::error::RepliesError;
use crate::kind::ReplyKind;

/// The largest finder.yml that is read, in bytes: a real one has a few thousand.
const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting of values; the format needs five levels.
const MAX_DEPTH: usize = 32;
/// The most values, aliases followed: a few lines of nested aliases can stand for billions.
const MAX_NODES: usize = 100_000;
/// Weights are shares of 1, or percents; none is larger.
const MAX_WEIGHT: f64 = 1_000.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFinder {
    taxonomy: Spanned<Vec<Spanned<RawNode>>>,
    #[serde(default)]
    voice: Option<RawVoice>,
    #[serde(default)]
    sources: Option<RawSources>,
    #[serde(default)]
    weights: Option<Spanned<RawWeights>>,
    #[serde(default)]
    thresholds: Option<Spanned<RawThresholds>>,
    #[serde(default)]
    generation: Option<Spanned<RawGeneration>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNode {
    label: String,
    description: String,
    #[serde(default, deserialize_with = "list")]
    exemplars: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVoice {
    #[serde(default)]
    persona: Option<String>,
    #[serde(default, deserialize_with = "list")]
    constraints: Vec<String>,
    #[serde(default)]
    examples: Option<RawExamples>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExamples {
    #[serde(default, deserialize_with = "list")]
    good: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    bad: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSources {
    #[serde(default, deserialize_with = "list")]
    whitelist_handles: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    blacklist_handles: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    blacklist_keywords: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    languages: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWeights {
    velocity: Option<Spanned<f64>>,
    relevance: Option<Spanned<f64>>,
    openness: Option<Spanned<f64>>,
    author_quality: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawThresholds {
    green_min: Option<Spanned<f64>>,
    yellow_min: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGeneration {
    temperature: Option<Spanned<f64>>,
    max_tokens: Option<Spanned<i64>>,
    model: Option<String>,
    kinds: Option<Spanned<Vec<Spanned<String>>>>,
}

/// A list, where nothing at all means an empty one. Blank entries are dropped: a blank keyword would
/// match every post.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let entries = Option::<Vec<String>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(entries.into_iter().filter(|entry| !entry.trim().is_empty()).collect())
}

/// Reads and checks a whole file.
pub(super) fn finder(text: &str) -> Result<Finder, RepliesError> {
    if text.len() > MAX_BYTES {
        return Err(RepliesError::FinderTooLarge { bytes: text.len(), limit: MAX_BYTES });
    }
    let options = options! {
        budget: budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_documents: 1,
            max_total_scalar_bytes: 4 * MAX_BYTES,
            // A file may be mostly comments; its size is limited already.
            max_buffered_comment_events: MAX_NODES,
        },
        with_snippet: false,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return fault(1, "it is empty; at least 'taxonomy' is needed");
    }
    let raw: RawFinder = serde_saphyr::from_str_with_options(text, options).map_err(|error| syntax(text, &error))?;
    Ok(Finder {
        taxonomy: taxonomy(raw.taxonomy)?,
        voice: raw.voice.map(voice).unwrap_or_default(),
        sources: raw.sources.map(sources).unwrap_or_default(),
        weights: raw.weights.map(weights).transpose()?.unwrap_or_default(),
        thresholds: raw.thresholds.map(thresholds).transpose()?.unwrap_or_default(),
        generation: raw.generation.map(generation).transpose()?.unwrap_or_default(),
    })
}

fn fault<T>(line: u64, message: impl Into<String>) -> Result<T, RepliesError> {
    Err(RepliesError::Finder { line: line.max(1), message: message.into() })
}

/// The library's complaint with its line, in plain words, and with the key that stands there.
fn syntax(text: &str, error: &serde_saphyr::Error) -> RepliesError {
    use serde_saphyr::Error;
    let error = error.without_snippet();
    let line = error.location().map_or(1, |location| location.line()).max(1);
    let at_key = |message: String| match key_at(text, line) {
        Some(key) => format!("'{key}': {message}"),
        None => message,
    };
    let message = match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            format!("unknown key '{field}'; the keys here are {}", expected.join(", "))
        }
        Error::SerdeMissingField { field, .. } => format!("the key '{field}' is missing"),
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("the key '{key}' stands here a second time"),
        Error::Unexpected { expected: "mapping start", .. } => at_key("keys with values are expected here".into()),
        Error::Unexpected { expected: "sequence start", .. } => at_key("a list such as [a, b] is expected here".into()),
        Error::Unexpected { expected: "string scalar", .. } => at_key("a text is expected here".into()),
        Error::InvalidScalar { ty: "i64", .. } => at_key("a whole number is expected here".into()),
        Error::InvalidScalar { ty: "floating point", .. } => at_key("a number is expected here".into()),
        other => {
            let message = other.to_string();
            // The line is said already.
            at_key(message.rsplit_once(" at line ").map_or(message.clone(), |(message, _)| message.to_owned()))
        }
    };
    RepliesError::Finder { line, message }
}

/// The key with which a line begins.
fn key_at(text: &str, line: u64) -> Option<&str> {
    let line = text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let (key, _) = line.trim_start_matches([' ', '-']).split_once(':')?;
    (!key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_')).then_some(key)
}

fn taxonomy(raw: Spanned<Vec<Spanned<RawNode>>>) -> Result<Vec<Node>, RepliesError> {
    let line = raw.referenced.line();
    let mut seen: HashMap<String, u64> = HashMap::new();
    let mut nodes = Vec::with_capacity(raw.value.len());
    for Spanned { value: node, referenced, .. } in raw.value {
        let line = referenced.line();
        let label = node.label.trim().to_owned();
        if label.is_empty() {
            return fault(line, "a taxonomy node's 'label' is empty");
        }
        if node.description.trim().is_empty() {
            return fault(line, format!("the 'description' of taxonomy node '{label}' is empty"));
        }
        if let Some(first) = seen.insert(label.to_lowercase(), line) {
            return fault(line, format!("the taxonomy 'label' '{label}' stands on line {first} already"));
        }
        nodes.push(Node { label, description: node.description.trim().to_owned(), exemplars: node.exemplars });
    }
    if nodes.is_empty() { fault(line, "'taxonomy' is empty: it needs at least one topic") } else { Ok(nodes) }
}

fn voice(raw: RawVoice) -> Voice {
    let examples = raw.examples.unwrap_or_default();
    Voice {
        persona: raw.persona.unwrap_or_default(),
        constraints: raw.constraints,
        examples: Examples { good: examples.good, bad: examples.bad },
    }
}

fn sources(raw: RawSources) -> Sources {
    Sources {
        whitelist_handles: raw.whitelist_handles,
        blacklist_handles: raw.blacklist_handles,
        blacklist_keywords: raw.blacklist_keywords,
        languages: raw.languages,
    }
}

/// The number, or its default; refused outside `range`.
fn number(
    value: Option<&Spanned<f64>>,
    default: f64,
    key: &str,
    range: std::ops::RangeInclusive<f64>,
) -> Result<f64, RepliesError> {
    let Some(Spanned { value, referenced, .. }) = value else { return Ok(default) };
    if range.contains(value) {
        return Ok(*value);
    }
    let allowed = format!("from {} to {}", range.start(), range.end());
    fault(referenced.line(), format!("'{key}' is {value}; it must be {allowed}"))
}

fn weights(raw: Spanned<RawWeights>) -> Result<Weights, RepliesError> {
    let (line, raw, default) = (raw.referenced.line(), raw.value, Weights::default());
    let weight = |value: &Option<Spanned<f64>>, default, key| number(value.as_ref(), default, key, 0.0..=MAX_WEIGHT);
    let weights = Weights {
        velocity: weight(&raw.velocity, default.velocity, "weights.velocity")?,
        relevance: weight(&raw.relevance, default.relevance, "weights.relevance")?,
        openness: weight(&raw.openness, default.openness, "weights.openness")?,
        author_quality: weight(&raw.author_quality, default.author_quality, "weights.author_quality")?,
    };
    let sum = weights.velocity + weights.relevance + weights.openness + weights.author_quality;
    if sum > 0.0 { Ok(weights) } else { fault(line, "the 'weights' are all 0, so every score would be 0") }
}

fn thresholds(raw: Spanned<RawThresholds>) -> Result<Thresholds, RepliesError> {
    let (line, raw, default) = (raw.referenced.line(), raw.value, Thresholds::default());
    let green_min = number(raw.green_min.as_ref(), default.green_min, "thresholds.green_min", 0.0..=1.0)?;
    let yellow_min = number(raw.yellow_min.as_ref(), default.yellow_min, "thresholds.yellow_min", 0.0..=1.0)?;
    if yellow_min > green_min {
        return fault(line, format!("'yellow_min' is {yellow_min}, over 'green_min', which is {green_min}"));
    }
    Ok(Thresholds { green_min, yellow_min })
}

fn generation(raw: Spanned<RawGeneration>) -> Result<DraftingRules, RepliesError> {
    let (raw, default) = (raw.value, DraftingRules::default());
    let temperature = number(raw.temperature.as_ref(), default.temperature, "generation.temperature", 0.0..=2.0)?;
    let max_tokens = match raw.max_tokens {
        None => default.max_tokens,
        Some(Spanned { value: value @ 1..=1_000_000, .. }) => value.unsigned_abs(),
        Some(Spanned { value, referenced, .. }) => {
            return fault(
                referenced.line(),
                format!("'generation.max_tokens' is {value}; it must be from 1 to 1000000"),
            );
        }
    };
    let kinds = raw.kinds.map(kinds).transpose()?.unwrap_or(default.kinds);
    let model = raw.model.map(|model| model.trim().to_owned()).filter(|model| !model.is_empty());
    Ok(DraftingRules { temperature, max_tokens, model, kinds })
}

fn kinds(raw: Spanned<Vec<Spanned<String>>>) -> Result<Vec<ReplyKind>, RepliesError> {
    /// One suggestion and four alternatives have a column each.
    const MOST: usize = 5;
    let line = raw.referenced.line();
    let mut kinds = Vec::new();
    for Spanned { value, referenced, .. } in raw.value {
        let kind: ReplyKind = match value.parse() {
            Ok(kind) => kind,
            Err(message) => return fault(referenced.line(), format!("'generation.kinds': {message}")),
        };
        if kinds.contains(&kind) {
            return fault(referenced.line(), format!("'generation.kinds' lists {kind} twice"));
        }
        kinds.push(kind);
    }
    match kinds.len() {
        0 => fault(line, "'generation.kinds' is empty; leave it out for the usual five"),
        1..=MOST => Ok(kinds),
        _ => fault(line, "'generation.kinds' lists more than five kinds; an export has room for five"),
    }
}
