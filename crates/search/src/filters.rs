//! Filters as people write them: `KEY=VALUE`, what every hit must fulfil.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::document::{Orientation, Rgb};
use crate::error::{SearchError, SearchResult};
use crate::query::Filter;

/// How far a palette's colour may be from one that is asked for, in CIELAB: shades of one colour.
const COLOR_DISTANCE: f32 = 20.0;

/// The keys that are no attributes.
pub const FILTER_KEYS: [&str; 9] =
    ["category", "tag", "uploader", "collection", "orientation", "color", "width", "height", "date"];

/// The attributes that filters ask for.
#[must_use]
pub fn attributes_of(filters: &[Filter]) -> Vec<String> {
    let names = filters.iter().flat_map(|filter| match filter {
        Filter::Attribute(name, _) => vec![name.clone()],
        Filter::Any(filters) => attributes_of(filters),
        _ => Vec::new(),
    });
    names.collect()
}

/// Filters from `KEY=VALUE` and `KEY!=VALUE`, and from collections, any of which will do. Values of one key add up; keys, and what must not be, narrow down.
pub fn parse_filters(filters: &[String], collections: &[String]) -> SearchResult<Vec<Filter>> {
    let mut any: BTreeMap<&str, Vec<Filter>> = BTreeMap::new();
    let mut all = Vec::new();
    for text in filters {
        let bad = || SearchError::Filter { text: text.clone(), expected: "KEY=VALUE or KEY!=VALUE" };
        let (key, value) = text.split_once('=').ok_or_else(bad)?;
        let (key, not) = key.strip_suffix('!').map_or((key, false), |key| (key, true));
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || value.is_empty() {
            return Err(bad());
        }
        let filter = filter(key, value)?;
        if not {
            all.push(Filter::Not(Box::new(filter)));
        } else {
            any.entry(key).or_default().push(filter);
        }
    }
    if !collections.is_empty() {
        any.entry("collection").or_default().extend(collections.iter().cloned().map(Filter::Collection));
    }
    let one_of = |mut filters: Vec<Filter>| match filters.len() {
        1 => filters.swap_remove(0),
        _ => Filter::Any(filters),
    };
    Ok(any.into_values().map(one_of).chain(all).collect())
}

fn filter(key: &str, value: &str) -> SearchResult<Filter> {
    let invalid = |expected| SearchError::Filter { text: format!("{key}={value}"), expected };
    Ok(match key {
        "category" => Filter::Category(value.to_owned()),
        "tag" | "label" => Filter::Tag(value.to_owned()),
        "uploader" => Filter::Uploader(value.to_owned()),
        "collection" => Filter::Collection(value.to_owned()),
        "orientation" => Filter::Orientation(match value.to_lowercase().as_str() {
            "landscape" => Orientation::Landscape,
            "portrait" => Orientation::Portrait,
            "square" => Orientation::Square,
            _ => return Err(invalid("landscape, portrait or square")),
        }),
        "color" | "colour" => {
            Filter::Color(rgb(value).ok_or_else(|| invalid("a colour such as #a0c4ff"))?, COLOR_DISTANCE)
        }
        "width" => Filter::Width(
            sides(value).ok_or_else(|| invalid("a number of pixels, or MIN..MAX with the smaller one first"))?,
        ),
        "height" => Filter::Height(
            sides(value).ok_or_else(|| invalid("a number of pixels, or MIN..MAX with the smaller one first"))?,
        ),
        "date" => Filter::Date(
            days(value).ok_or_else(|| invalid("a day as YYYY-MM-DD, or FROM..UNTIL with the earlier one first"))?,
        ),
        _ => Filter::Attribute(key.to_owned(), value.to_owned()),
    })
}

/// `800`, `800..`, `..1200` or `800..1200`.
fn sides(text: &str) -> Option<RangeInclusive<u32>> {
    let Some((from, until)) = text.split_once("..") else {
        let side = text.parse().ok()?;
        return Some(side..=side);
    };
    let from = if from.is_empty() { 1 } else { from.parse().ok()? };
    let until = if until.is_empty() { u32::MAX } else { until.parse().ok()? };
    (from <= until).then_some(from..=until)
}

/// `2026-11-01`, or from one day to another, both of them whole, UTC.
#[must_use]
pub fn days(text: &str) -> Option<RangeInclusive<i64>> {
    let start = |text: &str| -> Option<i64> {
        let day: Date = text.parse().ok()?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond())
    };
    const DAY: i64 = 86_400_000_000;
    let (from, until) = text.split_once("..").unwrap_or((text, text));
    let from = if from.is_empty() { i64::MIN } else { start(from)? };
    let until = if until.is_empty() { i64::MAX } else { start(until)? + DAY - 1 };
    (from <= until).then_some(from..=until)
}

/// The colour that six hexadecimal digits stand for, or three, with or without `#`.
#[must_use]
pub fn rgb(text: &str) -> Option<Rgb> {
    let digits = text.trim().trim_start_matches('#');
    let nibbles: Option<Vec<u8>> =
        digits.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    match *nibbles? {
        [r, g, b] => Some([r * 17, g * 17, b * 17]),
        [r1, r0, g1, g0, b1, b0] => Some([r1 * 16 + r0, g1 * 16 + g0, b1 * 16 + b0]),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn parsed(filters: &[&str]) -> SearchResult<Vec<Filter>> {
        parse_filters(&filters.iter().map(|&text| text.to_owned()).collect::<Vec<_>>(), &[])
    }

    #[test]
    fn values_of_one_key_add_up_and_keys_narrow_down() {
        let found = parsed(&["category=birds", "tag=red", "tag=blue", "mood!=dark"]).unwrap();
        let tags = Filter::Any(vec![Filter::Tag("red".into()), Filter::Tag("blue".into())]);
        let dark = Filter::Not(Box::new(Filter::Attribute("mood".into(), "dark".into())));
        assert_eq!(found, [Filter::Category("birds".into()), tags, dark]);
    }

    #[test]
    fn sizes_and_days_are_ranges_that_may_be_open() {
        assert_eq!(parsed(&["width=800"]).unwrap(), [Filter::Width(800..=800)]);
        assert_eq!(parsed(&["height=..600"]).unwrap(), [Filter::Height(1..=600)]);
        let day = 86_400_000_000_i64;
        assert_eq!(parsed(&["date=1970-01-02"]).unwrap(), [Filter::Date(day..=2 * day - 1)]);
        assert_eq!(parsed(&["date=1970-01-02.."]).unwrap(), [Filter::Date(day..=i64::MAX)]);
    }

    #[test]
    fn what_is_no_filter_says_what_it_should_be() {
        for (wrong, hint) in [
            ("birds", "KEY=VALUE"),
            ("=x", "KEY=VALUE"),
            ("width=wide", "pixels"),
            ("width=9..3", "pixels"),
            ("orientation=up", "landscape"),
            ("color=red", "#a0c4ff"),
            ("date=yesterday", "YYYY-MM-DD"),
        ] {
            let error = parsed(&[wrong]).unwrap_err();
            assert!(error.to_string().contains(hint), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_colour_is_six_digits_or_three() {
        assert_eq!(rgb("#ff8000"), Some([255, 128, 0]));
        assert_eq!(rgb("f80"), Some([255, 136, 0]));
        for wrong in ["", "#12", "#12345", "red", "#gggggg", "#ééé"] {
            assert_eq!(rgb(wrong), None, "{wrong}");
        }
    }
}
