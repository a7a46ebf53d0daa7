//! What a model thinks aloud, which is never its answer.

use std::borrow::Cow;

/// The tags between which models think, as their templates have them.
const TAGS: [&str; 5] = ["think", "thinking", "thought", "reasoning", "reflection"];
/// Where the answer begins in the form of OpenAI's open models ("harmony").
const FINAL_CHANNEL: &str = "<|channel|>final<|message|>";
const ANY_CHANNEL: &str = "<|channel|>";
const ENDS: [&str; 2] = ["<|return|>", "<|end|>"];

/// The text without what was thought before it. Thoughts that do not end leave nothing; tags in the middle of an
/// answer are a part of it.
pub(crate) fn without(text: &str) -> Cow<'_, str> {
    if let Some((_, answer)) = text.rsplit_once(FINAL_CHANNEL) {
        return Cow::Borrowed(ENDS.iter().fold(answer, |answer, end| answer.trim_end().trim_end_matches(end)));
    }
    if text.trim_start().starts_with(ANY_CHANNEL) {
        return Cow::Borrowed("");
    }
    let mut rest = text;
    while let Some(tag) = opened(rest) {
        let close = format!("</{tag}>");
        match find(rest, &close) {
            Some(at) => rest = &rest[at + close.len()..],
            None => return Cow::Borrowed(""),
        }
    }
    // Some templates open the thoughts themselves, so that the answer holds their end alone, on a line's end.
    for tag in TAGS {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        if let Some(at) = find(rest, &close) {
            let behind = &rest[at + close.len()..];
            if find(&rest[..at], &open).is_none() && (behind.starts_with(['\n', '\r']) || behind.trim().is_empty()) {
                rest = behind;
            }
        }
    }
    if rest.len() == text.len() { Cow::Borrowed(text) } else { Cow::Borrowed(rest.trim_start()) }
}

/// The tag that a text begins with, if it is one of those.
fn opened(text: &str) -> Option<&'static str> {
    let inner = text.trim_start().strip_prefix('<')?;
    TAGS.into_iter().find(|tag| {
        inner.get(..tag.len()).is_some_and(|name| name.eq_ignore_ascii_case(tag)) && inner[tag.len()..].starts_with('>')
    })
}

/// As `str::find`, whatever the case of ASCII letters.
fn find(text: &str, tag: &str) -> Option<usize> {
    text.as_bytes().windows(tag.len()).position(|window| window.eq_ignore_ascii_case(tag.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_before_an_answer_are_no_part_of_it() {
        for (text, answer) in [
            ("<think>\nA sketch.\n</think>\n\nThe answer.", "The answer."),
            ("  <Thinking>one</THINKING> <think>two</think>yes", "yes"),
            ("I was told to think.\nSo I do.\n</think>\n\nyes", "yes"),
            ("<think>cut in the mid", ""),
            ("only thoughts\n</think>", ""),
            (
                "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>",
                "yes",
            ),
            ("<|channel|>analysis<|message|>hm", ""),
        ] {
            assert_eq!(without(text), answer, "{text}");
        }
    }

    #[test]
    fn what_speaks_of_thoughts_is_an_answer() {
        for text in [
            "",
            "  plain, with its spaces ",
            "The tag is written <think>like this</think>\nand ends so.",
            "Write </think> to end it.",
            "<thinker>is no such tag</thinker>",
            "1 < 2",
        ] {
            assert_eq!(without(text), text);
        }
    }
}
