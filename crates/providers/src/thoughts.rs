//! What a model thinks aloud, which is never its answer.

use std::borrow::Cow;

/// Between which marks models think, as their templates have them: the words of an opening and a closing one.
const MARKS: [(&str, &str); 7] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    (REASONING, "</reasoning>"),
    ("[THINK]", "[/THINK]"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("\u{25c1}think\u{25b7}", "\u{25c1}/think\u{25b7}"),
];
/// A mark that people also ask for, as one field beside others.
const REASONING: &str = "<reasoning>";

/// The form of OpenAI's open models ("harmony"): messages in channels, of which the last named so is the answer.
const FINAL: &str = "final";
const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
const STARTS: [&str; 2] = ["<|start|>", CHANNEL];
const ENDS: [&str; 2] = ["<|return|>", "<|end|>"];

/// The text without what was thought before it. Thoughts that do not end leave nothing; marks in the middle of an
/// answer are a part of it.
pub(crate) fn without(text: &str) -> Cow<'_, str> {
    if STARTS.iter().any(|start| text.trim_start().starts_with(start)) {
        return Cow::Borrowed(in_final_channel(text));
    }
    let mut rest = text;
    while let Some((open, close)) = opened(rest) {
        let Some(end) = closed(rest, open, close) else { return Cow::Borrowed("") };
        let behind = &rest[end..];
        if open == REASONING && behind.trim_start().starts_with('<') {
            break;
        }
        rest = behind;
    }
    // Some templates open the thoughts themselves, so that the answer holds their end alone.
    for (open, close) in MARKS {
        let Some(at) = find(rest, close) else { continue };
        let (before, behind) = (&rest[..at], &rest[at + close.len()..]);
        // With attributes or without.
        let opens = find(before, open.trim_end_matches(['>', ']'])).is_some();
        let on_its_own = before.trim_end_matches([' ', '\t']).ends_with('\n')
            || behind.trim().is_empty()
            || ["\n\n", "\r\n\r\n"].iter().any(|blank| behind.starts_with(blank));
        if !opens && on_its_own && open != REASONING {
            rest = behind;
        }
    }
    if rest.len() == text.len() { Cow::Borrowed(text) } else { Cow::Borrowed(rest.trim_start()) }
}

/// The last message of the channel for answers; nothing if there is none.
fn in_final_channel(text: &str) -> &str {
    let answer = text.rmatch_indices(CHANNEL).find_map(|(at, _)| {
        let (channel, message) = text[at + CHANNEL.len()..].split_once(MESSAGE)?;
        channel.trim_start().starts_with(FINAL).then_some(message)
    });
    let answer = answer.unwrap_or_default();
    ENDS.iter().fold(answer, |answer, end| answer.trim_end().trim_end_matches(end))
}

/// The marks of the first of which a text begins.
fn opened(text: &str) -> Option<(&'static str, &'static str)> {
    let text = text.trim_start();
    MARKS.into_iter().find(|(open, _)| text.get(..open.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(open)))
}

/// Where thoughts end that a text begins with; thoughts within thoughts end before those around them.
fn closed(text: &str, open: &str, close: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_u32, 0);
    loop {
        let end = find(&text[at..], close)?;
        match find(&text[at..], open) {
            Some(begin) if begin < end => {
                depth += 1;
                at += begin + open.len();
            }
            _ => {
                at += end + close.len();
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
        }
    }
}

/// As `str::find`, whatever the case of ASCII letters.
fn find(text: &str, mark: &str) -> Option<usize> {
    text.as_bytes().windows(mark.len()).position(|window| window.eq_ignore_ascii_case(mark.as_bytes()))
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
            ("<|channel|>final <|constrain|>json<|message|>{\"ok\":true}<|return|>", "{\"ok\":true}"),
            ("<|channel|>analysis<|message|>hm", ""),
            ("<|start|>assistant<|channel|>analysis<|message|>hm", ""),
            ("thoughts\n</think>{\"a\":1}", "{\"a\":1}"),
            ("so be it.</think>\n\nyes", "yes"),
            ("[THINK]one[/THINK]yes", "yes"),
            ("<think><think>a</think>b</think>c", "c"),
            ("<reasoning>a</reasoning>\nyes", "yes"),
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
            "End it with </think>\nThen answer.",
            "Write <|channel|>final<|message|> before it.",
            "<item>\n<reasoning lang=\"en\">x\n</reasoning>\n<verdict>yes</verdict>",
            "<reasoning>x</reasoning>\n<verdict>yes</verdict>",
            "<thinker>is no such tag</thinker>",
            "1 < 2",
        ] {
            assert_eq!(without(text), text);
        }
    }
}
